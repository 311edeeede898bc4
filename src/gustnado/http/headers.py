"""Header fields: a case-insensitive, multi-valued, validated map (RFC 9110 section 5).

Rules:

- Names are kept in one spelling, ``Content-Type``, whatever was given.
- Only what may stand on the wire can get in: a name is a token, a value holds no control
  characters but TAB. So whoever writes a map to the wire need not look at it again.
- A field given once is a plain string in the map, one given more often a list.

>>> h = HTTPHeaders({"content-type": "text/html"})
>>> h["Content-Type"]
'text/html'
>>> h.add("Set-Cookie", "A=B"); h.add("Set-Cookie", "C=D")
>>> h["set-cookie"], h.get_list("set-cookie")
('A=B,C=D', ['A=B', 'C=D'])
>>> h["X-Name"] = "a\\r\\nb"
Traceback (most recent call last):
    ...
ValueError: Unsafe header value: X-Name 'a\\r\\nb' has a control character
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from gustnado.errors import HTTPInputError

__all__ = ["HTTPHeaders", "HeaderMap", "HeaderNameError", "headers_of", "normalize_name"]

if TYPE_CHECKING:
    _StringMapping = MutableMapping[str, str]
else:
    _StringMapping = MutableMapping  # a compiled class has classes for bases, not generic aliases

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BAD_VALUE = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
_BAD_TEXT = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# RFC 9110 section 5.6.3: only these two are optional white space. `str.strip()` without them
# would also take what others see as data.
_OWS = " \t"


class HeaderNameError(HTTPInputError, ValueError):
    """A header name is not a token. A ``ValueError`` to those who set one, a bad message where it was received."""


def _spell(name: str) -> str:
    return "-".join([word.capitalize() for word in name.split("-")])


_COMMON = {
    spelling: _spell(name)
    for name in (
        "accept accept-charset accept-encoding accept-language accept-ranges age allow authorization "
        "cache-control connection content-disposition content-encoding content-language content-length "
        "content-location content-range content-security-policy content-type cookie date dnt etag expect "
        "expires forwarded from host if-match if-modified-since if-none-match if-range if-unmodified-since "
        "keep-alive last-modified link location origin pragma priority proxy-authorization proxy-connection "
        "range referer retry-after sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest "
        "sec-fetch-mode sec-fetch-site sec-fetch-user sec-websocket-accept sec-websocket-extensions "
        "sec-websocket-key sec-websocket-protocol sec-websocket-version server set-cookie "
        "strict-transport-security te trailer transfer-encoding upgrade upgrade-insecure-requests "
        "user-agent vary via warning www-authenticate x-forwarded-for x-forwarded-host x-forwarded-proto "
        "x-real-ip x-requested-with x-request-id x-scheme x-xsrftoken x-csrftoken"
    ).split()
    for spelling in (name, _spell(name))
}


@functools.lru_cache(maxsize=1024)
def _normalize_rare(name: str) -> str:
    if _TOKEN.fullmatch(name) is None:
        raise HeaderNameError(f"{name!r} is not a header name: a token (RFC 9110 section 5.6.2) is wanted")
    return _spell(name)


def normalize_name(name: str) -> str:
    """The one spelling of a header name: ``content-TYPE`` gives ``Content-Type``.

    :raises HeaderNameError: where ``name`` is not a token (RFC 9110 section 5.6.2).
    """
    known = _COMMON.get(name)
    if known is not None:
        return known
    if len(name) > 256:
        return _normalize_rare.__wrapped__(name)
    return _normalize_rare(name)


def _to_text(name: str, value: object) -> str:
    """A value that is no plain string as one: bytes stand for themselves (RFC 9110 section 5.5).

    :raises TypeError: where it is neither bytes nor of a class below ``str``.
    """
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, str):
        return str(value)
    raise TypeError(f"header {name}: a value is str or bytes, not {type(value).__name__}: {value!r}")


def check_value(name: str, value: str) -> None:
    """Refuse what may not stand in a header field (RFC 9110 section 5.5).

    :raises ValueError: for control characters but TAB, and for what Latin-1 cannot say.
    """
    if value.isascii() and value.isprintable():
        return
    bad = _BAD_VALUE.search(value)
    if bad is not None:
        what = (
            "a control character" if bad[0] < " " or bad[0] == "\x7f" else f"{bad[0]!r}, which is not Latin-1"
        )
        raise ValueError(f"Unsafe header value: {name} {value[:100]!r} has {what}")


def _read_name(name: str, line: str) -> str:
    """The spelling of a name from the wire, where it is not one of the common ones."""
    try:
        return normalize_name(name)
    except ValueError:
        what = "line folding" if line[:1] in (" ", "\t") else "malformed header line"
        raise HTTPInputError(f"{what} {line[:80]!r}") from None


class HeaderMap:
    """The compiled half of :class:`HTTPHeaders`: storage, lookup, and the two ways to the wire."""

    __slots__ = ("_fields",)

    def __init__(self) -> None:
        self._fields: dict[str, str | list[str]] = {}

    def add(self, name: str, value: str, *, _chars_are_bytes: bool = True) -> None:
        """Add a value to those that ``name`` has.

        :param _chars_are_bytes: ``False`` for fields that are UTF-8, as those of a form's parts.
        :raises ValueError: where name or value could not stand on the wire.
        """
        key = normalize_name(name)
        if type(value) is not str:
            value = _to_text(key, value)
        if _chars_are_bytes:
            check_value(key, value)
        elif _BAD_TEXT.search(value) is not None:
            raise ValueError(f"Unsafe header value: {name} {value[:100]!r} has a control character")
        self._append(key, value)

    def _append(self, key: str, value: str) -> None:
        fields = self._fields
        present = fields.get(key)
        if present is None:
            fields[key] = value
        elif isinstance(present, list):
            present.append(value)
        else:
            fields[key] = [present, value]

    def get_list(self, name: str) -> list[str]:
        """All values of ``name``, in order; an empty list where it has none."""
        value = self._lookup(name)
        if value is None:
            return []
        return [value] if isinstance(value, str) else list(value)

    def get_all(self) -> Iterable[tuple[str, str]]:
        """Each ``(name, value)`` pair; a name with several values appears once for each."""
        pairs: list[tuple[str, str]] = []
        for name, value in self._fields.items():
            if isinstance(value, str):
                pairs.append((name, value))
            else:
                pairs.extend([(name, one) for one in value])
        return pairs

    def _lookup(self, name: str) -> str | list[str] | None:
        key = _COMMON.get(name)
        if key is None:
            try:
                key = normalize_name(name)
            except ValueError:
                return None
        return self._fields.get(key)

    def get(self, name: str, default: Any = None) -> Any:
        """The value of ``name``, several joined with ``,``; ``default`` where it has none."""
        value = self._lookup(name)
        if value is None:
            return default
        return value if isinstance(value, str) else ",".join(value)

    def __getitem__(self, name: str) -> str:
        value = self._lookup(name)
        if value is None:
            raise KeyError(name)
        return value if isinstance(value, str) else ",".join(value)

    def __setitem__(self, name: str, value: str | list[str] | tuple[str, ...]) -> None:
        """Set the value of ``name``; a list or tuple makes a field of each of its values."""
        key = _COMMON.get(name)
        if key is None:
            key = normalize_name(name)
        if type(value) is not str:
            if isinstance(value, (list, tuple)):
                self._set_all(key, value)
                return
            value = _to_text(key, value)
        check_value(key, value)
        self._fields[key] = value

    def _set_all(self, key: str, values: list[str] | tuple[str, ...]) -> None:
        texts = [value if type(value) is str else _to_text(key, value) for value in values]
        for text in texts:
            check_value(key, text)
        self._fields.pop(key, None)
        for text in texts:
            self._append(key, text)

    def __delitem__(self, name: str) -> None:
        try:
            key = normalize_name(name)
        except ValueError:
            raise KeyError(name) from None
        del self._fields[key]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._lookup(name) is not None

    def __len__(self) -> int:
        return len(self._fields)

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def read_lines(self, lines: list[str], start: int) -> None:
        """Take header lines as they came from the wire (decoded as Latin-1, without CRLF).

        :param lines: the lines of a head; of those before ``start`` only the characters are looked at.
        :raises gustnado.errors.HTTPInputError: at the first line that RFC 9112 section 5 does not allow.
        """
        if not "".join(lines).isprintable():
            for line in lines:
                if _BAD_VALUE.search(line) is not None:
                    raise HTTPInputError(f"control character in header line {line[:80]!r}")
        self.take_lines(lines, start)

    def take_lines(self, lines: list[str], start: int) -> None:
        """As :meth:`read_lines`, of lines that are known to have no control character but TAB."""
        fields = self._fields
        for index in range(start, len(lines)):
            line = lines[index]
            name, colon, value = line.partition(": ")
            key = _COMMON.get(name)
            if key is None or not value or value[0] <= " " or value[-1] <= " ":
                # Not written as nearly all are: a rare name, other white space, or no field at all.
                name, colon, value = line.partition(":")
                key = _COMMON.get(name)
                if key is None:
                    key = _read_name(name, line)
                if not colon:
                    raise HTTPInputError(f"no colon in header line {line[:80]!r}")
                value = value.strip(_OWS)
            if key in fields:
                self._append(key, value)
            else:
                fields[key] = value

    def to_wire(self) -> str:
        """The fields as they stand in a head, each line with its CRLF (RFC 9112 section 5)."""
        pieces: list[str] = []
        self.write_to(pieces)
        return "".join(pieces)

    def write_to(self, pieces: list[str]) -> None:
        """Append to ``pieces`` what joined is :meth:`to_wire`: a head is joined once."""
        for name, value in self._fields.items():
            if type(value) is list:
                for one in value:
                    pieces.append(f"{name}: {one}\r\n")
            else:
                pieces.append(f"{name}: {value}\r\n")


class HTTPHeaders(HeaderMap, _StringMapping):
    """Header fields as a mapping from name to value; names in any case.

    Made empty, from a mapping, from another ``HTTPHeaders``, or from keyword arguments. ``headers[name]``
    gives several values joined with a comma; :meth:`~HeaderMap.get_list` gives them apart.
    """

    __slots__ = ()

    def __init__(self, *args: Any, **kwargs: str) -> None:
        self._fields: dict[str, str | list[str]] = {}
        if not args and not kwargs:
            return
        if len(args) == 1 and not kwargs and isinstance(args[0], HTTPHeaders):
            for name, value in args[0].get_all():
                self._append(name, value)
        else:
            self.update(*args, **kwargs)

    def parse_line(self, line: str, *, _chars_are_bytes: bool = True) -> None:
        """Take one header line, with or without its CRLF; an empty line is nothing.

        :raises gustnado.errors.HTTPInputError: where it is malformed. A continuation line
            (obs-fold, RFC 9112 section 5.2) is malformed.
        """
        if line.endswith("\r\n"):
            line = line[:-2]
        if line:
            self.read_lines([line], 0)

    @classmethod
    def parse(cls, headers: str, *, _chars_are_bytes: bool = True) -> HTTPHeaders:
        """Make a map from header lines that are separated by CRLF, or by LF as ``str(headers)`` has them.

        >>> HTTPHeaders.parse("Content-Type: text/html\\r\\nContent-Length: 42\\r\\n")["content-length"]
        '42'
        """
        parsed = cls()
        for line in headers.split("\n"):
            parsed.parse_line(line.removesuffix("\r"))
        return parsed

    def copy(self) -> HTTPHeaders:
        """A map of its own with the same fields."""
        return type(self)(self)

    __copy__ = copy

    def __eq__(self, other: object) -> bool:
        if isinstance(other, HTTPHeaders):
            return list(self.get_all()) == list(other.get_all())
        if isinstance(other, Mapping):
            return dict(self.items()) == dict(other.items())
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # mutable, as every mapping that compares by value

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), list(self.get_all()))

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Be what Tornado (from 3.0 on) has pickled."""
        HTTPHeaders.__init__(self)
        for name, values in state["_as_list"].items():
            for value in values:
                self.add(name, value)

    def __str__(self) -> str:
        return "".join([f"{name}: {value}\n" for name, value in self.get_all()])

    __unicode__ = __str__

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.get_all())!r})"


def headers_of(fields: dict[str, str | list[str]]) -> HTTPHeaders:
    """A map that has ``fields``, which is not copied: names spelt as usual, values checked."""
    headers: HTTPHeaders = HTTPHeaders.__new__(HTTPHeaders)
    headers._fields = fields
    return headers


def _rebuild(cls: type[HTTPHeaders], pairs: list[tuple[str, str]]) -> HTTPHeaders:
    headers = cls()
    for name, value in pairs:
        headers.add(name, value)
    return headers
