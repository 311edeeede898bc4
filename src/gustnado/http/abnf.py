"""A few rules of HTTP's grammar as regular expressions of text, for generators of messages and their tests.

Nothing is parsed with them here: the parsers look at bytes, and are stricter where a rule lets two readings in. A rule
is called as in its RFC, with ``_`` for ``-``.

>>> ABNF.token.fullmatch("X-Id") is not None, ABNF.token.fullmatch("X Id") is not None
(True, False)
"""

from __future__ import annotations

import re

__all__ = ["ABNF"]

_VISIBLE = r"[\x21-\x7e\x80-\xff]"  # VCHAR and obs-text


class ABNF:
    """The rules."""

    token = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
    """RFC 9110 section 5.6.2."""

    method = field_name = token
    """RFC 9110 sections 9.1 and 5.1."""

    field_value = re.compile(rf"(?:{_VISIBLE}(?:[\t\x20-\x7e\x80-\xff]*{_VISIBLE})?)?")
    """RFC 9110 section 5.5, without folds."""

    request_target = re.compile(rf"{_VISIBLE}+")
    """Wider than RFC 9112 section 3.2: what stands between two blanks."""

    HTTP_version = re.compile(r"HTTP/[0-9]\.[0-9]")
    """RFC 9112 section 2.3."""

    status_code = re.compile(r"[0-9]{3}")
    """RFC 9112 section 4."""

    reason_phrase = re.compile(r"[\t\x20-\x7e\x80-\xff]+")
    """RFC 9112 section 4."""
