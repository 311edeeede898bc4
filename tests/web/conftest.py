"""What the tests of this ring share: requests to an application without a socket."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from gustnado.http.delegates import HTTPConnection
from gustnado.http.headers import HTTPHeaders
from gustnado.http.messages import RequestStartLine
from gustnado.web import Application

DEADLINE = 100.0  # seconds


@dataclasses.dataclass
class Response:
    """What a client would have got."""

    code: int
    reason: str
    headers: HTTPHeaders
    body: bytes
    chunks: list[bytes]

    @property
    def text(self) -> str:
        return self.body.decode()


class Context:
    """What a server knows of the peer."""

    remote_ip = "127.0.0.1"

    def __init__(self, protocol: str) -> None:
        self.protocol = protocol


class MemoryConnection(HTTPConnection):
    """Keeps the response that is written to it; ``ended`` is done when it is complete, or was cut short."""

    def __init__(self, protocol: str) -> None:
        self.context = Context(protocol)
        self.stream = SimpleNamespace(closed=lambda: False)
        self.head: Any = None
        self.chunks: list[bytes] = []
        self.ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def write_headers(self, start_line, headers, chunk=None):
        self.head = (start_line, headers.copy())
        return self.write(chunk or b"")

    def write(self, chunk):
        if chunk:
            self.chunks.append(chunk)
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    def finish(self):
        self.ended.set_result(True)

    def close(self):
        self.ended.set_result(False)


async def request(
    app: Application,
    path: str,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    protocol: str = "http",
    connection: MemoryConnection | None = None,
) -> Response:
    """Send a request to ``app`` and await its response."""
    connection = connection or MemoryConnection(protocol)
    all_headers = HTTPHeaders({"Host": "example.org", **(headers or {})})
    if body:
        all_headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    start_line = RequestStartLine(method, path, "HTTP/1.1")
    delegate = app.start_request(object(), connection)
    pending = delegate.headers_received(start_line, all_headers)
    if pending is not None:
        await pending
    if body:
        pending = delegate.data_received(body)
        if pending is not None:
            await pending
    delegate.finish()
    if not await asyncio.wait_for(connection.ended, DEADLINE):
        raise ConnectionAbortedError("the response was cut short")
    sent, sent_headers = connection.head
    content = b"".join(connection.chunks)
    if "Content-Length" in sent_headers and method != "HEAD":
        assert int(sent_headers["Content-Length"]) == len(content)
    return Response(sent.code, sent.reason, sent_headers, content, connection.chunks)


@pytest.fixture
def memory() -> SimpleNamespace:
    """``memory.Connection`` to subclass, and ``await memory.request(app, path, connection=...)``."""
    return SimpleNamespace(Connection=MemoryConnection, request=request)


@pytest.fixture
def fetch() -> Callable[..., Response]:
    """``fetch(app, path, method="GET", headers=None, body=b"", protocol="http")`` gives the response."""
    return lambda app, path, **options: asyncio.run(request(app, path, **options))


@pytest.fixture
def fetch_all() -> Callable[..., list[Response]]:
    """``fetch_all(app, [(path, options), ...])`` gives the responses to requests one after the other."""

    async def in_turn(app: Application, requests: list[tuple[str, dict[str, Any]]]) -> list[Response]:
        return [await request(app, path, **options) for path, options in requests]

    return lambda app, requests: asyncio.run(in_turn(app, requests))
