"""Parts of files in the output of one HTTP/1 connection: they go around the transport, and what follows waits.

While a file is sent the connection holds back what is written, as it does for a slow peer: the futures of writes are
pending, no further request begins, and the end of the response is put off. Before it, all that was written must have
left the transport; what has not been handed over to it yet goes with the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gustnado.errors import StreamClosedError
from gustnado.http.h1.request_connection import RequestConnection
from gustnado.http.h1.server_output import ServerOutput

if TYPE_CHECKING:
    import asyncio

    from gustnado.events.file_sender import FileSender
    from gustnado.events.stream import IOStream
    from gustnado.http.h1.parameters import HTTP1ConnectionParameters
    from gustnado.http.sweeper import Sweeper

__all__ = ["ServerFiles"]


class ServerFiles(ServerOutput):
    """A connection that can send files."""

    __slots__ = ("_answered", "_file_future", "_sender", "_waits_for_drain")

    def __init__(
        self, stream: IOStream, params: HTTP1ConnectionParameters, context: object | None, sweeper: Sweeper
    ) -> None:
        ServerOutput.__init__(self, stream, params, context, sweeper)
        self._sender: FileSender | None = None
        self._file_future: asyncio.Future[None] | None = None
        self._answered: RequestConnection | None = None  # its response ends with the file
        self._waits_for_drain = False

    def can_write_file(self) -> bool:
        """Whether the connection sends files by itself, and none is being sent."""
        return self._sender is None and bool(self.sweeper.can_send_files(self.stream))

    def write_file(self, before: bytes, file: int, offset: int, count: int, behind: bytes) -> asyncio.Future[None]:
        """See :meth:`RequestServer.write_file`; to be called where :meth:`can_write_file`."""
        prefix = b"".join(self._output) + before
        self._output = []
        self._output_size = 0
        self._file_future = future = self.sweeper.new_future()
        self._sender = sender = self.sweeper.file_sender(self.stream, file, offset, count, prefix, self._file_sent)
        self._held = True
        self._since = self.sweeper.now
        if self._waiters is None:
            self._waiters = []
        if behind:
            self.write(behind)
        transport = self.stream.transport
        if transport is not None and transport.get_write_buffer_size():
            self._waits_for_drain = True
            self.sweeper.watch_drain(self.stream, True)
        else:
            sender.start()
        return future

    def resume_writing(self) -> None:
        """The stream has room again; where a file waits for that, it has sent everything."""
        if self._sender is None:
            ServerOutput.resume_writing(self)
        elif self._waits_for_drain:
            self._end_drain()
            self._sender.start()

    def _end_drain(self) -> None:
        self._waits_for_drain = False
        self.sweeper.watch_drain(self.stream, False)

    def _file_sent(self, error: Exception | None) -> None:
        """The sender has ended."""
        self._sender = None
        self._held = False
        if error is not None:
            if not isinstance(error, StreamClosedError):  # which the future gets when the connection is gone
                future, self._file_future = self._file_future, None
                if future is not None and not future.done():
                    future.set_exception(error)
            self.abort()
            return
        self.flush()
        self._since = self.sweeper.now
        self._release_waiters(None)
        future, self._file_future = self._file_future, None
        if future is not None and not future.done():
            future.set_result(None)
        request, self._answered = self._answered, None
        if request is not None:
            self.response_done(request)

    def _drop_file(self) -> None:
        """The connection is gone, or somebody else's."""
        sender, self._sender = self._sender, None
        self._held = False
        self._answered = None
        if sender is not None:
            sender.stop()
        future, self._file_future = self._file_future, None
        if future is not None and not future.done():
            future.set_exception(StreamClosedError())
            future.exception()  # who has stopped waiting need not hear of it
