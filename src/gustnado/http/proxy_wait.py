"""Waiting for the PROXY header of a connection that was just accepted.

It is read from the bare socket, before there is a stream: whatever comes behind it, as the client's TLS
handshake, is for the stream. So the socket is asked for what has arrived without taking it, and only what
belongs to the header is taken.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from gustnado.events.loop import IOLoop
from gustnado.http.proxy_protocol import ProxyHeader, ProxyHeaderReader, ProxyProtocolError
from gustnado.http.refusals import RefusalLog

__all__ = ["ProxyHeaderWait"]

_LOOK = 2048 + 16  # bytes looked at; no header is longer


class ProxyHeaderWait:
    """Reads a header from a socket, then calls ``done(wait)``, once.

    :param connection: a connected socket, non-blocking. It is closed where no header comes.
    :param timeout: seconds for all of it; 0 is no limit.
    :param done: called in any case; it finds the header in :attr:`header`.
    :param refusals: where it is logged that no header came.
    :ivar header: the header; ``None`` where none came and the socket is closed.
    """

    def __init__(
        self,
        io_loop: IOLoop,
        connection: socket.socket,
        peer: str,
        timeout: float,
        done: Callable[[ProxyHeaderWait], object],
        refusals: RefusalLog,
    ) -> None:
        self.header: ProxyHeader | None = None
        self.connection = connection
        self._io_loop = io_loop
        self._peer = peer
        self._done = done
        self._refusals = refusals
        self._reader = ProxyHeaderReader()
        self._timer = io_loop.call_later(timeout, self._expire, timeout) if timeout > 0 else None
        io_loop.add_handler(connection, self._on_ready, IOLoop.READ)

    def abandon(self) -> None:
        """Close the connection."""
        self._end()

    def _on_ready(self, connection: socket.socket, events: int) -> None:
        try:
            data = connection.recv(_LOOK, socket.MSG_PEEK)
            if data:
                used = self._reader.feed(data)
                connection.recv(used)
        except BlockingIOError:
            return
        except ProxyProtocolError as error:
            self._refusals.info("%s: %s", self._peer, error)
            self._end()
            return
        except OSError:
            data = b""
        if not data:
            self._end()
        elif self._reader.header is not None:
            self._end(self._reader.header)

    def _expire(self, timeout: float) -> None:
        self._refusals.info("%s sent no PROXY header in %g s", self._peer, timeout)
        self._end()

    def _end(self, header: ProxyHeader | None = None) -> None:
        self._io_loop.remove_handler(self.connection)
        if self._timer is not None:
            self._io_loop.remove_timeout(self._timer)
        self.header = header
        if header is None:
            self.connection.close()
        self._done(self)
