"""What a broadcast costs, and what an idle WebSocket holds: ``python -m benchmarks.broadcast``.

10,000 connections to one server. First they are idle: the memory of the server's process tree with them, less that
without, is what one takes (kernel memory not included). Then one of them sends a message of 1 KiB, and when all have
received it, the next. The figure is the CPU time of the server for one receiver. The load compares every byte.

Most of it is the kernel's, which carries a message over the loopback device within the system call that sends it,
to the receiver's socket; so no goal in microseconds means much without the *limit*, a C program that makes the same
system calls and nothing else. To see what remains where the receivers are other machines, have the kernel do the
receivers' half on the core of the load: ``echo 2 > /sys/class/net/lo/queues/rx-0/rps_cpus`` (and ``0`` after it).

>>> [contender.name for contender in CONTENDERS if contender.role is Role.OURS]
['gustnado']
"""

from __future__ import annotations

import dataclasses
import functools
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.environment import HERE, Environment
from benchmarks.errors import HarnessError
from benchmarks.figures import Figure, Round
from benchmarks.load import Load
from benchmarks.measure import LOAD_CORE, SERVER_CORE, measure_load, running
from benchmarks.options import make_parser, parse, report_table, say
from benchmarks.soak import raise_file_limit, read_rss
from benchmarks.streams import parse_load
from benchmarks.versions import version_line
from benchmarks.workloads import Contender, Role, kind_of

__all__ = ["CONTENDERS", "Crowd", "Findings", "main", "render"]

RECEIVERS = 10_000
SIZE = 1024
"""Bytes of a message."""
FIRST = 100
"""Connections before memory is read, so that what is made once is not counted."""
GOAL = 2.0
"""CPU microseconds a receiver."""
RATIO_GOAL = 1.1
"""Times the limit, measured in the same run."""
IDLE_GOAL = 6.0
"""KiB a connection."""

_server = functools.partial(kind_of, "broadcast_server.py")

CONTENDERS = (
    Contender("limit", "C, one send() a receiver", Role.LIMIT, ("broadcast_limit.c", "PORT")),
    _server("protocol", "asyncio.Protocol, transport.write()", Role.BARE),
    _server("gustnado", "Gustnado, Room.broadcast()", Role.OURS),
    _server("picows", "picows, send() in a loop"),
    _server("websockets", "websockets, broadcast()"),
    _server("aiohttp", "aiohttp, send_bytes() in a loop"),
    _server("tornado", "Tornado, write_message() in a loop"),
)
"""Who takes part."""
PACKAGES = ("uvloop", *(contender.name for contender in CONTENDERS if contender.role is Role.PEER))


class Crowd:
    """A load with many connections; a context manager, which has them open.

    :raises HarnessError: where they cannot be opened, or something comes that was not sent.
    """

    def __init__(self, program: Path, port: int, connections: int, size: int = SIZE) -> None:
        command = ["taskset", "-c", str(LOAD_CORE), str(program), str(port), str(connections), str(size)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Crowd:
        try:
            self._read()
        except HarnessError:
            self._end()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._end()

    def run(self, seconds: float) -> Load:
        """Broadcast for as long."""
        assert self._process.stdin is not None
        print(seconds, file=self._process.stdin, flush=True)
        return parse_load(self._read())

    def _read(self) -> str:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        line = self._process.stdout.readline()
        if not line:
            raise HarnessError(self._process.stderr.read().strip() or "the load of a broadcast has ended")
        return line

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()


def measure(contender: Contender, environment: Environment, receivers: int, seconds: int) -> tuple[Round, float]:
    """One measurement, on a server started for it: a broadcast, and KiB of an idle connection.

    :raises HarnessError: if server or load cannot be run, or something comes that was not sent.
    """
    program = environment.compile(HERE / "programs" / "broadcast_load.c")
    with running(contender, environment) as (pid, port), Crowd(program, port, FIRST):
        before = read_rss(pid)
        with Crowd(program, port, receivers):
            idle = (read_rss(pid) - before) / receivers
    with running(contender, environment) as (pid, port), Crowd(program, port, receivers) as crowd:
        return measure_load(pid, crowd.run, seconds), idle


@dataclasses.dataclass(frozen=True)
class Findings:
    """What was found of one contender."""

    contender: Contender
    figure: Figure
    idle: tuple[float, ...]
    """KiB a connection, in each round."""


def measure_all(environment: Environment, names: Sequence[str], rounds: int, seconds: int) -> list[Findings]:
    """Those that are named, in interleaved rounds."""
    chosen = [contender for contender in CONTENDERS if contender.name in names]
    found: dict[str, list[tuple[Round, float]]] = {contender.name: [] for contender in chosen}
    for turn in range(rounds):
        for contender in chosen:
            one, idle = measure(contender, environment, RECEIVERS, seconds)
            found[contender.name].append((one, idle))
            say(f"broadcast {turn + 1}/{rounds}  {contender.title:<40}{one.cpu:8.2f} us {idle:8.2f} KiB")
    return [
        Findings(
            contender,
            Figure("broadcast", contender.name, tuple(one for one, _ in found[contender.name])),
            tuple(idle for _, idle in found[contender.name]),
        )
        for contender in chosen
    ]


def _row(one: Findings, limit: float | None) -> str:
    figure = one.figure
    ratio = f"{figure.median / limit:.2f}" if limit else ""
    spare = f"{figure.median - limit:+.2f}" if limit else ""
    idle = statistics.median(one.idle)
    verdict = ""
    if one.contender.role is Role.OURS:
        verdict = f"{GOAL:.1f} us: {_met(figure.median, GOAL)}; {IDLE_GOAL:.1f} KiB: {_met(idle, IDLE_GOAL)}"
        if limit:
            verdict += f"; {RATIO_GOAL:.1f} x limit: {_met(figure.median / limit, RATIO_GOAL)}"
    cells = (one.contender.title, f"{figure.median:.2f}", f"{figure.least:.2f} - {figure.most:.2f}", ratio, spare)
    return "| " + " | ".join((*cells, f"{idle:.2f}", verdict)) + " |"


def _met(value: float, goal: float) -> str:
    return "met" if value <= goal else "missed"


def render(findings: Sequence[Findings]) -> str:
    """The table, as Markdown."""
    limit = next((one.figure.median for one in findings if one.contender.role is Role.LIMIT), None)
    lines = [f"## {SIZE} bytes to {RECEIVERS:,} receivers", ""]
    lines += ["| who | CPU us a receiver | min - max | x limit | us over the limit | KiB idle | goal |"]
    lines += ["| --- | ---: | ---: | ---: | ---: | ---: | --- |", *(_row(one, limit) for one in findings), ""]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints the table and writes it; returns the exit status."""
    names = [contender.name for contender in CONTENDERS]
    parser = make_parser("benchmarks.broadcast", "What does a broadcast over WebSockets cost?", "SERVER", names)
    options = parse(parser, arguments)

    def measured(environment: Environment) -> tuple[str, Sequence[Figure]]:
        raise_file_limit(FIRST + RECEIVERS)
        environment.compile(HERE / "servers" / "broadcast_limit.c")
        findings = measure_all(environment, options.only, options.rounds, options.seconds)
        table = f"{render(findings)}\n{version_line(environment, PACKAGES)}\n"
        return table, [one.figure for one in findings]

    return report_table("broadcast", "Broadcasts over WebSockets", options, (SERVER_CORE, LOAD_CORE), measured)


if __name__ == "__main__":
    sys.exit(main())
