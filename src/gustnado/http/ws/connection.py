"""A WebSocket connection as programs see it: what drives it is :mod:`gustnado.http.ws.driver`.

Programs seldom use it: a handler, and a client's connection, have methods of their own for all of this.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gustnado.http.ws.deflate import Deflater, Inflater
from gustnado.http.ws.driver import WebSocketDriver
from gustnado.http.ws.extensions import DeflateOptions, DeflateParameters
from gustnado.http.ws.handshake import accept_key
from gustnado.http.ws.loop_share import share_of
from gustnado.http.ws.pings import Pinger, ping_sleep_time, timeout_for

if TYPE_CHECKING:
    from gustnado.events.stream import IOStream
    from gustnado.http.ws.delegate import WebSocketDelegate
    from gustnado.http.ws.params import WebSocketParams

__all__ = ["WebSocketProtocol", "WebSocketProtocol13"]


class WebSocketProtocol(WebSocketDriver):
    """One end of a connection, with its pings.

    :param handler: the program's side, see :class:`~gustnado.http.ws.delegate.WebSocketDelegate`.
    :param mask_outgoing: this is the client's end.
    :param params: see :class:`~gustnado.http.ws.params.WebSocketParams`.
    :ivar selected_subprotocol: what both sides have agreed on, or ``None``.
    """

    __slots__ = ("_gone", "_pinger", "_share", "selected_subprotocol")

    def __init__(self, handler: WebSocketDelegate, mask_outgoing: bool, params: WebSocketParams) -> None:
        loop = asyncio.get_running_loop()
        self._share = share_of(loop)
        super().__init__(handler, mask_outgoing, params, loop, self._share.done)
        self.selected_subprotocol: str | None = None
        self._pinger: Pinger | None = None
        self._gone: asyncio.Future[None] | None = None  # where somebody waits for it

    # What has been agreed on

    def compress(
        self, parameters: DeflateParameters, options: DeflateOptions
    ) -> None:
        """Compress messages, as has been agreed on; where ours do not refer to each other, with a compressor that
        all connections of the loop share.

        :param options: how: level and memory.
        """
        if self.codec.is_client:
            bits, other = parameters.client_max_window_bits, parameters.server_max_window_bits
            free, other_free = parameters.client_no_context_takeover, parameters.server_no_context_takeover
        else:
            bits, other = parameters.server_max_window_bits, parameters.client_max_window_bits
            free, other_free = parameters.server_no_context_takeover, parameters.client_no_context_takeover
        compressors = self._share.compressors if free else None
        deflater = Deflater(bits, not free, options.compression_level, options.mem_level, compressors)
        self.codec.use_compression(deflater, Inflater(other, not other_free))

    # Life

    def begin(self, stream: IOStream, unread: bytes = b"") -> None:
        super().begin(stream, unread)
        self.start_pinging()

    def start_pinging(self) -> None:
        """Send pings from now on, where an interval is set."""
        interval = self.ping_interval
        if self._pinger is None and interval > 0 and not self.is_closing():
            self._pinger = Pinger(self._share, self, interval, self.ping_timeout)

    def _stop_pinging(self) -> None:
        if self._pinger is not None:
            self._pinger.stop()
            self._pinger = None

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        super().close(code, reason)
        self._stop_pinging()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_pinging()
        super().connection_lost(exc)
        gone = self._gone
        if gone is not None and not gone.done() and self._is_gone():
            gone.set_result(None)

    def _is_gone(self) -> bool:
        return self.stream is None or self.stream.closed()

    async def wait_closed(self) -> None:
        """Return when the stream has closed."""
        if self._is_gone():
            return
        if self._gone is None:
            self._gone = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._gone)

    def on_connection_close(self) -> None:
        """The program has been told that it is over: cut the connection, unless it is only to send what it holds."""
        if not self._is_gone():
            self.abort()

    def _abort(self) -> None:
        """As :meth:`abort`, for programs that call it by Tornado's private name, as sockjs-tornado does."""
        self.abort()

    def set_nodelay(self, x: bool) -> None:
        """Send small messages at once (which is so by default), or gather them for a moment."""
        if self.stream is not None:
            self.stream.set_nodelay(x)

    # What programs ask

    @property
    def ping_interval(self) -> float:
        """Seconds between two pings; 0 is never."""
        return self.params.ping_interval or 0

    @property
    def ping_timeout(self) -> float:
        """Seconds for the answer to a ping; 0 is for ever."""
        return timeout_for(self.ping_interval, self.params.ping_timeout)

    @property
    def close_code(self) -> int | None:
        """What the peer's close frame said; ``None`` where there was none, or without a code."""
        code: int | None = self.codec.close_code
        return code

    @property
    def close_reason(self) -> str | None:
        """Likewise."""
        reason: str | None = self.codec.close_reason
        return reason

    @property
    def mask_outgoing(self) -> bool:
        """Whether this is the client's end."""
        return bool(self.codec.is_client)

    @property
    def client_terminated(self) -> bool:
        """The peer has sent its close frame, or is gone."""
        return bool(self.codec.close_received) or self._is_gone()

    @property
    def server_terminated(self) -> bool:
        """We have sent our close frame, or the peer is gone."""
        return bool(self.codec.close_sent) or self._is_gone()


class WebSocketProtocol13(WebSocketProtocol):
    """Version 13, that of RFC 6455, which is the only one."""

    __slots__ = ()

    # Bits of a frame's first byte (section 5.2).
    FIN = 0x80
    RSV1 = 0x40
    RSV2 = 0x20
    RSV3 = 0x10
    RSV_MASK = RSV1 | RSV2 | RSV3
    OPCODE_MASK = 0x0F

    compute_accept_value = staticmethod(accept_key)
    ping_sleep_time = staticmethod(ping_sleep_time)

    # For Tornado's own tests, which look at these.

    @property
    def _message_bytes_in(self) -> int:
        return int(self.codec.message_bytes_in)

    @property
    def _message_bytes_out(self) -> int:
        return int(self.codec.message_bytes_out)

    @property
    def _wire_bytes_in(self) -> int:
        return int(self.codec.bytes_in)

    @property
    def _wire_bytes_out(self) -> int:
        return int(self.codec.bytes_out)
