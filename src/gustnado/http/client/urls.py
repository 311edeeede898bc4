"""URLs as the client takes them apart: strictly, since what one reads as the host another may not.

>>> url = parse_url("HTTP://user:p%40ss@Example.org:80/a b".replace(" ", "%20") + "?q=é#top")
>>> url.origin, url.authority, url.target, url.username, url.password
(('http', 'example.org', 80), 'example.org', '/a%20b?q=%C3%A9', 'user', 'p@ss')
"""

from __future__ import annotations

import functools
import ipaddress
import re
from urllib.parse import quote, unquote, urljoin

from gustnado.http.client.errors import InvalidURLError

__all__ = ["DEFAULT_PORTS", "ClientURL", "join_url", "parse_url"]

DEFAULT_PORTS = {"http": 80, "https": 443}
"""Schemes that are spoken, and the port that each means where none is given."""

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(?://([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?)?", re.DOTALL)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_BAD = re.compile(r"[\x00-\x20\x7f\\]")
_BAD_BUT_BACKSLASH = re.compile(r"[\x00-\x20\x7f]")
_HOST = re.compile(r"[a-z0-9_\-.]{1,253}")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_\-]{0,61}[a-z0-9_])?")
_NUMERIC = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\.?")
_SAFE = "!#$%&'()*+,/:;=?@[]~\"<>^`{|}"  # visible ASCII goes as it is: only what is none is encoded
_SAFE_OR_REFUSED = _SAFE + "\\"  # a backslash is an error before that, unless it is to be left as it is
_SHORT = 2048  # longer ones are not kept, so that those that are cost little memory


class ClientURL:
    """A URL, taken apart.

    :ivar origin: ``(scheme, host, port)``: whom credentials are for (RFC 6454 section 4).
    :ivar host: in ASCII and lower case; an IPv6 address without brackets.
    :ivar authority: for a ``Host`` field: without the port where that is the usual one.
    :ivar target: path and query, for a request line.
    :ivar text: the whole URL, without userinfo and fragment.
    :ivar username: percent-decoded; ``None`` where there is none. So is ``password``.
    """

    __slots__ = ("authority", "host", "origin", "password", "port", "scheme", "target", "text", "username")

    def __init__(self, scheme: str, host: str, port: int, target: str, userinfo: str | None) -> None:
        self.scheme = scheme
        self.host = host
        self.port = port
        self.origin = (scheme, host, port)
        shown = f"[{host}]" if ":" in host else host
        self.authority = shown if port == DEFAULT_PORTS[scheme] else f"{shown}:{port}"
        self.target = target
        self.text = f"{scheme}://{self.authority}{target}"
        self.username: str | None = None
        self.password: str | None = None
        if userinfo is not None:
            username, _, password = userinfo.partition(":")
            self.username, self.password = unquote(username), unquote(password)

    def with_userinfo_of(self, other: ClientURL) -> ClientURL:
        """This URL with the username and the password of another; itself where that has none."""
        if other.username is None:
            return self
        url = ClientURL(self.scheme, self.host, self.port, self.target, None)
        url.username, url.password = other.username, other.password
        return url


def parse_url(url: str, backslashes: bool = False) -> ClientURL:
    """Take a URL apart.

    Characters beyond ASCII are percent-encoded as UTF-8 in path and query, and by IDNA in the host.

    :param backslashes: leave those in path and query as they are; else they are refused.
    :raises InvalidURLError: for another scheme than http and https, control characters, spaces and
        backslashes, a host that is none, numeric addresses in other than their usual form, a port out of range,
        several ``@``.
    """
    return (_parse if len(url) > _SHORT or "@" in url else _parse_cached)(url, backslashes)


def _parse(url: str, backslashes: bool) -> ClientURL:
    bad = (_BAD_BUT_BACKSLASH if backslashes else _BAD).search(url)
    if bad is not None:
        raise InvalidURLError(f"url {_shown(url)!r} has the character {bad[0]!r}; it must be percent-encoded")
    match = _URL.fullmatch(url)
    scheme = "" if match is None else match[1].lower()
    if match is None or scheme not in DEFAULT_PORTS:
        raise InvalidURLError(f"Unsupported url scheme: {_shown(url)!r} (http and https are spoken)")
    if not match[2]:
        raise InvalidURLError(f"no host in url {_shown(url)!r}")
    userinfo, at, authority = match[2].rpartition("@")
    if "\\" in userinfo:  # browsers see the end of the authority there
        raise InvalidURLError(f"the authority of url {_shown(url)!r} has a backslash")
    if "@" in userinfo:
        raise InvalidURLError(f"more than one @ in the authority of url {_shown(url)!r}")
    host, port = _split_authority(authority, scheme, url)
    target = quote((match[3] or "/") + (match[4] or ""), safe=_SAFE_OR_REFUSED)
    return ClientURL(scheme, host, port, target, userinfo if at else None)


_parse_cached = functools.lru_cache(maxsize=1024)(_parse)


def _split_authority(authority: str, scheme: str, url: str) -> tuple[str, int]:
    if authority.startswith("["):
        address, bracket, rest = authority[1:].partition("]")
        if not bracket or (rest and rest[0] != ":"):
            raise InvalidURLError(f"malformed IPv6 address in url {_shown(url)!r}")
        host, digits = _check_ipv6(address, url), rest[1:]
    else:
        name, _, digits = authority.partition(":")
        host = _check_host(name, url)
    if not digits:
        return host, DEFAULT_PORTS[scheme]
    if len(digits) > 5 or not (digits.isascii() and digits.isdigit()) or not 0 < int(digits) < 65536:
        raise InvalidURLError(f"port {digits[:20]!r} in url {_shown(url)!r} is not a number from 1 to 65535")
    return host, int(digits)


def _check_ipv6(address: str, url: str) -> str:
    try:
        if "%" in address:
            raise ValueError("a zone is of this machine only")
        return str(ipaddress.IPv6Address(address))
    except ValueError as error:
        raise InvalidURLError(f"malformed IPv6 address in url {_shown(url)!r}: {error}") from None


def _check_host(name: str, url: str) -> str:
    host = name.lower() if name.isascii() else _to_ascii(name, url)
    if _HOST.fullmatch(host) is None or not all(map(_LABEL.fullmatch, host.removesuffix(".").split("."))):
        raise InvalidURLError(f"host {name[:80]!r} in url {_shown(url)!r} is not a host name")
    last = host.removesuffix(".").rpartition(".")[2]
    if _NUMERIC.fullmatch(last) is not None:
        # 127.1, 0177.0.0.1, 2130706433: some resolvers read these as addresses, some checks do not.
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise InvalidURLError(
                f"host {name[:80]!r} in url {_shown(url)!r} is not an IPv4 address of four decimal numbers"
            ) from None
    return host


def _to_ascii(name: str, url: str) -> str:
    try:
        return name.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise InvalidURLError(f"host {name[:80]!r} in url {_shown(url)!r} is not a host name: {error}") from None


def _shown(url: str) -> str:
    """A URL for a message: without userinfo, and not at length."""
    scheme, separator, rest = url.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if separator and "@" in authority:
        rest = "***@" + rest[authority.rindex("@") + 1 :]
    return (scheme + separator + rest)[:200]


def join_url(base: ClientURL, reference: str) -> ClientURL:
    """The URL that ``reference`` means in a response from ``base`` (RFC 3986 section 5).

    :param reference: the value of a ``Location`` field, in which bytes beyond ASCII stand as Latin-1
        characters; they are percent-encoded, and spaces too. Userinfo in it is dropped.
    :raises InvalidURLError: as :func:`parse_url`.
    """
    encoded = quote(reference.strip(" \t").encode("latin-1"), safe=_SAFE)
    # Not urljoin where there is a scheme: it takes `http:b` for a relative reference, and `http://` for none.
    url = parse_url(encoded if _SCHEME.match(encoded) is not None else urljoin(base.text, encoded))
    if url.username is None:
        return url
    return ClientURL(url.scheme, url.host, url.port, url.target, None)
