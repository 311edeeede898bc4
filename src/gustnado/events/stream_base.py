"""A stream of bytes over anything: its life, and the seam to a consumer.

The stream *is* the asyncio protocol of its connection. :class:`BaseIOStream` over a foreign file
descriptor makes its own transport; :class:`~gustnado.events.stream.IOStream` hands a socket to asyncio.

How it ends, in rules:

- :meth:`~BaseIOStream.close` ends it for the program at once: pending reads get what they can have or fail,
  futures of writes fail, :meth:`~BaseIOStream.closed` is true. What was written is still sent, for at most
  :attr:`~BaseIOStream.linger_timeout` seconds. :meth:`~BaseIOStream.abort` drops it.
- The peer's end closes it too, but not while bytes are left that nobody has read: they come first.
- Where the peer only says that it sends no more (a half-close), the stream closes as well, after sending
  what was written, unless :attr:`~BaseIOStream.allow_half_close` is set.
- The close callback runs once, after the callbacks of everything that was pending.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from gustnado.errors import StreamClosedError
from gustnado.events.allocator import keep_freed_memory
from gustnado.events.buffers import ReadBuffer
from gustnado.events.callbacks import require_callable, run_callback
from gustnado.events.consumer import StreamConsumer
from gustnado.events.direct_writer import DirectWriter
from gustnado.events.fd_transport import FdTransport
from gustnado.events.loop import IOLoop
from gustnado.events.readers import AlreadyReadingError
from gustnado.events.stream_reading import ReadSide
from gustnado.events.stream_state import ExcInfo, error_of, fail_quietly, is_connection_reset
from gustnado.events.stream_writing import WriteSide
from gustnado.events.transport import watch_drain, watch_pressure
from gustnado.log import app_log, gen_log

__all__ = ["BaseIOStream"]


class BaseIOStream(ReadSide, WriteSide):
    """Reads from and writes to a file descriptor that the event loop can watch.

    Subclasses say what the descriptor is: :meth:`fileno`, :meth:`close_fd`, :meth:`read_from_fd`,
    :meth:`write_to_fd` and, where there is such a thing, :meth:`get_fd_error`.

    :param max_buffer_size: bytes that may wait for a pending read; 100 MiB by default.
    :param read_chunk_size: bytes that are read at once, and that may wait while nobody reads; 64 KiB by
        default. (A socket's transport reads up to 256 KiB at once, whatever this says.)
    :param max_write_buffer_size: bytes that may wait to be sent; unlimited by default.
    :param io_loop: the loop to live on; by default :meth:`IOLoop.current`.

    :ivar error: what closed the stream, or ``None`` where it is open or was closed ordinarily.
    :ivar transport: the :class:`asyncio.Transport` while the stream is open, else ``None``. Where a consumer is
        attached, writing to it directly keeps the order with :meth:`write`.
    """

    __slots__ = ()

    linger_timeout: float = 30.0
    """Seconds that a closed stream goes on sending to a slow peer."""

    allow_half_close: bool = False
    """Whether writing stays possible after the peer has said that it sends no more (not over TLS)."""

    consumer_high_water: int | None = None
    """Bytes unsent above which a consumer is told to pause writing; ``None`` is 64 KiB."""

    _ends_with_peer = False  # whether the transport closes on the peer's end, whatever we say

    def __init__(
        self,
        max_buffer_size: int | None = None,
        read_chunk_size: int | None = None,
        max_write_buffer_size: int | None = None,
        io_loop: IOLoop | None = None,
    ) -> None:
        super().__init__(max_buffer_size, read_chunk_size, max_write_buffer_size, io_loop)
        self._prepare()

    # -- the descriptor -------------------------------------------------------------------------------

    def fileno(self) -> int:
        """The file descriptor."""
        raise NotImplementedError

    def close_fd(self) -> None:
        """Close the descriptor. Called by the stream itself, once; programs call :meth:`close`."""
        raise NotImplementedError

    def write_to_fd(self, data: memoryview) -> int:
        """Offer ``data`` to the descriptor; return how many bytes it took.

        :raises BlockingIOError: where it took none (0 says the same).
        """
        raise NotImplementedError

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """Read into ``buf``; return how many bytes, ``None`` where there are none yet, 0 at the end."""
        raise NotImplementedError

    def get_fd_error(self) -> Exception | None:
        """The error that is pending on the descriptor, if that can be known."""
        return None

    # -- opening --------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """Called at the end of the constructor."""
        self._start_opening()

    def _start_opening(self) -> None:
        # Not at once: a subclass may set the descriptor after our constructor.
        if self._opening is None and self.transport is None and not self._closed and not self._lost:
            self._opening = self._loop.call_soon(self._open_fd)

    def _open_fd(self) -> None:
        self._opening = None
        if self._closed and not self._write_buffer:
            self.close_fd()
            return
        transport = FdTransport(self.io_loop.selector_loop, self, self)
        self.connection_made(transport)
        if not self._paused and not self._held:
            transport.resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the transport, once."""
        keep_freed_memory()
        opened = cast("asyncio.Transport", transport)
        if self._closed:
            self._leaving = opened
            # Not before aiofastnet has begun to read, which it does behind this, whatever was said until then: the
            # loop would keep watching a closed descriptor, and fail the next socket that gets its number.
            self._loop.call_soon(self._leave_at_once, opened)
            return
        self.transport = opened
        if self._consumer is None:
            watch_drain(opened)
            self._hindered = False
        else:
            watch_pressure(opened, self.consumer_high_water)
        self._connected()
        self._send_queued(opened)

    def _leave_at_once(self, transport: asyncio.Transport) -> None:
        """Give up a transport that has come when the stream was closed already."""
        if not self._write_buffer:
            transport.abort()
            return
        self._send_queued(transport)
        self._leave(transport)

    def _connected(self) -> None:
        future, self._open_future = self._open_future, None
        if future is not None and not future.done():
            future.set_result(self)

    # -- what programs ask ----------------------------------------------------------------------------

    def closed(self) -> bool:
        """Whether the stream is closed. It may still hold bytes to read."""
        return self._closed

    def set_nodelay(self, value: bool) -> None:
        """Send small writes at once (true) or gather them for a moment (false). Only TCP knows this."""

    def set_close_callback(self, callback: Callable[[], object] | None) -> None:
        """Call ``callback`` once, without arguments, when the stream has closed; at the loop's next turn
        where it is closed already. ``None`` takes it back.

        :raises CallbackTypeError: where it cannot be called.
        """
        require_callable(callback)
        self._close_callback = callback
        if self._closed:
            self._announce_close()
        elif callback is not None and self._hindered:
            self._notice_close()

    def _notice_close(self) -> None:
        """Somebody wants to know when the peer goes: open, or the network will not tell."""
        self._start_opening()

    # -- the end --------------------------------------------------------------------------------------

    def close(self, exc_info: ExcInfo = False) -> None:
        """Close the stream, after sending what was written. Closing it again does nothing.

        :param exc_info: the error that is the reason, for :attr:`error`: an exception, a
            :func:`sys.exc_info` triple, or ``True`` for the exception that is being handled.
        """
        if not self._closed:
            self.error = error_of(exc_info) or self.error
            self._shut(drop=False)

    def abort(self) -> None:
        """Close the stream and drop what was not sent yet, also where it was closed before."""
        if not self._closed:
            self._shut(drop=True)
        elif self._leaving is not None:
            self._leaving.abort()
        self._write_buffer = None

    def write_eof(self) -> None:
        """Tell the peer that nothing more will be written, after what was; reading goes on.

        :raises StreamClosedError: where the stream is not open.
        :raises NotImplementedError: over TLS, which cannot say that.
        """
        if self.transport is None:
            raise StreamClosedError(real_error=self.error)
        self._send_gathered()
        self.transport.write_eof()

    def _shut(self, drop: bool) -> None:
        if self._loop.is_closed():
            self.forsake()
            return
        self._end_read()
        self._closed = self._hindered = True
        if not drop:
            self._send_gathered()
        self._end_direct_writing()
        transport, self.transport = self.transport, None
        if drop:
            self._write_buffer = None
        if transport is None:
            self._abandon()
        elif drop:
            self._leaving = transport
            transport.abort()
        else:
            self._leave(transport)
        self._fail_writes()
        self._fail_opening()
        self._announce_close()

    def forsake(self) -> None:
        """Close the descriptor without another word, as the loop is closed: nobody is left to tell, nor to send."""
        if (self._closed or self._lost) and self._leaving is None and self._opening is None:
            return  # it is closed already, or another stream's
        self._closed = self._hindered = self._lost = True
        self._end_direct_writing()
        self.transport = self._leaving = self._opening = None
        self.close_fd()

    def _leave(self, transport: asyncio.Transport) -> None:
        """Close the transport, which sends what it holds, within limits."""
        self._leaving = transport
        if transport.get_write_buffer_size():
            self._linger = self._loop.call_later(self.linger_timeout, transport.abort)
        transport.close()

    def _abandon(self) -> None:
        """Close what has no transport (yet)."""
        if self._opening is None and not self._lost:
            self.close_fd()
        if self._consumer is not None:
            self._loop.call_soon(self._lose_consumer, self.error)

    def _fail_opening(self) -> None:
        future, self._open_future = self._open_future, None
        if future is not None:
            fail_quietly(future, StreamClosedError(real_error=self.error))

    def _announce_close(self) -> None:
        callback, self._close_callback = self._close_callback, None
        if callback is not None:
            self._loop.call_soon(run_callback, callback)

    # -- what the transport says ----------------------------------------------------------------------

    def eof_received(self) -> bool | None:
        """Called by the transport when the peer sends no more. True keeps our own side open."""
        self._eof = self._hindered = True
        consumer = self._consumer
        if consumer is not None:
            return consumer.eof_received() and not self._ends_with_peer
        if self._ends_with_peer:
            self._send_gathered()
            self._lost = True
            self._leaving, self.transport = self.transport, None
        if self._read_buffer is None or self._read_pending():
            self._reach_end()
        return not self._closed and not self._lost

    def _reach_end(self) -> None:
        if self.allow_half_close and not self._lost:
            self._end_read()
        else:
            self.close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Called by the transport, once, when it has closed."""
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None
        self.transport = self._leaving = None
        if self._consumer is not None:
            self._lose_consumer(exc)
        elif not self._closed:
            self._eof = self._lost = self._hindered = True
            self._paused = False
            if exc is not None or self._read_buffer is None or self._read_pending():
                self._break(exc)
            else:
                self._fail_writes()

    def _break(self, error: BaseException | None) -> None:
        if error is not None and not is_connection_reset(error):
            gen_log.warning("%s: %s", "error on read" if self._read_pending() else "Error on stream", error)
        self.close(exc_info=error)

    # -- the consumer ---------------------------------------------------------------------------------

    def attach_consumer(self, consumer: StreamConsumer) -> None:
        """Push all that arrives to ``consumer`` from now on: see :mod:`gustnado.events.consumer`.

        What the stream holds is delivered before this returns. May be called before the stream is open.
        Where the stream is closed, ``connection_lost`` follows at the loop's next turn.

        :raises AlreadyReadingError: where a read is pending, or another consumer is attached.
        """
        if self._consumer is not None or self._read_pending():
            raise AlreadyReadingError("Already reading")
        self._forget_read()
        self._send_gathered()
        self._consumer = consumer
        self._hindered = True
        # An attribute of the instance: the transport finds the consumer's method where it looks for ours.
        setattr(self, "data_received", consumer.data_received)  # noqa: B010  # to type checkers it is a method
        buffer, self._read_buffer = self._read_buffer, None
        transport = self.transport
        if transport is not None:
            transport.set_protocol(self)  # uvloop looks at the protocol's methods only here
            watch_pressure(transport, self.consumer_high_water)
            if self._paused:
                self._paused = False
                self.resume_reading()
        elif not self._closed:
            self._start_opening()
        if buffer is not None:
            consumer.data_received(buffer.take(len(buffer)))
        if self._closed or self._lost:
            self._loop.call_soon(self._lose_consumer, self.error)
        elif self._eof and self._consumer is consumer:
            self._loop.call_soon(self._repeat_eof, consumer)

    def detach_consumer(self, unread: bytes = b"") -> None:
        """Take the connection back from the consumer: it is an ordinary stream again.

        :param unread: what the consumer was given but did not use; it is read first.
        """
        if self._consumer is None:
            return
        self._end_direct_writing()
        self._consumer = None
        delattr(self, "data_received")  # as above; asking for __dict__ would make one, to stay
        if unread:
            self._read_buffer = ReadBuffer(unread)
        transport = self.transport
        if transport is not None:
            transport.set_protocol(self)
            watch_drain(transport)
            self._hindered = self._eof

    def _end_direct_writing(self) -> None:
        if isinstance(self._consumer, DirectWriter):
            self._consumer.use_transport()

    def _repeat_eof(self, consumer: StreamConsumer) -> None:
        """The peer's end came before the consumer did."""
        if self._consumer is consumer and not consumer.eof_received():
            self.close()

    def _lose_consumer(self, error: BaseException | None) -> None:
        consumer = self._consumer
        if consumer is None:
            return
        self.detach_consumer()
        self.close(exc_info=error)
        try:
            consumer.connection_lost(error)
        except Exception:
            app_log.error("Exception in connection_lost of %r", consumer, exc_info=True)
