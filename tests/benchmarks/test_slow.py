from __future__ import annotations

import pytest
from benchmarks import slow
from benchmarks.findings import load_server
from benchmarks.measure import running
from benchmarks.slow import KINDS, Window
from benchmarks.soak import Client

from gustnado.http import Limits

QUIET = [Window(100.0, 300.0), Window(110.0, 310.0), Window(120.0, 320.0)]  # so 130 and 330 are noise


def judged(kind="head", slow_windows=QUIET, ends=((15.5, 408),)):
    return [finding.met for finding in slow.judge(KINDS[kind], QUIET, slow_windows, list(ends))]


def test_deadlines_are_those_of_the_limits():
    limits = Limits()
    assert KINDS["head"].deadline == limits.header_timeout
    assert KINDS["read"].deadline == limits.write_timeout
    assert limits.min_body_rate > 1 / 0.5  # what drips is below it once ten seconds have passed


def test_all_is_well():
    assert judged() == [True] * 4


@pytest.mark.parametrize(
    ("ends", "met"),
    [
        ([(15.5, 408), (17.1, 408)], [False, True]),
        ([(15.5, 408), (3.0, 408)], [True, False]),
        ([(15.5, 408), (15.5, 200)], [True, False]),
        ([(15.5, 0)], [True, False]),
    ],
)
def test_each_client_must_meet_its_end(ends, met):
    assert judged(ends=ends)[:2] == met


@pytest.mark.parametrize(
    ("window", "met"), [
        (Window(131.0, 200.0), [False, True]),
        (Window(90.0, 331.0), [True, False]),
        (Window(130.0, 330.0), [True, True]),
    ],
)
def test_others_must_not_notice(window, met):
    assert judged(slow_windows=[window, window, Window(1.0, 1.0)])[2:] == met


def test_latencies_are_those_of_a_server(installed):
    pytest.importorskip("uvloop")
    with running(load_server(), installed) as (_, port):
        client = Client(port)
        windows = slow.probe(client, lambda done: done < 2, window=0.1)
        client.close()
        assert slow.read_stalls(port) == []
    assert len(windows) == 2
    assert all(0 < window.p50 <= window.p99 for window in windows)


def test_the_slow_are_waited_for(installed, monkeypatch):
    pytest.importorskip("uvloop")
    monkeypatch.setattr(slow, "CLIENTS", 3)
    monkeypatch.setattr(slow, "WINDOW", 0.1)
    monkeypatch.setattr(slow, "PATIENCE", 0.0)
    with running(load_server(), installed) as (_, port):
        client = Client(port)
        with pytest.raises(slow.HarnessError, match="not cut off"):
            slow.run_slow(installed, port, "head", client)
        client.close()
