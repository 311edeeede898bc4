"""``tornado.websocket``: WebSockets, server and client."""

from __future__ import annotations

from gustnado.http.ws.client import WebSocketClientConnection, websocket_connect
from gustnado.http.ws.connection import WebSocketProtocol, WebSocketProtocol13
from gustnado.http.ws.errors import WebSocketClosedError, WebSocketError
from gustnado.web.websocket import WebSocketHandler

__all__ = [
    "WebSocketClientConnection",
    "WebSocketClosedError",
    "WebSocketError",
    "WebSocketHandler",
    "WebSocketProtocol",
    "WebSocketProtocol13",
    "websocket_connect",
]
