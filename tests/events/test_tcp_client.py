from __future__ import annotations

import asyncio
import datetime
import importlib.util
import pathlib
import socket
import ssl

import pytest

from gustnado.events import tcp_client
from gustnado.events.loop import IOLoop
from gustnado.events.resolver import Resolver
from gustnado.events.sockets import bind_sockets
from gustnado.events.stream import IOStream, SSLIOStream
from gustnado.events.tcp_client import TCPClient
from gustnado.events.tcp_server import TCPServer

spec = importlib.util.find_spec("tornado")
assert spec is not None and spec.origin is not None
CERTS = pathlib.Path(spec.origin).parent / "test"
TLS = {"certfile": str(CERTS / "test.crt"), "keyfile": str(CERTS / "test.key")}
TRUSTING = {"cert_reqs": ssl.CERT_NONE}


class GreetingServer(TCPServer):
    """Sends a line and closes."""

    async def handle_stream(self, stream, address):
        self.address = address
        await stream.write(b"hello\n")
        stream.close()


class FixedResolver(Resolver):
    """Gives the same addresses for every name."""

    closed = False

    def initialize(self, *addresses):
        self.addresses = list(addresses)

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        return self.addresses

    def close(self):
        self.closed = True


class SilentResolver(Resolver):
    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        await asyncio.Event().wait()


@pytest.fixture
def opened(monkeypatch):
    """The sockets that the client opens."""
    sockets = []
    real = tcp_client._bound_socket

    def record(*args):
        sockets.append(real(*args))
        return sockets[-1]

    monkeypatch.setattr(tcp_client, "_bound_socket", record)
    return sockets


def serve(server):
    (sock,) = bind_sockets(0, "127.0.0.1")
    server.add_socket(sock)
    return sock.getsockname()[1]


def refusing_port():
    """A port of 127.0.0.1 where nobody listens."""
    (sock,) = bind_sockets(0, "127.0.0.1")
    port = sock.getsockname()[1]
    sock.close()
    return port


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("timeout", [None, 60, datetime.timedelta(minutes=1)])
def test_it_connects_by_name_and_by_address(run, host, timeout):
    async def main():
        server = GreetingServer()
        port = serve(server)
        client = TCPClient()
        stream = await client.connect(host, port, timeout=timeout)
        assert type(stream) is IOStream
        assert await stream.read_until_close() == b"hello\n"
        client.close()
        server.stop()

    run(main())


def test_a_loop_and_a_buffer_size_can_be_passed_in(run):
    async def main():
        server = GreetingServer()
        loop = IOLoop.current()
        stream = await TCPClient(io_loop=loop).connect("127.0.0.1", serve(server), max_buffer_size=1000)
        assert stream.io_loop is loop
        assert stream.max_buffer_size == 1000
        await stream.read_until_close()
        server.stop()

    run(main())


def test_a_refused_connection_is_an_os_error(run, opened):
    async def main():
        with pytest.raises(OSError):
            await TCPClient().connect("127.0.0.1", refusing_port())
        assert [sock.fileno() for sock in opened] == [-1]

    run(main())


def test_a_dead_address_is_followed_by_one_that_lives(run, opened):
    async def main():
        server = GreetingServer()
        port = serve(server)
        resolver = FixedResolver(
            (socket.AF_INET, ("127.0.0.1", refusing_port())),
            (socket.AF_INET, ("127.0.0.1", port)),
        )
        client = TCPClient(resolver=resolver)
        stream = await client.connect("example.test", 80)
        assert stream.get_peername() == ("127.0.0.1", port)
        assert opened[0].fileno() == -1
        assert await stream.read_until_close() == b"hello\n"
        client.close()
        assert not resolver.closed  # it was given
        server.stop()

    run(main())


def test_an_address_of_a_family_that_is_missing_is_one_failure(run):
    async def main():
        server = GreetingServer()
        port = serve(server)
        resolver = FixedResolver((12345, ("nowhere", 1)), (socket.AF_INET, ("127.0.0.1", port)))
        stream = await TCPClient(resolver=resolver).connect("example.test", 80)
        await stream.read_until_close()
        server.stop()

    run(main())


def test_the_source_can_be_chosen(run):
    async def main():
        server = GreetingServer()
        port = serve(server)
        stream = await TCPClient().connect("127.0.0.1", port, source_ip="127.0.0.1")
        await stream.read_until_close()
        assert server.address[0] == "127.0.0.1"
        source_port = refusing_port()
        stream = await TCPClient().connect("127.0.0.1", port, source_port=source_port)
        await stream.read_until_close()
        assert server.address == ("127.0.0.1", source_port)
        with pytest.raises(OSError):
            await TCPClient().connect("127.0.0.1", port, source_ip="192.0.2.1")
        server.stop()

    run(main())


class TestTLS:
    def test_the_stream_is_ready(self, run):
        async def main():
            server = GreetingServer(ssl_options=TLS)
            port = serve(server)
            stream = await TCPClient().connect("127.0.0.1", port, ssl_options=TRUSTING, timeout=60)
            assert isinstance(stream, SSLIOStream)
            assert await stream.read_until_close() == b"hello\n"
            server.stop()

        run(main())

    def test_a_certificate_that_is_not_trusted_is_refused(self, run, opened, expect_log, until):
        async def main():
            server = GreetingServer(ssl_options=TLS)
            port = serve(server)
            with expect_log("gustnado.general", "certificate|unknown ca", count=2) as log:
                with pytest.raises(ssl.SSLError):
                    await TCPClient().connect("127.0.0.1", port, ssl_options={})
                await until(lambda: [sock.fileno() for sock in opened] == [-1])
                await until(lambda: len(log.records) == 2)  # the server's comes later
            server.stop()

        run(main())


class TestTimeouts:
    def test_resolving(self, run):
        async def main():
            with pytest.raises(TimeoutError, match=r"^Timeout while resolving example\.test$"):
                await TCPClient(SilentResolver()).connect("example.test", 80, timeout=0.01)

        run(main())

    def test_connecting_names_the_addresses(self, run, monkeypatch):
        async def main():
            never = asyncio.get_running_loop().create_future()
            monkeypatch.setattr(IOStream, "connect", lambda self, address: never)
            resolver = FixedResolver(
                (socket.AF_INET6, ("2001:db8::1", 443, 0, 0)), (socket.AF_INET, ("192.0.2.1", 443))
            )
            streams = []
            monkeypatch.setattr(IOStream, "close", lambda self, *args: streams.append(self))
            wanted = r"^Timeout while connecting to 192\.0\.2\.1:443, \[2001:db8::1\]:443$"
            with pytest.raises(TimeoutError, match=wanted):
                await TCPClient(resolver).connect("example.test", 443, timeout=0.4)
            monkeypatch.undo()
            for stream in streams:
                stream.close()
            assert len(set(streams)) == 2
            await asyncio.sleep(0)

        run(main())

    def test_the_handshake(self, run, opened, until):
        async def main():
            (listener,) = bind_sockets(0, "127.0.0.1")
            port = listener.getsockname()[1]
            with pytest.raises(TimeoutError, match=f"^Timeout during TLS handshake with 127.0.0.1:{port}$"):
                await TCPClient().connect("127.0.0.1", port, ssl_options=TRUSTING, timeout=0.05)
            await until(lambda: [sock.fileno() for sock in opened] == [-1])
            listener.close()

        run(main())

    def test_a_timeout_of_somebody_else_is_not_ours(self, run):
        class LateResolver(Resolver):
            async def resolve(self, host, port, family=socket.AF_UNSPEC):
                raise TimeoutError("the name server is slow")

        async def main():
            with pytest.raises(TimeoutError, match="the name server is slow"):
                await TCPClient(LateResolver()).connect("example.test", 80, timeout=60)

        run(main())

    def test_other_types_are_type_errors(self, run):
        with pytest.raises(TypeError, match="Unsupported timeout 'soon'"):
            run(TCPClient().connect("127.0.0.1", 80, timeout="soon"))


def test_cancelling_closes_what_was_opened(run, opened, until):
    async def main():
        (listener,) = bind_sockets(0, "127.0.0.1")
        port = listener.getsockname()[1]
        connecting = asyncio.ensure_future(TCPClient().connect("127.0.0.1", port, ssl_options=TRUSTING))
        while not opened:
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        await until(lambda: [sock.fileno() for sock in opened] == [-1])
        listener.close()

    run(main())


def test_a_stream_that_cannot_begin_to_connect_leaves_no_socket(run, opened, monkeypatch):
    def refuse(self, address):
        raise ValueError(address)

    monkeypatch.setattr(IOStream, "connect", refuse)

    async def main():
        with pytest.raises(ValueError, match="127"):
            await TCPClient().connect("127.0.0.1", 80)
        assert [sock.fileno() for sock in opened] == [-1]

    run(main())
