from __future__ import annotations

import errno
import socket

import pytest

from gustnado.events import acceptor as acceptor_module
from gustnado.events.acceptor import ACCEPT_BATCH, COMPLAINT_INTERVAL, MOST_PENDING, Acceptor
from gustnado.events.loop import IOLoop


class FakeLoop:
    """Runs nothing by itself: a test fires events and timers."""

    def __init__(self) -> None:
        self.handler = None
        self.events = IOLoop.NONE
        self.timers: list[tuple[float, object]] = []
        self.now = 1000.0

    def time(self):
        return self.now

    def add_handler(self, sock, handler, events):
        self.handler, self.events = handler, events

    def update_handler(self, sock, events):
        self.events = events

    def remove_handler(self, sock):
        self.handler, self.events = None, IOLoop.NONE

    def call_later(self, delay, callback):
        self.timers.append((delay, callback))
        return self.timers[-1]

    def remove_timeout(self, handle):
        self.timers.remove(handle)


class FakeListener:
    """Accepts what a test has queued: connections, or errors."""

    def __init__(self, *queue) -> None:
        self.queue = list(queue)
        self.accepted = 0

    def setblocking(self, flag):
        assert flag is False

    def accept(self):
        if not self.queue:
            raise BlockingIOError
        item = self.queue.pop(0)
        if isinstance(item, OSError):
            raise item
        self.accepted += 1
        return item, ("127.0.0.1", 1)


class FakeConnection:
    closed = False

    def setblocking(self, flag):
        assert flag is False

    def close(self):
        self.closed = True


@pytest.fixture
def loop():
    return FakeLoop()


def accepting(loop, listener, callback=lambda connection, address: None):
    return Acceptor(listener, callback, loop)


def connections(count):
    return [FakeConnection() for _ in range(count)]


def fire(loop, listener):
    assert loop.events == IOLoop.READ
    loop.handler(listener, IOLoop.READ)


def test_all_that_wait_are_accepted(loop):
    listener = FakeListener(*connections(3))
    seen = []
    accepting(loop, listener, lambda *args: seen.append(args))
    fire(loop, listener)
    assert len(seen) == 3
    assert seen[0][1] == ("127.0.0.1", 1)


def test_one_event_accepts_a_batch_at_most(loop):
    listener = FakeListener(*connections(ACCEPT_BATCH + 1))
    accepting(loop, listener)
    fire(loop, listener)
    assert listener.accepted == ACCEPT_BATCH
    fire(loop, listener)
    assert listener.accepted == ACCEPT_BATCH + 1


@pytest.mark.parametrize("code", [errno.ECONNABORTED, errno.EPROTO, errno.ENETUNREACH])
def test_a_connection_that_is_gone_is_skipped(loop, code):
    listener = FakeListener(OSError(code, "gone"), FakeConnection())
    accepting(loop, listener)
    fire(loop, listener)
    assert listener.accepted == 1


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_row_61_it_rests_when_there_are_no_descriptors(loop, code, expect_log):
    listener = FakeListener(OSError(code, "none left"), OSError(code, "none left"), BlockingIOError(), FakeConnection())
    if code != errno.EMFILE:
        del listener.queue[2]  # nobody is turned away
    accepting(loop, listener)
    with expect_log("gustnado.general", "cannot accept connections, trying again", count=1):
        for _ in range(2):
            fire(loop, listener)
            assert loop.events == IOLoop.NONE
            delay, wake = loop.timers.pop()
            assert delay == acceptor_module.ACCEPT_REST
            wake()
    fire(loop, listener)
    assert listener.accepted == 1


def test_row_61_without_descriptors_who_waits_longer_than_a_rest_is_turned_away(loop, expect_log):
    exhausted = OSError(errno.EMFILE, "none left")
    unlucky, lucky, seen = connections(3), FakeConnection(), []
    listener = FakeListener(exhausted, exhausted, *unlucky, BlockingIOError(), lucky)
    accepting(loop, listener, lambda connection, address: seen.append(connection))
    with expect_log("gustnado.general", "who waits longer is turned away. ulimit -n"):
        for closed in (False, True):
            fire(loop, listener)
            assert [connection.closed for connection in unlucky] == [closed] * 3
            loop.timers.pop()[1]()
    fire(loop, listener)
    assert seen == [lucky]
    assert not lucky.closed


def test_a_later_exhaustion_is_logged_again(loop, expect_log):
    exhausted = OSError(errno.EMFILE, "none left")
    listener = FakeListener(*[exhausted, FakeConnection(), BlockingIOError()] * 3)
    accepting(loop, listener)
    with expect_log("gustnado.general", "cannot accept connections", count=2):
        for later in (0, 1, COMPLAINT_INTERVAL):
            loop.now += later
            fire(loop, listener)
            loop.timers.pop()[1]()
            fire(loop, listener)


def test_another_error_is_not_hidden(loop):
    listener = FakeListener(OSError(errno.EBADF, "bad"))
    accepting(loop, listener)
    with pytest.raises(OSError, match="bad"):
        fire(loop, listener)


def test_pausing_leaves_connections_in_the_backlog(loop):
    listener = FakeListener(*connections(3))
    acceptor = accepting(loop, listener, lambda *args: acceptor.pause())
    fire(loop, listener)
    assert listener.accepted == 1
    assert loop.events == IOLoop.NONE
    acceptor.pause()
    acceptor.resume()
    acceptor.resume()
    fire(loop, listener)
    assert listener.accepted == 2


def test_resuming_does_not_end_a_rest(loop, expect_log):
    listener = FakeListener(OSError(errno.EMFILE, "none left"))
    acceptor = accepting(loop, listener)
    with expect_log("gustnado.general", "cannot accept"):
        fire(loop, listener)
    acceptor.pause()
    acceptor.resume()
    assert loop.events == IOLoop.NONE
    loop.timers.pop()[1]()
    assert loop.events == IOLoop.READ


def test_closing_stops_at_once(loop, expect_log):
    listener = FakeListener(*connections(2))
    acceptor = accepting(loop, listener, lambda *args: acceptor.close())
    fire(loop, listener)
    assert listener.accepted == 1
    assert loop.handler is None
    acceptor.close()
    acceptor.pause()
    acceptor.resume()
    assert loop.events == IOLoop.NONE
    resting = FakeListener(OSError(errno.EMFILE, "none left"))
    other = accepting(loop, resting)
    with expect_log("gustnado.general", "cannot accept"):
        fire(loop, resting)
    other.close()
    assert loop.timers == []


def test_an_exception_of_the_callback_closes_the_connection(loop, expect_log):
    first, second = connections(2)
    listener = FakeListener(first, second)

    def faulty(connection, address):
        if connection is first:
            raise ZeroDivisionError

    accepting(loop, listener, faulty)
    with expect_log("gustnado.application", "Error in connection callback"):
        fire(loop, listener)
    assert first.closed
    assert not second.closed


def test_a_real_socket(run):
    async def main():
        loop = IOLoop.current()
        listener = socket.create_server(("127.0.0.1", 0))
        accepted = loop.asyncio_loop.create_future()
        acceptor = Acceptor(listener, lambda *args: accepted.set_result(args))
        with socket.create_connection(listener.getsockname()) as client:
            connection, address = await accepted
            assert not connection.getblocking()
            assert address == client.getsockname()
        connection.close()
        acceptor.close()
        listener.close()

    run(main())


def test_what_waits_in_the_backlog_is_accepted_before_the_end(loop):
    accepted = []
    listener = FakeListener(*connections(2 * ACCEPT_BATCH + 3))
    acceptor = accepting(loop, listener, lambda connection, address: accepted.append(connection))
    acceptor.accept_pending()
    assert len(accepted) == 2 * ACCEPT_BATCH + 3


def test_a_flood_does_not_keep_it_from_ending(loop):
    listener = FakeListener(*connections(MOST_PENDING + 1))
    accepting(loop, listener).accept_pending()
    assert listener.accepted == MOST_PENDING


@pytest.mark.parametrize("stop", [Acceptor.pause, Acceptor.close])
def test_nothing_more_is_accepted_where_it_is_paused_or_closed(loop, stop):
    listener = FakeListener(*connections(1))
    acceptor = accepting(loop, listener)
    stop(acceptor)
    acceptor.accept_pending()
    assert listener.accepted == 0


def test_without_descriptors_the_backlog_is_left(loop, expect_log):
    listener = FakeListener(OSError(errno.EMFILE, "Too many open files"), *connections(1))
    acceptor = accepting(loop, listener)
    with expect_log("gustnado.general", "cannot accept"):
        acceptor.accept_pending()
    acceptor.accept_pending()
    assert listener.accepted == 0
