from __future__ import annotations

import sys
from pathlib import Path

import pytest
from benchmarks.errors import HarnessError
from benchmarks.load import parse_wrk, run_wrk, wrk_command

GOOD = """Running 2s test @ http://127.0.0.1:9777/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.03ms    1.92ms  24.16ms   94.31%
    Req/Sec    60.55k     9.83k   72.01k    70.00%
  Latency Distribution
     50%  601.00us
     75%    0.88ms
     90%    1.50ms
     99%    7.00ms
  120460 requests in 2.01s, 23.32MB read
Requests/sec:  59930.35
Transfer/sec:     11.60MB
"""


def test_a_clean_run_is_read():
    load = parse_wrk(GOOD)
    assert (load.requests, load.seconds, load.p50, load.p99) == (120460, 2.01, 601.0, 7000.0)
    assert load.rate == pytest.approx(59930, rel=1e-3)
    assert load.problems == ()


@pytest.mark.parametrize(
    ("printed", "microseconds"),
    [("99%    1.25s", 1_250_000), ("99%  12.00us", 12), ("99%    1.00m", 60_000_000)],
)
def test_latencies_have_units(printed, microseconds):
    assert parse_wrk(GOOD.replace("99%    7.00ms", printed)).p99 == microseconds


def test_socket_errors_are_named_by_kind():
    output = GOOD.replace(
        "Requests/sec", "  Socket errors: connect 0, read 12, write 0, timeout 3\nRequests/sec"
    )
    assert parse_wrk(output).problems == ("12 socket errors (read)", "3 socket errors (timeout)")


def test_error_statuses_make_a_run_worthless():
    output = GOOD.replace("Requests/sec", "  Non-2xx or 3xx responses: 7\nRequests/sec")
    assert parse_wrk(output).problems == ("7 responses with an error status",)


def test_a_run_without_any_response_is_worthless():
    assert parse_wrk(GOOD.replace("120460 requests", "0 requests")).problems == ("no response at all",)


@pytest.mark.parametrize("output", ["", "unable to connect", GOOD.replace("99%", "98%")])
def test_a_text_that_is_not_wrks_is_an_error(output):
    with pytest.raises(HarnessError, match="wrk printed no"):
        parse_wrk(output)


def test_the_command_pins_one_thread_and_carries_headers_and_script():
    command = wrk_command(
        "http://h/", seconds=3, connections=64, core=1, headers={"X-A": "b"}, script=Path("s.lua")
    )
    pinned = ["taskset", "-c", "1", "wrk", "-t1", "-c64", "-d3s", "--latency"]
    assert command == [*pinned, "-H", "X-A: b", "-s", "s.lua", "http://h/"]


def test_a_load_generator_that_fails_tells_what_it_said():
    command = [sys.executable, "-c", "import sys; print('unable to connect'); sys.exit(1)"]
    with pytest.raises(HarnessError, match="unable to connect"):
        run_wrk(command, seconds=1)


def test_what_the_load_generator_prints_is_what_the_run_returns():
    assert run_wrk([sys.executable, "-c", f"print({GOOD!r})"], seconds=1).requests == 120460
