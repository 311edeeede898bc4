"""What a server knows of the peer of a connection, and of the client behind it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from gustnado.events.stream import SSLIOStream

if TYPE_CHECKING:
    from gustnado.events.stream import IOStream
    from gustnado.http.proxy_protocol import ProxyHeader
    from gustnado.http.request_ids import RequestIds
    from gustnado.http.shutdown import ShutdownEvent

__all__ = ["ConnectionContext"]

_INTERNET = (socket.AF_INET, socket.AF_INET6)
_NO_ADDRESS = "0.0.0.0"


class ConnectionContext:
    """What a server knows of the peer of a connection; a request's ``connection.context``.

    :ivar address: the peer's address, as its socket family has it; with the PROXY protocol that of the client.
    :ivar remote_ip: the same as a string; ``"0.0.0.0"`` for peers without one, as on a Unix socket. Behind a
        trusted proxy it is what the proxy says, of this request only.
    :ivar protocol: ``"http"`` or ``"https"``, likewise.
    :ivar peer_ip: the IP address that the connection came from, whatever anybody says; ``None`` where it has none.
    :ivar shutting_down: the server's; see :attr:`HTTPServer.shutting_down <gustnado.http.HTTPServer>`.
    :ivar proxy_header: the :class:`~gustnado.http.proxy_protocol.ProxyHeader` that the connection began with, if any.
    :ivar request_ids: the server's, which names requests.
    """

    __slots__ = ("address", "peer_ip", "protocol", "proxy_header", "remote_ip", "request_ids", "shutting_down")

    def __init__(
        self,
        stream: IOStream,
        address: Any,
        protocol: str | None,
        shutting_down: ShutdownEvent | None = None,
        proxy_header: ProxyHeader | None = None,
        request_ids: RequestIds | None = None,
    ) -> None:
        self.request_ids = request_ids
        self.shutting_down = shutting_down
        is_internet = stream.socket is not None and stream.socket.family in _INTERNET
        peer = address if proxy_header is None else stream.get_peername()
        self.peer_ip: str | None = peer[0] if is_internet and peer else None
        self.address = address
        self.remote_ip = self.peer_ip or _NO_ADDRESS
        self.protocol = protocol or ("https" if isinstance(stream, SSLIOStream) else "http")
        self.proxy_header = proxy_header
        if proxy_header is not None:
            self._believe(proxy_header, protocol)

    def _believe(self, header: ProxyHeader, protocol: str | None) -> None:
        if header.source is not None:
            self.address = header.source
            self.remote_ip = header.source[0] if isinstance(header.source, tuple) else _NO_ADDRESS
        if header.is_tls and protocol is None:
            self.protocol = "https"

    @property
    def caller(self) -> str | None:
        """The address that speaks HTTP to us: the client of a PROXY header, else the peer; ``None`` without one."""
        if self.proxy_header is not None and self.proxy_header.source is not None:
            return None if isinstance(self.proxy_header.source, str) else self.proxy_header.source[0]
        return self.peer_ip

    def seen_as(self, remote_ip: str | None, protocol: str | None) -> ConnectionContext:
        """The same, as one of its requests sees it.

        :param remote_ip: the client's, as a trusted proxy has it; ``None`` leaves it as it is.
        :param protocol: likewise.
        """
        other = ConnectionContext.__new__(ConnectionContext)
        other.address = self.address
        other.peer_ip = self.peer_ip
        other.proxy_header = self.proxy_header
        other.request_ids = self.request_ids
        other.shutting_down = self.shutting_down
        other.remote_ip = remote_ip or self.remote_ip
        other.protocol = protocol or self.protocol
        return other

    def __str__(self) -> str:
        return self.remote_ip
