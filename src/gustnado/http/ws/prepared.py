"""A message to many receivers: framed once, and compressed once for each way in which they have it compressed.

>>> from gustnado.http.ws.protocol import WebSocketCodec
>>> message = PreparedMessage("Hello")
>>> message.frame_for(WebSocketCodec(is_client=False))
b'\\x81\\x05Hello'
>>> message.frame_for(WebSocketCodec(is_client=False)) is message.frame_for(WebSocketCodec(is_client=False))
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gustnado.escape import json_encode
from gustnado.http.ws.frames import build_frame

if TYPE_CHECKING:
    from gustnado.http.ws.protocol import WebSocketCodec

__all__ = ["PreparedMessage", "payload_of"]


def payload_of(message: str | bytes | dict[str, Any]) -> bytes:
    """The payload of a message: text as UTF-8, a ``dict`` as JSON, bytes as they are.

    :raises TypeError: where it is none of these.
    """
    if type(message) is str:
        return message.encode()
    if type(message) is bytes:
        return message
    if isinstance(message, dict):
        return json_encode(message).encode()
    if isinstance(message, str):
        return message.encode()
    if isinstance(message, (bytes, bytearray, memoryview)):
        return bytes(message)
    raise TypeError(f"a message is str, bytes or dict, not {type(message).__name__}: {message!r:.80}")


class PreparedMessage:
    """A message that can be sent on many connections; ``write_message`` takes it as well.

    Those whose compression depends on what was sent before (context takeover) get it as it is, which they always
    may (RFC 7692 section 6): to compress it for each of them would cost more than it saves.

    :param message: as for ``write_message``; so is ``binary``.
    :raises TypeError: where it is no message.
    """

    __slots__ = ("_compressed", "_plain", "binary", "payload")

    def __init__(self, message: str | bytes | dict[str, Any], binary: bool = False) -> None:
        self.payload = payload_of(message)
        self.binary = binary
        self._plain: bytes | None = None
        self._compressed: dict[Any, bytes] = {}

    def frame_for(self, codec: WebSocketCodec) -> bytes:
        """The frame to send on a connection, which counts it. A client's is its own: masked (RFC 6455 section 5.3)."""
        if codec.is_client:
            return codec.message(self.payload, self.binary)
        deflater = codec.deflater
        kind = None if deflater is None else deflater.kind
        if deflater is None or kind is None:
            frame = self._plain
            if frame is None:
                self._plain = frame = build_frame(2 if self.binary else 1, self.payload)
        else:
            frame = self._compressed.get(kind)
            if frame is None:
                frame = build_frame(2 if self.binary else 1, deflater.deflate(self.payload), True, True)
                self._compressed[kind] = frame
        codec.message_bytes_out += len(self.payload)
        codec.bytes_out += len(frame)
        return frame
