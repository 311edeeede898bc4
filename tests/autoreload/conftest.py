"""Mostly real programs, whose files are rewritten while they run; both by file events and by polling."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time

import pytest

DEADLINE = 100.0  # seconds; far above what anything here takes


class Program:
    """A program that runs in a directory of its own, and all that it has printed."""

    def __init__(self, directory, output, arguments, environment, pass_fds):
        self.directory = directory
        self.output = output
        with open(output, "wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=directory,
                env=os.environ | environment,
                stdout=stream,
                stderr=stream,
                pass_fds=pass_fds,
            )

    def text(self):
        return self.output.read_text(encoding="utf-8")

    def until(self, condition, what=None):
        """Wait for a condition; do ``what`` before each look at it."""
        deadline = time.monotonic() + DEADLINE
        ended = False
        while not ended and time.monotonic() < deadline:
            if what is not None:
                what()
            ended = self.process.poll() is not None  # asked for first: it may say the words, and end
            if condition():
                return
            time.sleep(0.05)
        pytest.fail(f"{self.text()}\nexit status: {self.process.poll()}")

    def until_said(self, words, times=1, what=None):
        """Wait until the program has printed some words so many times."""
        self.until(lambda: self.text().count(words) >= times, what)

    def until_ended(self):
        """Wait until it has ended; its exit status."""
        return self.process.wait(DEADLINE)


@pytest.fixture(params=["events", "poll"])
def mode(request):
    if request.param == "events":
        pytest.importorskip("watchfiles")
    return request.param


@pytest.fixture
def write(tmp_path):
    """Writes a file of the program, dedented, at one stroke: none may start with half of it."""

    def write(name, text):
        path, draft = tmp_path / "program" / name, tmp_path / "draft"
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(textwrap.dedent(text), encoding="utf-8")
        draft.replace(path)
        return path

    return write


@pytest.fixture
def begin(tmp_path):
    """Starts Python with some arguments, in the directory of the files that ``write`` writes."""
    programs = []

    def begin(*arguments, mode="poll", pass_fds=(), **environment):
        output = tmp_path / f"output-{len(programs)}"
        environment = {"GUSTNADO_AUTORELOAD": mode, "PYTHONDONTWRITEBYTECODE": "1"} | environment
        programs.append(Program(tmp_path / "program", output, arguments, environment, pass_fds))
        return programs[-1]

    yield begin
    for program in programs:
        program.process.kill()
        program.process.wait()
