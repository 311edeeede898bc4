"""Listening sockets: binding them, and accepting what connects.

:func:`bind_sockets` needs no event loop, so that it can run before a fork, and so that a port in use is an
error at the call. :func:`add_accept_handler` accepts on a socket.

>>> sockets = bind_sockets(0, "127.0.0.1")
>>> port = sockets[0].getsockname()[1]
>>> try:
...     bind_sockets(port, "127.0.0.1")
... except BindError as exc:
...     print(str(exc).replace(str(port), "8888"))
[Errno ...] cannot listen on 127.0.0.1 port 8888: address already in use
>>> sockets[0].close()
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

from gustnado.errors import OperationError
from gustnado.events.acceptor import Acceptor
from gustnado.events.loop import IOLoop

__all__ = [
    "DEFAULT_BACKLOG",
    "PORT_CHOICES",
    "BindError",
    "add_accept_handler",
    "bind_error",
    "bind_sockets",
    "format_address",
    "is_valid_ip",
]

DEFAULT_BACKLOG = 128
"""Connections that the kernel holds until they are accepted (Tornado: 128; Linux caps it at 4,096)."""

PORT_CHOICES = 10
"""How often another port is chosen where the system's choice is free for one family of addresses only."""

AddressInfo: TypeAlias = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[Any, ...]]


class BindError(OperationError, OSError):
    """A socket could not be bound; ``errno`` is the system's, the message names the address."""


def bind_sockets(
    port: int,
    address: str | None = None,
    family: socket.AddressFamily = socket.AF_UNSPEC,
    backlog: int = DEFAULT_BACKLOG,
    flags: int | None = None,
    reuse_port: bool = False,
) -> list[socket.socket]:
    """Make sockets that listen on ``port``, one for each address that ``address`` stands for.

    IPv4 and IPv6 get sockets of their own; the latter take no IPv4 connections.

    :param port: ``0`` lets the system choose, the same for all sockets.
    :param address: an IP address, or a host name for all of its addresses; empty or ``None`` for all
        interfaces.
    :param family: ``AF_INET`` or ``AF_INET6`` to have only that.
    :param backlog: as of :meth:`socket.socket.listen`.
    :param flags: ``AI_*`` flags of :func:`socket.getaddrinfo` instead of ``AI_PASSIVE``.
    :param reuse_port: set ``SO_REUSEPORT``, so that several processes can listen on the port.
    :raises BindError: where an address is in use or not of this machine. No socket is left open.
    :raises PermissionError: where the port needs rights that this process lacks.
    :raises socket.gaierror: where ``address`` cannot be resolved.
    :raises ValueError: where the system has no ``SO_REUSEPORT``, or ``port`` is not a port.
    """
    if reuse_port and not hasattr(socket, "SO_REUSEPORT"):
        raise ValueError("the platform doesn't support SO_REUSEPORT")
    if not 0 <= int(port or 0) <= 65535:
        raise ValueError(f"port must be 0 to 65535, not {port}")
    address = address or None
    if not socket.has_ipv6 and family == socket.AF_UNSPEC:
        family = socket.AF_INET  # an interpreter without IPv6 still gets such addresses from the resolver
    flags = socket.AI_PASSIVE if flags is None else flags
    infos = _listen_addresses(port, address, family, flags)
    choices = 1 if port else PORT_CHOICES
    while True:
        choices -= 1
        try:
            return _bind_all(infos, backlog, reuse_port, address)
        except BindError as exc:
            if not choices or exc.errno != errno.EADDRINUSE:
                raise


def _bind_all(
    infos: list[AddressInfo], backlog: int, reuse_port: bool, address: str | None
) -> list[socket.socket]:
    """A socket for each address, all with the port of the first."""
    sockets: list[socket.socket] = []
    try:
        for info in infos:
            bound_port = sockets[0].getsockname()[1] if sockets else 0
            sock = _bind_one(info, bound_port, backlog, reuse_port, address)
            if sock is not None:
                sockets.append(sock)
    except BaseException:
        for sock in sockets:
            sock.close()
        raise
    return sockets


def _listen_addresses(
    port: int, address: str | None, family: socket.AddressFamily, flags: int
) -> list[AddressInfo]:
    try:
        found: Any = socket.getaddrinfo(address, port, family, socket.SOCK_STREAM, 0, flags)
    except socket.gaierror as exc:
        raise socket.gaierror(exc.errno, f"cannot listen on {address!r} port {port}: {exc.strerror}") from exc
    # Twice the same address would be in use by ourselves; IPv4 first, so that it chooses the port.
    return sorted(dict.fromkeys(found), key=lambda info: int(info[0]))


def _bind_one(
    info: AddressInfo, bound_port: int, backlog: int, reuse_port: bool, address: str | None
) -> socket.socket | None:
    """The listening socket for one address, or ``None`` where this machine cannot have it."""
    family, kind, proto, _, sockaddr = info
    if _is_macos_link_local(family, address, sockaddr):
        return None
    if sockaddr[1] == 0 and bound_port:
        sockaddr = (sockaddr[0], bound_port, *sockaddr[2:])
    try:
        sock = socket.socket(family, kind, proto)
    except OSError as exc:
        if exc.errno == errno.EAFNOSUPPORT:
            return None
        raise
    try:
        _set_listen_options(sock, family, reuse_port)
        sock.bind(sockaddr)
        sock.listen(backlog)
    except OSError as exc:
        sock.close()
        if exc.errno == errno.EADDRNOTAVAIL and address == "localhost" and sockaddr[0] == "::1":
            return None  # containers resolve localhost to ::1 without having it
        raise bind_error(exc, sockaddr) from exc
    return sock


def _is_macos_link_local(
    family: socket.AddressFamily, address: str | None, sockaddr: tuple[Any, ...]
) -> bool:
    # macOS counts fe80::1%lo0 among the addresses of localhost; binding it makes its firewall ask the user.
    return (
        sys.platform == "darwin" and address == "localhost" and family == socket.AF_INET6 and sockaddr[3] != 0
    )


def _set_listen_options(sock: socket.socket, family: socket.AddressFamily, reuse_port: bool) -> None:
    sock.setblocking(False)
    if os.name != "nt":  # on Windows this option lets another process take the port
        with contextlib.suppress(OSError):  # and Hurd does not know it
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if reuse_port:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if family == socket.AF_INET6 and hasattr(socket, "IPPROTO_IPV6"):
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)


def bind_error(exc: OSError, sockaddr: tuple[Any, ...] | str) -> OSError:
    """The :exc:`BindError`, or :exc:`PermissionError`, that says where ``exc`` has happened."""
    where = sockaddr if isinstance(sockaddr, str) else f"{sockaddr[0]} port {sockaddr[1]}"
    reason = os.strerror(exc.errno).lower() if exc.errno else str(exc)
    message = f"cannot listen on {where}: {reason}"
    if isinstance(exc, PermissionError):
        return PermissionError(exc.errno, message)
    return BindError(exc.errno, message)


def add_accept_handler(
    sock: socket.socket,
    callback: Callable[[socket.socket, Any], object],
    io_loop: IOLoop | None = None,
) -> Callable[[], None]:
    """Call ``callback(connection, address)`` for each connection that ``sock`` accepts.

    Connections are non-blocking. What the callback raises is logged.

    :param sock: a non-blocking listening socket.
    :param io_loop: the loop to accept on; by default the current one.
    :returns: a function that stops accepting. It does not close ``sock``.
    """
    return Acceptor(sock, callback, io_loop).close


def is_valid_ip(ip: str) -> bool:
    """Whether ``ip`` is an IPv4 or IPv6 address in text.

    >>> is_valid_ip("::1"), is_valid_ip("localhost"), is_valid_ip("")
    (True, False, False)
    """
    if not ip or "\0" in ip:  # which the resolver takes for localhost, and for the end
        return False
    try:
        return bool(socket.getaddrinfo(ip, 0, socket.AF_UNSPEC, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST))
    except socket.gaierror as exc:
        if exc.errno == socket.EAI_NONAME:
            return False
        raise
    except UnicodeError:  # labels over 63 characters do not even reach the resolver
        return False


def format_address(address: Any) -> str:
    """A socket's address for people: ``1.2.3.4:80``, ``[::1]:80``, or the path of a unix socket.

    >>> format_address(("::1", 80, 0, 0))
    '[::1]:80'
    """
    if isinstance(address, tuple) and len(address) >= 2:
        host, port = address[:2]
        return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
    return str(address)
