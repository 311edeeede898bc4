from __future__ import annotations

import sys
from pathlib import Path

import pytest
from benchmarks import versions as module
from benchmarks.environment import Environment
from benchmarks.interpreters import Python


def test_the_processor_is_named():
    assert module.processor("processor\t: 0\nmodel name\t: Fast One 3000\n") == "Fast One 3000"


def test_a_machine_that_does_not_name_its_processor_tells_its_kind():
    assert module.processor("") in ("x86_64", "aarch64", "riscv64", "ppc64le", "s390x")


def test_interpreter_tools_and_packages_are_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(Environment, "interpreter", Path(sys.executable))
    monkeypatch.setattr(module, "_wrk_version", lambda: "4.1.0")
    listed = module.versions(Environment(Python(sys.executable, "cpython", "3.13.1"), tmp_path, print))
    assert listed["Python"] == "cpython 3.13.1"
    assert listed["wrk"] == "4.1.0"
    assert "pytest" in listed
    assert "pip" not in listed


def test_there_need_be_no_nginx(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert module._nginx_version() == "none"


def test_the_version_of_nginx_is_read_from_its_errors(monkeypatch):
    class Done:
        stdout, stderr = "", "nginx version: nginx/1.26.3\n"

    monkeypatch.setattr("shutil.which", lambda name: "/usr/sbin/nginx")
    monkeypatch.setattr("subprocess.run", lambda *args, **kwargs: Done)
    assert module._nginx_version() == "1.26.3"


def test_the_version_of_wrk_is_read_from_its_help(monkeypatch):
    class Done:
        stdout, stderr = "wrk debian/4.1.0-3 [epoll] Copyright\n", ""

    monkeypatch.setattr("subprocess.run", lambda *args, **kwargs: Done)
    assert module._wrk_version() == "debian/4.1.0-3"


@pytest.mark.parametrize("text", ["", "wrk"])
def test_a_wrk_that_tells_nothing_is_unknown(monkeypatch, text):
    class Done:
        stdout, stderr = text, ""

    monkeypatch.setattr("subprocess.run", lambda *args, **kwargs: Done)
    assert module._wrk_version() == "unknown"


def test_a_table_says_what_it_compares(tmp_path, monkeypatch):
    monkeypatch.setattr(Environment, "interpreter", Path(sys.executable))
    environment = Environment(Python(sys.executable, "cpython", "3.13.1"), tmp_path, print)
    line = module.version_line(environment, ["pytest", "nothing"])
    assert line.startswith("cpython 3.13.1, Linux ")
    assert line.endswith(f", pytest {pytest.__version__}.")
