"""``tornado.http1connection``: HTTP/1 connections."""

from __future__ import annotations

from gustnado.http.h1.connection import HTTP1Connection
from gustnado.http.h1.parameters import HTTP1ConnectionParameters
from gustnado.http.h1.server_connection import HTTP1ServerConnection
from gustnado.http.h1.values import (
    CR_OR_LF_RE,
    DIGITS,
    HEXDIGITS,
    is_transfer_encoding_chunked,
    parse_hex_int,
    parse_int,
)
from gustnado.http.limits import MAX_INFORMATIONAL as _MAX_1XX_RESPONSES  # noqa: F401  # Tornado's tests import it

__all__ = [
    "CR_OR_LF_RE",
    "DIGITS",
    "HEXDIGITS",
    "HTTP1Connection",
    "HTTP1ConnectionParameters",
    "HTTP1ServerConnection",
    "is_transfer_encoding_chunked",
    "parse_hex_int",
    "parse_int",
]
