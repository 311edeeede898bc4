"""What a route costs: ``python -m benchmarks.routing``.

Requests for the last of 1 and of 1,000 routes, whose paths are plain text or have a group. The way is the whole one
from a parsed head to a response that is given to the connection, but without a socket, beside which this is small.
Each kind in a process of its own on core 0; interleaved rounds, medians of CPU time.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from benchmarks.client import measure_program
from benchmarks.commands import Echo
from benchmarks.environment import Environment
from benchmarks.figures import Figure, Round, interleave
from benchmarks.measure import SERVER_CORE
from benchmarks.options import make_parser, parse, report_table, say
from benchmarks.workloads import Contender, Role

__all__ = ["GOAL", "TABLES", "main", "render"]

TABLES = {
    "literal-1": ("1", "literal", "one route, plain text"),
    "literal-1000": ("1000", "literal", "1,000 routes, plain text"),
    "pattern-1": ("1", "pattern", "one route, a group"),
    "pattern-1000": ("1000", "pattern", "1,000 routes, a group"),
    "named-1000": ("1000", "named", "1,000 routes, a named group"),
}
"""Name -> arguments of ``route_requests.py``, title."""

GOAL = 1.1
"""How much 1,000 routes may cost, where one costs 1."""


def measure(name: str, environment: Environment, seconds: int) -> Round:
    """One measurement.

    :raises HarnessError: if it cannot be run, or a request is answered wrongly.
    """
    routes, kind, title = TABLES[name]
    ours = Contender("gustnado", title, Role.OURS, (), leg="compiled")
    return measure_program(("route_requests.py", routes, kind), ours, environment, seconds)


def measure_all(names: Sequence[str], environment: Environment, rounds: int, seconds: int, echo: Echo) -> list[Figure]:
    """All tables of routes, in interleaved rounds."""
    return interleave(
        "routing",
        names,
        rounds,
        lambda name: measure(name, environment, seconds),
        lambda name, one: f"{TABLES[name][2]:<28}{one.cpu:8.2f} us",
        echo,
    )


def render(figures: Sequence[Figure]) -> str:
    """The table, as Markdown, and whether the goal was met."""
    medians = {figure.contender: figure.median for figure in figures}
    lines = ["| routes | CPU us a request | min - max | goal |", "| --- | ---: | ---: | --- |"]
    for figure in figures:
        one = medians.get(figure.contender.replace("1000", "1"))
        verdict = ""
        if figure.contender.endswith("-1000") and one is not None:
            ratio = figure.median / one
            verdict = f"{ratio:.2f} x one route, at most {GOAL}: {'met' if ratio <= GOAL else 'missed'}"
        spread = f"{figure.least:.2f} - {figure.most:.2f}"
        cells = (TABLES[figure.contender][2], f"{figure.median:.2f}", spread, verdict)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints the table and writes it; returns the exit status."""
    options = parse(make_parser("benchmarks.routing", "What does a route cost?", "ROUTES", TABLES), arguments)

    def measured(environment: Environment) -> tuple[str, Sequence[Figure]]:
        figures = measure_all(options.only, environment, options.rounds, options.seconds, say)
        return render(figures), figures

    return report_table("routing", "Routing: requests without a socket", options, (SERVER_CORE,), measured)


if __name__ == "__main__":
    sys.exit(main())
