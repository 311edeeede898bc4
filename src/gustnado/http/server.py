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
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

from gustnado.events.stream import SSLIOStream
from gustnado.events.tcp_server import TCPServer
from gustnado.http.context import ConnectionContext
from gustnado.http.delegates import HTTPMessageDelegate, HTTPServerConnectionDelegate
from gustnado.http.h1.parameters import HTTP1ConnectionParameters
from gustnado.http.h1.server_connection import HTTP1ServerConnection
from gustnado.http.limits import Limits
from gustnado.http.messages import HTTPServerRequest
from gustnado.http.proxies import ProxySetting, TrustedProxies
from gustnado.http.proxy_headers import BelievedFields, ForwardedRequest
from gustnado.http.proxy_wait import ProxyHeaderWait
from gustnado.http.refusals import RefusalLog
from gustnado.http.request_ids import RequestIds
from gustnado.http.shutdown import Shutdown, ShutdownEvent
from gustnado.http.sweeper import Sweeper
from gustnado.util import Configurable

if TYPE_CHECKING:
    from gustnado.events.stream import IOStream
    from gustnado.http.delegates import HTTPConnection
    from gustnado.http.headers import HTTPHeaders
    from gustnado.http.messages import RequestStartLine, ResponseStartLine
    from gustnado.http.proxy_protocol import ProxyHeader

__all__ = ["HTTPServer"]


class HTTPServer(TCPServer, Configurable, HTTPServerConnectionDelegate):
    """A non-blocking HTTP server.

    ::

        server = HTTPServer(app)
        server.listen(8888)

    :param request_callback: an :class:`~gustnado.web.Application`, another
        :class:`~gustnado.http.delegates.HTTPServerConnectionDelegate`, or a function that is called with each
        request.
    :param no_keep_alive: close each connection after its first response.
    :param xheaders: take the client's address and protocol from ``X-Forwarded-For`` (``X-Real-Ip`` in its place) and
        ``X-Forwarded-Proto`` (or ``X-Scheme``). Say whom to believe, by ``trusted_proxies``; without that it is
        everybody, as with Tornado, which is right only where none but the proxy can reach the port.
    :param ssl_options: an :class:`ssl.SSLContext`, or keyword arguments for one: ``certfile``, ``keyfile``...
    :param protocol: what ``request.protocol`` says, where a proxy speaks TLS for us.
    :param decompress_request: decode bodies with a ``Content-Encoding``, within bounds: see
        :mod:`gustnado.http.message_decoding`.
    :param chunk_size: the most bytes of a body that handlers get at once.
    :param max_header_size: see :class:`~gustnado.http.limits.Limits`; so are ``max_body_size``, ``body_timeout``
        and ``idle_connection_timeout`` (for ``header_timeout`` and ``idle_timeout``).
    :param max_buffer_size: bytes that a stream holds at most.
    :param trusted_downstream: addresses and networks of further proxies, which are skipped in
        ``X-Forwarded-For``; as Tornado's.
    :param limits: all other bounds; the arguments above win over its fields.
    :param trusted_proxies: addresses and networks of the proxies that are believed (``"unix"`` for those on a Unix
        socket), or how many of them every request comes through; see :mod:`gustnado.http.proxies`. From others
        all such fields are ignored.
    :param forwarded: believe ``Forwarded`` (RFC 7239), which may change ``request.host`` too, in place of what
        ``xheaders`` means.
    :param proxy_protocol: connections begin with a header of the PROXY protocol, version 1 or 2, and are closed
        where they do not. With ``trusted_proxies`` only those of these peers; from others such a header is a
        malformed request.
    :param request_id_header: where ``request.request_id`` comes from, if a proxy in front is to be trusted with
        it; see :class:`~gustnado.http.request_ids.RequestIds`.
    :param like_tornado: see :class:`~gustnado.http.h1.parameters.HTTP1ConnectionParameters`.
    :raises ValueError: where both ``xheaders`` and ``forwarded`` are asked for.
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
        xheaders: bool = False,
        ssl_options: dict[str, Any] | ssl.SSLContext | None = None,
        protocol: str | None = None,
        decompress_request: bool = False,
        chunk_size: int | None = None,
        max_header_size: int | None = None,
        idle_connection_timeout: float | None = None,
        body_timeout: float | None = None,
        max_body_size: int | None = None,
        max_buffer_size: int | None = None,
        trusted_downstream: Iterable[str] | None = None,
        *,
        limits: Limits | None = None,
        io_loop: Any = None,
        trusted_proxies: ProxySetting | None = None,
        forwarded: bool = False,
        proxy_protocol: bool = False,
        request_id_header: str | None = None,
        like_tornado: bool = False,
    ) -> None:
        self.request_callback = request_callback
        self.protocol = protocol
        self.xheaders = xheaders
        self.trusted_downstream = set(trusted_downstream or ())
        self.conn_params = HTTP1ConnectionParameters(
            no_keep_alive=no_keep_alive,
            chunk_size=chunk_size,
            max_header_size=max_header_size,
            header_timeout=idle_connection_timeout,
            max_body_size=max_body_size,
            body_timeout=body_timeout,
            decompress=decompress_request,
            like_tornado=like_tornado,
            limits=limits,
        )
        bounds = self.conn_params.limits
        TCPServer.__init__(
            self,
            ssl_options=ssl_options,
            max_buffer_size=max_buffer_size,
            read_chunk_size=chunk_size,
            io_loop=io_loop,
            max_connections=bounds.max_connections,
            handshake_timeout=bounds.handshake_timeout,
            max_connections_per_address=bounds.max_connections_per_address,
        )
        self.shutting_down = ShutdownEvent()
        self.request_id_header = request_id_header
        self._request_ids = RequestIds(request_id_header)
        self._served: set[HTTP1ServerConnection] = set()
        self._given_away: weakref.WeakSet[IOStream] = weakref.WeakSet()
        self._sweeper: Sweeper | None = None
        self._shutdown: Shutdown | None = None
        self._trusted = None if trusted_proxies is None else TrustedProxies(trusted_proxies)
        self._fields: BelievedFields | None = None
        if xheaders and forwarded:
            raise ValueError("xheaders and forwarded: a proxy sets one kind of fields and passes on the other unseen")
        if xheaders or forwarded:
            self._fields = BelievedFields(forwarded, self._trusted, trusted_downstream)
        self._proxy_protocol = proxy_protocol
        self._awaited: set[ProxyHeaderWait] = set()
        self._proxy_headers: dict[IOStream, ProxyHeader] = {}
        is_delegate = isinstance(request_callback, HTTPServerConnectionDelegate)
        if is_delegate and self._fields is None and type(self).start_request is HTTPServer.start_request:
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
        for wait in list(self._awaited):
            wait.abandon()
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
            self._shutdown = Shutdown(
                self._served, self._given_away, self.shutting_down, self._sweeper, self._awaited
            )
        cut_off = await self._shutdown.finish(grace, idle)
        if self._sweeper is not None:
            self._sweeper.refusals.tell()
        return cut_off

    def _handle_connection(
        self, family: socket.AddressFamily, connection: socket.socket, address: Any
    ) -> None:
        if self._proxy_protocol and (self._trusted is None or self._trusted.trusts(_ip_of(family, address))):
            self._await_header(family, connection, address)
        else:
            super()._handle_connection(family, connection, address)

    def _await_header(self, family: socket.AddressFamily, connection: socket.socket, address: Any) -> None:
        def done(wait: ProxyHeaderWait) -> None:
            self._awaited.discard(wait)
            self._count(-1)
            if wait.header is None:
                return
            self._set_nodelay(family, connection)
            stream = self._make_stream(connection)
            self._proxy_headers[stream] = wait.header
            self._begin(stream, wait.header.source or address)
            self._proxy_headers.pop(stream, None)

        self._count(+1)
        peer = _ip_of(family, address) or str(address)
        timeout = self.conn_params.limits.handshake_timeout
        refusals = self._shared().refusals
        self._awaited.add(ProxyHeaderWait(self._io_loop(), connection, peer, timeout, done, refusals))

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        """Serve the requests of a connection."""
        self._serve(stream, address).start_serving(self)

    def _turn_away(self, stream: IOStream, address: Any) -> None:
        if isinstance(stream, SSLIOStream):
            stream.close()  # a handshake would cost more than the answer is worth
        else:
            self._serve(stream, address).turn_away(self)

    def _log_handshake(self, text: str, *values: object) -> None:
        self._shared().refusals.warning(text, *values)

    def _shared(self) -> Sweeper:
        """What all connections of this server share."""
        if self._sweeper is None:  # the first connection: in a worker, if there are any
            self._request_ids = RequestIds(self.request_id_header)
            loop, limits = self._io_loop().asyncio_loop, self.conn_params.limits
            self._sweeper = Sweeper(loop, _sweep_interval(limits), RefusalLog(loop, limits.max_refusals_logged))
        return self._sweeper

    def _serve(self, stream: IOStream, address: Any) -> HTTP1ServerConnection:
        sweeper = self._shared()
        header = self._proxy_headers.get(stream) if self._proxy_headers else None
        context = ConnectionContext(stream, address, self.protocol, self.shutting_down, header, self._request_ids)
        connection = HTTP1ServerConnection(stream, self.conn_params, context, sweeper)
        connection.closing = self.shutting_down.is_set()
        self._served.add(connection)
        return connection

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        callback = self.request_callback
        delegate: HTTPMessageDelegate
        if isinstance(callback, HTTPServerConnectionDelegate):
            delegate = callback.start_request(server_conn, request_conn)
        else:
            delegate = _CallableAdapter(callback, server_conn, request_conn)
        if self._fields is not None:
            delegate = ForwardedRequest(delegate, request_conn, self._fields)
        return delegate

    def on_close(self, server_conn: object) -> None:
        self._served.discard(server_conn)
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


def _ip_of(family: socket.AddressFamily, address: Any) -> str | None:
    """The IP address of a peer, ``None`` where it has none."""
    is_internet = family in (socket.AF_INET, socket.AF_INET6)
    return str(address[0]) if is_internet and address else None


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
