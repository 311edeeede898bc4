"""One connection of the client: the consumer of its stream.

It carries one :class:`~gustnado.http.client.fetch.Fetch` at a time. Bytes go to the parser, and :meth:`_advance`
moves as far as they allow: informational heads, the head, the body piece by piece to the fetch. Rules:

- A connection on which anything went wrong, or on which anything arrives while it is idle, is closed and never
  used again.
- While the program is busy with a piece of the body, nothing more is read from the network.
- Decoding a body costs at most so many pieces in one turn of the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from gustnado.errors import HTTPInputError
from gustnado.events.socket_state import closed_after_all, has_news
from gustnado.events.stream import SSLIOStream
from gustnado.events.yieldables import convert_yielded
from gustnado.http.client.errors import (
    CallbackFailedError,
    ExcessDataError,
    HTTPStreamClosedError,
    MalformedResponseError,
    ResponseHeadTooLargeError,
    ResponseTooLargeError,
)
from gustnado.http.client.fetch import READING
from gustnado.http.client.sender import BodySender, ProducedBody, WholeBody
from gustnado.http.h1.response_parser import ResponseParser
from gustnado.http.limits import Limits
from gustnado.log import gen_log

if TYPE_CHECKING:
    from collections.abc import Hashable

    from gustnado.events.stream import IOStream
    from gustnado.http.client.decompression import DecodedBody
    from gustnado.http.client.fetch import Fetch
    from gustnado.http.client.simple import SimpleAsyncHTTPClient

__all__ = ["ClientConnection"]

_PIECE = 65536
_PIECES_A_TURN = 16
_CONTINUE_TIMEOUT = 1.0  # seconds; many servers never answer, and curl waits as long
# Tornado's words, which programs look for; it does not know the peer there, either.
_MALFORMED = "Malformed HTTP message from None: %s"
_SMALL = 65536  # bodies up to this size leave in one write with their head


class ClientConnection:
    """See the module.

    :param client: told when the connection is free again, or closed.
    :param key: what it has in common with those that can stand in for it.
    :param stream: connected, and with TLS where that is wanted.
    :param limits: of heads and of what is read to be dropped.
    :ivar served: responses that have been read to their end.
    :ivar idle_since: when the last of them was, on the loop's clock.
    :ivar was_taken: the peer has closed in order, and not before it had received the whole request. False where
        that is not known: not on Linux, or over TLS where the peer left without a word, or waits for ours.
    """

    __slots__ = (
        "_advancing", "_body", "_client", "_closing", "_ended", "_error", "_expecting", "_limits", "_loop",
        "_paused", "_sender", "_waiting", "fetch", "idle_since", "is_congested", "key", "parser", "served", "stream",
        "was_taken",
    )  # fmt: skip

    def __init__(
        self, client: SimpleAsyncHTTPClient, key: Hashable, stream: IOStream, limits: Limits
    ) -> None:
        self._client = client
        self._loop = client.asyncio_loop
        self._limits = limits
        self.key = key
        self.stream = stream
        self.parser = ResponseParser(limits)
        self.fetch: Fetch | None = None
        self.served = 0
        self.idle_since = 0.0
        self.was_taken = False
        self.is_congested = False
        self._closing = False  # close() has been called: TLS may come back to us from within it
        self._sender: BodySender | None = None  # of a body that does not leave with its head
        self._expecting: asyncio.TimerHandle | None = None  # how long to wait for 100 Continue
        self._body: ResponseParser | DecodedBody | None = None
        self._advancing = False
        self._paused = False
        self._waiting: asyncio.Future[Any] | None = None  # what the program is busy with
        self._ended = False  # nothing more will come
        self._error: BaseException | None = None
        stream.attach_consumer(self)

    # -- the request ----------------------------------------------------------------------------------

    def is_stale(self) -> bool:
        """Whether the peer has closed, or spoken unasked, since the last response; the loop may not know yet."""
        if self._ended or self.stream.transport is None:
            return True
        # Over TLS bytes may be anything, such as tickets for later connections.
        return has_news(self.stream.socket, only_end=isinstance(self.stream, SSLIOStream))

    def send(self, fetch: Fetch) -> None:
        """Write the request of ``fetch``, and read its response from now on."""
        self.fetch = fetch
        self.parser.begin(fetch.method)
        self._body = None
        transport = self.stream.transport
        if transport is None or self._ended:
            self._loop.call_soon(self.connection_lost, self._error)
            return
        body = fetch.body
        if fetch.producer is None and not (body and (len(body) > _SMALL or fetch.settings.expect_100_continue)):
            transport.write(fetch.head + body if body else fetch.head)
            return
        transport.write(fetch.head)
        if fetch.producer is not None:
            self._sender = ProducedBody(self, fetch.producer, fetch.headers.get("Content-Length"))
        else:
            self._sender = WholeBody(self, body or b"")
        if fetch.settings.expect_100_continue:
            self._expecting = self._loop.call_later(_CONTINUE_TIMEOUT, self._sender.start)
        else:
            self._sender.start()

    def write(self, data: bytes | memoryview) -> None:
        """Write a piece of the body of the request."""
        transport, fetch = self.stream.transport, self.fetch
        if transport is not None and fetch is not None:
            transport.write(data)
            self._client.watch(fetch, fetch.phase)

    # -- the response ---------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Take bytes from the stream."""
        if self.fetch is None:
            self.close()  # who speaks without being asked might answer the next request beforehand
            return
        self.parser.feed(data)
        if self._waiting is not None or self._advancing:
            self._pause()
        else:
            self._advance()

    def _advance(self) -> None:
        """Go as far as the bytes that have arrived allow."""
        fetch = self.fetch
        if fetch is None or self._advancing:
            return
        self._advancing = True
        try:
            if self._body is not None or self._read_head(fetch):
                self._read_body(fetch)
        except HTTPInputError as error:
            self._refuse(error)
        except Exception as error:
            if isinstance(error, HTTPStreamClosedError) and not isinstance(error, CallbackFailedError):
                gen_log.info(_MALFORMED, error)
            self.fail(error)
        finally:
            self._advancing = False

    def _read_head(self, fetch: Fetch) -> bool:
        """Read heads up to the final one; false while that has not arrived."""
        parser = self.parser
        while parser.parse_head():
            if parser.code >= 200:
                self._body = fetch.head_received(parser)
                return True
            if parser.code == 100:
                self._continue()
            elif parser.code == 101:
                raise HTTPInputError("101 Switching Protocols, which nobody has asked for")
        self._read_on(fetch)
        return False

    def _continue(self) -> None:
        """The server wants the body (RFC 9110 section 10.1.1)."""
        if self._expecting is not None and self._sender is not None:
            self._expecting.cancel()
            self._sender.start()

    def _read_body(self, fetch: Fetch) -> None:
        body = self._body
        if body is None:
            return
        if fetch.discarding:
            self._discard(fetch)
            return
        pieces = _PIECES_A_TURN
        while not body.complete:
            chunk = body.read_body(_PIECE)
            if chunk:
                if fetch.sink is None:
                    fetch.chunks.append(chunk)
                    continue
                pending = fetch.sink(chunk)
                if pending is not None:
                    self._wait(pending)
                    return
                pieces -= 1
                if not pieces:
                    self._yield()
                    return
            elif body.complete:
                break
            elif body.stalled:
                self._yield()
                return
            elif not self._ended or self._error is not None or not self.parser.end_of_input():
                self._read_on(fetch)
                return
        self._finish(fetch)

    def _discard(self, fetch: Fetch) -> None:
        """Read a body that nobody wants, if it is short; else do without the connection."""
        parser = self.parser
        while not parser.complete:
            most = self._limits.max_unread_body
            if parser.until_close or parser.body_left() > most or parser.body_read() > most:
                break
            if parser.read_body(_PIECE):
                continue
            if parser.stalled:
                self._yield()
                return
            if not parser.complete:
                self._read_on(fetch)
                return
        self._finish(fetch)

    def _read_on(self, fetch: Fetch) -> None:
        """More is needed than has arrived."""
        if self._ended:
            self._lose(fetch)
            return
        self._resume()
        self._client.watch(fetch, READING if self.parser.started else fetch.phase)

    def _yield(self) -> None:
        """Go on after others had their turn."""
        self._pause()
        self._loop.call_soon(self._advance)

    def _wait(self, pending: Awaitable[None]) -> None:
        """Go on when the program is ready for more."""
        self._pause()
        self._waiting = future = convert_yielded(pending)
        fetch = self.fetch
        if fetch is not None:
            self._client.watch(fetch, READING, pausing=True)
        future.add_done_callback(self._waited)

    def _waited(self, future: asyncio.Future[Any]) -> None:
        self._waiting = None
        fetch = self.fetch
        error = asyncio.CancelledError() if future.cancelled() else future.exception()
        if fetch is None:
            return
        if error is None:
            self._advance()
        else:
            failure = fetch.blame_callback(error)
            failure.__cause__ = error
            self.fail(failure)

    def _finish(self, fetch: Fetch) -> None:
        """The response has been read to its end."""
        parser = self.parser
        if parser.complete and parser.pending():
            raise ExcessDataError(f"{parser.pending()} bytes more than the response from {fetch.url.authority} has")
        self.fetch = None
        self._body = None
        self.served += 1
        if self._may_keep(fetch):
            self._resume()
            self._client.keep(self, parser)
        else:
            self.close()
        fetch.complete()

    def _may_keep(self, fetch: Fetch) -> bool:
        """Whether request and response have ended where they should, and both sides want to go on."""
        was_sent = True
        if self._sender is not None:
            was_sent = self._sender.finished
            self._stop_sender()
        return (
            was_sent and self.parser.complete and self.parser.keep_alive and not fetch.close_after and not self._ended
        )

    # -- the end --------------------------------------------------------------------------------------

    def eof_received(self) -> bool:
        """The peer will send no more."""
        self._ended = True
        fetch = self.fetch
        if fetch is None:
            self.close()
            return False
        self.was_taken = self._is_sent() and closed_after_all(self.stream.socket)
        if self._waiting is None and not self._paused:
            self._advance()
            return False
        return True

    def _is_sent(self) -> bool:
        """Whether the request has left this process."""
        transport = self.stream.transport
        if transport is None or transport.get_write_buffer_size():
            return False
        return self._sender is None or self._sender.finished

    def connection_lost(self, exc: BaseException | None) -> None:
        """The stream has closed."""
        self._ended = True
        self._error = exc
        fetch = self.fetch
        if fetch is None:
            self._client.lost(self)
        elif self._waiting is None and not self._advancing and not self._paused:
            if self._body is not None and exc is None:
                self._advance()
            else:
                self._lose(fetch)

    def _lose(self, fetch: Fetch) -> None:
        self.fetch = None
        self._stop_sender()
        self.stream.close()
        fetch.connection_ended(self, self._error)

    def _refuse(self, error: HTTPInputError) -> None:
        """What came is no response."""
        kind: type[HTTPStreamClosedError]
        if error.status == 431:
            kind = ResponseHeadTooLargeError
            gen_log.info("Unsatisfiable read, closing connection: %s", error)
        else:
            kind = ResponseTooLargeError if error.status == 413 else MalformedResponseError
            gen_log.info(_MALFORMED, error)
        failure = kind(str(error))
        failure.__cause__ = error
        self.fail(failure)

    def fail(self, error: BaseException) -> None:
        """Close, and tell the fetch why."""
        fetch = self.fetch
        self.abandon()
        if fetch is not None:
            fetch.connection = None
            fetch.fail(error)

    def abandon(self) -> None:
        """Close at once, whatever is on its way; the fetch is not told."""
        self.fetch = None
        self._stop_sender()
        if self._waiting is not None:
            self._waiting.cancel()
        self.stream.abort()

    def close(self) -> None:
        """Close an idle connection, or one that has served its last request; again does nothing."""
        if self._closing:
            return
        self._closing = True
        self.stream.close()
        if isinstance(self.stream, SSLIOStream):
            # TLS would wait for the peer's farewell, perhaps longer than the loop runs. Ours is on its way.
            self.stream.abort()
        self._client.lost(self)

    # -- flow -----------------------------------------------------------------------------------------

    def _stop_sender(self) -> None:
        sender, self._sender = self._sender, None
        if self._expecting is not None:
            self._expecting.cancel()
            self._expecting = None
        if sender is not None:
            sender.stop()

    def pause_writing(self) -> None:
        """The stream holds more unsent bytes than it should."""
        self.is_congested = True

    def resume_writing(self) -> None:
        """The stream has room again."""
        self.is_congested = False
        if self._sender is not None:
            self._sender.resume()

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self.stream.pause_reading()

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            self.stream.resume_reading()
