"""``HTTPServer``: HTTP over TCP, for an application or any delegate.

Most programs never see it: :meth:`Application.listen <gustnado.web.Application.listen>` makes one. It is
``TCPServer`` plus a connection of :mod:`gustnado.http.h1` for each stream.
"""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import ssl
import weakref
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from gustnado.events.stream import SSLIOStream
from gustnado.events.tcp_server import TCPServer
from gustnado.http.delegates import HTTPMessageDelegate, HTTPServerConnectionDelegate
from gustnado.http.h1.parameters import HTTP1ConnectionParameters
from gustnado.http.h1.server_connection import HTTP1ServerConnection
from gustnado.http.limits import Limits
from gustnado.http.messages import HTTPServerRequest
from gustnado.http.shutdown import Shutdown, ShutdownEvent
from gustnado.http.sweeper import Sweeper
from gustnado.util import Configurable

if TYPE_CHECKING:
    from gustnado.events.stream import IOStream
    from gustnado.http.delegates import HTTPConnection
    from gustnado.http.headers import HTTPHeaders
    from gustnado.http.messages import RequestStartLine, ResponseStartLine

__all__ = ["ConnectionContext", "HTTPServer"]


class ConnectionContext:
    """What a server knows of the peer of a connection.

    :ivar address: the peer's address, as its socket family has it.
    :ivar remote_ip: the same as a string; ``"0.0.0.0"`` for peers without one, as on a Unix socket.
    :ivar protocol: ``"http"`` or ``"https"``.
    :ivar shutting_down: the server's; see :attr:`HTTPServer.shutting_down`.
    """

    __slots__ = ("address", "protocol", "remote_ip", "shutting_down")

    def __init__(
        self,
        stream: IOStream,
        address: Any,
        protocol: str | None,
        shutting_down: ShutdownEvent | None = None,
    ) -> None:
        self.shutting_down = shutting_down
        self.address = address
        is_internet = stream.socket is not None and stream.socket.family in (socket.AF_INET, socket.AF_INET6)
        self.remote_ip: str = address[0] if is_internet and address else "0.0.0.0"
        self.protocol = protocol or ("https" if isinstance(stream, SSLIOStream) else "http")

    def __str__(self) -> str:
        return self.remote_ip


class HTTPServer(TCPServer, Configurable, HTTPServerConnectionDelegate):
    """A non-blocking HTTP server.

    ::

        server = HTTPServer(app)
        server.listen(8888)

    :param request_callback: an :class:`~gustnado.web.Application`, another
        :class:`~gustnado.http.delegates.HTTPServerConnectionDelegate`, or a function that is called with each
        request.
    :param no_keep_alive: close each connection after its first response.
    :param ssl_options: an :class:`ssl.SSLContext`, or keyword arguments for one: ``certfile``, ``keyfile``...
    :param protocol: what ``request.protocol`` says, where a proxy speaks TLS for us.
    :param chunk_size: the most bytes of a body that handlers get at once.
    :param max_header_size: see :class:`~gustnado.http.limits.Limits`; so are ``max_body_size``, ``body_timeout``
        and ``idle_connection_timeout`` (for ``header_timeout`` and ``idle_timeout``).
    :param max_buffer_size: bytes that a stream holds at most.
    :param limits: all other bounds; the arguments above win over its fields.
    :ivar shutting_down: the :class:`~gustnado.http.shutdown.ShutdownEvent` that is set when
        :meth:`shutdown` begins.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Configurable.__new__ has called initialize() already, with these arguments.
        pass

    def initialize(
        self,
        request_callback: HTTPServerConnectionDelegate | Callable[[HTTPServerRequest], Any],
        no_keep_alive: bool = False,
        ssl_options: dict[str, Any] | ssl.SSLContext | None = None,
        protocol: str | None = None,
        chunk_size: int | None = None,
        max_header_size: int | None = None,
        idle_connection_timeout: float | None = None,
        body_timeout: float | None = None,
        max_body_size: int | None = None,
        max_buffer_size: int | None = None,
        limits: Limits | None = None,
        io_loop: Any = None,
    ) -> None:
        self.request_callback = request_callback
        self.protocol = protocol
        self.conn_params = HTTP1ConnectionParameters(
            no_keep_alive=no_keep_alive,
            chunk_size=chunk_size,
            max_header_size=max_header_size,
            header_timeout=idle_connection_timeout,
            max_body_size=max_body_size,
            body_timeout=body_timeout,
            limits=limits,
        )
        TCPServer.__init__(
            self,
            ssl_options=ssl_options,
            max_buffer_size=max_buffer_size,
            read_chunk_size=chunk_size,
            io_loop=io_loop,
            max_connections=self.conn_params.limits.max_connections,
            handshake_timeout=self.conn_params.limits.handshake_timeout,
        )
        self.shutting_down = ShutdownEvent()
        self._served: set[HTTP1ServerConnection] = set()
        self._given_away: weakref.WeakSet[IOStream] = weakref.WeakSet()
        self._sweeper: Sweeper | None = None
        self._shutdown: Shutdown | None = None
        is_delegate = isinstance(request_callback, HTTPServerConnectionDelegate)
        if is_delegate and type(self).start_request is HTTPServer.start_request:
            # Straight to the application: one call less for each request.
            self.start_request = request_callback.start_request  # type: ignore[method-assign,union-attr]

    @classmethod
    def configurable_base(cls) -> type[Configurable]:
        return HTTPServer

    @classmethod
    def configurable_default(cls) -> type[Configurable]:
        return HTTPServer

    async def close_all_connections(self) -> None:
        """Close all connections: idle ones now, the others after the response that is on its way.

        Returns when they are closed, however long that takes. To be called after :meth:`stop`;
        :meth:`shutdown` does both, and bounds them.
        """
        for connection in list(self._served):
            await connection.close()
        while self._served:
            await asyncio.sleep(0.01)

    async def shutdown(self, grace: float = 30.0, *, idle: float = 1.0) -> int:
        """End in good order: answer what has arrived, take nothing new, and be done in bounded time.

        In order: :attr:`shutting_down` is set; connections that wait in the kernel are accepted, and
        accepting ends; each response from now on says ``Connection: close``; connections without a request
        close, at once where they have been idle for some time; when ``grace`` is over the rest is cut
        off, and handlers that still run are cancelled. See :mod:`gustnado.http.shutdown`.

        Calling it again, also meanwhile, can only make it end earlier. To be awaited in the server's loop.

        :param grace: seconds for all requests to end, and for connections that speak another protocol by
            now (WebSocket) to close; ``0`` cuts off at once.
        :param idle: seconds without a request after which a connection counts as idle (and one second
            more, the precision of that). A client that has just had an answer may have sent its next
            request already: it still gets its answer.
        :returns: the number of connections that had to be cut off.
        :raises ValueError: where a time is negative.
        """
        if grace < 0 or idle < 0:
            raise ValueError(f"shutdown: grace={grace!r} and idle={idle!r} are seconds, 0 or more")
        if self._shutdown is None:
            self.shutting_down.set()
            self.accept_pending()
            self.stop()
            self._shutdown = Shutdown(self._served, self._given_away, self.shutting_down, self._sweeper)
        return await self._shutdown.finish(grace, idle)

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        """Serve the requests of a connection."""
        if self._sweeper is None:
            self._sweeper = Sweeper(stream.io_loop.asyncio_loop, _sweep_interval(self.conn_params.limits))
        context = ConnectionContext(stream, address, self.protocol, self.shutting_down)
        connection = HTTP1ServerConnection(stream, self.conn_params, context, self._sweeper)
        connection.closing = self.shutting_down.is_set()
        self._served.add(connection)
        connection.start_serving(self)

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        if isinstance(self.request_callback, HTTPServerConnectionDelegate):
            return self.request_callback.start_request(server_conn, request_conn)
        return _CallableAdapter(self.request_callback, server_conn, request_conn)

    def on_close(self, server_conn: object) -> None:
        self._served.discard(server_conn)  # type: ignore[arg-type]
        stream: IOStream | None = getattr(server_conn, "stream", None)
        if stream is not None and not stream.closed():
            self._given_away.add(stream)  # to another protocol, as after an upgrade
        if isinstance(self.request_callback, HTTPServerConnectionDelegate):
            self.request_callback.on_close(server_conn)


def _sweep_interval(limits: Limits) -> float:
    """How often to look at deadlines, in seconds: once a second, more often where the shortest is short."""
    times = [
        value
        for field in dataclasses.fields(limits)
        if isinstance(value := getattr(limits, field.name), float)
    ]
    return min([1.0, *[value / 4 for value in times if value > 0]])


class _CallableAdapter(HTTPMessageDelegate):
    """Gives requests, each with its whole body, to a function."""

    def __init__(
        self,
        request_callback: Callable[[HTTPServerRequest], Any],
        server_conn: object,
        request_conn: HTTPConnection,
    ) -> None:
        self.request_callback = request_callback
        self.server_connection = server_conn
        self.connection = request_conn
        self.request: HTTPServerRequest | None = None
        self._chunks: list[bytes] = []

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self.request = HTTPServerRequest(
            connection=self.connection,
            start_line=start_line,  # type: ignore[arg-type]
            headers=headers,
            server_connection=self.server_connection,
        )
        return None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._chunks.append(chunk)
        return None

    def finish(self) -> None:
        if self.request is not None:
            self.request.body = b"".join(self._chunks)
            self._chunks = []
            self.request._parse_body()
            self.request_callback(self.request)

    def on_connection_close(self) -> None:
        self._chunks = []
