"""What all WebSocket connections of one event loop share, so that an idle one takes little memory.

A timer of the loop's own takes half a kilobyte, and a connection that is pinged has one at all times. Here
they wait together, in *slots* of an eighth of a second, and only the next slot has a timer of the loop. So they
come late by one slot at most.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
import weakref
from collections.abc import Callable

from gustnado.http.ws.deflate import Compressors
from gustnado.log import app_log

__all__ = ["LoopShare", "SharedTimer", "share_of"]

_SLOTS_A_SECOND = 8
_EXACT = 2.0  # seconds; what is due sooner has a timer of its own, and is not late


class SharedTimer:
    """What waits in a slot; as far as it goes, an :class:`asyncio.TimerHandle`."""

    __slots__ = ("_callback",)

    def __init__(self, callback: Callable[[], object]) -> None:
        self._callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        """Have it not called."""
        self._callback = None

    def run(self) -> None:
        """Call it, once; what it raises is logged, since others wait in the same slot."""
        callback, self._callback = self._callback, None
        if callback is None:
            return
        try:
            callback()
        except Exception:
            app_log.error("Exception in %r", callback, exc_info=True)


class LoopShare:
    """Shared by the connections of ``loop``; see :func:`share_of`.

    :ivar done: a future that is done. A write that need not be waited for returns it.
    :ivar compressors: those of connections whose messages do not refer to each other.
    """

    __slots__ = ("__weakref__", "_handle", "_loop", "_next", "_slots", "compressors", "done")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._slots: dict[int, list[SharedTimer]] = {}
        self._next = 0  # the slot that the loop's timer is for, where there is one
        self._handle: asyncio.TimerHandle | None = None
        self.compressors = Compressors()
        self.done: asyncio.Future[None] = loop.create_future()
        self.done.set_result(None)

    def time(self) -> float:
        """The loop's time, in seconds."""
        return self._loop.time()

    def call_later(self, delay: float, callback: Callable[[], object]) -> SharedTimer | asyncio.TimerHandle:
        """Call ``callback`` in ``delay`` seconds, or up to an eighth of a second later.

        :returns: what has a ``cancel``.
        """
        if delay < _EXACT:
            return self._loop.call_later(delay, callback)
        slot = math.ceil((self._loop.time() + delay) * _SLOTS_A_SECOND)
        timer = SharedTimer(callback)
        self._slots.setdefault(slot, []).append(timer)
        if self._handle is None or slot < self._next:
            self._wait_for(slot)
        return timer

    def _wait_for(self, slot: int) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._next = slot
        # In a context of its own: not in that of the connection which happened to come first.
        context = contextvars.Context()
        self._handle = self._loop.call_at(slot / _SLOTS_A_SECOND, self._run_due, context=context)

    def _run_due(self) -> None:
        self._handle = None
        now = self._loop.time() * _SLOTS_A_SECOND
        for slot in sorted(slot for slot in self._slots if slot <= max(now, self._next)):
            for timer in self._slots.pop(slot):
                timer.run()
        if self._slots:
            self._wait_for(min(self._slots))


_shares: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, weakref.ref[LoopShare]]
_shares = weakref.WeakKeyDictionary()  # the share knows its loop: were it held here, neither would ever go


def share_of(loop: asyncio.AbstractEventLoop) -> LoopShare:
    """What the connections of ``loop`` share, as long as somebody holds it."""
    found = _shares.get(loop)
    share = None if found is None else found()
    if share is None:
        share = LoopShare(loop)
        _shares[loop] = weakref.ref(share)
    return share
