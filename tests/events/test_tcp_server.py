from __future__ import annotations

import asyncio
import errno
import importlib.util
import os
import pathlib
import socket
import ssl
import subprocess
import sys

import pytest

from gustnado.errors import UsageError
from gustnado.events.loop import IOLoop
from gustnado.events.sockets import bind_sockets
from gustnado.events.stream import IOStream, SSLIOStream
from gustnado.events.tcp_server import TCPServer
from gustnado.events.unix_sockets import bind_unix_socket

spec = importlib.util.find_spec("tornado")
assert spec is not None and spec.origin is not None
CERTS = pathlib.Path(spec.origin).parent / "test"
TLS = {"certfile": str(CERTS / "test.crt"), "keyfile": str(CERTS / "test.key")}


class EchoServer(TCPServer):
    """Sends every line back."""

    async def handle_stream(self, stream, address):
        while True:
            await stream.write(await stream.read_until(b"\n"))


class Recorder(TCPServer):
    """Keeps what it is called with."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.calls = asyncio.Queue()

    def handle_stream(self, stream, address):
        self.calls.put_nowait((stream, address))


def listening(server, address="127.0.0.1"):
    """Let ``server`` listen; the port."""
    (sock,) = bind_sockets(0, address)
    server.add_socket(sock)
    return sock.getsockname()[1]


async def closed_by_peer(reader):
    return await reader.read() == b""


def test_lines_are_echoed(run):
    async def main():
        server = EchoServer()
        port = listening(server)
        clients = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        for reader, writer in clients:
            writer.write(b"hello\n")
            assert await reader.readline() == b"hello\n"
        for _, writer in clients:
            writer.close()
            await writer.wait_closed()
        server.stop()

    run(main())


def test_listen_before_any_loop_as_the_slides_do():
    class OneClient(EchoServer):
        async def handle_stream(self, stream, address):
            try:
                await super().handle_stream(stream, address)
            finally:
                loop.add_callback(loop.stop)

    loop = IOLoop(make_current=False)
    server = OneClient(io_loop=loop)
    (probe,) = bind_sockets(0, "127.0.0.1")
    port = probe.getsockname()[1]
    with pytest.raises(OSError) as raised:
        server.listen(port, "127.0.0.1")
    assert raised.value.errno == errno.EADDRINUSE
    probe.close()
    server.listen(port, "127.0.0.1")
    with socket.create_connection(("127.0.0.1", port)) as client:  # taken by the kernel before the loop runs
        client.sendall(b"early\n")

        def on_answer(sock, events):
            loop.remove_handler(sock)
            loop.stop()

        loop.add_handler(client, on_answer, loop.READ)
        loop.start()
        assert client.recv(100) == b"early\n"
    server.stop()
    loop.start()
    loop.close()


def test_streams_are_made_with_the_servers_limits_and_without_delay(run):
    async def main():
        server = Recorder(max_buffer_size=10_000, read_chunk_size=100)
        port = listening(server)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        stream, address = await server.calls.get()
        assert type(stream) is IOStream
        assert address == writer.get_extra_info("sockname")
        assert (stream.max_buffer_size, stream.read_chunk_size) == (10_000, 100)
        assert stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        stream.close()
        assert await closed_by_peer(reader)
        writer.close()
        server.stop()

    run(main())


def test_bind_and_start_in_one_process(run):
    async def main():
        server = Recorder()
        server.bind(0, "127.0.0.1")
        (sock,) = server._pending_sockets
        assert server._sockets == {}
        server.start()
        server.bind(0, "127.0.0.1")  # after start, accepted at once
        assert len(server._sockets) == 2
        _, writer = await asyncio.open_connection(*sock.getsockname())
        stream, _ = await server.calls.get()
        stream.close()
        writer.close()
        with pytest.raises(UsageError, match="started already"):
            server.start()
        server.stop()

    run(main())


def test_stop_closes_what_listens_and_nothing_else(run):
    async def main():
        server = EchoServer()
        port = listening(server)
        server.bind(0, "127.0.0.1")
        (bound,) = server._pending_sockets
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"before\n")
        await reader.readline()
        server.stop()
        server.stop()
        assert bound.fileno() == -1
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"after\n")
        assert await reader.readline() == b"after\n"
        writer.close()
        await asyncio.sleep(0.01)

    run(main())


def test_an_exception_is_logged_and_the_stream_closed(run, expect_log):
    class Faulty(TCPServer):
        def handle_stream(self, stream, address):
            raise ZeroDivisionError

    async def main():
        server = Faulty()
        port = listening(server)
        with expect_log("gustnado.application", "Error in connection callback .*handle_stream"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await closed_by_peer(reader)
        writer.close()
        server.stop()

    run(main())


def test_a_failing_coroutine_is_logged_and_the_stream_closed(run, expect_log):
    class Faulty(TCPServer):
        async def handle_stream(self, stream, address):
            await stream.read_bytes(1)
            raise ZeroDivisionError

    async def main():
        server = Faulty()
        port = listening(server)
        with expect_log("gustnado.application", "Exception in callback .*handle_stream"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"x")
            assert await closed_by_peer(reader)
        writer.close()
        server.stop()

    run(main())


def test_handle_stream_must_be_implemented():
    with pytest.raises(NotImplementedError):
        TCPServer().handle_stream(None, None)


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs unix sockets")
def test_unix_sockets(run, tmp_path):
    async def main():
        server = EchoServer()
        path = str(tmp_path / "socket")
        server.add_socket(bind_unix_socket(path))
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"hello\n")
        assert await reader.readline() == b"hello\n"
        writer.close()
        await writer.wait_closed()
        server.stop()

    run(main())


class TestTLS:
    def client_context(self):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    def test_a_dictionary_or_a_context(self, run):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(TLS["certfile"], TLS["keyfile"])

        async def main():
            for options in (TLS, context):
                server = EchoServer(ssl_options=options)
                port = listening(server)
                reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=self.client_context())
                writer.write(b"secret\n")
                assert await reader.readline() == b"secret\n"
                writer.close()
                await writer.wait_closed()
                server.stop()

        run(main())

    def test_handle_stream_comes_before_the_handshake(self, run):
        async def main():
            server = Recorder(ssl_options=TLS)
            port = listening(server)
            connecting = asyncio.ensure_future(
                asyncio.open_connection("127.0.0.1", port, ssl=self.client_context())
            )
            stream, _ = await server.calls.get()
            assert type(stream) is SSLIOStream
            assert not connecting.done()
            await stream.wait_for_handshake()
            reader, writer = await connecting
            stream.close()
            assert await closed_by_peer(reader)
            writer.close()
            server.stop()

        run(main())

    def test_a_client_that_says_nothing_is_closed_in_time(self, run):
        async def main():
            server = Recorder(ssl_options=TLS, handshake_timeout=0.02)
            port = listening(server)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            stream, _ = await server.calls.get()
            with pytest.raises(OSError):
                await stream.read_bytes(1)
            assert await closed_by_peer(reader)
            writer.close()
            server.stop()

        run(main())

    def test_new_options_count_for_later_connections(self, run):
        async def main():
            server = EchoServer(ssl_options=TLS)
            port = listening(server)
            before = server._ssl_context()
            server.ssl_options = dict(TLS)
            assert server._ssl_context() is not before
            assert server._ssl_context() is server._ssl_context()
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=self.client_context())
            writer.write(b"x\n")
            assert await reader.readline() == b"x\n"
            writer.close()
            await writer.wait_closed()
            server.stop()

        run(main())

    def test_wrong_options_are_errors_at_once(self):
        with pytest.raises(KeyError, match='missing key "certfile"'):
            TCPServer(ssl_options={})
        for key in ("certfile", "keyfile"):
            with pytest.raises(ValueError, match=f'{key} "/no/such" does not exist'):
                TCPServer(ssl_options=TLS | {key: "/no/such"})
        with pytest.raises(ValueError, match="unknown key"):
            TCPServer(ssl_options=TLS | {"cert": "x"})


class TestMaxConnections:
    @pytest.mark.parametrize("options", [None, TLS])
    def test_accepting_pauses_at_the_limit(self, run, options):
        async def main():
            server = Recorder(max_connections=2, ssl_options=options)
            port = listening(server)
            clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
            first, _ = await server.calls.get()
            second, _ = await server.calls.get()
            await asyncio.sleep(0.01)
            assert server.calls.empty()
            first.close()
            first.close()
            third, _ = await server.calls.get()
            second.abort()
            second.abort()
            third.close()
            await asyncio.sleep(0)
            assert server._connections == 0
            for client in clients:
                client.close()
            server.stop()

        run(main())

    def test_clients_that_leave_make_room(self, run):
        async def main():
            server = EchoServer(max_connections=1)
            port = listening(server)
            for _ in range(3):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"x\n")
                assert await reader.readline() == b"x\n"
                writer.close()
                await writer.wait_closed()
            server.stop()

        run(main())

    def test_a_full_server_that_listens_on_more_stays_paused(self, run):
        async def main():
            server = Recorder(max_connections=1)
            port = listening(server)
            with socket.create_connection(("127.0.0.1", port)):
                stream, _ = await server.calls.get()
                other = listening(server)
                with socket.create_connection(("127.0.0.1", other)):
                    await asyncio.sleep(0.01)
                    assert server.calls.empty()
                    stream.close()
                    (await server.calls.get())[0].close()
            server.stop()

        run(main())


PROGRAM = """
import os, signal
from gustnado.events.loop import IOLoop
from gustnado.events.process import task_id
from gustnado.events.tcp_server import TCPServer

class WhoServer(TCPServer):
    async def handle_stream(self, stream, address):
        await stream.write(f"worker {task_id()}".encode())
        stream.close()

server = WhoServer()
server.bind(0, "127.0.0.1")
port = server._pending_sockets[0].getsockname()[1]
server.start(2)
os.write(1, f"{port}\\n".encode())
IOLoop.current().start()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_bind_and_start_with_several_processes():
    program = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    with program:
        ports = {int(program.stdout.readline()) for _ in range(2)}
        assert len(ports) == 1
        with socket.create_connection(("127.0.0.1", ports.pop())) as client:
            assert client.recv(100) in (b"worker 0", b"worker 1")
        program.terminate()
        assert program.wait(timeout=60) != 0


def test_an_address_has_no_more_connections_than_it_may(run):
    async def main():
        server = EchoServer(max_connections_per_address=2)
        port = listening(server)
        clients = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        for reader, writer in clients:
            writer.write(b"hello\n")
            assert await reader.readline() == b"hello\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await closed_by_peer(reader)
        writer.close()
        clients[0][1].close()
        while True:  # until the server has noticed that the first has gone
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"again\n")
            try:
                line = await reader.readline()
            except ConnectionError:
                line = b""
            writer.close()
            if line:
                break
        assert line == b"again\n"
        clients[1][1].close()
        server.stop()

    run(main())


def test_peers_on_a_unix_socket_are_not_counted(run, tmp_path):
    async def main():
        server = EchoServer(max_connections_per_address=1)
        path = str(tmp_path / "socket")
        server.add_socket(bind_unix_socket(path))
        clients = [await asyncio.open_unix_connection(path) for _ in range(3)]
        for reader, writer in clients:
            writer.write(b"hello\n")
            assert await reader.readline() == b"hello\n"
            writer.close()
        server.stop()

    run(main())


def test_what_transports_need_is_loaded_before_the_first_connection():
    """In a fresh interpreter, as other tests have loaded it here."""
    program = """if True:
        import asyncio, sys
        from gustnado.events import TCPServer, bind_sockets
        from gustnado.events.transport import fastnet

        async def main():
            server = TCPServer()
            server.add_sockets(bind_sockets(0, "127.0.0.1"))
            print(fastnet.cache_info().currsize)
            server.stop()

        asyncio.run(main())
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("1\n", "")
