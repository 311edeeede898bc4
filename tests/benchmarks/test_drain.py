from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from benchmarks import drain
from benchmarks.errors import HarnessError

SUPERVISOR = """
import signal, subprocess, sys
start = lambda: subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
workers = [start(), start()]

def restart(*_):
    for number in range(REPLACED):
        new = start()
        workers[number].kill()
        workers[number].wait()
        workers[number] = new

signal.signal(signal.SIGHUP, restart)
print("ready", flush=True)
sys.stdin.read()
for worker in workers:
    worker.kill()
    worker.wait()
"""


@pytest.fixture
def supervise():
    started = []

    def start(replaced):
        source = SUPERVISOR.replace("REPLACED", str(replaced))
        process = subprocess.Popen([sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout.readline() == b"ready\n"
        return process

    yield start
    for process in started:
        process.communicate(timeout=30)


def test_a_restart_is_over_when_all_are_new(supervise):
    server = supervise(2)
    before = drain.workers(server.pid)
    assert len(before) == 2
    assert drain.restart(server) > 0
    after = drain.workers(server.pid)
    assert len(after) == 2
    assert not before & after


def test_not_when_one_is_not(supervise, monkeypatch):
    monkeypatch.setattr(drain, "PATIENCE", 1.0)
    with pytest.raises(HarnessError, match="not replaced"):
        drain.restart(supervise(1))


def test_wrk_must_live_to_the_end():
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE, text=True) as wrk:
        wrk.wait()
        with pytest.raises(HarnessError, match="ended before"):
            drain.end_wrk(wrk)


def test_what_wrk_saw_is_read_when_it_is_told_to_end():
    source = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        "    print('50%  1.00ms\\n99%  2.00ms\\n10 requests in 1.00s, 1MB read')\n"
        "    print('Socket errors: connect 0, read 3, write 0, timeout 0')\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGINT, end)\n"
        "print('ready', flush=True)\n"
        "while True: time.sleep(1)\n"
    )
    with subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True) as wrk:
        assert wrk.stdout.readline() == "ready\n"
        assert drain.end_wrk(wrk).problems == ("3 socket errors (read)",)


def test_a_server_that_cannot_start_is_told(installed, monkeypatch):
    monkeypatch.setattr(drain, "START_TIMEOUT", 0.0)
    with pytest.raises(HarnessError, match="does not serve"), drain.supervised(installed, "fork"):
        raise AssertionError("not reached")


@pytest.mark.parametrize("method", list(drain.METHODS))
def test_gustnado_run_has_its_workers_replaced(installed, method):
    with drain.supervised(installed, method) as (server, _):
        drain.wait_for_workers(server)
        drain.restart(server)
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0


def test_a_late_answer_is_no_lost_request():
    command = drain.load_command(81)
    assert command[-3:] == ["--timeout", "20s", "http://127.0.0.1:81/"]
    assert f"-d{drain.LONGEST}s" in command
