"""The writing half of a stream.

What is written goes to the transport, which hands it to the kernel at once where it can. The future that
:meth:`WriteSide.write` returns is done when nothing is left to hand over, so that awaiting each write keeps a
program at the pace of its peer. In rules:

- The first write after something has arrived goes to the transport at once: an answer does not wait.
- Small ones that follow it are gathered, and leave together: when one of them is awaited, at
  :data:`GATHER_LIMIT` bytes, or at the end of the turn. So many small writes cost one system call, and one
  packet, not many.
- Nothing is gathered while the transport's own buffer is not empty, nor where a consumer is attached.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import TypeAlias

from gustnado.errors import StreamBufferFullError, StreamClosedError
from gustnado.events.callbacks import deliver, require_callable
from gustnado.events.stream_state import StreamState, fail_quietly

__all__ = ["Data", "WriteSide", "as_bytes"]

Data: TypeAlias = "bytes | bytearray | memoryview | str"

GATHER_LIMIT = 64 * 1024
"""Bytes of small writes that are gathered before they are sent, be the turn over or not."""


SMALL_WRITE = 16 * 1024
"""Bytes up to which a write is gathered: it is copied then, which costs more than a system call for long ones."""


class GatheredWrite(asyncio.Future[None]):
    """The future of a write that was gathered. Awaiting it sends what was."""

    __slots__ = ("stream",)

    stream: WriteSide

    def __await__(self) -> Generator[object, None, None]:
        if not self.done():
            self.stream._wrote = False
            self.stream._send_gathered()
        return super().__await__()

    __iter__ = __await__


class WriteSide(StreamState):
    """``write`` and what it needs."""

    __slots__ = ()

    def write(self, data: Data, callback: Callable[[], object] | None = None) -> asyncio.Future[None]:
        """Write ``data`` (a ``str`` is sent as UTF-8), after all that was written before.

        May be called before the stream is connected. A mutable object may be changed as soon as this
        returns: it is copied.

        :param callback: called without arguments when the future is done.
        :returns: a future, done when nothing is left to be handed to the kernel. One that is done
            already may be the same object as another's. It fails with :exc:`~gustnado.errors.StreamClosedError`
            where the stream closes before; nothing is logged where nobody looks at it.
        :raises StreamClosedError: where the stream is closed.
        :raises StreamBufferFullError: where more than ``max_write_buffer_size`` bytes would wait; nothing
            of ``data`` is written then.
        """
        if callback is not None:
            require_callable(callback)
            return deliver(
                self.write(data),
                callback,
                quiet=(StreamClosedError,),
                with_result=False,
                on_error=self._close_after_write_callback,
            )
        if type(data) is not bytes:
            data = as_bytes(data)
        transport = self.transport
        if transport is None or self.max_write_buffer_size is not None:
            if self._lost:
                self.close()
            self._check_closed()
            self._check_room(len(data))
        if transport is None:
            return self._queue(data)
        if self._wrote and (
            self._gathered is not None or (self._unflushed is None and self._consumer is None)
        ):
            return self._gather(transport, data)
        self._wrote = True
        return self._send(transport, data)

    def _send(self, transport: asyncio.Transport, data: bytes | memoryview) -> asyncio.Future[None]:
        transport.write(data)
        if self._unflushed is None:
            # Where that failed, the transport is on its way out, and the future fails when it is gone.
            if not transport.is_closing():
                return self._written or self._make_written()
            self._unflushed = []
        return self._unflushed_future(self._unflushed)

    # -- gathering ------------------------------------------------------------------------------------

    def _gather(self, transport: asyncio.Transport, data: bytes | memoryview) -> asyncio.Future[None]:
        if len(data) > SMALL_WRITE:
            self._send_gathered()
            return self._send(transport, data)
        if self._gathered is None:
            self._gathered = []
        self._gathered.append(data)
        self._gathered_size += len(data)
        future = GatheredWrite(loop=self._loop)
        future.stream = self
        self._gathered_futures.append(future)
        if self._gathered_size >= GATHER_LIMIT:
            self._send_gathered()
        elif not self._gathers:
            self._gathers = True
            self._loop.call_soon(self._end_turn)
        return future

    def _end_turn(self) -> None:
        self._gathers = self._wrote = False
        self._send_gathered()

    def _send_gathered(self) -> None:
        """Hand over to the transport what was gathered."""
        transport = self.transport
        if self._gathered is None or transport is None:
            return
        data, futures = self._take_gathered()
        # Not writelines, which some transports put off to the end of the turn.
        transport.write(data[0] if len(data) == 1 else b"".join(data))
        if self._unflushed is not None:
            self._unflushed += futures
        elif transport.is_closing():
            self._unflushed = futures
        else:
            resolve(futures)

    def _take_gathered(self) -> tuple[list[bytes | memoryview], list[asyncio.Future[None]]]:
        data, futures = self._gathered or [], self._gathered_futures
        self._gathered, self._gathered_futures, self._gathered_size = None, [], 0
        return data, futures

    # -- waiting --------------------------------------------------------------------------------------

    def writing(self) -> bool:
        """Whether something that was written waits to be sent."""
        return self._waiting_size() > 0

    def _waiting_size(self) -> int:
        if self.transport is not None:
            return self.transport.get_write_buffer_size() + self._gathered_size
        return sum(map(len, self._write_buffer or ()))

    def _check_room(self, size: int) -> None:
        limit = self.max_write_buffer_size
        if limit is None or self._waiting_size() + size <= limit:
            return
        self._send_gathered()  # which may not have to wait
        if self._waiting_size() + size > limit:
            raise StreamBufferFullError("Reached maximum write buffer size")

    def _queue(self, data: bytes | memoryview) -> asyncio.Future[None]:
        """Keep ``data`` until the stream is open."""
        if self._write_buffer is None:
            self._write_buffer = []
        if data:
            self._write_buffer.append(data)
        if self._unflushed is None:
            self._unflushed = []
        future = self._unflushed_future(self._unflushed)
        self._start_opening()
        return future

    def _unflushed_future(self, unflushed: list[asyncio.Future[None]]) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.Future(loop=self._loop)
        unflushed.append(future)
        return future

    def _make_written(self) -> asyncio.Future[None]:
        # A future that is done cannot change any more, so that one serves all writes that need not wait.
        future: asyncio.Future[None] = asyncio.Future(loop=self._loop)
        future.set_result(None)
        self._written = future
        return future

    def _send_queued(self, transport: asyncio.Transport) -> None:
        """The stream has opened: write what was kept."""
        queued, self._write_buffer = self._write_buffer, None
        waiting, self._unflushed = self._unflushed, None
        if queued:
            transport.writelines(queued)
        if waiting and self._unflushed is None and not transport.is_closing():
            resolve(waiting)
        elif waiting:
            self._unflushed = waiting

    def pause_writing(self) -> None:
        """Called by the transport when it could not send everything."""
        if self._unflushed is None:
            self._unflushed = []
        if self._consumer is not None:
            self._consumer.pause_writing()

    def resume_writing(self) -> None:
        """Called by the transport when it has sent enough, or everything."""
        unflushed, self._unflushed = self._unflushed, None
        if unflushed:
            resolve(unflushed)
        if self._consumer is not None:
            self._consumer.resume_writing()

    def _fail_writes(self) -> None:
        unflushed, self._unflushed = self._unflushed, None
        _, gathered = self._take_gathered()
        for future in (*(unflushed or ()), *gathered):
            fail_quietly(future, StreamClosedError(real_error=self.error))

    def _close_after_write_callback(self, error: Exception) -> None:
        self.close(exc_info=error)


def as_bytes(data: Data) -> bytes | memoryview:
    """``data`` as something that cannot change while it waits to be sent.

    :raises TypeError: where it is not made of bytes.
    """
    if isinstance(data, str):
        return data.encode()
    if isinstance(data, memoryview):
        # A view of a bytes object can be sent as it is, once its length is counted in bytes.
        as_it_is = type(data.obj) is bytes and data.contiguous and data.nbytes
        return data.cast("B") if as_it_is else data.tobytes()
    if isinstance(data, (bytes, bytearray)):
        return bytes(data)
    raise TypeError(f"cannot write {type(data).__name__}, only bytes, bytearray, memoryview and str")


def resolve(futures: list[asyncio.Future[None]]) -> None:
    """Resolve those that are not cancelled."""
    for future in futures:
        if not future.done():
            future.set_result(None)
