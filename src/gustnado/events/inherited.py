"""Listening sockets that whoever started this program has made: systemd, or another supervisor.

The port is then open before the program runs and while it restarts, it may be one that needs rights which
the program lacks, and no connection is refused. With systemd, ``web.socket`` says ``ListenStream=80``, and
the program of ``web.service``::

    sockets = systemd_sockets()
    if sockets:
        server.add_sockets(sockets)
    else:
        server.listen(8888)

Other supervisors tell the number of a descriptor in some way of their own, often in an argument::

    server.add_socket(inherited_socket(int(sys.argv[1])))

What is inherited stays inheritable, so that a program which replaces itself, as
:mod:`gustnado.autoreload` makes it, finds its sockets again. (:mod:`subprocess` passes none of them on.) Before
:func:`~gustnado.events.process.fork_processes` the sockets must be taken by the parent: they are offered to
one process, by its number.
"""

from __future__ import annotations

import os
import socket

from gustnado.errors import UsageError

__all__ = ["FIRST_FD", "inherited_socket", "systemd_sockets"]

FIRST_FD = 3
"""The first descriptor that systemd passes (``sd_listen_fds(3)``)."""

_MOST_DIGITS = 7  # Linux counts processes, and descriptors of one, up to 4,194,304


def inherited_socket(fd: int) -> socket.socket:
    """The listening socket of a descriptor, which belongs to it from now on. It is made non-blocking.

    :raises gustnado.errors.UsageError: where ``fd`` is not open, or something else than a listening stream
        socket; it is left as it is.
    """
    return _listening_socket(fd, f"file descriptor {fd}")


def systemd_sockets(name: str | None = None) -> list[socket.socket]:
    """The listening sockets that systemd passes to this process, in the order of its configuration.

    None where the program was started otherwise; an environment that is meant for another process, such as
    the parent of this one, counts as none. Each call takes them anew, so call it once.

    :param name: only those whose ``FileDescriptorName=`` this is; by default all. The others stay as they
        are.
    :raises gustnado.errors.UsageError: where the environment is malformed, or what it promises is no
        listening stream socket.
    """
    if _number("LISTEN_PID") != os.getpid():
        return []
    count = _number("LISTEN_FDS") or 0
    names = _names(count)
    wanted = [number for number in range(count) if name is None or names[number] == name]
    sockets: list[socket.socket] = []
    try:
        for number in wanted:
            fd = FIRST_FD + number
            label = f" ({names[number]})" if names[number] else ""
            sockets.append(_listening_socket(fd, f"file descriptor {fd}{label} of LISTEN_FDS={count}"))
    except BaseException:
        for sock in sockets:
            sock.detach()
        raise
    return sockets


def _number(variable: str) -> int | None:
    text = os.environ.get(variable, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > _MOST_DIGITS:
        raise UsageError(f"environment variable {variable}: {text!r} is not a possible number")
    return int(text)


def _names(count: int) -> list[str]:
    """A name for each descriptor; empty ones where the environment has none (before systemd 227)."""
    text = os.environ.get("LISTEN_FDNAMES")
    names = text.split(":") if text else []
    if not names:
        return [""] * count
    if len(names) != count:
        raise UsageError(f"environment: {len(names)} names in LISTEN_FDNAMES, but LISTEN_FDS={count}")
    return names


def _listening_socket(fd: int, what: str) -> socket.socket:
    try:
        sock = socket.socket(fileno=fd)
    except (OSError, OverflowError, ValueError) as exc:
        raise UsageError(f"{what} is no socket: {exc}") from exc
    if sock.type != socket.SOCK_STREAM or not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        sock.detach()
        raise UsageError(f"{what} is not a listening stream socket")
    sock.setblocking(False)
    return sock
