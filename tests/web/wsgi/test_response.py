from __future__ import annotations

import asyncio
import types

import pytest

from gustnado.http.headers import HTTPHeaders
from gustnado.web.wsgi.response import ResponseWriter, WSGIError

OK = ("200 OK", [("Content-Type", "text/plain")])


class Connection:
    """Keeps what is written to it."""

    def __init__(self):
        self.head, self.chunks, self.end = None, [], None

    def write_headers(self, start_line, headers, chunk=None):
        self.head = (start_line.code, start_line.reason, dict(headers.get_all()))
        return self.write(chunk)

    def write(self, chunk):
        self.chunks.append(chunk)
        future = asyncio.get_running_loop().create_future()
        future.set_result(None)
        return future

    def finish(self):
        self.end = "finished"

    def close(self):
        self.end = "closed"


def respond(scenario, method="GET", threaded=False):
    """The connection after ``await scenario(writer)``."""
    connection = Connection()

    async def main():
        request = types.SimpleNamespace(connection=connection, method=method, headers=HTTPHeaders())
        await scenario(ResponseWriter(request, asyncio.get_running_loop(), threaded))

    asyncio.run(main())
    return connection


def test_a_whole_body_has_its_length():
    async def scenario(writer):
        writer.start_response(*OK)
        await writer.write_whole([b"a", b"", b"bc"])
        assert writer.status == 200

    sent = respond(scenario)
    assert sent.head == (200, "OK", {"Content-Type": "text/plain", "Content-Length": "3", "Server": "Gustnado"})
    assert (b"".join(sent.chunks), sent.end) == (b"abc", "finished")


def test_the_head_waits_for_the_first_piece_that_is_not_empty():
    async def scenario(writer):
        writer.start_response(*OK)
        await writer.write_piece(b"")
        writer.start_response("201 Created", [], (ValueError, ValueError("x"), None))
        await writer.write_piece(b"a")
        await writer.write_piece(b"b")
        await writer.finish()

    sent = respond(scenario)
    assert sent.head[0] == 201
    assert "Content-Length" not in sent.head[2]
    assert sent.chunks == [b"a", b"b"]


def test_no_body_at_all():
    async def scenario(writer):
        writer.start_response(*OK)
        await writer.finish()

    assert respond(scenario).head[2]["Content-Length"] == "0"


@pytest.mark.parametrize(
    ("method", "status"), [("HEAD", "200 OK"), ("GET", "204 No Content"), ("GET", "304 Not Modified")]
)
def test_a_body_that_must_not_be_is_dropped(method, status):
    async def scenario(writer):
        writer.start_response(status, [])
        await writer.write_piece(b"a")
        await writer.write_piece(b"b")
        await writer.finish()

    sent = respond(scenario, method)
    assert b"".join(sent.chunks) == b""
    assert sent.end == "finished"


def test_a_head_request_that_is_answered_without_a_body_says_nothing_of_its_length():
    async def scenario(writer):
        writer.start_response(*OK)
        await writer.write_whole([])

    assert "Content-Length" not in respond(scenario, "HEAD").head[2]


def test_a_body_of_another_length_than_announced():
    async def scenario(writer):
        writer.start_response("200 OK", [("Content-Length", "5")])
        with pytest.raises(WSGIError, match="announced 5 bytes, and its body has 2"):
            await writer.write_whole([b"ab"])
        writer.fail()

    assert respond(scenario).head[0] == 500


def test_the_old_way_of_writing():
    async def scenario(writer):
        write = writer.start_response(*OK)
        write(b"a")
        write(b"b")
        await writer.write_whole([b"c"])

    assert b"".join(respond(scenario).chunks) == b"abc"


def test_the_old_way_of_writing_from_a_thread():
    async def scenario(writer):
        write = writer.start_response(*OK)
        await asyncio.to_thread(write, b"a")
        await writer.finish()

    assert respond(scenario, threaded=True).chunks == [b"a"]


def test_after_the_head_an_exception_is_raised_again():
    async def scenario(writer):
        writer.start_response(*OK)
        await writer.write_piece(b"a")
        error = ValueError("late")
        with pytest.raises(ValueError, match="late"):
            writer.start_response("500 Oh", [], (ValueError, error, None))
        writer.fail()

    assert respond(scenario).end == "closed"


def test_a_second_call_needs_an_exception():
    async def scenario(writer):
        writer.start_response(*OK)
        with pytest.raises(WSGIError, match="second time"):
            writer.start_response(*OK)

    respond(scenario)


def test_no_call_at_all():
    async def scenario(writer):
        for call in (writer.finish(), writer.write_piece(b"a"), writer.write_whole([])):
            with pytest.raises(WSGIError, match="has not called start_response"):
                await call
        writer.fail()

    sent = respond(scenario)
    assert sent.head[0] == 500
    assert sent.chunks == [b"Internal Server Error\n"]


@pytest.mark.parametrize("status", ["OK", "20 OK", "2000 OK", "", b"200 OK", 200, None, "200OK"])
def test_a_status_that_is_none(status):
    async def scenario(writer):
        writer.start_response(status, [])
        with pytest.raises(WSGIError, match="status"):
            await writer.finish()

    respond(scenario)


@pytest.mark.parametrize(
    "field",
    [("Connection", "close"), ("transfer-encoding", "chunked"), ("A", b"b"), (b"A", "b"), ("A", None), ("Te", "x")],
)
def test_fields_that_may_not_be(field):
    async def scenario(writer):
        writer.start_response("200 OK", [field])
        with pytest.raises(WSGIError, match="header field"):
            await writer.finish()
        writer.fail()

    assert respond(scenario).head[0] == 500


def test_a_field_that_would_split_the_head():
    async def scenario(writer):
        writer.start_response("200 OK", [("A", "b\r\nC: d")])
        with pytest.raises(ValueError, match="A"):
            await writer.finish()

    respond(scenario)


@pytest.mark.parametrize("piece", ["text", None, bytearray(b"x"), 5])
def test_a_body_is_of_bytes(piece):
    async def scenario(writer):
        writer.start_response(*OK)
        with pytest.raises(WSGIError, match="of bytes"):
            await writer.write_piece(piece)
        with pytest.raises(WSGIError, match="of bytes"):
            await writer.write_whole([piece])

    respond(scenario)
