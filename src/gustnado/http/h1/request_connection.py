"""One HTTP/1 request, and what answers it.

:class:`RequestConnection` is the ``request.connection`` of a request on HTTP/1: the delegates' side of
:class:`~gustnado.http.h1.server_connection.HTTP1ServerConnection`. It lives as long as its request, so that
a program that holds on to one too long cannot write into somebody else's response.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gustnado.errors import HTTPOutputError, StreamClosedError
from gustnado.http.delegates import HTTPConnection, HTTPMessageDelegate
from gustnado.http.h1.chunked import FORBIDDEN_TRAILERS
from gustnado.http.h1.raw_response import parse_raw_response
from gustnado.http.h1.writer import ResponseWriter, informational
from gustnado.http.headers import HTTPHeaders

if TYPE_CHECKING:
    from asyncio import Future

    from gustnado.events.stream import IOStream
    from gustnado.http.h1.parameters import HTTP1ConnectionParameters
    from gustnado.http.messages import RequestStartLine, ResponseStartLine
    from gustnado.http.sweeper import Sweeper

__all__ = ["RequestConnection", "RequestServer", "tell_closed"]


class RequestServer:
    """What a request's connection wants of the one that serves it."""

    __slots__ = ("context", "params", "stream", "sweeper")

    def __init__(
        self, stream: IOStream, params: HTTP1ConnectionParameters, context: Any, sweeper: Sweeper
    ) -> None:
        self.stream = stream
        self.params = params
        self.context = context
        self.sweeper = sweeper

    def is_closed(self) -> bool:
        """Whether the stream has closed, or has been given away."""
        raise NotImplementedError

    def abort(self) -> None:
        """Close the connection now."""
        raise NotImplementedError

    def may_keep_alive(self) -> bool:
        """Whether the connection can be kept after the response that is about to begin."""
        raise NotImplementedError

    def speaks_http11(self) -> bool:
        """The request in flight is HTTP/1.1."""
        raise NotImplementedError

    def write(self, data: bytes) -> Future[None]:
        """Write to the stream; the future is pending while the peer is slow."""
        raise NotImplementedError

    def write_file(self, before: bytes, file: int, offset: int, count: int, behind: bytes) -> Future[None]:
        """Write a part of a file, and what comes before and behind it; the future is done when it has been sent."""
        raise NotImplementedError

    def can_write_file(self) -> bool:
        """Whether the connection sends files by itself."""
        raise NotImplementedError

    def response_done(self, request: RequestConnection) -> None:
        """The response to ``request`` has been written."""
        raise NotImplementedError

    def detach(self, request: RequestConnection) -> IOStream:
        """Give the stream away; see :meth:`RequestConnection.detach`."""
        raise NotImplementedError

    def set_max_body_size(self, request: RequestConnection, max_body_size: int) -> None:
        """See :meth:`RequestConnection.set_max_body_size`; -1 is no bound."""
        raise NotImplementedError

    def max_body_size(self) -> int:
        """The bound of the body in flight, in bytes; -1 is none."""
        raise NotImplementedError

    def set_body_pace(
        self, request: RequestConnection, timeout: float, min_rate: float, max_time: float
    ) -> None:
        """See ``set_body_timeout``, ``set_min_body_rate`` and ``set_max_body_time``; -1 leaves one as it is."""
        raise NotImplementedError


class RequestConnection(ResponseWriter, HTTPConnection):
    """The connection as one request sees it.

    :ivar stream: the :class:`~gustnado.events.stream.IOStream` below; ``None`` once it is somebody else's.
    :ivar context: what is known of the peer: ``remote_ip``, ``protocol``, ``address``.
    """

    __slots__ = (
        "_close_callback", "_delegate", "_gone_future", "_released", "_server", "_told", "_trailers", "context",
    )  # fmt: skip

    def __init__(self, server: RequestServer, is_head: bool, http11: bool, keep_alive: bool) -> None:
        self._open(server, is_head, http11, keep_alive)

    def _open(self, server: RequestServer, is_head: bool, http11: bool, keep_alive: bool) -> None:
        self.begin(is_head, http11, keep_alive)
        self._server = server
        self._released = False  # the response has been written, or cannot be any more
        self._delegate: HTTPMessageDelegate | None = None
        self._close_callback: Callable[[], object] | None = None
        self._gone_future: Future[None] | None = None
        self._trailers: HTTPHeaders | None = None
        self._told = False  # the delegate knows that the connection has closed
        self.context = server.context

    @property
    def stream(self) -> IOStream | None:
        """The stream below, also when it has closed; ``None`` once it is somebody else's."""
        server = self._server
        stream = server.stream
        return stream if stream.closed() or not server.is_closed() else None

    @property
    def disconnected(self) -> Future[None]:
        """Done when the connection has closed before the response ended; never done otherwise."""
        if self._gone_future is None:
            sweeper = self._server.sweeper
            self._gone_future = sweeper.done if self._told else sweeper.new_future()
        return self._gone_future

    @property
    def is_client(self) -> bool:
        """False: a server answers on it."""
        return False

    @property
    def params(self) -> HTTP1ConnectionParameters:
        """How the connection is to behave."""
        return self._server.params

    @property
    def no_keep_alive(self) -> bool:
        """Whether the connection closes after its first response, as its parameters say."""
        return self._server.params.no_keep_alive

    def set_close_callback(self, callback: Callable[[], object] | None) -> None:
        """Have ``callback`` called, without arguments, when the connection closes before the response ends."""
        self._close_callback = callback

    def set_max_body_size(self, max_body_size: int | None) -> None:
        """Bound the body of this request only, in bytes; ``None`` is no bound. To be called before it is read."""
        if not self._released:
            self._server.set_max_body_size(self, -1 if max_body_size is None else max_body_size)

    @property
    def max_body_size(self) -> int:
        """The bound of this request's body, in bytes; -1 is none."""
        return self._server.max_body_size()

    def has_explicit_max_body_size(self) -> bool:
        """Whether the server was given a ``max_body_size``, which bounds streamed bodies, too."""
        return self._server.params.explicit_max_body_size

    def set_body_timeout(self, timeout: float) -> None:
        """Bound the seconds without a byte of this request's body; ``0`` is no bound."""
        if not self._released:
            self._server.set_body_pace(self, timeout, -1, -1)

    def set_min_body_rate(self, rate: float) -> None:
        """Bound from below how fast this request's body comes, in bytes a second; ``0`` is no bound."""
        if not self._released:
            self._server.set_body_pace(self, -1, rate, -1)

    def set_max_body_time(self, seconds: float) -> None:
        """Bound the seconds that this request's body takes, where its size has a bound, too; ``0`` is no bound."""
        if not self._released:
            self._server.set_body_pace(self, -1, -1, seconds)

    def add_trailer(self, name: str, value: str) -> None:
        """Add a trailer field, which is sent behind the body (RFC 9110 section 6.5).

        It is left out where the body is not sent in chunks: to HTTP/1.0, or with a ``Content-Length``.

        :raises gustnado.errors.HTTPOutputError: for fields that may not come as trailers, and after the response.
        :raises ValueError: where name or value could not stand on the wire.
        """
        trailers = self._trailers or HTTPHeaders()
        trailers.add(name, value)
        forbidden = FORBIDDEN_TRAILERS.intersection(trailers)
        if forbidden or self._released:
            raise HTTPOutputError(
                f"{sorted(forbidden)[0]} may not come as a trailer (RFC 9110 section 6.5.1)"
                if forbidden
                else f"trailer {name} comes after the end of its response"
            )
        self._trailers = trailers

    def write_informational(self, code: int, headers: HTTPHeaders | None = None) -> None:
        """Write an informational response, such as ``103`` (RFC 9110 section 15.2).

        It is left out where the client speaks HTTP/1.0.

        :raises gustnado.errors.HTTPOutputError: after the head of the final response.
        """
        if self.head_written:
            raise HTTPOutputError("informational responses come before the final one")
        if not self._released and self._server.speaks_http11():
            self._server.write(informational(code, headers))

    def _connection_line(self, fields: dict[str, str | list[str]]) -> str:
        if not self._http11 and "Connection" not in fields and not self.keep_alive and self.params.like_tornado:
            return ""  # what HTTP/1.0 expects anyhow
        return ResponseWriter._connection_line(self, fields)

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> Future[None]:
        """See :meth:`HTTPConnection.write_headers`; the version of ``start_line`` is ignored."""
        if self._released:
            return self._gone()
        server = self._server
        if self.keep_alive:
            self.keep_alive = server.may_keep_alive()
        _, code, reason = start_line
        data = self.head(int(code), reason, headers, server.sweeper.date)
        if chunk:
            if len(chunk) > 65536:
                server.write(data)
                return server.write(self.data(chunk))
            data += self.data(chunk)
        return server.write(data)

    def write_response(self, code: int, reason: str, headers: HTTPHeaders, body: bytes) -> Future[None]:
        """See :meth:`HTTPConnection.write_response`: one write for head and body, where they are small."""
        if self._released:
            return self._gone()
        if len(body) > 65536:
            return HTTPConnection.write_response(self, code, reason, headers, body)
        server = self._server
        if self.keep_alive:
            self.keep_alive = server.may_keep_alive()
        try:
            data = self.whole(code, reason, headers, body, server.sweeper.date)
        except HTTPOutputError:
            if server.params.like_tornado and "Content-Length" in headers:
                self.head_written = True  # there is no way back
                server.abort()
            raise
        future = server.write(data)
        server.response_done(self)
        return future

    def write(self, chunk: bytes) -> Future[None]:
        """See :meth:`HTTPConnection.write`.

        A program may write its response as it goes over the wire, as those for old Tornados do: the first
        piece has the whole head then, which is parsed, checked and framed as any other.

        :raises gustnado.errors.HTTPOutputError: where it would not be within the response's ``Content-Length``, and
            after its end, unless there is nothing to write.
        """
        if self._released:
            return self._server.sweeper.done if self.ended and not chunk else self._gone()
        if not self.head_written:
            start_line, headers, body = parse_raw_response(chunk)
            return self.write_headers(start_line, headers, body)
        return self._server.write(self.data(chunk))

    def _check_transfer_encoding(self) -> None:
        if not self._server.params.like_tornado:
            ResponseWriter._check_transfer_encoding(self)

    def write_file(self, file: int, offset: int, count: int) -> Future[None] | None:
        """See :meth:`HTTPConnection.write_file`; ``None`` over TLS, and elsewhere than on Linux."""
        if self._released:
            return self._gone()
        server = self._server
        if count > 0 and not server.can_write_file():
            return None
        frame = self.frame(count) if count > 0 else None
        if frame is None:
            return server.sweeper.done
        before, behind = frame
        return server.write_file(before, file, offset, count, behind)

    def _gone(self) -> Future[None]:
        """What a write returns that cannot arrive: a future that has failed already."""
        if self.ended:
            raise HTTPOutputError("this request has been answered already")
        return self._server.sweeper.failed(StreamClosedError())

    def finish(self) -> None:
        """See :meth:`HTTPConnection.finish`.

        :raises gustnado.errors.HTTPOutputError: where the body is shorter than its ``Content-Length``; the
            connection is closed then, so that the client can tell.
        """
        if self._released:
            return
        server = self._server
        try:
            data = self.end(self._trailers)
        except HTTPOutputError:
            server.abort()
            raise
        if data:
            server.write(data)
        server.response_done(self)

    def close(self) -> None:
        """Close the connection, whatever has been written of the response."""
        if not self._released:
            self._server.abort()

    def detach(self) -> IOStream:
        """Take the stream for another protocol; the caller owns it from now on, unread bytes included.

        :raises gustnado.errors.StreamClosedError: where the connection is gone.
        """
        if self._released:
            raise StreamClosedError()
        return self._server.detach(self)

    def release(self) -> None:
        """Let go of the connection: the response has been written, or cannot be."""
        self._released = True
        self._delegate = None
        self._close_callback = None

    def tell_closed(self) -> None:
        """Tell delegate and callback, once, that the connection has closed before the response ended."""
        if self._told:
            return
        self._told = True
        if self._gone_future is not None and not self._gone_future.done():
            self._gone_future.set_result(None)
        delegate, callback = self._delegate, self._close_callback
        if delegate is not None:
            delegate.on_connection_close()
        if callback is not None:
            callback()


def tell_closed(request: RequestConnection) -> None:
    """:meth:`RequestConnection.tell_closed` as a function, to be run in a context."""
    request.tell_closed()
