"""Each test runs a program of its own: what ``install`` does is for a whole process and cannot be undone."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

INSTALL = "import gustnado.as_tornado\ngustnado.as_tornado.install()\n"


def run_python(*arguments, cwd=None, executable=sys.executable, **variables):
    """Runs Python, in which any warning is an error."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("GUSTNADO_AS_TORNADO", "PYTHONPATH")}
    return subprocess.run(
        [executable, "-W", "error", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=inherited | variables,
        timeout=100,
    )


@pytest.fixture
def python():
    """``python(*arguments, cwd=None, executable=sys.executable, **variables)``: the process, when it has ended."""
    return run_python


@pytest.fixture
def installing():
    """The lines with which a program installs it."""
    return INSTALL


@pytest.fixture
def run_program():
    """``run_program(text)``: the lines that a program prints after a call of ``install``."""

    def run(text, cwd=None):
        done = run_python("-c", INSTALL + textwrap.dedent(text), cwd=cwd)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run
