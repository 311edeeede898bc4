"""What a stream knows about itself, in one place, for the rooms that work on it.

:mod:`~gustnado.events.stream_reading` and :mod:`~gustnado.events.stream_writing` hold the two directions,
:mod:`~gustnado.events.stream_base` the life of the connection. They share these attributes:

- *life*: fresh, opening, open (``transport`` is set), closed. ``transport`` goes back to ``None`` when the
  program closes the stream, and is kept as ``_leaving`` while what was written is flushed.
- *reading*: at most one read is pending: its future is ``_read_future``. What it waits for is either a
  number of bytes (at least ``_least``, at most ``_most``; ``_read`` is ``None``) or ``_read``.
  ``_read_buffer`` is ``None`` when it is empty, which it mostly is.
- ``_hindered`` is true whenever a read that cannot be satisfied from the buffer must do more than wait: the
  stream is not open yet, or closed, or at its end, or paused. So the common case asks one question.
- *writing*: ``_write_buffer`` holds what is written before the stream is open. ``_unflushed`` is ``None``
  while the transport's write buffer is empty, else the futures to resolve when it is empty again. ``_wrote``
  says that something was written since something arrived. What is written then is put into ``_gathered``, which
  is ``None`` where that is nothing, and ``_gathers`` says that it will be sent at the end of the turn.
"""

from __future__ import annotations

import asyncio
import errno
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeAlias

from gustnado.errors import StreamClosedError
from gustnado.events.buffers import ReadBuffer
from gustnado.events.consumer import StreamConsumer
from gustnado.events.loop import IOLoop
from gustnado.events.readers import PullRead

__all__ = ["NEVER", "ExcInfo", "StreamState", "error_of", "fail_quietly", "is_connection_reset"]

ExcTriple: TypeAlias = "tuple[type[BaseException] | None, BaseException | None, TracebackType | None]"
ExcInfo: TypeAlias = "bool | BaseException | ExcTriple | None"

NEVER = sys.maxsize
"""More bytes than can arrive: ``_least`` of a read that is not a matter of number."""

DEFAULT_MAX_BUFFER_SIZE = 100 * 1024 * 1024
DEFAULT_READ_CHUNK_SIZE = 64 * 1024

_RESETS = frozenset(
    code
    for name in (
        "ECONNRESET",
        "ECONNABORTED",
        "EPIPE",
        "ETIMEDOUT",
        "EPROTOTYPE" if sys.platform == "darwin" else "ECONNRESET",  # what macOS says of a socket going down
        "WSAECONNRESET",
        "WSAECONNABORTED",
        "WSAETIMEDOUT",
    )
    if (code := getattr(errno, name, None)) is not None
)


def is_connection_reset(error: BaseException | None) -> bool:
    """Whether ``error`` says that the peer went away, rather than that something is wrong here."""
    return isinstance(error, OSError) and (error.errno in _RESETS or isinstance(error, ConnectionError))


def error_of(exc_info: ExcInfo) -> BaseException | None:
    """The exception that ``close(exc_info)`` means."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1]
    return sys.exc_info()[1] if exc_info else None


def fail_quietly(future: asyncio.Future[Any], error: BaseException) -> None:
    """Fail ``future`` without a complaint in the log where nobody asks it."""
    if not future.done():
        future.set_exception(error)
        future.exception()


class StreamState(asyncio.Protocol):
    """The attributes of a stream, and what each room may ask of the others."""

    __slots__ = (
        "__dict__",  # for users' subclasses, and for a consumer's data_received
        "__weakref__",
        "_read_buffer",
        "_close_callback",
        "_closed",
        "_consumer",
        "_eof",
        "_gathered",
        "_gathered_futures",
        "_gathered_size",
        "_gathers",
        "_held",
        "_hindered",
        "_least",
        "_leaving",
        "_linger",
        "_loop",
        "_lost",
        "_most",
        "_open_future",
        "_opening",
        "_paused",
        "_write_buffer",
        "_read",
        "_read_future",
        "_timer",
        "_unflushed",
        "_written",
        "_wrote",
        "error",
        "io_loop",
        "max_buffer_size",
        "max_write_buffer_size",
        "read_chunk_size",
        "transport",
    )

    def __init__(
        self,
        max_buffer_size: int | None = None,
        read_chunk_size: int | None = None,
        max_write_buffer_size: int | None = None,
        io_loop: IOLoop | None = None,
    ) -> None:
        self.io_loop = IOLoop.current() if io_loop is None else io_loop
        self.max_buffer_size = max_buffer_size or DEFAULT_MAX_BUFFER_SIZE
        # A chunk that is close to the whole limit would fill the buffer while nobody reads.
        self.read_chunk_size = min(read_chunk_size or DEFAULT_READ_CHUNK_SIZE, self.max_buffer_size // 2)
        self.max_write_buffer_size = max_write_buffer_size
        self.error: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop = self.io_loop.asyncio_loop
        self.transport: asyncio.Transport | None = None
        self._leaving: asyncio.Transport | None = None
        self._opening: asyncio.Task[None] | asyncio.Handle | None = None
        self._open_future: asyncio.Future[Any] | None = None
        self._close_callback: Callable[[], object] | None = None
        self._consumer: StreamConsumer | None = None
        self._closed = False
        self._lost = False  # the transport is gone, but unread bytes are left: closed when they are read
        self._eof = False  # the peer sends no more
        self._read_buffer: ReadBuffer | None = None
        self._read_future: asyncio.Future[Any] | None = None
        self._read: PullRead | None = None
        self._least = 0
        self._most = 0
        self._hindered = True
        self._paused = False  # reading stands still because the buffer is full
        self._held = False  # reading stands still because the program says so
        self._timer: asyncio.TimerHandle | None = None  # when to look again for a regular expression
        self._linger: asyncio.TimerHandle | None = None  # when to stop flushing after close()
        self._write_buffer: list[bytes | memoryview] | None = None
        self._unflushed: list[asyncio.Future[None]] | None = None
        self._written: asyncio.Future[None] | None = None
        self._wrote = False
        self._gathers = False
        self._gathered: list[bytes | memoryview] | None = None
        self._gathered_futures: list[asyncio.Future[None]] = []
        self._gathered_size = 0
        self.io_loop.streams.add(self)

    def close(self, exc_info: ExcInfo = False) -> None:
        """Close the stream; see :meth:`BaseIOStream.close <gustnado.events.stream_base.BaseIOStream.close>`."""
        raise NotImplementedError

    def forsake(self) -> None:
        """Called by the loop that has closed; see
        :meth:`BaseIOStream.forsake <gustnado.events.stream_base.BaseIOStream.forsake>`.
        """
        raise NotImplementedError

    def _start_opening(self) -> None:
        """Make the transport, unless that is under way."""
        raise NotImplementedError

    def _check_closed(self) -> None:
        if self._closed:
            raise StreamClosedError(real_error=self.error)
