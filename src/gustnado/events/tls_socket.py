"""What ``SSLIOStream.socket`` is: the plain socket with the answers of the TLS layer.

TLS runs in the transport, on memory, so there is no :class:`ssl.SSLSocket` to give to programs. This
object has its questions (certificate, cipher, version, protocol chosen) and hands all else to the plain
socket. Before the handshake is complete there is nothing to know: :meth:`TLSSocket.getpeercert` raises
:exc:`ValueError` then, as that of the standard library does, and the others return ``None``.
"""

from __future__ import annotations

import socket
import ssl
from typing import Any

__all__ = ["TLSSocket", "plain_socket"]


class TLSSocket:
    """A plain socket that also answers for the TLS on it.

    :ivar plain: the socket itself.
    :ivar context: the :class:`ssl.SSLContext` in use.
    :ivar server_side: whether this is the server's end.
    :ivar server_hostname: the name that was asked for by a client, if any.
    """

    __slots__ = ("_tls", "context", "plain", "server_hostname", "server_side")

    def __init__(
        self, plain: socket.socket, context: ssl.SSLContext, server_side: bool, server_hostname: str | None
    ) -> None:
        self.plain = plain
        self.context = context
        self.server_side = server_side
        self.server_hostname = server_hostname
        self._tls: Any = None

    def handshake_done(self, tls: Any) -> None:
        """Called by the stream with the transport's ``ssl_object``."""
        self._tls = tls

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)

    def __repr__(self) -> str:
        return f"<TLSSocket {self.version() or 'before the handshake'} on {self.plain!r}>"

    def getpeercert(self, binary_form: bool = False) -> dict[str, Any] | bytes | None:
        """The peer's certificate, as :meth:`ssl.SSLSocket.getpeercert` gives it."""
        if self._tls is None:
            raise ValueError("handshake not done yet")
        certificate: dict[str, Any] | bytes | None = self._tls.getpeercert(binary_form)
        return certificate

    def cipher(self) -> tuple[str, str, int] | None:
        """Name, protocol version and secret bits of the cipher in use."""
        return None if self._tls is None else self._tls.cipher()

    def version(self) -> str | None:
        """The protocol version, such as ``"TLSv1.3"``."""
        return None if self._tls is None else self._tls.version()

    def selected_alpn_protocol(self) -> str | None:
        """The protocol that ALPN chose (RFC 7301), such as ``"h2"``."""
        return None if self._tls is None else self._tls.selected_alpn_protocol()

    def compression(self) -> str | None:
        """The compression in use; ``None`` is none, as it should be."""
        return None if self._tls is None else self._tls.compression()

    def get_channel_binding(self, cb_type: str = "tls-unique") -> bytes | None:
        """Data that names this connection (RFC 5929)."""
        return None if self._tls is None else self._tls.get_channel_binding(cb_type)


def plain_socket(sock: ssl.SSLSocket) -> socket.socket:
    """Take the plain socket out of ``sock``, which is of no use afterwards.

    :raises ValueError: where the handshake is done: what the TLS layer knows cannot be taken out.
    """
    if sock.version() is not None:
        raise ValueError("wrap the socket with do_handshake_on_connect=False: its handshake is done already")
    return socket.socket(sock.family, sock.type, sock.proto, fileno=sock.detach())
