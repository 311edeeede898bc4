"""The end of a server: what :meth:`HTTPServer.shutdown <gustnado.http.HTTPServer.shutdown>` does, and when.

Theory of operation. A connection is in one of three conditions:

- *busy*, from the first byte of a request to the last of its response. It goes on; its response says
  ``Connection: close`` where the head has not left yet, and the connection closes after it.
- *idle*. HTTP/1 has no way to take back what a client has sent at the moment when the server closes, so a
  connection that was in use a moment ago is left open for that moment: its client may just have sent
  another request, which is then answered. Whoever has been silent for longer is closed at once. (nginx has
  ``keepalive_min_timeout`` for this.)
- *given away*, to a WebSocket or another protocol. Only its owner knows how to end it in good order:
  :class:`ShutdownEvent` tells the owner.

At the deadline all that is left is aborted. A delegate then gets ``on_connection_close`` as it does for a
client that goes away; :attr:`ShutdownEvent.expired` tells the two apart, and the handlers of an application are
cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from gustnado.log import app_log, gen_log

if TYPE_CHECKING:
    from gustnado.events.stream import IOStream
    from gustnado.http.h1.server_connection import HTTP1ServerConnection
    from gustnado.http.proxy_wait import ProxyHeaderWait
    from gustnado.http.sweeper import Sweeper

__all__ = ["Shutdown", "ShutdownEvent"]

_STEP = 0.05  # seconds between two looks at the connections that are left
_AFTERMATH = 1.0  # seconds that connections which were cut off may take to be gone


class ShutdownEvent(asyncio.Event):
    """Set when a server begins to shut down, once and for good.

    Handlers have it as ``self.shutting_down``, delegates as ``request.connection.context.shutting_down``.
    What would go on for long, such as a stream of events, waits for it beside its own events, or looks
    at ``is_set()``, and ends::

        while not self.shutting_down.is_set():
            self.write(await next_piece())
            await self.flush()

    :ivar expired: the time is up as well: what is left is being cut off.
    """

    def __init__(self) -> None:
        super().__init__()
        self.expired = False
        self._callbacks: dict[Callable[[], object], None] = {}

    def add_callback(self, callback: Callable[[], object]) -> None:
        """Have ``callback`` called, once, when the event is set; now where it is set. What it raises is logged."""
        if self.is_set():
            _call(callback)
        else:
            self._callbacks[callback] = None

    def remove_callback(self, callback: Callable[[], object]) -> None:
        """Undo :meth:`add_callback`; where there is none, nothing happens."""
        self._callbacks.pop(callback, None)

    def set(self) -> None:
        super().set()
        callbacks, self._callbacks = self._callbacks, {}
        for callback in callbacks:
            _call(callback)


class Shutdown:
    """Sees the connections of a server out.

    :param served: those that speak HTTP; the server removes what has closed.
    :param given_away: streams that speak something else by now.
    :param event: of which ``expired`` is set at the deadline.
    :param sweeper: whose clock the connections go by; ``None`` where there never was one.
    :param awaited: connections that have yet to say who their client is; a request may be behind that.
    """

    def __init__(
        self,
        served: Collection[HTTP1ServerConnection],
        given_away: Collection[IOStream],
        event: ShutdownEvent,
        sweeper: Sweeper | None,
        awaited: Collection[ProxyHeaderWait] = (),
    ) -> None:
        self._served = served
        self._given_away = given_away
        self._event = event
        self._sweeper = sweeper
        self._awaited = awaited
        self._deadline = float("inf")
        self._idle = float("inf")
        for connection in served:
            connection.closing = True

    async def finish(self, grace: float, idle: float) -> int:
        """Wait for the end, or bring it about; see ``HTTPServer.shutdown``."""
        loop = asyncio.get_running_loop()
        self._deadline = min(self._deadline, loop.time() + grace)
        self._idle = min(self._idle, idle)
        if self._left():
            gen_log.info("shutting down: %d connections, %g s at most", self._left(), grace)
        while self._left():
            self._close_idle()
            now = loop.time()
            if now >= self._deadline:
                return await self._cut_off()
            await asyncio.sleep(min(_STEP, self._deadline - now))
        return 0

    def _left(self) -> int:
        open_streams = sum(not stream.closed() for stream in self._given_away)
        return len(self._served) + len(self._awaited) + open_streams

    def _close_idle(self) -> None:
        sweeper = self._sweeper
        if sweeper is None:
            return
        sweeper.look_at_clock()
        # Connections note the time of the last sweep, so up to one interval too early.
        latest = sweeper.now - (self._idle + sweeper.interval if self._idle else 0.0)
        for connection in list(self._served):
            if 0 <= connection.idle_since() <= latest:
                connection.close()

    async def _cut_off(self) -> int:
        self._event.expired = True
        served, streams = list(self._served), [stream for stream in self._given_away if not stream.closed()]
        awaited = list(self._awaited)
        count = len(served) + len(awaited) + len(streams)
        if count:
            gen_log.warning("shutting down: %d connections cut off at the deadline", count)
        for wait in awaited:
            wait.abandon()
        for connection in served:
            connection.abort()
            connection.stream.abort()  # also what a slow client has not taken yet
        for stream in streams:
            stream.abort()
        deadline = asyncio.get_running_loop().time() + _AFTERMATH
        while self._served and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0)
        await asyncio.sleep(0)  # for what was cancelled to end
        return count


def _call(callback: Callable[[], object]) -> None:
    try:
        callback()
    except Exception:
        app_log.error("Exception in a callback of the shutdown, %r", callback, exc_info=True)
