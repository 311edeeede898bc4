"""Tornado's own tests, run on Gustnado, and so are the programs that they start.

``outcomes(module)`` runs a module of ``tornado.test`` in a process of its own, once, however often it is
asked for. ``exceptions`` are the tests that are known not to pass: the table in ``docs/tornado-differences.md``.
"""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = 300  # for a module; the slowest takes a tenth of that
HEADING = "## Tests of Tornado that do not pass"
ROW = re.compile(r"\| `(?P<test>[\w.]+)` \| (?P<reason>.+) \|")


@dataclass
class Outcomes:
    """What became of the tests of a module, by name (``escape_test.EscapeTestCase.test_linkify``)."""

    passed: set[str] = field(default_factory=set)
    skipped: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    output: str = ""
    status: int = 0

    @property
    def ran(self) -> set[str]:
        """The tests that were found."""
        return {*self.passed, *self.skipped, *self.failed}


@functools.cache
def run_module(module: str) -> Outcomes:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "outcomes")
        arguments = [f"tornado.test.{module}", str(file), str(SECONDS)]
        # Imported by each Python at its start.
        Path(directory, "sitecustomize.py").write_text(
            "import gustnado.as_tornado\ngustnado.as_tornado.install()\n", encoding="utf-8"
        )
        ran = subprocess.run(
            [sys.executable, str(ROOT / "tests/compat/collect.py"), *arguments],
            cwd=directory,
            env={**os.environ, "PYTHONPATH": directory, "PYTHONWARNINGS": "", "PYTHONDEVMODE": ""},
            capture_output=True,
            text=True,
            timeout=2 * SECONDS,
            check=False,
        )
        outcomes = Outcomes(output=ran.stdout + ran.stderr, status=ran.returncode)
        for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
            record(outcomes, *json.loads(line))
    return outcomes


def record(outcomes: Outcomes, test: str, outcome: str, text: str) -> None:
    name = test.removeprefix("tornado.test.")
    if outcome == "failed":
        outcomes.failed[name] = outcomes.failed.get(name, "") + text
    elif outcome == "skipped":
        outcomes.skipped.add(name)
    elif name not in outcomes.failed:
        outcomes.passed.add(name)
    outcomes.passed -= outcomes.failed.keys()


def exceptions_in(text: str) -> dict[str, str]:
    """The rows of the table below the heading: test -> reason."""
    table = text.partition(HEADING)[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    found = [ROW.fullmatch(row) for row in rows]
    unreadable = [row for row, match in zip(rows, found, strict=True) if match is None]
    if HEADING not in text or unreadable:
        raise ValueError(f"docs/tornado-differences.md: no table of `test` and reason: {unreadable or HEADING}")
    return {match["test"]: match["reason"] for match in found if match is not None}


@pytest.fixture
def outcomes():
    return run_module


@pytest.fixture
def read_exceptions():
    return exceptions_in


@pytest.fixture
def exceptions() -> dict[str, str]:
    return exceptions_in((ROOT / "docs/tornado-differences.md").read_text(encoding="utf-8"))
