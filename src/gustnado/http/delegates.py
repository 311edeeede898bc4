"""The seam between a wire protocol and a program: four contracts.

A *connection* speaks one wire protocol; a *delegate* receives what arrives on it. Nobody on either
side knows which version of HTTP is spoken.

Order of calls, for each request on a server (one of ``finish``, ``on_connection_close`` and ``refused``
ends it)::

    HTTPServerConnectionDelegate.start_request(server_conn, request_conn) -> message delegate
        HTTPMessageDelegate.headers_received(start_line, headers)
        HTTPMessageDelegate.data_received(chunk)          any number of times
        HTTPMessageDelegate.trailers_received(headers)    where there are any
        HTTPMessageDelegate.finish()                      or on_connection_close(), or refused(error)
    HTTPServerConnectionDelegate.on_close(server_conn)    once, when the connection is gone

and for its response, called by the program on ``request_conn``::

    HTTPConnection.write_headers(start_line, headers, chunk=None)
    HTTPConnection.write(chunk)                           any number of times
    HTTPConnection.finish()
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from gustnado.http.messages import RequestStartLine, ResponseStartLine

if TYPE_CHECKING:
    from asyncio import Future

    from gustnado.errors import HTTPInputError
    from gustnado.http.headers import HTTPHeaders

__all__ = ["HTTPConnection", "HTTPMessageDelegate", "HTTPServerConnectionDelegate", "PassingDelegate"]


class HTTPServerConnectionDelegate:
    """Receives the requests of a server's connections."""

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Called when a request begins; returns the delegate that gets it.

        :param server_conn: stands for the long-lived connection; opaque, the same for each of its
            requests.
        :param request_conn: the connection on which to answer this one request.
        """
        raise NotImplementedError

    def on_close(self, server_conn: object) -> None:
        """Called once, when the connection ``server_conn`` has closed."""


class HTTPMessageDelegate:
    """Receives one request (on a server) or one response (on a client)."""

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        """Called when the head has been read. The body waits for what this returns, if anything."""

    def head_received(
        self, method: str, target: str, version: str, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        """What a server's connection calls; it makes the start line and calls :meth:`headers_received`.

        To be overridden, in place of that, only by a delegate that has no use for a start line.
        """
        return self.headers_received(RequestStartLine(method, target, version), headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Called with each piece of the body. Reading pauses until what this returns is done."""

    def trailers_received(self, trailers: HTTPHeaders) -> None:
        """Called before :meth:`finish` with the message's trailer fields (RFC 9110 section 6.5), if it has any.

        Fields that may not come as trailers have been left out.
        """

    def finish(self) -> None:
        """Called when the whole message has arrived."""

    def refused(self, error: HTTPInputError) -> bool:
        """Called where a server cannot take the rest of a request: over a limit, too slow, malformed.

        Nothing more of it arrives, and its connection closes after the response.

        :param error: says why; ``error.status`` is the status that answers it.
        :returns: whether the delegate answers it. If not, a plain answer is sent where none has begun, and
            :meth:`on_connection_close` is called.
        """
        return False

    def on_connection_close(self) -> None:
        """Called instead of :meth:`finish` where the connection closed before the message ended,
        and after it where it closes before the response has been written."""


class PassingDelegate(HTTPMessageDelegate):
    """Passes on to another delegate all that it is called with: the base of those that change something."""

    def __init__(self, inner: HTTPMessageDelegate) -> None:
        self.inner = inner

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        return self.inner.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self.inner.data_received(chunk)

    def trailers_received(self, trailers: HTTPHeaders) -> None:
        if isinstance(self.inner, HTTPMessageDelegate):
            self.inner.trailers_received(trailers)

    def finish(self) -> None:
        self.inner.finish()

    def refused(self, error: HTTPInputError) -> bool:
        return isinstance(self.inner, HTTPMessageDelegate) and self.inner.refused(error)

    def on_connection_close(self) -> None:
        self.inner.on_connection_close()


class HTTPConnection:
    """What a program writes its response (on a server) or request (on a client) to."""

    __slots__ = ()

    may_block = False
    """Whether the program may wait, as for a disk, in the thread that called it: it serves one request at a time."""

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> Future[None]:
        """Write a head, and the first piece of the body with it.

        :returns: a future that is done when the data has been handed to the network, so that
            awaiting it applies backpressure.
        :raises gustnado.errors.HTTPOutputError: where head or body would be malformed.
        """
        raise NotImplementedError

    def write(self, chunk: bytes) -> Future[None]:
        """Write a piece of the body; the future is as that of :meth:`write_headers`."""
        raise NotImplementedError

    def write_file(self, file: int, offset: int, count: int) -> Future[None] | None:
        """Write a part of a file as a piece of the body, without reading it into the process.

        Of use where the connection can: else this returns ``None``, and the caller reads, and writes what it has read.

        :param file: descriptor of a regular file, which may be closed as soon as this returns.
        :param offset: of the first byte.
        :param count: of bytes.
        :returns: a future as that of :meth:`write_headers`. Where the file is shorter it fails, and the connection
            closes, so that the client can tell.
        """
        return None

    def write_response(self, code: int, reason: str, headers: HTTPHeaders, body: bytes) -> Future[None]:
        """Write a response that is there whole: :meth:`write_headers` and :meth:`finish`, and its length."""
        if "Content-Length" not in headers and code not in (204, 304):
            headers["Content-Length"] = str(len(body))
        future = self.write_headers(ResponseStartLine("", code, reason), headers, body)
        self.finish()
        return future

    def finish(self) -> None:
        """Say that the body is complete."""
        raise NotImplementedError
