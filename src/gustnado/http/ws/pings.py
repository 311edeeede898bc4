"""Pings that are sent now and then, so that a peer which has silently gone is noticed.

Each is to be answered in time, else the connection closes. A connection that is pinged also stays open in the eyes
of the proxies between.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Protocol

from gustnado.log import gen_log

__all__ = ["Pinged", "Pinger", "Timer", "Timers", "ping_sleep_time", "timeout_for"]


class Timer(Protocol):
    """What waits for its time."""

    def cancel(self) -> None:
        """Have it not called."""


class Timers(Protocol):
    """What a :class:`Pinger` wants of an event loop."""

    def time(self) -> float:
        """What the clock says, in seconds."""
        ...

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Timer:
        """Call ``callback`` in ``delay`` seconds."""
        ...


class Pinged(Protocol):
    """What a :class:`Pinger` wants of a connection."""

    pong_received: bool

    def is_closing(self) -> bool:
        """Whether nothing can be sent any more."""
        ...

    def write_ping(self, data: bytes) -> None:
        """Send a ping."""

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close the connection."""


def timeout_for(interval: float, timeout: float | None) -> float:
    """How long to wait for an answer: by default the interval, which is also the most."""
    if timeout is None:
        return interval
    if timeout > interval:
        _warn(timeout, interval)
        return interval
    return timeout


@functools.cache
def _warn(timeout: float, interval: float) -> None:
    # Once, not for each connection.
    gen_log.warning(
        "The websocket_ping_timeout (%s) cannot be longer than the websocket_ping_interval (%s).\n"
        "Setting websocket_ping_timeout=%s",
        timeout,
        interval,
        interval,
    )


def ping_sleep_time(*, last_ping_time: float, interval: float, now: float) -> float:
    """Seconds until the next ping."""
    return max(0, last_ping_time + interval - now)


class Pinger:
    """Pings a connection.

    :param timers: of an event loop, or :class:`~gustnado.http.ws.loop_share.LoopShare`.
    :param interval: seconds between two pings, over 0.
    :param timeout: seconds for the answer; 0 waits for none.
    """

    __slots__ = ("_connection", "_interval", "_sent", "_timeout", "_timer", "_timers")

    def __init__(self, timers: Timers, connection: Pinged, interval: float, timeout: float) -> None:
        self._timers = timers
        self._connection = connection
        self._interval = interval
        self._timeout = timeout
        self._sent = 0.0
        self._timer: Timer | None = timers.call_later(interval, self._ping)

    def stop(self) -> None:
        """Ping no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ping(self) -> None:
        connection = self._connection
        if connection.is_closing():
            self._timer = None
            return
        self._sent = self._timers.time()
        connection.pong_received = False
        connection.write_ping(b"")
        if self._timeout > 0:
            self._timer = self._timers.call_later(self._timeout, self._look_for_answer)
        else:
            self._timer = self._timers.call_later(self._interval, self._ping)

    def _look_for_answer(self) -> None:
        connection = self._connection
        if not connection.pong_received:
            self._timer = None
            connection.close(reason="ping timed out")
            return
        wait = ping_sleep_time(last_ping_time=self._sent, interval=self._interval, now=self._timers.time())
        self._timer = self._timers.call_later(wait, self._ping)
