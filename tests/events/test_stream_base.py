"""How a stream ends, and who is told."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import weakref

import pytest

from gustnado.errors import StreamClosedError
from gustnado.events.callbacks import CallbackTypeError
from gustnado.events.loop import IOLoop
from gustnado.events.stream import IOStream
from gustnado.events.stream_base import BaseIOStream


class TestClosing:
    def test_is_seen_by_both_ends(self, everywhere, any_pair):
        async def main():
            async with any_pair() as (ours, theirs):
                await ours.write(b"x")
                ours.close()
                assert ours.closed()
                assert ours.transport is None
                assert await theirs.read_until_close() == b"x"
                assert theirs.closed()
                assert ours.error is None
                assert theirs.error is None

        everywhere(main())

    def test_sends_what_was_written(self, everywhere, any_pair):
        async def main():
            async with any_pair() as (ours, theirs):
                await ours.write(b"x")
                waiting = ours.write(b"y" * 5_000_000)
                ours.close()
                assert len(await theirs.read_until_close()) == 5_000_001
                assert waiting.done()

        everywhere(main())

    def test_sends_what_was_written_before_the_stream_was_open(self, everywhere, pair):
        async def main():
            async with pair() as (ours, theirs):
                ours.write(b"hello and goodbye")
                ours.close()
                assert await theirs.read_until_close() == b"hello and goodbye"

        everywhere(main())

    def test_fails_a_write_that_waits(self, everywhere, pair):
        async def main():
            async with pair() as (ours, _):
                await ours.write(b"x")
                future = ours.write(b"y" * 20_000_000)
                ours.close()
                with pytest.raises(StreamClosedError):
                    await future

        everywhere(main())

    def test_stops_sending_to_a_peer_that_does_not_read(self, run, pair, until):
        async def main():
            async with pair() as (ours, theirs):
                ours.linger_timeout = 0.01
                await ours.write(b"x")
                ours.write(b"y" * 20_000_000)
                ours.close()
                await until(lambda: ours._leaving is None)
                assert len(await theirs.read_until_close()) < 20_000_001

        run(main())

    def test_aborting_drops_what_was_not_sent(self, everywhere, any_pair):
        async def main():
            async with any_pair() as (ours, theirs):
                await ours.write(b"x")
                ours.write(b"y" * 20_000_000)
                ours.abort()
                assert ours.closed()
                assert len(await theirs.read_until_close()) < 20_000_001

        everywhere(main())

    def test_aborting_ends_a_closing_that_takes_too_long(self, run, pair, until):
        async def main():
            async with pair() as (ours, theirs):
                await ours.write(b"x")
                ours.write(b"y" * 20_000_000)
                ours.close()
                await asyncio.sleep(0.01)
                assert ours._leaving is not None
                ours.abort()
                await until(lambda: ours._leaving is None)
                assert len(await theirs.read_until_close()) < 20_000_001

        run(main())

    def test_keeps_the_reason(self, run, pair):
        async def main():
            async with pair() as (one, two):
                reason = ZeroDivisionError("one")
                one.close(exc_info=reason)
                assert one.error is reason
                one.close(exc_info=KeyError("too late"))
                assert one.error is reason
                try:
                    raise reason
                except ZeroDivisionError:
                    two.close(exc_info=True)
                assert two.error is reason
            async with pair() as (one, two):
                one.close(exc_info=(ZeroDivisionError, reason, None))
                assert one.error is reason
                two.close(exc_info=True)
                assert two.error is None

        run(main())

    def test_of_a_stream_that_was_never_used_closes_the_socket(self, run, pair):
        async def main():
            async with pair() as (ours, theirs):
                ours.close()
                assert ours.fileno() == -1
                assert ours.socket is None
                assert await theirs.read_until_close() == b""

        run(main())

    def test_while_the_stream_is_being_opened(self, everywhere, pair):
        async def main():
            async with pair() as (ours, theirs):
                reading = ours.read_bytes(1)
                await asyncio.sleep(0)
                ours.close()
                with pytest.raises(StreamClosedError):
                    await reading
                assert await theirs.read_until_close() == b""

        everywhere(main())

    def test_after_the_loop_closes_the_descriptor(self):
        ours, theirs = socket.socketpair()
        with theirs:
            loop = IOLoop(make_current=False)
            stream = IOStream(ours, io_loop=loop)
            stream.set_close_callback(lambda: None)
            loop.close()
            stream.close()
            assert stream.closed()
            assert stream.fileno() == -1

    def test_the_stream_is_freed(self, run, pair):
        async def main():
            async with pair() as (ours, theirs):
                await ours.write(b"x")
                await theirs.read_bytes(1)
                gone = weakref.ref(ours)
                ours.close()
            del ours
            for _ in range(5):
                await asyncio.sleep(0)
            return gone

        gone = run(main())
        assert gone() is None


class TestPendingReads:
    def test_fail_with_the_reason(self, run, pair):
        async def main():
            for read, arguments in (("read_bytes", (5,)), ("read_until_close", ())):
                async with pair() as (ours, _):
                    future = getattr(ours, read)(*arguments)
                    ours.close(exc_info=ZeroDivisionError())
                    with pytest.raises(StreamClosedError) as failure:
                        await future
                    assert isinstance(failure.value.real_error, ZeroDivisionError)

        run(main())

    def test_that_nobody_looks_at_leave_no_trace(self, run, pair, until):
        async def main():
            async with pair() as (ours, theirs):
                await theirs.write(b"x")
                ours.read_bytes(5)
                theirs.read_until(b"z")
                theirs.write(b"y" * 20_000_000)
                ours.abort()
                await until(theirs.closed)

        run(main())  # the log is watched by a fixture

    def test_until_close_gets_all_there_is(self, everywhere, any_pair):
        async def main():
            async with any_pair() as (ours, theirs):
                future = ours.read_until_close()
                await theirs.write(b"abc")
                for _ in range(50):  # turns of the loop count, not only time: it arrives while they go by
                    await asyncio.sleep(0.002)
                ours.close()
                assert await future == b"abc"

        everywhere(main())

    def test_get_what_they_can_have_from_the_last_bytes(self, run, pair):
        async def main():
            async with pair() as (ours, theirs):
                future = ours.read_until_regex(rb"END")
                theirs.write(b"x" * 100_000)
                theirs.write(b"END")
                theirs.close()
                assert len(await future) == 100_003

        run(main())

    def test_are_told_before_the_close_callback(self, everywhere, pair):
        async def main():
            async with pair() as (ours, theirs):
                order = []
                closed = asyncio.Event()
                ours.set_close_callback(lambda: (order.append("closed"), closed.set()))
                ours.read_until_close(lambda data: order.append(data))
                theirs.write(b"last words")
                theirs.close()
                await closed.wait()
                assert order == [b"last words", "closed"]

        everywhere(main())


class TestThePeersEnd:
    def test_does_not_come_before_its_last_bytes(self, everywhere, any_pair):
        async def main():
            async with any_pair() as (ours, theirs):
                closed = asyncio.Event()
                ours.set_close_callback(closed.set)
                await theirs.write(b"line 1\nline 2\nrest")
                theirs.close()
                assert await ours.read_until(b"\n") == b"line 1\n"
                await asyncio.sleep(0.02)
                assert not ours.closed()
                assert not closed.is_set()
                assert await ours.read_until(b"\n") == b"line 2\n"
                assert await ours.read_bytes(4) == b"rest"
                await closed.wait()
                assert ours.closed()

        everywhere(main())

    def test_fails_a_read_that_wants_more(self, everywhere, any_pair):
        async def main():
            async with any_pair() as (ours, theirs):
                await theirs.write(b"abc")
                theirs.close()
                assert await ours.read_bytes(1) == b"a"
                await asyncio.sleep(0.02)
                with pytest.raises(StreamClosedError):
                    await ours.read_bytes(3)
                assert ours.closed()
                assert await ours.read_bytes(2) == b"bc"

        everywhere(main())

    def test_fails_a_write_once_the_connection_is_gone(self, everywhere, tls_pair):
        async def main():
            async with tls_pair() as (ours, theirs):
                await theirs.write(b"abc")
                theirs.close()
                assert await ours.read_bytes(1) == b"a"
                await asyncio.sleep(0.05)
                with pytest.raises(StreamClosedError):
                    await ours.write(b"x")
                assert ours.closed()
                assert await ours.read_bytes(2) == b"bc"

        everywhere(main())

    def test_an_idle_stream_notices_it(self, everywhere, any_pair):
        async def main():
            async with any_pair() as (ours, theirs):
                closed = asyncio.Event()
                ours.set_close_callback(closed.set)
                await asyncio.sleep(0.02)
                theirs.close()
                await closed.wait()

        everywhere(main())

    def test_a_reset_is_an_error_but_no_news(self, everywhere, pair):
        async def main():
            async with pair() as (ours, theirs):
                await ours.write(b"unread")
                await theirs.write(b"")
                future = ours.read_bytes(1)
                theirs.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                theirs.abort()
                with pytest.raises(StreamClosedError) as failure:
                    await future
                assert isinstance(failure.value.real_error, ConnectionResetError)

        everywhere(main())

    def test_a_reset_right_behind_data_is_seen(self, everywhere, any_pair):
        async def main():
            async with any_pair() as (ours, theirs):
                await ours.write(b"unread")
                await theirs.write(b"x")
                await ours.read_bytes(1)
                future = ours.read_until_close()
                theirs._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                theirs.write(b"y" * 300_000)
                theirs.abort()
                await future
                assert ours.closed()

        everywhere(main())

    def test_closing_after_a_half_close_still_sends_what_was_written(self, everywhere, pair, until):
        async def main():
            async with pair() as (ours, theirs):
                await ours.write(b"x")
                ours.write(b"y" * 5_000_000)
                await theirs.write(b"")
                theirs.write_eof()
                await until(ours.closed)
                assert len(await theirs.read_until_close()) == 5_000_001

        everywhere(main())

    def test_writing_can_go_on_after_a_half_close(self, everywhere, pair):
        async def main():
            async with pair() as (ours, theirs):
                ours.allow_half_close = True
                await theirs.write(b"question")
                theirs.write_eof()
                assert await ours.read_until_close() == b"question"
                assert not ours.closed()
                with pytest.raises(StreamClosedError):
                    await ours.read_bytes(1)
                await ours.write(b"answer")
                ours.close()
                assert await theirs.read_until_close() == b"answer"

        everywhere(main())

    def test_half_closing_needs_an_open_stream(self, run, pair):
        async def main():
            async with pair() as (ours, _):
                with pytest.raises(StreamClosedError):
                    ours.write_eof()

        run(main())


class TestCloseCallback:
    def test_runs_once(self, run, pair, until):
        async def main():
            async with pair() as (ours, theirs):
                calls = []
                ours.set_close_callback(lambda: calls.append("called"))
                await ours.write(b"x")
                theirs.close()
                await until(ours.closed)
                ours.close()
                ours.abort()
                await asyncio.sleep(0.01)
                assert calls == ["called"]

        run(main())

    def test_can_be_replaced_and_taken_back(self, run, pair):
        async def main():
            async with pair() as (one, two):
                calls = []
                one.set_close_callback(lambda: calls.append("old"))
                one.set_close_callback(lambda: calls.append("new"))
                two.set_close_callback(lambda: calls.append("no"))
                two.set_close_callback(None)
                one.close()
                two.close()
                assert calls == []
                await asyncio.sleep(0.01)
                assert calls == ["new"]

        run(main())

    def test_that_comes_late_runs_too(self, run, pair):
        async def main():
            async with pair() as (ours, _):
                ours.close()
                closed = asyncio.Event()
                ours.set_close_callback(closed.set)
                await closed.wait()

        run(main())

    def test_that_raises_is_logged(self, run, pair, expect_log):
        async def main():
            async with pair() as (ours, _):
                ours.set_close_callback(lambda: 1 / 0)
                with expect_log("gustnado.application", "Exception in callback"):
                    ours.close()
                    await asyncio.sleep(0.01)

        run(main())

    def test_must_be_callable(self, run, pair):
        async def main():
            async with pair() as (ours, _):
                with pytest.raises(CallbackTypeError):
                    ours.set_close_callback("no")

        run(main())


class CountedSocketStream(BaseIOStream):
    """A foreign descriptor: a socket, read and written by hand."""

    def __init__(self, sock):
        super().__init__()
        self.sock = sock  # after the constructor of the base, as programs may do
        self.calls = []

    def fileno(self):
        return self.sock.fileno()

    def close_fd(self):
        self.calls.append("close")
        self.sock.close()

    def write_to_fd(self, data):
        self.calls.append("write")
        return self.sock.send(data)

    def read_from_fd(self, buf):
        self.calls.append("read")
        try:
            return self.sock.recv_into(buf)
        except BlockingIOError:
            return None


def test_a_foreign_descriptor(everywhere):
    async def main():
        left, right = socket.socketpair()
        left.setblocking(False)
        ours, theirs = CountedSocketStream(left), IOStream(right)
        await ours.write(b"hello\n")
        await theirs.write(await theirs.read_until(b"\n"))
        assert await ours.read_until(b"\n") == b"hello\n"
        assert ours.get_fd_error() is None
        theirs.close()
        assert await ours.read_until_close() == b""
        await asyncio.sleep(0.01)
        assert ours.calls[0] == "write"
        assert ours.calls[-1] == "close"
        assert ours.calls.count("close") == 1

    everywhere(main())


class TerminalStream(BaseIOStream):
    """One side of a pseudo-terminal."""

    def __init__(self, fd):
        os.set_blocking(fd, False)
        self.fd = fd
        super().__init__()

    def fileno(self):
        return self.fd

    def close_fd(self):
        os.close(self.fd)

    def write_to_fd(self, data):
        return os.write(self.fd, data)

    def read_from_fd(self, buf):
        try:
            return os.readv(self.fd, [buf])
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno == errno.EIO:  # how Linux says that the other side has hung up
                return 0
            raise


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals here")
def test_a_terminal(everywhere):
    tty = pytest.importorskip("tty")

    async def main():
        ours, theirs = (TerminalStream(fd) for fd in os.openpty())
        tty.setraw(theirs.fileno())
        await theirs.write(b"login: ")
        assert await ours.read_until(b": ") == b"login: "
        answer = theirs.read_bytes(60_000)  # more than a terminal holds
        await ours.write(b"x" * 60_000)
        assert await answer == b"x" * 60_000
        theirs.close()
        assert await ours.read_until_close() == b""
        await asyncio.sleep(0.01)

    everywhere(main())


def test_the_base_class_leaves_the_descriptor_to_others(run):
    async def main():
        stream = BaseIOStream.__new__(BaseIOStream)
        for call in (
            stream.fileno,
            stream.close_fd,
            lambda: stream.write_to_fd(memoryview(b"")),
            lambda: stream.read_from_fd(bytearray()),
        ):
            with pytest.raises(NotImplementedError):
                call()
        assert stream.set_nodelay(True) is None

    run(main())


def test_a_subclass_may_have_attributes_of_its_own(run, pair):
    class Named(IOStream):
        greeting = "hello"

    async def main():
        left, right = socket.socketpair()
        right.close()
        stream = Named(left)
        stream.name = "mine"
        assert (stream.name, stream.greeting) == ("mine", "hello")
        stream.close()

    run(main())
