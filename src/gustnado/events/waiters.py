"""Waiting in line: what the locks and the queues are made of.

A :class:`Waiter` is the future of one who waits for something of which there is only so much: a permit, an
item, a notification. It is handed over by setting the result. Between that and the moment at which the
waiting task goes on lies a turn of the loop, and in it the task may be cancelled. It then never sees what it
was given, and the waiter hands it back::

    result is set --> the task goes on, and has it
              `-----> the task is cancelled: ``unused(waiter)``, so that it can go to the next in line

A :class:`Line` keeps waiters in the order in which they came. Those that gave up stay in it for a while; it
drops them when they come to its front, and sweeps when they would be too many.

>>> async def main():
...     line, returned = Line(), []
...     waiter = Waiter()
...     waiter.unused = lambda waiter: returned.append(waiter.result())
...     line.join(waiter)
...     async def wait(): await waiter
...     task = asyncio.ensure_future(wait())
...     await asyncio.sleep(0)
...     line.pop_next().set_result("the item")
...     task.cancel()
...     await asyncio.wait([task])
...     print(returned, line.pop_next())
>>> asyncio.run(main())
['the item'] None
"""

from __future__ import annotations

import asyncio
import collections
import datetime
from collections.abc import Callable, Generator
from typing import Any, TypeAlias, TypeVar

from gustnado.events.futures import Future
from gustnado.events.loop import IOLoop

__all__ = ["Line", "Timeout", "Waiter", "call_unless_done"]

T = TypeVar("T")

Timeout: TypeAlias = "float | datetime.timedelta | None"
"""A time as of :meth:`IOLoop.time`, or a :class:`datetime.timedelta` from now; ``None`` is never."""


class Waiter(Future[T]):
    """The future of one who waits in a line.

    It has no constructor of its own, which would be a third of what it costs to wait.

    :ivar unused: called with the waiter where it has a result that the task which awaited it did not get.
    """

    __slots__ = ("unused",)

    unused: Callable[[Any], object]

    def __await__(self) -> Generator[Any, None, T]:
        try:
            return (yield from Future.__await__(self))
        except asyncio.CancelledError:
            # Not this future was cancelled, but the task that awaited it.
            if self.done() and not self.cancelled() and self.exception() is None:
                self.unused(self)
            raise

    __iter__ = __await__


class Line(collections.deque["Future[Any]"]):
    """Futures in the order in which they came.

    It holds at most twice as many as wait, or :data:`SMALL` more.
    """

    SMALL = 100

    def __init__(self) -> None:
        super().__init__()
        self._sweep_at = self.SMALL
        self._expired = 0

    def join(self, waiter: Future[Any]) -> None:
        """Stand at the end."""
        if len(self) >= self._sweep_at:
            self._sweep()
        self.append(waiter)

    def note_expired(self) -> None:
        """Say that one in the line has timed out."""
        self._expired += 1
        if self._expired > max(self.SMALL, len(self) // 2):
            self._sweep()

    def first(self) -> Any:
        """Who has waited longest, or ``None``; it stays in line. Those before it that gave up are dropped."""
        while self:
            if not self[0].done():
                return self[0]
            self.popleft()
        return None

    def pop_next(self) -> Any:
        """Who has waited longest, or ``None``; it leaves the line."""
        waiter = self.first()
        if waiter is not None:
            self.popleft()
        return waiter

    def waiting(self) -> int:
        """How many wait."""
        return sum(not waiter.done() for waiter in self)

    def _sweep(self) -> None:
        waiting = [waiter for waiter in self if not waiter.done()]
        self.clear()
        self.extend(waiting)
        self._expired = 0
        self._sweep_at = max(self.SMALL, 2 * len(waiting))


def call_unless_done(waiter: Future[Any], timeout: float | datetime.timedelta, callback: Callable[[], object]) -> None:
    """Call ``callback()`` at ``timeout``, unless ``waiter`` is done by then.

    :raises TypeError: where ``timeout`` is no such thing.
    """
    io_loop = IOLoop.current()

    def expire() -> None:
        # The timer may be due in the same turn of the loop in which the waiter was woken.
        if not waiter.done():
            callback()

    timer = io_loop.add_timeout(timeout, expire)
    waiter.add_done_callback(lambda _: io_loop.remove_timeout(timer))
