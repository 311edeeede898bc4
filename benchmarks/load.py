"""The load: one thread of ``wrk`` on a core of its own, and what it prints, read.

A run in which ``wrk`` met an error is not a figure (:attr:`Load.problems`).

>>> parse_wrk('''
...     Latency Distribution
...      50%  601.00us
...      99%    1.25ms
...   1000 requests in 2.00s, 1.0MB read
...   Socket errors: connect 0, read 0, write 0, timeout 3
... ''').problems
('3 socket errors (timeout)',)
"""

from __future__ import annotations

import dataclasses
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.errors import HarnessError

__all__ = ["Load", "parse_wrk", "run_wrk", "wrk_command"]

MICROSECONDS = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 6e7}


@dataclasses.dataclass(frozen=True)
class Load:
    """What ``wrk`` saw in one run."""

    requests: int
    """Responses received."""
    seconds: float
    p50: float
    """Median latency in microseconds."""
    p99: float
    """99th percentile of latency in microseconds."""
    problems: tuple[str, ...] = ()
    """Why the figure does not count; empty if it does."""

    @property
    def rate(self) -> float:
        """Responses a second."""
        return self.requests / self.seconds


def _latency(output: str, percentile: int) -> float:
    """A line of wrk's latency distribution, in microseconds."""
    found = re.search(rf"^\s*{percentile}%\s+([\d.]+)(us|ms|s|m)\s*$", output, re.MULTILINE)
    if found is None:
        raise HarnessError(f"wrk printed no {percentile}% latency:\n{output}")
    return float(found[1]) * MICROSECONDS[found[2]]


def _problems(output: str, requests: int) -> list[str]:
    """All that wrk counted as wrong, in words."""
    problems = []
    if found := re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output):
        kinds = zip(("connect", "read", "write", "timeout"), map(int, found.groups()), strict=True)
        problems += [f"{count} socket errors ({kind})" for kind, count in kinds if count]
    if found := re.search(r"Non-2xx or 3xx responses: (\d+)", output):
        problems.append(f"{found[1]} responses with an error status")
    if requests == 0:
        problems.append("no response at all")
    return problems


def parse_wrk(output: str) -> Load:
    """Reads what ``wrk --latency`` prints.

    :raises HarnessError: if the text is not wrk's.
    """
    found = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m),", output)
    if found is None:
        raise HarnessError(f"wrk printed no summary:\n{output}")
    requests = int(found[1])
    return Load(
        requests=requests,
        seconds=float(found[2]) * MICROSECONDS[found[3]] / 1e6,
        p50=_latency(output, 50),
        p99=_latency(output, 99),
        problems=tuple(_problems(output, requests)),
    )


def wrk_command(
    url: str,
    *,
    seconds: int,
    connections: int,
    core: int,
    headers: Mapping[str, str] | None = None,
    script: Path | None = None,
) -> list[str]:
    """The command line: one thread of wrk, pinned to ``core``."""
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}: {value}"]
    if script is not None:
        command += ["-s", str(script)]
    return [*command, url]


def run_wrk(command: Sequence[str], *, seconds: int) -> Load:
    """Runs one command of :func:`wrk_command` and returns what it saw.

    :raises HarnessError: if wrk fails, or does not end well after ``seconds``.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30, check=False)
    except subprocess.TimeoutExpired as error:
        raise HarnessError(f"wrk did not end: {' '.join(command)}") from error
    if done.returncode != 0:
        raise HarnessError(f"wrk failed: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return parse_wrk(done.stdout)
