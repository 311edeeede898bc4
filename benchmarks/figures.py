"""What a run found: rounds, their medians, and the ratios that are the point of it all.

>>> figure = Figure("hello", "gustnado", (Round(8.0, 100, 50.0, 1.0, 2.0), Round(7.0, 100, 50.0, 1.0, 2.0)))
>>> figure.median
7.5
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence

from benchmarks.commands import Echo
from benchmarks.workloads import CONTENDERS, WORKLOADS, Role

__all__ = ["Figure", "Results", "Round", "interleave"]


@dataclasses.dataclass(frozen=True)
class Round:
    """One measurement of one contender."""

    cpu: float
    """CPU microseconds a request, of the server's whole process tree."""
    requests: int
    rate: float
    """Requests a second."""
    p50: float
    """Microseconds."""
    p99: float
    """Microseconds."""
    problems: tuple[str, ...] = ()
    """Why the round does not count; empty if it does."""
    threads_ended: int = 0
    """Threads of the server that ended meanwhile; what they ran is missing in ``cpu``."""


@dataclasses.dataclass(frozen=True)
class Figure:
    """All rounds of one contender at one workload."""

    workload: str
    contender: str
    rounds: tuple[Round, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the figure does not count, each reason once; empty if it does."""
        return tuple(dict.fromkeys(problem for one in self.rounds for problem in one.problems))

    @property
    def counts(self) -> bool:
        """Whether every round was correct from start to end."""
        return not self.problems

    @property
    def median(self) -> float:
        """CPU microseconds a request."""
        return statistics.median(one.cpu for one in self.rounds)

    @property
    def least(self) -> float:
        """CPU microseconds a request in the best round."""
        return min(one.cpu for one in self.rounds)

    @property
    def most(self) -> float:
        """CPU microseconds a request in the worst round."""
        return max(one.cpu for one in self.rounds)

    @property
    def rate(self) -> float:
        """Requests a second, median."""
        return statistics.median(one.rate for one in self.rounds)

    @property
    def p99(self) -> float:
        """99th percentile of latency in microseconds, median of the rounds."""
        return statistics.median(one.p99 for one in self.rounds)


@dataclasses.dataclass(frozen=True)
class Results:
    """One run of the harness."""

    date: str
    """ISO 8601, UTC."""
    mode: str
    seconds: int
    """Length of one measurement."""
    versions: Mapping[str, str]
    figures: tuple[Figure, ...]

    def of(self, workload: str) -> tuple[Figure, ...]:
        """The figures of one workload, best first, those that do not count last."""
        chosen = [figure for figure in self.figures if figure.workload == workload]
        return tuple(sorted(chosen, key=lambda figure: (not figure.counts, figure.median)))

    def find(self, workload: str, contender: str) -> Figure | None:
        """One figure, if it was measured and counts."""
        for figure in self.figures:
            if (figure.workload, figure.contender) == (workload, contender) and figure.counts:
                return figure
        return None

    def limit(self, workload: str) -> Figure | None:
        """The limit of a workload; where it has none of its own, that of ``hello`` in the same run."""
        name = next((one.limit for one in WORKLOADS if one.name == workload), "limit")
        return self.find(workload, name) or (self.find("hello", name) if name == "limit" else None)

    def best_peer(self, workload: str) -> Figure | None:
        """The peer with the lowest figure that counts."""
        peers: Sequence[Figure] = [
            figure
            for figure in self.of(workload)
            if figure.counts and CONTENDERS[figure.contender].role is Role.PEER
        ]
        return peers[0] if peers else None


def interleave(
    workload: str,
    names: Iterable[str],
    rounds: int,
    measure: Callable[[str], Round],
    describe: Callable[[str, Round], str],
    echo: Echo,
) -> list[Figure]:
    """Measures each by its name, in turn, as many times; what *describe* says of each round is a line of progress.

    >>> figures = interleave("hello", "ab", 2, lambda name: Round(7.5, 1, 1.0, 0.0, 0.0), lambda name, one: name, print)
    hello 1/2  a
    hello 1/2  b
    hello 2/2  a
    hello 2/2  b
    >>> [(figure.contender, figure.median) for figure in figures]
    [('a', 7.5), ('b', 7.5)]
    """
    found: dict[str, list[Round]] = {name: [] for name in names}
    for turn in range(rounds):
        for name, measured in found.items():
            measured.append(measure(name))
            echo(f"{workload} {turn + 1}/{rounds}  {describe(name, measured[-1])}")
    return [Figure(workload, name, tuple(measured)) for name, measured in found.items()]
