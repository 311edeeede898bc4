"""Slow clients, and the others: ``python -m benchmarks.slow``.

200 clients at once that are slow in one way, to a server with its default limits: with their head, with their body, or
in reading their answer. Each must be cut off at its deadline, those that can read it with a 408, and meanwhile another
client must not notice: it asks 200 times a second, on one connection, and its latencies are compared with those
that it sees alone. Rounds of the one and of the other take turns, so that what the machine does meanwhile is in both.
A round is the median of its windows of two seconds. *Noise* is by how much rounds alone differ, the highest from the
lowest; the median of the rounds with slow clients must not be further than that above the median of those alone.

The time of a client that does not read counts from when its handler could last write, which the handler tells. What
leaves for the kernel's buffers afterwards is progress, too: so much later it may be cut off.

>>> quantiles([0.001] * 98 + [0.002, 0.003])
(1000.0, 2000.0)
"""

from __future__ import annotations

import dataclasses
import json
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence

from benchmarks.environment import HERE, Environment
from benchmarks.errors import HarnessError
from benchmarks.findings import Finding, load_server, report
from benchmarks.measure import LOAD_CORE, running
from benchmarks.options import make_parser, parse, say
from benchmarks.soak import Client

__all__ = ["KINDS", "Window", "main", "measure", "probe", "quantiles", "read_ends"]

CLIENTS = 200
WINDOW = 2.0
"""Seconds."""
QUIET_WINDOWS = 5
"""Of each round alone."""
ROUNDS = 3
"""With slow clients; alone there is one more."""
INTERVAL = 0.005
"""Seconds between two requests of the client that must not notice."""
PATIENCE = 90.0
"""Seconds in which all slow clients must have met their end."""
SWEEP = 2.0
"""Seconds by which a deadline may be met late: the server looks once a second, the clients every half."""
LAST_BYTES = 3.0
"""Seconds that the last MiB for each of those who do not read may take to their kernel buffers."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """A way to be slow."""

    title: str
    deadline: float
    """Of the server's default limits, in seconds."""
    status: int
    """What is answered; 0 is nothing, to one that reads nothing."""
    late: float = SWEEP
    """Seconds by which it may be met late."""


KINDS = {
    "head": Kind("slow head", 15.0, 408),
    "body": Kind("slow body", 10.0, 408),
    "read": Kind("slow read", 30.0, 0, SWEEP + LAST_BYTES),
}


@dataclasses.dataclass(frozen=True)
class Window:
    """Latencies of some seconds, in microseconds."""

    p50: float
    p99: float


def middle(windows: Sequence[Window]) -> Window:
    """The medians of some windows, or rounds."""
    return Window(statistics.median(w.p50 for w in windows), statistics.median(w.p99 for w in windows))


def bound(rounds: Sequence[float]) -> float:
    """What is still noise, by what rounds alone have shown.

    >>> bound([300.0, 340.0, 310.0])
    350.0
    """
    return statistics.median(rounds) + max(rounds) - min(rounds)


def quantiles(latencies: Sequence[float]) -> tuple[float, float]:
    """Median and 99th percentile, in microseconds, of latencies in seconds."""
    ordered = sorted(latencies)
    return statistics.median(ordered) * 1e6, ordered[max(0, len(ordered) * 99 // 100 - 1)] * 1e6


def probe(client: Client, go_on: Callable[[int], bool], window: float = WINDOW) -> list[Window]:
    """Asks at a steady pace, for whole windows, while ``go_on`` says so of the number of windows done."""
    windows: list[Window] = []
    while go_on(len(windows)):
        latencies = []
        begin = due = time.perf_counter()
        while due < begin + window:
            time.sleep(max(0.0, due - time.perf_counter()))
            sent = time.perf_counter()
            client.send()
            client.receive()
            latencies.append(time.perf_counter() - sent)
            due += INTERVAL
        windows.append(Window(*quantiles(latencies)))
    return windows


def read_ends(output: str) -> list[tuple[float, int]]:
    """What ``slow_clients.py`` prints: seconds and status of each.

    >>> read_ends("15.003 408\\n")
    [(15.003, 408)]
    """
    return [(float(seconds), int(status)) for seconds, status in map(str.split, output.splitlines())]


def read_stalls(port: int) -> list[float]:
    """For how long those who did not read had taken nothing when they were cut off, in seconds."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/stalls", timeout=30) as answer:
        stalls: list[float] = json.load(answer)["seconds"]
    return stalls


def run_slow(environment: Environment, port: int, kind: str, client: Client) -> tuple[list[Window], str]:
    """Runs the slow clients until the last is cut off; returns what the other saw, and what they printed."""
    program = [str(environment.interpreter), str(HERE / "programs" / "slow_clients.py")]
    command = ["taskset", "-c", str(LOAD_CORE), *program, str(port), kind, str(CLIENTS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as slow:
        end = time.monotonic() + PATIENCE
        windows = probe(client, lambda _: slow.poll() is None and time.monotonic() < end)
        if slow.poll() is None:
            slow.kill()
            raise HarnessError(f"{kind}: clients that are not cut off within {PATIENCE:g} s")
        return windows, slow.stdout.read() if slow.stdout else ""


def judge(
    kind: Kind, quiet: Sequence[Window], slow: Sequence[Window], ends: Sequence[tuple[float, int]]
) -> list[Finding]:
    """What is found of one kind of client, in rounds with and without them."""
    times = [seconds for seconds, _ in ends]
    wrong = sum(status != kind.status for _, status in ends)
    early = sum(seconds < kind.deadline - 1 for seconds in times)
    seen = middle(slow)
    return [
        Finding(f"{kind.title}: the last of {len(ends)} is cut off after", max(times), "s", kind.deadline + kind.late),
        Finding(f"{kind.title}: cut off too early, or not by {kind.status or 'a reset'}", wrong + early, "", 0),
        Finding(f"{kind.title}: p50 of the others", seen.p50, "us", bound([w.p50 for w in quiet])),
        Finding(f"{kind.title}: p99 of the others", seen.p99, "us", bound([w.p99 for w in quiet])),
    ]


def measure(environment: Environment, name: str) -> list[Finding]:
    """Starts a server and measures with one kind of client.

    :raises HarnessError: if it does not serve, answers wrongly, or does not cut off.
    """
    kind = KINDS[name]
    with running(load_server(), environment) as (_, port):
        client = Client(port)
        probe(client, lambda done: done < 1)  # warm
        quiet = [middle(probe(client, lambda done: done < QUIET_WINDOWS))]
        slow: list[Window] = []
        ends: list[tuple[float, int]] = []
        for _ in range(ROUNDS):
            windows, output = run_slow(environment, port, name, client)
            slow.append(middle(windows))
            ends += read_ends(output)
            quiet.append(middle(probe(client, lambda done: done < QUIET_WINDOWS)))
        client.close()
        if name == "read":
            ends = [(seconds, 0) for seconds in read_stalls(port)]
    if len(ends) != CLIENTS * ROUNDS:
        raise HarnessError(f"{name}: of {CLIENTS * ROUNDS} clients {len(ends)} met their end")
    findings = judge(kind, quiet, slow, ends)
    for one in findings:
        say(f"{one.what}: {one.value:.0f} {one.unit}")
    return findings


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints the table and writes it; returns the exit status."""
    parser = make_parser("benchmarks.slow", "Do others notice slow clients?", "KIND", KINDS, rounds=False)
    options = parse(parser, arguments)

    def all_kinds(environment: Environment) -> list[Finding]:
        return [finding for name in options.only for finding in measure(environment, name)]

    return report("slow", f"{CLIENTS} slow clients of each kind", options, all_kinds)


if __name__ == "__main__":
    sys.exit(main())
