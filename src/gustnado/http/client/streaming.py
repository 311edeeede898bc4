"""A response whose body is read piece by piece: ``client.stream(...)``.

::

    async with client.stream("http://example.org/big") as response:
        if response.code == 200:
            async for chunk in response:
                file.write(chunk)

What the program does not read stays in the network: at most :data:`HIGH_WATER` bytes and one piece wait for it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING

from gustnado.errors import UsageError
from gustnado.http.headers import HTTPHeaders

if TYPE_CHECKING:
    from gustnado.http.client.fetch import Fetch
    from gustnado.http.client.response import HTTPResponse

__all__ = ["HIGH_WATER", "ResponseStream"]

HIGH_WATER = 256 * 1024
"""Bytes of a body that wait for the program before reading from the network pauses."""


class ResponseStream:
    """An asynchronous context manager: entering it waits for the head, leaving it drops what was not read.

    :ivar code: the status; so are ``reason``, ``headers`` and ``effective_url`` known in the block.
    """

    code: int
    reason: str
    headers: HTTPHeaders
    effective_url: str

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._loop = fetch.get_loop()
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._reader: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._has_head = False
        fetch.stream_to(self._head, self._take)
        fetch.add_done_callback(self._wake)

    async def __aenter__(self) -> ResponseStream:
        try:
            while not self._has_head and not self._fetch.done():
                await self._wait()
            if not self._has_head:
                await self._fetch  # raises what it failed with
        except BaseException:
            self._fetch.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._chunks.clear()
        if not self._fetch.stop() and not self._fetch.cancelled():
            self._fetch.exception()  # who has not read to the end need not hear of it

    def __aiter__(self) -> ResponseStream:
        return self

    async def __anext__(self) -> bytes:
        """The next piece of the body.

        :raises gustnado.http.client.errors.HTTPClientError: where the response ends before its time, is malformed...
        """
        while not self._chunks:
            if self._fetch.done():
                self._fetch.result()
                raise StopAsyncIteration
            await self._wait()
        chunk = self._chunks.popleft()
        self._size -= len(chunk)
        room = self._room
        if room is not None and self._size <= HIGH_WATER // 2:
            self._room = None
            if not room.done():
                room.set_result(None)
        return chunk

    async def read(self) -> bytes:
        """All that has not been read."""
        return b"".join([chunk async for chunk in self])

    async def response(self) -> HTTPResponse:
        """The response as of :meth:`fetch`, with ``time_info`` and without a body; to be asked for at the end."""
        return await self._fetch

    def _head(self, code: int, reason: str, headers: HTTPHeaders, url: str) -> None:
        self.code, self.reason, self.headers, self.effective_url = code, reason, headers, url
        self._has_head = True
        self._wake(None)

    def _take(self, chunk: bytes) -> asyncio.Future[None] | None:
        self._chunks.append(chunk)
        self._size += len(chunk)
        self._wake(None)
        if self._size < HIGH_WATER:
            return None
        self._room = self._loop.create_future()
        return self._room

    async def _wait(self) -> None:
        if self._reader is not None:
            raise UsageError("the response is being read already")
        self._reader = self._loop.create_future()
        try:
            await self._reader
        finally:
            self._reader = None

    def _wake(self, fetch: object) -> None:
        reader = self._reader
        if reader is not None and not reader.done():
            reader.set_result(None)
