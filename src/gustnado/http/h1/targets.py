"""Request targets and hosts: what a request line and a ``Host`` field may say (RFC 9112 section 3).

A target that could be read two ways is refused: raw bytes beyond visible ASCII, ``#``, an authority
with userinfo, a list of hosts.

>>> resolve_target("GET", "http://example.org:80/a?b")
('/a?b', 'example.org:80')
>>> resolve_target("GET", "/a?b")
('/a?b', None)
"""

from __future__ import annotations

import re

from gustnado.errors import HTTPInputError

__all__ = ["check_host", "resolve_target"]

# RFC 3986 section 3.2.2 without "," (a list of hosts must not pass for a host), and no userinfo.
_HOST = re.compile(
    r"(?:(?:[A-Za-z0-9\-._~!$&'()*+;=]|%[0-9A-Fa-f]{2})*|\[(?:[0-9A-Fa-f:.]{2,45}|[vV][0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+;=:]+)\])"
    r"(?::([0-9]{0,5}))?"
)
_MAX_HOST = 255


def check_host(host: str) -> None:
    """Check the value of a ``Host`` field, or an authority; an empty one is allowed (RFC 9112 section 3.2).

    :raises gustnado.errors.HTTPInputError: where it is not ``host`` or ``host:port``.
    """
    match = _HOST.fullmatch(host) if len(host) <= _MAX_HOST else None
    if match is None or (match[1] and int(match[1]) > 65535):
        raise HTTPInputError(f"Invalid Host header {host[:80]!r}")


def resolve_target(method: str, target: str) -> tuple[str, str | None]:
    """Split a request target into what stands for path and query, and the authority if it names one.

    :param target: visible ASCII characters without ``#``: the caller has looked.
    :returns: origin-form as it is; absolute-form as its path and query with its authority;
        ``*`` (OPTIONS only) as it is; authority-form (CONNECT only) as both.
    :raises gustnado.errors.HTTPInputError: where the form does not fit the method, or is malformed.
    """
    if method == "CONNECT":
        host, colon, port = target.rpartition(":")
        if not (host and colon and port):
            raise HTTPInputError(f"CONNECT wants host:port, not {target[:80]!r}")
        check_host(target)
        return target, target
    if target.startswith("/"):
        return target, None
    if target == "*":
        if method != "OPTIONS":
            raise HTTPInputError(f"target * goes with OPTIONS only, not {method[:40]}")
        return target, None
    return _split_absolute(method, target)


def _split_absolute(method: str, target: str) -> tuple[str, str]:
    scheme, separator, rest = target.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        raise HTTPInputError(f"malformed request target {target[:80]!r}")
    end = len(rest)
    for delimiter in "/?":
        at = rest.find(delimiter)
        if 0 <= at < end:
            end = at
    authority, path = rest[:end], rest[end:]
    if not authority or authority[0] == ":":
        raise HTTPInputError(f"no host in request target {target[:80]!r}")
    check_host(authority)
    if not path:
        return ("*" if method == "OPTIONS" else "/"), authority
    return (path if path[0] == "/" else "/" + path), authority
