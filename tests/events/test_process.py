from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from gustnado.errors import UsageError
from gustnado.events import process
from gustnado.events.loop import IOLoop
from gustnado.events.process import cpu_count, fork_processes, task_id

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def run_program(body, *, input=None):
    """Run ``body`` in a new interpreter; its output, errors and exit code."""
    head = "import os, signal, sys, time\nfrom gustnado.events.process import fork_processes, task_id\n"
    return subprocess.run(
        [sys.executable, "-c", head + body], capture_output=True, text=True, timeout=60, input=input
    )


def test_there_is_a_processor():
    assert 1 <= cpu_count() <= (os.cpu_count() or 1)


def test_processors_are_counted_without_affinity(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert cpu_count() == (os.cpu_count() or 1)


def test_this_is_no_worker():
    assert task_id() is None


def test_workers_have_numbers_and_the_parent_exits_after_them():
    done = run_program(
        "number = fork_processes(3)\nos.write(1, f'{number} {task_id() == number}\\n'.encode())\n"
    )
    assert sorted(done.stdout.splitlines()) == ["0 True", "1 True", "2 True"]
    assert (done.returncode, done.stderr) == (0, "")


def test_the_number_of_processors_is_the_default():
    done = run_program("import random\nfork_processes(0)\nos.write(1, f'{random.random()}\\n'.encode())\n")
    numbers = done.stdout.splitlines()
    assert len(numbers) == cpu_count()
    assert len(set(numbers)) == len(numbers)  # each worker draws its own


def test_workers_that_die_are_started_anew_with_their_number(tmp_path):
    done = run_program(
        "number = fork_processes(2)\n"
        f"mark = os.path.join({str(tmp_path)!r}, str(number))\n"
        "os.write(1, f'{number}\\n'.encode())\n"
        "if not os.path.exists(mark):\n"
        "    open(mark, 'w').close()\n"
        "    os.kill(os.getpid(), signal.SIGKILL) if number else os._exit(3)\n"
    )
    assert sorted(done.stdout.split()) == ["0", "0", "1", "1"]
    assert done.returncode == 0
    assert "child 0" in done.stderr and "exited with status 3, restarting" in done.stderr
    assert "child 1" in done.stderr and "killed by signal 9, restarting" in done.stderr


def test_too_many_deaths_end_the_others_too():
    done = run_program(
        "number = fork_processes(2, max_restarts=1)\nos._exit(1) if number else signal.pause()\n"
    )
    assert done.returncode == 1
    assert "Too many child restarts, giving up" in done.stderr


def test_workers_are_waited_for_where_the_launcher_ignores_their_end(tmp_path):
    mark = str(tmp_path / "mark")
    done = run_program(
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "fork_processes(1)\n"
        f"if not os.path.exists({mark!r}):\n"
        f"    open({mark!r}, 'w').close()\n"
        "    os._exit(3)\n"
        "os.write(1, b'again')\n"
    )
    assert (done.returncode, done.stdout) == (0, "again")
    assert "exited with status 3, restarting" in done.stderr


WAITING_WORKERS = """
import os, signal
from gustnado.events.process import fork_processes
fork_processes(2)
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.write(1, f"{os.getpid()}\\n".encode())
signal.pause()
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_ends_parent_and_workers(name):
    program = subprocess.Popen(
        [
            sys.executable,
            "-c",
            WAITING_WORKERS,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with program:
        workers = [int(program.stdout.readline()) for _ in range(2)]
        program.send_signal(getattr(signal, name))
        assert program.wait(timeout=60) == -getattr(signal, name)
        for pid in workers:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)


def test_an_event_loop_must_not_exist_before():
    loop = IOLoop(make_current=False)
    try:
        with pytest.raises(UsageError, match="an event loop exists already"):
            fork_processes(2)
    finally:
        loop.close()


def test_workers_do_not_fork_again(monkeypatch):
    monkeypatch.setattr(process, "_task_id", 1)
    with pytest.raises(UsageError, match="a worker process already"):
        fork_processes(2)


def test_a_system_without_fork(monkeypatch):
    monkeypatch.delattr(os, "fork")
    with pytest.raises(UsageError, match="cannot fork"):
        fork_processes(2)
