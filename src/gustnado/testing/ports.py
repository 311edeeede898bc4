"""Ports that nothing else listens on.

>>> sock, port = bind_unused_port()
>>> sock.getsockname() == ("127.0.0.1", port)
True
>>> sock.close()
"""

from __future__ import annotations

import socket

from gustnado.events.sockets import bind_sockets

__all__ = ["bind_unused_port", "get_unused_port"]


def bind_unused_port(reuse_port: bool = False, address: str = "127.0.0.1") -> tuple[socket.socket, int]:
    """Make a socket that listens on a port which the system chooses.

    :param reuse_port: set ``SO_REUSEPORT``.
    :param address: an address of this machine, IPv4 or IPv6.
    :returns: the socket and its port.
    :raises OSError: where the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = bind_sockets(0, address, family, reuse_port=reuse_port)[0]
    return sock, sock.getsockname()[1]


def get_unused_port() -> int:
    """A port of ``127.0.0.1`` that was unused a moment ago.

    Another program may take it before the caller does, so :func:`bind_unused_port` is better wherever a
    socket can be passed on.
    """
    sock, port = bind_unused_port()
    sock.close()
    return port
