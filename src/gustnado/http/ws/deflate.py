"""Compression of messages (RFC 7692 section 7.2): messages in, DEFLATE data out, and back. No I/O.

Inflating is bounded: never is more than one byte over the limit put into memory, however little it was before.

>>> deflater, inflater = Deflater(), Inflater()
>>> data = deflater.deflate(b"Hello")
>>> inflater.inflate(data, 100)
b'Hello'
>>> inflater.finish()
"""

from __future__ import annotations

import zlib
from typing import Any

from gustnado.http.ws.codes import CloseCode
from gustnado.http.ws.errors import WebSocketProtocolError

__all__ = ["Compressors", "Deflater", "Inflater"]

_TAIL = b"\x00\x00\xff\xff"  # of an empty block, which senders leave out (section 7.2.1)
_LAST_BLOCK = b"\x01\x00\x00\xff\xff"
_EMPTY_MESSAGE = b"\x00"  # section 7.2.3.6


class Compressors:
    """Compressors for all who let none of what they send depend on what they sent before.

    One for each kind, 256 KiB each, instead of one for each connection. Not to be shared by threads.
    """

    __slots__ = ("_made",)

    def __init__(self) -> None:
        self._made: dict[tuple[int, int, int], Any] = {}

    def compress(self, data: bytes, level: int, window_bits: int, mem_level: int) -> bytes:
        """``data`` as DEFLATE blocks that end with that of :rfc:`7692` section 7.2.1, and refer to nothing before."""
        kind = level, window_bits, mem_level
        compressor = self._made.get(kind)
        if compressor is None:
            compressor = self._made[kind] = zlib.compressobj(level, zlib.DEFLATED, -window_bits, mem_level)
        compressed: bytes = compressor.compress(data)
        # It forgets what came before, and goes on: making a new one costs more than compressing a short message.
        return compressed + bytes(compressor.flush(zlib.Z_FULL_FLUSH))


class Deflater:
    """Compresses messages.

    :param window_bits: 8 to 15: the peer keeps ``2 ** window_bits`` bytes of what came before.
    :param takeover: a message may refer to those before it.
    :param level: 0 to 9, or -1, as for :func:`zlib.compressobj`; so is ``mem_level``, 1 to 9.
    :param compressors: where ``takeover`` is false, the compressors to share.
    """

    __slots__ = ("_compressor", "_compressors", "level", "mem_level", "takeover", "window_bits")

    def __init__(
        self,
        window_bits: int = 15,
        takeover: bool = True,
        level: int = 6,
        mem_level: int = 8,
        compressors: Compressors | None = None,
    ) -> None:
        # zlib cannot keep to 256 bytes, but with 512 it never refers further back than 250.
        self.window_bits = max(window_bits, 9)
        self.takeover = takeover
        self.level = level
        self.mem_level = mem_level
        self._compressors = compressors or Compressors()
        self._compressor: Any = None

    @property
    def kind(self) -> tuple[int, int, int] | None:
        """What decides how messages are compressed; ``None`` where it is also what was sent before."""
        return None if self.takeover else (self.level, self.window_bits, self.mem_level)

    def deflate(self, data: bytes) -> bytes:
        """The payload that stands for ``data``."""
        if not data:
            return _EMPTY_MESSAGE
        if not self.takeover:
            return self._compressors.compress(data, self.level, self.window_bits, self.mem_level)[:-4]
        if self._compressor is None:
            self._compressor = zlib.compressobj(self.level, zlib.DEFLATED, -self.window_bits, self.mem_level)
        compressed: bytes = self._compressor.compress(data)
        return (compressed + bytes(self._compressor.flush(zlib.Z_SYNC_FLUSH)))[:-4]


class Inflater:
    """Inflates messages, which may come in pieces.

    :param window_bits: 8 to 15, as the peer was told.
    :param takeover: a message may refer to those before it.
    """

    __slots__ = ("_begun", "_decompressor", "_takeover", "_window_bits")

    def __init__(self, window_bits: int = 15, takeover: bool = True) -> None:
        self._window_bits = window_bits
        self._takeover = takeover
        self._begun = False  # a message has
        self._decompressor: Any = None

    def inflate(self, data: bytes | bytearray, room: int) -> bytes:
        """Inflate a piece of a message.

        :param room: the most bytes that may come out.
        :raises gustnado.http.ws.errors.WebSocketProtocolError: 1009 where it is more; 1007 where ``data`` is not
            DEFLATE data, or goes on behind its last block.
        """
        if not data:
            return b""
        self._begun = True
        if self._decompressor is None:
            self._decompressor = zlib.decompressobj(-self._window_bits)
        decompressor = self._decompressor
        if decompressor.eof:
            self._check_rest(decompressor.unused_data + data)
        try:
            # Behind the end it only adds to unused_data.
            inflated: bytes = decompressor.decompress(data, room + 1)
        except zlib.error as error:
            raise _malformed(str(error)) from None
        if len(inflated) > room:
            raise WebSocketProtocolError("message too big after decompression", CloseCode.TOO_BIG)
        if decompressor.eof:
            self._check_rest(decompressor.unused_data)
        return inflated

    def _check_rest(self, rest: bytes) -> None:
        # A sender that ends its last block adds the byte with which an empty one begins (section 7.2.3.4).
        if rest not in (b"", b"\x00"):
            raise _malformed("data behind the last block")

    def finish(self) -> None:
        """End a message: all of it must have come out.

        :raises gustnado.http.ws.errors.WebSocketProtocolError: 1007, where it is cut off.
        """
        decompressor = self._decompressor
        if not self._begun:
            return  # no data at all: a few senders let it stand for an empty message
        self._begun = False
        if decompressor.eof:
            self._decompressor = None
            return
        try:
            # What the end that is left out lets come out was within a block.
            whole = not decompressor.decompress(_TAIL, 1) and not decompressor.eof
        except zlib.error:
            whole = False
        if not self._takeover:
            self._decompressor = None
        elif whole:
            decompressor = decompressor.copy()
        if not whole or not _is_between_blocks(decompressor):
            raise _malformed("it ends within a block")


def _is_between_blocks(decompressor: Any) -> bool:
    """Whether the data so far ends with a whole block, so that one could follow: it is tried."""
    try:
        return not decompressor.decompress(_LAST_BLOCK, 1) and bool(decompressor.eof)
    except zlib.error:
        return False


def _malformed(what: str) -> WebSocketProtocolError:
    return WebSocketProtocolError(f"malformed compressed data: {what}", CloseCode.INVALID_DATA)
