"""What streams and callbacks cost: ``python -m benchmarks.streams``.

*Echo*: 64 connections send a message each, and the next one when it has come back, in 32 bytes and in 64 KiB. The
same program awaits the reading of a message and its writing over the streams of Gustnado, of asyncio and of
Tornado; beside it an ``asyncio.Protocol``, bare and as a consumer attached to a stream. All on uvloop.

*Callbacks*: ``IOLoop.add_callback`` beside ``call_soon`` of the loop under it.

The method is that of :mod:`benchmarks.measure`: server on core 0, load on core 1, CPU time of the server divided by
messages, interleaved rounds, medians. The load compares every byte that comes back; a difference ends it.

>>> parse_load("347069 messages in 2.000 s, p50 339 us, p99 609 us").rate
173534.5
"""

from __future__ import annotations

import dataclasses
import functools
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.commands import Echo, run
from benchmarks.environment import HERE, Environment
from benchmarks.errors import HarnessError
from benchmarks.figures import Figure, Round, interleave
from benchmarks.load import Load
from benchmarks.measure import LOAD_CORE, SERVER_CORE, measure_load, running, server_environment
from benchmarks.options import make_parser, parse, report_table, say
from benchmarks.workloads import Contender, Role, kind_of

__all__ = ["CONTENDERS", "GOALS", "Goal", "main", "parse_load", "render"]

CONNECTIONS = 64
SIZES = {"echo_32": 32, "echo_64k": 65536}
"""Workload -> bytes of a message."""
LOOPS = {"callbacks_uvloop": "uvloop", "callbacks_asyncio": "asyncio"}
"""Workload -> event loop."""
TITLES = {
    "echo_32": "echo of 32 bytes",
    "echo_64k": "echo of 64 KiB",
    "callbacks_uvloop": "a callback for the next turn, uvloop",
    "callbacks_asyncio": "a callback for the next turn, asyncio's own loop",
}

_echo = functools.partial(kind_of, "echo_server.py")

def _callback(name: str, title: str, role: Role) -> Contender:
    return Contender(name, title, role, (name,), leg="compiled")


CONTENDERS: dict[str, tuple[Contender, ...]] = {
    **dict.fromkeys(
        SIZES,
        (
            _echo("protocol", "asyncio.Protocol", Role.BARE),
            _echo("consumer", "Gustnado, consumer attached to an IOStream", Role.OURS),
            _echo("gustnado", "Gustnado, IOStream", Role.OURS),
            _echo("asyncio", "asyncio streams"),
            _echo("tornado", "Tornado, IOStream"),
        ),
    ),
    **dict.fromkeys(
        LOOPS,
        (
            _callback("call_soon", "call_soon of the loop", Role.BARE),
            _callback("add_callback", "Gustnado, IOLoop.add_callback", Role.OURS),
        ),
    ),
}
"""Workload -> who takes part."""


@dataclasses.dataclass(frozen=True)
class Goal:
    """What one contender may cost beside another."""

    ours: str
    other: str
    ratio: float


GOALS = (Goal("gustnado", "asyncio", 1.0), Goal("consumer", "protocol", 1.15), Goal("add_callback", "call_soon", 1.3))


def parse_load(output: str) -> Load:
    """Reads what ``echo_load`` prints.

    :raises HarnessError: if the text is not its.
    """
    found = re.fullmatch(r"(\d+) messages in ([\d.]+) s, p50 (\d+) us, p99 (\d+) us", output.strip())
    if found is None:
        raise HarnessError(f"echo_load printed {output!r}")
    return Load(int(found[1]), float(found[2]), float(found[3]), float(found[4]))


def _load(program: Path, port: int, size: int, seconds: int) -> Load:
    command = ["taskset", "-c", str(LOAD_CORE), str(program), str(port), str(CONNECTIONS), str(size), str(seconds)]
    return parse_load(run(command, "the load of an echo server"))


def measure_echo(workload: str, contender: Contender, environment: Environment, seconds: int) -> Round:
    """One measurement, on a server started for it.

    :raises HarnessError: if server or load cannot be run, or a byte comes back wrong.
    """
    program, size = environment.compile(HERE / "programs" / "echo_load.c"), SIZES[workload]
    sized = dataclasses.replace(contender, command=(*contender.command, str(size)))
    with running(sized, environment) as (pid, port):
        return measure_load(pid, lambda length: _load(program, port, size, length), seconds)


def measure_callbacks(workload: str, contender: Contender, environment: Environment, seconds: int) -> Round:
    """One measurement in a process of its own, which reads its own clock.

    :raises HarnessError: if it fails.
    """
    command = ["taskset", "-c", str(SERVER_CORE), str(environment.interpreter)]
    command += [str(HERE / "programs" / "callbacks.py"), contender.name, LOOPS[workload], str(seconds)]
    try:
        done = subprocess.run(
            command,
            env=server_environment(contender, environment),
            capture_output=True,
            text=True,
            check=True,
            timeout=seconds + 30,
        )
    except subprocess.SubprocessError as error:
        raise HarnessError(f"{contender.title}: {error}") from error
    calls, nanoseconds = map(int, done.stdout.split())
    return Round(cpu=nanoseconds / 1000 / calls, requests=calls, rate=calls / seconds, p50=0.0, p99=0.0)


def _measure(workload: str) -> Callable[[str, Contender, Environment, int], Round]:
    return measure_echo if workload in SIZES else measure_callbacks


def measure_all(workload: str, environment: Environment, *, rounds: int, seconds: int, echo: Echo) -> list[Figure]:
    """All contenders of a workload, in interleaved rounds."""
    measure, contenders = _measure(workload), {one.name: one for one in CONTENDERS[workload]}
    return interleave(
        workload,
        contenders,
        rounds,
        lambda name: measure(workload, contenders[name], environment, seconds),
        lambda name, one: f"{contenders[name].title:<44}{one.cpu:8.3f} us",
        echo,
    )


def _row(figure: Figure, figures: Sequence[Figure]) -> str:
    medians = {other.contender: other.median for other in figures}
    (title,) = [one.title for one in CONTENDERS[figure.workload] if one.name == figure.contender]
    bare = medians[CONTENDERS[figure.workload][0].name]
    verdict = ""
    for goal in GOALS:
        if goal.ours == figure.contender and goal.other in medians:
            ratio = figure.median / medians[goal.other]
            met = "met" if ratio <= goal.ratio else "missed"
            verdict = f"{ratio:.2f} x {goal.other}, at most {goal.ratio:.2f}: {met}"
    cells = (title, f"{figure.median:.3f}", f"{figure.least:.3f} - {figure.most:.3f}", f"{figure.median / bare:.2f}")
    return "| " + " | ".join((*cells, verdict)) + " |"


def render(figures: Sequence[Figure]) -> str:
    """The tables, as Markdown."""
    lines = []
    for workload, title in TITLES.items():
        chosen = [figure for figure in figures if figure.workload == workload]
        if chosen:
            lines += [f"## {title}", "", "| who | CPU us each | min - max | x bare | goal |"]
            lines += ["| --- | ---: | ---: | ---: | --- |", *(_row(figure, chosen) for figure in chosen), ""]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints the tables and writes them; returns the exit status."""
    parser = make_parser("benchmarks.streams", "What do streams and callbacks cost?", "WORKLOAD", TITLES)
    options = parse(parser, arguments)

    def measured(environment: Environment) -> tuple[str, Sequence[Figure]]:
        figures = [
            figure
            for workload in options.only
            for figure in measure_all(workload, environment, rounds=options.rounds, seconds=options.seconds, echo=say)
        ]
        return render(figures), figures

    return report_table("streams", "Streams and callbacks", options, (SERVER_CORE, LOAD_CORE), measured)


if __name__ == "__main__":
    sys.exit(main())
