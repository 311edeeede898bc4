"""What runs Tornado's tests sees what they do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COLLECT = Path(__file__).with_name("collect.py")
SAMPLE = """
import logging
import time
import unittest
import warnings


class Sample(unittest.TestCase):
    def test_pass(self):
        pass

    def test_fail(self):
        self.fail("on purpose")

    def test_error(self):
        raise ZeroDivisionError

    @unittest.skip("not now")
    def test_skip(self):
        pass

    def test_parts(self):
        for number in range(3):
            with self.subTest(number=number):
                self.assertNotEqual(number, 1)

    @unittest.expectedFailure
    def test_expected_failure(self):
        self.fail()

    @unittest.expectedFailure
    def test_unexpected_success(self):
        pass

    def test_warning(self):
        warnings.warn("too old", UserWarning)


class Broken(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise OSError("no world")

    def test_never_run(self):
        pass


class Loud(unittest.TestCase):
    def test_log(self):
        logging.getLogger("tornado.general").info("something happened")


class Endless(unittest.TestCase):
    def test_wait(self):
        time.sleep(1000)
"""


@pytest.fixture
def collect(tmp_path):
    """``collect(name)`` runs tests of the sample; gives test -> outcome, the texts, and the process."""
    (tmp_path / "sample.py").write_text(SAMPLE)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONWARNINGS": "", "PYTHONDEVMODE": ""}

    def run(name, seconds=60, which="others", listed=()):
        file = tmp_path / "outcomes"
        arguments = [f"sample{name}", str(file), str(seconds), which, *listed]
        process = subprocess.run(
            [sys.executable, "-m", "gustnado.as_tornado", str(COLLECT), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        outcomes = {test.rpartition(".")[2]: outcome for test, outcome, _ in lines if outcome != "found"}
        return outcomes, "".join(text for *_, text in lines), process

    return run


def test_each_outcome_is_told(collect):
    outcomes, texts, process = collect(".Sample")
    assert outcomes == {
        "test_pass": "passed",
        "test_fail": "failed",
        "test_error": "failed",
        "test_skip": "skipped",
        "test_parts": "failed",
        "test_expected_failure": "passed",
        "test_unexpected_success": "failed",
        "test_warning": "failed",
    }
    assert "AssertionError: on purpose" in texts
    assert "number=1" in texts
    assert (process.stdout, process.stderr, process.returncode) == ("", "", 0)


def test_a_class_that_cannot_be_set_up_is_a_failure(collect):
    outcomes, texts, _ = collect(".Broken")
    assert list(outcomes.values()) == ["failed"]
    assert "no world" in texts


def test_a_module_that_cannot_be_imported_is_a_failure(collect):
    outcomes, texts, _ = collect("_that_is_not_there")
    assert list(outcomes.values()) == ["failed"]
    assert "No module named" in texts


@pytest.mark.parametrize(
    ("which", "expected"),
    [("listed", {"test_fail": "failed", "test_skip": "skipped"}), ("others", {"test_pass": "passed"})],
)
def test_those_that_are_listed_run_by_themselves(collect, which, expected):
    listed = [f"sample.Sample.test_{name}" for name in "fail error parts warning skip".split()]
    outcomes, _, _ = collect(".Sample", which=which, listed=listed)
    assert outcomes | expected == outcomes
    assert len(outcomes) == {"listed": 5, "others": 3}[which]


def test_what_is_logged_is_seen(collect):
    outcomes, _, process = collect(".Loud")
    assert outcomes == {"test_log": "passed"}
    assert "something happened" in process.stderr


def test_a_test_that_hangs_is_ended_and_shown(collect):
    outcomes, _, process = collect(".Endless", seconds=2)
    assert outcomes == {}
    assert process.returncode == 1
    assert "in test_wait" in process.stderr


@pytest.mark.parametrize("text", ["no heading", "### Tests\n\n| `a_test.B.c` |  |\n"])
def test_a_table_that_cannot_be_read_is_an_error(text, read_exceptions):
    with pytest.raises(ValueError, match=r"tornado-differences\.md"):
        read_exceptions(text, "### Tests")


def test_the_table_ends_with_its_section(read_exceptions):
    text = (
        "| `before.B.c` | no |\n\n### Tests\n\n| test | reason |\n| --- | --- |\n"
        "| `a_test.B.c` | reads `_x` |\n\n### Next\n\n| `after.B.c` | no |\n"
    )
    assert read_exceptions(text, "### Tests") == {"a_test.B.c": "reads `_x`"}
