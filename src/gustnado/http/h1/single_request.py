"""One request of a connection, read and answered; then the stream is its owner's again.

The server's half of :class:`HTTP1Connection`: a server's connection that serves one request and leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from gustnado.errors import UsageError
from gustnado.http.delegates import HTTPMessageDelegate, HTTPServerConnectionDelegate
from gustnado.http.h1.server_connection import HTTP1ServerConnection

if TYPE_CHECKING:
    from gustnado.events.stream import IOStream
    from gustnado.http.delegates import HTTPConnection
    from gustnado.http.h1.parameters import HTTP1ConnectionParameters
    from gustnado.http.h1.request_connection import RequestConnection

__all__ = ["SingleRequest"]


class SingleRequest(HTTPServerConnectionDelegate):
    """Reads a request for ``delegate``.

    :ivar done: a future whose result says, after the response, whether the stream can be used on.
    """

    def __init__(
        self, stream: IOStream, params: HTTP1ConnectionParameters, context: object, delegate: HTTPMessageDelegate
    ) -> None:
        self.done: asyncio.Future[bool] = stream.io_loop.asyncio_loop.create_future()
        self._stream = stream
        self._message = delegate
        self._request: RequestConnection | None = None
        self._close_callback: Callable[[], object] | None = None
        self._is_answered = False
        self._connection = _Connection(stream, params, context)
        self._connection.answered = self._answered
        self._connection.start_serving(self)

    @property
    def request(self) -> RequestConnection:
        """The request's side of the connection.

        :raises gustnado.errors.UsageError: before a request has arrived.
        """
        if self._request is None:
            raise UsageError("no request has arrived on this connection yet")
        return self._request

    def set_close_callback(self, callback: Callable[[], object] | None) -> None:
        """As that of the request's connection; may be called before there is a request."""
        self._close_callback = callback
        if self._request is not None:
            self._request.set_close_callback(callback)

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        self._request = cast("RequestConnection", request_conn)
        self._request.set_close_callback(self._close_callback)
        return self._message

    def on_close(self, server_conn: object) -> None:
        if not self._is_answered and not self.done.done():
            self.done.set_result(False)

    def _answered(self) -> None:
        self._is_answered = True
        kept = self._connection.give_back()
        if not self.done.done():
            self.done.set_result(kept)


class _Connection(HTTP1ServerConnection):
    """Tells when the response has been written."""

    answered: Callable[[], Any]

    def response_done(self, request: RequestConnection) -> None:
        super().response_done(request)
        self.answered()
