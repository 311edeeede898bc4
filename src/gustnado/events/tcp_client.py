"""Connecting to a host by name: resolution, happy eyeballs, TLS, one timeout for all.

>>> import asyncio
>>> from gustnado.events.sockets import bind_sockets
>>> async def main():
...     listener = bind_sockets(0, "127.0.0.1")[0]
...     stream = await TCPClient().connect("localhost", listener.getsockname()[1], timeout=5)
...     print(stream.closed())
...     stream.close()
...     listener.close()
>>> asyncio.run(main())
False
"""

from __future__ import annotations

import asyncio
import datetime
import numbers
import socket
from functools import partial
from typing import Any

from gustnado.events.happy_eyeballs import Connector
from gustnado.events.loop import IOLoop
from gustnado.events.resolver import Resolver
from gustnado.events.sockets import format_address
from gustnado.events.stream import IOStream
from gustnado.events.tls import SSLOptions

__all__ = ["TCPClient"]


class TCPClient:
    """Makes connections.

    :param resolver: by default a ``Resolver()`` of its own, which :meth:`close` closes.
    :param io_loop: the loop of the streams; by default the current one. :meth:`connect` must run on it.
    """

    def __init__(self, resolver: Resolver | None = None, io_loop: IOLoop | None = None) -> None:
        self.resolver: Resolver = Resolver() if resolver is None else resolver
        self.io_loop = io_loop
        self._own_resolver = resolver is None

    def close(self) -> None:
        """Close the resolver, unless it was given. Connections live on."""
        if self._own_resolver:
            self.resolver.close()

    async def connect(
        self,
        host: str,
        port: int,
        af: socket.AddressFamily = socket.AF_UNSPEC,
        ssl_options: SSLOptions | None = None,
        max_buffer_size: int | None = None,
        source_ip: str | None = None,
        source_port: int | None = None,
        timeout: float | datetime.timedelta | None = None,
    ) -> IOStream:
        """Connect, and return the stream; with ``ssl_options`` its handshake is done.

        Where a host has several addresses they are tried side by side (RFC 8305). All sockets but the
        one returned are closed, also where this fails or is cancelled.

        :param af: ``AF_INET`` or ``AF_INET6`` to try only that.
        :param ssl_options: a context, or a dictionary as of
            :func:`~gustnado.events.tls.ssl_options_to_context`; the name verified is ``host``.
        :param max_buffer_size: bytes that the stream may hold for its reader.
        :param source_ip: the local address to connect from.
        :param source_port: the local port; without ``source_ip``, that of the loopback interface.
        :param timeout: for all of it, in seconds or as a :class:`datetime.timedelta`.
        :raises TimeoutError: in time; the message says what was being waited for.
        :raises OSError: where the name is unknown, or no address can be connected to (the last error).
        :raises ssl.SSLError: where the handshake fails.
        :raises TypeError: where ``timeout`` is neither.
        """
        progress = _Progress(f"while resolving {host}")
        timer = asyncio.timeout(_seconds(timeout))
        try:
            async with timer:
                return await self._connect(
                    progress, host, port, af, ssl_options, max_buffer_size, (source_ip, source_port)
                )
        except TimeoutError:
            if timer.expired():
                raise TimeoutError(f"Timeout {progress}") from None
            raise

    async def _connect(
        self,
        progress: _Progress,
        host: str,
        port: int,
        af: socket.AddressFamily,
        ssl_options: SSLOptions | None,
        max_buffer_size: int | None,
        source: tuple[str | None, int | None],
    ) -> IOStream:
        addresses = await self.resolver.resolve(host, port, af)
        create = partial(self._create_stream, max_buffer_size, source_ip=source[0], source_port=source[1])
        progress.phase = connector = Connector(addresses, create)
        stream = await connector.connect()
        if ssl_options is None:
            return stream
        progress.phase = f"during TLS handshake with {format_address(stream.get_peername())}"
        handshake = stream.start_tls(False, ssl_options=ssl_options, server_hostname=host)
        try:
            return await handshake
        except BaseException:
            handshake.cancel()
            stream.close()
            raise

    def _create_stream(
        self,
        max_buffer_size: int | None,
        af: socket.AddressFamily,
        addr: Any,
        source_ip: str | None = None,
        source_port: int | None = None,
    ) -> tuple[IOStream, asyncio.Future[Any]]:
        """Begin to connect to one address; the future is done when that is."""
        sock = _bound_socket(af, source_ip, source_port)
        try:
            stream = IOStream(sock, max_buffer_size=max_buffer_size, io_loop=self.io_loop)
            return stream, stream.connect(addr)
        except BaseException:
            sock.close()
            raise


class _Progress:
    """How far a connection has come, for the message of its timeout."""

    def __init__(self, phase: str | Connector[IOStream]) -> None:
        self.phase = phase

    def __str__(self) -> str:
        return self.phase if isinstance(self.phase, str) else self.phase.describe()


def _seconds(timeout: float | datetime.timedelta | None) -> float | None:
    if isinstance(timeout, datetime.timedelta):
        return timeout.total_seconds()
    if timeout is None or isinstance(timeout, numbers.Real):
        return timeout
    raise TypeError(f"Unsupported timeout {timeout!r}")


def _bound_socket(
    family: socket.AddressFamily, source_ip: str | None, source_port: int | None
) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    if source_ip is None and not source_port:
        return sock
    try:
        loopback = "::1" if family == socket.AF_INET6 else "127.0.0.1"
        sock.bind((source_ip or loopback, source_port or 0))
    except BaseException:
        sock.close()
        raise
    return sock
