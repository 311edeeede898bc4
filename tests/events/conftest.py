"""Fixtures of the event ring's tests: connected streams, on every loop and transport there is."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

import pytest

from gustnado.events import transport as transport_room
from gustnado.events.stream import IOStream, SSLIOStream

T = TypeVar("T")
Pair = tuple[IOStream, IOStream]
PairMaker = Callable[..., AbstractAsyncContextManager[Pair]]

HAS_FASTNET = importlib.util.find_spec("aiofastnet") is not None
HAS_UVLOOP = importlib.util.find_spec("uvloop") is not None


def new_loop(kind: str) -> asyncio.AbstractEventLoop:
    if kind == "uvloop":
        uvloop = pytest.importorskip("uvloop")
        loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        return loop
    return asyncio.new_event_loop()


@pytest.fixture(params=["asyncio", "asyncio+fastnet", "uvloop", "uvloop+fastnet"])
def everywhere(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Coroutine[Any, Any, T]], T]:
    """``everywhere(coroutine)`` runs it; the test is repeated for each event loop and maker of transports."""
    kind, _, fast = request.param.partition("+")
    if fast and not HAS_FASTNET:
        pytest.skip("aiofastnet is not installed")
    if kind == "uvloop" and not HAS_UVLOOP:
        pytest.skip("uvloop is not installed")
    if not fast:
        monkeypatch.setattr(transport_room, "fastnet", lambda: None)
    return running_on(kind)


@pytest.fixture(params=["asyncio", "uvloop"])
def with_fastnet(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, T]], T]:
    """The same, for each event loop with the transports of ``aiofastnet``."""
    if not HAS_FASTNET:
        pytest.skip("aiofastnet is not installed")
    return running_on(request.param)


def running_on(kind: str) -> Callable[[Coroutine[Any, Any, T]], T]:
    def run(coroutine: Coroutine[Any, Any, T]) -> T:
        with asyncio.Runner(loop_factory=lambda: new_loop(kind)) as runner:
            return runner.run(asyncio.wait_for(coroutine, 100))

    return run


async def connected(family: int = socket.AF_INET) -> tuple[socket.socket, socket.socket]:
    """Both ends of a connection over the loopback."""
    address = ("::1", 0) if family == socket.AF_INET6 else ("127.0.0.1", 0)
    with socket.create_server(address, family=family) as listener:
        client = socket.socket(family)
        client.connect(listener.getsockname())
        server, _ = listener.accept()
    return client, server


@contextlib.asynccontextmanager
async def plain_pair(**options: Any) -> AsyncIterator[Pair]:
    left, right = await connected()
    async with both(IOStream(left, **options), IOStream(right, **options)) as pair:
        yield pair


@contextlib.asynccontextmanager
async def both(left: IOStream, right: IOStream) -> AsyncIterator[Pair]:
    try:
        yield left, right
    finally:
        left.abort()
        right.abort()
        await asyncio.sleep(0.01)  # for the sockets to be closed


@pytest.fixture
def pair() -> PairMaker:
    """``async with pair(**options) as (left, right)``: two streams over one TCP connection."""
    return plain_pair


class Spy:
    """A transport that notes what it is given to write."""

    def __init__(self, transport: Any) -> None:
        self.transport = transport
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(bytes(data))
        self.transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)


@pytest.fixture
def spy() -> type[Spy]:
    """``spy(transport)``: see :class:`Spy`."""
    return Spy


def certificate(name: str) -> str:
    tornado = importlib.util.find_spec("tornado")
    if tornado is None or tornado.origin is None:
        pytest.skip("tornado, whose certificate is used, is not installed")
    return os.path.join(os.path.dirname(tornado.origin), "test", name)


@pytest.fixture(scope="session")
def server_context() -> ssl.SSLContext:
    """For the server: a certificate for foo.example.com."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate("test.crt"), certificate("test.key"))
    return context


@pytest.fixture(scope="session")
def client_context() -> ssl.SSLContext:
    """For a client that trusts that certificate, and checks the name."""
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
    context.load_verify_locations(certificate("test.crt"))
    return context


@pytest.fixture
def tls_pair(server_context: ssl.SSLContext, client_context: ssl.SSLContext) -> PairMaker:
    """``async with tls_pair(**options) as (client, server)``: two streams over one TLS connection."""

    @contextlib.asynccontextmanager
    async def make(**options: Any) -> AsyncIterator[Pair]:
        left, right = await connected()
        client = SSLIOStream(left, ssl_options=client_context, server_hostname="foo.example.com", **options)
        server = SSLIOStream(right, ssl_options=server_context, server_side=True, **options)
        async with both(client, server) as streams:
            yield streams

    return make


@pytest.fixture(params=["plain", "tls"])
def any_pair(request: pytest.FixtureRequest, pair: PairMaker) -> PairMaker:
    """:func:`pair`, then :func:`tls_pair`."""
    if request.param == "plain":
        return pair
    made: PairMaker = request.getfixturevalue("tls_pair")
    return made
