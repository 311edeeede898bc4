"""Reading responses from a stream, for delegates: the client's half of :class:`HTTP1Connection`.

While it reads, the reader is the consumer of its stream: what arrives goes to the parser, and a coroutine takes
it from there at the pace of the delegate. Afterwards the stream is an ordinary one again, with the bytes
that were not part of the response.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from gustnado.errors import HTTPInputError
from gustnado.http.delegates import HTTPMessageDelegate
from gustnado.http.h1.response_parser import ResponseParser
from gustnado.http.message_decoding import DecodedMessage
from gustnado.http.messages import ResponseStartLine
from gustnado.log import app_log, gen_log

if TYPE_CHECKING:
    from gustnado.events.stream import IOStream
    from gustnado.http.h1.parameters import HTTP1ConnectionParameters

__all__ = ["ResponseReader"]

_MAX_HELD = 256 * 1024  # unread bytes above which reading pauses


class ResponseReader:
    """Reads the responses of one stream, one :meth:`read` each.

    :ivar max_body_size: bytes of a body; -1 is no bound.
    :ivar body_timeout: seconds for a whole body; 0 is no bound.
    :ivar close_callback: called where the connection closes before the response ended.
    """

    def __init__(self, stream: IOStream, params: HTTP1ConnectionParameters, context: object) -> None:
        self.max_body_size = params.max_body_size if params.explicit_max_body_size else stream.max_buffer_size
        self.body_timeout = params.body_timeout if "body_timeout" in params.given else 0.0
        self.close_callback: Callable[[], object] | None = None
        self._header_timeout = params.header_timeout if "header_timeout" in params.given else 0.0
        self._stream = stream
        self._params = params
        self._context = context
        self._parser = ResponseParser(params.limits)
        self._arrived = asyncio.Event()
        self._ended = False
        self._attached = False
        self._paused = False

    async def read(self, method: str, delegate: HTTPMessageDelegate) -> bool:
        """Read the response to a request of ``method``; see :meth:`HTTP1Connection.read_response`."""
        if self._params.decompress:
            delegate = DecodedMessage(delegate, lambda: self.max_body_size, self._params.chunk_size)
        self._attach()
        self._parser.begin(method)
        try:
            await self._read_message(delegate)
        except HTTPInputError as error:
            gen_log.info("Malformed HTTP message from %s: %s", self._context, error)
            return self._fail(delegate)
        except _Gone:
            return self._fail(delegate)
        except TimeoutError:
            gen_log.info("Timeout reading body from %s", self._context)
            return self._fail(delegate)
        except Exception:
            app_log.error("Uncaught exception in a delegate, %s", self._context, exc_info=True)
            return self._fail(delegate)
        if not self._attached:
            return False  # detached meanwhile
        keep = (self._parser.keep_alive or self._parser.code == 101) and not self._ended
        self.detach()
        if not keep:
            self._stream.close()
        return keep

    def detach(self) -> None:
        """Leave the stream to others, with what has arrived and is not read."""
        if self._attached:
            self._attached = False
            self._stream.detach_consumer(self._parser.take_rest())
            self._resume()
            self._arrived.set()

    async def _read_message(self, delegate: HTTPMessageDelegate) -> None:
        parser = self._parser
        async with _deadline(self._header_timeout):
            while not await self._read_head(delegate):
                pass
        if not self._attached:
            return
        if parser.code == 101:
            delegate.finish()  # what follows is of another protocol
            return
        parser.max_body_size = self.max_body_size
        parser.check_body_size()
        async with _deadline(self.body_timeout):
            while not parser.complete:
                await self._read_piece(delegate)
        trailers = parser.trailers()
        if trailers is not None and isinstance(delegate, HTTPMessageDelegate):
            delegate.trailers_received(trailers)
        delegate.finish()

    async def _read_head(self, delegate: HTTPMessageDelegate) -> bool:
        """Read one head and deliver it. False: it was that of an informational response."""
        parser = self._parser
        while not parser.parse_head():
            await self._more()
        start_line = ResponseStartLine(parser.version, parser.code, parser.reason)
        await _wait(delegate.headers_received(start_line, parser.headers))  # type: ignore[arg-type]
        # 101 is the last of its protocol (RFC 9110 section 15.2.2).
        return parser.code >= 200 or parser.code == 101 or not self._attached

    async def _read_piece(self, delegate: HTTPMessageDelegate) -> None:
        parser = self._parser
        size = self._params.chunk_size
        chunk = parser.read_body(size)
        while parser.stalled and len(chunk) < size:
            await asyncio.sleep(0)  # many small chunks: others have their turn, the delegate gets few pieces
            chunk += parser.read_body(size - len(chunk))
        if chunk:
            await _wait(delegate.data_received(chunk))
        if parser.complete:
            return
        if parser.stalled:
            await asyncio.sleep(0)
        elif not chunk:
            await self._more()

    async def _more(self) -> None:
        """Wait for more bytes, or for the end that completes the response."""
        if self._ended:
            if not self._parser.end_of_input():
                raise _Gone
            return
        self._resume()
        self._arrived.clear()
        await self._arrived.wait()

    def _fail(self, delegate: HTTPMessageDelegate) -> bool:
        self._attached = False
        self._stream.detach_consumer()
        self._stream.close()
        callback, self.close_callback = self.close_callback, None
        try:
            delegate.on_connection_close()
            if callback is not None:
                callback()
        except Exception:
            app_log.error("Uncaught exception in a close callback, %s", self._context, exc_info=True)
        return False

    # The consumer of the stream

    def _attach(self) -> None:
        if not self._attached:
            self._attached = True
            self._stream.attach_consumer(self)

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            self._stream.resume_reading()

    def data_received(self, data: bytes) -> None:
        """See :class:`~gustnado.events.consumer.StreamConsumer`."""
        self._parser.feed(data)
        if self._parser.pending() > _MAX_HELD and not self._paused:
            self._paused = True
            self._stream.pause_reading()
        self._arrived.set()

    def eof_received(self) -> bool:
        """The peer will send no more."""
        self._ended = True
        self._arrived.set()
        return True

    def connection_lost(self, exc: BaseException | None) -> None:
        """The stream has closed."""
        self._ended = True
        self._arrived.set()

    def pause_writing(self) -> None:
        """The stream's own writes wait."""

    def resume_writing(self) -> None:
        """The stream's own writes go on."""


class _Gone(Exception):
    """The connection closed before the response ended."""


def _deadline(seconds: float) -> contextlib.AbstractAsyncContextManager[object]:
    return asyncio.timeout(seconds) if seconds > 0 else contextlib.nullcontext()


async def _wait(pending: Awaitable[None] | None) -> None:
    if pending is not None:
        await pending
