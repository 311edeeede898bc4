"""What the tests of the client share: a server that does what it is told, and clients that are closed.

``serve(*answers)`` is an asynchronous context manager, which gives a :class:`Server`. Each request gets the next
answer, those after the last one the last again. An answer is

- bytes, which are sent as they are;
- ``CLOSE`` or ``RESET``: the connection ends in that way;
- a list of such, done one after the other; a number in it sleeps so many seconds;
- a coroutine function, called with the server, the reader and the writer.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from gustnado.http.client.simple import SimpleAsyncHTTPClient
from gustnado.testing.certificate import certificate_files

CLOSE, RESET = "close", "reset"


class Server:
    """See the module.

    :ivar requests: all that were received, head and body in one.
    :ivar connections: how many were made; ``open`` is how many there are.
    """

    def __init__(self, answers: tuple[Any, ...]) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []
        self.connections = 0
        self.open = 0
        self.writers: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.scheme = "http"
        self.changed = asyncio.Condition()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/"

    def heads(self) -> list[str]:
        """The request lines."""
        return [request.split(b"\r\n")[0].decode() for request in self.requests]

    def header(self, index: int, name: str) -> str | None:
        """A header field of a request."""
        match = re.search(rf"^{name}: (.*?)\r\n", self.requests[index].decode("latin-1"), re.M | re.I)
        return None if match is None else match[1]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that is true after a connection or a request."""
        async with self.changed:
            await self.changed.wait_for(condition)

    async def notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self.writers.add(writer)
        try:
            while (request := await read_request(reader)) is not None:
                self.requests.append(request)
                await self.notify()
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if not await self.answer(answer, reader, writer):
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has gone, which is what some tests are about
        finally:
            self.open -= 1
            self.writers.discard(writer)
            writer.close()
            await self.notify()

    async def answer(self, answer: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Do as told; whether the connection lives on."""
        for step in answer if isinstance(answer, list) else [answer]:
            if step == CLOSE:
                return False
            if step == RESET:
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.transport.abort()
                return False
            if isinstance(step, bytes):
                writer.write(step)
                await writer.drain()
            elif isinstance(step, (int, float)):
                await asyncio.sleep(step)
            else:
                await step(self, reader, writer)
        return True


async def read_request(reader: asyncio.StreamReader) -> bytes | None:
    """One request; ``None`` where there is no further one."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    if b"Expect: 100-continue" in head:
        return head
    return head + await read_body(head, reader)


async def read_body(head: bytes, reader: asyncio.StreamReader) -> bytes:
    """The body that follows a head."""
    length = re.search(rb"^Content-Length: ([0-9]+)", head, re.M | re.I)
    if length is not None:
        return await reader.readexactly(int(length[1]))
    body = b""
    if b"Transfer-Encoding: chunked" in head:
        while not body.endswith(b"0\r\n\r\n"):
            body += await reader.readuntil(b"\r\n")
    return body


def ok(body: bytes = b"hello", *fields: bytes, status: bytes = b"200 OK") -> bytes:
    """A response with a length."""
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *fields, b"", body]
    return b"\r\n".join(lines)


@pytest.fixture
def answers() -> Any:
    """What answers are made of: ``ok``, ``CLOSE``, ``RESET``, ``read_body``."""

    class Answers:
        pass

    found = Answers()
    found.__dict__.update(ok=ok, CLOSE=CLOSE, RESET=RESET, read_body=read_body)
    return found


def server_context() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate_files())
    return context


@pytest.fixture
def serve() -> Any:
    """See the module; ``tls=True`` for https, ``path`` for a unix socket."""

    @contextlib.asynccontextmanager
    async def start(*answers: Any, tls: bool = False, path: str | None = None) -> AsyncIterator[Server]:
        server = Server(answers)
        context = server_context() if tls else None
        if tls:  # in debug mode asyncio's servers report each handshake that fails, as some are to do here
            asyncio.get_running_loop().set_debug(False)
        if path is None:
            listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
            server.port = listening.sockets[0].getsockname()[1]
        else:
            listening = await asyncio.start_unix_server(server.serve, path, ssl=context)
        server.scheme = "https" if tls else "http"
        try:
            yield server
        finally:
            listening.close()
            for writer in list(server.writers):
                writer.transport.abort()  # to close TLS in order would take its peer
            await asyncio.wait_for(server.until(lambda: not server.open), 60)

    return start


@pytest.fixture
def new_client() -> Any:
    """``async with new_client(**arguments) as client``: a client of its own, which is closed at the end."""

    @contextlib.asynccontextmanager
    async def make(**arguments: Any) -> AsyncIterator[SimpleAsyncHTTPClient]:
        client = SimpleAsyncHTTPClient(force_instance=True, **arguments)
        try:
            yield client
        finally:
            client.close()

    return make


@pytest.fixture
def ca_file() -> str:
    """The certificate of the https servers, to be trusted."""
    return certificate_files()[0]
