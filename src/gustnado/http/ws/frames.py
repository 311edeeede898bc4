"""Frames (RFC 6455 section 5): bytes in, frames out, and back. No I/O.

The way to use a reader::

    reader.feed(data)              as bytes arrive, in whatever pieces
    reader.read_head()             False: more bytes are needed
    reader.take(n)                 the next n bytes of the payload, unmasked; at most `available()` of them

What RFC 6455 does not allow raises :exc:`~gustnado.http.ws.errors.WebSocketProtocolError` as soon as the
bytes are there that show it: a length that is over a limit before any of the payload is read.

>>> build_frame(1, b"Hello")
b'\\x81\\x05Hello'
>>> reader = FrameReader(masked=False, max_size=100)
>>> reader.feed(b"\\x81\\x05Hel")
>>> reader.read_head(), reader.opcode, reader.available(), reader.take(3), reader.left
(True, 1, 3, b'Hel', 2)
"""

from __future__ import annotations

from gustnado.http.ws.codes import CloseCode
from gustnado.http.ws.errors import WebSocketProtocolError
from gustnado.http.ws.masking import unmask

__all__ = ["FrameReader", "build_frame", "build_masked_frame", "frame_head", "masked_parts"]

_MAX_CONTROL = 125
_SHORT = 126
_TWO_BYTES = 65536
_EIGHT_BYTES = 1 << 63
_TEXT_HEADS = tuple(bytes((0x81, size)) for size in range(_SHORT))
_BINARY_HEADS = tuple(bytes((0x82, size)) for size in range(_SHORT))


class FrameReader:
    """Finds frames in what a peer sends.

    :param masked: the peer is a client, which must mask (section 5.1); a server must not.
    :param max_size: bytes of a message, fragments together.
    :ivar opcode: of the current frame.
    :ivar fin: it ends a message.
    :ivar compressed: the message it belongs to is (RFC 7692 section 6).
    :ivar left: bytes of its payload that have not been taken.
    :ivar in_message: the next data frame must continue a message.
    :ivar deflate: compression has been agreed on.
    :ivar bytes_in: bytes of all frames whose heads have been read.
    """

    __slots__ = (
        "_buffer", "_key", "_masked", "_message_size", "_position", "_size", "bytes_in", "compressed", "deflate",
        "fin", "fragments", "in_message", "left", "max_fragments", "max_size", "opcode",
    )  # fmt: skip

    def __init__(self, masked: bool, max_size: int, max_fragments: int = 1024) -> None:
        self._buffer = b""
        self._position = 0
        self._size = 0  # of the buffer
        self._masked = masked
        self._key = 0
        self._message_size = 0  # as announced by the frames of the message so far
        self.max_size = max_size
        self.max_fragments = max_fragments
        self.deflate = False
        self.opcode = 0
        self.fin = False
        self.compressed = False
        self.left = 0
        self.in_message = False
        self.fragments = 0
        self.bytes_in = 0

    def feed(self, data: bytes) -> None:
        """Take bytes as they come from the network."""
        if self._position < self._size:
            data = self._buffer[self._position :] + data
        self._buffer = data
        self._position = 0
        self._size = len(data)

    def pending(self) -> int:
        """Bytes that have been fed and not used."""
        return self._size - self._position

    def take_rest(self) -> bytes:
        """All of them, as they came."""
        rest = self._buffer[self._position :]
        self.drop_rest()
        return rest

    def drop_rest(self) -> None:
        """Forget them."""
        self._buffer = b""
        self._position = self._size = 0

    def available(self) -> int:
        """How many bytes of the payload of the current frame are there."""
        there = self._size - self._position
        return there if there < self.left else self.left

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes of the payload, unmasked.

        :raises ValueError: where there are not as many.
        """
        position = self._position
        if self._masked:
            piece = unmask(self._buffer, position, size, self._key)
        else:
            if size > self._size - position:
                raise ValueError(f"no {size} bytes are there")
            piece = self._buffer[position : position + size]
        self._move(size)
        return piece

    def _move(self, size: int) -> None:
        """``size`` bytes of the payload have been taken."""
        if self._masked:
            shift = 8 * (size & 3)
            if shift:
                self._key = self._key >> shift | (self._key << (32 - shift) & 0xFFFFFFFF)
        self._position += size
        self.left -= size
        if self._position == self._size:
            self.drop_rest()

    def read_head(self) -> bool:
        """Read the head of the next frame.

        :returns: false while it has not arrived whole.
        :raises gustnado.http.ws.errors.WebSocketProtocolError: 1002, or 1008 or 1009 over a limit.
        """
        buffer = self._buffer
        position = self._position
        size = self._size - position
        if size < 2:
            return False
        first = buffer[position]
        second = buffer[position + 1]
        opcode = first & 15
        if first & 0x70:
            self._check_reserved(first)
        if (second & 128 != 0) != self._masked:
            raise WebSocketProtocolError("an unmasked frame" if self._masked else "a masked frame of a server")
        length = second & 127
        if opcode >= 8:
            check_control(opcode, first & 128 != 0, length)
        else:
            self._check_order(opcode)
        position += 2
        if length >= 126:
            wide = 2 if length == 126 else 8
            if size < 2 + wide:
                return False
            length = self._read_length(buffer, position, wide)
            position += wide
        if opcode < 8:
            self._check_size(length, first & 0x40 != 0)
        if self._masked:
            if self._size - position < 4:
                return False
            self._key = key_number(buffer, position)
            position += 4
        self.bytes_in += position - self._position + length
        self._position = position
        self.opcode = opcode
        self.fin = first & 128 != 0
        self.left = length
        if opcode < 8:
            self._enter(opcode, first & 0x40 != 0, length)
        if position == self._size:
            self.drop_rest()
        return True

    def _enter(self, opcode: int, compressed: bool, length: int) -> None:
        """A data frame begins: note what later ones of its message depend on."""
        if opcode:
            self.compressed = compressed
            self._message_size = 0
            self.fragments = 0
        self._message_size += length
        self.fragments += 1
        self.in_message = not self.fin

    def _check_reserved(self, first: int) -> None:
        if first & 0x30:
            raise WebSocketProtocolError("reserved bits RSV2 or RSV3 in a frame")
        if not self.deflate:
            raise WebSocketProtocolError("reserved bit RSV1 in a frame, and no compression was agreed on")
        if first & 15 not in (1, 2):
            raise WebSocketProtocolError("reserved bit RSV1 elsewhere than in the first frame of a message")

    def _check_order(self, opcode: int) -> None:
        if opcode > 2:
            raise WebSocketProtocolError(f"reserved opcode {opcode}")
        if opcode == 0 and not self.in_message:
            raise WebSocketProtocolError("a continuation of no message")
        if opcode and self.in_message:
            raise WebSocketProtocolError("a new message within another one")

    def _read_length(self, buffer: bytes, position: int, wide: int) -> int:
        """A length of two or eight bytes."""
        if wide == 2:
            length = buffer[position] << 8 | buffer[position + 1]
            if length < _SHORT:
                raise WebSocketProtocolError(f"length {length} in more bytes than it needs")
            return length
        if buffer[position] & 128:
            raise WebSocketProtocolError("a length with its highest bit set")
        length = int.from_bytes(buffer[position : position + 8], "big")
        if length < _TWO_BYTES:
            raise WebSocketProtocolError(f"length {length} in more bytes than it needs")
        return length

    def _check_size(self, length: int, compressed: bool) -> None:
        """Refuse a data frame by what its message would be with it."""
        before = 0
        limit = self.max_size
        if self.in_message:
            before = self._message_size
            compressed = self.compressed
            # One more for each 32 bytes: those who send large messages in small pieces do no harm.
            if self.fragments >= self.max_fragments + (before >> 5):
                raise WebSocketProtocolError(
                    f"a message of over {self.max_fragments} fragments, most of them tiny",
                    CloseCode.POLICY_VIOLATION,
                )
        if compressed:
            limit += (limit >> 4) + 64  # what cannot be compressed grows by as much
        if length > limit - before:
            raise WebSocketProtocolError("message too big", CloseCode.TOO_BIG)


def check_control(opcode: int, fin: bool, length: int) -> None:
    """Refuse a control frame that is not as section 5.5 wants it."""
    if opcode > 10:
        raise WebSocketProtocolError(f"reserved opcode {opcode}")
    if length > _MAX_CONTROL:
        raise WebSocketProtocolError("a control frame of over 125 bytes")
    if not fin:
        raise WebSocketProtocolError("a control frame in fragments")


def key_number(buffer: bytes, position: int) -> int:
    """The four bytes of a key as a number, the first one lowest."""
    second = buffer[position + 1]
    third = buffer[position + 2]
    fourth = buffer[position + 3]
    return buffer[position] | second << 8 | third << 16 | fourth << 24


def frame_head(opcode: int, size: int, fin: bool = True, rsv1: bool = False, masked: bool = False) -> bytes:
    """What comes before mask and payload of a frame.

    :param opcode: see :class:`~gustnado.http.ws.codes.Opcode`.
    :param size: bytes of the payload.
    :raises ValueError: where a control frame would be over 125 bytes, or not final.
    """
    if opcode >= 8:
        if not fin:
            raise ValueError("control frames may not be fragmented")
        if size > _MAX_CONTROL:
            raise ValueError("control frame payloads may not exceed 125 bytes")
    if size < 0 or size >= _EIGHT_BYTES:
        raise ValueError(f"no frame has {size} bytes")
    first = opcode | (128 if fin else 0) | (64 if rsv1 else 0)
    mask = 128 if masked else 0
    if size < _SHORT:
        return bytes((first, mask | size))
    if size < _TWO_BYTES:
        return bytes((first, mask | 126, size >> 8, size & 255))
    return bytes((first, mask | 127)) + size.to_bytes(8, "big")


def build_frame(opcode: int, payload: bytes, fin: bool = True, rsv1: bool = False) -> bytes:
    """A frame as a server sends it; see :func:`frame_head`."""
    size = len(payload)
    if size < _SHORT and fin and not rsv1:
        if opcode == 1:
            return _TEXT_HEADS[size] + payload
        if opcode == 2:
            return _BINARY_HEADS[size] + payload
    return frame_head(opcode, size, fin, rsv1, False) + payload


def build_masked_frame(opcode: int, payload: bytes, key: bytes, fin: bool = True, rsv1: bool = False) -> bytes:
    """A frame as a client sends it; see :func:`masked_parts`."""
    head, masked = masked_parts(opcode, payload, key, fin, rsv1)
    return head + masked


def masked_parts(
    opcode: int, payload: bytes, key: bytes, fin: bool = True, rsv1: bool = False
) -> tuple[bytes, bytes]:
    """The head of a frame as a client sends it, with the key, and the masked payload.

    :param key: four bytes that nobody can foresee (section 10.3).
    :raises ValueError: where there are not four, or as :func:`frame_head`.
    """
    size = len(payload)
    if len(key) != 4:
        raise ValueError(f"a mask has four bytes, not {len(key)}")
    return frame_head(opcode, size, fin, rsv1, True) + key, unmask(payload, 0, size, key_number(key, 0))
