"""A bounded log of requests and TLS handshakes that a server refuses: who sends but garbage must not fill a disk.

>>> import asyncio
>>> async def main():
...     log = RefusalLog(asyncio.get_running_loop(), most=100)
...     return [log.takes_line() for _ in range(102)].count(True)
>>> asyncio.run(main())
100
"""

from __future__ import annotations

import asyncio
import logging

from gustnado.log import gen_log

__all__ = ["WINDOW", "RefusalLog"]

WINDOW = 10.0
"""Seconds for which lines are counted."""


class RefusalLog:
    """Logs the first lines of each :data:`WINDOW` as they come, and of the others how many there were, in one line.

    :param loop: whose clock it goes by.
    :param most: lines in a window; 0 is no bound.
    """

    __slots__ = ("_end", "_level", "_lines", "_loop", "_most", "_timer", "_untold")

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int) -> None:
        self._loop = loop
        self._most = most
        self._end = 0.0  # of the window
        self._lines = 0  # in it
        self._untold = 0  # beyond them
        self._level = logging.INFO  # the highest of these
        self._timer: asyncio.TimerHandle | None = None

    def takes_line(self, level: int = logging.INFO) -> bool:
        """Whether one more line, of that level, is to be logged; it is counted in any case."""
        if self._most <= 0:
            return True
        now = self._loop.time()
        if now >= self._end:
            self.tell()
            self._end = now + WINDOW
            self._lines = 0
        if self._lines < self._most:
            self._lines += 1
            return True
        self._untold += 1
        self._level = max(self._level, level)
        if self._timer is None:
            self._timer = self._loop.call_at(self._end, self.tell)
        return False

    def info(self, text: str, *values: object) -> None:
        """Log a line, if it is one that is logged."""
        if self.takes_line():
            gen_log.info(text, *values)

    def warning(self, text: str, *values: object) -> None:
        """The same for what is to be seen where only warnings are; their number is a warning, too."""
        if self.takes_line(logging.WARNING):
            gen_log.warning(text, *values)

    def tell(self) -> None:
        """Log how many lines there were that were not logged, if any. Happens by itself at the end of a window."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        untold, self._untold = self._untold, 0
        level, self._level = self._level, logging.INFO
        if untold:
            gen_log.log(level, "%d more refusals within %g s, which are counted only", untold, WINDOW)
