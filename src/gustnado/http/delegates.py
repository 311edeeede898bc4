"""The seam between a wire protocol and a program: four contracts.

A *connection* speaks one wire protocol; a *delegate* receives what arrives on it. Nobody on either
side knows which version of HTTP is spoken.

Order of calls, for each request on a server (either ``finish`` or ``on_connection_close`` ends it,
never both)::

    HTTPServerConnectionDelegate.start_request(server_conn, request_conn) -> message delegate
        HTTPMessageDelegate.headers_received(start_line, headers)
        HTTPMessageDelegate.data_received(chunk)          any number of times
        HTTPMessageDelegate.finish()                      or on_connection_close()
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

    from gustnado.http.headers import HTTPHeaders

__all__ = ["HTTPConnection", "HTTPMessageDelegate", "HTTPServerConnectionDelegate"]


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

    def finish(self) -> None:
        """Called when the whole message has arrived."""

    def on_connection_close(self) -> None:
        """Called instead of :meth:`finish` where the connection closed before the message ended,
        and after it where it closes before the response has been written."""


class HTTPConnection:
    """What a program writes its response (on a server) or request (on a client) to."""

    __slots__ = ()

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
