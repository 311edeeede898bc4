"""What a page costs: ``python -m benchmarks.templates``.

A table of 1,000 rows of two cells that have to be escaped, rendered to bytes by Gustnado's templates, Mako's, Jinja2's
and Tornado's, each in a process of its own on core 0; interleaved rounds, medians of CPU time.
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

__all__ = ["ENGINES", "GOAL", "main", "render"]

ENGINES = {
    "gustnado": Contender("gustnado", "Gustnado", Role.OURS, (), leg="compiled"),
    "mako": Contender("mako", "Mako", Role.PEER, ()),
    "jinja2": Contender("jinja2", "Jinja2", Role.PEER, ()),
    "tornado": Contender("tornado", "Tornado", Role.PEER, ()),
}
"""Engine of ``render_rows.py`` -> who takes part."""

GOAL = 400.0
"""Microseconds that ours may cost, where Mako takes 594 and Jinja2 1,060."""


def measure(engine: str, environment: Environment, seconds: int) -> Round:
    """One measurement.

    :raises HarnessError: if it cannot be run, or the page is not what it should be.
    """
    return measure_program(("render_rows.py", engine), ENGINES[engine], environment, seconds)


def measure_all(
    engines: Sequence[str], environment: Environment, rounds: int, seconds: int, echo: Echo
) -> list[Figure]:
    """All engines, in interleaved rounds."""
    return interleave(
        "templates",
        engines,
        rounds,
        lambda engine: measure(engine, environment, seconds),
        lambda engine, one: f"{ENGINES[engine].title:<12}{one.cpu:8.0f} us",
        echo,
    )


def render(figures: Sequence[Figure]) -> str:
    """The table, as Markdown, and whether the goal was met."""
    lines = ["| templates | CPU us a page | min - max |", "| --- | ---: | ---: |"]
    for figure in figures:
        title = ENGINES[figure.contender].title
        lines.append(f"| {title} | {figure.median:.0f} | {figure.least:.0f} - {figure.most:.0f} |")
    for ours in (figure.median for figure in figures if figure.contender == "gustnado"):
        lines += ["", f"Goal: at most {GOAL:.0f} us. {ours:.0f}: {'met' if ours <= GOAL else 'missed'}."]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints the table and writes it; returns the exit status."""
    options = parse(make_parser("benchmarks.templates", "What does a page cost?", "ENGINE", ENGINES), arguments)

    def measured(environment: Environment) -> tuple[str, Sequence[Figure]]:
        figures = measure_all(options.only, environment, options.rounds, options.seconds, say)
        return render(figures), figures

    return report_table("templates", "Templates: 1,000 rows of two cells", options, (SERVER_CORE,), measured)


if __name__ == "__main__":
    sys.exit(main())
