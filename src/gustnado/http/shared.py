"""What the connections of one loop share, as plain attributes: the time, the date, a future that is done.

:class:`~gustnado.http.sweeper.Sweeper` keeps it up to date. It stands apart from it so that connections,
which know nothing of event systems, can read it at no cost where they are compiled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio

    from gustnado.http.refusals import RefusalLog

__all__ = ["LoopShared", "Swept", "release"]


class Swept(Protocol):
    """A connection that a sweep looks at."""

    def flush(self) -> None:
        """Hand over to the transport what has been written."""

    def sweep(self, now: float) -> None:
        """Look whether a deadline has passed. ``now`` is on the loop's clock, in seconds."""


class LoopShared:
    """Shared by the connections of one loop.

    :ivar now: the loop's time at the last sweep, in seconds.
    :ivar date: the value of a ``Date`` field at the last sweep.
    :ivar done: a future of the loop that is done. A write that need not be waited for returns it.
    :ivar refusals: where it is logged what is refused.
    """

    __slots__ = ("_dirty", "_loop", "date", "done", "now", "refusals")

    def __init__(self, loop: asyncio.AbstractEventLoop, refusals: RefusalLog) -> None:
        self._loop = loop
        self.refusals = refusals
        self._dirty: list[Swept] = []
        self.now = 0.0
        self.date = ""
        self.done: asyncio.Future[None] = loop.create_future()
        self.done.set_result(None)

    def new_future(self) -> asyncio.Future[None]:
        """A future of the loop that is pending."""
        return self._loop.create_future()

    def flush_soon(self, connection: Swept) -> None:
        """Have ``connection`` flushed when the events of this turn of the loop have been dealt with.

        Answers to many connections so leave in a burst: fewer wake-ups for whoever waits at the other end.
        """
        if not self._dirty:
            self._loop.call_soon(self._flush_all)
        self._dirty.append(connection)

    def _flush_all(self) -> None:
        dirty, self._dirty = self._dirty, []
        for connection in dirty:
            connection.flush()


def release(waiters: list[asyncio.Future[None]], error: BaseException | None) -> None:
    """Tell those who wait to write: that there is room, or by ``error`` that there never will be."""
    for waiter in waiters:
        if waiter.done():
            continue
        if error is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(error)
            waiter.exception()  # who has stopped waiting need not hear of it
