"""Values of header fields that frame a message, for programs that read them themselves.

The parsers of this package have their own, which work on whole heads.

>>> parse_int("42"), parse_hex_int("2a")
(42, 42)
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gustnado.errors import HTTPInputError

__all__ = [
    "CR_OR_LF_RE",
    "DIGITS",
    "HEXDIGITS",
    "HTTP_WHITESPACE",
    "is_transfer_encoding_chunked",
    "parse_hex_int",
    "parse_int",
]

DIGITS = re.compile(r"[0-9]+")
"""A number of a header field; other alphabets have digits that :class:`int` takes, too."""

HEXDIGITS = re.compile(r"[0-9a-fA-F]+")
"""The size of a chunk."""

CR_OR_LF_RE = re.compile(b"\r|\n")
"""What ends a line, and so may not stand in one."""

HTTP_WHITESPACE = " \t"
"""White space around the values of fields (RFC 9110 section 5.6.3)."""

_MAX_DIGITS = 18  # so that converting takes no time, and 64 bits are enough


def parse_int(s: str) -> int:
    """A number of ASCII digits: without sign, white space or ``_``.

    :raises ValueError: where it is none, or has more than 18 digits.
    """
    if len(s) > _MAX_DIGITS or DIGITS.fullmatch(s) is None:
        raise ValueError(f"not an integer of at most {_MAX_DIGITS} digits: {s[:40]!r}")
    return int(s)


def parse_hex_int(s: str) -> int:
    """The same with hexadecimal digits, without ``0x``.

    :raises ValueError: where it is none, or has more than 18 digits.
    """
    if len(s) > _MAX_DIGITS or HEXDIGITS.fullmatch(s) is None:
        raise ValueError(f"not a hexadecimal integer of at most {_MAX_DIGITS} digits: {s[:40]!r}")
    return int(s, 16)


def is_transfer_encoding_chunked(headers: Mapping[str, str]) -> bool:
    """Whether a body is chunked; false without a ``Transfer-Encoding``.

    :raises gustnado.errors.HTTPInputError: where there is another coding, or a ``Content-Length``, too
        (RFC 9112 section 6.3).
    """
    coding = headers.get("Transfer-Encoding")
    if coding is None:
        return False
    if "Content-Length" in headers:
        raise HTTPInputError("Message with both Transfer-Encoding and Content-Length")
    if coding.lower() != "chunked":
        raise HTTPInputError(f"Unsupported Transfer-Encoding {coding[:40]}", status=501)
    return True
