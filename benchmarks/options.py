"""The options that the smaller benchmarks share, their lines of progress, and where they write what they find."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.commands import require_cores
from benchmarks.environment import HERE, Environment
from benchmarks.errors import HarnessError
from benchmarks.figures import Figure
from benchmarks.interpreters import DEFAULT_VERSION, find_python

__all__ = ["make_parser", "parse", "report_table", "say", "write_found", "write_table"]


def say(line: str) -> None:
    """One line of progress."""
    print(line, file=sys.stderr, flush=True)


def make_parser(
    program: str, description: str, metavar: str, choices: Iterable[str], *, rounds: bool = True
) -> argparse.ArgumentParser:
    """The options; ``--only`` takes some of ``choices``, all by default.

    :param rounds: whether number and length of the measurements are options.
    """
    names = list(choices)
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=description)
    parser.add_argument("--only", metavar=metavar, nargs="+", choices=names, default=names)
    if rounds:
        parser.add_argument("--rounds", type=int, default=3, help="of each measurement; default: %(default)s")
        parser.add_argument("--seconds", type=int, default=2, help="length of each measurement; default: %(default)s")
    parser.add_argument("--python", help=f"interpreter, name or path (default: CPython {DEFAULT_VERSION})")
    parser.add_argument("--results", type=Path, default=HERE / "results", help="folder for what is found")
    parser.add_argument("--cache", type=Path, default=HERE / ".cache", help="folder for the environment")
    return parser


def parse(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options given; ends the program where one is out of range."""
    options = parser.parse_args(arguments)
    for name in ("rounds", "seconds"):
        if getattr(options, name, 1) < 1:
            parser.error(f"--{name} must be at least 1")
    return options


def write_table(
    name: str,
    title: str,
    table: str,
    options: argparse.Namespace,
    label: str,
    figures: Sequence[Figure] | None = None,
) -> None:
    """Prints a table of results and writes it to the folder of results.

    :param name: what the file's name begins with.
    :param options: those of the command line: ``rounds``, ``seconds`` and ``results``.
    :param label: of the interpreter.
    :param figures: what the table tells, to be written as JSON, too.
    """
    date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    what = f"{date}, {label}; {options.rounds} interleaved rounds of {options.seconds} s, medians."
    found = None if figures is None else {"date": date, "figures": [dataclasses.asdict(figure) for figure in figures]}
    write_found(name, f"# {title}\n\n{what}\n\n{table}", options.results, label, found)


def write_found(name: str, text: str, folder: Path, label: str, found: Mapping[str, object] | None) -> None:
    """Prints what was found and writes it to *folder*: as the text, and as JSON where there is *found*."""
    print(text)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{label.replace('-', '')}.md"
    path.write_text(text)
    if found is not None:
        path.with_suffix(".json").write_text(json.dumps(found, indent=2) + "\n")
    say(f"wrote {path}")


def report_table(
    name: str,
    title: str,
    options: argparse.Namespace,
    cores: Iterable[int],
    measure: Callable[[Environment], tuple[str, Sequence[Figure] | None]],
) -> int:
    """Measures in a prepared environment, prints the table and writes it; returns the exit status.

    :param name: of the benchmark, and what the files' names begin with.
    :param cores: those that processes are pinned to.
    :param measure: gives the table, and the figures that are to be written, too.
    """
    try:
        require_cores(*cores)
        environment = Environment(find_python(options.python), options.cache.resolve(), say)
        environment.prepare(["compiled"])
        table, figures = measure(environment)
    except HarnessError as error:
        say(f"benchmarks.{name}: {error}")
        return 1
    write_table(name, title, table, options, environment.python.label, figures)
    return 0
