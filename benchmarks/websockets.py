"""What a WebSocket message costs: ``python -m benchmarks.websockets``.

64 connections send a message each, and the next one when it has come back, in 32 bytes and in 64 KiB, to servers of
Gustnado and of its peers, on uvloop where they let one choose. The method is that of :mod:`benchmarks.streams`. The
load compares every byte that comes back.

>>> [contender.name for contender in CONTENDERS if contender.role is Role.OURS]
['gustnado', 'gustnado_async', 'gustnado_pull']
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from benchmarks.commands import require_cores, run
from benchmarks.environment import HERE, Environment
from benchmarks.errors import HarnessError
from benchmarks.figures import Figure, Round
from benchmarks.interpreters import find_python
from benchmarks.load import Load
from benchmarks.measure import LOAD_CORE, SERVER_CORE, measure_load, running
from benchmarks.options import make_parser, parse, say, write_table
from benchmarks.streams import CONNECTIONS, parse_load
from benchmarks.versions import version_line
from benchmarks.workloads import Contender, Role

__all__ = ["CONTENDERS", "SIZES", "main", "render"]

SIZES = {"websocket_32": 32, "websocket_64k": 65536}
"""Workload -> bytes of a message."""


def _server(name: str, title: str, role: Role = Role.PEER) -> Contender:
    leg = "compiled" if role is Role.OURS else None
    return Contender(name, title, role, ("websocket_server.py", "PORT", name), leg=leg)


CONTENDERS = (
    _server("gustnado", "Gustnado, def on_message", Role.OURS),
    _server("gustnado_async", "Gustnado, async def on_message", Role.OURS),
    _server("gustnado_pull", "Gustnado, async for message in self", Role.OURS),
    _server("picows", "picows, raw frames"),
    _server("aiohttp", "aiohttp"),
    _server("socketify", "socketify"),
    _server("uvicorn", "uvicorn (websockets), ASGI raw"),
    _server("websockets", "websockets"),
    _server("tornado", "Tornado, def on_message"),
)
"""Who takes part, in each workload."""
PACKAGES = ("uvloop", *(contender.name for contender in CONTENDERS if contender.role is Role.PEER))


def _load(environment: Environment, port: int, size: int, seconds: int) -> Load:
    program = str(HERE / "programs" / "websocket_load.py")
    command = ["taskset", "-c", str(LOAD_CORE), str(environment.interpreter), program]
    return parse_load(run([*command, *map(str, (port, CONNECTIONS, size, seconds))], "the load of a WebSocket server"))


def measure(contender: Contender, environment: Environment, size: int, seconds: int) -> Round:
    """One measurement, on a server started for it.

    :raises HarnessError: if server or load cannot be run, or a byte comes back wrong.
    """
    with running(contender, environment) as (pid, port):
        return measure_load(pid, lambda length: _load(environment, port, size, length), seconds)


def measure_all(workload: str, environment: Environment, rounds: int, seconds: int) -> list[Figure]:
    """All contenders of a workload, in interleaved rounds."""
    found: dict[str, list[Round]] = {contender.name: [] for contender in CONTENDERS}
    for turn in range(rounds):
        for contender in CONTENDERS:
            one = measure(contender, environment, SIZES[workload], seconds)
            found[contender.name].append(one)
            say(f"{workload} {turn + 1}/{rounds}  {contender.title:<40}{one.cpu:8.2f} us")
    return [Figure(workload, name, tuple(rounds)) for name, rounds in found.items()]


def render(figures: Sequence[Figure]) -> str:
    """The tables, as Markdown: each beside the best peer."""
    titles = {contender.name: contender.title for contender in CONTENDERS}
    peers = {contender.name for contender in CONTENDERS if contender.role is Role.PEER}
    lines = []
    for workload, size in SIZES.items():
        chosen = [figure for figure in figures if figure.workload == workload]
        best = min((figure.median for figure in chosen if figure.contender in peers), default=0.0)
        if not chosen or not best:
            continue
        lines += [f"## echo of {size} bytes", "", "| who | CPU us each | min - max | x best peer |"]
        lines += ["| --- | ---: | ---: | ---: |"]
        for one in chosen:
            span = f"{one.least:.2f} - {one.most:.2f}"
            lines.append(f"| {titles[one.contender]} | {one.median:.2f} | {span} | {one.median / best:.2f} |")
        lines.append("")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints the tables and writes them; returns the exit status."""
    parser = make_parser("benchmarks.websockets", "What does a WebSocket message cost?", "WORKLOAD", SIZES)
    parser.set_defaults(seconds=3)
    options = parse(parser, arguments)
    try:
        require_cores(SERVER_CORE, LOAD_CORE)
        environment = Environment(find_python(options.python), options.cache.resolve(), say)
        environment.prepare(["compiled"])
        figures = [
            figure
            for workload in options.only
            for figure in measure_all(workload, environment, options.rounds, options.seconds)
        ]
    except HarnessError as error:
        say(f"benchmarks.websockets: {error}")
        return 1
    table = f"{render(figures)}\n{version_line(environment, PACKAGES)}\n"
    write_table("websockets", "WebSockets", table, options, environment.python.label, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
