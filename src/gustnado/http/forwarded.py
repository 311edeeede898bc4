"""The ``Forwarded`` field of RFC 7239: what proxies say of the requests that they pass on.

Each proxy adds one element to the end of the list; the first is about the client, if all of them are honest.

>>> parse_forwarded('for=192.0.2.60;proto=http, For="[2001:db8::17]:4711";by=_proxy;host=example.org')
... # doctest: +NORMALIZE_WHITESPACE
[ForwardedElement(client='192.0.2.60', by=None, host=None, proto='http'),
 ForwardedElement(client='2001:db8::17', by='_proxy', host='example.org', proto=None)]
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re

from gustnado.errors import HTTPInputError
from gustnado.http.h1.targets import check_host

__all__ = ["MAX_ELEMENTS", "ForwardedElement", "parse_forwarded", "parse_node"]

MAX_ELEMENTS = 32
"""Elements of one request: more proxies than any path has."""

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
# Alternatives exclude each other, and each pair ends where the next character says so: linear.
_QUOTED = r'"((?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*)"'
_PAIR = re.compile(rf"({_TOKEN})=(?:({_TOKEN})|{_QUOTED})")
_SEPARATOR = re.compile(r"[ \t]*([,;])[ \t]*")
_ESCAPED = re.compile(r"\\(.)")
_OBFUSCATED = re.compile(r"_[0-9A-Za-z._\-]+")
_PORT = re.compile(r"[0-9]{1,5}|_[0-9A-Za-z._\-]+")


@dataclasses.dataclass(frozen=True, slots=True)
class ForwardedElement:
    """What one proxy says (RFC 7239 section 5); what it does not say is ``None``."""

    client: str | None
    """Who made the request to it: an IP address, ``"unknown"``, or a name like ``"_hidden"``. No port."""
    by: str | None = None
    """Where it took the request, likewise."""
    host: str | None = None
    """The ``Host`` field that it got."""
    proto: str | None = None
    """``"http"`` or ``"https"``, in lower case; other schemes as they came."""


def parse_forwarded(value: str) -> list[ForwardedElement]:
    """Parse one line of the field; what is malformed could hide a proxy's element, and is refused.

    :raises gustnado.errors.HTTPInputError: 400 where it is not as RFC 7239 section 4 says, names a parameter
        twice in an element, or has more than :data:`MAX_ELEMENTS`.
    """
    elements: list[ForwardedElement] = []
    pairs: dict[str, str] = {}
    position = 0
    while True:
        match = _PAIR.match(value, position)
        if match is None:
            raise HTTPInputError(f"malformed Forwarded field {value[:200]!r}")
        name, token, quoted = match[1].lower(), match[2], match[3]
        if name in pairs:
            raise HTTPInputError(f"parameter {name!r} comes twice in one element of Forwarded")
        pairs[name] = token if token is not None else _ESCAPED.sub(r"\1", quoted)
        position = match.end()
        separator = _SEPARATOR.match(value, position)
        if separator is None or separator[1] == ",":
            elements.append(_element(pairs))
            pairs = {}
            if len(elements) > MAX_ELEMENTS:
                raise HTTPInputError(f"more than {MAX_ELEMENTS} elements in a Forwarded field")
        if separator is None:
            if value[position:].strip(" \t"):
                raise HTTPInputError(f"malformed Forwarded field {value[:200]!r}")
            return elements
        position = separator.end()


def _element(pairs: dict[str, str]) -> ForwardedElement:
    client, by, host, proto = (pairs.get(name) for name in ("for", "by", "host", "proto"))
    if host is not None:
        check_host(host)
    return ForwardedElement(
        client=None if client is None else parse_node(client),
        by=None if by is None else parse_node(by),
        host=host,
        proto=None if proto is None else proto.lower(),
    )


def parse_node(node: str) -> str:
    """The address of a node without its port (RFC 7239 section 6); ``unknown`` and ``_names`` as they are.

    >>> parse_node("[2001:db8::1]:80"), parse_node("192.0.2.1:_http"), parse_node("_gazonk")
    ('2001:db8::1', '192.0.2.1', '_gazonk')

    :raises gustnado.errors.HTTPInputError: 400 where it is none of these.
    """
    name, port = node, ""
    if node.startswith("["):
        name, bracket, port = node[1:].partition("]")
        if not bracket or (port and port[0] != ":"):
            raise HTTPInputError(f"malformed node {node[:80]!r} in a Forwarded field")
        port = port[1:] if port else ""
        version = 6
    else:
        name, colon, port = node.partition(":")
        version = 4
        if colon and not port:
            raise HTTPInputError(f"malformed node {node[:80]!r} in a Forwarded field")
    if port and _PORT.fullmatch(port) is None:
        raise HTTPInputError(f"malformed port in node {node[:80]!r} of a Forwarded field")
    if version == 4 and (name.lower() == "unknown" or _OBFUSCATED.fullmatch(name) is not None):
        return name
    try:
        address = ipaddress.IPv6Address(name) if version == 6 else ipaddress.IPv4Address(name)
    except ValueError:
        raise HTTPInputError(f"malformed address in node {node[:80]!r} of a Forwarded field") from None
    return str(address)
