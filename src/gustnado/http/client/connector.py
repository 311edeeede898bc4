"""Making a connection: name look-up, TCP, TLS, each with its own timeout."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Hashable, Mapping
from typing import Any

from gustnado.errors import StreamClosedError
from gustnado.events.sockets import format_address, is_valid_ip
from gustnado.events.stream import IOStream
from gustnado.events.tcp_client import TCPClient
from gustnado.events.tls import ssl_options_to_context
from gustnado.http.client.errors import ConnectTimeoutError, RequestError, TLSTimeoutError
from gustnado.http.client.settings import Settings
from gustnado.http.client.urls import ClientURL

__all__ = ["Connector"]

_MOST_CONTEXTS = 100


class Connector:
    """Makes connections for a client.

    :param tcp_client: connects, and knows the resolver.
    """

    def __init__(self, tcp_client: TCPClient) -> None:
        self._tcp_client = tcp_client
        self._contexts: dict[Hashable, ssl.SSLContext] = {}

    async def connect(self, url: ClientURL, settings: Settings) -> IOStream:
        """Connect to the server of ``url``, with TLS where it is https.

        :raises gustnado.http.client.errors.ConnectTimeoutError: in time, TLS included.
        :raises gustnado.http.client.errors.TLSTimeoutError: where the handshake took too long.
        :raises gustnado.http.client.errors.RequestError: where ``network_interface`` is no address.
        :raises OSError: where the system, or TLS, says no.
        """
        loop = asyncio.get_running_loop()
        limits = [one for one in (settings.connect_timeout, settings.request_timeout) if one]
        deadline = loop.time() + min(limits) if limits else None
        stream = await self._connect_tcp(url.host, url.port, settings, deadline)
        try:
            if url.scheme == "https":
                stream = await self._start_tls(stream, url.host, settings, deadline)
        except BaseException:
            stream.close()
            raise
        stream.set_nodelay(True)
        return stream

    async def _connect_tcp(
        self, host: str, port: int, settings: Settings, deadline: float | None
    ) -> IOStream:
        source = settings.network_interface
        if source is not None and not is_valid_ip(source):
            raise RequestError(f"network_interface must be an IPv4 or IPv6 address, not {source!r}")
        family = socket.AF_INET if settings.allow_ipv6 is False else socket.AF_UNSPEC
        try:
            return await self._tcp_client.connect(
                host, port, af=family, source_ip=source, timeout=_left(deadline, None)
            )
        except TimeoutError as error:
            raise ConnectTimeoutError(str(error) or "Timeout while connecting") from None
        except StreamClosedError as error:
            raise error.real_error or error from None

    async def _start_tls(
        self, stream: IOStream, host: str, settings: Settings, deadline: float | None
    ) -> IOStream:
        context = await self._context(settings)
        address = format_address(stream.get_peername())
        handshake = stream.start_tls(False, ssl_options=context, server_hostname=host)
        timer = asyncio.timeout(_left(deadline, settings.tls_timeout))
        try:
            async with timer:
                return await handshake
        except TimeoutError:
            if timer.expired():
                raise TLSTimeoutError(f"Timeout during TLS handshake with {address}") from None
            raise
        finally:
            if not handshake.done():
                handshake.cancel()

    async def _context(self, settings: Settings) -> ssl.SSLContext:
        """The TLS context of a request; those that look alike share one."""
        given = settings.ssl_options
        if isinstance(given, ssl.SSLContext):
            return given
        context = self._contexts.get(settings.transport)
        if context is None:
            # It reads files, all of the system's authorities among them.
            loop = asyncio.get_running_loop()
            context = await loop.run_in_executor(None, _make_context, _tls_options(settings))
            if len(self._contexts) >= _MOST_CONTEXTS:
                self._contexts.clear()
            self._contexts[settings.transport] = context
        return context


def _left(deadline: float | None, timeout: float | None) -> float | None:
    """Seconds until ``deadline``, or ``timeout`` where that is less; ``None`` is no limit."""
    left = None if deadline is None else max(deadline - asyncio.get_running_loop().time(), 0.001)
    if not timeout:
        return left
    return timeout if left is None else min(left, timeout)


def _tls_options(settings: Settings) -> Mapping[str, Any]:
    if settings.ssl_options is not None:
        options: Mapping[str, Any] = settings.ssl_options
        return options
    options = {"ca_certs": settings.ca_certs, "certfile": settings.client_cert, "keyfile": settings.client_key}
    given = {name: value for name, value in options.items() if value is not None}
    if not settings.validate_cert:
        given["cert_reqs"] = ssl.CERT_NONE
    return given


def _make_context(options: Mapping[str, Any]) -> ssl.SSLContext:
    context = ssl_options_to_context(options, server_side=False)
    context.set_alpn_protocols(["http/1.1"])
    return context
