"""Echoes whatever comes, in messages of a fixed size, in one of several manners.

Usage: ``echo_server.py PORT MANNER SIZE``, where the manner is one of:

- ``protocol``: a bare ``asyncio.Protocol``;
- ``consumer``: the same program as a consumer attached to Gustnado's ``IOStream``;
- ``gustnado``, ``tornado``, ``asyncio``: a handler which awaits the reading of a message and its writing in a
  loop, over the streams of each.

All run on uvloop. The buffers of all streams hold a message.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop

ADDRESS = "127.0.0.1"


class Echo(asyncio.Protocol):
    """Writes what it is given, at once."""

    transport: Any

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


class EchoConsumer:
    """:class:`Echo`, attached to a stream."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def data_received(self, data: bytes) -> None:
        self.stream.transport.write(data)

    def eof_received(self) -> None:
        pass

    def connection_lost(self, error: BaseException | None) -> None:
        pass

    def pause_writing(self) -> None:
        pass

    def resume_writing(self) -> None:
        pass


async def serve_protocol(port: int, size: int) -> None:
    """A protocol needs no size: it takes what comes."""
    await asyncio.get_running_loop().create_server(Echo, ADDRESS, port)


async def serve_asyncio(port: int, size: int) -> None:
    """asyncio's streams."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(await reader.readexactly(size))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    await asyncio.start_server(echo, ADDRESS, port, limit=2 * size + 65536)


async def serve_consumer(port: int, size: int) -> None:
    """Gustnado's streams, pushing."""
    from gustnado.events import TCPServer

    class Server(TCPServer):
        def handle_stream(self, stream: Any, address: Any) -> None:
            stream.attach_consumer(EchoConsumer(stream))

    Server().listen(port, ADDRESS)


async def serve_gustnado(port: int, size: int) -> None:
    """Gustnado's streams, asked."""
    from gustnado.events import StreamClosedError, TCPServer

    class Server(TCPServer):
        async def handle_stream(self, stream: Any, address: Any) -> None:
            try:
                while True:
                    await stream.write(await stream.read_bytes(size))
            except StreamClosedError:
                return

    Server().listen(port, ADDRESS)


async def serve_tornado(port: int, size: int) -> None:
    """Tornado's streams."""
    from tornado.iostream import StreamClosedError
    from tornado.tcpserver import TCPServer

    class Server(TCPServer):
        async def handle_stream(self, stream: Any, address: Any) -> None:
            try:
                while True:
                    await stream.write(await stream.read_bytes(size))
            except StreamClosedError:
                return

    Server().listen(port, ADDRESS)


MANNERS: dict[str, Callable[[int, int], Coroutine[Any, Any, None]]] = {
    "protocol": serve_protocol,
    "consumer": serve_consumer,
    "gustnado": serve_gustnado,
    "tornado": serve_tornado,
    "asyncio": serve_asyncio,
}


async def main(port: int, manner: str, size: int) -> None:
    """Serves on ``port`` until killed."""
    await MANNERS[manner](port, size)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
