"""One timer for the deadlines of many requests.

A request costs no timer of its own: what waits keeps its deadline as a number, and :class:`Alarm` rings at the earliest
that it was told of. Then all are looked at, and it is told the next one. A deadline that is no longer there costs one
look in vain.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["NEVER", "Alarm"]

NEVER = float("inf")
"""The deadline of what may take for ever."""


class Alarm:
    """Rings when the earliest of the deadlines passes.

    :param loop: whose clock they are on.
    :param ring: called with the time; looks at all deadlines and returns the earliest that is left, or :data:`NEVER`.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[float], float]) -> None:
        self._loop = loop
        self._look = ring
        self._timer: asyncio.TimerHandle | None = None
        self.due = NEVER

    def watch(self, deadline: float) -> None:
        """Ring at ``deadline`` at the latest."""
        if deadline < self.due:
            if self._timer is not None:
                self._timer.cancel()
            self.due = deadline
            self._timer = self._loop.call_at(deadline, self._ring)

    def _ring(self) -> None:
        # A timer may be early by the clock's resolution.
        now = max(self._loop.time(), self.due)
        self.due = NEVER
        self._timer = None
        self.watch(self._look(now))

    def close(self) -> None:
        """Never ring again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.due = -NEVER
