"""Writing to many streams with the fewest steps: past their transports, where nothing waits in those.

A transport sends at once what it can, and keeps the rest. With thousands of connections none of what belongs to one is
in a cache when its turn comes, and to look at a stream and its transport takes longer than all else that is done for
it. On a plain socket that first try is one system call, which needs neither. So it is made here:

- What the socket does not take goes to the transport, and so does all behind it until that is empty again.
- An error is for the transport, too: it meets it again, and is the one to close.
- The stream says when it closes (:meth:`DirectWriter.use_transport`). A loop that was closed has left the numbers of
  its sockets to others without a word: so the loop that runs has to be the one of the transport.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gustnado.events.socket_send import send_now
from gustnado.events.transport import plain_descriptor

if TYPE_CHECKING:
    import asyncio

    from gustnado.events.stream import IOStream

__all__ = ["DirectWriter"]


class DirectWriter:
    """A base of consumers that write much, and of which each is the only one to write to its stream.

    :ivar stream: the stream, ``None`` before there is one.
    """

    __slots__ = ("_behind", "_descriptor", "_direct_loop", "stream")

    def __init__(self) -> None:
        self.stream: IOStream | None = None
        self._direct_loop: asyncio.AbstractEventLoop | None = None  # where the transport may be passed by
        self._descriptor = -1
        self._behind = True  # something may wait in the transport

    def pass_by(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        """Pass by ``transport``, the stream's, on ``loop`` from now on, where that can be done."""
        self._descriptor = plain_descriptor(transport)
        self._direct_loop = None if self._descriptor < 0 else loop
        self._behind = True

    def use_transport(self) -> None:
        """Called by the stream: pass by no more, as the transport is about to close, or somebody else's."""
        self._direct_loop = None

    def _write(self, data: bytes) -> None:
        """Write to the transport, unless the stream is closed."""
        stream = self.stream
        transport = None if stream is None else stream.transport
        if transport is not None:
            self._behind = True
            transport.write(data)

    def write_past(self, data: bytes, loop: asyncio.AbstractEventLoop | None) -> None:
        """Write to the stream, unless it is closed: past its transport where that can be done.

        :param loop: the one that runs, if any; who writes to many asks once for it.
        """
        self._write_past(data, loop)

    def _write_past(self, data: bytes, loop: asyncio.AbstractEventLoop | None) -> None:
        if loop is None or self._direct_loop is not loop or (self._behind and self._is_behind()):
            self._write(data)
            return
        sent = send_now(self._descriptor, data)
        if sent < len(data):
            self._write(data[sent:] if sent > 0 else data)

    def _is_behind(self) -> bool:
        """Whether something waits in the transport."""
        stream = self.stream
        transport = None if stream is None else stream.transport
        if transport is not None:
            self._behind = transport.get_write_buffer_size() > 0
        return self._behind
