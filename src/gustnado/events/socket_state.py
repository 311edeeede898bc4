"""What the system knows of a connection that cannot be read from it: who closed first, and how much had arrived.

A client that sends a request on a connection that it has kept may find it closed. Whether the server has seen the
request decides whether to send it again:

- The server closed before, so that the end and the request crossed on the wire. Its system has not confirmed
  the request, and answers it with a reset.
- The server took the request, and then closed, perhaps since the request was the end of it. Its end confirms
  what it had received, so that nothing is left to confirm.

>>> here, there = socket.socketpair()
>>> here.setblocking(False)
>>> has_news(here)
False
>>> there.close()
>>> has_news(here), has_news(here, only_end=True)
(True, True)
>>> here.close()
"""

from __future__ import annotations

import socket
import sys

__all__ = ["closed_after_all", "has_news"]

_CLOSE_WAIT = 8  # of Linux, tcp_states.h: the peer has closed, and no reset has come


def has_news(sock: socket.socket, only_end: bool = False) -> bool:
    """Whether something waits to be read: bytes, the peer's end, or an error.

    :param sock: one that does not block.
    :param only_end: bytes do not count.
    """
    try:
        waiting = sock.recv(1, socket.MSG_PEEK)
    except (BlockingIOError, InterruptedError):
        return False
    except OSError:
        return True
    return not (waiting and only_end)


def closed_after_all(sock: socket.socket) -> bool:
    """Whether the peer, which has closed, had received everything that was sent before it did so.

    What a transport still holds was not sent. False also where nobody knows: that is anywhere but on Linux, on a
    socket that is closed, and where a reset has come.
    """
    if sys.platform != "linux" or sock.fileno() < 0:
        return False
    if sock.family != socket.AF_UNIX and not _waits_for_our_end(sock):
        return False
    return _unconfirmed(sock) == 0


def _waits_for_our_end(sock: socket.socket) -> bool:
    try:
        return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _CLOSE_WAIT
    except OSError:
        return False


def _unconfirmed(sock: socket.socket) -> int:
    """Bytes that the peer's system has not confirmed (TCP), or that the peer has not read (Unix)."""
    import fcntl  # not on Windows, which does not get here
    import termios

    size = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4))
    return int.from_bytes(size, sys.byteorder)
