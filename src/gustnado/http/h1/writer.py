"""Writing HTTP/1 responses (RFC 9112): heads and bodies in, bytes out. No I/O.

A :class:`ResponseWriter` knows what the request allows and what has been written, so that nothing malformed
can leave: no body where none may be, no more and no less of it than its ``Content-Length``, chunks only to
those who understand them, ``Connection: close`` whenever the connection will be closed.

>>> from gustnado.http.headers import HTTPHeaders
>>> writer = ResponseWriter()
>>> writer.begin(is_head=False, http11=True, keep_alive=True)
>>> headers = HTTPHeaders({"Content-Length": "2"})
>>> writer.head(200, "OK", headers, "Mon, 23 Nov 2026 18:35:42 GMT") + writer.data(b"hi")
b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nDate: Mon, 23 Nov 2026 18:35:42 GMT\\r\\n\\r\\nhi'
>>> writer.end()
b''
"""

from __future__ import annotations

import re
from http import HTTPStatus

from gustnado.errors import HTTPOutputError
from gustnado.http.h1.body_writer import BodyWriter
from gustnado.http.headers import HeaderMap

__all__ = ["REASONS", "ResponseWriter", "check_reason", "informational", "is_reason", "refusal"]

REASONS: dict[int, str] = {int(status): status.phrase for status in HTTPStatus}
"""Status code to reason phrase, as the IANA registry has them."""
REASONS.update(
    {
        413: "Content Too Large",
        414: "URI Too Long",
        416: "Range Not Satisfiable",
        422: "Unprocessable Content",
    }
)

_USUAL_REASONS = REASONS
_STATUS_LINES = {code: f"HTTP/1.1 {code} {reason}\r\n" for code, reason in REASONS.items()}
_BAD_REASON = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


def is_reason(reason: str) -> bool:
    """Whether a status line can hold it (RFC 9112 section 4): no control characters but TAB, all of it Latin-1."""
    return _BAD_REASON.search(reason) is None


def check_reason(reason: str) -> None:
    """Refuse a reason phrase that would break the status line.

    :raises ValueError: see :func:`is_reason`.
    """
    if not is_reason(reason):
        raise ValueError(f"reason {reason[:80]!r} has a character that a status line cannot hold")


def informational(code: int, headers: HeaderMap | None = None) -> bytes:
    """An informational response (RFC 9110 section 15.2), such as ``100 Continue``."""
    return (_STATUS_LINES[code] + ("" if headers is None else headers.to_wire()) + "\r\n").encode("latin-1")


def refusal(status: int, date: str) -> bytes:
    """The whole response to what is no request: a line of text, and the end of the connection."""
    reason = REASONS.get(status, "Bad Request")
    body = f"{status} {reason}\n"
    return (
        f"HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nDate: {date}\r\nConnection: close\r\n\r\n{body}"
    ).encode("latin-1")


class ResponseWriter(BodyWriter):
    """Frames one response after the other.

    What it shares with the writer of requests is told in :class:`~gustnado.http.h1.body_writer.BodyWriter`.
    """

    __slots__ = ("_http11",)

    def __init__(self) -> None:
        BodyWriter.__init__(self)
        self._http11 = False

    def begin(self, is_head: bool, http11: bool, keep_alive: bool) -> None:
        """Make ready for the response to a request.

        :param is_head: its method is HEAD.
        :param http11: it is HTTP/1.1, so it understands chunks.
        :param keep_alive: its client, and this server, want to keep the connection.
        """
        self._is_head = is_head
        self._http11 = http11
        self._restart(keep_alive)

    def head(self, code: int, reason: str, headers: HeaderMap, date: str, size: int = -1) -> bytes:
        """The head of a final response, and the decision how its body is framed.

        :param reason: an empty one stands for the usual one.
        :param date: for the ``Date`` field, where ``headers`` have none (RFC 9110 section 6.6.1).
        :param size: of the body in bytes, where it is known and ``headers`` do not tell; else -1.
        :raises gustnado.errors.HTTPOutputError: where the head would be malformed.
        """
        return "".join(self._head_pieces(code, reason, headers, date, size)).encode("latin-1")

    def _head_pieces(self, code: int, reason: str, headers: HeaderMap, date: str, size: int) -> list[str]:
        if self.head_written:
            raise HTTPOutputError("the head of this response has been written already")
        fields = headers._fields
        line = _STATUS_LINES.get(code)
        if line is None or (reason and reason != _USUAL_REASONS[code]):
            line = self._status_line(code, reason)
        given = fields.get("Content-Length")
        tells_size = False
        chunked = False
        if code == 204 or code == 304 or self._is_head or code < 200:
            self._no_body = True
            if code == 204 and given is not None:
                raise HTTPOutputError("a 204 response has no Content-Length (RFC 9110 section 8.6)")
            tells_size = size >= 0 and given is None and code != 204 and code != 304
        elif given is not None:
            self._left = self._read_length(given)
        elif size >= 0:
            self._left = size
            tells_size = True
        elif self._http11:
            self._chunked = chunked = True
        else:
            self.keep_alive = False  # the end of the body is the end of the connection
        if "Transfer-Encoding" in fields:
            self._check_transfer_encoding()
            self._chunked = chunked = False  # the program frames the body itself
        connection = ""
        if not self.keep_alive or not self._http11 or "Connection" in fields:
            connection = self._connection_line(fields)
        pieces = [line]
        headers.write_to(pieces)
        if tells_size:
            pieces.append(f"Content-Length: {size}\r\n")
        elif chunked:
            pieces.append("Transfer-Encoding: chunked\r\n")
        if connection:
            pieces.append(connection)
        pieces.append("\r\n" if "Date" in fields else f"Date: {date}\r\n\r\n")
        self.head_written = True
        return pieces

    def _check_transfer_encoding(self) -> None:
        """The program has set the field itself."""
        raise HTTPOutputError("Transfer-Encoding is the server's own affair; do not set it")

    def _status_line(self, code: int, reason: str) -> str:
        if not 200 <= code <= 999:
            raise HTTPOutputError(f"{code} is not the status code of a final response")
        if _BAD_REASON.search(reason) is not None:
            raise HTTPOutputError(f"reason {reason[:80]!r} has a character that a status line cannot hold")
        return f"HTTP/1.1 {code} {reason or 'Unknown'}\r\n"

    def _connection_line(self, fields: dict[str, str | list[str]]) -> str:
        present = fields.get("Connection")
        if present is not None and self.keep_alive:
            if "close" in str(present).lower():
                self.keep_alive = False
            return ""
        if not self.keep_alive:
            # Whatever the program said: who closes says so (RFC 9112 section 9.6).
            fields["Connection"] = "close"
            return ""
        return "Connection: Keep-Alive\r\n"

    def whole(self, code: int, reason: str, headers: HeaderMap, body: bytes, date: str) -> bytes:
        """A response at once: :meth:`head`, :meth:`data` and :meth:`end` in one, with the length of ``body``.

        :raises gustnado.errors.HTTPOutputError: as they do; nothing is to be sent then.
        """
        size = len(body)
        keep_alive = self.keep_alive
        try:
            head = self.head(code, reason, headers, date, size)
            if self._left == size:
                self._left = 0
                self.body_sent = size
                self.ended = True
                return head + body
            return head + self.data(body) + self.end()
        except HTTPOutputError:
            self._restart(keep_alive)
            raise
