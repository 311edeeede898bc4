"""A server's side of one HTTP/1 connection: from the stream's bytes to delegates, and back.

Theory of operation. The connection is the *consumer* of its stream: each chunk goes to the parser, and
:meth:`HTTP1ServerConnection._advance` moves as far as the bytes allow, through the states

- ``HEAD``: between two requests, or within a head;
- ``BODY``: within a body, which goes to the delegate as it comes;
- ``RESPOND``: the request is complete, its response is not. Nothing more is parsed; what the client sends
  on stays in the parser, and reading pauses, so requests are answered strictly in order;
- ``DRAIN``: the response is complete and the request is not: what is left of it is dropped, up to a limit;
- ``LINGER``: the last response is on its way, and what still arrives is dropped until the peer closes
  (RFC 9112 section 9.6), so that it can read the answer;
- ``CLOSED``: the stream is gone, or belongs to another protocol.

What is written is collected, and leaves at the end of the loop's turn: answers to pipelined requests in one
write, those to many connections in a burst. Deadlines are looked at by :mod:`gustnado.http.sweeper`.
"""

from __future__ import annotations

import contextvars
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from gustnado.errors import HTTPInputError, StreamClosedError
from gustnado.http.delegates import HTTPMessageDelegate, HTTPServerConnectionDelegate
from gustnado.http.h1.connection import HTTP1Connection, HTTP1ConnectionParameters, RequestServer, tell_closed
from gustnado.http.h1.parser import RequestParser
from gustnado.http.h1.writer import informational, refusal
from gustnado.http.messages import RequestStartLine
from gustnado.http.sweeper import Sweeper
from gustnado.log import app_log, gen_log

if TYPE_CHECKING:
    import asyncio

    from gustnado.events.stream import IOStream

__all__ = ["HTTP1ServerConnection"]

HEAD, BODY, RESPOND, DRAIN, LINGER, CLOSED = range(6)

_RATE_AFTER = 10.0  # seconds that a body takes before its average rate counts: the first packets tell nothing
_MAX_OUTPUT = 65536  # more than this is handed over at once, so that writing meets backpressure


class HTTP1ServerConnection(RequestServer):
    """Serves the requests of one connection, one after the other.

    :param stream: a connected :class:`~gustnado.events.stream.IOStream`.
    :param params: how to behave; see :class:`HTTP1ConnectionParameters`.
    :param context: anything; requests find it as ``connection.context``.
    :param sweeper: the one of the server; a connection without a server has its own.
    """

    __slots__ = (
        "__weakref__", "_advancing", "_body_since", "_body_timeout", "_born", "_context", "_delegate",
        "_dropped", "_in_head", "_keeps_alive", "_loop", "_max_age", "_max_requests", "_max_turns",
        "_output", "_output_size", "_parser", "_paused", "_request", "_request_context", "_requests",
        "_since", "_state", "_waiters", "_waiting", "_write_size", "closing", "eof", "limits",
    )  # fmt: skip

    def __init__(
        self, stream: IOStream, params: HTTP1ConnectionParameters | None = None, context: object | None = None,
        sweeper: Sweeper | None = None,
    ) -> None:  # fmt: skip
        self._loop: asyncio.AbstractEventLoop = stream.io_loop.asyncio_loop
        params = params or HTTP1ConnectionParameters()
        RequestServer.__init__(self, stream, params, context, sweeper or Sweeper(self._loop))
        self.limits = self.params.limits
        self.closing = False  # answer what is in flight, then close
        self.eof = False
        self._parser = RequestParser(self.limits)
        self._delegate: HTTPServerConnectionDelegate | None = None
        self._request: HTTP1Connection | None = None
        self._context = contextvars.copy_context()  # of no request
        self._request_context: contextvars.Context | None = None
        self._state = HEAD
        self._advancing = False
        self._paused = False  # reading is
        self._waiting: asyncio.Future[Any] | None = None  # the delegate's, before more of the body
        self._waiters: list[asyncio.Future[None]] | None = None  # of writes, while the peer is slow
        self._output: list[bytes] = []
        self._output_size = 0
        self._requests = 0
        self._keeps_alive = not self.params.no_keep_alive
        self._max_requests = self.limits.max_requests
        self._max_turns = self.limits.max_pipelined
        self._max_age = self.limits.max_connection_age or float("inf")
        self._born = self._since = self._body_since = self.sweeper.now
        self._body_timeout = self.limits.body_timeout
        self._in_head = False  # the first byte of a head has arrived
        self._dropped = 0  # bytes of a body that nobody wants
        self._write_size = 0

    # Life

    def start_serving(self, delegate: HTTPServerConnectionDelegate) -> None:
        """Begin to read requests, for ``delegate``."""
        self._delegate = delegate
        self.sweeper.add(self)
        self._born = self._since = self.sweeper.now
        self.stream.attach_consumer(self)

    def close(self) -> asyncio.Future[None]:
        """Close at once where idle, else after the response, for which the returned future does not wait."""
        self.closing = True
        if self._state == HEAD:
            self.flush()
            self.stream.close()
        return self.sweeper.done

    def idle_since(self) -> float:
        """Since when, on the sweeper's clock, no request is in flight nor a byte of one here; else -1."""
        return self._since if self._state == HEAD and not self._parser.pending() else -1.0

    def is_closed(self) -> bool:
        """Whether the stream has closed, or has been given away."""
        return self._state == CLOSED

    def abort(self) -> None:
        """Close the connection now."""
        self.flush()
        self._state = LINGER
        self.stream.close()

    def detach(self, request: HTTP1Connection) -> IOStream:
        """Give the stream away; see :meth:`HTTP1Connection.detach`."""
        self.flush()
        self._leave()
        request.release()
        self.stream.detach_consumer(self._parser.take_rest())
        self._resume()
        return self.stream

    def _leave(self) -> None:
        self._state = CLOSED
        self._request = None
        self.sweeper.discard(self)
        if self._waiters is not None:
            self._release_waiters(StreamClosedError())
        delegate, self._delegate = self._delegate, None
        if delegate is not None:
            delegate.on_close(self)

    # Bytes in

    def data_received(self, data: bytes) -> None:
        """Take bytes from the stream."""
        if self._state == LINGER:
            return
        self._parser.feed(data)
        if self._waiting is not None or self._state == RESPOND or self._advancing:
            self._pause()
            return
        self._advance()

    def eof_received(self) -> bool:
        """The peer will send no more; it may still read."""
        self.eof = True
        if self._state == BODY and self._waiting is not None:
            return True  # the rest of the body may be here already
        if self._state != RESPOND:
            self._end_early()
            return False
        self._since = self.sweeper.now
        request = self._request
        if request is not None:
            request.keep_alive = request.keep_alive and self._parser.pending() > 0
            self._tell_closed(request)
        return True

    def _end_early(self) -> None:
        """No more will come of what is being read."""
        if self._state == BODY or (self._state == HEAD and self._parser.pending()):
            gen_log.info("%s closed the connection within a request", self.peer())
        self.flush()
        self.stream.close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """The stream has closed."""
        request = self._request
        self._output.clear()
        self._leave()
        if request is not None:
            self._tell_closed(request)
            request.release()
        self._request_context = None

    def pause_writing(self) -> None:
        """The stream holds more unsent bytes than it should."""
        self._waiters = []
        self._since = self.sweeper.now

    def resume_writing(self) -> None:
        """The stream has room again."""
        self._since = self.sweeper.now
        self._release_waiters(None)

    def _release_waiters(self, error: BaseException | None) -> None:
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if waiter.done():
                continue
            if error is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(error)
                waiter.exception()  # who has stopped waiting need not hear of it

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self.stream.pause_reading()

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            self.stream.resume_reading()

    def _read_on(self) -> None:
        """Nothing more can be done with what has arrived."""
        if self.eof:
            self._end_early()
        else:
            self._resume()

    # Requests

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
        self._request = request = HTTP1Connection.__new__(HTTP1Connection)
        request._open(self, parser.method == "HEAD", parser.http11, keep_alive)
        self._request_context = context = self._context.copy()
        self._state = RESPOND
        if not parser.complete:
            self._state = BODY
            self._since = self._body_since = self.sweeper.now
            self._body_timeout = self.limits.body_timeout
        context.run(self._deliver, request)
        if self._state == BODY and self._waiting is None:
            self._want_body()

    def _deliver(self, request: HTTP1Connection) -> None:
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
        try:
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

    # Bytes out

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
        if not output:
            return
        self._output = []
        self._output_size = 0
        transport = self.stream.transport
        if transport is not None:
            transport.write(output[0] if len(output) == 1 else b"".join(output))

    def response_done(self, request: HTTP1Connection) -> None:
        """The response to ``request`` has been written."""
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
        if not self._advancing and (self._paused or self._state == DRAIN or self._parser.pending()):
            self._loop.call_soon(self._advance)

    def _next_request(self) -> None:
        self._parser.next_message()
        self._state = HEAD
        self._since = self.sweeper.now

    def _close_after_output(self) -> None:
        self.flush()
        transport = self.stream.transport
        if transport is not None and transport.get_write_buffer_size():
            self._linger()  # for a slow client it takes as long as it takes
            return
        self._state = LINGER
        self.stream.close()

    def _linger(self) -> None:
        """Send the end of what we say, and let the peer finish."""
        self.flush()
        self._state = LINGER
        self._since = self.sweeper.now
        self._parser.take_rest()
        transport = self.stream.transport
        if transport is None or (self.eof and not transport.get_write_buffer_size()):
            self.stream.close()
            return
        if transport.can_write_eof():
            transport.write_eof()
        self._resume()

    # Trouble

    def peer(self) -> str:
        """The peer, for a log line."""
        return str(self.context if self.context is not None else self.stream.get_peername())

    def _tell_closed(self, request: HTTP1Connection) -> None:
        """Tell the program, in the context of its request, that its client has gone; log what it raises."""
        context = self._request_context
        try:
            if context is None:
                request.tell_closed()
            else:
                context.run(tell_closed, request)
        except Exception:
            app_log.error("Uncaught exception in a close callback, %s", self.peer(), exc_info=True)

    def _fail(self, what: str) -> None:
        """A delegate raised: there is nobody to answer, so the connection closes."""
        app_log.error("Uncaught exception while delivering %s, %s", what, self.peer(), exc_info=True)
        self.abort()

    def _refuse(self, error: HTTPInputError) -> None:
        """Answer what could not be read, and close."""
        gen_log.info("Malformed HTTP message from %s: %s", self.peer(), str(error))
        request, self._request = self._request, None
        answerable = self._state != DRAIN if request is None else not request.head_written
        if request is not None:
            self._tell_closed(request)
            request.release()
        if self._state in (LINGER, CLOSED):
            return
        self._request_context = None
        if answerable:
            self.write(refusal(error.status, self.sweeper.date))
        self._linger()

    def set_max_body_size(self, request: HTTP1Connection, max_body_size: int) -> None:
        """See :meth:`HTTP1Connection.set_max_body_size`."""
        if request is self._request and self._state == BODY:
            self._parser.max_body_size = max_body_size

    def set_body_timeout(self, request: HTTP1Connection, timeout: float) -> None:
        """See :meth:`HTTP1Connection.set_body_timeout`."""
        if request is self._request:
            self._body_timeout = timeout

    def sweep(self, now: float) -> None:
        """Look whether the peer has been waited for too long."""
        waited = now - self._since
        limits = self.limits
        if self._waiters is not None or self._state == LINGER:
            self._sweep_writing(now, waited)
        elif self._state == HEAD:
            if self._parser.pending():
                if 0 < limits.header_timeout < waited:
                    self._refuse(HTTPInputError(f"no complete head in {limits.header_timeout:g} s", status=408))
            else:
                bound = limits.idle_timeout if self._requests else limits.header_timeout
                if 0 < bound < waited:
                    self.stream.close()
        elif self._state == BODY and self._waiting is None:
            self._sweep_body(now, waited)
        elif self._state == DRAIN and 0 < limits.linger_timeout < waited:
            self._linger()
        elif self._state == RESPOND and self.eof and 0 < limits.body_timeout < waited:
            self.stream.abort()

    def _sweep_body(self, now: float, waited: float) -> None:
        if 0 < self._body_timeout < waited:
            self._refuse(HTTPInputError(f"no byte of a body in {self._body_timeout:g} s", status=408))
            return
        taken = now - self._body_since
        read = self._parser.body_read()
        if taken > _RATE_AFTER and read < self.limits.min_body_rate * taken:
            self._refuse(HTTPInputError(f"{read} bytes of a body in {taken:.0f} s: too slow", status=408))

    def _sweep_writing(self, now: float, waited: float) -> None:
        transport = self.stream.transport
        if transport is None:
            return  # closed already; the stream bounds how long that takes
        unsent = transport.get_write_buffer_size()
        if unsent != self._write_size:
            self._write_size = unsent
            self._since = now
        elif unsent:
            if 0 < self.limits.write_timeout < waited:
                gen_log.info("%s does not read its response; aborted after %g s", self.peer(), waited)
                self.stream.abort()
        elif self._state == LINGER and (self.eof or waited > self.limits.linger_timeout):
            self.stream.abort()
