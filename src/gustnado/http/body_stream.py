"""The body of a request as the program reads it: at its own pace, and no sooner than it wants it.

For delegates that hand a body on to a coroutine. At most one piece waits here; while nobody takes it, nothing is read
from the network, and a client that asked with ``Expect: 100-continue`` is not told to send.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from gustnado.errors import UsageError
from gustnado.http.limits import Limits
from gustnado.http.parts import Form, Part, gather, read_form, read_parts

__all__ = ["BodyStream"]


class BodyStream:
    """Read it with ``async for chunk in stream``, or with :meth:`read`.

    :param content_type: of the body.
    :param limits: of the request.
    :ivar bytes_read: how much of the body has been taken.
    """

    def __init__(self, content_type: str = "", limits: Limits | None = None) -> None:
        self._content_type = content_type
        self._limits = limits
        self.bytes_read = 0
        self._loop = asyncio.get_running_loop()
        self._chunk = b""
        self._ended = False
        self._error: Exception | None = None
        self._wanted: asyncio.Future[None] | None = None  # done when the next piece may come
        self._reader: asyncio.Future[None] | None = None  # who waits for it

    # The program's side

    async def read(self, max_bytes: int = 65536) -> bytes:
        """A piece of the body, of at most ``max_bytes`` and at least one; ``b""`` at its end.

        :raises gustnado.errors.HTTPInputError: where the rest cannot be taken: over a limit, too slow, malformed.
        :raises gustnado.errors.StreamClosedError: where the client has gone before its end.
        :raises gustnado.errors.UsageError: where somebody else waits for it already.
        """
        if max_bytes < 1:
            raise ValueError(f"read: max_bytes={max_bytes} is less than 1")
        while not self._chunk:
            if self._error is not None:
                raise self._error
            if self._ended:
                return b""
            await self._wait()
        piece, self._chunk = self._chunk[:max_bytes], self._chunk[max_bytes:]
        if not self._chunk:
            self._want()
        self.bytes_read += len(piece)
        return piece

    async def read_all(self, max_bytes: int) -> bytes:
        """The whole body, or what is left of it.

        :param max_bytes: the most to hold in memory.
        :raises gustnado.errors.HTTPInputError: 413 where there is more; otherwise as :meth:`read`.
        """
        return await gather(self, max_bytes, "body")

    def parts(self) -> AsyncIterator[Part]:
        """The parts of a multipart body, as they arrive; see :func:`gustnado.http.parts.read_parts`."""
        return read_parts(self, self._content_type, self._limits)

    def form(self, spool_size: int | None = None) -> Coroutine[Any, Any, Form]:
        """A multipart form, read whole; see :func:`gustnado.http.parts.read_form`."""
        return read_form(self, self._content_type, self._limits, spool_size)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self.read():
            yield piece

    async def _wait(self) -> None:
        if self._reader is not None:
            raise UsageError("the body of this request is being read by somebody else")
        self._reader = self._loop.create_future()
        self._want()
        try:
            await self._reader
        finally:
            self._reader = None

    def _want(self) -> None:
        if self._wanted is not None and not self._wanted.done():
            self._wanted.set_result(None)

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    # The delegate's side

    def open(self) -> asyncio.Future[None]:
        """What a delegate's ``headers_received`` returns: done when the program wants the body."""
        self._wanted = self._loop.create_future()
        return self._wanted

    def push(self, chunk: bytes) -> asyncio.Future[None]:
        """Hand over a piece; the future is done when the next may come."""
        self._chunk = chunk
        self._wanted = self._loop.create_future()
        self._wake()
        return self._wanted

    def end(self) -> None:
        """The body is complete."""
        self._ended = True
        self._wake()

    def fail(self, error: Exception) -> None:
        """No more of it will come. What has come can still be read."""
        if not self._ended and self._error is None:
            self._error = error
            self._wake()
            self._want()
