"""Accepting connections, fairly and without spinning.

An :class:`Acceptor` watches one listening socket. In rules:

- One event accepts :data:`ACCEPT_BATCH` connections at most, so that a flood of them leaves time for
  those that exist, and for other processes that share the socket.
- Out of descriptors or memory (``EMFILE``, ``ENFILE``, ``ENOBUFS``, ``ENOMEM``), it rests for
  :data:`ACCEPT_REST` seconds; the socket stays readable, so asking again at once would only burn time, and
  another process that shares the socket may have room. It says so once in :data:`COMPLAINT_INTERVAL` seconds.
- Who still waits after a rest, as the process has no descriptor left (``EMFILE``), is turned away: its connection is
  closed, see :mod:`gustnado.events.spare_descriptor`. In the other cases the whole system is short of something, and
  they wait on.
- A connection that its client gave up is skipped.
- :meth:`Acceptor.pause` leaves further connections in the kernel's backlog.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import Any

from gustnado.events.loop import IOLoop
from gustnado.events.spare_descriptor import SpareDescriptor
from gustnado.log import app_log, gen_log

__all__ = ["ACCEPT_BATCH", "ACCEPT_REST", "COMPLAINT_INTERVAL", "MOST_PENDING", "Acceptor"]

ACCEPT_BATCH = 128
"""Connections accepted in one turn of the loop (Tornado: 128)."""

MOST_PENDING = 4096
"""Connections that wait in a backlog at most (Linux' default of ``net.core.somaxconn``)."""

ACCEPT_REST = 0.1
"""Seconds of rest when the system cannot give another descriptor (libuv, Go: up to 1)."""

COMPLAINT_INTERVAL = 10.0
"""Seconds between two lines in the log about what the system cannot give."""

_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
# Of the connection, not of the listening socket (accept(2): "treat them like EAGAIN by retrying").
_CONNECTION_ERRORS = frozenset(
    {
        errno.ECONNABORTED,
        errno.ECONNRESET,
        errno.EPROTO,
        errno.EPERM,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ETIMEDOUT,
    }
)


class Acceptor:
    """Calls ``callback(connection, address)`` for each connection of ``sock``, on ``io_loop``.

    What the callback raises is logged, and the connection closed. ``sock`` is made non-blocking.
    """

    def __init__(
        self,
        sock: socket.socket,
        callback: Callable[[socket.socket, Any], object],
        io_loop: IOLoop | None = None,
    ) -> None:
        self._sock = sock
        self._callback = callback
        self._io_loop = io_loop or IOLoop.current()
        self._paused = False
        self._closed = False
        self._resting: object | None = None
        self._exhausted = False
        self._next_complaint = 0.0
        self._spare = SpareDescriptor()
        sock.setblocking(False)
        self._io_loop.add_handler(sock, self._on_ready, IOLoop.READ)

    def pause(self) -> None:
        """Accept no more until :meth:`resume`."""
        if not self._paused and not self._closed:
            self._paused = True
            self._update()

    def resume(self) -> None:
        """Accept again."""
        if self._paused and not self._closed:
            self._paused = False
            self._update()

    def close(self) -> None:
        """Stop accepting; the socket itself stays open. Closing again does nothing."""
        if self._closed:
            return
        self._closed = True
        self._spare.close()
        if self._resting is not None:
            self._io_loop.remove_timeout(self._resting)
        self._io_loop.remove_handler(self._sock)

    def _update(self) -> None:
        idle = self._paused or self._resting is not None
        self._io_loop.update_handler(self._sock, IOLoop.NONE if idle else IOLoop.READ)

    def accept_pending(self) -> None:
        """Accept what waits in the kernel's backlog, but for more than :data:`MOST_PENDING`.

        To be called before the socket is closed for good: the system resets what waits then.
        """
        for _ in range(MOST_PENDING // ACCEPT_BATCH):
            if self._resting is not None or not self._accept_batch():
                return

    def _on_ready(self, sock: socket.socket, events: int) -> None:
        self._accept_batch()

    def _accept_batch(self) -> bool:
        """Accept; whether more may wait."""
        for _ in range(ACCEPT_BATCH):
            if self._closed or self._paused:
                return False
            try:
                connection, address = self._sock.accept()
            except BlockingIOError:
                return False
            except OSError as exc:
                if exc.errno in _EXHAUSTED:
                    self._rest(exc)
                    return False
                if exc.errno in _CONNECTION_ERRORS:
                    continue
                raise
            self._exhausted = False
            self._deliver(connection, address)
        return True

    def _deliver(self, connection: socket.socket, address: Any) -> None:
        try:
            connection.setblocking(False)
            self._callback(connection, address)
        except Exception:
            app_log.error("Error in connection callback", exc_info=True)
            connection.close()

    def _rest(self, exc: OSError) -> None:
        full = exc.errno == errno.EMFILE
        if self._exhausted and full:
            self._spare.turn_away(self._sock, ACCEPT_BATCH)
        self._exhausted = True
        now = self._io_loop.time()
        if now >= self._next_complaint:
            self._next_complaint = now + COMPLAINT_INTERVAL
            gen_log.error(
                "cannot accept connections, trying again every %s s: %s%s",
                ACCEPT_REST,
                exc,
                "; who waits longer is turned away. ulimit -n, or LimitNOFILE= of systemd, lets a process open more"
                if full
                else "",
            )
        self._resting = self._io_loop.call_later(ACCEPT_REST, self._wake)
        self._update()

    def _wake(self) -> None:
        self._resting = None
        self._update()
