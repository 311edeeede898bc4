"""What a server did under a load that is no matter of speed: figures, each with the most that it may be.

For the programs that hold, starve, flood and restart a server: :mod:`benchmarks.idle`, :mod:`benchmarks.slow`,
:mod:`benchmarks.uploads` and :mod:`benchmarks.drain`.

>>> print(render([Finding("lost requests", 0, "", 0), Finding("kernel memory", 7.25, "KiB")]))
| what | found | at most | |
| --- | ---: | ---: | --- |
| lost requests | 0 | 0 | met |
| kernel memory | 7.25 KiB |  |  |
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
from collections.abc import Callable, Sequence

from benchmarks.environment import Environment
from benchmarks.errors import HarnessError
from benchmarks.interpreters import find_python
from benchmarks.options import say, write_found
from benchmarks.workloads import Contender, Role

__all__ = ["Finding", "load_server", "render", "report"]


@dataclasses.dataclass(frozen=True)
class Finding:
    """One figure."""

    what: str
    value: float
    unit: str
    bound: float | None = None
    """The most that it may be; ``None`` where it is told for information."""

    @property
    def met(self) -> bool:
        """Whether it is within its bound."""
        return self.bound is None or self.value <= self.bound


def load_server(loop: str = "uvloop", leg: str = "compiled") -> Contender:
    """The server that is put under load."""
    title = f"Gustnado, {leg}, {loop}"
    return Contender(f"load_{loop}", title, Role.OURS, ("load_server.py", "PORT", loop), leg=leg)


def _number(value: float, unit: str) -> str:
    text = f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"
    return f"{text} {unit}".rstrip()


def render(findings: Sequence[Finding]) -> str:
    """A table, as Markdown."""
    lines = ["| what | found | at most | |", "| --- | ---: | ---: | --- |"]
    for one in findings:
        bound = "" if one.bound is None else _number(one.bound, one.unit)
        verdict = "" if one.bound is None else "met" if one.met else "**missed**"
        lines.append(f"| {one.what} | {_number(one.value, one.unit)} | {bound} | {verdict} |")
    return "\n".join(lines)


def report(
    name: str,
    title: str,
    options: argparse.Namespace,
    measure: Callable[[Environment], Sequence[Finding]],
) -> int:
    """Measures in a prepared environment, prints the table and writes it; returns the exit status.

    :param name: what the files' names begin with.
    :returns: 1 where a bound is missed, or nothing could be measured.
    """
    try:
        environment = Environment(find_python(options.python), options.cache.resolve(), say)
        environment.prepare(["compiled"])
        findings = measure(environment)
    except (HarnessError, OSError) as error:
        say(f"benchmarks.{name}: {error}")
        return 1
    date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    label = environment.python.label
    found = {"date": date, "findings": [dataclasses.asdict(one) for one in findings]}
    text = f"# {title}\n\n{date}, {label}.\n\n{render(findings)}\n"
    write_found(name, text, options.results, label, found)
    return 0 if all(one.met for one in findings) else 1
