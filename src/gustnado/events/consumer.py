"""The seam between a connection and the protocol that is spoken on it.

A stream serves whoever asks for bytes (:meth:`~gustnado.events.stream.BaseIOStream.read_until` and its
kin), or it pushes all that arrives to one *consumer*: HTTP/1, a WebSocket, a protocol of your own. Never
both at once.

The contract, in order:

1. ``stream.attach_consumer(consumer)`` hands over. Bytes that the stream held are delivered before it
   returns; from then on the transport calls ``consumer.data_received`` itself, with nothing in between.
2. ``data_received`` any number of times, then at most one ``eof_received``.
3. ``pause_writing`` and ``resume_writing`` alternate, in this order, whenever the transport's write
   buffer passes its high-water mark and falls to its low one (64 and 16 KiB unless the consumer changes
   them with ``stream.transport.set_write_buffer_limits``).
4. Either ``connection_lost``, exactly once and last, or ``stream.detach_consumer(unread)``: the stream is
   then an ordinary one again, with ``unread`` as its next bytes. This is all that ``Upgrade`` and
   ``CONNECT`` are.

None of these may block. What ``data_received`` raises closes the connection, after being reported to the
event loop's exception handler.

>>> class Shout:
...     def __init__(self, stream):
...         self.stream = stream
...     def data_received(self, data):
...         self.stream.transport.write(data.upper())
...     def eof_received(self):
...         return None
...     def connection_lost(self, exc):
...         self.stream = None
...     def pause_writing(self):
...         self.stream.pause_reading()
...     def resume_writing(self):
...         self.stream.resume_reading()
"""

from __future__ import annotations

from typing import Protocol

__all__ = ["StreamConsumer"]


class StreamConsumer(Protocol):
    """What a stream pushes to: five methods, called on the loop, one at a time."""

    def data_received(self, data: bytes, /) -> None:
        """Take the next bytes; never empty."""

    def eof_received(self) -> bool | None:
        """The peer will send no more. True keeps the write side open (not possible over TLS)."""

    def connection_lost(self, exc: BaseException | None, /) -> None:
        """The connection is gone: ``exc`` says why, ``None`` after an ordinary close by either side."""

    def pause_writing(self) -> None:
        """Stop writing: what was written before waits for a slow peer."""

    def resume_writing(self) -> None:
        """Go on writing."""
