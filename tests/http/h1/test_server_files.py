"""A response sends parts of files around the transport, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import socket
import struct

import pytest

from gustnado.errors import HTTPOutputError, StreamClosedError
from gustnado.events import file_sender
from gustnado.events import transport as transport_room
from gustnado.events.file_sender import FileShrunkError
from gustnado.events.sockets import bind_sockets
from gustnado.http import sweeper as sweeper_module
from gustnado.http.delegates import HTTPMessageDelegate, HTTPServerConnectionDelegate
from gustnado.http.headers import HTTPHeaders
from gustnado.http.limits import Limits
from gustnado.http.messages import ResponseStartLine
from gustnado.http.server import HTTPServer

pytestmark = pytest.mark.skipif("sys.platform != 'linux'", reason="elsewhere files are read and written")

CONTENT = bytes(range(251)) * 40_000  # 10 MB, more than the sockets of a connection hold
SIZE = len(CONTENT)
GET = b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "content"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture(params=["asyncio", "asyncio+fastnet", "uvloop"])
def everywhere(request, monkeypatch):
    """Run a coroutine on each event loop, with each kind of plain transport."""
    kind, _, fast = request.param.partition("+")
    if importlib.util.find_spec("uvloop" if kind == "uvloop" else "aiofastnet" if fast else "asyncio") is None:
        pytest.skip(f"{request.param} is not installed")
    if not fast:
        monkeypatch.setattr(transport_room, "fastnet", lambda: None)

    def factory():
        if kind == "asyncio":
            return asyncio.new_event_loop()
        import uvloop

        return uvloop.new_event_loop()

    def run(coroutine):
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(asyncio.wait_for(coroutine, 100))

    return run


class Program(HTTPServerConnectionDelegate):
    """Has ``answer(connection, path)`` answer each request, as a task; ``results`` are what came of them."""

    def __init__(self, answer):
        self.answer = answer
        self.results = []
        self.connections = []
        self.tasks = set()

    def start_request(self, server_conn, request_conn):
        program = self
        self.connections.append(server_conn)

        class Message(HTTPMessageDelegate):
            path = ""

            def headers_received(self, start_line, headers):
                self.path = start_line.path

            def finish(self):
                task = asyncio.ensure_future(program.run(request_conn, self.path))
                program.tasks.add(task)
                task.add_done_callback(program.tasks.discard)

        return Message()

    async def run(self, connection, path):
        try:
            self.results.append(await self.answer(connection, path))
        except Exception as error:
            self.results.append(error)

    async def done(self):
        while self.tasks:
            await asyncio.wait(self.tasks)
        return self.results


@contextlib.asynccontextmanager
async def serving(answer, **options):
    """A program behind a server, and a client that is connected to it."""
    program = Program(answer)
    server = HTTPServer(program, **options)
    (listener,) = bind_sockets(0, "127.0.0.1")
    server.add_sockets([listener])
    client = socket.create_connection(listener.getsockname())
    client.setblocking(False)
    try:
        yield program, client
    finally:
        client.close()
        server.stop()
        await asyncio.wait_for(server.close_all_connections(), 60)


async def read_all(client):
    received = bytearray()
    while data := await asyncio.get_running_loop().sock_recv(client, 1 << 20):
        received += data
    return bytes(received)


def head(connection, **fields):
    headers = HTTPHeaders({name.replace("_", "-"): value for name, value in fields.items()})
    return connection.write_headers(ResponseStartLine("", 200, ""), headers)


def sends(path, **fields):
    """An answer that is the whole file."""

    async def answer(connection, _):
        head(connection, Content_Length=str(SIZE), **fields)
        with open(path, "rb") as file:
            await connection.write_file(file.fileno(), 0, SIZE)
        connection.finish()
        return "sent"

    return answer


def bodies(data):
    """The bodies of responses with a length, one after the other."""
    found = []
    while data:
        start, _, data = data.partition(b"\r\n\r\n")
        length = int(start.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
        found.append(data[:length])
        data = data[length:]
    return found


class TestSending:
    def test_pipelined_responses_keep_their_order(self, everywhere, path):
        async def main():
            async with serving(sends(path)) as (program, client):
                client.send(GET + GET + LAST)
                found = bodies(await read_all(client))
                assert found == [CONTENT] * 3
                assert await program.done() == ["sent"] * 3

        everywhere(main())

    @pytest.mark.parametrize("before", [b"", b"a", bytes(3_000_000)], ids=len)
    def test_what_is_written_before_and_behind_it_keeps_its_place(self, everywhere, path, before):
        async def answer(connection, _):
            head(connection, Content_Length=str(2 * SIZE + len(before) + 3))
            connection.write(before)
            with open(path, "rb") as file:
                first = connection.write_file(file.fileno(), 0, SIZE)
                assert connection.write_file(file.fileno(), 0, SIZE) is None  # one at a time
                second = connection.write(b"end")
                assert not second.done()
                await first
                await connection.write_file(file.fileno(), 0, SIZE)
            await second
            connection.finish()

        async def main():
            async with serving(answer) as (program, client):
                client.send(LAST)
                (body,) = bodies(await read_all(client))
                assert body == before + CONTENT + b"end" + CONTENT
                assert await program.done() == [None]

        everywhere(main())

    def test_in_chunks(self, everywhere, path):
        async def answer(connection, _):
            head(connection)
            with open(path, "rb") as file:
                await connection.write_file(file.fileno(), 1000, 5000)
            connection.finish()

        async def main():
            async with serving(answer) as (_, client):
                client.send(LAST)
                body = (await read_all(client)).partition(b"\r\n\r\n")[2]
                assert body == b"1388\r\n" + CONTENT[1000:6000] + b"\r\n0\r\n\r\n"

        everywhere(main())

    def test_the_end_of_the_response_waits_for_it(self, everywhere, path):
        async def answer(connection, _):
            head(connection, Content_Length=str(SIZE))
            with open(path, "rb") as file:
                connection.write_file(file.fileno(), 0, SIZE)
            connection.finish()  # not awaited
            with pytest.raises(HTTPOutputError):
                connection.write(b"x")

        async def main():
            async with serving(answer) as (program, client):
                client.send(GET + LAST)
                assert bodies(await read_all(client)) == [CONTENT] * 2
                assert await program.done() == [None] * 2

        everywhere(main())

    def test_no_more_than_its_length(self, run, path):
        async def answer(connection, _):
            head(connection, Content_Length="5")
            with open(path, "rb") as file, pytest.raises(HTTPOutputError):
                connection.write_file(file.fileno(), 0, 6)
            connection.close()

        async def main():
            async with serving(answer) as (program, client):
                client.send(LAST)
                assert (await read_all(client)).endswith(b"\r\n\r\n")
                assert await program.done() == [None]

        run(main())

    def test_none_to_head(self, run, path):
        async def main():
            async with serving(sends(path)) as (_, client):
                client.send(LAST.replace(b"GET", b"HEAD"))
                assert (await read_all(client)).endswith(b"\r\n\r\n")

        run(main())

    def test_nothing_of_a_file(self, run, path):
        async def answer(connection, _):
            head(connection, Content_Length="0")
            with open(path, "rb") as file:
                await connection.write_file(file.fileno(), 0, 0)
            connection.finish()

        async def main():
            async with serving(answer) as (_, client):
                client.send(LAST)
                assert bodies(await read_all(client)) == [b""]

        run(main())


class TestTheEnd:
    def test_a_client_that_goes(self, everywhere, path):
        async def main():
            async with serving(sends(path)) as (program, client):
                client.send(LAST)
                await asyncio.get_running_loop().sock_recv(client, 1000)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()
                (error,) = await program.done()
                assert isinstance(error, StreamClosedError)
                assert program.connections[0].is_closed()

        descriptors = len(os.listdir("/proc/self/fd"))
        everywhere(main())
        assert len(os.listdir("/proc/self/fd")) <= descriptors

    @pytest.mark.parametrize("held", [True, False])
    def test_a_file_that_shrinks(self, everywhere, path, monkeypatch, held):
        if not held:
            monkeypatch.setattr(file_sender, "_NOWAIT", 0)

        async def main():
            async with serving(sends(path)) as (program, client):
                client.send(LAST)
                await asyncio.get_running_loop().sock_recv(client, 1000)
                os.truncate(path, 9_000_000)
                assert len(await read_all(client)) < SIZE  # and its end
                (error,) = await program.done()
                assert isinstance(error, FileShrunkError)

        everywhere(main())

    def test_closing_stops_it(self, everywhere, path):
        async def answer(connection, _):
            head(connection, Content_Length=str(SIZE))
            with open(path, "rb") as file:
                sent = connection.write_file(file.fileno(), 0, SIZE)
            connection.close()
            await sent

        async def main():
            async with serving(answer) as (program, client):
                client.send(LAST)
                assert len(await read_all(client)) < SIZE
                (error,) = await program.done()
                assert isinstance(error, StreamClosedError)

        everywhere(main())

    def test_a_client_that_does_not_read_is_cut_off(self, run, path, monkeypatch):
        senders = []

        class Kept(file_sender.FileSender):
            def __init__(self, *args):
                super().__init__(*args)
                senders.append(self)

        monkeypatch.setattr(sweeper_module, "FileSender", Kept)

        async def main():
            async with serving(sends(path), limits=Limits(write_timeout=5)) as (program, client):
                client.send(LAST)
                received = len(await asyncio.get_running_loop().sock_recv(client, 1000))
                before = -1
                while before != senders[0].sent or before == 0:
                    before = senders[0].sent
                    for _ in range(50):
                        await asyncio.sleep(0)
                connection = program.connections[0]
                now = asyncio.get_running_loop().time()
                connection.sweep(now)  # sees how far it is
                connection.sweep(now + 4)
                assert not program.results
                connection.sweep(now + 6)
                (error,) = await program.done()
                assert isinstance(error, StreamClosedError)
                with contextlib.suppress(ConnectionResetError):
                    received += len(await read_all(client))
                assert received < SIZE

        run(main())
