from __future__ import annotations

import sys

import pytest
from benchmarks import commands
from benchmarks.errors import HarnessError


def test_output_and_errors_of_a_program_are_returned():
    script = "import os, sys; print(os.environ['ANSWER']); print('more', file=sys.stderr)"
    assert commands.run([sys.executable, "-c", script], "asking", ANSWER="42").split() == ["42", "more"]


def test_a_program_that_fails_tells_what_it_was_for_and_what_it_said():
    with pytest.raises(HarnessError, match=r"(?s)building failed:.*reason"):
        commands.run([sys.executable, "-c", "raise SystemExit('reason')"], "building")


def test_a_program_that_is_not_there_tells_what_it_was_for():
    with pytest.raises(HarnessError, match=r"compiling: .*no-such-compiler"):
        commands.run(["no-such-compiler"], "compiling")


def test_without_wrk_and_without_root_the_message_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(HarnessError, match="sudo apt-get install wrk"):
        commands.find_wrk(print)
    with pytest.raises(HarnessError, match="sudo apt-get install nginx-light"):
        commands.find_nginx(print)


def test_root_gets_wrk_installed(monkeypatch):
    found = iter([None, "/usr/bin/apt-get", "/usr/bin/wrk"])
    installed = []
    monkeypatch.setattr("shutil.which", lambda name: next(found))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(commands, "run", lambda command, what: installed.append(command[-1]))
    assert commands.find_wrk(lambda line: None) == "/usr/bin/wrk"
    assert installed == ["wrk"]


def test_a_machine_with_one_core_is_refused(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0})
    with pytest.raises(HarnessError, match="cores"):
        commands.require_cores(0, 1)
    commands.require_cores(0)
