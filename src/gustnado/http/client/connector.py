"""Making a connection: name look-up, TCP or a unix socket, a proxy, TLS; each with its timeout."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Hashable, Mapping
from typing import Any, TypeVar

from gustnado.errors import HTTPInputError, StreamClosedError
from gustnado.events.sockets import format_address, is_valid_ip
from gustnado.events.stream import IOStream, SSLIOStream
from gustnado.events.tcp_client import TCPClient
from gustnado.events.tls import ssl_options_to_context
from gustnado.http.client.errors import ConnectTimeoutError, ProxyError, RequestError, TLSTimeoutError
from gustnado.http.client.proxies import (
    Proxy,
    socks_connect,
    socks_credentials,
    socks_greeting,
    socks_refusal,
)
from gustnado.http.client.settings import Settings
from gustnado.http.client.urls import ClientURL
from gustnado.http.h1.request_writer import request_head
from gustnado.http.h1.response_parser import ResponseParser
from gustnado.http.headers import HTTPHeaders
from gustnado.http.limits import Limits

__all__ = ["Connector"]

T = TypeVar("T")

_MOST_CONTEXTS = 100


class Connector:
    """Makes connections for a client.

    :param tcp_client: connects, and knows the resolver.
    :param limits: of what a proxy may answer.
    """

    def __init__(self, tcp_client: TCPClient, limits: Limits) -> None:
        self._tcp_client = tcp_client
        self._limits = limits
        self._contexts: dict[Hashable, ssl.SSLContext] = {}

    async def connect(
        self, url: ClientURL, settings: Settings, proxy: Proxy | None, tunnel: bool = False
    ) -> IOStream:
        """Connect to the server of ``url``, with TLS where it is https.

        :param proxy: to go through.
        :param tunnel: have an HTTP proxy connect us with the server, also for what it could forward.
        :raises gustnado.http.client.errors.ConnectTimeoutError: in time, TLS included.
        :raises gustnado.http.client.errors.TLSTimeoutError: where the handshake took too long.
        :raises gustnado.http.client.errors.ProxyError: where the proxy says no, or something else than it may.
        :raises gustnado.http.client.errors.RequestError: where ``network_interface`` is no address.
        :raises OSError: where the system, or TLS, says no.
        """
        limits = [one for one in (settings.connect_timeout, settings.request_timeout) if one]
        deadline = asyncio.get_running_loop().time() + min(limits) if limits else None
        try:
            if settings.unix_socket is not None:
                stream = await self._connect_unix(settings.unix_socket, deadline)
            elif proxy is not None:
                stream = await self._connect_by_proxy(proxy, url, settings, deadline, tunnel)
            else:
                stream = await self._connect_tcp(url.host, url.port, settings, deadline)
        except StreamClosedError as error:
            raise error.real_error or error from None
        if url.scheme == "https":
            stream = await self._start_tls(stream, url.host, settings, deadline)
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

    async def _connect_unix(self, path: str, deadline: float | None) -> IOStream:
        stream = IOStream(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        try:
            return await _within(
                _left(deadline, None), stream.connect(path), ConnectTimeoutError(f"Timeout while connecting to {path}")
            )
        except BaseException:
            stream.close()
            raise

    # -- TLS ------------------------------------------------------------------------------------------

    async def _start_tls(
        self, stream: IOStream, host: str, settings: Settings, deadline: float | None
    ) -> IOStream:
        try:
            context = await self._context(settings)
            address = format_address(stream.get_peername())
            handshake = stream.start_tls(False, ssl_options=context, server_hostname=host)
            late = TLSTimeoutError(f"Timeout during TLS handshake with {address}")
            return await _within(_left(deadline, settings.tls_timeout), handshake, late)
        except BaseException:
            stream.close()
            raise

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

    # -- proxies --------------------------------------------------------------------------------------

    async def _connect_by_proxy(
        self, proxy: Proxy, url: ClientURL, settings: Settings, deadline: float | None, tunnel: bool
    ) -> IOStream:
        stream = await self._connect_tcp(proxy.host, proxy.port, settings, deadline)
        if proxy.scheme == "https":
            stream = await self._start_tls(stream, proxy.host, settings, deadline)
        if not tunnel and not proxy.tunnels(url):
            return stream
        if isinstance(stream, SSLIOStream):
            stream.close()
            raise ProxyError(f"{proxy}: a tunnel through a proxy that itself speaks https is not supported")
        talk = self._socks(stream, proxy, url) if proxy.is_socks else self._tunnel(stream, proxy, url)
        try:
            await _within(_left(deadline, None), talk, ConnectTimeoutError(f"Timeout while waiting for {proxy}"))
        except StreamClosedError as error:
            stream.close()
            raise ProxyError(f"{proxy} closed the connection instead of connecting to {url.authority}") from error
        except BaseException:
            stream.close()
            raise
        return stream

    async def _tunnel(self, stream: IOStream, proxy: Proxy, url: ClientURL) -> None:
        """Have an HTTP proxy connect to the server (RFC 9110 section 9.3.6)."""
        host = f"[{url.host}]" if ":" in url.host else url.host
        target = f"{host}:{url.port}"
        headers = HTTPHeaders()
        if proxy.authorization is not None:
            headers["Proxy-Authorization"] = proxy.authorization
        await stream.write(request_head("CONNECT", target, target, headers, ""))
        parser = ResponseParser(self._limits)
        parser.begin("CONNECT")
        try:
            while True:
                parser.feed(await stream.read_until(b"\r\n\r\n", max_bytes=self._limits.max_header_size))
                if parser.parse_head() and parser.code >= 200:
                    break
        except HTTPInputError as error:
            raise ProxyError(f"{proxy} answered with no HTTP: {error}") from error
        if not 200 <= parser.code < 300:
            raise ProxyError(f"{proxy} refused to connect to {target}: {parser.code} {parser.reason[:80]}")

    async def _socks(self, stream: IOStream, proxy: Proxy, url: ClientURL) -> None:
        """Have a SOCKS proxy connect to the server."""
        host = url.host
        if proxy.scheme == "socks5":
            addresses = await self._tcp_client.resolver.resolve(url.host, url.port)
            host = addresses[0][1][0]
        await stream.write(socks_greeting(proxy))
        answer = socks_credentials(proxy, await stream.read_bytes(2))
        if answer:
            await stream.write(answer)
            if (await stream.read_bytes(2))[1] != 0:
                raise ProxyError(f"{proxy} does not accept username and password")
        await stream.write(socks_connect(host, url.port))
        await stream.read_bytes(socks_refusal(proxy, await stream.read_bytes(5)))


def _left(deadline: float | None, timeout: float | None) -> float | None:
    """Seconds until ``deadline``, or ``timeout`` where that is less; ``None`` is no limit."""
    left = None if deadline is None else max(deadline - asyncio.get_running_loop().time(), 0.001)
    if not timeout:
        return left
    return timeout if left is None else min(left, timeout)


async def _within(seconds: float | None, awaitable: Awaitable[T], late: Exception) -> T:
    """What ``awaitable`` gives; it is cancelled after ``seconds``, and ``late`` raised."""
    timer = asyncio.timeout(seconds)
    try:
        async with timer:
            return await awaitable
    except TimeoutError:
        if timer.expired():
            raise late from None
        raise


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
