"""Reading responses from a stream: in pieces, at the pace of the delegate, and what goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gustnado.events.stream import IOStream
from gustnado.http.delegates import HTTPMessageDelegate
from gustnado.http.h1.parameters import HTTP1ConnectionParameters
from gustnado.http.h1.response_reader import ResponseReader

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwind"


class Delegate(HTTPMessageDelegate):
    """Writes down what it is called with; ``on_head`` and ``on_data`` are called, too."""

    def __init__(self, on_head=lambda: None, on_data=lambda: None, on_finish=lambda: None) -> None:
        self.log: list[Any] = []
        self.on_head, self.on_data, self.on_finish = on_head, on_data, on_finish

    @property
    def body(self) -> bytes:
        return b"".join([item for item in self.log if isinstance(item, bytes)])

    def headers_received(self, start_line, headers):
        self.log.append(start_line.code)
        return self.on_head()

    def data_received(self, chunk):
        self.log.append(chunk)
        return self.on_data()

    def trailers_received(self, trailers):
        self.log.append(dict(trailers))

    def finish(self):
        self.log.append("finish")
        self.on_finish()

    def on_connection_close(self):
        self.log.append("closed")


@contextlib.asynccontextmanager
async def connected(**params: Any) -> AsyncIterator[tuple[ResponseReader, IOStream, socket.socket]]:
    ours, theirs = socket.socketpair()
    stream = IOStream(ours)
    with contextlib.closing(theirs):
        yield ResponseReader(stream, HTTP1ConnectionParameters(**params), "peer"), stream, theirs
        stream.close()


async def read(data: bytes, delegate: Delegate, method: str = "GET", close: bool = False, **params: Any) -> bool:
    async with connected(**params) as (reader, _, theirs):
        theirs.sendall(data)
        if close:
            theirs.close()
        return await reader.read(method, delegate)


class TestResponses:
    @pytest.mark.parametrize(
        ("data", "log", "keep"),
        [
            (OK, [200, b"wind", "finish"], True),
            (OK.replace(b"1.1", b"1.0"), [200, b"wind", "finish"], False),
            (b"HTTP/1.1 204 No Content\r\n\r\n", [204, "finish"], True),
            (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK, [103, 200, b"wind", "finish"], True),
            (b"HTTP/1.1 101 Switching\r\n\r\n", [101, "finish"], True),
            (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", [200, "finish"], False),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwind\r\n0\r\nA: b\r\n\r\n",
                [200, b"wind", {"A": "b"}, "finish"],
                True,
            ),
        ],
    )
    def test_one(self, run, data: bytes, log: list, keep: bool) -> None:
        delegate = Delegate()
        assert run(read(data, delegate)) is keep
        assert delegate.log == log

    def test_one_that_ends_with_the_connection(self, run) -> None:
        delegate = Delegate()
        assert not run(read(b"HTTP/1.0 200 OK\r\n\r\nhello", delegate, close=True))
        assert (delegate.body, delegate.log[-1]) == (b"hello", "finish")

    def test_one_to_head_has_no_body(self, run) -> None:
        delegate = Delegate()
        assert run(read(OK.partition(b"wind")[0], delegate, "HEAD"))
        assert delegate.log == [200, "finish"]

    def test_byte_by_byte(self, run) -> None:
        async def main() -> None:
            async with connected() as (reader, _, theirs):
                delegate = Delegate()
                reading = asyncio.ensure_future(reader.read("GET", delegate))
                for byte in OK:
                    theirs.send(bytes([byte]))
                    for _ in range(5):
                        await asyncio.sleep(0)
                assert await reading
                assert delegate.body == b"wind"

        run(main())

    def test_one_after_the_other(self, run) -> None:
        async def main() -> None:
            async with connected() as (reader, stream, theirs):
                theirs.sendall(OK + OK + b"rest")
                first, second = Delegate(), Delegate()
                assert await reader.read("GET", first)
                assert await reader.read("GET", second)
                assert first.log == second.log == [200, b"wind", "finish"]
                assert await stream.read_bytes(4) == b"rest"

        run(main())

    def test_the_delegate_sets_the_pace(self, run) -> None:
        async def main() -> None:
            async with connected(chunk_size=2) as (reader, _, theirs):
                gates: list[asyncio.Future[None]] = []

                def gate():
                    gates.append(asyncio.get_running_loop().create_future())
                    return gates[-1]

                delegate = Delegate(on_head=gate, on_data=gate)
                theirs.sendall(OK)
                reading = asyncio.ensure_future(reader.read("GET", delegate))
                for expected in ([200], [200, b"wi"], [200, b"wi", b"nd"]):
                    while len(gates) < len(expected):
                        await asyncio.sleep(0)
                    assert delegate.log == expected
                    gates[-1].set_result(None)
                assert await reading

        run(main())

    def test_much_waits_in_the_kernel_and_not_in_memory(self, run) -> None:
        size = 4 << 20

        async def main() -> None:
            async with connected(max_body_size=-1) as (reader, _, theirs):
                theirs.setblocking(False)
                loop = asyncio.get_running_loop()
                gate = loop.create_future()
                delegate = Delegate(on_head=lambda: gate)
                sending = asyncio.ensure_future(
                    loop.sock_sendall(theirs, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size))
                )
                reading = asyncio.ensure_future(reader.read("GET", delegate))
                while not reader._paused:
                    await asyncio.sleep(0)
                assert reader._parser.pending() < 1 << 20
                assert not sending.done()
                gate.set_result(None)
                assert await reading
                await sending
                assert len(delegate.body) == size

        run(main())

    def test_many_tiny_chunks_leave_others_their_turn(self, run) -> None:
        async def main() -> None:
            turns = 0

            def turn() -> None:
                nonlocal turns
                turns += 1
                if delegate.log[-1:] != ["finish"]:
                    asyncio.get_running_loop().call_soon(turn)

            delegate = Delegate(on_head=lambda: turn())
            data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 5000 + b"0\r\n\r\n"
            assert await read(data, delegate)
            assert delegate.body == b"x" * 5000
            assert len(delegate.log) < 30
            assert turns > 5

        run(main())

    def test_codings_are_decoded_where_that_is_asked_for(self, run) -> None:
        data = gzip.compress(b"wind" * 100)
        response = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(data) + data
        plain, decoded = Delegate(), Delegate()
        run(read(response, plain))
        run(read(response, decoded, decompress=True))
        assert (plain.body, decoded.body) == (data, b"wind" * 100)


class TestTrouble:
    @pytest.mark.parametrize(
        ("data", "log"),
        [
            (b"nonsense\r\n\r\n", ["closed"]),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nfooXX0\r\n\r\n", [200, "closed"]),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n", [200, "closed"]),
        ],
    )
    def test_what_is_malformed_or_too_long_is_logged(self, run, expect_log, data: bytes, log: list) -> None:
        delegate = Delegate()
        with expect_log("gustnado.general", "^Malformed HTTP message from peer: ", level=20):
            assert not run(read(data, delegate, max_body_size=10))
        assert [item for item in delegate.log if not isinstance(item, bytes)] == log

    @pytest.mark.parametrize("data", [b"", b"HTTP/1.1 2", OK[:-1]])
    def test_a_peer_that_goes(self, run, data: bytes) -> None:
        delegate = Delegate()
        assert not run(read(data, delegate, close=True))
        assert delegate.log[-1] == "closed"
        assert "finish" not in delegate.log

    @pytest.mark.parametrize("method", ["on_head", "on_data", "on_finish"])
    def test_an_exception_in_the_delegate(self, run, expect_log, method: str) -> None:
        def fail() -> None:
            raise ValueError("oops")

        delegate = Delegate(**{method: fail})
        with expect_log("gustnado.application", "Uncaught exception"):
            assert not run(read(OK, delegate))
        assert delegate.log[-1] == "closed"

    @pytest.mark.parametrize(
        ("params", "data"), [({"header_timeout": 0.05}, b"HTTP/1.1 2"), ({"body_timeout": 0.05}, OK[:-1])]
    )
    def test_deadlines_count_where_they_are_given(self, run, expect_log, params: dict, data: bytes) -> None:
        delegate = Delegate()
        with expect_log("gustnado.general", "Timeout reading body from peer", level=20):
            assert not run(read(data, delegate, **params))
        assert delegate.log[-1] == "closed"

    def test_a_close_callback_may_fail(self, run, expect_log) -> None:
        async def main() -> None:
            async with connected() as (reader, _, theirs):
                reader.close_callback = lambda: 1 / 0
                theirs.close()
                assert not await reader.read("GET", Delegate())

        with expect_log("gustnado.application", "Uncaught exception in a close callback"):
            run(main())


def test_the_stream_can_be_taken_while_a_head_is_delivered(run) -> None:
    async def main() -> None:
        async with connected() as (reader, stream, theirs):
            theirs.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x00gust")
            delegate = Delegate(on_head=reader.detach)
            assert not await reader.read("GET", delegate)
            assert delegate.log == [101]
            assert await stream.read_bytes(5) == b"\x00gust"

    run(main())
