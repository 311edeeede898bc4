"""What generated code calls: values to text, and the page's pieces to bytes.

A page's pieces alternate between verbatim text and text to escape (see ``codegen``). ``join`` escapes the
second kind all at once: it joins them with a character that escaping leaves alone, calls ``xhtml_escape``
once, and splits them again. Escaping works character by character, so the result is the same; for a table
of 2,000 cells it is one call instead of 2,000.

Output that is not text can only come from ``raw`` and its kin, as bytes that are not UTF-8. They go out
untouched, in a slower way.

>>> join(["<b>", "a < b", "</b>", ""])
b'<b>a &lt; b</b>'
>>> join([bytes([255]), "&"])
b'\\xff&amp;'
"""

from __future__ import annotations

import datetime
from types import MappingProxyType
from typing import Any, Final

from gustnado import escape
from gustnado.web.template.helpers import json_script, safe_url

__all__ = ["BASE_NAMESPACE", "encode_value", "join", "output", "text", "verbatim"]

# Pages that hold the separator in a value are escaped value by value.
_SEPARATOR: Final = "\0"


def text(value: object) -> str:
    """Return a value of ``{{ }}`` as text: bytes are UTF-8, all else is what ``str`` makes of it."""
    if not isinstance(value, (str, bytes)):
        return str(value)
    return value if isinstance(value, str) else value.decode()


def verbatim(value: object) -> str | bytes:
    """Return a value of ``{% raw %}``: as ``text``, but bytes that are not UTF-8 stay bytes."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value
    return text(value)


def encode_value(value: object) -> bytes:
    """Return a value as the bytes that an autoescape function of the program's own gets."""
    return value if isinstance(value, bytes) else text(value).encode()


def output(value: object) -> str | bytes:
    """Return what a function of the program's own made of its input.

    :raises TypeError: it returned neither ``str`` nor ``bytes``.
    """
    if not isinstance(value, (str, bytes)):
        raise TypeError(f"a template function must return str or bytes, not {type(value).__name__}")
    return verbatim(value)


def join(pieces: list[Any]) -> bytes:
    """Return a page's bytes from its pieces: verbatim ones at even places, ones to escape at odd places.

    The list is used up.
    """
    values = pieces[1::2]
    joined = _SEPARATOR.join(values)
    if joined.count(_SEPARATOR) == len(values) - 1:
        escaped = escape.xhtml_escape(joined)
        if escaped != joined:
            pieces[1::2] = escaped.split(_SEPARATOR)
    else:
        pieces[1::2] = map(escape.xhtml_escape, values)
    try:
        return "".join(pieces).encode()
    except TypeError:
        return b"".join(map(encode_value, pieces))


#: The names that every template knows. Those with ``_tt_`` are for generated code: a page may well have a
#: variable called ``str`` or ``type``.
BASE_NAMESPACE: Final[MappingProxyType[str, Any]] = MappingProxyType(
    {
        "escape": escape.xhtml_escape,
        "xhtml_escape": escape.xhtml_escape,
        "url_escape": escape.url_escape,
        "json_encode": escape.json_encode,
        "squeeze": escape.squeeze,
        "linkify": escape.linkify,
        "datetime": datetime,
        "json_script": json_script,
        "safe_url": safe_url,
        "_tt_utf8": escape.utf8,
        "_tt_string_types": (str, bytes),
        "_tt_type": type,
        "_tt_str": str,
        "_tt_text": text,
        "_tt_verbatim": verbatim,
        "_tt_bytes": encode_value,
        "_tt_output": output,
        "_tt_join": join,
    }
)
