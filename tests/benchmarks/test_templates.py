from __future__ import annotations

import subprocess
import sys

import pytest
from benchmarks import options, templates
from benchmarks.environment import HERE
from benchmarks.errors import HarnessError
from benchmarks.figures import Figure, Round

PROGRAM = HERE / "programs" / "render_rows.py"


def figure(engine, *microseconds):
    return Figure("templates", engine, tuple(Round(cpu, 1, 1.0, 0.0, 0.0) for cpu in microseconds))


@pytest.mark.parametrize("engine", ["gustnado", "tornado"])
def test_the_program_checks_the_page_and_prints_two_numbers(engine):
    command = [sys.executable, str(PROGRAM), engine, "0.05"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    pages, nanoseconds = map(int, done.stdout.split())
    assert pages > 0
    assert nanoseconds > 0


@pytest.mark.parametrize(("ours", "verdict"), [(400.0, "400: met."), (401.0, "401: missed.")])
def test_the_table_says_whether_the_goal_is_met(ours, verdict):
    text = templates.render([figure("gustnado", ours), figure("mako", 590.0, 600.0, 610.0)])
    assert "| Mako | 600 | 590 - 610 |" in text
    assert text.endswith(f"{verdict}\n")


def test_figures_are_told_and_interleaved(monkeypatch):
    order, lines = [], []
    monkeypatch.setattr(
        templates, "measure", lambda engine, *rest: order.append(engine) or Round(5.0, 1, 1.0, 0.0, 0.0)
    )
    figures = templates.measure_all(list(templates.ENGINES), None, 2, 1, lines.append)  # type: ignore[arg-type]
    assert order == list(templates.ENGINES) * 2
    assert [found.contender for found in figures] == list(templates.ENGINES)
    assert len(lines) == 8


def test_what_fails_is_told(monkeypatch, capsys, tmp_path):
    def fail(*args):
        raise HarnessError("no cores")

    monkeypatch.setattr(options, "require_cores", fail)
    assert templates.main(["--results", str(tmp_path)]) == 1
    assert "benchmarks.templates: no cores" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
