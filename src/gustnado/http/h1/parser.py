"""Parsing HTTP/1.0 and 1.1 requests (RFC 9112): bytes in, heads and bodies out. No I/O.

The way to use a parser, for each message::

    parser.feed(data)                     as bytes arrive, in whatever pieces
    start_line = parser.read_head()       None: more bytes are needed
    chunk = parser.read_body(65536)       until parser.complete
    parser.next_message()

It reads what RFC 9112 calls a request and refuses all that could be read in two ways: bare CR or LF,
line folding, white space before a colon, two lengths, a length beside a transfer coding, lists of hosts.
Each limit is charged as bytes arrive, so one byte at a time buys nothing. What is refused raises
:class:`~gustnado.errors.HTTPInputError` with the status that answers it; the parser is of no use after that.

>>> from gustnado.http.limits import Limits
>>> parser = RequestParser(Limits())
>>> parser.feed(b"POST /a HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 2\\r\\n\\r\\nhi")
>>> parser.read_head(), parser.headers["Host"], parser.read_body(10), parser.complete
(RequestStartLine(method='POST', path='/a', version='HTTP/1.1'), 'x', b'hi', True)
"""

from __future__ import annotations

import re

from gustnado.errors import HTTPInputError
from gustnado.http.h1.message_parser import MessageParser
from gustnado.http.h1.targets import check_host, resolve_target
from gustnado.http.headers import headers_of
from gustnado.http.limits import Limits
from gustnado.http.messages import RequestStartLine

__all__ = ["RequestParser"]

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_METHOD = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}+")
_VERSION = re.compile(r"HTTP/[0-9]\.[0-9]")
_LENGTH = re.compile(r"[0-9]{1,18}+")
_CODING_LIST = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++(?:[ \t]*+,[ \t]*+[!#$%&'*+\-.^_`|~0-9A-Za-z]++)*")
# All control characters but TAB; CR and LF are told from those between the lines by their number.
_CONTROLS = bytes([*range(9), *range(10, 32), 127])
_NOT_IN_REQUEST_LINE = re.compile(rb"[^\x20-\x7e]")


class RequestParser(MessageParser):
    """Parses the requests of one connection, one after the other.

    :param like_tornado: take heads in which every line ends with LF alone, and none with CRLF; and chunked bodies in
        HTTP/1.0, upon which the connection closes (RFC 9112 section 6.1).
    :ivar method: the request's, once :meth:`parse_head` has returned true; so are ``target`` and ``version``.
    :ivar expects_continue: the client waits for ``100 Continue`` before it sends the body.

    What it shares with other parsers is told in :class:`~gustnado.http.h1.message_parser.MessageParser`.
    """

    __slots__ = (
        "_empty_line", "_host", "_least_limit", "_like_tornado", "expects_continue", "method", "target", "version",
    )  # fmt: skip

    def __init__(self, limits: Limits, like_tornado: bool = False) -> None:
        MessageParser.__init__(self, limits)
        self._like_tornado = like_tornado
        # A head no longer than this is within each of the limits that count bytes.
        self._least_limit = min(limits.max_request_line, limits.max_header_size, limits.max_field_size) - 4
        self._empty_line = False
        self._host: str | None = None
        self.method = ""
        self.target = ""
        self.version = ""
        self.expects_continue = False

    def read_head(self) -> RequestStartLine | None:
        """Read a request's head.

        :returns: the start line, or ``None`` while the head has not arrived whole.
        :raises gustnado.errors.HTTPInputError: 400, 414, 417, 431, 501 or 505.
        """
        return RequestStartLine(self.method, self.target, self.version) if self.parse_head() else None

    def parse_head(self) -> bool:
        """As :meth:`read_head`, for those who take the start line from the attributes."""
        buffer = self._buffer
        start = self._position
        end = buffer.find(b"\r\n\r\n", self._scanned)
        if end < 0 or buffer[start] == 13:
            return self._wait_for_head()
        piece = buffer[start:end]
        head = piece if type(piece) is bytes else bytes(piece)
        lines = head.decode("latin-1").split("\r\n")
        line = lines[0]
        count = len(lines)
        if end - start > self._least_limit or count > self._max_header_count:
            self._check_sizes(lines, end - start + 4)
        parts = line.split(" ")
        if len(parts) != 3:
            raise HTTPInputError(f"Malformed HTTP request line {line[:80]!r}")
        method, target, version = parts
        if method not in _METHODS and _METHOD.fullmatch(method) is None:
            raise HTTPInputError(f"Malformed HTTP request line: method {method[:40]!r} is no token")
        if version == "HTTP/1.1":
            self.http11 = True
        else:
            self.http11 = self._check_version(version)
        clean = len(head) - len(head.translate(None, _CONTROLS)) == 2 * (count - 1)
        if (
            "#" in target
            or not target.isascii()
            or ((not clean or "\t" in target) and not target.isprintable())
        ):
            raise HTTPInputError(f"malformed request target {target[:80]!r}")
        self._position = end + 4
        self._empty_line = False
        fields: dict[str, str | list[str]] = {}
        self.headers = headers = headers_of(fields)
        if clean:
            headers.take_lines(lines, 1)
        else:
            headers.read_lines(lines, 1)
        host = fields.get("Host")
        if host is None or host != self._host:
            self._check_host(host)
        if not target or target[0] != "/" or method == "CONNECT":
            target, authority = resolve_target(method, target)
            if authority is not None:
                # The authority of the target wins over the field, RFC 9112 section 3.2.2.
                fields["Host"] = authority
        self.method = method
        self.target = target
        self.version = version
        self._read_framing(fields)
        return True

    def _wait_for_head(self) -> bool:
        """Look at the beginning of a head; forgive one empty line before it, RFC 9112 section 2.2."""
        buffer = self._buffer
        if buffer.startswith(b"\r\n", self._position):
            if self._empty_line or buffer.startswith(b"\r\n", self._position + 2):
                raise HTTPInputError("empty lines instead of a request line")
            self._empty_line = True
            self._position += 2
            self._scanned = self._position
            return self.parse_head() if self.pending() else False
        if self._like_tornado and buffer.find(b"\n", self._position) >= 0:
            return self._mend_line_ends()
        self._check_partial()
        self._scanned = max(self._position, len(buffer) - 3)
        return False

    def _mend_line_ends(self) -> bool:
        """Take a head whose lines all end with LF alone, which are made to end with CRLF."""
        head, end, rest = bytes(self._buffer[self._position :]).partition(b"\n\n")
        if b"\r" in head or len(head) > self._limits.max_header_size:
            self._check_partial()
            return False
        if not end:
            return False
        self._buffer = head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + rest
        self._position = self._scanned = 0
        return self.parse_head()

    def _check_sizes(self, lines: list[str], size: int) -> None:
        """Refuse a whole head that is over one of the limits."""
        limits = self._limits
        if len(lines[0]) > limits.max_request_line:
            raise HTTPInputError(f"request line of {len(lines[0])} bytes", status=414)
        self._check_fields(lines, size)

    def _check_version(self, version: str) -> bool:
        if _VERSION.fullmatch(version) is None:
            raise HTTPInputError(f"malformed HTTP version {version[:40]!r}")
        if version[5] != "1":
            # RFC 9110 section 15.6.6; HTTP/0.9 has no version in its request line.
            status = 400 if version[5] == "0" else 505
            raise HTTPInputError(f"{version} is not spoken here", status=status)
        return version != "HTTP/1.0"

    def _check_host(self, host: str | list[str] | None) -> None:
        if host is None:
            if self.http11:
                raise HTTPInputError("no Host field in an HTTP/1.1 request")
        elif isinstance(host, list):
            raise HTTPInputError(f"{len(host)} Host fields")
        else:
            check_host(host)
            self._host = host  # clients repeat it: checked once a connection

    def _read_framing(self, fields: dict[str, str | list[str]]) -> None:
        """Work out where the body ends and what becomes of the connection (RFC 9112 sections 6.3, 9.3)."""
        if "Content-Length" in fields or "Transfer-Encoding" in fields:
            self._read_body_framing(fields)
        else:
            self.content_length = 0
            self.complete = True
        connection = fields.get("Connection")
        if connection is None:
            self.keep_alive = self.http11
        else:
            self._read_connection(connection)
        if not self.http11 and self.content_length < 0:
            self.keep_alive = False  # who spoke before HTTP/1.1 may have read another end of this body
        expect = fields.get("Expect")
        if expect is None:
            self.expects_continue = False
        else:
            self._read_expect(expect)

    def _read_body_framing(self, fields: dict[str, str | list[str]]) -> None:
        coding = fields.get("Transfer-Encoding")
        length = fields.get("Content-Length")
        if coding is not None and length is not None:
            raise HTTPInputError("Message with both Transfer-Encoding and Content-Length")
        if isinstance(fields.get("Content-Type"), list):
            raise HTTPInputError("more than one Content-Type field")
        self._begin_body()
        if length is not None:
            if isinstance(length, list) or "," in length:
                raise HTTPInputError(f"Multiple unequal Content-Lengths, or a list of them: {str(length)[:40]!r}")
            if _LENGTH.fullmatch(length) is None:
                raise HTTPInputError(f"Only integer Content-Length is allowed, not {str(length)[:40]!r}")
            self.content_length = int(length)
            self.complete = self.content_length == 0
            return
        if isinstance(coding, list):
            raise HTTPInputError(f"Unsupported Transfer-Encoding {','.join(coding)[:40]}")
        if not (self.http11 or self._like_tornado):
            raise HTTPInputError("Transfer-Encoding in an HTTP/1.0 request")
        if coding is not None and coding.lower() != "chunked":
            codings = coding.lower()
            if (
                _CODING_LIST.fullmatch(codings) is None
                or codings.count("chunked") > 1
                or "identity" in codings
            ):
                raise HTTPInputError(f"malformed Transfer-Encoding {coding[:40]!r}")
            raise HTTPInputError(f"Unsupported Transfer-Encoding {coding[:40]}", status=501)
        self._begin_chunks()

    def _read_expect(self, expect: str | list[str]) -> None:
        self.expects_continue = False
        if not self.http11:
            return  # RFC 9110 section 10.1.1: ignored in HTTP/1.0
        if isinstance(expect, list) or expect.lower() != "100-continue":
            raise HTTPInputError(f"Expect {str(expect)[:40]!r} is not known here", status=417)
        self.expects_continue = not self.complete

    def check_body_size(self) -> None:
        """Refuse a body that says at once that it is over the limit.

        :raises gustnado.errors.HTTPInputError: 413.
        """
        if self.content_length > self.max_body_size >= 0:
            raise HTTPInputError(
                f"Content-Length too long: body of {self.content_length} bytes, over {self.max_body_size}", status=413
            )

    def _check_partial(self) -> None:
        """Refuse the beginning of a head that can no longer become a good one."""
        start = self._position
        size = len(self._buffer) - start
        if size > self._limits.max_header_size:
            self._refuse_size(start)
        line_end = self._buffer.find(b"\r\n", start)
        line = bytes(self._buffer[start : start + size if line_end < 0 else line_end])
        if len(line) > self._limits.max_request_line:
            raise HTTPInputError(f"request line over {self._limits.max_request_line} bytes", status=414)
        if line_end < 0 and line[-1:] == b"\r":
            line = line[:-1]
        if _NOT_IN_REQUEST_LINE.search(line) is not None:
            raise HTTPInputError(f"Malformed HTTP request line {line[:40]!r}")
        self._check_line_ends()

    def _refuse_size(self, start: int) -> None:
        line_end = self._buffer.find(b"\r\n", start)
        if line_end < 0 or line_end - start > self._limits.max_request_line:
            raise HTTPInputError(f"request line over {self._limits.max_request_line} bytes", status=414)
        raise HTTPInputError(f"head over {self._limits.max_header_size} bytes", status=431)
