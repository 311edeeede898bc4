"""The WebSocket client.

::

    async with websocket_connect("ws://localhost:8888/chat") as ws:
        await ws.write_message("hello")
        async for message in ws:
            print(message)

Or with callbacks::

    def on_message(message):
        ...                       # None at the end

    websocket_connect("ws://localhost:8888/chat", on_message_callback=on_message)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any

from gustnado.errors import UsageError
from gustnado.escape import utf8
from gustnado.events.callbacks import run_callback
from gustnado.events.loop import IOLoop
from gustnado.events.resolver import Resolver
from gustnado.events.stream import IOStream
from gustnado.events.tcp_client import TCPClient
from gustnado.http.client.request import HTTPRequest
from gustnado.http.headers import HTTPHeaders
from gustnado.http.ws.connection import WebSocketProtocol, WebSocketProtocol13
from gustnado.http.ws.errors import WebSocketClosedError
from gustnado.http.ws.extensions import DeflateOptions, accept_response, parse_tokens
from gustnado.http.ws.handshake import VERSION, check_response, new_key, offered_extensions
from gustnado.http.ws.opening import open_websocket
from gustnado.http.ws.params import DEFAULT_MAX_MESSAGE_SIZE, WebSocketParams
from gustnado.log import app_log

__all__ = ["ConnectFuture", "WebSocketClientConnection", "websocket_connect"]

Message = str | bytes | None


class WebSocketClientConnection:
    """A client's connection; made by :func:`websocket_connect`.

    :param request: what to connect to, and how.

    The other parameters are those of :func:`websocket_connect`.

    :ivar connect_future: what :func:`websocket_connect` returned.
    :ivar headers: of the server's response.
    :ivar protocol: the connection itself, until :meth:`close` is called.
    :ivar stream: the stream that it is on.
    :ivar close_code: what the server's close frame said; ``None`` where there was none. So is ``close_reason``.
    """

    def __init__(
        self,
        request: HTTPRequest,
        on_message_callback: Callable[[Message], Any] | None = None,
        compression_options: Mapping[str, Any] | None = None,
        ping_interval: float | None = None,
        ping_timeout: float | None = None,
        max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE,
        subprotocols: list[str] | None = None,
        resolver: Resolver | None = None,
        io_loop: IOLoop | None = None,
    ) -> None:
        self.request = request
        self.io_loop = io_loop or IOLoop.current()
        self.key = new_key()
        self.headers = HTTPHeaders()
        self.protocol: WebSocketProtocol | None = None
        self.stream: IOStream | None = None
        self.close_code: int | None = None
        self.close_reason: str | None = None
        self.params = WebSocketParams(
            ping_interval=ping_interval,
            ping_timeout=ping_timeout,
            max_message_size=max_message_size,
            compression_options=compression_options,
        )
        self._options = None if compression_options is None else DeflateOptions.of(compression_options)
        self._subprotocols = parse_tokens("subprotocols", ",".join(subprotocols)) if subprotocols else []
        self._on_message_callback = on_message_callback
        self._connection: WebSocketProtocol | None = None  # still known after close()
        self.tcp_client = TCPClient(resolver=resolver, io_loop=self.io_loop)
        loop = self.io_loop.asyncio_loop
        self.connect_future = ConnectFuture(loop=loop)
        self._over: asyncio.Future[None] = loop.create_future()
        self._connecting: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to connect; :attr:`connect_future` tells how it ends."""
        self._connecting = self.io_loop.asyncio_loop.create_task(self._connect())
        self.connect_future.add_done_callback(self._stop_connecting)

    def _stop_connecting(self, future: asyncio.Future[WebSocketClientConnection]) -> None:
        if self._connecting is not None and future.cancelled():
            self._connecting.cancel()

    async def _connect(self) -> None:
        try:
            await self._open()
        except Exception as error:
            self.tcp_client.close()
            if not self.connect_future.done():
                self.connect_future.set_exception(error)
            return
        except asyncio.CancelledError:
            self.tcp_client.close()
            self.connect_future.cancel()
            raise
        finally:
            self._connecting = None
        if self.connect_future.done():
            self.close()
        else:
            self.connect_future.set_result(self)

    def get_websocket_protocol(self) -> WebSocketProtocol:
        """The connection, before it is connected."""
        return WebSocketProtocol13(self, True, self.params)

    async def _open(self) -> None:
        opened = await open_websocket(self.request, self._handshake_fields(), self.tcp_client)
        try:
            protocol = self.get_websocket_protocol()
            protocol.selected_subprotocol = check_response(opened.headers, self.key, self._subprotocols)
            agreed = accept_response(offered_extensions(opened.headers), self._options)
        except BaseException:
            opened.stream.close()
            raise
        if agreed is not None and self._options is not None:
            protocol.compress(agreed, self._options)
        self.headers = opened.headers
        self.stream = opened.stream
        self.protocol = self._connection = protocol
        if self._on_message_callback is None:
            protocol.pull()
        protocol.begin(opened.stream, opened.unread)
        if self._on_message_callback is not None:
            # Not now: who has been waiting for the connection comes first.
            self.io_loop.asyncio_loop.call_soon(protocol.release)

    def _handshake_fields(self) -> dict[str, str]:
        fields = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": self.key,
            "Sec-WebSocket-Version": VERSION,
        }
        if self._subprotocols:
            fields["Sec-WebSocket-Protocol"] = ", ".join(self._subprotocols)
        if self._options is not None:
            fields["Sec-WebSocket-Extensions"] = self._options.offer()
        return fields

    # What programs call

    def write_message(
        self, message: str | bytes | dict[str, Any], binary: bool = False
    ) -> asyncio.Future[None]:
        """Send a message.

        :param message: a text, as ``str`` or in UTF-8; anything, with ``binary``; a ``dict`` is sent as JSON.
        :returns: a future to await, so that a server that is slow to read slows down the program.
        :raises WebSocketClosedError: where the connection is closed, or closing.
        :raises TypeError: where it is none of these.
        """
        if self.protocol is None:
            raise WebSocketClosedError("Client connection has been closed")
        future: asyncio.Future[None] = self.protocol.write_message(message, binary)
        return future

    def read_message(
        self, callback: Callable[[asyncio.Future[Message]], Any] | None = None
    ) -> asyncio.Future[Message]:
        """The next message; ``None`` where the connection has closed.

        :param callback: called with the future, when it is done.
        :raises gustnado.errors.UsageError: where there is an ``on_message_callback``, which gets them all.
        """
        if self._on_message_callback is not None:
            raise UsageError("messages go to on_message_callback")
        if self._connection is None:
            raise WebSocketClosedError("there is no connection yet")
        future: asyncio.Future[Message] = self._connection.receive()
        if callback is not None:
            self.io_loop.add_future(future, callback)
        return future

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        """The messages, until the connection has closed."""
        while (message := await self.read_message()) is not None:
            yield message

    def ping(self, data: str | bytes = b"") -> None:
        """Send a ping.

        :param data: at most 125 bytes.
        :raises WebSocketClosedError: where the connection is closed, or closing.
        :raises ValueError: where there are more.
        """
        if self.protocol is None:
            raise WebSocketClosedError("Client connection has been closed")
        self.protocol.write_ping(bytes(utf8(data)))

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close the connection, once the server has agreed; at the latest in 5 seconds. Again, it does nothing.

        :param code: see :class:`~gustnado.http.ws.codes.CloseCode`; a program's own are 3000 to 4999.
        :param reason: at most 123 bytes of UTF-8.
        :raises ValueError: where no frame may hold ``code``, or ``reason`` is longer.
        """
        if self.protocol is not None:
            self.protocol.close(code, reason)
            self.protocol = None

    async def wait_closed(self) -> None:
        """Return when the program has been told of the end, and the connection is gone."""
        await asyncio.shield(self._over)
        if self._connection is not None:
            await self._connection.wait_closed()

    async def __aenter__(self) -> WebSocketClientConnection:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        connection = self._connection
        self.close()
        if connection is not None and connection.is_pulling():
            connection.drop_messages()
        await self.wait_closed()

    @property
    def selected_subprotocol(self) -> str | None:
        """What the server chose of ``subprotocols``.

        :raises WebSocketClosedError: where there is no connection yet.
        """
        if self._connection is None:
            raise WebSocketClosedError("there is no connection yet")
        return self._connection.selected_subprotocol

    # What the connection calls; to be overridden by those who make their own

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        """Called with each message, where there is an ``on_message_callback``."""
        result: Awaitable[None] | None = self._on_message_callback(message)  # type: ignore[misc]
        return result

    def on_ping(self, data: bytes) -> Awaitable[None] | None:
        """Called when the server has sent a ping, which is answered already."""

    def on_pong(self, data: bytes) -> Awaitable[None] | None:
        """Called when the server has answered a ping."""

    def on_connection_close(self) -> None:
        """Called when the connection is gone."""
        self.protocol = None
        self.tcp_client.close()
        if not self._over.done():
            self._over.set_result(None)
        if self._on_message_callback is not None:
            run_callback(self._on_message_callback, None)

    def on_ws_connection_close(self, close_code: int | None = None, close_reason: str | None = None) -> None:
        """Called by the connection when it is gone, with what the server's close frame said."""
        self.close_code = close_code
        self.close_reason = close_reason
        self.on_connection_close()

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Log what a callback raised; the connection closes then."""
        app_log.error("Uncaught exception %s", value, exc_info=(typ, value, tb))  # type: ignore[arg-type]


class ConnectFuture(asyncio.Future[WebSocketClientConnection]):
    """What :func:`websocket_connect` returns: to be awaited, or entered by ``async with``, which closes in the end."""

    _connection: WebSocketClientConnection | None = None

    async def __aenter__(self) -> WebSocketClientConnection:
        self._connection = await self
        return self._connection

    async def __aexit__(self, *exc_info: object) -> None:
        if self._connection is not None:
            await self._connection.__aexit__(*exc_info)


def websocket_connect(
    url: str | HTTPRequest,
    callback: Callable[[asyncio.Future[WebSocketClientConnection]], Any] | None = None,
    connect_timeout: float | None = None,
    on_message_callback: Callable[[Message], Any] | None = None,
    compression_options: Mapping[str, Any] | None = None,
    ping_interval: float | None = None,
    ping_timeout: float | None = None,
    max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE,
    subprotocols: list[str] | None = None,
    resolver: Resolver | None = None,
    *,
    io_loop: IOLoop | None = None,
) -> ConnectFuture:
    """Connect to a WebSocket.

    :param url: of ``ws`` or ``wss``; or a request with one, whose headers, timeouts and options of TLS count.
    :param callback: called with the future, when it is done.
    :param connect_timeout: seconds; with a request, that of the request counts.
    :param on_message_callback: called with each message, and with ``None`` at the end; may be ``async def``. Without
        one, ask for messages: :meth:`~WebSocketClientConnection.read_message`, or ``async for``.
    :param compression_options: a dict, which may be empty, to compress messages where the server can: its keys are
        the fields of :class:`~gustnado.http.ws.extensions.DeflateOptions`.
    :param ping_interval: seconds between two pings; by default there are none.
    :param ping_timeout: seconds for the answer to each, by default the interval.
    :param max_message_size: bytes of a message of the server's.
    :param subprotocols: to propose, in order.
    :param resolver: by default a ``Resolver()``.
    :param io_loop: by default the current one.
    :returns: a future of a :class:`WebSocketClientConnection`. It fails with
        :exc:`~gustnado.http.client.errors.HTTPClientError` where the server answers otherwise (redirects are not
        followed) or not at all, with :exc:`~gustnado.http.ws.errors.WebSocketError` where its answer is no
        handshake, and with :exc:`OSError` where there is no connection.
    :raises gustnado.errors.UsageError: where an argument is not as it should be.
    """
    if isinstance(url, HTTPRequest):
        if connect_timeout is not None:
            raise UsageError("give connect_timeout with the request, not beside it")
        request = url
    else:
        request = HTTPRequest(url, connect_timeout=connect_timeout)
    connection = WebSocketClientConnection(
        request,
        on_message_callback=on_message_callback,
        compression_options=compression_options,
        ping_interval=ping_interval,
        ping_timeout=ping_timeout,
        max_message_size=max_message_size,
        subprotocols=subprotocols,
        resolver=resolver,
        io_loop=io_loop,
    )
    future = connection.connect_future
    if callback is not None:
        connection.io_loop.add_future(future, callback)
    connection.start()
    return future
