"""Signals while a loop runs: they wake it, and what their handlers raise ends it."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

from gustnado.events.loop import IOLoop
from gustnado.events.loop_choice import loop_factory

PROGRAM = """
import asyncio, os, signal, sys
from gustnado.events.loop import IOLoop
IOLoop.configure(sys.argv[1])
loop = IOLoop.instance()
loop.add_callback(os.kill, os.getpid(), getattr(signal, sys.argv[2]))
try:
    loop.start()
except KeyboardInterrupt:
    loop.close()
    print("interrupted and closed")
"""


@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
class TestSignals:
    def signalled(self, kind, name):
        if kind == "uvloop":
            pytest.importorskip("uvloop")
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, kind, name], capture_output=True, text=True, timeout=60
        )

    def test_ctrl_c_leaves_start_and_the_loop_closable(self, kind):
        done = self.signalled(kind, "SIGINT")
        assert (done.stdout, done.stderr, done.returncode) == ("interrupted and closed\n", "", 0)

    def test_ctrl_c_is_not_lost_in_a_callback(self, kind):
        io_loop = IOLoop(loop_factory=loop_factory(kind), make_current=False)
        done = []

        def callback():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("first")
            with pytest.raises(KeyboardInterrupt):  # who presses twice does not want to wait
                os.kill(os.getpid(), signal.SIGINT)
                done.append("never")

        before = signal.getsignal(signal.SIGINT)
        io_loop.add_callback(callback)
        with pytest.raises(KeyboardInterrupt):
            io_loop.start()
        assert done == ["first"]
        assert signal.getsignal(signal.SIGINT) is before
        io_loop.close()

    def test_an_exit_in_a_handler_is_not_lost_while_data_is_received(self, kind):
        class Ends(asyncio.Protocol):
            def data_received(self, data):
                signal.raise_signal(signal.SIGTERM)

        def end(number, frame):
            sys.exit(7)

        io_loop = IOLoop(loop_factory=loop_factory(kind), make_current=False)
        theirs, ours = socket.socketpair()
        before = signal.signal(signal.SIGTERM, end)
        try:
            connect = io_loop.asyncio_loop.create_connection(Ends, sock=ours)
            transport, _ = io_loop.run_sync(lambda: connect)
            theirs.send(b"x")
            with pytest.raises(SystemExit) as caught:
                io_loop.start()
            assert caught.value.code == 7
            assert io_loop.asyncio_loop.get_exception_handler() is None
            transport.abort()
            io_loop.run_sync(lambda: asyncio.sleep(0))
        finally:
            signal.signal(signal.SIGTERM, before)
            theirs.close()
            io_loop.close()

    def test_a_handler_of_the_programs_own_stays(self, kind):
        io_loop = IOLoop(loop_factory=loop_factory(kind), make_current=False)

        def own(number, frame):
            io_loop.add_callback(io_loop.stop)

        before = signal.signal(signal.SIGINT, own)
        try:
            io_loop.add_callback(os.kill, os.getpid(), signal.SIGINT)
            io_loop.start()
            assert signal.getsignal(signal.SIGINT) is own
        finally:
            signal.signal(signal.SIGINT, before)
            io_loop.close()

    def test_sigterm_ends_the_program(self, kind):
        assert self.signalled(kind, "SIGTERM").returncode == -signal.SIGTERM

    def test_a_signal_wakes_the_loop_also_where_another_thread_gets_it(self, kind):
        io_loop = IOLoop(loop_factory=loop_factory(kind), make_current=False)
        main, handled = threading.get_ident(), []

        def end(number, frame):
            handled.append("in time")
            io_loop.add_callback_from_signal(io_loop.stop)

        def signal_once_it_sleeps():
            # In uvloop no frame is below that of "start"; the selectors' ends in the kernel.
            while sys._current_frames()[main].f_code.co_name not in ("select", "start"):
                pass
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

        def give_up():
            handled.append("never")
            io_loop.stop()

        before = signal.signal(signal.SIGTERM, end)
        thread = threading.Thread(target=signal_once_it_sleeps)
        try:
            io_loop.add_callback(thread.start)
            watchdog = io_loop.call_later(10, give_up)
            io_loop.start()
            io_loop.remove_timeout(watchdog)
            assert handled == ["in time"]
            assert signal.set_wakeup_fd(-1) == -1
        finally:
            signal.signal(signal.SIGTERM, before)
            thread.join()
            io_loop.close()

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
    def test_a_forked_child_does_not_wake_its_parent(self, kind):
        io_loop = IOLoop(loop_factory=loop_factory(kind), make_current=False)

        def fork():
            pid = os.fork()
            if pid == 0:
                os._exit(signal.set_wakeup_fd(-1) + 1)
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

        seen = []
        io_loop.run_sync(lambda: seen.append(fork()))
        assert seen == [0]
        io_loop.close()

    def test_a_wake_up_of_the_programs_own_stays(self, kind):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.setblocking(False)
            io_loop = IOLoop(loop_factory=loop_factory(kind), make_current=False)
            signal.set_wakeup_fd(theirs.fileno())
            try:
                io_loop.run_sync(lambda: None)
            finally:
                assert signal.set_wakeup_fd(-1) == theirs.fileno()
                io_loop.close()

    def test_handlers_that_asyncio_adds_meanwhile_are_called_later_too(self, kind):
        io_loop = IOLoop(loop_factory=loop_factory(kind), make_current=False)
        add = io_loop.asyncio_loop.add_signal_handler
        io_loop.run_sync(lambda: add(signal.SIGTERM, io_loop.stop))
        io_loop.add_callback(os.kill, os.getpid(), signal.SIGTERM)
        watchdog = io_loop.call_later(10, pytest.fail, "not called")
        io_loop.start()
        io_loop.remove_timeout(watchdog)
        io_loop.asyncio_loop.remove_signal_handler(signal.SIGTERM)
        io_loop.close()
