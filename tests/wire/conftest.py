"""What the tests with real sockets share: a server in the test's own loop, and a client that sends raw bytes.

Each test runs on asyncio's loop and on uvloop, since they differ in how they report what happens to a socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import importlib.util
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, TypeVar

import pytest

from gustnado.events.sockets import bind_sockets
from gustnado.http.headers import HTTPHeaders
from gustnado.http.server import HTTPServer
from gustnado.web import Application

T = TypeVar("T")

DEADLINE = 100.0  # seconds; far above what any test takes, so that only a hang meets it
HAS_UVLOOP = importlib.util.find_spec("uvloop") is not None


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, T]], T]:
    """``run(coroutine)`` runs it in a new event loop, gives its result, and fails if it hangs."""
    if request.param == "uvloop" and not HAS_UVLOOP:
        pytest.skip("uvloop is not installed")

    def new_loop() -> asyncio.AbstractEventLoop:
        if request.param == "asyncio":
            return asyncio.new_event_loop()
        import uvloop

        loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        return loop

    def in_new_loop(coroutine: Coroutine[Any, Any, T]) -> T:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            return runner.run(asyncio.wait_for(coroutine, DEADLINE))

    return in_new_loop


@dataclasses.dataclass
class Response:
    """A response as it came."""

    version: str
    code: int
    reason: str
    headers: HTTPHeaders
    body: bytes

    @property
    def closes(self) -> bool:
        return self.headers.get("Connection") == "close"


class Client:
    """One connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def half_close(self) -> None:
        self.writer.write_eof()

    def leave(self) -> None:
        """Go in the ordinary way."""
        self.writer.close()

    def vanish(self) -> None:
        """Go with a reset."""
        self.writer.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
        )
        self.writer.transport.abort()

    async def response(self, method: str = "GET") -> Response:
        """Read one response; it must be framed as RFC 9112 says."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status_line, _, lines = head[:-2].partition("\r\n")
        version, code, reason = status_line.split(" ", 2)
        headers = HTTPHeaders.parse(lines)
        response = Response(version, int(code), reason, headers, b"")
        if method == "HEAD" or response.code < 200 or response.code in (204, 304):
            return response
        if "Transfer-Encoding" in headers:
            assert headers["Transfer-Encoding"] == "chunked"
            assert "Content-Length" not in headers
            response.body = await self._chunks()
        elif "Content-Length" in headers:
            response.body = await self.reader.readexactly(int(headers["Content-Length"]))
        else:
            response.body = await self.reader.read()
        return response

    async def _chunks(self) -> bytes:
        body = b""
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            body += await self.reader.readexactly(size)
            assert await self.reader.readexactly(2) == b"\r\n"
        assert await self.reader.readexactly(2) == b"\r\n"
        return body

    async def ask(self, data: bytes, method: str = "GET") -> Response:
        """Send a request and read its response."""
        self.send(data)
        return await self.response(method)

    async def rest(self) -> bytes:
        """All that comes until the server closes."""
        return await self.reader.read()

    async def is_cut(self) -> bool:
        """Wait for the end; whether it came as a reset, or in the ordinary way but without another byte."""
        try:
            return await self.reader.read() == b""
        except ConnectionError:
            return True


class Server:
    """A server under test."""

    def __init__(self, http_server: HTTPServer, port: int) -> None:
        self.http_server = http_server
        self.port = port
        self.clients: list[Client] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def connect(self, receive_buffer: int | None = None, ssl: ssl.SSLContext | None = None) -> Client:
        sock = socket.socket()
        sock.setblocking(False)
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
        except OSError:
            sock.close()
            raise
        name = "foo.example.com" if ssl else None
        limit = 65536 if receive_buffer is None else receive_buffer
        reader, writer = await asyncio.open_connection(sock=sock, ssl=ssl, server_hostname=name, limit=limit)
        self.clients.append(Client(reader, writer))
        return self.clients[-1]

    async def ask(self, data: bytes, method: str = "GET") -> Response:
        """One request on a connection of its own."""
        client = await self.connect()
        try:
            return await client.ask(data, method)
        finally:
            client.leave()

    async def end(self) -> None:
        """Stop. All connections must come to their end once their clients have gone."""
        for client in self.clients:
            client.leave()
        self.http_server.stop()
        await asyncio.wait_for(self.http_server.close_all_connections(), DEADLINE)


@contextlib.asynccontextmanager
async def serving(
    program: Any, settings: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[Server]:
    app = Application(program, **(settings or {})) if isinstance(program, list) else program
    http_server = HTTPServer(app, **options)
    sockets = bind_sockets(0, "127.0.0.1")
    http_server.add_sockets(sockets)
    server = Server(http_server, sockets[0].getsockname()[1])
    try:
        yield server
    finally:
        await server.end()


@pytest.fixture
def serve() -> Callable[..., contextlib.AbstractAsyncContextManager[Server]]:
    """``async with serve(routes_or_callback, settings=None, **options) as server``: see :class:`Server`.

    ``options`` are those of :class:`HTTPServer`.
    """
    return serving


def certificate(name: str) -> str:
    tornado = importlib.util.find_spec("tornado")
    if tornado is None or tornado.origin is None:
        pytest.skip("tornado, whose certificate is used, is not installed")
    return os.path.join(os.path.dirname(tornado.origin), "test", name)


@pytest.fixture
def server_tls() -> ssl.SSLContext:
    """For the server: a certificate for foo.example.com."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate("test.crt"), certificate("test.key"))
    return context


@pytest.fixture
def client_tls() -> ssl.SSLContext:
    """For a client that trusts that certificate."""
    return ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=certificate("test.crt"))


# Programs that others have written, as peers

TINYPROXY = """
Port {port}
Listen 127.0.0.1
Timeout 60
BasicAuth me secret
LogFile "{directory}/tinyproxy.log"
PidFile "{directory}/tinyproxy.pid"
"""


@pytest.fixture(scope="session", name="free_ports")
def free_ports_fixture() -> Callable[[int], list[int]]:
    """``free_ports(count)``: numbers of ports that nobody listens on."""
    return free_ports


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]


@pytest.fixture(scope="session", name="listens")
def listens_fixture() -> Callable[[int], bool]:
    """``listens(port)``: whether somebody does."""
    return listens


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="session", name="running")
def running_fixture() -> Callable[[str, list[str], list[int]], contextlib.AbstractContextManager[None]]:
    """``with running(program, arguments, ports):`` it listens on these ports; skipped where it is not installed."""
    return running


@contextlib.contextmanager
def running(program: str, arguments: list[str], ports: list[int]) -> Iterator[None]:
    """Run a server until it is not needed any more."""
    found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{program} is not installed")
        pytest.skip(f"{program} is not installed")
    log = None if program != "microsocks" else subprocess.DEVNULL  # which tells of every connection
    process = subprocess.Popen([found, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
    try:
        deadline = time.monotonic() + 30
        for port in ports:
            while not listens(port):
                assert process.poll() is None, f"{program} has ended"
                assert time.monotonic() < deadline, f"{program} does not listen"
                time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def tinyproxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an HTTP proxy, for ``me`` with the password ``secret``."""
    directory = tmp_path_factory.mktemp("tinyproxy")
    (port,) = free_ports(1)
    config = directory / "tinyproxy.conf"
    config.write_text(TINYPROXY.format(port=port, directory=directory))
    with running("tinyproxy", ["-d", "-c", str(config)], [port]):
        yield port


@pytest.fixture(scope="module")
def microsocks() -> Iterator[int]:
    """The port of a SOCKS proxy, for ``me`` with the password ``secret``."""
    (port,) = free_ports(1)
    with running("microsocks", ["-i", "127.0.0.1", "-p", str(port), "-u", "me", "-P", "secret"], [port]):
        yield port
