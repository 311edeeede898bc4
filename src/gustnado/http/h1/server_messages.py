"""From the bytes of one HTTP/1 connection to delegates, request after request.

Theory of operation: each chunk goes to the parser, and :meth:`ServerMessages._advance` moves as far as the
bytes allow, through the states of :mod:`gustnado.http.h1.states`.
"""

from __future__ import annotations

import contextvars
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from gustnado.errors import HTTPInputError, StreamClosedError
from gustnado.http.delegates import HTTPMessageDelegate
from gustnado.http.h1.request_connection import RequestConnection
from gustnado.http.h1.server_life import ServerLife
from gustnado.http.h1.states import BODY, CLOSED, DRAIN, HEAD, LINGER, REFUSED, RESPOND
from gustnado.http.h1.writer import informational, refusal
from gustnado.http.messages import RequestStartLine
from gustnado.log import app_log

if TYPE_CHECKING:
    import asyncio

    from gustnado.events.stream import IOStream
    from gustnado.http.h1.parameters import HTTP1ConnectionParameters
    from gustnado.http.sweeper import Sweeper

__all__ = ["ServerMessages"]


class ServerMessages(ServerLife):
    """A connection that reads requests and hands them to delegates."""

    __slots__ = (
        "_advancing", "_body_since", "_body_timeout", "_born", "_context", "_dropped", "_in_head",
        "_keeps_alive", "_max_age", "_max_requests", "_max_turns", "_min_body_rate", "_requests", "_waiting",
    )  # fmt: skip

    def __init__(
        self, stream: IOStream, params: HTTP1ConnectionParameters, context: object | None, sweeper: Sweeper
    ) -> None:
        ServerLife.__init__(self, stream, params, context, sweeper)
        limits = self.limits
        self._context = contextvars.copy_context()  # of no request
        self._advancing = False
        self._waiting: asyncio.Future[Any] | None = None  # the delegate's, before more of the body
        self._requests = 0
        self._keeps_alive = not params.no_keep_alive
        self._max_requests = limits.max_requests
        self._max_turns = limits.max_pipelined
        self._max_age = limits.max_connection_age or float("inf")
        self._born = self._body_since = sweeper.now
        self._body_timeout = limits.body_timeout
        self._min_body_rate: float = limits.min_body_rate
        self._in_head = False  # the first byte of a head has arrived
        self._dropped = 0  # bytes of a body that nobody wants

    def _advance(self) -> None:
        """Go as far as the bytes that have arrived allow."""
        if self._advancing:
            return
        self._advancing = True
        parser = self._parser
        turns = 0
        try:
            while True:
                if self._state == HEAD:
                    if not parser.pending():
                        self._read_on()
                        break
                    if self._waiters is not None:
                        self._pause()  # a client that does not read what it asked for gets no more
                        break
                    if turns >= self._max_turns:
                        self._pause()
                        self._loop.call_soon(self._advance)
                        break
                    if not parser.parse_head():
                        if not self._in_head:
                            self._in_head = True  # its deadline runs from its first byte
                            self._since = self.sweeper.now
                        self._read_on()
                        break
                    turns += 1
                    self._begin()
                elif self._state == BODY:
                    if self._waiting is not None or not self._read_body():
                        break
                elif self._state == DRAIN:
                    if not self._drain():
                        break
                else:
                    break
        except HTTPInputError as error:
            self._refuse(error)
        finally:
            self._advancing = False

    def _begin(self) -> None:
        """Hand the head that has been parsed to the program, in a context of its own."""
        parser = self._parser
        self._in_head = False
        self._requests += 1
        keep_alive = parser.keep_alive and self._keeps_alive and parser.method != "CONNECT"
        self._request = request = RequestConnection.__new__(RequestConnection)
        request._open(self, parser.method == "HEAD", parser.http11, keep_alive)
        self._request_context = context = self._context.copy()
        self._state = RESPOND
        if not parser.complete:
            self._state = BODY
            self._since = self._body_since = self.sweeper.now
            self._body_timeout = self.limits.body_timeout
            self._min_body_rate = self.limits.min_body_rate
        context.run(self._deliver, request)
        if self._state == BODY and self._waiting is None:
            self._want_body()

    def _deliver(self, request: RequestConnection) -> None:
        """Hand a head to the program, and the end of the message where there is no body."""
        if self._delegate is None:
            return
        parser = self._parser
        try:
            request._delegate = delegate = self._delegate.start_request(self, request)
            if isinstance(delegate, HTTPMessageDelegate):
                message = delegate
                pending = message.head_received(parser.method, parser.target, parser.version, parser.headers)  # type: ignore[arg-type]
            else:
                start_line = RequestStartLine(parser.method, parser.target, parser.version)
                pending = delegate.headers_received(start_line, parser.headers)
            if pending is not None:
                self._wait(pending)
            elif self._state == RESPOND and self._request is request:
                delegate.finish()
        except HTTPInputError:
            raise
        except Exception:
            self._fail("a request")

    def _want_body(self) -> None:
        """The program has seen the head and did not answer yet: the body may come."""
        self._parser.check_body_size()
        if self._parser.expects_continue and not self._parser.pending():
            request = self._request
            if request is None or request.head_written:
                return
            self._parser.expects_continue = False
            self.write(informational(100))

    def _read_body(self) -> bool:
        """Hand a piece of the body to the program. False: there is none, or it is to wait."""
        parser = self._parser
        request, context = self._request, self._request_context
        if request is None or context is None or request._delegate is None:
            return False
        chunk = parser.read_body(self.params.chunk_size)
        if chunk:
            self._since = self.sweeper.now
            try:
                pending = context.run(request._delegate.data_received, chunk)
            except HTTPInputError:
                raise
            except Exception:
                self._fail("a body")
                return False
            if pending is not None:
                context.run(self._wait, pending)
                return False
            if self._state != BODY:
                return True
        if parser.complete:
            self._state = RESPOND
            self._finish_message()
            return True
        if parser.stalled:
            self._pause()
            self._loop.call_soon(self._advance)
            return False
        if not chunk:
            self._read_on()
        return bool(chunk)

    def _finish_message(self) -> None:
        request, context = self._request, self._request_context
        if request is None or context is None or request._delegate is None:
            return
        trailers = self._parser.trailers()
        try:
            if trailers is not None and isinstance(request._delegate, HTTPMessageDelegate):
                context.run(request._delegate.trailers_received, trailers)
            context.run(request._delegate.finish)
        except HTTPInputError:
            raise
        except Exception:
            self._fail("a request")

    def _wait(self, pending: Awaitable[None]) -> None:
        """Read no further before the delegate is ready."""
        self._waiting = future = self.sweeper.start(pending)
        if future.done():
            self._loop.call_soon(self._waited, future)
        else:
            future.add_done_callback(self._waited)

    def _waited(self, future: asyncio.Future[Any]) -> None:
        error = None if future.cancelled() else future.exception()
        if self._waiting is not future or self._request is None:
            if error is not None and not isinstance(error, (HTTPInputError, StreamClosedError)):
                app_log.error("Uncaught exception in a delegate, %s", self.peer(), exc_info=error)
            return
        self._waiting = None
        now = self.sweeper.now
        self._body_since += now - self._since  # the client is not to blame for this time
        self._since = now
        try:
            if future.cancelled():
                self.abort()
            elif isinstance(error, HTTPInputError):
                self._refuse(error)
            elif error is not None:
                app_log.error("Uncaught exception in a delegate, %s", self.peer(), exc_info=error)
                self.abort()
            elif self._state == RESPOND:
                self._finish_message()
            else:
                self._want_body()
                self._advance()
        except HTTPInputError as refused:
            self._refuse(refused)

    def _drain(self) -> bool:
        """Drop what is left of a request that has been answered."""
        parser = self._parser
        chunk = parser.read_body(65536)
        self._dropped += len(chunk)
        if parser.complete:
            self._next_request()
            return True
        if self._dropped > self.limits.max_unread_body:
            self._linger()
            return False
        if parser.stalled:
            self._pause()
            self._loop.call_soon(self._advance)
            return False
        self._resume()
        return bool(chunk)

    def resume_writing(self) -> None:
        """The stream has room again: for responses, and so for further requests."""
        ServerLife.resume_writing(self)
        self._loop.call_soon(self._advance)

    # What a response asks and tells

    def speaks_http11(self) -> bool:
        """The request in flight is HTTP/1.1."""
        return self._parser.http11

    def may_keep_alive(self) -> bool:
        """Whether the connection can be kept after the response that is about to begin."""
        if self.closing or self._requests >= self._max_requests or (self.eof and not self._parser.pending()):
            return False
        if self.sweeper.now - self._born > self._max_age:
            return False
        if self._state != BODY:
            return True
        # A client that was not told to continue may send its body or not: nobody can tell what comes next.
        return not self._parser.expects_continue and self._parser.body_left() <= self.limits.max_unread_body

    def response_done(self, request: RequestConnection) -> None:
        """The response to ``request`` has been written."""
        if self._held:
            self._answered = request  # but for a file, and what comes behind it
            return
        keep_alive = request.keep_alive
        self._waiting = None
        request.release()
        self._request = None
        self._request_context = None
        if self._state == RESPOND:
            if keep_alive:
                self._next_request()
            elif self._parser.pending():
                self._linger()
            else:
                self._close_after_output()
        elif self._state == BODY:
            self._dropped = 0
            self._since = self.sweeper.now
            if keep_alive:
                self._state = DRAIN
            else:
                self._linger()
        elif self._state == REFUSED:
            self._linger()
        if not self._advancing and (self._paused or self._state == DRAIN or self._parser.pending()):
            self._loop.call_soon(self._advance)

    def _next_request(self) -> None:
        self._parser.next_message()
        self._state = HEAD
        self._since = self.sweeper.now

    def max_body_size(self) -> int:
        """The bound of the body in flight, in bytes; -1 is none."""
        return self._parser.max_body_size

    def set_max_body_size(self, request: RequestConnection, max_body_size: int) -> None:
        """See :meth:`RequestConnection.set_max_body_size`."""
        if request is self._request and self._state == BODY:
            self._parser.max_body_size = max_body_size

    def set_body_pace(self, request: RequestConnection, timeout: float, min_rate: float) -> None:
        """See :meth:`RequestConnection.set_body_timeout` and ``set_min_body_rate``; -1 leaves one as it is."""
        if request is self._request:
            if timeout >= 0:
                self._body_timeout = timeout
            if min_rate >= 0:
                self._min_body_rate = min_rate

    # Trouble

    def _fail(self, what: str) -> None:
        """A delegate raised: there is nobody to answer, so the connection closes."""
        app_log.error("Uncaught exception while delivering %s, %s", what, self.peer(), exc_info=True)
        self.abort()

    def _refuse(self, error: HTTPInputError) -> None:
        """Answer what could not be read, and close."""
        # As text: a record that somebody keeps would keep the error, its frames, and so this connection.
        if error.status == 408:
            self.sweeper.refusals.info("%s, from %s", str(error), self.peer())
        elif self.params.like_tornado and error.status in (414, 431):
            said = "Unsatisfiable read, closing connection: %s, from %s"
            self.sweeper.refusals.info(said, str(error), self.peer())
        else:
            self.sweeper.refusals.info("Malformed HTTP message from %s: %s", self.peer(), str(error))
        if not self.params.like_tornado and self._refused_by_program(error):
            return
        request, self._request = self._request, None
        answerable = self._state != DRAIN if request is None else not request.head_written
        if request is not None:
            self._tell_closed(request)
            request.release()
        if self._state in (LINGER, CLOSED):
            return
        self._request_context = None
        if not self.params.like_tornado:
            if answerable:
                self.write(refusal(error.status, self.sweeper.date))
        elif error.status in (408, 414, 431):
            self.stream.close()
            return
        elif answerable:
            self.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self._linger()

    def _refused_by_program(self, error: HTTPInputError) -> bool:
        """Let the program answer, where it has seen the head and begun no answer."""
        request, context = self._request, self._request_context
        if request is None or context is None or request.head_written:
            return False
        delegate = request._delegate
        if not isinstance(delegate, HTTPMessageDelegate):
            return False
        state, self._state = self._state, REFUSED
        self._parser.take_rest()
        request.keep_alive = False
        try:
            answers = context.run(delegate.refused, error)
        except Exception:
            self._fail("a refusal")
            return True
        if answers:
            self._resume()
        elif self._state == REFUSED:
            self._state = state
        return bool(answers)
