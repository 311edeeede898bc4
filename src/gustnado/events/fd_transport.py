"""A transport over any file descriptor that an event loop can watch.

Where :mod:`gustnado.events.transport` hands a socket to asyncio, this one asks its stream to read and
write (:class:`FdOwner`): pipes, terminals, serial lines, tunnels. It keeps asyncio's transport
contract, so that everything above is the same for both.
"""

from __future__ import annotations

import asyncio
import errno
from collections import deque
from typing import Any, Protocol, cast

__all__ = ["FdOwner", "FdTransport"]

WRITE_AT_ONCE = 1 << 20
"""Bytes offered to one ``write_to_fd``: some descriptors refuse more than they can take (Windows sockets)."""

JOIN_UP_TO = 1 << 16
"""Bytes of small writes that waited and are offered together: a system call costs more than their copying."""

READS_AT_ONCE = 16
"""Chunks that are read before others have their turn."""


class FdOwner(Protocol):
    """What an :class:`FdTransport` needs of the object that knows the descriptor."""

    read_chunk_size: int

    def fileno(self) -> int:
        """The descriptor."""
        ...

    def close_fd(self) -> None:
        """Close it."""

    def write_to_fd(self, data: memoryview) -> int:
        """Write to it without blocking; the number of bytes that it took."""
        ...

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """Read from it without blocking; the number of bytes, 0 at the end, ``None`` where it has none yet."""


class FdTransport(asyncio.Transport):
    """Reads and writes through ``owner``; pushes what arrives to ``protocol``.

    ``protocol.connection_made`` is called by whoever makes the transport.

    :param loop: one that can watch descriptors (``IOLoop.selector_loop``).
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, owner: FdOwner, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._loop = loop
        self._owner = owner
        self._protocol = protocol
        self._fd = owner.fileno()
        self._unsent: deque[memoryview] = deque()
        self._unsent_size = 0
        self._high = 0
        self._low = 0
        self._choked = False
        self._closing = False
        self._lost = False
        self._reading = False

    # -- reading --------------------------------------------------------------------------------------

    def is_reading(self) -> bool:
        return self._reading

    def resume_reading(self) -> None:
        if not self._reading and not self._closing:
            self._loop.add_reader(self._fd, self._read_ready)
            self._reading = True

    def pause_reading(self) -> None:
        if self._reading:
            self._loop.remove_reader(self._fd)
            self._reading = False

    def _read_ready(self) -> None:
        # Again and again, since libuv stops to watch a descriptor when it has an error: all that is left
        # must be read now, and the error seen. But not for ever.
        for _ in range(READS_AT_ONCE):
            if not self._reading or not self._read_chunk():
                return

    def _read_chunk(self) -> bool:
        """Read once; whether there may be more."""
        chunk = bytearray(self._owner.read_chunk_size)
        try:
            size = self._owner.read_from_fd(chunk)
        except BlockingIOError:
            return False
        except OSError as error:
            # The write end of a pipe whose read end was closed is "readable", but cannot be read.
            self._force_close(None if error.errno == errno.EBADF else error)
            return False
        if size is None:
            return False
        if size:
            del chunk[size:]
            self._protocol.data_received(bytes(chunk))
            return True
        self.pause_reading()
        if not self._protocol.eof_received():
            self.close()
        return False

    # -- writing --------------------------------------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing or not data:
            return
        view = memoryview(data)
        if not self._unsent:
            try:
                view = view[self._send(view) :]
            except OSError as error:
                self._force_close(error)
                return
            if not view:
                return
            self._loop.add_writer(self._fd, self._write_ready)
        self._unsent.append(view)
        self._unsent_size += len(view)
        if self._unsent_size > self._high and not self._choked:
            self._choked = True
            self._protocol.pause_writing()

    def _send(self, view: memoryview) -> int:
        """Offer ``view`` to the descriptor until it takes no more; how much it took."""
        sent = 0
        try:
            while sent < len(view):
                taken = self._owner.write_to_fd(view[sent : sent + WRITE_AT_ONCE])
                if not taken:
                    break
                sent += taken
        except BlockingIOError:
            pass
        return sent

    def _write_ready(self) -> None:
        unsent = self._unsent
        try:
            while unsent:
                self._join_first()
                sent = self._send(unsent[0])
                self._unsent_size -= sent
                if sent < len(unsent[0]):
                    unsent[0] = unsent[0][sent:]
                    break
                unsent.popleft()
        except OSError as error:
            self._force_close(error)
            return
        if not unsent:
            self._loop.remove_writer(self._fd)
        if self._choked and self._unsent_size <= self._low:
            self._choked = False
            self._protocol.resume_writing()
        if self._closing and not unsent:
            self._lose(None)

    def _join_first(self) -> None:
        """Make one piece of the first small ones that wait."""
        unsent, pieces, size = self._unsent, [], 0
        if len(unsent[0]) > JOIN_UP_TO // 4:
            return  # lest the rest of what was joined be copied again and again
        while unsent and size + len(unsent[0]) <= JOIN_UP_TO:
            pieces.append(unsent.popleft())
            size += len(pieces[-1])
        if pieces:
            unsent.appendleft(pieces[0] if len(pieces) == 1 else memoryview(b"".join(pieces)))

    def get_write_buffer_size(self) -> int:
        return self._unsent_size

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        if high is None:
            high = 64 * 1024 if low is None else 4 * low
        self._high = high
        self._low = high // 4 if low is None else low

    def can_write_eof(self) -> bool:
        return False

    # -- the rest -------------------------------------------------------------------------------------

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = cast("asyncio.Protocol", protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if self._closing:
            return
        self.pause_reading()
        self._closing = True
        if not self._unsent:
            self._lose(None)

    def abort(self) -> None:
        self._force_close(None)

    def _force_close(self, error: OSError | None) -> None:
        self.pause_reading()
        self._closing = True
        if self._unsent:
            self._loop.remove_writer(self._fd)
            self._unsent.clear()
            self._unsent_size = 0
        self._lose(error)

    def _lose(self, error: OSError | None) -> None:
        if not self._lost:
            self._lost = True
            self._loop.call_soon(self._connection_lost, error)

    def _connection_lost(self, error: OSError | None) -> None:
        try:
            self._protocol.connection_lost(error)
        finally:
            self._owner.close_fd()
