"""What a server writes on one HTTP/1 connection, and when it leaves.

What is written is collected, and leaves when the loop has dealt with the events of its turn: answers to
pipelined requests in one write, those to many connections in a burst. Where the peer is slow, a write
returns a future that waits for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gustnado.http.h1.request_connection import RequestServer
from gustnado.http.shared import release

if TYPE_CHECKING:
    import asyncio

    from gustnado.events.stream import IOStream
    from gustnado.http.h1.parameters import HTTP1ConnectionParameters
    from gustnado.http.sweeper import Sweeper

__all__ = ["ServerOutput"]

_MAX_OUTPUT = 65536  # more than this is handed over at once, so that writing meets backpressure


class ServerOutput(RequestServer):
    """The half of a connection that writes.

    :ivar limits: its :class:`~gustnado.http.limits.Limits`.
    """

    __slots__ = ("_held", "_loop", "_output", "_output_size", "_since", "_waiters", "_write_size", "limits")

    def __init__(
        self, stream: IOStream, params: HTTP1ConnectionParameters, context: object | None, sweeper: Sweeper
    ) -> None:
        RequestServer.__init__(self, stream, params, context, sweeper)
        self._loop: asyncio.AbstractEventLoop = stream.io_loop.asyncio_loop
        self.limits = params.limits
        self._since = sweeper.now  # something has been waited for
        self._waiters: list[asyncio.Future[None]] | None = None  # of writes, while the peer is slow
        self._output: list[bytes] = []
        self._output_size = 0
        self._write_size = 0
        self._held = False  # what is written waits: something else is being sent

    def write(self, data: bytes) -> asyncio.Future[None]:
        """Write to the stream; the future is pending while the peer is slow."""
        if data:
            output = self._output
            if not output:
                self.sweeper.flush_soon(self)
            output.append(data)
            self._output_size += len(data)
            if self._output_size > _MAX_OUTPUT:
                self.flush()
        if self._waiters is None:
            return self.sweeper.done
        future: asyncio.Future[None] = self._loop.create_future()
        self._waiters.append(future)
        return future

    def flush(self) -> None:
        """Hand over to the transport what has been written."""
        output = self._output
        if not output or self._held:
            return
        self._output = []
        self._output_size = 0
        transport = self.stream.transport
        if transport is not None:
            transport.write(output[0] if len(output) == 1 else b"".join(output))

    def pause_writing(self) -> None:
        """The stream holds more unsent bytes than it should."""
        if self._waiters is None:
            self._waiters = []
        self._since = self.sweeper.now

    def resume_writing(self) -> None:
        """The stream has room again."""
        self._since = self.sweeper.now
        self._release_waiters(None)

    def _release_waiters(self, error: BaseException | None) -> None:
        waiters, self._waiters = self._waiters, None
        if waiters is not None:
            release(waiters, error)

    def sweep(self, now: float) -> None:
        """See :class:`~gustnado.http.shared.Swept`."""
        raise NotImplementedError

    def peer(self) -> str:
        """The peer, for a log line."""
        return str(self.context if self.context is not None else self.stream.get_peername())
