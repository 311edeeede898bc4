"""Deadlines of many connections, looked at a few times a second instead of a timer for each.

A :class:`Sweeper` is also what else the connections of one loop share, so that they need not import an event
system themselves: its clock, the current date, a future that is done.

A connection that may wait notes *since when* it waits (from :attr:`Sweeper.now`, a plain attribute), and a
sweep asks each connection whether it has waited too long. A request so costs no timer and no look at the
clock. Deadlines are met late by one interval at most.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from gustnado.events.file_sender import FileSender, can_send_files
from gustnado.events.transport import watch_drain, watch_pressure
from gustnado.http.dates import now_imf_fixdate
from gustnado.http.limits import Limits
from gustnado.http.refusals import RefusalLog
from gustnado.http.shared import LoopShared, Swept
from gustnado.log import app_log

if TYPE_CHECKING:
    from collections.abc import Callable

    from gustnado.events.stream import IOStream

__all__ = ["Sweeper", "Swept"]


class Sweeper(LoopShared):
    """Calls :meth:`Swept.sweep` on each of its connections, while there are any.

    :param interval: seconds between two sweeps; also an attribute.
    :param refusals: where connections log what they refuse; by default a log of the default bound.
    """

    __slots__ = ("_connections", "_cutting", "_handle", "_to_cut_off", "interval")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, interval: float = 1.0, refusals: RefusalLog | None = None
    ) -> None:
        super().__init__(loop, refusals or RefusalLog(loop, Limits().max_refusals_logged))
        self.interval = interval
        self._connections: set[Swept] = set()
        self._handle: asyncio.TimerHandle | None = None
        self._to_cut_off: deque[IOStream] = deque()
        self._cutting = False
        self.look_at_clock()

    def look_at_clock(self) -> None:
        """Bring :attr:`now` and :attr:`date` up to date; each sweep does."""
        self.now = self._loop.time()
        self.date = now_imf_fixdate(int(time.time()))

    def add(self, connection: Swept) -> None:
        """Look at ``connection`` from now on."""
        self._connections.add(connection)
        if self._handle is None:
            self.look_at_clock()
            self._handle = self._loop.call_later(self.interval, self._sweep)

    def start(self, awaitable: Awaitable[Any]) -> asyncio.Future[Any]:
        """Have ``awaitable`` run; a coroutine becomes a task."""
        return asyncio.ensure_future(awaitable, loop=self._loop)

    def failed(self, error: BaseException) -> asyncio.Future[None]:
        """A future that has failed, and that nobody has to look at."""
        future: asyncio.Future[None] = self._loop.create_future()
        future.set_exception(error)
        future.exception()
        return future

    def can_send_files(self, stream: IOStream) -> bool:
        """Whether :meth:`file_sender` works on ``stream``."""
        return can_send_files(stream.transport, stream.socket)

    def file_sender(
        self,
        stream: IOStream,
        file: int,
        offset: int,
        count: int,
        prefix: bytes,
        done: Callable[[Exception | None], object],
    ) -> FileSender:
        """What sends ``prefix`` and a part of a file over ``stream``."""
        return FileSender(stream.socket, file, offset, count, prefix, done)

    def watch_drain(self, stream: IOStream, watch: bool) -> None:
        """Have ``resume_writing`` called when ``stream`` has sent everything; or, as usual, when it has room."""
        if stream.transport is None:
            return
        if watch:
            watch_drain(stream.transport)
        else:
            watch_pressure(stream.transport, stream.consumer_high_water)

    def cut_off(self, stream: IOStream) -> None:
        """Abort ``stream``; of several each in a turn of the loop of its own.

        The kernel takes more than half a millisecond to throw away the megabytes that a peer did not read, and the
        other connections are not to wait for hundreds of them.
        """
        if self._cutting:
            self._to_cut_off.append(stream)
            return
        self._cutting = True
        stream.abort()
        self._loop.call_soon(self._cut_off_next)

    def _cut_off_next(self) -> None:
        self._cutting = False
        if self._to_cut_off:
            self.cut_off(self._to_cut_off.popleft())

    def discard(self, connection: Swept) -> None:
        """Look at ``connection`` no more."""
        self._connections.discard(connection)
        if not self._connections and self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _sweep(self) -> None:
        self.look_at_clock()
        self._handle = self._loop.call_later(self.interval, self._sweep)
        for connection in list(self._connections):
            try:
                connection.sweep(self.now)
            except Exception:
                # The others are looked at all the same.
                app_log.error("Exception in a sweep of %r", connection, exc_info=True)
