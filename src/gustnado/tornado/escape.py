"""``tornado.escape``: HTML, JSON, URLs, text and bytes."""

from __future__ import annotations

from gustnado.escape import _unicode as _unicode
from gustnado.escape import _unquote_to_bytes as _unquote_to_bytes
from gustnado.escape import (
    basestring_type,
    json_decode,
    json_encode,
    linkify,
    native_str,
    parse_qs_bytes,
    recursive_unicode,
    squeeze,
    to_basestring,
    to_unicode,
    unicode_type,
    url_escape,
    url_unescape,
    utf8,
    xhtml_escape,
    xhtml_unescape,
)

__all__ = [
    "basestring_type",
    "json_decode",
    "json_encode",
    "linkify",
    "native_str",
    "parse_qs_bytes",
    "recursive_unicode",
    "squeeze",
    "to_basestring",
    "to_unicode",
    "unicode_type",
    "url_escape",
    "url_unescape",
    "utf8",
    "xhtml_escape",
    "xhtml_unescape",
]
