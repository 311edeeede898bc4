"""What a pull reader waits for, as objects that look at a buffer. Sans-I/O.

A stream has at most one pending read. After each arrival it asks that read's :meth:`PullRead.step`,
which takes from the buffer and returns the result, or returns :data:`PENDING` and leaves the buffer as
it is (a streaming read passes on what there is). ``ended`` says that no more bytes will come: it is the
last call.

Costs are linear in what arrives. A search for a delimiter goes on where it stopped. A regular expression
cannot (a later byte may begin an earlier match), so the buffer is searched again only when it has grown
by a quarter; where it has not, :attr:`PullRead.retry` asks to be called again after a delay that is a
multiple of what the last search took. So an end that does not come with growth is found too, and a peer
that sends byte by byte cannot make us search all the time.

>>> buffer = ReadBuffer(b"user")
>>> line = UntilRead(b"\\n", max_bytes=80)
>>> line.step(buffer, ended=False) is PENDING
True
>>> buffer.append(b"name\\npassword")
>>> line.step(buffer, ended=False)
b'username\\n'
"""

from __future__ import annotations

import enum
import re
import time
from collections.abc import Callable
from typing import Any, Final, Literal

from gustnado.errors import UnsatisfiableReadError, UsageError
from gustnado.events.buffers import ReadBuffer

__all__ = [
    "PENDING",
    "AlreadyReadingError",
    "CloseRead",
    "IntoRead",
    "PullRead",
    "ReadArgumentError",
    "RegexRead",
    "StreamingRead",
    "UntilRead",
]

SEARCH_ALWAYS = 4096
"""Bytes up to which a regular expression is tried on every arrival."""
SEARCH_REST = 8
"""A postponed search waits this many times as long as the last one took: it uses a ninth of a CPU at most."""


class Pending(enum.Enum):
    """The type of :data:`PENDING`."""

    PENDING = "pending"


PENDING: Final = Pending.PENDING
"""Returned by a read that waits for more."""


class AlreadyReadingError(UsageError, AssertionError):
    """A read began while another one on the same stream was pending, or a consumer was attached."""


class ReadArgumentError(UsageError, ValueError):
    """A read asks for what cannot be: a negative length, an empty delimiter, one longer than the limit."""


class PullRead:
    """One pending read."""

    __slots__ = ()

    needs_data: bool = True
    """False where an empty buffer may be enough."""
    until_end: bool = False
    """Whether the end of the stream is what it waits for."""
    retry: float | None = None
    """Seconds after which :meth:`hurry` and another :meth:`step` are due although nothing arrived."""

    def step(self, buffer: ReadBuffer, ended: bool) -> Any | Literal[Pending.PENDING]:
        """The result, taken from ``buffer``, or :data:`PENDING`.

        :raises UnsatisfiableReadError: where it can never be had within its limit.
        """
        raise NotImplementedError

    def is_exactly(self, data: bytes) -> bool:
        """Whether ``data``, arriving on an empty buffer, is the result just as it is."""
        return False

    def hurry(self) -> None:
        """Do not postpone the next :meth:`step`."""


class UntilRead(PullRead):
    """Up to and including a delimiter."""

    __slots__ = ("delimiter", "max_bytes", "searched")

    def __init__(self, delimiter: bytes, max_bytes: int | None = None) -> None:
        if not delimiter:
            raise ReadArgumentError("a delimiter must not be empty")
        if max_bytes is not None and len(delimiter) > max_bytes:
            raise ReadArgumentError(f"delimiter {delimiter!r} is longer than max_bytes={max_bytes}")
        self.delimiter = delimiter
        self.max_bytes = max_bytes
        self.searched = 0

    def is_exactly(self, data: bytes) -> bool:
        delimiter = self.delimiter
        size = len(data)
        fits = self.max_bytes is None or size <= self.max_bytes
        return fits and data.find(delimiter) == size - len(delimiter) >= 0

    def step(self, buffer: ReadBuffer, ended: bool) -> bytes | Literal[Pending.PENDING]:
        end = buffer.find(self.delimiter, self.searched)
        check_reach(self.delimiter, end, buffer, self.max_bytes)
        if end >= 0:
            return buffer.take(end)
        self.searched = max(0, len(buffer) - len(self.delimiter) + 1)
        return PENDING


class RegexRead(PullRead):
    """Up to the end of the first match of a regular expression."""

    __slots__ = ("due", "max_bytes", "pattern", "retry")

    def __init__(self, pattern: re.Pattern[bytes], max_bytes: int | None = None) -> None:
        if max_bytes is not None and max_bytes < 0:
            raise ReadArgumentError(f"max_bytes must not be negative: {max_bytes}")
        self.pattern = pattern
        self.max_bytes = max_bytes
        self.due = 1
        self.retry: float | None = None

    def hurry(self) -> None:
        self.due = 1

    def step(self, buffer: ReadBuffer, ended: bool) -> bytes | Literal[Pending.PENDING]:
        size = len(buffer)
        over = self.max_bytes is not None and size > self.max_bytes
        if size < self.due and not ended and not over:
            return PENDING
        began = time.perf_counter()
        end = buffer.search(self.pattern) if size else -1
        check_reach(self.pattern.pattern, end, buffer, self.max_bytes)
        if end >= 0:
            return buffer.take(end)
        if size > SEARCH_ALWAYS:
            self.due = size + size // 4
            self.retry = SEARCH_REST * (time.perf_counter() - began)
        return PENDING


class IntoRead(PullRead):
    """Into the caller's own buffer.

    The bytes stay in the stream's buffer until there are enough, so that a cancelled read loses none; and
    no view of the caller's object is held meanwhile, which could not be resized then. What is there when
    the read begins is to be seen in it at once.
    """

    __slots__ = ("begun", "least", "most", "needs_data", "target")

    def __init__(self, target: bytearray | memoryview, partial: bool) -> None:
        with memoryview(target) as view:
            if view.readonly:
                raise ReadArgumentError("read_into needs a writable buffer")
            self.most = view.nbytes
        self.needs_data = self.most > 0
        self.least = min(1, self.most) if partial else self.most
        self.target = target
        self.begun = False

    def step(self, buffer: ReadBuffer, ended: bool) -> int | Literal[Pending.PENDING]:
        enough = len(buffer) >= self.least
        if self.begun and not enough:
            return PENDING
        self.begun = True
        with memoryview(self.target) as view, view.cast("B") as flat:
            size = min(self.most, len(buffer), flat.nbytes)
            buffer.copy_into(flat, size)
        if not enough:
            return PENDING
        buffer.skip(size)
        return size


class CloseRead(PullRead):
    """All that comes until the end."""

    __slots__ = ()

    until_end = True

    def step(self, buffer: ReadBuffer, ended: bool) -> bytes | Literal[Pending.PENDING]:
        return buffer.take(len(buffer)) if ended else PENDING


class StreamingRead(PullRead):
    """Pieces as they come, each to a function: ``limit`` bytes in all, or until the end.

    Its own result is empty: everything has been handed out by then.
    """

    __slots__ = ("emit", "left", "needs_data", "until_end")

    def __init__(self, emit: Callable[[bytes], object], limit: int | None) -> None:
        self.emit = emit
        self.left = limit
        self.needs_data = limit != 0
        self.until_end = limit is None

    def step(self, buffer: ReadBuffer, ended: bool) -> bytes | Literal[Pending.PENDING]:
        size = len(buffer) if self.left is None else min(self.left, len(buffer))
        if size:
            self.emit(buffer.take(size))
        if self.left is None:
            return b"" if ended else PENDING
        self.left -= size
        return PENDING if self.left else b""


def check_reach(sought: bytes, end: int, buffer: ReadBuffer, max_bytes: int | None) -> None:
    """:raises UnsatisfiableReadError: where what is sought ends, or must end, beyond the limit."""
    reach = len(buffer) if end < 0 else end
    if max_bytes is not None and reach > max_bytes:
        raise UnsatisfiableReadError(f"delimiter {sought!r} not found within {max_bytes} bytes")
