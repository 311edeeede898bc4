"""Parsing HTTP/1.0 and 1.1 responses (RFC 9112): bytes in, heads and bodies out. No I/O.

The way to use a parser, for each response::

    parser.begin(method)                  the method of the request that it answers
    parser.feed(data)                     as bytes arrive, in whatever pieces
    parser.parse_head()                   False: more bytes are needed; again after a code below 200
    chunk = parser.read_body(65536)       until parser.complete
    parser.end_of_input()                 when the peer has closed

It is as strict as :class:`~gustnado.http.h1.parser.RequestParser`, with two exceptions that the web needs: the
reason phrase may be missing, and a ``Content-Length`` may be repeated (RFC 9110 section 8.6). What is refused
raises :class:`~gustnado.errors.HTTPInputError`, with a status of 413 or 431 where it is over a limit and 400
where it is malformed; the parser is of no use after that.

>>> from gustnado.http.limits import Limits
>>> parser = ResponseParser(Limits())
>>> parser.begin("GET")
>>> parser.feed(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nhi")
>>> parser.parse_head(), parser.code, parser.reason, parser.read_body(10), parser.complete
(True, 200, 'OK', b'hi', True)
"""

from __future__ import annotations

import re

from gustnado.errors import HTTPInputError
from gustnado.http.h1.message_parser import MessageParser
from gustnado.http.headers import headers_of
from gustnado.http.limits import Limits

__all__ = ["ResponseParser"]

_LENGTH = re.compile(r"[0-9]{1,18}")
_CONTROLS = bytes([*range(9), *range(10, 32), 127])
_PREFIX = b"HTTP/1."
_ENDLESS = 1 << 62  # the length of a body that ends with the connection


class ResponseParser(MessageParser):
    """Parses the responses on one connection, one after the other.

    :ivar version: ``"HTTP/1.1"`` or ``"HTTP/1.0"``, once :meth:`parse_head` has returned true.
    :ivar code: the status code, 100 to 999.
    :ivar reason: the reason phrase, which may be empty.
    :ivar started: the first byte of this response has arrived.
    :ivar until_close: the body ends with the connection, and says nothing of its length before.

    What it shares with other parsers is told in :class:`~gustnado.http.h1.message_parser.MessageParser`.
    """

    __slots__ = (
        "_connect", "_head", "_informational", "_least_limit", "code", "reason", "started",
        "until_close", "version",
    )  # fmt: skip

    def __init__(self, limits: Limits) -> None:
        MessageParser.__init__(self, limits)
        # A head no longer than this is within each of the limits that count bytes.
        self._least_limit = min(limits.max_header_size, limits.max_field_size) - 4
        self._head = False
        self._connect = False
        self._informational = 0
        self.version = ""
        self.code = 0
        self.reason = ""
        self.started = False
        self.until_close = False

    def begin(self, method: str) -> None:
        """Make ready for the response to a request of ``method``: it decides whether there is a body."""
        self.next_message()
        self._head = method == "HEAD"
        self._connect = method == "CONNECT"
        self._informational = 0
        self.started = False
        self.complete = False

    def feed(self, data: bytes) -> None:
        """Take bytes as they come from the network."""
        self.started = True
        MessageParser.feed(self, data)

    def parse_head(self) -> bool:
        """Read the next head, of an informational response or of the final one.

        :returns: false while it has not arrived whole.
        :raises gustnado.errors.HTTPInputError: 400 or 431.
        """
        buffer = self._buffer
        start = self._position
        end = buffer.find(b"\r\n\r\n", self._scanned)
        if end < 0:
            self._check_partial()
            return False
        piece = buffer[start:end]
        head = piece if type(piece) is bytes else bytes(piece)
        lines = head.decode("latin-1").split("\r\n")
        count = len(lines)
        if end - start > self._least_limit or count > self._max_header_count:
            self._check_fields(lines, end - start + 4)
        self._read_status_line(lines[0])
        self._position = self._scanned = end + 4
        fields: dict[str, str | list[str]] = {}
        self.headers = headers = headers_of(fields)
        if len(head) - len(head.translate(None, _CONTROLS)) == 2 * (count - 1):
            headers.take_lines(lines, 1)
        else:
            headers.read_lines(lines, 1)
        if self.code < 200:
            self._count_informational()
        else:
            self._read_framing(fields)
        return True

    def _read_status_line(self, line: str) -> None:
        version = line[:8]
        code = line[9:12]
        if (
            (version != "HTTP/1.1" and version != "HTTP/1.0")
            or line[8:9] != " "
            or len(code) != 3
            or not (code.isascii() and code.isdigit())
            or code[0] == "0"
            or line[12:13] not in ("", " ")
        ):
            raise HTTPInputError(f"malformed status line {line[:80]!r}")
        self.http11 = version == "HTTP/1.1"
        self.version = version
        self.code = int(code)
        self.reason = line[13:]

    def _count_informational(self) -> None:
        """RFC 9110 section 15.2: any number may come; an endless flood must not hold up the client."""
        self._informational += 1
        if self._informational > self._limits.max_informational:
            raise HTTPInputError(f"Too many 1xx responses: over {self._limits.max_informational}")
        self.complete = False

    def _read_framing(self, fields: dict[str, str | list[str]]) -> None:
        """Work out where the body ends and what becomes of the connection (RFC 9112 sections 6.3, 9.3)."""
        connection = fields.get("Connection")
        if connection is None:
            self.keep_alive = self.http11
        else:
            self._read_connection(connection)
        length = fields.get("Content-Length")
        coding = fields.get("Transfer-Encoding")
        self._begin_body()
        self.until_close = False
        if coding is not None:
            self._check_coding(coding, length)
        size = -1 if length is None else self._read_length(length)
        code = self.code
        if self._head or code == 304 or (self._connect and 200 <= code < 300):
            self.content_length = 0
            self.complete = True
        elif code == 204:
            if size > 0 or coding is not None:
                raise HTTPInputError("Response with code 204 should not have body")
            self.content_length = 0
            self.complete = True
        elif coding is not None:
            self._begin_chunks()
        elif size >= 0:
            self.content_length = size
            self.complete = size == 0
        else:
            self.content_length = _ENDLESS
            self.until_close = True
            self.keep_alive = False

    def _check_coding(self, coding: str | list[str], length: str | list[str] | None) -> None:
        if length is not None:
            raise HTTPInputError("Message with both Transfer-Encoding and Content-Length")
        if isinstance(coding, list):
            raise HTTPInputError("more than one Transfer-Encoding field")
        if not self.http11:
            raise HTTPInputError("Transfer-Encoding in an HTTP/1.0 response")
        if coding.lower() != "chunked":
            raise HTTPInputError(f"Transfer-Encoding {coding[:40]!r} is not spoken here")

    def _read_length(self, length: str | list[str]) -> int:
        if isinstance(length, list):
            length = ",".join(length)
        if "," in length:
            # RFC 9110 section 8.6: the same number, repeated, may be taken for one.
            first, *others = [one.strip(" \t") for one in length.split(",")]
            if [one for one in others if one != first]:
                raise HTTPInputError(f"Multiple unequal Content-Lengths: {length[:40]!r}")
            length = first
        if _LENGTH.fullmatch(length) is None:
            raise HTTPInputError(f"malformed Content-Length {length[:40]!r}")
        return int(length)

    def check_body_size(self) -> None:
        """Refuse a body that says at once that it is over the limit.

        :raises gustnado.errors.HTTPInputError: 413.
        """
        if self.content_length > self.max_body_size >= 0 and not self.until_close:
            raise HTTPInputError(
                f"Content-Length too long: {self.content_length} bytes, over {self.max_body_size}", status=413
            )

    def read_body(self, max_bytes: int) -> bytes:
        """Read a piece of the body; see :meth:`MessageParser.read_body`."""
        chunk = MessageParser.read_body(self, max_bytes)
        if self.until_close and self._body_read > self.max_body_size >= 0:
            raise HTTPInputError(f"Body too long: over {self.max_body_size} bytes", status=413)
        return chunk

    def body_left(self) -> int:
        """Bytes of the body still to be read; -1 where nobody can know."""
        return -1 if self.until_close and not self.complete else MessageParser.body_left(self)

    def end_of_input(self) -> bool:
        """The peer has closed, and all that it sent has been read.

        :returns: whether the response is complete, which one that ends with the connection is now.
        """
        if self.until_close and not self.complete:
            self.complete = True
        return self.complete

    def _check_partial(self) -> None:
        """Refuse the beginning of a head that can no longer become a good one."""
        start = self._position
        buffer = self._buffer
        size = len(buffer) - start
        if size > self._limits.max_header_size:
            raise HTTPInputError(f"head over {self._limits.max_header_size} bytes", status=431)
        if not buffer.startswith(_PREFIX[: min(size, 7)], start):
            raise HTTPInputError(f"malformed status line {bytes(buffer[start : start + 40])!r}")
        self._check_line_ends()
        self._scanned = max(start, len(buffer) - 3)
