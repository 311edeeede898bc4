"""``tornado.tcpclient``: connecting to TCP servers."""

from __future__ import annotations

from gustnado.events.family_connector import FamilyConnector as _Connector  # noqa: F401  # as the next
from gustnado.events.sockets import format_address as _format_addr  # noqa: F401  # Tornado's tests use it
from gustnado.events.tcp_client import TCPClient

__all__ = [
    "TCPClient",
]
