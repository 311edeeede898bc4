from __future__ import annotations

import asyncio
import errno
import gc
import os
import subprocess
import sys
import threading

import pytest

from gustnado.events import exit_watch
from gustnado.events.exit_watch import ProcessFd, watch_exit
from gustnado.events.loop import IOLoop

HAS_PIDFD = hasattr(os, "pidfd_open")
needs_pidfd = pytest.mark.skipif(not HAS_PIDFD, reason="needs pidfd_open")


@pytest.fixture(params=["event", "thread"])
def way(request, monkeypatch):
    """How an exit is noticed; the test is repeated for both."""
    if request.param == "thread":
        monkeypatch.setattr(exit_watch, "_process_fd", lambda pid: None)
    elif not HAS_PIDFD:
        pytest.skip("needs pidfd_open")


def start(program="input()"):
    return subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE)


def let_end(process):
    process.stdin.close()


async def exit_of(process):
    ended = asyncio.get_running_loop().create_future()
    watch_exit(process, IOLoop.current(), ended.set_result)
    assert not ended.done()
    return await ended


def is_zombie(pid):
    """Whether it is still there to be reaped."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return False


def test_the_exit_is_told_on_the_loop_and_the_child_is_reaped(way, everywhere):
    async def main():
        process = start("import sys; sys.exit(len(input()))")
        told = []
        ended = asyncio.Event()

        def on_exit(code):
            told.append((code, threading.get_ident()))
            ended.set()

        watch_exit(process, IOLoop.current(), on_exit)
        process.stdin.write(b"seven77\n")
        let_end(process)
        await ended.wait()
        assert told == [(7, threading.get_ident())]
        assert not is_zombie(process.pid)
        assert IOLoop.current().handlers == {}

    everywhere(main())


def test_an_exit_before_it_is_watched_is_told_too(way, run):
    async def main():
        process = start("raise SystemExit(3)")
        with process:
            process.wait()
        assert await exit_of(process) == 3

    run(main())


def test_an_exit_between_start_and_watching_is_not_lost(way, run):
    """The child is a zombie when it is first looked at."""

    async def main():
        process = start("raise SystemExit(4)")
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert await exit_of(process) == 4
        let_end(process)

    run(main())


def test_another_thread_may_reap_it(way, run):
    async def main():
        process = start("import sys; sys.exit(len(input()))")
        waiting = asyncio.create_task(exit_of(process))
        other = asyncio.create_task(asyncio.to_thread(process.wait))
        await asyncio.sleep(0)
        process.stdin.write(b"55555\n")
        let_end(process)
        assert await asyncio.gather(waiting, other) == [5, 5]

    run(main())


def test_children_of_asyncio_beside_ours(way, everywhere):
    async def main():
        code = "import sys; sys.exit(int(sys.argv[1]))"
        ours = [subprocess.Popen([sys.executable, "-c", code, str(number)]) for number in range(3)]
        theirs = [
            await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(number))
            for number in range(10, 13)
        ]
        found = await asyncio.gather(*map(exit_of, ours), *(process.wait() for process in theirs))
        assert found == [0, 1, 2, 10, 11, 12]

    everywhere(main())


def test_a_loop_of_another_thread(way):
    result = []

    def other():
        process = start("raise SystemExit(9)")
        result.append(asyncio.run(exit_of(process)))
        let_end(process)

    thread = threading.Thread(target=other)
    thread.start()
    thread.join(30)
    assert result == [9]


@needs_pidfd
def test_out_of_descriptors_a_thread_waits(monkeypatch, run):
    def refuse(pid):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(exit_watch.os, "pidfd_open", refuse)

    async def main():
        process = start()
        let_end(process)
        assert await exit_of(process) == 1  # no input: an EOFError

    run(main())


def test_a_system_without_process_descriptors(monkeypatch):
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    assert exit_watch._process_fd(os.getpid()) is None


@needs_pidfd
class TestProcessFd:
    def test_it_is_closed_once(self):
        fd = ProcessFd(os.getpid())
        number = fd.fileno()
        os.fstat(number)
        fd.close()
        fd.close()
        assert fd.fileno() == -1
        with pytest.raises(OSError):
            os.fstat(number)

    def test_a_process_that_is_not_there(self):
        process = start()
        process.communicate()
        with pytest.raises(ProcessLookupError):
            ProcessFd(process.pid)

    def test_a_loop_that_is_closed_first_leaves_none_open(self):
        loop = IOLoop(make_current=False)
        process = start()
        watch_exit(process, loop, print)
        (number,) = loop.handlers
        loop.close()
        gc.collect()
        with pytest.raises(OSError):
            os.fstat(number)
        process.communicate()
