"""A connection within one process: two streams whose bytes never leave memory.

All above the transport is what runs over sockets, and sees what it would see there: bytes come in pieces and on a
later turn of the loop, a reader that pauses makes the writer wait, a close sends what was written first, an abort does
not and resets the peer.

>>> import asyncio
>>> async def talk():
...     here, there = memory_streams()
...     here.write(b"hello\\n")
...     line = await there.read_until(b"\\n")
...     here.close()
...     return line
>>> asyncio.run(talk())
b'hello\\n'
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from typing import Any, cast

from gustnado.errors import UsageError
from gustnado.events.stream import BaseIOStream

__all__ = ["MemorySocket", "MemoryStream", "MemoryTransport", "memory_streams"]

HIGH_WATER = 64 * 1024
MOST_AT_ONCE = 256 * 1024
"""Bytes that one ``data_received`` gets at most; sockets have such a limit, too."""

Address = tuple[str, int]


class MemorySocket:
    """What a program may ask of the socket of a :class:`MemoryStream`: its family and its addresses."""

    family = socket.AF_INET

    def __init__(self, own: Address, peer: Address) -> None:
        self._own = own
        self._peer = peer

    def fileno(self) -> int:
        """-1, as the system knows nothing of it."""
        return -1

    def getsockname(self) -> Address:
        """The address of this end."""
        return self._own

    def getpeername(self) -> Address:
        """The address of the other end."""
        return self._peer


class MemoryTransport(asyncio.Transport):
    """One end. ``connection_made`` is called by whoever gives it its protocol; reading begins with
    :meth:`resume_reading`.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: MemorySocket) -> None:
        names = {"peername": sock.getpeername(), "sockname": sock.getsockname()}
        super().__init__(names)
        self._loop = loop
        self._peer: MemoryTransport = self
        self._protocol: asyncio.Protocol | None = None
        self._unread: deque[memoryview] = deque()  # what was written here and the peer has not read
        self._unread_size = 0
        self._high, self._low = HIGH_WATER, HIGH_WATER // 4
        self._choked = False
        self._reading = False
        self._at_end = False  # the peer has sent all that it will
        self._ending = False  # nothing more is written here
        self._closing = False
        self._lost = False
        self._scheduled = False

    def join(self, peer: MemoryTransport) -> None:
        """Make two ends one connection."""
        self._peer, peer._peer = peer, self

    # -- reading --------------------------------------------------------------------------------------

    def is_reading(self) -> bool:
        return self._reading

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        if not self._reading and not self._closing:
            self._reading = True
            self._peer._deliver_soon()

    # -- writing --------------------------------------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._ending and not self._closing:
            raise UsageError("write() after write_eof()")
        if self._closing or not data:
            return
        if self._peer._closing:
            self._loop.call_soon(self._force_close, ConnectionResetError("the other end was closed"))
            return
        self._unread.append(memoryview(bytes(data)))
        self._unread_size += len(data)
        self._deliver_soon()
        if self._unread_size > self._high and not self._choked:
            self._choked = True
            cast("asyncio.Protocol", self._protocol).pause_writing()

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self._ending = True
        self._deliver_soon()

    def get_write_buffer_size(self) -> int:
        return self._unread_size

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        if high is None:
            high = HIGH_WATER if low is None else 4 * low
        self._high = high
        self._low = high // 4 if low is None else low

    def _deliver_soon(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        """Give the peer one piece of what it has not read; then the next one, on the next turn."""
        self._scheduled = False
        if self._closing and not self._unread:
            self._lose(None)
        if not self._peer._reading:
            return
        if self._unread:
            self._give(self._take())
        if self._unread or (self._closing and not self._lost):
            self._deliver_soon()
        elif self._ending:
            self._end()

    def _take(self) -> bytes:
        pieces, room = [], MOST_AT_ONCE
        while self._unread and room:
            piece = self._unread.popleft()
            if len(piece) > room:
                self._unread.appendleft(piece[room:])
                piece = piece[:room]
            pieces.append(piece)
            room -= len(piece)
        self._unread_size -= MOST_AT_ONCE - room
        return b"".join(pieces)

    def _give(self, data: bytes) -> None:
        self._peer._receive(data)
        self._relax()

    def _relax(self) -> None:
        """There is room again, if there is."""
        if self._choked and self._unread_size <= self._low and not self._lost:
            self._choked = False
            cast("asyncio.Protocol", self._protocol).resume_writing()

    def _receive(self, data: bytes) -> None:
        try:
            cast("asyncio.Protocol", self._protocol).data_received(data)
        except Exception as error:
            self._loop.call_exception_handler(
                {"message": "Fatal error: data_received() failed.", "exception": error, "transport": self}
            )
            self._force_close(error)

    def _end(self) -> None:
        """All that was written has been read, and nothing more comes."""
        peer = self._peer
        if not peer._at_end:
            peer._at_end = True
            if not cast("asyncio.Protocol", peer._protocol).eof_received():
                peer.close()

    # -- the rest -------------------------------------------------------------------------------------

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = cast("asyncio.Protocol", protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return cast("asyncio.BaseProtocol", self._protocol)

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if self._closing:
            return
        self._reading = False
        self._closing = self._ending = True
        peer = self._peer
        if peer._closing:
            self._drop()
        # Bytes that this end will never read are as good as sent.
        peer._drop()
        self._loop.call_soon(peer._relax)
        self._deliver_soon()

    def abort(self) -> None:
        self._force_close(None)

    def _force_close(self, error: BaseException | None) -> None:
        if not self._lost:
            self._reading = False
            self._closing = self._ending = True
            self._drop()
            self._lose(error)
            if not self._peer._lost:
                self._peer._at_end = True  # it is not told of an ordinary end
                self._loop.call_soon(self._peer._force_close, ConnectionResetError("the other end was aborted"))

    def _drop(self) -> None:
        self._unread.clear()
        self._unread_size = 0

    def _lose(self, error: BaseException | None) -> None:
        if not self._lost:
            self._lost = True
            self._loop.call_soon(self._connection_lost, error)

    def _connection_lost(self, error: BaseException | None) -> None:
        cast("asyncio.Protocol", self._protocol).connection_lost(cast("Exception | None", error))


class MemoryStream(BaseIOStream):
    """A stream over a :class:`MemoryTransport`; made by :func:`memory_streams`.

    :ivar socket: a :class:`MemorySocket`, ``None`` when the stream is closed.
    """

    socket: MemorySocket | None

    def __init__(self, own: Address, peer: Address, **kwargs: Any) -> None:
        self._name = MemorySocket(own, peer)
        super().__init__(**kwargs)
        self.socket = self._name
        self.end = MemoryTransport(self.io_loop.asyncio_loop, self._name)
        self.end.set_protocol(self)

    def _prepare(self) -> None:
        """Nothing: it is opened when it has another end."""

    def open(self) -> None:
        """Begin, when both ends are there."""
        self.connection_made(self.end)
        self.end.resume_reading()

    def fileno(self) -> int:
        """-1: there is no descriptor."""
        return -1

    def close_fd(self) -> None:
        """Close this end, which was never open."""
        self.end.close()

    def get_peername(self) -> Address | None:
        """The address of the other end, ``None`` when the stream is closed."""
        return None if self._closed else self._name.getpeername()

    def _shut(self, drop: bool) -> None:
        super()._shut(drop)
        self.socket = None


def memory_streams(
    client: Address = ("127.0.0.1", 50000), server: Address = ("127.0.0.1", 80), **kwargs: Any
) -> tuple[MemoryStream, MemoryStream]:
    """The two ends of a new connection on the current loop.

    :param client: the address of the first end, for whoever asks for it.
    :param server: that of the second.
    :param kwargs: of both streams: ``max_buffer_size``, ``read_chunk_size``, ``max_write_buffer_size``.
    """
    here, there = MemoryStream(client, server, **kwargs), MemoryStream(server, client, **kwargs)
    here.end.join(there.end)
    here.open()
    there.open()
    return here, there
