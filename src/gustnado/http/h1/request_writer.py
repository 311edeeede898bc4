"""Writing HTTP/1.1 requests (RFC 9112): heads and bodies in, bytes out. No I/O.

>>> from gustnado.http.headers import HTTPHeaders
>>> request_head("GET", "/a?b", "example.org", HTTPHeaders({"Accept": "*/*"}), "")
b'GET /a?b HTTP/1.1\\r\\nHost: example.org\\r\\nAccept: */*\\r\\n\\r\\n'
"""

from __future__ import annotations

import re

from gustnado.errors import HTTPOutputError
from gustnado.http.h1.body_writer import BodyWriter
from gustnado.http.headers import HeaderMap

__all__ = ["RequestWriter", "request_head"]

_USUAL_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_METHOD = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}")
_TARGET = re.compile(r"[\x21\x22\x24-\x7e]+")  # visible ASCII but "#", RFC 9112 section 3.2


def request_head(method: str, target: str, host: str, headers: HeaderMap, more: str) -> bytes:
    """The head of a request.

    :param host: for the ``Host`` field, where ``headers`` have none; it comes first (RFC 9110 section 7.2).
    :param headers: the fields that the program has set.
    :param more: further lines, each with its CRLF, that the client adds.
    :raises gustnado.errors.HTTPOutputError: where method, target or host could not stand in a request.
    """
    if method not in _USUAL_METHODS and _METHOD.fullmatch(method) is None:
        raise HTTPOutputError(f"method {method[:40]!r} is not a token (RFC 9110 section 5.6.2)")
    if _TARGET.fullmatch(target) is None:
        raise HTTPOutputError(f"request target {target[:80]!r} has a character other than visible ASCII, or #")
    pieces = [method, " ", target, " HTTP/1.1\r\n"]
    if "Host" not in headers._fields:
        if _TARGET.fullmatch(host) is None:
            raise HTTPOutputError(f"host {host[:80]!r} has a character that a Host field cannot hold")
        pieces.append("Host: ")
        pieces.append(host)
        pieces.append("\r\n")
    headers.write_to(pieces)
    pieces.append(more)
    pieces.append("\r\n")
    return "".join(pieces).encode("latin-1")


class RequestWriter(BodyWriter):
    """Frames the body of a request whose size is not known before, or which is written in pieces.

    :param length: the value of the request's ``Content-Length`` field; ``None`` for chunks.
    :raises gustnado.errors.HTTPOutputError: where it is malformed.
    """

    __slots__ = ()

    def __init__(self, length: str | None) -> None:
        BodyWriter.__init__(self)
        self._restart(True)
        if length is None:
            self._chunked = True
        else:
            self._left = self._read_length(length)
        self.head_written = True
