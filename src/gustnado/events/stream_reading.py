"""The reading half of a stream: one pull reader at a time, served from what has arrived.

A read that the buffer satisfies returns a future that is done already. Else it is pending, and
:meth:`ReadSide.data_received` satisfies it. Rules:

- Bytes leave the buffer only when a read succeeds, so one that is cancelled, or that fails, loses none.
- While a read is pending, the buffer grows up to ``max_buffer_size``; over it the stream closes with
  :exc:`~gustnado.errors.StreamBufferFullError`. While none is, reading from the peer pauses at
  ``read_chunk_size`` bytes (one more chunk of the transport may come on top: up to 256 KiB).
- A closed stream still gives out what it holds.
"""

from __future__ import annotations

import asyncio
import functools
import operator
import re
from collections.abc import Callable
from typing import Any, TypeVar, cast

from gustnado.errors import StreamBufferFullError, StreamClosedError, UnsatisfiableReadError
from gustnado.escape import utf8
from gustnado.events.buffers import ReadBuffer
from gustnado.events.callbacks import deliver, require_callable, run_callback
from gustnado.events.readers import (
    PENDING,
    AlreadyReadingError,
    CloseRead,
    IntoRead,
    PullRead,
    ReadArgumentError,
    RegexRead,
    StreamingRead,
    UntilRead,
)
from gustnado.events.stream_state import NEVER, StreamState, fail_quietly, is_connection_reset
from gustnado.log import gen_log

__all__ = ["ReadSide"]

T = TypeVar("T")
Callback = Callable[..., object]


class ReadSide(StreamState):
    """``read_*`` and what serves them.

    Every ``read_*`` method takes ``callback``: it is called with the result, later, on the loop. In the
    places where older programs pass it, it may be given by position. What it raises is logged and closes
    the stream. It is not called where the stream closes before the read is satisfied.
    """

    __slots__ = ()

    # -- what programs call ---------------------------------------------------------------------------

    def read_bytes(
        self,
        num_bytes: int,
        partial: bool | Callback = False,
        streaming_callback: Callback | None = None,
        callback: Callback | None = None,
    ) -> asyncio.Future[bytes]:
        """Read exactly ``num_bytes`` bytes, or with ``partial`` whatever is there, up to that many.

        :param streaming_callback: called with each piece as it arrives; the result is empty then.
        :raises ReadArgumentError: where ``num_bytes`` is negative.
        :raises StreamClosedError: where the stream is closed and holds less than that. If it closes
            meanwhile, the future raises it.
        """
        if type(partial) is not bool or streaming_callback is not None or callback is not None:
            return self._read_bytes_called_back(num_bytes, partial, streaming_callback, callback)
        if type(num_bytes) is not int or num_bytes < 0:
            num_bytes = checked_size(num_bytes)
        if self._read_future is not None:
            self._check_idle()
        future: asyncio.Future[bytes] = asyncio.Future(loop=self._loop)
        buffer = self._read_buffer
        if buffer is not None:
            size = len(buffer)
            if size >= num_bytes or partial:
                future.set_result(self._take(buffer, min(size, num_bytes)))
                return future
        elif not num_bytes:
            future.set_result(b"")
            return future
        self._read_future = future
        self._read = None
        self._least = 1 if partial else num_bytes
        self._most = num_bytes
        if self._hindered:
            self._await_more()
        return future

    def _read_bytes_called_back(
        self,
        num_bytes: int,
        partial: bool | Callback,
        streaming_callback: Callback | None,
        callback: Callback | None,
    ) -> asyncio.Future[bytes]:
        partial, callback = split_partial(partial, callback)
        require_callable(streaming_callback)
        num_bytes = checked_size(num_bytes)
        if streaming_callback is None:
            future = self.read_bytes(num_bytes, partial)
        else:
            future = self._start_read(StreamingRead(self._emitter(streaming_callback), num_bytes))
        return self._deliver(future, callback)

    def read_until(
        self,
        delimiter: bytes | str,
        max_bytes: int | Callback | None = None,
        callback: Callback | None = None,
    ) -> asyncio.Future[bytes]:
        """Read up to and including ``delimiter`` (a ``str`` is taken as UTF-8).

        :param max_bytes: where it does not end within that many bytes, the stream closes with
            :exc:`~gustnado.errors.UnsatisfiableReadError` as its ``error``.
        :raises ReadArgumentError: where the delimiter is empty or longer than ``max_bytes``.
        :raises StreamClosedError: as for :meth:`read_bytes`.
        """
        if callback is not None or callable(max_bytes):
            limit, callback = split_callback(max_bytes, callback)
            return self._deliver(self.read_until(delimiter, limit), callback)
        return self._start_read(UntilRead(utf8(delimiter), max_bytes))

    def read_until_regex(
        self,
        regex: bytes | str | re.Pattern[bytes],
        max_bytes: int | Callback | None = None,
        callback: Callback | None = None,
    ) -> asyncio.Future[bytes]:
        """Read up to the end of the first match of ``regex``, a pattern for bytes.

        :param max_bytes: as for :meth:`read_until`.
        :raises re.error: where ``regex`` is malformed.
        :raises StreamClosedError: as for :meth:`read_bytes`.
        """
        if callback is not None or callable(max_bytes):
            limit, callback = split_callback(max_bytes, callback)
            return self._deliver(self.read_until_regex(regex, limit), callback)
        pattern = regex if isinstance(regex, re.Pattern) else re.compile(utf8(regex))
        return self._start_read(RegexRead(pattern, max_bytes))

    def read_into(
        self,
        buf: bytearray | memoryview,
        partial: bool | Callback = False,
        callback: Callback | None = None,
    ) -> asyncio.Future[int]:
        """Fill ``buf``, or with ``partial`` some of it; the result is the number of bytes.

        :raises ReadArgumentError: where ``buf`` is read-only.
        :raises StreamClosedError: as for :meth:`read_bytes`.
        """
        partial, callback = split_partial(partial, callback)
        return self._deliver(self._start_read(IntoRead(buf, partial)), callback)

    def read_until_close(
        self, callback: Callback | None = None, streaming_callback: Callback | None = None
    ) -> asyncio.Future[bytes]:
        """Read all that comes until the stream closes.

        Without ``streaming_callback`` all of it is kept in memory, up to ``max_buffer_size``.

        :param streaming_callback: called with each piece as it arrives; the result is empty then.
        """
        require_callable(callback)
        require_callable(streaming_callback)
        if streaming_callback is None:
            return self._deliver(self._start_read(CloseRead()), callback)
        emit = self._emitter(streaming_callback)
        return self._deliver(self._start_read(StreamingRead(emit, None)), callback)

    def reading(self) -> bool:
        """Whether a read is pending."""
        return self._read_pending()

    def _read_pending(self) -> bool:
        return self._read_future is not None and not self._read_future.done()

    # -- what arrives ---------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Called by the transport. (Where a consumer is attached, its own method stands in for this.)"""
        self._wrote = False
        future = self._read_future
        if (
            future is not None
            and self._least <= len(data) <= self._most
            and self._read_buffer is None
            and not future.done()
        ):
            self._read_future = None
            future.set_result(data)
            return
        self._feed(data)

    def _feed(self, data: bytes) -> None:
        buffer = self._read_buffer
        if buffer is None:
            if self._read is not None and self._read_pending() and self._read.is_exactly(data):
                self._finish_read(data)
                return
            buffer = self._read_buffer = ReadBuffer(data)
        else:
            buffer.append(data)
        if self._read_future is not None:
            self._serve(buffer)
        if self._read_buffer is None:
            return
        if self._read_future is None:
            if len(buffer) >= self.read_chunk_size:
                self._pause()
        elif len(buffer) > self.max_buffer_size:
            gen_log.error("Reached maximum read buffer size")
            error = StreamBufferFullError("Reached maximum read buffer size")
            gen_log.warning("error on read: %s", error)
            self.close(exc_info=error)

    # -- the pending read -----------------------------------------------------------------------------

    def _check_idle(self) -> None:
        """Forget a read that was cancelled; refuse to begin another one beside one that was not."""
        if self._read_future is not None and self._read_future.done():
            self._forget_read()
        if self._read_future is not None or self._consumer is not None:
            self._check_closed()
            raise AlreadyReadingError("Already reading")

    def _start_read(self, request: PullRead) -> asyncio.Future[Any]:
        self._check_idle()
        future: asyncio.Future[Any] = asyncio.Future(loop=self._loop)
        self._read_future = future
        self._read = request
        self._least = NEVER
        self._try_inline_read(request)
        if self._hindered and self._read_future is future:
            self._await_more()
        return future

    def _try_inline_read(self, request: PullRead) -> None:
        """Satisfy a read that has just begun from what is there, if that is possible."""
        buffer = self._read_buffer
        if buffer is not None or not request.needs_data:
            self._serve(ReadBuffer() if buffer is None else buffer)

    def _serve(self, buffer: ReadBuffer) -> None:
        """Satisfy the pending read from ``buffer``, if that is possible."""
        future = self._read_future
        if future is None or future.done():
            self._forget_read()
            return
        request = self._read
        if request is None:
            if len(buffer) >= self._least:
                self._finish_read(self._take(buffer, min(len(buffer), self._most)))
            return
        try:
            result = request.step(buffer, self._eof)
        except UnsatisfiableReadError as error:
            gen_log.info("Unsatisfiable read, closing connection: %s", error)
            self.close(exc_info=error)
            return
        self._after_taking(buffer)
        if result is not PENDING:
            self._finish_read(result)
            if request.until_end:
                self._reach_end()
        elif request.retry is not None and self._timer is None:
            self._timer = self._loop.call_later(request.retry, self._retry_read)

    def _retry_read(self) -> None:
        self._timer = None
        if self._read is not None and self._read_buffer is not None:
            self._read.hurry()
            self._serve(self._read_buffer)

    def _finish_read(self, result: object) -> None:
        future = self._read_future
        self._forget_read()
        if future is not None:
            future.set_result(result)

    def _forget_read(self) -> None:
        self._read_future = None
        self._read = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end_read(self) -> None:
        """No more will come: satisfy the pending read with what there is, or fail it."""
        future = self._read_future
        request = self._read
        self._forget_read()
        if future is None or future.done():
            return
        # An end that is an error must not make a truncated message look like a whole one.
        if request is not None and (self.error is None or is_connection_reset(self.error)):
            buffer = ReadBuffer() if self._read_buffer is None else self._read_buffer
            try:
                result = request.step(buffer, True)
            except UnsatisfiableReadError:
                result = PENDING
            self._after_taking(buffer)
            if result is not PENDING:
                future.set_result(result)
        fail_quietly(future, StreamClosedError(real_error=self.error))

    def _await_more(self) -> None:
        """A read waits for more than the buffer holds: see to it that more can come."""
        if self._consumer is not None:
            self._forget_read()
            self._check_idle()
        elif self._closed:
            if self._read is None or not self._read.until_end:
                self._forget_read()
                self._check_closed()
            self._end_read()
        elif self._eof:
            self._reach_end()
        elif self._paused:
            self._resume()
        elif self.transport is None:
            self._start_opening()

    def _reach_end(self) -> None:
        """The reader has come to the end of what the peer sent."""
        raise NotImplementedError

    # -- flow control ---------------------------------------------------------------------------------

    def _take(self, buffer: ReadBuffer, size: int) -> bytes:
        data = buffer.take(size)
        if self._hindered or not buffer:
            self._after_taking(buffer)
        return data

    def _after_taking(self, buffer: ReadBuffer) -> None:
        left = len(buffer)
        if not left:
            self._read_buffer = None
        if self._paused and left < self.read_chunk_size // 2:
            self._resume()
        elif self._eof and not left and not self._closed:
            self._loop.call_soon(self._end_drained)

    def _end_drained(self) -> None:
        """The peer's end had come before its last bytes were read, as they are now."""
        if self._read_buffer is None and self._read_future is None and not self._closed:
            self._reach_end()

    def _pause(self) -> None:
        transport = self.transport
        if transport is not None and not self._paused and not self._eof:
            self._paused = self._hindered = True
            transport.pause_reading()

    def _resume(self) -> None:
        self._paused = False
        if self.transport is None or self._eof:
            return
        self._hindered = False
        if not self._held:
            self.transport.resume_reading()

    def pause_reading(self) -> None:
        """Take nothing more from the network until :meth:`resume_reading`, whoever waits for it.

        While the stream is still being opened, what has come by then is taken.
        """
        self._held = True
        if self.transport is not None and self._opening is None and not self._paused and not self._eof:
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Undo :meth:`pause_reading`."""
        self._held = False
        # After the end there is nothing to resume; asyncio would report the end once more.
        if self.transport is not None and self._opening is None and not self._paused and not self._eof:
            self.transport.resume_reading()

    # -- callbacks ------------------------------------------------------------------------------------

    def _deliver(
        self, future: asyncio.Future[T], callback: Callback | None, with_result: bool = True
    ) -> asyncio.Future[T]:
        if callback is None:
            return future
        return deliver(
            future,
            callback,
            quiet=(StreamClosedError,),
            with_result=with_result,
            on_error=self._close_after_callback,
        )

    def _emitter(self, callback: Callback) -> Callable[[bytes], object]:
        call = functools.partial(run_callback, callback, on_error=self._close_after_callback)
        return functools.partial(self._loop.call_soon, call)

    def _close_after_callback(self, error: Exception) -> None:
        self.close(exc_info=error)


def checked_size(size: object) -> int:
    """``size`` as an ``int``.

    :raises TypeError: where it is no integer.
    :raises ReadArgumentError: where it is negative.
    """
    number = operator.index(cast("int", size))
    if number < 0:
        raise ReadArgumentError(f"cannot read {number} bytes")
    return number


def split_partial(partial: bool | Callback, callback: Callback | bool | None) -> tuple[bool, Callback | None]:
    """Put ``partial`` and a callback that were given by position, in either order, into their places."""
    if callable(partial):
        partial, callback = bool(callback), partial
    require_callable(callback)
    return bool(partial), cast("Callback | None", callback)


def split_callback(
    max_bytes: int | Callback | None, callback: Callback | int | None
) -> tuple[int | None, Callback]:
    """Put a limit and a callback that were given by position, in either order, into their places."""
    if callable(max_bytes):
        max_bytes, callback = cast("int | None", callback), max_bytes
    require_callable(callback)
    return max_bytes, cast("Callback", callback)
