"""The options that the smaller benchmarks share, their lines of progress, and where they write what they find."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.environment import HERE
from benchmarks.figures import Figure
from benchmarks.interpreters import DEFAULT_VERSION

__all__ = ["make_parser", "parse", "say", "write_table"]


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
    text = f"# {title}\n\n{what}\n\n{table}"
    print(text)
    options.results.mkdir(parents=True, exist_ok=True)
    path = options.results / f"{name}-{label.replace('-', '')}.md"
    path.write_text(text)
    if figures is not None:
        found = {"date": date, "figures": [dataclasses.asdict(figure) for figure in figures]}
        path.with_suffix(".json").write_text(json.dumps(found, indent=2) + "\n")
    say(f"wrote {path}")
