"""Tornado's own tests, run on Gustnado, and so are the programs that they start.

``outcomes(module)`` runs a module of ``tornado.test``, once, however often it is asked for: in one process the tests
that must pass, in another those that are known not to. ``exceptions`` are the latter, with their reasons: the tables in
``docs/tornado-differences.md``.
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

from gustnado.as_tornado import environment

ROOT = Path(__file__).parents[2]
DIFFERENCES = ROOT / "docs/tornado-differences.md"
# For a module; the slowest takes a fifth of that. pytest gives a test 120. Those that are listed may hang.
SECONDS = {"others": 100, "listed": 10}
ENVIRONMENT = {
    "others": {"PYTHONWARNINGS": "", "PYTHONDEVMODE": ""},
    "listed": {"PYTHONWARNINGS": "", "PYTHONDEVMODE": "", "ASYNC_TEST_TIMEOUT": "0.5"},
}
HEADINGS = {
    "public": "### Tests of what is public",
    "private": "### Tests of private parts",
}
ROW = re.compile(r"\| `(?P<test>[\w.]+)` \| (?P<reason>.+) \|")


@dataclass
class Outcomes:
    """What became of tests of a module, by name (``escape_test.EscapeTestCase.test_linkify``)."""

    found: set[str] = field(default_factory=set)
    passed: set[str] = field(default_factory=set)
    skipped: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    output: str = ""
    status: int = 0

    def record(self, test: str, outcome: str, text: str) -> None:
        name = test.removeprefix("tornado.test.")
        if outcome == "failed":
            self.failed[name] = self.failed.get(name, "") + text
        else:
            getattr(self, outcome).add(name)
        self.passed -= self.failed.keys()


@functools.cache
def run_module(module: str) -> tuple[Outcomes, Outcomes]:
    """What became of the tests that must pass, and of those that are listed."""
    listed = [name for name in all_exceptions() if name.startswith(f"{module}.")]
    others = run_tests(f"tornado.test.{module}", "others", listed)
    return others, run_tests(f"tornado.test.{module}", "listed", listed) if listed else Outcomes()


def run_tests(module: str, which: str, listed: list[str]) -> Outcomes:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "outcomes")
        names = [f"tornado.test.{name}" for name in listed]
        arguments = [module, str(file), str(SECONDS[which]), which, *names]
        ran = subprocess.run(
            [sys.executable, str(ROOT / "tests/compat/collect.py"), *arguments],
            cwd=directory,
            env=environment({**os.environ, **ENVIRONMENT[which]}),
            capture_output=True,
            text=True,
            timeout=SECONDS[which] + 15,
            check=False,
        )
        outcomes = Outcomes(output=ran.stdout + ran.stderr, status=ran.returncode)
        for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
            outcomes.record(*json.loads(line))
    return outcomes


def exceptions_in(text: str, heading: str) -> dict[str, str]:
    """The rows of the table below a heading: test -> reason."""
    table = re.split(r"\n##+ ", text.partition(heading)[2])[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    found = [ROW.fullmatch(row) for row in rows]
    unreadable = [row for row, match in zip(rows, found, strict=True) if match is None]
    if heading not in text or unreadable:
        raise ValueError(f"docs/tornado-differences.md: no table of `test` and reason: {unreadable or heading}")
    return {match["test"]: match["reason"] for match in found if match is not None}


@functools.cache
def listed_as(kind: str) -> dict[str, str]:
    return exceptions_in(DIFFERENCES.read_text(encoding="utf-8"), HEADINGS[kind])


def all_exceptions() -> dict[str, str]:
    return listed_as("public") | listed_as("private")


@pytest.fixture
def outcomes():
    return run_module


@pytest.fixture
def read_exceptions():
    return exceptions_in


@pytest.fixture
def exceptions() -> dict[str, str]:
    return all_exceptions()
