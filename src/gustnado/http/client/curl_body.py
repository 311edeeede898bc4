"""Where libcurl puts the body of a response, within bounds.

libcurl calls ``write`` for each piece, from the midst of its own work. What it returns decides: the length of the
piece goes on, another number fails the transfer, ``WRITEFUNC_PAUSE`` stops it until it is told to go on, when it offers
the same piece again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from importlib import import_module
from typing import Any

__all__ = ["CurlBody", "CurlStreamingBuffer"]


class CurlBody:
    """A body that is kept.

    :param max_size: bytes, decoded.
    :ivar body_too_large: it was longer, so the transfer was failed.
    """

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self._pieces: list[bytes] = []
        self._size = 0
        self.body_too_large = False

    def write(self, chunk: bytes) -> int:
        """Take a piece; see the module."""
        self._size += len(chunk)
        if self._size > self._max_size:
            self.body_too_large = True
            return 0
        self._pieces.append(chunk)
        return len(chunk)

    def data(self) -> bytes:
        """All of it."""
        return b"".join(self._pieces)


class CurlStreamingBuffer:
    """Hands a body on to a ``streaming_callback``, from the loop and not from within libcurl.

    :param client: with an ``io_loop``, a ``max_body_size`` and ``_set_timeout``.
    :param curl: the transfer's handle.
    :param callback: called with each piece.
    :ivar paused: libcurl was told to wait.
    :ivar body_too_large: there was more than ``client.max_body_size``, so the transfer was failed.
    """

    max_buffer_size = 1024 * 1024
    """Bytes that may wait for the callback before the transfer pauses."""

    def __init__(self, client: Any, curl: Any, callback: Callable[[bytes], Any]) -> None:
        self._client = client
        self._curl: Any = curl
        self._pycurl: Any = import_module("pycurl")
        self.callback = callback
        self._chunks: deque[bytes] = deque()
        self._waiting = 0
        self._total = 0
        self._scheduled = False
        self.paused = False
        self.body_too_large = False

    def write(self, chunk: bytes) -> int:
        """Take a piece; see the module."""
        if self._total + len(chunk) > self._client.max_body_size:
            self.body_too_large = True
            return 0
        if self._waiting >= self.max_buffer_size:
            self.paused = True
            pause: int = self._pycurl.WRITEFUNC_PAUSE
            return pause
        self._chunks.append(chunk)
        self._waiting += len(chunk)
        self._total += len(chunk)
        self._schedule()
        return len(chunk)

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._client.io_loop.add_callback(self.flush)

    def flush(self) -> None:
        """Give the callback what waits for it, and have the transfer go on."""
        self._scheduled = False
        try:
            while self._chunks:
                chunk = self._chunks.popleft()
                self._waiting -= len(chunk)
                self.callback(chunk)
        finally:
            if self._chunks:
                self._schedule()  # the callback has raised, which the loop logs
            elif self.paused:
                self._go_on()

    def _go_on(self) -> None:
        self.paused = False
        if self._curl is None:
            return
        try:
            self._curl.pause(self._pycurl.PAUSE_CONT)
        except self._pycurl.error:
            return  # the transfer has failed meanwhile, which its end will tell
        self._client._set_timeout(0)

    def finish(self) -> None:
        """The transfer has ended, and its handle is to be left alone: give the callback the rest."""
        self._curl = None
        self.paused = False
        self.flush()
