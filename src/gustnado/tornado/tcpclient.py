"""``tornado.tcpclient``: connecting to TCP servers."""

from __future__ import annotations

from gustnado.events.sockets import format_address as _format_addr
from gustnado.events.tcp_client import TCPClient

__all__ = [
    "TCPClient",
]
