r"""HTML, JSON and URLs: escaping, and back; and text from bytes.

All of it is linear in its input, whatever that holds.

>>> xhtml_escape("<b>Tom & Jerry</b>")
'&lt;b&gt;Tom &amp; Jerry&lt;/b&gt;'
>>> url_escape("a b/c?"), url_unescape("a+b%2Fc%3F")
('a+b%2Fc%3F', 'a b/c?')
>>> json_encode({"html": "</script>"})
'{"html":"<\\/script>"}'
>>> linkify("see www.example.com.")
'see <a href="http://www.example.com">www.example.com</a>.'

**JSON.** A `JSONCodec` turns values into JSON and back. There are two:

* `COMPACT_JSON`, the default: UTF-8 without spaces, written and read by msgspec. It follows RFC 8259 to the
  letter: NaN and the infinities are written as ``null`` and refused in input. It also writes what msgspec
  knows: dates (RFC 3339), `uuid.UUID`, `decimal.Decimal` and bytes (Base64) as strings, enums, sets,
  dataclasses and ``msgspec.Struct``. What msgspec does not take but the standard library does (keys that
  are ``None`` or bool, subclasses of str, int and float, lone surrogates) is written by way of the standard
  library.
* `STANDARD_JSON`: the spelling of `json.dumps` byte for byte (a space after ``,`` and ``:``, ASCII only), and
  just what that can write and `json.loads` can read. ``as_tornado`` chooses it.

Which of them `json_encode` and `json_decode` use is chosen once for the process, by `set_default_json`.
That is the one exception in this package to the rule that modules hold no state: these functions have no
argument that could tell, and templates and Tornado programs call them everywhere.
"""

from __future__ import annotations

import binascii
import json
import re
import urllib.parse
from typing import TYPE_CHECKING, Any, overload

from gustnado.util import basestring_type, unicode_type

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

__all__ = [
    # HTML
    "linkify",
    "squeeze",
    "xhtml_escape",
    "xhtml_unescape",
    # JSON
    "COMPACT_JSON",
    "STANDARD_JSON",
    "JSONCodec",
    "json_decode",
    "json_encode",
    "json_encode_bytes",
    "set_default_json",
    # URLs
    "parse_qs_bytes",
    "url_escape",
    "url_unescape",
    # text and bytes
    "basestring_type",
    "native_str",
    "recursive_unicode",
    "to_basestring",
    "to_unicode",
    "unicode_type",
    "utf8",
]


# --- text and bytes


@overload
def utf8(value: str | bytes) -> bytes: ...
@overload
def utf8(value: None) -> None: ...
def utf8(value: str | bytes | None) -> bytes | None:
    """Text as UTF-8; bytes and ``None`` as they are.

    :raises TypeError: for anything else.
    """
    if type(value) is str:
        return value.encode()
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    raise TypeError(f"expected str, bytes or None, not {type(value)!r}")


@overload
def to_unicode(value: str | bytes) -> str: ...
@overload
def to_unicode(value: None) -> None: ...
def to_unicode(value: str | bytes | None) -> str | None:
    """UTF-8 bytes as text; text and ``None`` as they are.

    :raises TypeError: for anything else.
    :raises UnicodeDecodeError: where bytes are not UTF-8.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode()
    raise TypeError(f"expected str, bytes or None, not {type(value)!r}")


# Names that told a difference in Python 2.
_unicode = to_unicode
native_str = to_unicode
to_basestring = to_unicode


def recursive_unicode(obj: Any) -> Any:
    """The same dicts, lists and tuples, with all bytes in them (keys too) decoded as UTF-8.

    >>> recursive_unicode({b"a": [b"b", 1]})
    {'a': ['b', 1]}
    """
    if isinstance(obj, dict):
        return {recursive_unicode(key): recursive_unicode(value) for key, value in obj.items()}
    if isinstance(obj, list):
        return [recursive_unicode(item) for item in obj]
    if isinstance(obj, tuple):
        return tuple(recursive_unicode(item) for item in obj)
    return obj.decode() if isinstance(obj, bytes) else obj


# --- HTML


def xhtml_escape(value: str | bytes) -> str:
    """The text with ``& < > " '`` escaped, fit for HTML and XML text and for quoted attribute values.

    A string with nothing to escape is returned as it is.

    :raises TypeError: where it is neither text nor bytes.
    """
    if type(value) is not str:
        if value is None:
            raise TypeError("expected str or bytes, not None")
        value = str.__str__(to_unicode(value))  # not a subclass, whose own replace() may do something else
    # One look for each character (memchr) before any work: most strings need none, and for those this is
    # faster than `html.escape`, `str.translate` or a regular expression, at every length.
    if "&" in value:
        value = value.replace("&", "&amp;")
    if "<" in value:
        value = value.replace("<", "&lt;")
    if ">" in value:
        value = value.replace(">", "&gt;")
    if '"' in value:
        value = value.replace('"', "&quot;")
    if "'" in value:
        value = value.replace("'", "&#x27;")
    return value


# Code points have at most seven digits; `int` refuses thousands of them.
_LONG_REFERENCE = re.compile(r"&#([0-9]{8,})")


def _shortened(match: re.Match[str]) -> str:
    digits = match[1].lstrip("0")
    return f"&#{digits or '0'}" if len(digits) < 8 else "&#xFFFD"


def xhtml_unescape(value: str | bytes) -> str:
    """The text with all character references of HTML 5 resolved, as by `html.unescape`."""
    import html  # its tables of names are slow to load, and few programs need them

    text = to_unicode(value)
    if "&#" in text:
        text = _LONG_REFERENCE.sub(_shortened, text)
    return html.unescape(text)


_BLANKS = re.compile(r"[\x00-\x20]+")


def squeeze(value: str) -> str:
    """Each run of blanks and control characters made one space; none at the ends.

    >>> squeeze(" a \\n\\t b ")
    'a b'
    """
    return _BLANKS.sub(" ", value).strip()


# Matched against text that is escaped already. A run of URL characters holds no entities but these two; it
# must end in a character that is not punctuation, or be in parentheses. The run of a protocol is only tried
# where it begins and never given back ("++"), which keeps "a-a-a-..." from being quadratic; the bound of a
# body's parts keeps one that is nothing but "(a)(a)..." from taking memory.
_RUN = r"[^\s&()]*(?:&(?:amp|quot);[^\s&()]*)*"
_BODY = rf"""(?:{_RUN}[^!"#$%&'()*+,.:;<=>?@\[\]^`{{|}}~\s]|\({_RUN}\)){{1,256}}"""
_LINK = re.compile(rf"(?<![\w-])(-*+)(([\w-]++):(/{{1,3}}){_BODY})|\b(www[.]{_BODY})")

_SHOWN_LENGTH = 30


def linkify(
    text: str | bytes,
    shorten: bool = False,
    extra_params: str | Callable[[str], str] = "",
    require_protocol: bool = False,
    permitted_protocols: Collection[str] = ("http", "https"),
) -> str:
    """Plain text as HTML in which URLs are links.

    :param shorten: show only about 30 characters of a long URL; all of it is in the link's title.
    :param extra_params: more attributes of each link, like ``'rel="nofollow"'``, or a function that is given
        the link's URL (already escaped) and returns them. They are not escaped.
    :param require_protocol: leave ``www.example.com`` alone.
    :param permitted_protocols: make links of these only. Never permit ``javascript`` in text of strangers.
    """

    def link(match: re.Match[str]) -> str:
        dashes, url, protocol, slashes, bare = match.groups()
        if bare is not None:
            if require_protocol:
                return bare
            url, href, shown_from = bare, f"http://{bare}", 0
        elif protocol not in permitted_protocols:
            return match[0]
        else:
            href, shown_from = url, len(protocol) + 1 + len(slashes)
        params = extra_params(href) if callable(extra_params) else extra_params
        if params:
            params = " " + params.strip()
        shown = _clipped(url, shown_from) if shorten else url
        if shown != url:
            params += f' title="{href}"'
        return f'{dashes or ""}<a href="{href}"{params}>{shown}</a>'

    return _LINK.sub(link, xhtml_escape(text))


def _clipped(url: str, start: int) -> str:
    """A long URL's host and the first few characters of its path; ``start`` is the length of ``http://``."""
    if len(url) <= _SHOWN_LENGTH:
        return url
    clipped = url
    host, slash, path = url[start:].partition("/")
    if slash:
        first = path.split("/", 1)[0][:8].split("?", 1)[0].split(".", 1)[0]
        clipped = f"{url[:start]}{host}/{first}"
    if len(clipped) > _SHOWN_LENGTH * 1.5:
        clipped = clipped[:_SHOWN_LENGTH]
    if clipped == url:
        return url
    ampersand = clipped.rfind("&")
    if ampersand > _SHOWN_LENGTH - 5:  # an entity might be cut in two
        clipped = clipped[:ampersand]
    clipped += "..."
    return clipped if len(clipped) < len(url) else url


# --- JSON


class JSONCodec:
    """How values become JSON and JSON values. Subclass it to use another library.

    >>> STANDARD_JSON.encode([1, "\\u20ac"]), COMPACT_JSON.decode(b"[1, 2]")
    (b'[1, "\\\\u20ac"]', [1, 2])
    """

    def encode(self, value: Any) -> bytes:
        """``value`` as JSON in UTF-8.

        :raises TypeError: if it holds something that has no JSON form.
        :raises ValueError: if it refers to itself or is nested too deeply.
        """
        raise NotImplementedError

    def decode(self, data: str | bytes) -> Any:
        """The value that ``data`` (text, or UTF-8) stands for. The last of equal names in an object counts.

        :raises ValueError: if it is not JSON or nested too deeply; usually a `json.JSONDecodeError`.
        """
        raise NotImplementedError


class _StandardJSON(JSONCodec):
    def encode(self, value: Any) -> bytes:
        try:
            return json.dumps(value).encode("ascii")
        except RecursionError:
            raise ValueError("value is nested too deeply for JSON") from None

    def decode(self, data: str | bytes) -> Any:
        try:
            return json.loads(data)
        except RecursionError:
            raise ValueError("JSON is nested too deeply") from None


class _CompactJSON(JSONCodec):
    # msgspec takes long to import, so it is imported when first needed.

    _encoder: Callable[[Any], bytes] | None = None
    _decoder: Callable[[str | bytes], Any] | None = None
    _refusals: tuple[type[Exception], ...] = ()

    def encode(self, value: Any) -> bytes:
        encoder = self._encoder or self._load()[0]
        try:
            return encoder(value)
        except (TypeError, UnicodeEncodeError):
            return self._encode_plainly(value)
        except RecursionError:
            raise ValueError("value refers to itself or is nested too deeply for JSON") from None

    def decode(self, data: str | bytes) -> Any:
        decoder = self._decoder or self._load()[1]
        try:
            return decoder(data)
        except self._refusals as error:
            if isinstance(data, bytes) and data.startswith(b"\xef\xbb\xbf"):
                return self.decode(data[3:].decode())  # a byte order mark, which msgspec does not know
            raise _decode_error(error, data) from None

    def _load(self) -> tuple[Callable[[Any], bytes], Callable[[str | bytes], Any]]:
        import msgspec

        self._refusals = (msgspec.DecodeError, UnicodeError, RecursionError)
        self._encoder = msgspec.json.Encoder().encode
        self._decoder = msgspec.json.Decoder().decode
        return self._encoder, self._decoder

    def _encode_plainly(self, value: Any) -> bytes:
        try:
            return json.dumps(_plain(value), separators=(",", ":")).encode("ascii")
        except RecursionError:
            raise ValueError("value refers to itself or is nested too deeply for JSON") from None


def _plain(value: Any) -> Any:
    """``value`` made of what `json.dumps` takes, with the meaning that msgspec gives it."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if -_INFINITY < value < _INFINITY else None
    if value is None or isinstance(value, (str, int)):
        return value
    import msgspec

    return _plain(msgspec.to_builtins(value))


_INFINITY = float("inf")
_AT_BYTE = re.compile(r" \(byte ([0-9]+)\)$")


def _decode_error(error: Exception, data: str | bytes) -> json.JSONDecodeError:
    """The standard library's error for one of msgspec's decoder, with the place in ``data``."""
    if isinstance(error, RecursionError):
        return json.JSONDecodeError("Nested too deeply", "", 0)
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else bytes(data)
    message = str(error)
    at = _AT_BYTE.search(message)
    position = int(at[1]) if at else len(raw)
    message = _AT_BYTE.sub("", message).removeprefix("JSON is malformed: ")
    try:
        document = raw.decode()
    except UnicodeDecodeError as invalid:
        message, position = "Not UTF-8", invalid.start
        document = raw.decode("utf-8", "replace")
    return json.JSONDecodeError(message, document, len(raw[:position].decode("utf-8", "ignore")))


COMPACT_JSON: JSONCodec = _CompactJSON()
"""RFC 8259, UTF-8, no spaces, by msgspec."""

STANDARD_JSON: JSONCodec = _StandardJSON()
"""What the standard library's `json.dumps` and `json.loads` do."""

_default_json: JSONCodec = COMPACT_JSON


def set_default_json(codec: JSONCodec) -> JSONCodec:
    """Makes `json_encode` and `json_decode` use ``codec``, in the whole process; returns the one so far.

    Meant to be called once, before the first request.
    """
    global _default_json
    previous, _default_json = _default_json, codec
    return previous


def json_encode_bytes(value: Any, codec: JSONCodec | None = None) -> bytes:
    r"""``value`` as JSON in UTF-8, with ``</`` written as ``<\/``.

    So it can stand in an HTML ``<script>`` element without ending it.

    :param codec: instead of the process's default.
    :raises TypeError, ValueError: as `JSONCodec.encode`.
    """
    encoded = (codec or _default_json).encode(value)
    return encoded.replace(b"</", b"<\\/") if b"</" in encoded else encoded


def json_encode(value: Any) -> str:
    """The same as `json_encode_bytes`, as text."""
    return json_encode_bytes(value).decode()


def json_decode(value: str | bytes) -> Any:
    """The value of a JSON text.

    :raises ValueError: if it is none; see `JSONCodec.decode`.
    """
    return _default_json.decode(value)


# --- URLs


def url_escape(value: str | bytes, plus: bool = True) -> str:
    """Percent-encodes for a query string, or with ``plus=False`` for a path.

    In a query string a space becomes ``+`` and ``/`` is encoded; in a path a space becomes ``%20`` and ``/``
    stays.
    """
    return urllib.parse.quote_plus(value) if plus else urllib.parse.quote(value)


@overload
def url_unescape(value: str | bytes, encoding: None, plus: bool = True) -> bytes: ...
@overload
def url_unescape(value: str | bytes, encoding: str = "utf-8", plus: bool = True) -> str: ...
def url_unescape(value: str | bytes, encoding: str | None = "utf-8", plus: bool = True) -> str | bytes:
    """Decodes percent-encoding, and with ``plus`` also ``+`` as a space.

    :param encoding: of the decoded bytes, in which errors are replaced by U+FFFD; ``None`` returns the bytes.
    """
    if encoding is None:
        raw = utf8(value)
        return _unquote_to_bytes(raw.replace(b"+", b" ") if plus else raw)
    text = to_unicode(value)
    if plus:
        text = text.replace("+", " ")
    if "%" not in text:
        return text
    if text.isascii():
        return _unquote_to_bytes(text.encode("ascii")).decode(encoding, "replace")
    return urllib.parse.unquote(text, encoding)


# `binascii.a2b_qp` decodes ``=XX`` in C, and leaves an ``=`` alone that no two hexadecimal digits follow. So
# with ``%`` and ``=`` swapped before and after it, it decodes percent-encoding. Before that, in this order:
_BEFORE_QP = (
    (b"%3D", b"="),  # its result would be swapped; it means the same as a plain one
    (b"%3d", b"="),
    (b"%%", b"%25%"),  # a2b_qp makes one of "=="; twice, since matches do not overlap
    (b"%%", b"%25%"),
    (b"%\r", b"%25\r"),  # it takes "=" at the end of a line for a soft line break
    (b"%\n", b"%25\n"),
    (b"%25", b"%3D"),  # its result will be swapped
)
_SWAP = bytes.maketrans(b"%=", b"=%")


def _unquote_to_bytes(data: bytes) -> bytes:
    """`urllib.parse.unquote_to_bytes`, in a few passes in C and with as many copies, whatever the data."""
    if b"%" not in data:
        return data
    if data.endswith(b"%"):
        data += b"25"
    for escape, equivalent in _BEFORE_QP:
        data = data.replace(escape, equivalent)
    data = data.translate(_SWAP)  # step by step, so that each copy is dropped when the next is made
    data = binascii.a2b_qp(data)
    return data.translate(_SWAP)


def parse_qs_bytes(
    qs: str | bytes,
    keep_blank_values: bool = False,
    strict_parsing: bool = False,
    *,
    max_num_fields: int | None = None,
) -> dict[str, list[bytes]]:
    """The fields of a query string or urlencoded form, split at ``&`` only: Latin-1 names, values as bytes.

    :param keep_blank_values: keep fields whose value is empty.
    :param strict_parsing: refuse fields without ``=``, which are otherwise fields without a value.
    :param max_num_fields: refuse more fields than that, before any is decoded.
    :raises ValueError: if any of these refuses.

    >>> parse_qs_bytes("a=1&b=%E9&a=x+y")
    {'a': [b'1', b'x y'], 'b': [b'\\xe9']}
    """
    data = qs.encode("latin-1") if isinstance(qs, str) else qs
    result: dict[str, list[bytes]] = {}
    if not data:
        return result
    if max_num_fields is not None and data.count(b"&") >= max_num_fields:
        raise ValueError(f"more than {max_num_fields} fields")
    for field in data.replace(b"+", b" ").split(b"&"):
        name, equals, value = field.partition(b"=")
        if strict_parsing and not equals:
            raise ValueError(f"field without '=': {field[:100]!r}")
        if value or (keep_blank_values and field):
            result.setdefault(_unquote_to_bytes(name).decode("latin-1"), []).append(_unquote_to_bytes(value))
    return result
