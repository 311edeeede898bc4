from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys

import pytest

from gustnado.errors import StreamClosedError, UsageError
from gustnado.events import child as child_module
from gustnado.events import exit_watch
from gustnado.events.callbacks import CallbackTypeError
from gustnado.events.child import Subprocess
from gustnado.events.loop import IOLoop
from gustnado.events.pipes import PipeIOStream

STREAM = Subprocess.STREAM
ECHO = "import sys\nfor line in sys.stdin: print('got', line, end='', flush=True)"
WORDS = "import sys; sys.stdout.write('out'); sys.stderr.write('err')"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no streams over pipes")


@pytest.fixture(params=["event", "thread"], autouse=True)
def way(request, monkeypatch):
    """Everything works by descriptors of processes and without them."""
    if request.param == "thread":
        monkeypatch.setattr(exit_watch, "_process_fd", lambda pid: None)


def python(program, **options):
    return Subprocess([sys.executable, "-u", "-c", program], **options)


class TestStreams:
    def test_a_conversation(self, everywhere):
        async def main():
            child = python(ECHO, stdin=STREAM, stdout=STREAM, stderr=subprocess.STDOUT)
            assert isinstance(child.stdin, PipeIOStream)
            assert child.stderr is None
            await child.stdin.write(b"one\n")
            assert await child.stdout.read_until(b"\n") == b"got one\n"
            await child.stdin.write(b"two\n")
            assert await child.stdout.read_until(b"\n") == b"got two\n"
            child.stdin.close()
            assert await child.stdout.read_until_close() == b""
            assert await child.wait_for_exit() == 0

        everywhere(main())

    def test_output_and_errors_apart(self, run):
        async def main():
            child = python(WORDS, stdout=STREAM, stderr=STREAM)
            assert child.stdin is None
            read = [child.stdout.read_until_close(), child.stderr.read_until_close()]
            assert await asyncio.gather(*read) == [b"out", b"err"]
            await child.wait_for_exit()

        run(main())

    def test_a_mebibyte_each_way(self, everywhere):
        async def main():
            program = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"
            child = python(program, stdin=STREAM, stdout=STREAM)
            data = os.urandom(1 << 20)
            reading = child.stdout.read_until_close()
            await child.stdin.write(data)
            child.stdin.close()
            assert await reading == data
            await child.wait_for_exit()

        everywhere(main())

    def test_popens_own_pipes_stay_files(self, run):
        async def main():
            child = python(WORDS, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            assert child.stdout is child.proc.stdout
            assert child.stdout.read() == b"out"
            await child.wait_for_exit()
            child.stdout.close()

        run(main())

    def test_a_child_that_closes_its_input(self, run):
        async def main():
            child = python("import os; os.close(0); print('closed'); input", stdin=STREAM, stdout=STREAM)
            assert await child.stdout.read_until(b"\n") == b"closed\n"
            with pytest.raises(StreamClosedError):
                await child.stdin.write(b"x" * (1 << 20))
            await child.wait_for_exit()
            child.stdout.close()

        run(main())


class TestExit:
    @pytest.mark.parametrize("code", [0, 1, 255])
    def test_the_status(self, code, run):
        async def main():
            child = python(f"raise SystemExit({code})")
            assert child.returncode is None
            assert await child.wait_for_exit(raise_error=False) == code
            assert (child.returncode, child.pid) == (code, child.proc.pid)

        run(main())

    def test_a_signal_is_a_negative_status(self, everywhere):
        async def main():
            child = python("print(1); input()", stdin=STREAM, stdout=STREAM)
            await child.stdout.read_until(b"\n")
            child.proc.send_signal(signal.SIGTERM)
            assert await child.wait_for_exit(raise_error=False) == -signal.SIGTERM
            child.stdin.close()
            child.stdout.close()

        everywhere(main())

    def test_another_status_than_zero_is_an_error(self, run):
        async def main():
            child = python("raise SystemExit(7)")
            with pytest.raises(subprocess.CalledProcessError) as raised:
                await child.wait_for_exit()
            assert raised.value.returncode == 7
            assert raised.value.cmd == child.proc.args

        run(main())

    def test_all_that_wait_are_told_also_afterwards(self, run):
        async def main():
            child = python("raise SystemExit(2)")
            first, second = child.wait_for_exit(raise_error=False), child.wait_for_exit()
            cancelled = child.wait_for_exit()
            cancelled.cancel()
            assert await first == 2
            with pytest.raises(subprocess.CalledProcessError):
                await second
            assert await child.wait_for_exit(raise_error=False) == 2

        run(main())

    def test_the_callback_is_called_once(self, everywhere):
        async def main():
            child = python("raise SystemExit(3)")
            codes = []
            child.set_exit_callback(codes.append)
            await child.wait_for_exit(raise_error=False)
            await asyncio.sleep(0)
            assert codes == [3]

        everywhere(main())

    def test_a_callback_after_the_end_is_called_soon(self, run):
        async def main():
            child = python("pass")
            await child.wait_for_exit()
            codes = []
            child.set_exit_callback(codes.append)
            assert codes == []
            await asyncio.sleep(0)
            assert codes == [0]

        run(main())

    def test_another_callback_replaces_the_first(self, run):
        async def main():
            child = python("pass")
            codes = []
            child.set_exit_callback(lambda code: codes.append("first"))
            child.set_exit_callback(None)
            child.set_exit_callback(codes.append)
            await child.wait_for_exit()
            await asyncio.sleep(0)
            assert codes == [0]

        run(main())

    def test_what_a_callback_raises_is_logged_and_those_that_wait_are_told(self, run, expect_log):
        async def main():
            child = python("pass")

            def broken(code):
                raise ZeroDivisionError("broken")

            child.set_exit_callback(broken)
            assert await child.wait_for_exit() == 0
            await asyncio.sleep(0)

        with expect_log("gustnado.application", "Exception in callback .*broken"):
            run(main())

    def test_what_cannot_be_called_is_refused(self, run):
        async def main():
            child = python("pass")
            with pytest.raises(CallbackTypeError, match="must be callable, not 7"):
                child.set_exit_callback(7)
            await child.wait_for_exit()

        run(main())

    def test_nobody_needs_to_ask_for_it_to_be_reaped(self, run):
        async def main():
            child = python("print('bye')", stdout=STREAM)
            pid = child.pid
            await child.stdout.read_until_close()
            del child
            reaped = python("pass")
            await reaped.wait_for_exit()
            while True:  # until it is no child of ours any more; a hang is ended by the deadline
                try:
                    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                except ChildProcessError:
                    break
                await asyncio.sleep(0.01)

        run(main())

    def test_many_children_at_once(self, everywhere):
        async def main():
            children = [python(f"raise SystemExit({number})") for number in range(8)]
            waiting = [child.wait_for_exit(raise_error=False) for child in children]
            assert await asyncio.gather(*waiting) == list(range(8))

        everywhere(main())


class TestLoop:
    def test_a_loop_can_be_passed_in(self):
        loop = IOLoop(make_current=False)
        child = python("print('hello')", stdout=STREAM, io_loop=loop)
        assert child.io_loop is loop
        codes = []
        child.set_exit_callback(lambda code: (codes.append(code), loop.stop()))
        loop.start()
        assert codes == [0]
        assert loop.run_sync(child.stdout.read_until_close) == b"hello\n"
        loop.close()

    def test_initializing_is_not_needed_but_allowed(self, run):
        async def main():
            Subprocess.initialize()
            child = python("pass")
            Subprocess.uninitialize()
            await child.wait_for_exit()

        before = signal.getsignal(signal.SIGCHLD)
        run(main())
        assert signal.getsignal(signal.SIGCHLD) is before


class TestBadInput:
    def test_a_program_that_is_not_there_leaves_nothing_open(self, run):
        async def main():
            before = set(os.listdir("/dev/fd"))
            for _ in range(3):
                with pytest.raises(FileNotFoundError):
                    Subprocess(["/nothing/there"], stdin=STREAM, stdout=STREAM, stderr=STREAM)
            assert set(os.listdir("/dev/fd")) == before

        run(main())

    def test_no_descriptors_left(self, run, monkeypatch):
        async def main():
            pipes = iter([os.pipe()])

            def pipe():
                try:
                    return next(pipes)
                except StopIteration:
                    raise OSError(errno.EMFILE, "Too many open files") from None

            before = set(os.listdir("/dev/fd"))
            with monkeypatch.context() as patched:
                patched.setattr(child_module.os, "pipe", pipe)
                with pytest.raises(OSError, match="Too many"):
                    python("pass", stdin=STREAM, stdout=STREAM)
            assert len(os.listdir("/dev/fd")) == len(before) - 2

        run(main())

    def test_windows_has_no_streams(self, run, monkeypatch):
        async def main():
            monkeypatch.setattr(child_module.sys, "platform", "win32")
            with pytest.raises(UsageError, match="stdout=STREAM is not supported on Windows"):
                python("pass", stdout=STREAM)

        run(main())
