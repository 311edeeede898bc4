"""Decoding the chunked transfer coding (RFC 9112 section 7.1): bytes in, body out.

The decoder reads from a buffer that somebody else holds, at a position that it moves. What it costs is
bounded: chunk extensions and trailers share one budget of bytes, and one call takes a bounded number of
chunks, so that a million chunks of one byte do not hold up everybody else.

>>> decoder = ChunkedDecoder(max_extras=1000, max_trailers=10)
>>> decoder.decode(b"5;ext=1\\r\\nhello\\r\\n0\\r\\n\\r\\nGET", 0, 65536)
b'hello'
>>> decoder.complete, decoder.position
(True, 21)
"""

from __future__ import annotations

import re

from gustnado.errors import HTTPInputError
from gustnado.http.headers import HTTPHeaders

__all__ = ["FORBIDDEN_TRAILERS", "ChunkedDecoder"]

# Alternatives exclude each other, so these are linear without possessive groups (which older 3.11 get wrong).
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED = rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"'
_SIZE_LINE = re.compile(
    rb"([0-9A-Fa-f]{1,16})(?:[\t ]*;[\t ]*"
    + _TOKEN
    + rb"(?:[\t ]*=[\t ]*(?:"
    + _TOKEN
    + rb"|"
    + _QUOTED
    + rb"))?)*"
)
_PLAIN_SIZE = re.compile(rb"[0-9A-Fa-f]{1,8}\r\n")
_MAX_SIZE = 1 << 62
_MAX_CHUNKS_A_CALL = 256

# Fields that decide how a message is framed, routed or trusted come in its head or not at all
# (RFC 9110 section 6.5.1).
FORBIDDEN_TRAILERS = frozenset(
    "Authorization Cache-Control Connection Content-Encoding Content-Length Content-Range Content-Type Cookie "
    "Expect Host Max-Forwards Pragma Proxy-Authorization Range Set-Cookie Te Trailer Transfer-Encoding".split()
)
"""Names, as :class:`~gustnado.http.headers.HTTPHeaders` spells them."""


class ChunkedDecoder:
    """Decodes one chunked body.

    :ivar position: where in the buffer the next undecoded byte is.
    :ivar complete: the last chunk and the trailers have been read.
    :ivar stalled: more could be decoded from the same buffer; call again, after others had their turn.
    :ivar trailers: trailer fields, without those that may not come as trailers; ``None`` without any.
    """

    __slots__ = ("_extras", "_left", "_max_trailers", "_state", "complete", "position", "stalled", "trailers")

    def __init__(self, max_extras: int, max_trailers: int) -> None:
        self._extras = max_extras
        self._max_trailers = max_trailers
        self._left = 0
        self._state = 0  # 0 size line, 1 data, 2 CRLF after data, 3 trailers
        self.position = 0
        self.complete = False
        self.stalled = False
        self.trailers: HTTPHeaders | None = None

    def decode(self, buffer: bytes | bytearray, position: int, max_bytes: int) -> bytes:
        """Decode what ``buffer`` holds from ``position`` on.

        :param max_bytes: the most to return, more than 0.
        :returns: a piece of the body, empty where the buffer holds too little for one.
        :raises gustnado.errors.HTTPInputError: at the first byte that may not stand there.
        """
        pieces = []
        room = max_bytes
        chunks = 0
        self.position = position
        self.stalled = False
        size = len(buffer)
        while room > 0 and not self.complete:
            if self._state == 1:
                take = min(self._left, room, size - self.position)
                if take == 0:
                    break
                pieces.append(buffer[self.position : self.position + take])
                self.position += take
                room -= take
                self._left -= take
                if self._left > 0:
                    continue
                self._state = 2
            if self._state == 2 and not self._skip_crlf(buffer, size):
                break
            if self._state == 0:
                if chunks == _MAX_CHUNKS_A_CALL:
                    break
                chunks += 1
                if not self._read_size(buffer, size):
                    break
            if self._state == 3 and not self._read_trailers(buffer, size):
                break
        self.stalled = (
            not self.complete and (room == 0 or chunks == _MAX_CHUNKS_A_CALL) and self.position < size
        )
        if len(pieces) == 1:
            return bytes(pieces[0])
        return b"".join(pieces)

    def _skip_crlf(self, buffer: bytes | bytearray, size: int) -> bool:
        if size - self.position < 2:
            if size > self.position and buffer[self.position] != 13:
                raise HTTPInputError("improperly terminated chunk: its data is longer than its size says")
            return False
        if not buffer.startswith(b"\r\n", self.position):
            raise HTTPInputError("improperly terminated chunk: its data is longer than its size says")
        self.position += 2
        self._state = 0
        return True

    def _read_size(self, buffer: bytes | bytearray, size: int) -> bool:
        plain = _PLAIN_SIZE.match(buffer, self.position)
        if plain is not None:
            end = plain.end()
            length = int(buffer[self.position : end - 2], 16)
        else:
            line_end = buffer.find(b"\r\n", self.position)
            line = bytes(buffer[self.position : line_end if line_end >= 0 else size])
            if len(line) > self._extras + 16:
                raise HTTPInputError("chunk extensions over the limit")
            if line_end < 0:
                self._check_partial(line)
                return False
            match = _SIZE_LINE.fullmatch(line)
            if match is None:
                raise HTTPInputError(f"invalid chunk size {line[:40]!r}")
            length = int(match[1], 16)
            if length > _MAX_SIZE:
                raise HTTPInputError(f"chunk size {match[1]!r} is beyond any limit")
            self._extras -= len(line) - len(match[1])
            end = line_end + 2
        self.position = end
        self._left = length
        self._state = 1 if length else 3
        return True

    def _check_partial(self, line: bytes) -> None:
        """Refuse the beginning of a size line that can no longer become a good one."""
        if line and (line[:1] not in b"0123456789abcdefABCDEF" or b"\n" in line or b"\r" in line[:-1]):
            raise HTTPInputError(f"invalid chunk size {line[:40]!r}")

    def _read_trailers(self, buffer: bytes | bytearray, size: int) -> bool:
        start = self.position
        if buffer.startswith(b"\r\n", start):
            self.position = start + 2
            self.complete = True
            return True
        end = buffer.find(b"\r\n\r\n", start)
        if (end if end >= 0 else size) - start > self._extras:
            raise HTTPInputError("trailer fields over the limit")
        if end < 0:
            if size > start and buffer[start] == 10:
                raise HTTPInputError("bare LF in trailer fields")
            return False
        lines = buffer[start:end].decode("latin-1").split("\r\n")
        if len(lines) > self._max_trailers:
            raise HTTPInputError("trailer fields over the limit")
        trailers = HTTPHeaders()
        trailers.read_lines(lines, 0)
        for name in FORBIDDEN_TRAILERS.intersection(trailers):
            del trailers[name]
        self.trailers = trailers
        self.position = end + 4
        self.complete = True
        return True
