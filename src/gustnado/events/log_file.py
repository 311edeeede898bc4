"""A file that gets many lines: written in batches, by a thread of its own, so that no disk blocks the loop.

::

    log = LogFile("/var/log/shop/access.log")
    log.write("a line")     # appends to a list, and no more
    log.reopen()            # after logrotate has moved the file
    log.close()             # also done when Python exits

Rules:

- Lines leave in whole batches, appended by one ``write`` each, so that several processes may share a file.
- A line leaves within :data:`FLUSH_AFTER` seconds, earlier where many come.
- The thread starts with the first batch, so that a process may fork before.
- A disk that cannot follow costs :data:`MOST_QUEUED` bytes at most; lines beyond that are dropped, and counted
  in the program's log. So is what cannot be written.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from queue import SimpleQueue
from typing import Final

from gustnado.log import gen_log

__all__ = ["FLUSH_AFTER", "MOST_QUEUED", "LogFile"]

FLUSH_AFTER: Final = 0.5
"""Seconds that a line waits for others at most, while an event loop runs; without one it does not wait."""

MOST_QUEUED: Final = 8 * 1024 * 1024
"""Bytes that wait for the disk at most."""

_BATCH = 256  # lines that are not worth waiting any longer
_STDOUT = 1
_JOIN_TIMEOUT = 10.0


class LogFile:
    """Appends lines to a file. :meth:`write` and :meth:`flush` are for one thread, the loop's.

    :param path: the file, made (with mode 0640) where it is not there; ``"-"`` is standard output.
    :raises OSError: where it cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._fd = self._open()
        self._lines: list[str] = []
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()  # b"" asks for reopening, None for the end
        self._thread: threading.Thread | None = None
        self._queued = 0  # bytes, ever: written by the loop only
        self._done = 0  # bytes, ever: written by the thread only
        self._dropped = 0  # lines
        self._failing = False
        self._closed = False
        atexit.register(self.close)

    def write(self, line: str) -> None:
        """Append a line, which has no line break. After :meth:`close` it is dropped."""
        lines = self._lines
        lines.append(line)
        count = len(lines)
        if count == 1:
            self._flush_later()
        elif count >= _BATCH:
            self.flush()

    def _flush_later(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()
        else:
            loop.call_later(FLUSH_AFTER, self.flush)

    def flush(self) -> None:
        """Hand over to the thread what has been written so far."""
        lines, self._lines = self._lines, []
        if not lines or self._closed:
            return
        lines.append("")
        batch = "\n".join(lines).encode("utf-8", "backslashreplace")
        if self._queued - self._done + len(batch) > MOST_QUEUED:
            if not self._dropped:
                gen_log.error("%s: the disk cannot follow, lines are dropped", self.path)
            self._dropped += len(lines) - 1
            return
        if self._dropped:
            gen_log.error("%s: %d lines were dropped", self.path, self._dropped)
            self._dropped = 0
        self._queued += len(batch)
        self._put(batch)

    def reopen(self) -> None:
        """Open the file of this name anew, as it has been moved away. Lines from before still go to the old one."""
        self.flush()
        if not self._closed and self._fd != _STDOUT:
            self._put(b"")

    def close(self) -> None:
        """Write what there is, and close the file. Closing again does nothing."""
        if self._closed:
            return
        self.flush()
        self._closed = True
        atexit.unregister(self.close)
        if self._dropped:
            gen_log.error("%s: %d lines were dropped", self.path, self._dropped)
        if self._thread is not None and self._thread.is_alive():
            self._queue.put(None)
            self._thread.join(_JOIN_TIMEOUT)
            if self._thread.is_alive():
                gen_log.error("%s: the disk takes no more lines, the last ones are lost", self.path)
                return
        if self._fd != _STDOUT:
            os.close(self._fd)

    def _put(self, batch: bytes) -> None:
        self._queue.put(batch)
        if self._thread is None or not self._thread.is_alive():  # in a forked child it is not
            self._thread = threading.Thread(target=self._work, name=f"log {self.path}", daemon=True)
            self._thread.start()

    def _open(self) -> int:
        if self.path == "-":
            return _STDOUT
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)

    # In the thread

    def _work(self) -> None:
        while (batch := self._queue.get()) is not None:
            try:
                if batch:
                    self._append(batch)
                else:
                    self._open_anew()
                self._failing = False
            except OSError as error:
                if not self._failing:
                    gen_log.error("%s: cannot be written, lines are lost: %s", self.path, error)
                self._failing = True
            self._done += len(batch)

    def _append(self, batch: bytes) -> None:
        left = memoryview(batch)
        while left:
            left = left[os.write(self._fd, left) :]

    def _open_anew(self) -> None:
        old, self._fd = self._fd, self._open()
        os.close(old)
