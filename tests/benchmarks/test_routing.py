from __future__ import annotations

import subprocess
import sys

import pytest
from benchmarks import options, routing
from benchmarks.environment import HERE
from benchmarks.errors import HarnessError
from benchmarks.figures import Figure, Round

PROGRAM = HERE / "programs" / "route_requests.py"


def figure(name, *microseconds):
    return Figure("routing", name, tuple(Round(cpu, 1, 1.0, 0.0, 0.0) for cpu in microseconds))


@pytest.mark.parametrize("kind", ["literal", "pattern", "named"])
def test_the_program_checks_answers_and_prints_two_numbers(kind):
    command = [sys.executable, str(PROGRAM), "20", kind, "0.05"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    requests, nanoseconds = map(int, done.stdout.split())
    assert requests > 0
    assert nanoseconds > 0


@pytest.mark.parametrize(
    ("thousand", "verdict"),
    [(11.0, "1.10 x one route, at most 1.1: met"), (12.0, "1.20 x one route, at most 1.1: missed")],
)
def test_the_table_says_whether_the_goal_is_met(thousand, verdict):
    text = routing.render([figure("literal-1", 9.0, 10.0, 11.0), figure("literal-1000", thousand)])
    assert "| one route, plain text | 10.00 | 9.00 - 11.00 |  |" in text
    assert verdict in text


def test_figures_are_told_and_interleaved(monkeypatch):
    order, lines = [], []
    monkeypatch.setattr(routing, "measure", lambda name, *rest: order.append(name) or Round(5.0, 1, 1.0, 0.0, 0.0))
    figures = routing.measure_all(list(routing.TABLES), None, 2, 1, lines.append)  # type: ignore[arg-type]
    assert order == list(routing.TABLES) * 2
    assert [found.contender for found in figures] == list(routing.TABLES)
    assert len(lines) == 2 * len(routing.TABLES)


def test_what_fails_is_told(monkeypatch, capsys, tmp_path):
    def fail(*args):
        raise HarnessError("no cores")

    monkeypatch.setattr(options, "require_cores", fail)
    assert routing.main(["--results", str(tmp_path)]) == 1
    assert "benchmarks.routing: no cores" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
