"""The opening handshake (RFC 6455 section 4): header fields in, header fields out. No I/O.

>>> accept_key("dGhlIHNhbXBsZSBub25jZQ==")
's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
"""

from __future__ import annotations

import base64
import hashlib
import os
import re

from gustnado.http.headers import HTTPHeaders
from gustnado.http.ws.errors import WebSocketHandshakeError
from gustnado.http.ws.extensions import Extension, parse_extensions, parse_tokens

__all__ = [
    "VERSION",
    "accept_key",
    "check_key",
    "check_response",
    "check_upgrade",
    "check_version",
    "has_token",
    "new_key",
    "offered_extensions",
    "offered_subprotocols",
]

VERSION = "13"
"""The one version that there is."""

_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY = re.compile(r"[+/0-9A-Za-z]{22}==")


def new_key() -> str:
    """A key for a client's request: 16 random bytes in base64."""
    return base64.b64encode(os.urandom(16)).decode("ascii")


def accept_key(key: str) -> str:
    """What a server answers to a client's key (section 4.2.2)."""
    digest = hashlib.sha1(f"{key}{_MAGIC}".encode(), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode("ascii")


def has_token(headers: HTTPHeaders, name: str, token: str) -> bool:
    """Whether a field that is a list has a word, whatever its case."""
    return token in [word.strip(" \t").lower() for word in headers.get(name, "").split(",")]


def check_upgrade(headers: HTTPHeaders, http_version: str) -> None:
    """Refuse a request that does not ask for a WebSocket.

    :raises gustnado.http.ws.errors.WebSocketHandshakeError: 400.
    """
    if not has_token(headers, "Upgrade", "websocket"):
        raise WebSocketHandshakeError('Can "Upgrade" only to "WebSocket".')
    if not has_token(headers, "Connection", "upgrade"):
        raise WebSocketHandshakeError('"Connection" must be "Upgrade".')
    if http_version == "HTTP/1.0":
        raise WebSocketHandshakeError("WebSockets need HTTP/1.1.")


def check_version(headers: HTTPHeaders) -> None:
    """Refuse a request for another version than 13.

    :raises gustnado.http.ws.errors.WebSocketHandshakeError: 426; the response names the version (section 4.4).
    """
    if headers.get("Sec-WebSocket-Version") != VERSION:
        raise WebSocketHandshakeError("Only version 13 of WebSocket is spoken here.", status=426)


def check_key(headers: HTTPHeaders) -> str:
    """The key of a request.

    :raises gustnado.http.ws.errors.WebSocketHandshakeError: 400, unless there is one, of 16 bytes in base64.
    """
    keys = headers.get_list("Sec-WebSocket-Key")
    if len(keys) != 1 or _KEY.fullmatch(keys[0]) is None:
        raise WebSocketHandshakeError("Missing/Invalid WebSocket headers")
    return keys[0]


def offered_subprotocols(headers: HTTPHeaders) -> list[str]:
    """The subprotocols that a request proposes, in the client's order.

    :raises gustnado.http.ws.errors.WebSocketHandshakeError: 400, where the field is malformed.
    """
    value = headers.get("Sec-WebSocket-Protocol")
    return parse_tokens("Sec-WebSocket-Protocol", value) if value else []


def offered_extensions(headers: HTTPHeaders) -> list[Extension]:
    """The extensions of a request or a response; see :func:`~gustnado.http.ws.extensions.parse_extensions`."""
    return parse_extensions(headers.get("Sec-WebSocket-Extensions", ""))


def check_response(headers: HTTPHeaders, key: str, subprotocols: list[str]) -> str | None:
    """Check a response with status 101 to a request with ``key``; the subprotocol that the server chose.

    :raises gustnado.http.ws.errors.WebSocketHandshakeError: where the server has not understood the request, or
        chose a subprotocol that was not proposed (section 4.1).
    """
    if not has_token(headers, "Upgrade", "websocket") or not has_token(headers, "Connection", "upgrade"):
        raise WebSocketHandshakeError("the server switched to another protocol than WebSocket")
    if headers.get_list("Sec-WebSocket-Accept") != [accept_key(key)]:
        raise WebSocketHandshakeError("the server's Sec-WebSocket-Accept does not answer the key that it was sent")
    chosen: str | None = headers.get("Sec-WebSocket-Protocol")
    if chosen is not None and chosen not in subprotocols:
        raise WebSocketHandshakeError(f"the server chose a subprotocol that was not proposed: {chosen[:80]!r}")
    return chosen
