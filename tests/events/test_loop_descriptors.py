from __future__ import annotations

import asyncio
import gc
import os
import socket
import tempfile

import pytest

from gustnado.events.callbacks import CallbackTypeError
from gustnado.events.loop import IOLoop
from gustnado.events.loop_choice import loop_factory
from gustnado.events.pipes import PipeIOStream
from gustnado.events.stream import IOStream


@pytest.fixture(params=["asyncio", "uvloop"])
def loop(request):
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    io_loop = IOLoop(asyncio_loop=loop_factory(request.param)(), make_current=False)
    yield io_loop
    io_loop.close()


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    yield ours, theirs
    ours.close()
    theirs.close()


def test_constants_are_tornados():
    assert (IOLoop.NONE, IOLoop.READ, IOLoop.WRITE, IOLoop.ERROR) == (0, 1, 4, 0x18)


def test_a_descriptor_is_read_and_then_written(loop, pair):
    # The way of a server as the slides show it: READ, then update_handler to WRITE, then remove_handler.
    ours, theirs = pair
    seen = []

    def on_event(fd, events):
        seen.append((fd, events))
        if events & loop.READ:
            assert os.read(fd, 100) == b"ping"
            loop.update_handler(fd, loop.WRITE)
        else:
            os.write(fd, b"pong")
            loop.remove_handler(fd)
            loop.stop()

    loop.add_handler(ours.fileno(), on_event, loop.READ)
    theirs.send(b"ping")
    loop.start()
    assert seen == [(ours.fileno(), IOLoop.READ), (ours.fileno(), IOLoop.WRITE)]
    assert theirs.recv(100) == b"pong"
    assert loop.handlers == {}


def test_an_object_comes_back_as_it_was_given(loop, pair):
    ours, _ = pair
    seen = []

    def on_event(sock, events):
        seen.append(sock)
        loop.stop()

    loop.add_handler(ours, on_event, loop.READ | loop.WRITE)
    loop.start()
    assert all(sock is ours for sock in seen)
    loop.remove_handler(ours)


def test_a_second_handler_is_an_error(loop, pair):
    ours, _ = pair
    loop.add_handler(ours, print, loop.READ)
    with pytest.raises(ValueError, match=f"fd {ours.fileno()} added twice"):
        loop.add_handler(ours.fileno(), print, loop.READ)
    loop.remove_handler(ours.fileno())


def test_a_handler_that_cannot_be_called_is_refused(loop, pair):
    ours, _ = pair
    with pytest.raises(CallbackTypeError, match="callable, not 3"):
        loop.add_handler(ours, 3, loop.READ)
    assert loop.handlers == {}


def test_updating_what_has_no_handler_is_an_error(loop, pair):
    with pytest.raises(ValueError, match="has no handler"):
        loop.update_handler(pair[0], loop.READ)


def test_removing_what_has_no_handler_does_nothing(loop, pair):
    loop.remove_handler(pair[0])
    assert loop.handlers == {}


def test_none_keeps_the_handler_unused(loop, pair):
    ours, theirs = pair
    theirs.send(b"x")
    seen = []
    loop.add_handler(ours, lambda sock, events: seen.append(sock.recv(1)), loop.NONE)
    loop.call_later(0.005, loop.stop)
    loop.start()
    assert seen == []
    loop.update_handler(ours, loop.READ)
    loop.call_later(0.02, loop.stop)
    loop.start()
    assert seen == [b"x"]


def test_a_closed_object_can_still_be_removed(loop, pair):
    ours, _ = pair
    loop.add_handler(ours, print, loop.READ)
    ours.close()
    loop.remove_handler(ours)
    assert loop.handlers == {}
    assert loop.readers == set()


def test_an_ordinary_file_is_refused_and_not_kept(loop):
    with tempfile.TemporaryFile() as file:
        with pytest.raises(OSError):
            loop.add_handler(file.fileno(), print, loop.READ)
        assert loop.handlers == {}
        assert loop.readers == set()


def test_an_exception_in_a_handler_is_logged_with_its_name(loop, pair, expect_log):
    ours, theirs = pair
    theirs.send(b"x")

    def faulty_handler(sock, events):
        loop.remove_handler(sock)
        loop.stop()
        raise ZeroDivisionError

    loop.add_handler(ours, faulty_handler, loop.READ)
    with expect_log("gustnado.application", "Exception in callback .*faulty_handler"):
        loop.start()


def test_a_handler_may_be_a_coroutine_function(loop, pair):
    ours, theirs = pair
    theirs.send(b"x")
    seen = []

    async def handler(sock, events):
        loop.remove_handler(sock)  # else it runs again, as nothing has been read when it is called
        seen.append(sock.recv(1))
        loop.stop()

    loop.add_handler(ours, handler, loop.READ)
    loop.start()
    assert seen == [b"x"]


def test_a_handler_removed_by_another_does_not_run(loop, pair):
    ours, theirs = pair
    ours.send(b"x")
    theirs.send(b"x")
    seen = []

    def on_event(sock, events):
        seen.append(sock)
        loop.remove_handler(theirs if sock is ours else ours)
        loop.remove_handler(sock)

    loop.add_handler(ours, on_event, loop.READ)
    loop.add_handler(theirs, on_event, loop.READ)
    loop.call_later(0.01, loop.stop)
    loop.start()
    assert len(seen) == 1


def test_closing_the_loop_closes_what_it_watches_if_asked(pair):
    ours, theirs = pair
    loop = IOLoop(make_current=False)
    readable, writable = os.pipe()
    loop.add_handler(ours, print, loop.READ)
    loop.add_handler(readable, print, loop.READ)
    loop.close(all_fds=True)
    assert ours.fileno() == -1
    with pytest.raises(OSError):
        os.read(readable, 1)
    os.close(writable)
    loop.close_fd(readable)  # closed already: no error
    assert theirs.fileno() != -1


class TestTheEndOfTheLoop:
    """``IOLoop.close(all_fds=True)``."""

    def read_and_stop(self, loop, stream, reader):
        """Have a stream that is open and reads."""
        loop.run_sync(lambda: asyncio.wait({stream.read_bytes(1)}))
        getattr(stream, reader[0])(*reader[1:])
        loop.run_sync(lambda: asyncio.sleep(0))

    @pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # of transports, which are not asked
    def test_streams_are_closed_and_nobody_is_told(self, loop):
        ours, theirs = socket.socketpair()
        theirs.send(b"x")
        stream = IOStream(ours, io_loop=loop)
        told = []
        stream.set_close_callback(lambda: told.append("closed"))
        self.read_and_stop(loop, stream, ("read_until", b"\n"))
        assert stream.transport is not None
        loop.close(all_fds=True)
        assert stream.closed()
        assert stream.transport is None
        assert ours.fileno() == -1
        assert theirs.recv(1) == b""
        assert told == []
        theirs.close()
        del stream
        gc.collect()

    def test_one_that_was_never_used_is_closed(self, loop):
        ours, theirs = socket.socketpair()
        stream = IOStream(ours, io_loop=loop)
        loop.close(all_fds=True)
        assert stream.closed()
        assert ours.fileno() == -1
        theirs.close()

    def test_pipes_are_closed(self, loop):
        readable, writable = os.pipe()
        os.write(writable, b"x")
        stream = PipeIOStream(readable, io_loop=loop)
        self.read_and_stop(loop, stream, ("read_until", b"\n"))
        loop.close(all_fds=True)
        assert stream.closed()
        with pytest.raises(BrokenPipeError):
            os.write(writable, b"x")
        os.close(writable)

    def test_one_that_is_closed_already_is_left_alone(self, loop):
        ours, theirs = socket.socketpair()
        theirs.send(b"x")
        stream = IOStream(ours, io_loop=loop)
        loop.run_sync(lambda: stream.read_bytes(1))
        stream.close()
        loop.run_sync(lambda: asyncio.sleep(0.001))
        assert ours.fileno() == -1
        stream.close_fd = None
        loop.close(all_fds=True)
        theirs.close()

    def test_they_stay_open_where_nobody_asks_for_that(self, loop):
        ours, theirs = socket.socketpair()
        stream = IOStream(ours, io_loop=loop)
        loop.close()
        assert not stream.closed()
        assert ours.fileno() != -1
        ours.close()
        theirs.close()

    def test_a_stream_is_not_kept_by_its_loop(self, loop):
        ours, theirs = socket.socketpair()
        assert list(loop.streams) == []
        stream = IOStream(ours, io_loop=loop)
        assert list(loop.streams) == [stream]
        del stream
        gc.collect()
        assert list(loop.streams) == []
        ours.close()
        theirs.close()
