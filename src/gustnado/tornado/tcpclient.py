"""``tornado.tcpclient``: connecting to TCP servers."""

from __future__ import annotations

from gustnado.events.tcp_client import TCPClient

__all__ = [
    "TCPClient",
]
