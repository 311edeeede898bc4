"""``tornado.tcpserver``: serving TCP."""

from __future__ import annotations

from gustnado.events.tcp_server import TCPServer

__all__ = [
    "TCPServer",
]
