"""Sending a part of a file over a socket without reading it into the process: ``sendfile``, at the peer's pace.

A :class:`FileSender` works beside the transport that owns the socket. While it is at work nobody may write to that
transport, and it must have nothing unsent. In rules:

- What the page cache holds is sent by the loop's thread, a piece a turn, so that other connections have theirs. Whether
  it does is asked by reading single bytes with ``RWF_NOWAIT``, one in each stretch that the kernel reads ahead at once.
- What it does not hold is sent by a thread of the loop's executor, which may wait for the disk.
- While the socket is full the loop watches a duplicate of its descriptor: that one is ours, whatever the transport
  does with its own. The connection closes when both are closed, so whoever closes the transport calls
  :meth:`FileSender.stop`, too.
- A file that is shorter than it was said to be is an error, as what has been announced cannot be sent any more.

>>> import tempfile
>>> async def main():
...     ours, theirs = socket.socketpair()
...     ours.setblocking(False)
...     sent = asyncio.get_running_loop().create_future()
...     with tempfile.TemporaryFile() as file:
...         file.write(b"a strong wind")
...         file.flush()
...         FileSender(ours, file.fileno(), 2, 6, b"> ", sent.set_result).start()
...     print(await sent, theirs.recv(100))
...     ours.close()
...     theirs.close()
>>> asyncio.run(main())
None b'> strong'
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import sys
from collections.abc import Callable

from gustnado.errors import OperationError, StreamClosedError
from gustnado.events.stream_state import is_connection_reset

__all__ = ["FileShrunkError", "FileSender", "can_send_files"]

PIECE = 512 * 1024
"""Bytes sent at once, in a turn of the loop: some 0.1 ms of its time."""
LOOK_AHEAD = 128 * 1024
"""Bytes that the page cache is taken to hold where it holds the first one: what Linux reads ahead, if not told else."""

_MORE = getattr(socket, "MSG_MORE", 0)
_NOWAIT = getattr(os, "RWF_NOWAIT", 0)
_UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)


class FileShrunkError(OperationError):
    """A file has become shorter while it was sent."""

    @classmethod
    def lacking(cls, count: int) -> FileShrunkError:
        """The error that says how many bytes are not there any more."""
        return cls(f"a file has shrunk: {count} bytes of it are not there any more")


def can_send_files(transport: asyncio.BaseTransport | None, sock: object) -> bool:
    """Whether a :class:`FileSender` can work beside ``transport``, on ``sock``: on Linux, without TLS."""
    return (
        sys.platform == "linux"
        and transport is not None
        and isinstance(sock, socket.socket)
        and transport.get_extra_info("socket") is not None
        and transport.get_extra_info("sslcontext") is None
    )


class FileSender:
    """Sends ``prefix`` and then a part of a file.

    :param sock: a connected socket, not blocking.
    :param file: descriptor of a regular file, which may be closed as soon as this has been made.
    :param offset: of the first byte.
    :param count: of bytes.
    :param done: called once, on the loop's thread, unless it was stopped before: with ``None``, or with what failed:
        a :exc:`StreamClosedError` where the peer has gone, :exc:`FileShrunkError`, or the file's :exc:`OSError`.
    :ivar sent: bytes of the file so far.
    """

    __slots__ = (
        "_copies", "_count", "_done", "_file", "_held", "_loop", "_offset", "_own", "_prefix", "_sock",
        "_stopped", "_watching", "_working", "sent",
    )  # fmt: skip

    def __init__(
        self,
        sock: socket.socket,
        file: int,
        offset: int,
        count: int,
        prefix: bytes,
        done: Callable[[Exception | None], object],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self._own: socket.socket | None = None  # a duplicate of it
        self._file = os.dup(file)
        self._offset = offset
        self._count = count
        self._prefix = prefix
        self._done = done
        self._held = 0  # up to where the page cache holds the file, as far as is known
        self._copies = False  # it is of a kind that sendfile does not take
        self._watching = False
        self._working = False  # a thread is
        self._stopped = False
        self.sent = 0

    def start(self) -> None:
        """Send what can be sent at once; the rest follows. May call ``done`` before it returns."""
        self._step()

    def stop(self) -> None:
        """Send no more, and forget ``done``."""
        if self._stopped:
            return
        self._stopped = True
        self._unwatch()
        if not self._working:
            self._release()

    def _release(self) -> None:
        os.close(self._file)
        if self._own is not None:
            self._own.close()

    def _step(self) -> None:
        self._advance(self._send_held)

    def _advance(self, send: Callable[[], int | None]) -> None:
        """Take what ``send`` says that it has sent, and see to what is left. ``None`` is a thread's affair now."""
        try:
            sent = send()
            if sent is None:
                return
            if not sent:
                raise FileShrunkError.lacking(self._count - self.sent)
            self.sent += sent
        except (OSError, FileShrunkError) as error:
            if not isinstance(error, BlockingIOError):
                if self._copies or getattr(error, "errno", None) not in _UNSUPPORTED:
                    self._end(error)
                    return
                self._copies = True
        if self.sent < self._count:
            self._watch()
        else:
            self._end(None)

    def _send_held(self) -> int | None:
        """Send what needs no waiting, or have a thread send what may."""
        while self._prefix:
            self._prefix = self._prefix[self._sock.send(self._prefix, _MORE) :]
        at = self._offset + self.sent
        size = min(self._count - self.sent, PIECE)
        held = self._look_at_cache(at, size)
        if held:
            return os.sendfile(self._sock.fileno(), self._file, at, held)
        self._unwatch()
        self._working = True
        work = self._loop.run_in_executor(None, send_piece, self._ours().fileno(), self._file, at, size, self._copies)
        work.add_done_callback(self._worked)
        return None

    def _look_at_cache(self, at: int, size: int) -> int:
        """How many bytes from ``at`` on, of ``size``, the page cache holds."""
        if not _NOWAIT or self._copies:
            return 0
        end = at + size
        held = max(self._held, at)
        byte = bytearray(1)
        with contextlib.suppress(OSError):  # not held, or on a file system that cannot tell
            while held < end:
                os.preadv(self._file, (byte,), held, _NOWAIT)
                held += LOOK_AHEAD
        self._held = held
        return min(held, end) - at

    def _worked(self, work: asyncio.Future[int]) -> None:
        self._working = False
        if self._stopped:
            self._release()
            if not work.cancelled():
                work.exception()  # nobody is left to hear of it
            return
        self._advance(work.result)

    def _ours(self) -> socket.socket:
        if self._own is None:
            self._sock = self._own = self._sock.dup()
        return self._own

    def _watch(self) -> None:
        if not self._watching:
            self._watching = True
            self._loop.add_writer(self._ours().fileno(), self._step)

    def _unwatch(self) -> None:
        if self._watching:
            self._watching = False
            self._loop.remove_writer(self._ours().fileno())

    def _end(self, error: Exception | None) -> None:
        self.stop()
        self._done(StreamClosedError(real_error=error) if is_connection_reset(error) else error)


def send_piece(sock: int, file: int, at: int, size: int, copies: bool) -> int:
    """Send a piece of a file, which may have to be waited for; how many bytes the socket took.

    :param copies: the file is of a kind that has to be read.
    """
    if not copies:
        return os.sendfile(sock, file, at, size)
    piece = os.pread(file, size, at)
    return os.write(sock, piece) if piece else 0
