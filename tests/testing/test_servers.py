"""The end of a server of a test."""

from __future__ import annotations

import asyncio

import pytest

from gustnado.errors import StreamClosedError
from gustnado.events.stream import IOStream
from gustnado.events.tcp_client import TCPClient
from gustnado.http.server import HTTPServer
from gustnado.testing.ports import bind_unused_port
from gustnado.testing.servers import close_server
from gustnado.web import Application, RequestHandler


async def ask(server, path):
    """A stream on which the request of a path has been sent to a new socket of the server."""
    sock, port = bind_unused_port()
    server.add_socket(sock)
    stream: IOStream = await TCPClient().connect("127.0.0.1", port)
    await stream.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return stream, port


def test_requests_that_never_end_are_cut_off(run):
    gone = []

    async def test():
        begun = asyncio.Event()

        class Forever(RequestHandler):
            async def get(self):
                begun.set()
                await asyncio.Event().wait()

            def on_connection_close(self):
                gone.append(self.request.path)

        server = HTTPServer(Application([("/forever", Forever)]))
        stream, port = await ask(server, "/forever")
        await begun.wait()
        await close_server(server)
        assert await stream.read_until_close() == b""
        with pytest.raises(StreamClosedError):
            await TCPClient().connect("127.0.0.1", port)

    run(test())
    assert gone == ["/forever"]


def test_idle_connections_are_closed(run):
    async def test():
        server = HTTPServer(Application())
        stream, _ = await ask(server, "/nothing")
        head = await stream.read_until(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 404")
        await close_server(server)
        await stream.read_until_close()

    run(test())
