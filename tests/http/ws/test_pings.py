"""Tests for gustnado.http.ws.pings, on a clock that is set by hand."""

from __future__ import annotations

import heapq
import itertools

import pytest

from gustnado.http.ws.pings import Pinger, ping_sleep_time, timeout_for


class Clock:
    """What a pinger wants of a loop."""

    def __init__(self):
        self.now = 0.0
        self.timers = []
        self.number = itertools.count()

    def time(self):
        return self.now

    def call_later(self, delay, callback):
        timer = Timer(callback)
        heapq.heappush(self.timers, (self.now + delay, next(self.number), timer))
        return timer

    def advance(self, seconds):
        end = self.now + seconds
        while self.timers and self.timers[0][0] <= end:
            self.now, _, timer = heapq.heappop(self.timers)
            if not timer.cancelled:
                timer.callback()
        self.now = end


class Timer:
    def __init__(self, callback):
        self.callback = callback
        self.cancelled = False

    def cancel(self):
        self.cancelled = True


class Pinged:
    """A connection, and when it was pinged."""

    def __init__(self, clock, answers=True):
        self.clock = clock
        self.answers = answers
        self.pong_received = False
        self.pings = []
        self.closed = None

    def is_closing(self):
        return self.closed is not None

    def write_ping(self, data):
        assert data == b""
        self.pings.append(self.clock.now)
        self.pong_received = self.answers

    def close(self, code=None, reason=None):
        self.closed = (code, reason, self.clock.now)


def pinged(interval, timeout, answers=True):
    clock = Clock()
    connection = Pinged(clock, answers)
    return clock, connection, Pinger(clock, connection, interval, timeout)


def test_pings_come_at_the_interval_whatever_the_timeout():
    for timeout in (0, 3, 10):
        clock, connection, _ = pinged(10, timeout)
        clock.advance(45)
        assert connection.pings == [10, 20, 30, 40]
        assert connection.closed is None


def test_without_an_answer_in_time_the_connection_closes():
    """130."""
    clock, connection, _ = pinged(10, 4, answers=False)
    clock.advance(13.9)
    assert connection.closed is None
    clock.advance(100)
    assert connection.closed == (None, "ping timed out", 14)
    assert connection.pings == [10]


def test_with_a_timeout_of_0_no_answer_is_needed():
    clock, connection, _ = pinged(10, 0, answers=False)
    clock.advance(35)
    assert connection.pings == [10, 20, 30]
    assert connection.closed is None


def test_an_answer_counts_for_one_ping():
    clock, connection, _ = pinged(10, 10)
    clock.advance(15)
    connection.answers = False
    clock.advance(100)
    assert connection.pings == [10, 20]
    assert connection.closed == (None, "ping timed out", 30)


def test_a_connection_that_closes_is_not_pinged():
    clock, connection, _ = pinged(10, 0)
    clock.advance(15)
    connection.closed = ()
    clock.advance(100)
    assert connection.pings == [10]
    assert not clock.timers


def test_stopping():
    clock, connection, pinger = pinged(10, 5)
    clock.advance(12)
    pinger.stop()
    pinger.stop()
    clock.advance(100)
    assert connection.pings == [10]


def test_when_the_next_one_is_due():
    assert ping_sleep_time(last_ping_time=100, interval=10, now=106) == 4
    assert ping_sleep_time(last_ping_time=100, interval=10, now=111) == 0


@pytest.mark.parametrize(("interval", "given", "expected"), [(10, None, 10), (10, 4, 4), (10, 0, 0), (0, None, 0)])
def test_the_timeout(interval, given, expected):
    assert timeout_for(interval, given) == expected


def test_a_timeout_over_the_interval_is_cut_down_and_told_once(expect_log):
    with expect_log("gustnado.general", r"websocket_ping_timeout \(30.25\) cannot be longer"):
        assert timeout_for(20.25, 30.25) == 20.25
        assert timeout_for(20.25, 30.25) == 20.25
