from __future__ import annotations

import argparse
import json
import sys

import pytest
from benchmarks import findings
from benchmarks.errors import HarnessError
from benchmarks.findings import Finding
from benchmarks.interpreters import Python


@pytest.fixture
def options(tmp_path, monkeypatch):
    class Prepared:
        def __init__(self, python, cache, echo):
            self.python = python

        def prepare(self, legs):
            assert legs == ["compiled"]

    monkeypatch.setattr(findings, "Environment", Prepared)
    monkeypatch.setattr(findings, "find_python", lambda name: Python(sys.executable, "cpython", "3.13.1"))
    return argparse.Namespace(python=None, cache=tmp_path / "cache", results=tmp_path / "results")


def test_what_is_over_its_bound_is_missed():
    assert Finding("a", 4.0, "KiB", 4.0).met
    assert not Finding("a", 4.01, "KiB", 4.0).met
    assert Finding("a", 1e9, "KiB").met


def test_a_bound_of_nothing_is_one():
    assert not Finding("lost", 1, "", 0).met
    assert "| lost | 1 | 0 | **missed** |" in findings.render([Finding("lost", 1, "", 0)])


@pytest.mark.parametrize(("value", "status"), [(3.5, 0), (4.5, 1)])
def test_a_report_is_written_whatever_it_says(options, capsys, value, status):
    found = [Finding("idle", value, "KiB", 4.0), Finding("kernel", 2, "KiB")]
    assert findings.report("idle", "Idle", options, lambda environment: found) == status
    text = (options.results / "idle-cpython3.13.md").read_text()
    assert text.startswith("# Idle\n")
    assert f"| idle | {value:.2f} KiB | 4 KiB |" in text
    written = json.loads((options.results / "idle-cpython3.13.json").read_text())
    assert [one["value"] for one in written["findings"]] == [value, 2]
    assert text.strip() in capsys.readouterr().out


def test_what_cannot_be_measured_is_told(options, capsys):
    def fails(environment):
        raise HarnessError("no server")

    assert findings.report("idle", "Idle", options, fails) == 1
    assert "benchmarks.idle: no server" in capsys.readouterr().err
    assert not options.results.exists()
