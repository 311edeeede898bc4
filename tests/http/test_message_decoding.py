"""Requests with a Content-Encoding: decoded, bounded, or refused."""

from __future__ import annotations

import asyncio
import gzip
import random
import zlib

import pytest

from gustnado.errors import HTTPInputError
from gustnado.http.delegates import HTTPMessageDelegate
from gustnado.http.headers import HTTPHeaders
from gustnado.http.message_decoding import MAX_RATIO, DecodedMessage, DecodingServer
from gustnado.http.messages import ResponseStartLine


class Inner(HTTPMessageDelegate):
    """Collects; ``pending`` is what it wants to be awaited before more."""

    def __init__(self, pending=lambda: None) -> None:
        self.headers = HTTPHeaders()
        self.chunks: list[bytes] = []
        self.ended = False
        self.pending = pending

    def headers_received(self, start_line, headers):
        self.headers = headers

    def data_received(self, chunk):
        self.chunks.append(chunk)
        return self.pending()

    def finish(self):
        self.ended = True


def begin(inner: Inner, coding: str | None = "gzip", bound: int = -1, chunk_size: int = 65536) -> DecodedMessage:
    request = DecodedMessage(inner, lambda: bound, chunk_size)
    headers = HTTPHeaders({"Content-Length": "5"})
    if coding is not None:
        headers["Content-Encoding"] = coding
    request.head_received("POST", "/", "HTTP/1.1", headers)
    return request


def deliver(run, request: DecodedMessage, *chunks: bytes) -> None:
    async def main() -> None:
        for chunk in chunks:
            pending = request.data_received(chunk)
            if pending is not None:
                await pending
        request.finish()

    run(main())


@pytest.mark.parametrize(("coding", "encode"), [("gzip", gzip.compress), ("DEFLATE", zlib.compress)])
def test_the_program_gets_it_decoded(run, coding, encode) -> None:
    inner = Inner()
    data = encode(b"wind" * 10)
    deliver(run, begin(inner, coding), data[:7], data[7:])
    assert b"".join(inner.chunks) == b"wind" * 10
    assert inner.ended
    assert dict(inner.headers) == {"X-Consumed-Content-Encoding": coding}


@pytest.mark.parametrize("coding", [None, "identity", " Identity"])
def test_without_a_coding_it_passes_through(run, coding) -> None:
    inner = Inner()
    deliver(run, begin(inner, coding), b"wind", b"gust")
    assert inner.chunks == [b"wind", b"gust"]
    assert inner.headers["Content-Length"] == "5"


def test_a_response_in_another_coding_is_handed_over_as_it_is(run) -> None:
    inner = Inner()
    message = DecodedMessage(inner, lambda: -1, 100)
    message.headers_received(ResponseStartLine("HTTP/1.1", 200, "OK"), HTTPHeaders({"Content-Encoding": "compress"}))
    deliver(run, message, b"wind")
    assert inner.chunks == [b"wind"]
    assert dict(inner.headers) == {"Content-Encoding": "compress"}


def test_a_request_without_a_body_may_name_a_coding(run) -> None:
    inner = Inner()
    deliver(run, begin(inner))
    assert inner.ended


@pytest.mark.parametrize("coding", ["compress", "gzip, gzip", "gzip,deflate", "", "nonsense"])
def test_other_codings_are_415(coding) -> None:
    with pytest.raises(HTTPInputError, match="not decoded here") as caught:
        begin(Inner(), coding)
    assert caught.value.status == 415


def test_large_content_comes_in_pieces_at_the_pace_of_the_program(run) -> None:
    inner = Inner()
    data = random.Random(4).randbytes(1 << 20)

    async def main() -> None:
        gate: list[asyncio.Future[None]] = []

        def pending():
            gate.append(asyncio.get_running_loop().create_future())
            return gate[-1]

        inner.pending = pending
        request = begin(inner, chunk_size=65536)
        first = gzip.compress(data)
        delivering = asyncio.ensure_future(_all(request, first))
        seen = 0
        while not delivering.done():
            await asyncio.sleep(0)
            if len(inner.chunks) > seen:
                assert len(inner.chunks) == seen + 1
                seen += 1
                gate[-1].set_result(None)
        await delivering
        request.finish()

    async def _all(request, first) -> None:
        for start in range(0, len(first), 1000):
            pending = request.data_received(first[start : start + 1000])
            if pending is not None:
                await pending

    run(main())
    assert b"".join(inner.chunks) == data
    assert max(map(len, inner.chunks)) <= 65536


def test_others_get_their_turn_while_much_is_decoded(run) -> None:
    inner = Inner()

    async def main() -> None:
        request = begin(inner, chunk_size=100)
        pending = request.data_received(gzip.compress(bytes(50_000)))
        assert len(inner.chunks) == 16
        assert pending is not None
        await pending
        request.finish()

    run(main())
    assert sum(map(len, inner.chunks)) == 50_000


class TestBounds:
    def refuse(self, run, request: DecodedMessage, *chunks: bytes) -> HTTPInputError:
        with pytest.raises(HTTPInputError) as caught:
            deliver(run, request, *chunks)
        return caught.value

    def test_row_T29_64_the_bound_of_the_body_counts_decoded_bytes(self, run) -> None:
        data = gzip.compress(b"0123456789")
        deliver(run, begin(Inner(), bound=10), data)
        error = self.refuse(run, begin(Inner(), bound=9), data)
        assert (error.status, str(error)) == (413, "decompressed body too large: over 9 bytes")

    def test_row_65_a_bomb_is_refused_by_its_ratio(self, run) -> None:
        inner = Inner()
        error = self.refuse(run, begin(inner), gzip.compress(bytes(100_000_000)))
        assert error.status == 413
        assert f"over {MAX_RATIO} times" in str(error)
        assert sum(map(len, inner.chunks)) < 10_000_000

    def test_short_repetitive_bodies_are_no_bombs(self, run) -> None:
        inner = Inner()
        deliver(run, begin(inner), gzip.compress(bytes(60_000)))
        assert sum(map(len, inner.chunks)) == 60_000

    @pytest.mark.parametrize("data", [b"garbage!", gzip.compress(b"a")[:-1], gzip.compress(b"a") + b"x"])
    def test_what_is_malformed_is_a_400(self, run, data) -> None:
        assert self.refuse(run, begin(Inner()), data).status == 400

    def test_row_65_members_are_counted(self, run) -> None:
        assert self.refuse(run, begin(Inner()), gzip.compress(b"") * 1000).status == 400


def test_a_server_of_such_requests() -> None:
    class Server:
        closed = None

        def start_request(self, server_conn, request_conn):
            return Inner()

        def on_close(self, server_conn):
            self.closed = server_conn

    inner = Server()
    server = DecodingServer(inner, 10)  # type: ignore[arg-type]
    assert isinstance(server.start_request(1, None), DecodedMessage)  # type: ignore[arg-type]
    server.on_close(1)
    assert inner.closed == 1
