"""A TCP server: accepts connections and hands each to :meth:`TCPServer.handle_stream` as a stream.

::

    class EchoServer(TCPServer):
        async def handle_stream(self, stream, address):
            while True:
                await stream.write(await stream.read_until(b"\\n"))

    EchoServer().listen(8888)
    IOLoop.instance().start()

Three ways to start, each of which binds at once, so that a port in use is an error at the call:

- :meth:`TCPServer.listen` in one process, before or inside the running loop;
- :meth:`TCPServer.bind` and :meth:`TCPServer.start` with a number of processes to fork;
- :meth:`TCPServer.add_sockets` with sockets that were made elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, cast

from gustnado.errors import StreamClosedError, UsageError
from gustnado.events.acceptor import Acceptor
from gustnado.events.address_count import AddressCount
from gustnado.events.futures import Future
from gustnado.events.loop import IOLoop
from gustnado.events.process import fork_processes
from gustnado.events.sockets import DEFAULT_BACKLOG, bind_sockets
from gustnado.events.stream import IOStream, SSLIOStream
from gustnado.events.tls import SSLOptions, ssl_options_to_context
from gustnado.events.transport import fastnet
from gustnado.events.yieldables import convert_yielded
from gustnado.log import app_log, gen_log

__all__ = ["HANDSHAKE_TIMEOUT", "TCPServer"]

HANDSHAKE_TIMEOUT = 10.0
"""Seconds that a client has for its TLS handshake (nginx: 60, Tornado: none)."""


class TCPServer:
    """Subclass it and override :meth:`handle_stream`.

    :param ssl_options: to speak TLS: an :class:`ssl.SSLContext`, or a dictionary as of
        :func:`~gustnado.events.tls.ssl_options_to_context`. Assigning the attribute again changes what
        later connections get.
    :param max_buffer_size: bytes that a stream may hold for its reader; ``None`` for the stream's default.
    :param read_chunk_size: bytes read at a time; ``None`` for the stream's default.
    :param io_loop: the loop to run on; by default that which is current when accepting is set up.
    :param max_connections: connections at once; accepting pauses at it, and further ones wait in the
        kernel's backlog. ``0`` is no limit.
    :param handshake_timeout: seconds for a TLS handshake.
    :param max_connections_per_address: connections at once of one IP address, or of one IPv6 network of 64 bits;
        further ones are closed. ``0`` is no limit. Peers on a Unix socket are not counted.
    :raises KeyError: where the dictionary has no ``certfile``.
    :raises ValueError: where one of its files does not exist.
    """

    def __init__(
        self,
        ssl_options: SSLOptions | None = None,
        max_buffer_size: int | None = None,
        read_chunk_size: int | None = None,
        io_loop: IOLoop | None = None,
        max_connections: int = 0,
        handshake_timeout: float = HANDSHAKE_TIMEOUT,
        max_connections_per_address: int = 0,
    ) -> None:
        if isinstance(ssl_options, Mapping):
            _check_files(ssl_options)
        self.ssl_options = ssl_options
        self.max_buffer_size = max_buffer_size
        self.read_chunk_size = read_chunk_size
        self.io_loop = io_loop
        self.max_connections = max_connections
        self.handshake_timeout = handshake_timeout
        self._addresses: AddressCount | None = None
        if max_connections_per_address:
            self._addresses = AddressCount(max_connections_per_address)
        self._context_for: SSLOptions | None = None
        self._context: ssl.SSLContext | None = None
        self._sockets: dict[int, socket.socket] = {}
        self._acceptors: dict[int, Acceptor] = {}
        self._pending_sockets: list[socket.socket] = []
        self._connections = 0
        self._started = False
        self._stopped = False
        self._ssl_context()  # so that a bad key is an error here, and not at the first client

    def listen(
        self,
        port: int,
        address: str | None = None,
        family: socket.AddressFamily = socket.AF_UNSPEC,
        backlog: int = DEFAULT_BACKLOG,
        flags: int | None = None,
        reuse_port: bool = False,
    ) -> None:
        """Bind and listen at once; connections are accepted as soon as the loop runs.

        May be called several times. Parameters and errors are those of
        :func:`~gustnado.events.sockets.bind_sockets`.
        """
        self.add_sockets(bind_sockets(port, address, family, backlog, flags, reuse_port))

    def bind(
        self,
        port: int,
        address: str | None = None,
        family: socket.AddressFamily = socket.AF_UNSPEC,
        backlog: int = DEFAULT_BACKLOG,
        flags: int | None = None,
        reuse_port: bool = False,
    ) -> None:
        """Bind and listen at once; connections are accepted after :meth:`start`.

        May be called several times. Parameters and errors are those of
        :func:`~gustnado.events.sockets.bind_sockets`.
        """
        sockets = bind_sockets(port, address, family, backlog, flags, reuse_port)
        if self._started:
            self.add_sockets(sockets)
        else:
            self._pending_sockets.extend(sockets)

    def start(self, num_processes: int | None = 1, max_restarts: int | None = None) -> None:
        """Accept connections of the bound sockets, in this process or in several.

        :param num_processes: ``1`` for this process only; more fork that many workers; ``None`` or less
            than 1 forks one for each processor. See :func:`~gustnado.events.process.fork_processes`.
        :param max_restarts: how often workers are started anew, in all.
        :raises gustnado.errors.UsageError: where it was started before, or cannot fork.
        """
        if self._started:
            raise UsageError("TCPServer.start: it was started already")
        self._started = True
        if num_processes != 1:
            fork_processes(num_processes, max_restarts)
        sockets, self._pending_sockets = self._pending_sockets, []
        self.add_sockets(sockets)

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        """Accept connections of these listening sockets, which the server owns from then on."""
        fastnet()  # what the transports need is loaded now, and the first connection does not wait for it
        for sock in sockets:
            acceptor = Acceptor(sock, partial(self._handle_connection, sock.family), self.io_loop)
            self._sockets[sock.fileno()] = sock
            self._acceptors[sock.fileno()] = acceptor
            if self._is_full():
                acceptor.pause()

    def add_socket(self, socket: socket.socket) -> None:
        """:meth:`add_sockets` for one."""
        self.add_sockets([socket])

    def stop(self) -> None:
        """Stop accepting and close the listening sockets; connections live on. Again does nothing."""
        if self._stopped:
            return
        self._stopped = True
        for acceptor in self._acceptors.values():
            acceptor.close()
        for sock in [*self._sockets.values(), *self._pending_sockets]:
            sock.close()
        self._acceptors.clear()
        self._sockets.clear()
        self._pending_sockets.clear()

    def accept_pending(self) -> None:
        """Accept the connections that wait in the kernel, which :meth:`stop` would reset.

        For the last process that listens on its sockets, before it stops for good. Where ``max_connections``
        is reached it does nothing.
        """
        for acceptor in self._acceptors.values():
            acceptor.accept_pending()

    def handle_stream(self, stream: IOStream, address: Any) -> Awaitable[None] | None:
        """Override: called for each connection, right after it was accepted.

        May be a coroutine; other connections are accepted meanwhile. What it raises is logged, and the
        stream closed. With TLS, the handshake is not done yet; reads and writes wait for it, as does
        ``await stream.wait_for_handshake()``.

        :param address: of the peer: ``(host, port)``, with two more fields for IPv6; ``""`` of an unnamed
            unix socket.
        """
        raise NotImplementedError

    def _is_full(self) -> bool:
        return 0 < self.max_connections <= self._connections

    def _count(self, change: int) -> None:
        """Count a connection in or out; accepting pauses while there are too many."""
        self._connections += change
        for acceptor in self._acceptors.values():
            if self._is_full():
                acceptor.pause()
            else:
                acceptor.resume()

    def _ssl_context(self) -> ssl.SSLContext | None:
        """The context of :attr:`ssl_options`, made when that changes."""
        if self.ssl_options is not self._context_for:
            options = self.ssl_options
            self._context = None if options is None else ssl_options_to_context(options, server_side=True)
            self._context_for = options
        return self._context

    def _handle_connection(
        self, family: socket.AddressFamily, connection: socket.socket, address: Any
    ) -> None:
        self._set_nodelay(family, connection)
        self._begin(self._make_stream(connection), address)

    def _set_nodelay(self, family: socket.AddressFamily, connection: socket.socket) -> None:
        """Small answers leave at once; where the client has gone by now, the first read will tell."""
        if family in (socket.AF_INET, socket.AF_INET6):
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _begin(self, stream: IOStream, address: Any) -> None:
        """Hand a new connection to :meth:`handle_stream`, unless its address has too many."""
        try:
            if self._addresses is not None and not self._admit(self._addresses, stream, address):
                self._turn_away(stream, address)
                return
            waiting = self.handle_stream(stream, address)
            if waiting is not None:
                future = convert_yielded(waiting)
                self._io_loop().add_future(future, partial(self._handled, stream))
        except Exception:
            app_log.error("Error in connection callback %r", self.handle_stream, exc_info=True)
            stream.close()

    def _admit(self, addresses: AddressCount, stream: IOStream, address: Any) -> bool:
        host = address[0] if isinstance(address, tuple) else None
        if host is None:
            return True  # peers on a Unix socket are told apart by nothing
        if not addresses.enter(host):
            return False
        counted = cast("_CountedStream", stream)
        counted.on_closed = partial(self._left, addresses, host, counted.on_closed)
        return True

    def _left(self, addresses: AddressCount, host: str, then: Callable[[], None]) -> None:
        addresses.leave(host)
        then()

    def _turn_away(self, stream: IOStream, address: Any) -> None:
        """Get rid of a connection whose address has as many as it may."""
        stream.close()

    def _make_stream(self, connection: socket.socket) -> IOStream:
        counted = self.max_connections > 0 or self._addresses is not None
        arguments: dict[str, Any] = {
            "max_buffer_size": self.max_buffer_size,
            "read_chunk_size": self.read_chunk_size,
            "io_loop": self.io_loop,
        }
        context = self._ssl_context()
        stream: IOStream
        if context is None:
            stream = (_CountedStream if counted else IOStream)(connection, **arguments)
        else:
            stream = (_CountedSSLStream if counted else SSLIOStream)(
                connection,
                ssl_options=context,
                server_side=True,
                handshake_timeout=self.handshake_timeout,
                handshake_log=self._log_handshake,
                **arguments,
            )
        if isinstance(stream, _CountedStream):
            stream.on_closed = partial(self._count, -1)
            self._count(+1)
        return stream

    def _log_handshake(self, text: str, *values: object) -> None:
        """Log that a client's TLS handshake failed."""
        gen_log.warning(text, *values)

    def _io_loop(self) -> IOLoop:
        return self.io_loop or IOLoop.current()

    def _handled(self, stream: IOStream, future: Future[None]) -> None:
        """The coroutine that handles ``stream`` has ended."""
        error = None if future.cancelled() else future.exception()
        if error is None:
            return
        if not isinstance(error, StreamClosedError):  # the peer leaving is how most conversations end
            app_log.error("Exception in callback %r", self.handle_stream, exc_info=error)
        stream.close()


class _CountedStream(IOStream):
    """A stream of a server with a limit of connections, which it tells that it has closed."""

    on_closed: Callable[[], None]

    def close(self, exc_info: Any = False) -> None:
        was_closed = self.closed()
        super().close(exc_info)
        if not was_closed:
            self.on_closed()

    def abort(self) -> None:
        was_closed = self.closed()
        super().abort()
        if not was_closed:
            self.on_closed()


class _CountedSSLStream(_CountedStream, SSLIOStream):
    pass


def _check_files(ssl_options: Mapping[str, Any]) -> None:
    if "certfile" not in ssl_options:
        raise KeyError('missing key "certfile" in ssl_options')
    for key in ("certfile", "keyfile"):
        path = ssl_options.get(key)
        if path is not None and not os.path.exists(path):
            raise ValueError(f'{key} "{path}" does not exist')
