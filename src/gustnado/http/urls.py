"""Small helpers for URLs and the authority part of them.

>>> url_concat("https://example.org/find?q=wind", {"page": "2"})
'https://example.org/find?q=wind&page=2'
>>> split_host_and_port("[::1]:8888")
('[::1]', 8888)
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, AnyStr
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["encode_username_password", "qs_to_qsl", "split_host_and_port", "url_concat"]

# A bare IPv6 address has colons of its own, so a port can only follow one in brackets.
_HOST_AND_PORT = re.compile(r"(\[[^\]]*\]|[^:]+):([0-9]{1,5})")


def url_concat(url: str, args: dict[str, str] | Sequence[tuple[str, str]] | None) -> str:
    """Add arguments to the query of a URL, which may have one already.

    :param args: a dictionary, or a list or tuple of pairs, in which a name may come more than once;
        ``None`` returns the URL as it is.
    :raises TypeError: where ``args`` is something else.

    >>> url_concat("/find?q=a", [("q", "b c"), ("q", "d")])
    '/find?q=a&q=b+c&q=d'
    """
    if args is None:
        return url
    if isinstance(args, dict):
        added = list(args.items())
    elif isinstance(args, list | tuple):
        added = list(args)
    else:
        raise TypeError(f"args must be a dict, list or tuple, not {type(args).__name__}")
    scheme, netloc, path, query, fragment = urlsplit(url)
    pairs = parse_qsl(query, keep_blank_values=True) + added
    return urlunsplit((scheme, netloc, path, urlencode(pairs), fragment))


def split_host_and_port(netloc: str) -> tuple[str, int | None]:
    """Split ``host:port``; the port is ``None`` where there is none. An IPv6 address keeps its brackets.

    What does not end in a colon and one to five digits, or has further colons outside of brackets,
    is a host as a whole: this function splits, it does not validate.

    >>> split_host_and_port("example.org")
    ('example.org', None)
    """
    match = _HOST_AND_PORT.fullmatch(netloc)
    if match is None:
        return netloc, None
    return match[1], int(match[2])


def qs_to_qsl(qs: Mapping[str, Sequence[AnyStr]]) -> Iterator[tuple[str, AnyStr]]:
    """Turn the result of :func:`urllib.parse.parse_qs` back into pairs of name and value.

    >>> list(qs_to_qsl({"a": ["1", "3"], "b": ["2"]}))
    [('a', '1'), ('a', '3'), ('b', '2')]
    """
    for name, values in qs.items():
        for value in values:
            yield name, value


def encode_username_password(username: str | bytes, password: str | bytes) -> bytes:
    """Join a username and a password as the ``Basic`` scheme does before base64 (RFC 7617 section 2).

    Strings are normalised to NFC and encoded as UTF-8; bytes are taken as they are.

    :raises ValueError: where the username has a colon, which the other side would take for the end of it.

    >>> encode_username_password("ana", "p:w")
    b'ana:p:w'
    """
    user, secret = _nfc_bytes(username), _nfc_bytes(password)
    if b":" in user:
        raise ValueError("a username must not contain a colon")
    return user + b":" + secret


def _nfc_bytes(value: str | bytes) -> bytes:
    return unicodedata.normalize("NFC", value).encode() if isinstance(value, str) else value
