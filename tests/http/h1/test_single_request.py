"""One request of a connection; then the stream is its owner's again."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gustnado.errors import UsageError
from gustnado.events.stream import IOStream
from gustnado.http.delegates import HTTPMessageDelegate
from gustnado.http.h1.parameters import HTTP1ConnectionParameters
from gustnado.http.h1.single_request import SingleRequest
from gustnado.http.headers import HTTPHeaders
from gustnado.http.messages import ResponseStartLine

GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"


class Delegate(HTTPMessageDelegate):
    def __init__(self) -> None:
        self.log: list = []
        self.finished = asyncio.Event()

    def headers_received(self, start_line, headers):
        self.log.append(start_line.path)

    def data_received(self, chunk):
        self.log.append(chunk)

    def finish(self):
        self.finished.set()

    def on_connection_close(self):
        self.log.append("closed")


def answer(single: SingleRequest, **headers: str) -> None:
    single.request.write_headers(ResponseStartLine("", 204, "No Content"), HTTPHeaders(headers))
    single.request.finish()


@contextlib.asynccontextmanager
async def connected() -> AsyncIterator[tuple[IOStream, socket.socket]]:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    stream = IOStream(ours)
    with contextlib.closing(theirs):
        yield stream, theirs
        stream.close()


def begin(stream: IOStream, **parameters: Any) -> tuple[SingleRequest, Delegate]:
    delegate = Delegate()
    return SingleRequest(stream, HTTP1ConnectionParameters(**parameters), "peer", delegate), delegate


def test_the_next_is_left_on_the_stream(run) -> None:
    async def main() -> None:
        async with connected() as (stream, theirs):
            theirs.send(GET + POST + b"wind" + b"rest")
            for expected in (["/a"], ["/b", b"wind"]):
                single, delegate = begin(stream)
                await delegate.finished.wait()
                assert delegate.log == expected
                answer(single)
                assert await single.done
            assert await stream.read_bytes(4) == b"rest"
            received = await asyncio.get_running_loop().sock_recv(theirs, 10_000)
            assert received.count(b"HTTP/1.1 204 No Content\r\n") == 2

    run(main())


@pytest.mark.parametrize("data", [GET.replace(b"Host", b"Connection: close\r\nHost"), GET.replace(b"1.1", b"1.0")])
def test_it_cannot_be_used_on_where_the_connection_closes(run, data: bytes) -> None:
    async def main() -> None:
        async with connected() as (stream, theirs):
            theirs.send(data)
            single, delegate = begin(stream)
            await delegate.finished.wait()
            answer(single)
            assert not await single.done

    run(main())


def test_a_client_that_goes(run) -> None:
    async def main() -> None:
        async with connected() as (stream, theirs):
            single, delegate = begin(stream, body_timeout=0.05)  # also of who reads on, but gets no answer
            with pytest.raises(UsageError, match="no request has arrived"):
                _ = single.request
            closed: list[int] = []
            single.set_close_callback(lambda: closed.append(1))
            theirs.send(GET)
            await delegate.finished.wait()
            theirs.close()
            assert not await single.done
            assert (delegate.log, closed) == (["/a", "closed"], [1])

    run(main())


def test_what_is_malformed(run, expect_log) -> None:
    async def main() -> None:
        async with connected() as (stream, theirs):
            with expect_log("gustnado.general", "Malformed HTTP message from peer", level=20):
                single, _ = begin(stream)
                theirs.send(b"nonsense\r\n\r\n")
                assert (await asyncio.get_running_loop().sock_recv(theirs, 100)).startswith(b"HTTP/1.1 400 ")
                theirs.close()
                assert not await single.done

    run(main())
