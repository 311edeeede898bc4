"""Handlers send files: what arrives, at what pace, and what becomes of it where it is interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import sys
import threading

import pytest

from gustnado.events.file_sender import FileShrunkError
from gustnado.events.sockets import bind_sockets
from gustnado.http.server import HTTPServer
from gustnado.web import Application, RequestHandler, StaticFileHandler
from gustnado.web.handler import files
from gustnado.web.handler.files import open_regular, read_at

CONTENT = bytes(range(251)) * 40_000  # 10 MB, more than the sockets of a connection hold
GIB = 1 << 30


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "content.png"
    path.write_bytes(CONTENT)
    return path


def sending(path, *args, before=None, **options):
    """An application whose handler sends a file."""

    class Send(RequestHandler):
        async def get(self):
            if before is not None:
                before(self)
            await self.send_file(path, *args)

        head = get

    return Application([("/", Send)], **options)


class TestWhatArrives:
    def test_the_file(self, fetch, path):
        response = fetch(sending(path), "/")
        assert (response.code, response.body) == (200, CONTENT)
        assert response.headers["Content-Length"] == str(len(CONTENT))
        assert response.headers["Content-Type"] == "image/png"
        assert max(map(len, response.chunks)) <= files.PIECE

    @pytest.mark.parametrize("part", [(0, 0), (5, 5), (1, 300_000), (300_000,), (len(CONTENT),)])
    def test_a_part_of_it(self, fetch, path, part):
        response = fetch(sending(str(path), *part), "/")
        assert response.body == CONTENT[slice(*part) if len(part) == 2 else slice(part[0], None)]

    def test_no_body_for_head(self, fetch, path):
        response = fetch(sending(path, 0, 5), "/", method="HEAD")
        assert (response.body, response.headers["Content-Length"]) == (b"", "5")

    def test_what_was_written_comes_first(self, fetch, path):
        response = fetch(sending(path, 0, 10, before=lambda handler: handler.write("first")), "/")
        assert response.body == b"first" + CONTENT[:10]

    def test_what_the_handler_says_of_it_counts(self, fetch, path):
        def before(handler):
            handler.set_header("Content-Type", "text/x-wind")
            handler.set_header("Content-Length", "5")

        response = fetch(sending(path, 0, 5, before=before), "/")
        assert response.headers["Content-Type"] == "text/x-wind"

    def test_transforms_see_it(self, fetch, tmp_path):
        import gzip

        (tmp_path / "a.txt").write_bytes(b"wind" * 100_000)
        app = sending(tmp_path / "a.txt", compress_response=True)
        response = fetch(app, "/", headers={"Accept-Encoding": "gzip"})
        assert gzip.decompress(response.body) == b"wind" * 100_000

    def test_so_does_a_flush_of_ones_own(self, fetch, path):
        flushed = []

        class Own(RequestHandler):
            def flush(self, *args, **kwargs):
                flushed.append(len(self._write_buffer))
                return super().flush(*args, **kwargs)

            async def get(self):
                await self.send_file(path)

        assert fetch(Application([("/", Own)]), "/").body == CONTENT
        assert len(flushed) > len(CONTENT) // files.PIECE


class TestWhatIsNot:
    def test_a_file_that_is_not_there(self, fetch, tmp_path, expect_log):
        with expect_log("gustnado.application", "Uncaught exception"):
            assert fetch(sending(tmp_path / "none"), "/").code == 500

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="FIFOs are POSIX's")
    def test_a_fifo_is_not_waited_for(self, tmp_path):
        os.mkfifo(tmp_path / "fifo")
        with pytest.raises(OSError, match="not a regular file"):
            open_regular(tmp_path / "fifo")

    @pytest.mark.parametrize("part", [(-1,), (5, 4), (0, len(CONTENT) + 1)])
    def test_a_part_that_it_does_not_have(self, fetch, path, part, expect_log):
        with expect_log("gustnado.application", "Uncaught exception") as seen:
            assert fetch(sending(path, *part), "/").code == 500
        assert "no part" in str(seen.records[0].exc_info[1])

    def test_reading(self, path):
        with open_regular(path) as file:
            assert read_at(file, 10, 5) == CONTENT[10:15]
            assert read_at(file, len(CONTENT), 5) == b""


class TestOtherThreads:
    def test_the_disk_is_waited_for_by_another(self, fetch, path, monkeypatch):
        threads = set()

        def noting(function):
            def note(*args):
                threads.add(threading.current_thread())
                return function(*args)

            return note

        monkeypatch.setattr(files, "open_regular", noting(files.open_regular))
        monkeypatch.setattr(files, "read_at", noting(files.read_at))
        assert fetch(sending(path), "/").body == CONTENT
        assert threads
        assert threading.current_thread() not in threads


# Over sockets


@contextlib.asynccontextmanager
async def serving(app, **options):
    """An application behind a server, and a function that connects to it."""
    server = HTTPServer(app, **options)
    (listener,) = bind_sockets(0, "127.0.0.1")
    server.add_sockets([listener])
    clients = []

    def connect():
        client = socket.create_connection(listener.getsockname())
        client.setblocking(False)
        clients.append(client)
        return client

    try:
        yield connect
    finally:
        for client in clients:
            client.close()
        server.stop()
        await asyncio.wait_for(server.close_all_connections(), 60)


def ask(client, path, **fields):
    lines = [f"GET {path} HTTP/1.1", "Host: x", *(f"{name}: {value}" for name, value in fields.items())]
    client.send("\r\n".join([*lines, "", ""]).encode())


async def receive(client, size):
    data = await asyncio.get_running_loop().sock_recv(client, size)
    if not data:
        raise EOFError
    return data


async def receive_head(client):
    received = b""
    while b"\r\n\r\n" not in received:
        received += await receive(client, 1)
    return received


class TestOverSockets:
    def test_the_connection_is_kept(self, run, path):
        async def main():
            async with serving(sending(path)) as connect:
                client = connect()
                for _ in range(2):
                    ask(client, "/")
                    await receive_head(client)
                    received = b""
                    while len(received) < len(CONTENT):
                        received += await receive(client, 1 << 20)
                    assert received == CONTENT

        run(main())

    @pytest.mark.parametrize("reset", [True, False])
    def test_a_client_that_goes_leaves_no_trace(self, run, path, reset):
        """No descriptor, and no record in the log."""
        ended = []

        class Send(RequestHandler):
            async def get(self):
                await self.send_file(path)

            def on_finish(self):
                ended.append(True)

        async def main():
            async with serving(Application([("/", Send)])) as connect:
                client = connect()
                ask(client, "/")
                await receive_head(client)
                if reset:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()
                while not ended:
                    await asyncio.sleep(0)

        before = len(os.listdir("/proc/self/fd"))
        run(main())
        assert len(os.listdir("/proc/self/fd")) <= before

    def test_a_file_that_shrinks_closes_the_connection(self, run, path, expect_log):
        async def main():
            async with serving(sending(path)) as connect:
                client = connect()
                ask(client, "/")
                await receive_head(client)
                os.truncate(path, len(CONTENT) - 100_000)
                received = 0
                with pytest.raises(EOFError):
                    while True:
                        received += len(await receive(client, 1 << 20))
                assert received <= len(CONTENT) - 100_000

        with (
            expect_log("gustnado.general", "Cannot send error response after headers written"),
            expect_log("gustnado.application", "Uncaught exception") as seen,
        ):
            run(main())
        (record,) = [record for record in seen.records if record.exc_info]
        assert isinstance(record.exc_info[1], FileShrunkError)


def resident():
    """Bytes of memory that this process has."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
class TestAGibibyte:
    """Sent to a client that reads, and to one that does not, beside which others are answered."""

    @pytest.fixture
    def app(self, tmp_path):
        StaticFileHandler.reset()
        (tmp_path / "huge").touch()
        os.truncate(tmp_path / "huge", GIB)  # sparse: it takes no room on the disk

        class Hello(RequestHandler):
            def get(self):
                self.write("hello")

        return Application([("/hello", Hello)], static_path=str(tmp_path))

    def test_it_blocks_nobody_and_takes_no_memory(self, run, app):
        async def main():
            async with serving(app) as connect:
                slow, fast, other = connect(), connect(), connect()
                ask(slow, "/static/huge")
                ask(fast, "/static/huge")
                assert b"Content-Length: 1073741824" in await receive_head(fast)
                await receive_head(slow)
                before = most = resident()
                received = hellos = 0
                loop = asyncio.get_running_loop()
                buffer = bytearray(1 << 20)
                while received < GIB:
                    step = min(received + (64 << 20), GIB)
                    while received < step:
                        received += await loop.sock_recv_into(fast, buffer)
                        assert buffer[0] == 0
                    # In the midst of it, somebody else asks and is answered.
                    ask(other, "/hello")
                    while b"hello" not in await receive(other, 1000):
                        pass
                    hellos += 1
                    most = max(most, resident())
                assert hellos == 16
                assert most - before < 50 << 20
                assert len(await receive(slow, 1000)) == 1000  # it can still have the rest

        run(main())
