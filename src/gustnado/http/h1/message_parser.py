"""What the parsers of requests and of responses share: the buffer, and the body that follows a head.

Not of use by itself: a subclass has a ``parse_head`` that says how the body is framed (RFC 9112 section 6).
"""

from __future__ import annotations

import re

from gustnado.errors import HTTPInputError
from gustnado.http.h1.chunked import ChunkedDecoder
from gustnado.http.headers import HTTPHeaders
from gustnado.http.limits import Limits

__all__ = ["MessageParser"]

_BARE_LF = re.compile(rb"(?<!\r)\n")


class MessageParser:
    """Holds what has arrived of one connection's messages, and reads bodies from it.

    :ivar headers: the fields of the head that has been parsed.
    :ivar complete: the message has been read to its end.
    :ivar keep_alive: the sender of the message wants the connection kept (RFC 9112 section 9.3).
    :ivar http11: the message is HTTP/1.1.
    :ivar content_length: of the body; -1 where it is chunked.
    :ivar max_body_size: the most that :meth:`read_body` reads of one body, in bytes; -1 is no bound. It
        may be changed between head and body, and is that of the limits again for the next message.
    :ivar stalled: a whole call's work has been done and there is more to do; see :class:`ChunkedDecoder`.
    """

    __slots__ = (
        "_body_read",
        "_buffer",
        "_chunks",
        "_limits",
        "_max_header_count",
        "_position",
        "_scanned",
        "_used_body",
        "complete",
        "content_length",
        "headers",
        "http11",
        "keep_alive",
        "max_body_size",
        "stalled",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._max_header_count = limits.max_header_count
        self._buffer: bytes | bytearray = b""
        self._position = 0
        self._scanned = 0
        self._chunks: ChunkedDecoder | None = None
        self._body_read = 0
        self._used_body = False  # of this message's framing there is something to forget
        self.headers: HTTPHeaders | None = None
        self.complete = False
        self.keep_alive = False
        self.http11 = False
        self.content_length = 0
        self.max_body_size = limits.max_body_size
        self.stalled = False

    def feed(self, data: bytes) -> None:
        """Take bytes as they come from the network."""
        buffer = self._buffer
        if self._position == len(buffer):
            self._buffer = data
            self._position = 0
            self._scanned = 0
            return
        if isinstance(buffer, bytearray) and self._position == 0:
            buffer += data
            return
        rest = bytearray(buffer[self._position :])
        rest += data
        self._buffer = rest
        self._scanned -= self._position
        self._position = 0

    def pending(self) -> int:
        """Bytes that have been fed and not been read."""
        return len(self._buffer) - self._position

    def take_rest(self) -> bytes:
        """Hand over the bytes that have been fed and not been read, for another protocol to read."""
        rest = bytes(self._buffer[self._position :])
        self._buffer = b""
        self._position = 0
        return rest

    def next_message(self) -> None:
        """Make ready for the next head, after a message that is complete."""
        self.headers = None
        self._scanned = self._position
        if self._used_body:
            self._used_body = False
            self._chunks = None
            self.max_body_size = self._limits.max_body_size

    def _begin_body(self) -> None:
        """A body follows the head: forget the one before."""
        self.stalled = False
        self._body_read = 0
        self._used_body = True
        self.complete = False

    def _begin_chunks(self) -> None:
        self.content_length = -1
        self._chunks = ChunkedDecoder(self._limits.max_chunk_extras, self._max_header_count)

    def _read_connection(self, connection: str | list[str]) -> None:
        value = connection if isinstance(connection, str) else ",".join(connection)
        if value == "keep-alive":
            self.keep_alive = True
            return
        options = [option.strip(" \t") for option in value.lower().split(",")]
        self.keep_alive = "close" not in options and (self.http11 or "keep-alive" in options)

    def read_body(self, max_bytes: int) -> bytes:
        """Read a piece of the body.

        :param max_bytes: the most to return, more than 0.
        :returns: a piece of it, empty where none has arrived; :attr:`complete` tells the end.
        :raises gustnado.errors.HTTPInputError: 400 or 413.
        """
        if self._chunks is not None:
            chunk = self._read_chunks(self._chunks, max_bytes)
        else:
            take = min(self.content_length - self._body_read, max_bytes, len(self._buffer) - self._position)
            chunk = bytes(self._buffer[self._position : self._position + take])
            self._position += take
            self._body_read += take
            self.complete = self._body_read == self.content_length
        return chunk

    def _read_chunks(self, chunks: ChunkedDecoder, max_bytes: int) -> bytes:
        chunk = chunks.decode(self._buffer, self._position, max_bytes)
        self._position = chunks.position
        self._body_read += len(chunk)
        if self._body_read > self.max_body_size >= 0:
            raise HTTPInputError(f"chunked body too large: over {self.max_body_size} bytes", status=413)
        self.complete = chunks.complete
        self.stalled = chunks.stalled
        return chunk

    def trailers(self) -> HTTPHeaders | None:
        """The trailer fields of a chunked body that is complete; ``None`` without any."""
        return None if self._chunks is None else self._chunks.trailers

    def body_read(self) -> int:
        """Bytes of the body that have been read."""
        return self._body_read

    def body_left(self) -> int:
        """Bytes of the body still to be read; -1 where nobody can know."""
        if self.complete:
            return 0
        return -1 if self._chunks is not None else self.content_length - self._body_read

    def _check_fields(self, lines: list[str], size: int) -> None:
        """Refuse a whole head that is over one of the limits."""
        limits = self._limits
        if size > limits.max_header_size:
            raise HTTPInputError(f"head of {size} bytes, over {limits.max_header_size}", status=431)
        if len(lines) - 1 > limits.max_header_count:
            raise HTTPInputError(
                f"{len(lines) - 1} header fields, over {limits.max_header_count}", status=431
            )
        longest = max([len(line) for line in lines[1:]], default=0)
        if longest > limits.max_field_size:
            raise HTTPInputError(f"header field of {longest} bytes, over {limits.max_field_size}", status=431)

    def _check_line_ends(self) -> None:
        """Refuse the beginning of a head in which a line ends with LF alone."""
        if _BARE_LF.search(self._buffer, max(self._scanned - 1, self._position)) is not None:
            raise HTTPInputError("bare LF in a head")
