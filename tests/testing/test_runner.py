"""Running tests from the command line."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import unittest

import pytest

from gustnado.testing import setup_with_context_manager

TESTS = '''
import logging
import signal
import unittest


class Good(unittest.TestCase):
    def test_good(self):
        print("default handler of SIGINT:", signal.getsignal(signal.SIGINT) is signal.SIG_DFL)
        logging.getLogger("gustnado.general").warning("said in the middle")


class Bad(unittest.TestCase):
    def test_bad(self):
        self.fail("on purpose")

    def test_bad_too(self):
        self.fail("on purpose")


def all():
    return unittest.defaultTestLoader.loadTestsFromName("sample_test.Good")


if __name__ == "__main__":
    from gustnado.testing import main

    main()
'''


@pytest.fixture
def sample(tmp_path):
    """``sample(*arguments)`` runs ``python *arguments`` where there is a module ``sample_test``."""
    (tmp_path / "sample_test.py").write_text(TESTS)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}

    def run(*arguments):
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_tests_are_run_by_name(sample):
    ran = sample("-m", "gustnado.testing", "sample_test.Good")
    assert ran.returncode == 0, ran.stderr
    assert "Ran 1 test" in ran.stderr


def test_failing_tests_are_told_by_the_exit_status(sample):
    ran = sample("-m", "gustnado.testing", "sample_test")
    assert ran.returncode == 1
    assert "failures=2" in ran.stderr


def test_without_names_there_are_no_tests(sample):
    ran = sample("-m", "gustnado.testing")
    assert ran.returncode == 2
    assert ran.stderr.startswith("No tests specified")


def test_a_script_runs_all_of_its_tests(sample):
    ran = sample("sample_test.py")
    assert ran.returncode == 0, ran.stderr
    assert "Ran 1 test" in ran.stderr


def test_a_script_runs_those_that_are_named(sample):
    ran = sample("sample_test.py", "sample_test.Bad.test_bad")
    assert ran.returncode == 1
    assert "Ran 1 test" in ran.stderr


@pytest.mark.parametrize(
    ("option", "shown"),
    [
        ("--verbose", "test_good (sample_test.Good"),
        ("--failfast", "Ran 2 tests"),
        ("--buffer", "Stdout:"),
        ("--logging=none", "said in the middle"),
    ],
)
def test_options_of_unittest_and_of_the_log(sample, option, shown):
    ran = sample(
        "-m",
        "gustnado.testing",
        option,
        "sample_test.Good",
        *["sample_test.Bad"] * (option in ("--failfast",)),
    )
    if option == "--buffer":
        assert "default handler" not in ran.stdout
    else:
        assert shown in ran.stderr


def test_quiet(sample):
    assert "." not in sample("-m", "gustnado.testing", "--quiet", "sample_test.Good").stderr.split("-----")[0]


def test_records_look_as_those_of_servers(sample):
    assert "[W " in sample("-m", "gustnado.testing", "sample_test.Good").stderr


def test_ctrl_c_kills_where_it_was_asked_for(sample):
    ran = sample("-m", "gustnado.testing", "--exception_on_interrupt=false", "sample_test.Good")
    assert "default handler of SIGINT: True" in ran.stdout


def test_an_unknown_option_is_an_error(sample):
    ran = sample("-m", "gustnado.testing", "--no-such-option", "sample_test.Good")
    assert ran.returncode != 0
    assert "no-such-option" in ran.stderr


def test_a_context_manager_ends_with_the_test():
    seen = []

    @contextlib.contextmanager
    def context():
        seen.append("entered")
        yield "value"
        seen.append("left")

    class Case(unittest.TestCase):
        def setUp(self):
            seen.append(setup_with_context_manager(self, context()))

        def runTest(self):
            seen.append("test")

    assert Case().run().wasSuccessful()
    assert seen == ["entered", "value", "test", "left"]
