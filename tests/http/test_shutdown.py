"""The event that tells of a shutdown; the shutdown itself is in tests/wire/test_shutdown.py."""

from __future__ import annotations

import asyncio
from typing import Any

from gustnado.http.shutdown import Shutdown, ShutdownEvent


class FakeConnection:
    closing = False

    def __init__(self, idle_since: float) -> None:
        self._idle_since = idle_since
        self.closed = False

    def idle_since(self) -> float:
        return self._idle_since

    def close(self) -> None:
        self.closed = True


class FakeSweeper:
    interval = 1.0
    now = 100.0

    def look_at_clock(self) -> None:
        pass


def test_callbacks_are_called_once_in_order_when_it_is_set() -> None:
    event, called = ShutdownEvent(), []
    event.add_callback(lambda: called.append(1))
    event.add_callback(lambda: called.append(2))
    assert not called
    event.set()
    event.set()
    assert called == [1, 2]


def test_a_callback_that_comes_late_is_called_at_once() -> None:
    event, called = ShutdownEvent(), []
    event.set()
    event.add_callback(lambda: called.append(1))
    assert called == [1]


def test_a_callback_that_was_removed_is_not_called() -> None:
    event, called = ShutdownEvent(), []

    def callback() -> None:
        called.append(1)

    event.add_callback(callback)
    event.remove_callback(callback)
    event.remove_callback(callback)
    event.set()
    assert not called


def test_what_a_callback_raises_is_logged_and_stops_no_other(expect_log) -> None:
    event, called = ShutdownEvent(), []
    event.add_callback(lambda: 1 // 0)
    event.add_callback(lambda: called.append(1))
    with expect_log("gustnado.application", "Exception in a callback of the shutdown"):
        event.set()
    assert called == [1]


def test_it_wakes_who_waits(run) -> None:
    async def main() -> bool:
        event = ShutdownEvent()
        asyncio.get_running_loop().call_soon(event.set)
        return await event.wait()

    assert run(main())


def test_connections_close_when_they_have_been_idle_for_long_enough() -> None:
    """Busy ones tell -1. The time that a connection notes may be one interval too early."""
    connections = {since: FakeConnection(since) for since in (-1.0, 97.9, 98.1, 100.0)}
    served: list[Any] = list(connections.values())
    sweeper: Any = FakeSweeper()
    shutdown = Shutdown(served, [], ShutdownEvent(), sweeper)
    assert all(connection.closing for connection in connections.values())
    shutdown._idle = 1.0
    shutdown._close_idle()
    assert [since for since, connection in connections.items() if connection.closed] == [97.9]
    shutdown._idle = 0.0
    shutdown._close_idle()
    assert [since for since, connection in connections.items() if connection.closed] == [97.9, 98.1, 100.0]
