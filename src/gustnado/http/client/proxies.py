"""Proxies: which one a request goes through, and what is said to it. No I/O.

Three kinds, named by the scheme of their URL: ``http`` and ``https`` (RFC 9110 section 9.3.6: a request for http is
forwarded, one for https goes through a tunnel), ``socks5`` (RFC 1928; the name is looked up here) and ``socks5h`` (it
is looked up there).

>>> proxy = parse_proxy("http://me:secret@proxy.example:3128")
>>> proxy, proxy.authorization
(Proxy(http://proxy.example:3128), 'Basic bWU6c2VjcmV0')
>>> bypasses("localhost,.example.org", "www.example.org", 80)
True
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from gustnado.http.client.auth import basic
from gustnado.http.client.errors import InvalidURLError, ProxyError, RequestError
from gustnado.http.client.urls import ClientURL, parse_url

__all__ = [
    "Proxy",
    "bypasses",
    "parse_proxy",
    "proxy_from_environment",
    "socks_connect",
    "socks_credentials",
    "socks_greeting",
    "socks_refusal",
]

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_SOCKS_ERRORS = {
    1: "general failure",
    2: "not allowed",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "time to live expired",
    7: "command not supported",
    8: "address type not supported",
}


class Proxy:
    """One proxy. Two that are equal may use each other's connections.

    :param scheme: ``http``, ``https``, ``socks5`` or ``socks5h``.
    :param password: counts with a ``username`` only.
    """

    __slots__ = ("authorization", "host", "identity", "password", "port", "scheme", "username")

    def __init__(
        self, scheme: str, host: str, port: int, username: str | None = None, password: str | None = None
    ) -> None:
        self.scheme = scheme
        self.host = host
        self.port = port
        self.username = username
        self.password = password or ""
        self.authorization = None if username is None or self.is_socks else basic(username, self.password)
        self.identity = (scheme, host, port, username, self.password)

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS, and not HTTP."""
        return self.scheme.startswith("socks")

    def tunnels(self, url: ClientURL) -> bool:
        """Whether a request of ``url`` needs a tunnel, and is not forwarded."""
        return self.is_socks or url.scheme == "https"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Proxy) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash(self.identity)

    def __repr__(self) -> str:
        return f"Proxy({self})"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def parse_proxy(url: str, name: str = "proxy") -> Proxy:
    """The proxy of a URL; without a scheme it is one of ``http``.

    :param name: of the field or variable, for messages.
    :raises gustnado.http.client.errors.RequestError: where it is malformed.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "http", url
    scheme = scheme.lower()
    if scheme not in _PORTS:
        raise RequestError(f"{name}: scheme {scheme[:20]!r} is not one of {', '.join(_PORTS)}")
    try:
        parsed = parse_url(f"http://{rest}")
    except InvalidURLError as error:
        raise RequestError(f"{name}: {error}") from None
    has_port = re.search(r":[0-9]+$", re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]) is not None
    port = parsed.port if has_port else _PORTS[scheme]
    return Proxy(scheme, parsed.host, port, parsed.username, parsed.password)


def proxy_from_environment(environ: Mapping[str, str], url: ClientURL) -> Proxy | None:
    """The proxy that ``http_proxy``, ``https_proxy``, ``all_proxy`` and ``no_proxy`` name for ``url``.

    Lower case wins. ``HTTP_PROXY`` is not looked at where ``REQUEST_METHOD`` is set: a CGI program gets it from its
    client.

    :raises gustnado.http.client.errors.RequestError: where the variable is malformed; the message names it.
    """
    for name in (f"{url.scheme}_proxy", "all_proxy"):
        for spelling in (name, name.upper()):
            value = environ.get(spelling)
            if not value or (spelling == "HTTP_PROXY" and "REQUEST_METHOD" in environ):
                continue
            if bypasses(environ.get("no_proxy") or environ.get("NO_PROXY") or "", url.host, url.port):
                return None
            return parse_proxy(value, spelling)
    return None


def bypasses(no_proxy: str, host: str, port: int) -> bool:
    """Whether a list as ``NO_PROXY`` holds names ``host``: ``*``, a name (which covers those below it), an address, a
    network such as ``10.0.0.0/8``; each perhaps with a port.
    """
    for entry in no_proxy.lower().split(","):
        pattern = entry.strip(" \t")
        if pattern == "*":
            return True
        if pattern and _covers(pattern, host.lower().removesuffix("."), port):
            return True
    return False


def _covers(pattern: str, host: str, port: int) -> bool:
    match = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::([0-9]{1,5}))?", pattern)
    if match is not None:
        if match[2] and int(match[2]) != port:
            return False
        pattern = match[1].strip("[]")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = pattern.lstrip(".").removesuffix(".")
        return bool(name) and (host == name or host.endswith("." + name))
    try:
        return address in ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        return False


# -- SOCKS version 5 (RFC 1928, RFC 1929) -----------------------------------------------------------------


def socks_greeting(proxy: Proxy) -> bytes:
    """What is said first: the ways to authenticate that we know."""
    return b"\x05\x01\x00" if proxy.username is None else b"\x05\x02\x00\x02"


def socks_credentials(proxy: Proxy, choice: bytes) -> bytes:
    """What is said next, after the two bytes of the proxy's choice; empty where that needs nothing.

    :raises gustnado.http.client.errors.ProxyError: where it does not speak SOCKS 5, or wants what we do not have.
    """
    if choice[0] != 5:
        raise ProxyError(f"{proxy} does not speak SOCKS 5")
    if choice[1] == 0:
        return b""
    if choice[1] != 2 or proxy.username is None:
        raise ProxyError(f"{proxy} wants to know who asks: a username and a password")
    username, password = proxy.username.encode(), proxy.password.encode()
    if not 0 < len(username) < 256 or not 0 < len(password) < 256:
        raise ProxyError(f"username and password for {proxy} must have 1 to 255 bytes")
    return b"\x01" + bytes([len(username)]) + username + bytes([len(password)]) + password


def socks_connect(host: str, port: int) -> bytes:
    """The request to connect to ``host``, a name or an address.

    :raises gustnado.http.client.errors.ProxyError: for a name of more than 255 bytes.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode("ascii")
        if len(name) > 255:
            raise ProxyError(f"the name {host[:40]!r} is too long for SOCKS 5") from None
        target = b"\x03" + bytes([len(name)]) + name
    else:
        target = (b"\x01" if address.version == 4 else b"\x04") + address.packed
    return b"\x05\x01\x00" + target + port.to_bytes(2, "big")


def socks_refusal(proxy: Proxy, reply: bytes) -> int:
    """Look at the first five bytes of the proxy's reply; returns how many are still to come.

    :raises gustnado.http.client.errors.ProxyError: where it says no.
    """
    if reply[0] != 5:
        raise ProxyError(f"{proxy} does not speak SOCKS 5")
    if reply[1] != 0:
        raise ProxyError(f"{proxy}: {_SOCKS_ERRORS.get(reply[1], f'error {reply[1]}')}")
    lengths = {1: 3 + 2, 3: reply[4] + 2, 4: 15 + 2}
    if reply[3] not in lengths:
        raise ProxyError(f"{proxy} answered with an address of unknown type {reply[3]}")
    return lengths[reply[3]]
