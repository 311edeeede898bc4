"""WebSockets for applications: ``WebSocketHandler``.

::

    class Echo(WebSocketHandler):
        def on_message(self, message):
            self.write_message(message)

or, where the program asks for messages instead of being called::

    class Echo(WebSocketHandler):
        async def open(self):
            async for message in self:
                await self.write_message(message)
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

from gustnado.errors import UsageError
from gustnado.escape import utf8
from gustnado.http.headers import HTTPHeaders
from gustnado.http.ws.connection import WebSocketProtocol, WebSocketProtocol13
from gustnado.http.ws.errors import WebSocketClosedError, WebSocketHandshakeError
from gustnado.http.ws.extensions import DeflateOptions, Extension, accept_offer
from gustnado.http.ws.handshake import (
    accept_key,
    check_key,
    check_upgrade,
    check_version,
    offered_extensions,
    offered_subprotocols,
)
from gustnado.http.ws.params import DEFAULT_MAX_MESSAGE_SIZE, WebSocketParams
from gustnado.log import gen_log
from gustnado.web.errors import Finish, HTTPError
from gustnado.web.first_step import FirstStep
from gustnado.web.handler import RequestHandler

if TYPE_CHECKING:
    from gustnado.http.messages import HTTPServerRequest
    from gustnado.web.application import Application

__all__ = ["NotForWebSocketsError", "UpgradedConnection", "WebSocketHandler"]

_HTTP_ONLY = ("write", "redirect", "set_header", "set_cookie", "set_status", "flush", "finish")


class UpgradedConnection:
    """What is left of ``request.connection`` once it speaks WebSocket: what is known of the client.

    All else of the HTTP connection is let go of, since a WebSocket may live for days.
    """

    __slots__ = ("context", "stream")

    def __init__(self, context: Any) -> None:
        self.context = context
        self.stream = None


class NotForWebSocketsError(UsageError, RuntimeError):
    """A method that writes an HTTP response was called on a connection that does not speak HTTP any more."""


class WebSocketHandler(RequestHandler):
    """Serves a WebSocket: one is made for each connection, and lives as long as it.

    Override :meth:`open`, :meth:`on_message` and :meth:`on_close`; send with :meth:`write_message`. Until the
    connection is open it is a handler as others are: ``prepare`` may answer the request itself, ``set_header`` and
    ``set_default_headers`` add to the response, and an :exc:`HTTPError` that :meth:`open` raises before it has
    awaited anything becomes an error page, too.

    Settings of the application, each also a property to override:

    - ``websocket_ping_interval``: seconds between two pings; 30 by default, 0 is never;
    - ``websocket_ping_timeout``: seconds for the answer to each, by default the interval; 0 waits for none;
    - ``websocket_max_message_size``: bytes, 10 MiB by default;
    - ``websocket_slow_reader``: what becomes of a message to a client that has ``websocket_write_buffer`` bytes (1 MiB)
      to read: ``"wait"``, the future of :meth:`write_message` does; ``"drop"``, it is not sent; ``"close"``, the
      connection closes with 1013.

    :ivar ws_connection: the connection while it is open, else ``None``.
    :ivar close_code: what the client's close frame said; ``None`` where there was none. So is ``close_reason``.
    """

    default_ping_interval: float | None = 30.0
    """Where there is no setting. ``gustnado.as_tornado`` makes it ``None``, as with Tornado."""

    ws_connection: WebSocketProtocol | None
    close_code: int | None = None
    close_reason: str | None = None
    _on_close_called = False
    _end: asyncio.Future[None] | None = None  # of one whose `get` is overridden

    def __init__(self, application: Application, request: HTTPServerRequest, **kwargs: Any) -> None:
        self.ws_connection = None  # not as a default of the class: each message would be slower by the look at it
        super().__init__(application, request, **kwargs)

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Answer the handshake (RFC 6455 section 4.2) and call :meth:`open`.

        Returns when the connection has closed, so that an overriding method may do something before and after, or
        hold something meanwhile.
        """
        self.open_args = args
        self.open_kwargs = kwargs
        try:
            check_upgrade(self.request.headers, self.request.version)
            if self.request.body:
                raise WebSocketHandshakeError("A request for a WebSocket has no body.")
            foreign = self._check_cross_origin(self.check_origin)
            if foreign is not None:
                gen_log.debug("Cross origin websockets not allowed: %s", foreign)
                raise WebSocketHandshakeError("Cross origin websockets not allowed", status=403)
            connection = self.get_websocket_protocol()
            if connection is None:
                check_version(self.request.headers)
                raise WebSocketHandshakeError("Upgrade Required", status=426)
            key = check_key(self.request.headers)
            subprotocols = offered_subprotocols(self.request.headers)
            offers = offered_extensions(self.request.headers)
        except WebSocketHandshakeError as error:
            self._refuse(error)
            return
        if type(self).get is _GET:
            await self._accept(connection, accept_key(key), subprotocols, offers)
            return  # nobody waits: a task less for each connection
        self._end = asyncio.get_running_loop().create_future()
        await self._accept(connection, accept_key(key), subprotocols, offers)
        await self._end

    def _refuse(self, error: WebSocketHandshakeError) -> None:
        gen_log.debug("%s: %s", self._request_summary(), error)
        self.set_status(error.status)
        if error.status == 426:
            self.set_header("Sec-WebSocket-Version", "13")
            self.set_header("Upgrade", "websocket")
            self.set_header("Connection", "Upgrade")
        self.finish(str(error))

    # Override these

    def _open(self, *args: Any, **kwargs: Any) -> Awaitable[None] | None:
        """What :meth:`open` is where it is not overridden."""

    open: Callable[..., Awaitable[None] | None] = _open
    """Called when a client connects, with the arguments of the route. May be ``async def``: messages wait until it
    is done. Where it reads messages itself, the connection closes when it returns."""

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        """Called with each message, ``str`` where it is a text; to be overridden, unless messages are asked for.

        May be ``async def``: the next one waits until it is done. What it raises is logged, and closes the
        connection with 1011.
        """
        raise NotImplementedError("a WebSocketHandler overrides on_message(), or reads messages in open()")

    def on_ping(self, data: bytes) -> Awaitable[None] | None:
        """Called when the client has sent a ping, which is answered already."""

    def on_pong(self, data: bytes) -> Awaitable[None] | None:
        """Called when the client has answered a ping, or has sent a pong unasked."""

    def on_close(self) -> None:
        """Called once, when the connection has closed, whoever has closed it.

        What the client's close frame said is in ``close_code`` and ``close_reason``.
        """

    def check_origin(self, origin: str) -> bool:
        """Whether a page of another origin may connect: by default if the setting ``trusted_origins`` has it.

        Browsers let every page connect to every site, with that site's cookies: a page that is let in acts for the
        user who visits it. Called after ``prepare``, and not for pages of our own origin, nor for clients that are no
        browsers, which send none.

        :param origin: as sent, such as ``"https://example.org"``, or ``"null"``.
        """
        return self.check_trusted_origin(origin)

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Choose one of the subprotocols that the client proposes, or none; called once, also where there are none."""
        return None

    def get_compression_options(self) -> dict[str, Any] | None:
        """Return a dict, which may be empty, to compress messages where the client can; ``None`` is not to.

        Its keys are the fields of :class:`~gustnado.http.ws.extensions.DeflateOptions`, as ``compression_level`` and
        ``mem_level``. Compression takes about 300 KiB a connection, unless ``server_no_context_takeover`` and
        ``client_no_context_takeover`` are set, and makes the length of a message tell of what is in it.
        """
        return None

    # How it behaves

    @property
    def ping_interval(self) -> float | None:
        """Seconds between two pings; 0 or ``None`` is never."""
        interval: float | None = self.settings.get("websocket_ping_interval", self.default_ping_interval)
        return interval

    @property
    def ping_timeout(self) -> float | None:
        """Seconds for the answer to each; ``None`` is the interval, which is also the most; 0 waits for none."""
        timeout: float | None = self.settings.get("websocket_ping_timeout")
        return timeout

    @property
    def max_message_size(self) -> int:
        """Bytes that a message of the client's may have. Over it the connection closes with 1009."""
        size: int = self.settings.get("websocket_max_message_size", DEFAULT_MAX_MESSAGE_SIZE)
        return size

    @property
    def slow_reader(self) -> str:
        """What becomes of a message to a client that does not read: ``"wait"``, ``"drop"`` or ``"close"``."""
        policy: str = self.settings.get("websocket_slow_reader", "wait")
        return policy

    @property
    def write_buffer(self) -> int:
        """Bytes that may wait for the client before :attr:`slow_reader` counts."""
        size: int = self.settings.get("websocket_write_buffer", 1024 * 1024)
        return size

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        """The connection for the version that the client speaks; ``None`` where nobody speaks it here."""
        if self.request.headers.get("Sec-WebSocket-Version") != "13":
            return None
        params = WebSocketParams(
            ping_interval=self.ping_interval,
            ping_timeout=self.ping_timeout,
            max_message_size=self.max_message_size,
            compression_options=self.get_compression_options(),
            slow_reader=self.slow_reader,
            write_buffer=self.write_buffer,
        )
        return WebSocketProtocol13(self, False, params)

    # What programs call

    def write_message(
        self, message: str | bytes | dict[str, Any], binary: bool = False
    ) -> asyncio.Future[None]:
        """Send a message.

        :param message: a text, as ``str`` or in UTF-8; anything, with ``binary``; a ``dict`` is sent as JSON.
        :returns: a future to await, so that a client that is slow to read slows down the program; where
            :attr:`slow_reader` is not ``"wait"`` it is done at once.
        :raises WebSocketClosedError: where the connection is closed, or closing.
        :raises TypeError: where it is none of these.
        """
        connection = self.ws_connection
        if connection is None:
            raise WebSocketClosedError("the connection is closed")
        future: asyncio.Future[None] = connection.write_message(message, binary)
        return future

    async def read_message(self) -> str | bytes | None:
        """The next message; ``None`` when the connection has closed.

        From the first call on, :meth:`on_message` is not called any more.
        """
        connection = self.ws_connection
        if connection is None:
            return None
        message: str | bytes | None = await connection.receive()
        return message

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        """The messages, until the connection has closed; see :meth:`read_message`."""
        while (message := await self.read_message()) is not None:
            yield message

    def ping(self, data: str | bytes = b"") -> None:
        """Send a ping; :meth:`on_pong` tells of its answer.

        :param data: at most 125 bytes.
        :raises WebSocketClosedError: where the connection is closed, or closing.
        :raises ValueError: where there are more.
        """
        if self.ws_connection is None:
            raise WebSocketClosedError("the connection is closed")
        self.ws_connection.write_ping(bytes(utf8(data)))

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close the connection, once the client has agreed; at the latest in 5 seconds. Again, it does nothing.

        :param code: see :class:`~gustnado.http.ws.codes.CloseCode`; a program's own are 3000 to 4999.
        :param reason: at most 123 bytes of UTF-8.
        :raises ValueError: where no frame may hold ``code``, or ``reason`` is longer.
        """
        if self.ws_connection is not None:
            self.ws_connection.close(code, reason)
            self.ws_connection = None

    def set_nodelay(self, value: bool) -> None:
        """Send small messages at once (which is so by default), or gather them for a moment."""
        connection = self.ws_connection
        stream = None if connection is None else connection.stream
        if stream is None:
            stream = self.request.connection.stream  # before the connection is open
        if stream is not None:
            stream.set_nodelay(value)

    @property
    def selected_subprotocol(self) -> str | None:
        """What :meth:`select_subprotocol` has returned.

        :raises WebSocketClosedError: where the connection is closed.
        """
        if self.ws_connection is None:
            raise WebSocketClosedError("the connection is closed")
        return self.ws_connection.selected_subprotocol

    # Opening

    async def _accept(
        self, connection: WebSocketProtocol, answer: str, subprotocols: list[str], offers: list[Extension]
    ) -> None:
        """Open the connection; where :meth:`open` raises an :exc:`HTTPError` first, the client gets that."""
        self._negotiate(connection, subprotocols, offers)
        self.set_header("Upgrade", "websocket")
        self.set_header("Connection", "Upgrade")
        self.set_header("Sec-WebSocket-Accept", answer)
        self.ws_connection = connection
        connection.stream = self.request.connection.stream  # for `open`, which may set its options
        failure: Exception | None = None
        opening = None
        self._forbid_http()
        try:
            opening = self._start_opening()
        except (HTTPError, Finish):
            self._allow_http()
            self.ws_connection = None
            raise
        except Exception as error:
            failure = error
        self._switch(connection)
        if failure is not None:
            connection.fail(failure)
            return
        await self._finish_opening(connection, opening)

    def _negotiate(
        self, connection: WebSocketProtocol, subprotocols: list[str], offers: list[Extension]
    ) -> None:
        chosen = self.select_subprotocol(subprotocols)
        if chosen:
            if chosen not in subprotocols:
                raise UsageError(f"select_subprotocol() chose {chosen!r}, which is none of {subprotocols}")
            self.set_header("Sec-WebSocket-Protocol", chosen)
        connection.selected_subprotocol = chosen
        given = connection.params.compression_options
        if given is None:
            return
        options = DeflateOptions.of(given)
        agreed = accept_offer(offers, options)
        if agreed is not None:
            connection.compress(agreed, options)
            self.set_header("Sec-WebSocket-Extensions", agreed.response())

    def _start_opening(self) -> Awaitable[Any] | None:
        """Call :meth:`open`; what is left of it, if anything."""
        result = self.open(*self.open_args, **self.open_kwargs)
        if not inspect.iscoroutine(result):
            return result
        step = FirstStep(result)
        return None if step.done else step.rest()

    def _switch(self, connection: WebSocketProtocol) -> None:
        """Answer with 101, and take the stream over."""
        self._status_code = 101
        self._reason = "Switching Protocols"
        self.clear_header("Content-Type")
        self._add_cookies()
        http = self.request.connection
        http.write_informational(101, self._headers)
        stream = http.detach()
        self._headers_written = self._finished = True
        self._ended()
        self.request.connection = UpgradedConnection(http.context)
        self.request.server_connection = None
        self._headers = HTTPHeaders()
        connection.begin(stream)
        self.shutting_down.add_callback(self._go_away)

    async def _finish_opening(self, connection: WebSocketProtocol, opening: Awaitable[Any] | None) -> None:
        try:
            if opening is not None:
                await opening
        except asyncio.CancelledError as error:
            connection.abort()
            connection.fail(error)
            raise
        except Exception as error:
            connection.fail(error)
            return
        if connection.is_pulling():
            connection.close()
            connection.drop_messages()
        else:
            connection.release()

    def _forbid_http(self) -> None:
        for name in _HTTP_ONLY:
            setattr(self, name, _not_for_websockets)

    def _allow_http(self) -> None:
        for name in _HTTP_ONLY:
            delattr(self, name)

    # The end

    def _go_away(self) -> None:
        """The server shuts down."""
        self.close(1001, "the server is shutting down")

    def on_connection_close(self) -> None:
        """Called when the connection is gone: calls :meth:`on_close`, once."""
        connection, self.ws_connection = self.ws_connection, None
        if connection is not None:
            connection.on_connection_close()
        self.shutting_down.remove_callback(self._go_away)
        if not self._on_close_called:
            self._on_close_called = True
            self.on_close()

    def on_ws_connection_close(self, close_code: int | None = None, close_reason: str | None = None) -> None:
        """Called by the connection when it is gone, with what the client's close frame said."""
        self.close_code = close_code
        self.close_reason = close_reason
        try:
            self.on_connection_close()
        finally:
            if self._end is not None and not self._end.done():
                self._end.set_result(None)


_GET = WebSocketHandler.get  # before anybody wraps or overrides it


def _not_for_websockets(*args: Any, **kwargs: Any) -> None:
    raise NotForWebSocketsError(
        "Method not supported for Web Sockets; to refuse one, answer in prepare(), or raise HTTPError in open()"
    )
