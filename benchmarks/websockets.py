"""What a WebSocket message costs: ``python -m benchmarks.websockets``.

64 connections send a message each, and the next one when it has come back, in 32 bytes and in 64 KiB, to servers of
Gustnado and of its peers, on uvloop where they let one choose. The method is that of :mod:`benchmarks.streams`. The
load compares every byte that comes back.

>>> [contender.name for contender in CONTENDERS if contender.role is Role.OURS]
['gustnado', 'gustnado_async', 'gustnado_pull']
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence

from benchmarks.commands import run
from benchmarks.environment import HERE, Environment
from benchmarks.figures import Figure, Round, interleave
from benchmarks.load import Load
from benchmarks.measure import LOAD_CORE, SERVER_CORE, measure_load, running
from benchmarks.options import make_parser, parse, report_table, say
from benchmarks.streams import CONNECTIONS, parse_load
from benchmarks.versions import version_line
from benchmarks.workloads import Contender, Role, kind_of

__all__ = ["CONTENDERS", "SIZES", "main", "render"]

SIZES = {"websocket_32": 32, "websocket_64k": 65536}
"""Workload -> bytes of a message."""

_server = functools.partial(kind_of, "websocket_server.py")

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
    contenders = {contender.name: contender for contender in CONTENDERS}
    return interleave(
        workload,
        contenders,
        rounds,
        lambda name: measure(contenders[name], environment, SIZES[workload], seconds),
        lambda name, one: f"{contenders[name].title:<40}{one.cpu:8.2f} us",
        say,
    )


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

    def measured(environment: Environment) -> tuple[str, Sequence[Figure]]:
        figures = [
            figure
            for workload in options.only
            for figure in measure_all(workload, environment, options.rounds, options.seconds)
        ]
        return f"{render(figures)}\n{version_line(environment, PACKAGES)}\n", figures

    return report_table("websockets", "WebSockets", options, (SERVER_CORE, LOAD_CORE), measured)


if __name__ == "__main__":
    sys.exit(main())
