"""Responses that a program writes as they go over the wire: taken apart, so that they can be framed.

>>> parse_raw_response(b"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nHello")
(ResponseStartLine(version='HTTP/1.1', code=200, reason='OK'), HTTPHeaders([('Content-Length', '5')]), b'Hello')
"""

from __future__ import annotations

from gustnado.errors import HTTPInputError, HTTPOutputError
from gustnado.http.headers import HTTPHeaders
from gustnado.http.messages import ResponseStartLine, parse_response_start_line

__all__ = ["parse_raw_response"]


def parse_raw_response(data: bytes) -> tuple[ResponseStartLine, HTTPHeaders, bytes]:
    """Start line, header fields, and what of the body comes with them.

    :raises gustnado.errors.HTTPOutputError: where ``data`` does not begin with a whole, well-formed head.
    """
    head, end, body = bytes(data).partition(b"\r\n\r\n")
    if not end or not head.startswith(b"HTTP/"):
        raise HTTPOutputError(
            f"a body is written after the head of a response: call write_headers before write({data[:40]!r})"
        )
    line, _, fields = head.decode("latin-1").partition("\r\n")
    try:
        return parse_response_start_line(line), HTTPHeaders.parse(fields), body
    except HTTPInputError as error:
        raise HTTPOutputError(f"malformed response: {error}") from error
