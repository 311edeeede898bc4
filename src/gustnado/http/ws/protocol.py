"""One end of a WebSocket, without I/O (RFC 6455): bytes in, events out; messages in, bytes out.

The way to use it::

    codec.feed(data)                     as bytes arrive, in whatever pieces
    kind = codec.next_event()            until it is 0; then `codec.payload` says more
    codec.message(data, binary)          each of these returns bytes to be sent, in this order
    codec.message_parts(data, binary)    the same bytes in two pieces
    codec.ping(data), codec.pong(data)
    codec.close(code, reason)

What the peer does wrong raises :exc:`~gustnado.http.ws.errors.WebSocketProtocolError`, once; send ``close`` with its
``close_code`` then. Behind the peer's close frame, and behind such an error, all that it sends is dropped
(sections 5.5.1 and 7.1.7). Behind our own, its messages still come, until it answers.

>>> server, client = WebSocketCodec(is_client=False), WebSocketCodec(is_client=True)
>>> server.feed(client.message(b"Hello", False) + client.close(1000, "bye"))
>>> server.next_event(), server.payload
(1, 'Hello')
>>> server.next_event(), server.close_code, server.close_reason
(8, 1000, 'bye')
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gustnado.http.ws.codes import CloseCode, is_valid_close_code
from gustnado.http.ws.errors import WebSocketClosedError, WebSocketProtocolError
from gustnado.http.ws.frames import build_frame, build_masked_frame, frame_head, masked_parts
from gustnado.http.ws.masking import MaskKeys
from gustnado.http.ws.messages import MessageReader

if TYPE_CHECKING:
    from gustnado.http.ws.deflate import Deflater, Inflater

__all__ = ["WebSocketCodec", "close_payload"]

_CLOSE, _PING, _PONG = 8, 9, 10
_MAX_REASON = 123  # bytes; a control frame has 125, and two are the code


class WebSocketCodec(MessageReader):
    """Both directions of a connection.

    :param is_client: this is the client's end, which masks what it sends. Also an attribute.
    :param max_size: bytes of a message of the peer's, inflated.
    :param max_fragments: its fragments; one more for each 32 bytes of it.
    :param deflater: what compresses our messages, where that has been agreed on.
    :param inflater: what inflates the peer's.
    :ivar close_sent: our close frame has been made.
    :ivar close_received: the peer's has been read.
    :ivar failed: the peer has broken the protocol.
    :ivar close_code: what the peer's close frame said; ``None`` where it said nothing, or there was none.
    :ivar close_reason: likewise.
    :ivar bytes_out: bytes of all frames so far.
    :ivar message_bytes_out: bytes of all messages in them, before they were compressed.
    """

    __slots__ = (
        "_keys", "bytes_out", "close_code", "close_reason", "close_received", "close_sent", "deflater",
        "failed", "is_client", "message_bytes_out",
    )  # fmt: skip

    def __init__(
        self,
        is_client: bool,
        max_size: int = 10 * 1024 * 1024,
        max_fragments: int = 1024,
        deflater: Deflater | None = None,
        inflater: Inflater | None = None,
    ) -> None:
        MessageReader.__init__(self, not is_client, max_size, max_fragments, inflater)
        self.deflater = deflater
        self.is_client = is_client
        self._keys = MaskKeys() if is_client else None
        self.close_sent = False
        self.close_received = False
        self.failed = False
        self.close_code: int | None = None
        self.close_reason: str | None = None
        self.bytes_out = 0
        self.message_bytes_out = 0

    def use_compression(self, deflater: Deflater, inflater: Inflater) -> None:
        """Compress messages from now on, as both sides have agreed."""
        self.deflater = deflater
        self._inflater = inflater
        self.deflate = True

    # In

    def next_event(self) -> int:
        """Read on to the next event.

        :returns: an opcode: 1 and 2 are messages, whole; 8, 9 and 10 control frames. 0: more bytes are needed.
        :raises gustnado.http.ws.errors.WebSocketProtocolError: where the peer has broken the protocol.
        """
        if self.failed or self.close_received:
            self.drop_rest()
            return 0
        if self._position == self._size:
            return 0  # nothing is there, as after each event but the last of a chunk
        try:
            kind = self.read()
            if kind == _CLOSE:
                self._read_close()
            return kind
        except WebSocketProtocolError:
            self.failed = True
            self.drop_rest()
            raise

    def _read_close(self) -> None:
        payload: bytes = self.payload  # type: ignore[assignment]  # of a control frame it is no str
        if payload:
            if len(payload) == 1:
                raise WebSocketProtocolError("a close frame with half a code")
            code = payload[0] << 8 | payload[1]
            if not is_valid_close_code(code):
                raise WebSocketProtocolError(f"close code {code}, which no frame may hold")
            self.close_code = code
            if len(payload) > 2:
                self.close_reason = self._read_reason(payload[2:])
        self.close_received = True
        self.drop_rest()

    def _read_reason(self, reason: bytes) -> str:
        try:
            return reason.decode("utf-8")
        except UnicodeDecodeError:
            raise WebSocketProtocolError(
                "a reason for closing that is not UTF-8", CloseCode.INVALID_DATA
            ) from None

    # Out

    def message(self, payload: bytes, binary: bool) -> bytes:
        """A message as one frame.

        :param payload: a text in UTF-8, unless ``binary``.
        :raises gustnado.http.ws.errors.WebSocketClosedError: after :meth:`close`.
        """
        payload = self._begin_message(payload)
        return self._frame(2 if binary else 1, payload, self.deflater is not None)

    def message_parts(self, payload: bytes, binary: bool) -> tuple[bytes, bytes]:
        """As :meth:`message`, in two pieces to be sent one behind the other: a long payload is not copied for its head.

        Without compression and masking the second one is ``payload`` itself.
        """
        payload = self._begin_message(payload)
        opcode = 2 if binary else 1
        compressed = self.deflater is not None
        if self._keys is None:
            head = frame_head(opcode, len(payload), True, compressed, False)
        else:
            head, payload = masked_parts(opcode, payload, self._keys.next(), True, compressed)
        self.bytes_out += len(head) + len(payload)
        return head, payload

    def _begin_message(self, payload: bytes) -> bytes:
        if self.close_sent:
            raise WebSocketClosedError("the connection is closing")
        self.message_bytes_out += len(payload)
        return payload if self.deflater is None else self.deflater.deflate(payload)

    def ping(self, payload: bytes) -> bytes:
        """A ping, which asks for a pong.

        :param payload: at most 125 bytes.
        :raises ValueError: where it has more.
        :raises gustnado.http.ws.errors.WebSocketClosedError: after :meth:`close`.
        """
        return self._control(_PING, payload)

    def pong(self, payload: bytes) -> bytes:
        """What answers a ping, with its payload; otherwise as :meth:`ping`."""
        return self._control(_PONG, payload)

    def close(self, code: int | None = None, reason: str | None = None) -> bytes:
        """A close frame, behind which nothing more is sent.

        :param code: see :class:`~gustnado.http.ws.codes.CloseCode`; without one, but with a reason, it is 1000.
        :param reason: at most 123 bytes of UTF-8.
        :raises ValueError: where no frame may hold ``code``, or ``reason`` has more.
        :raises gustnado.http.ws.errors.WebSocketClosedError: the second time.
        """
        frame = self._control(_CLOSE, close_payload(code, reason))
        self.close_sent = True
        return frame

    def _control(self, opcode: int, payload: bytes) -> bytes:
        if self.close_sent:
            raise WebSocketClosedError("the connection is closing")
        return self._frame(opcode, payload, False)

    def _frame(self, opcode: int, payload: bytes, compressed: bool) -> bytes:
        if self._keys is None:
            frame = build_frame(opcode, payload, True, compressed)
        else:
            frame = build_masked_frame(opcode, payload, self._keys.next(), True, compressed)
        self.bytes_out += len(frame)
        return frame


def close_payload(code: int | None, reason: str | None) -> bytes:
    """What stands in a close frame; see :meth:`WebSocketCodec.close`."""
    if code is None:
        if reason is None:
            return b""
        code = CloseCode.NORMAL
    if not is_valid_close_code(code):
        raise ValueError(f"no close frame may hold code {code}; a program's own are 3000 to 4999")
    text = b"" if reason is None else reason.encode()
    if len(text) > _MAX_REASON:
        raise ValueError(f"a reason for closing has at most {_MAX_REASON} bytes of UTF-8, not {len(text)}")
    return int(code).to_bytes(2, "big") + text
