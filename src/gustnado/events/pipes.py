"""Streams over pipes.

>>> import os
>>> async def main():
...     readable, writable = os.pipe()
...     source, sink = PipeIOStream(readable), PipeIOStream(writable)
...     sink.write(b"through the pipe")
...     sink.close()
...     print(await source.read_until_close())
>>> import asyncio
>>> asyncio.run(main())
b'through the pipe'
"""

from __future__ import annotations

import io
import os
import sys

from gustnado.errors import UsageError
from gustnado.events.loop import IOLoop
from gustnado.events.stream_base import BaseIOStream

__all__ = ["PipeIOStream"]


class PipeIOStream(BaseIOStream):
    """A stream over one end of a pipe: either for reading or for writing.

    Not available on Windows, where the event loop cannot watch pipes.

    :param fd: a descriptor, as from :func:`os.pipe`; the stream owns it from now on.
    :raises gustnado.errors.UsageError: on Windows.

    The other parameters are those of :class:`BaseIOStream`.
    """

    __slots__ = ("_file", "fd")

    def __init__(
        self,
        fd: int,
        max_buffer_size: int | None = None,
        read_chunk_size: int | None = None,
        max_write_buffer_size: int | None = None,
        io_loop: IOLoop | None = None,
    ) -> None:
        if sys.platform == "win32":
            raise UsageError("PipeIOStream is not supported on Windows")
        self.fd = fd
        # The mode is not looked at: it only says that the descriptor is ours to close.
        self._file = io.FileIO(fd, "r+")
        os.set_blocking(fd, False)
        super().__init__(max_buffer_size, read_chunk_size, max_write_buffer_size, io_loop)

    def fileno(self) -> int:
        return self.fd

    def close_fd(self) -> None:
        self._file.close()

    def write_to_fd(self, data: memoryview) -> int:
        return os.write(self.fd, data)

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        # FileIO says None where os.read raises BlockingIOError; but it refuses a descriptor opened for
        # writing, where the kernel's own answer (EBADF) is what the transport wants to see.
        return self._file.readinto(buf)
