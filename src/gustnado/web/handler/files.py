"""Files in a response: sent at the client's pace, and never at the cost of other requests.

Where the connection can, it sends a file by itself, without reading it into the process
(:meth:`gustnado.http.HTTPConnection.write_file`). Otherwise, over TLS or through a transform, a thread reads it in
pieces, and each waits until the client has room for it.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Callable
from typing import Any, TypeVar

from gustnado.events.file_sender import FileShrunkError
from gustnado.events.loop import IOLoop
from gustnado.web.handler.state import HandlerState
from gustnado.web.media_types import guess_type

__all__ = ["FilesMixin", "open_regular", "read_at", "read_piece"]

T = TypeVar("T")

PIECE = 256 * 1024
"""Bytes of a file that are read at once."""

_DEFAULT_TYPE = "text/html; charset=UTF-8"
_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)


class FilesMixin(HandlerState):
    """Sending files."""

    async def send_file(self, path: str | os.PathLike[str], start: int = 0, stop: int | None = None) -> None:
        """Send a file, or the part of it from byte ``start`` up to, without, byte ``stop``.

        ::

            async def get(self, name):
                self.set_header("Content-Disposition", "attachment")
                await self.send_file(self.report_path(name))

        Before anything has been flushed this sets ``Content-Length``, so that the file is the end of the body, and
        ``Content-Type`` by the file's name where it was left as it was; set either before to have it otherwise. What
        has been written is sent first. The path is not checked: for paths that clients name there is
        :class:`~gustnado.web.StaticFileHandler`, which answers conditions and ranges, too.

        :raises OSError: where there is no such file, or it is no regular one.
        :raises ValueError: where it has no such part.
        :raises gustnado.errors.StreamClosedError: where the client goes before it has all of it.
        :raises gustnado.events.file_sender.FileShrunkError: where the file has become shorter meanwhile; the
            connection closes.
        """
        file: io.FileIO = await self._in_thread(open_regular, path)
        with file:
            size = os.fstat(file.fileno()).st_size
            end = size if stop is None else stop
            if not 0 <= start <= end <= size:
                raise ValueError(f"no part {start}:{end} in a file of {size} bytes")
            if not self._headers_written:
                self._describe_file(os.fspath(path), end - start)
            await self._send_part(file, start, end - start)

    def _describe_file(self, path: str, size: int) -> None:
        fields = self._headers
        if fields.get("Content-Type") == _DEFAULT_TYPE:
            fields["Content-Type"] = guess_type(path)
        if "Content-Length" not in fields:
            fields["Content-Length"] = str(size + sum(map(len, self._write_buffer)))

    async def _send_part(self, file: io.FileIO, start: int, size: int) -> None:
        """Send what has been written, and then a part of a file."""
        if self._write_buffer or not self._headers_written:
            pending = self.flush()
            if size == 0 or self.request.method == "HEAD":
                await pending
                return
        if self._transforms is None and not self._flush_is_overridden:
            write_file = getattr(self.request.connection, "write_file", None)
            sent = None if write_file is None else write_file(file.fileno(), start, size)
            if sent is not None:
                await sent
                return
        while size:
            piece = await self._in_thread(read_piece, file, start, size)
            start += len(piece)
            size -= len(piece)
            self.write(piece)
            await self.flush()

    async def _in_thread(self, function: Callable[..., T], *args: Any) -> T:
        """Call what may block: in a thread, or here, where the thread is this request's own."""
        if getattr(self.request.connection, "may_block", False):
            return function(*args)
        return await IOLoop.current().run_in_executor(None, function, *args)


def open_regular(path: str | os.PathLike[str]) -> io.FileIO:
    """Open a file for reading. May wait for the disk, but for nothing else: a FIFO is refused at once.

    :raises OSError: where it cannot be opened, or is no regular file.
    """
    file = io.FileIO(os.open(path, _FLAGS), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))
    return file


def read_piece(file: io.FileIO, start: int, left: int) -> bytes:
    """Read the next piece of a file that has ``left`` bytes from byte ``start`` on: some of them, at least one. Blocks.

    :raises gustnado.events.file_sender.FileShrunkError: where they are not there any more.
    """
    piece = read_at(file, start, min(left, PIECE))
    if not piece:
        raise FileShrunkError.lacking(left)
    return piece


def read_at(file: io.FileIO, start: int, size: int) -> bytes:
    """Read up to ``size`` bytes of a file from byte ``start`` on; none at its end. Blocks."""
    file.seek(start)
    return file.read(size)
