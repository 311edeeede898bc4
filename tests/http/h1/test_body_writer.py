"""BodyWriter: what requests and responses have in common; the rest is told where they are written."""

from __future__ import annotations

import pytest

from gustnado.errors import HTTPOutputError
from gustnado.http.h1.body_writer import BodyWriter
from gustnado.http.h1.request_writer import RequestWriter
from gustnado.http.h1.writer import ResponseWriter
from gustnado.http.headers import HTTPHeaders


def test_both_writers_are_of_it():
    assert issubclass(RequestWriter, BodyWriter)
    assert issubclass(ResponseWriter, BodyWriter)


def test_nothing_before_a_head():
    with pytest.raises(HTTPOutputError, match="between head and end"):
        BodyWriter().data(b"x")
    with pytest.raises(HTTPOutputError, match="after its head"):
        BodyWriter().end()


def test_nothing_after_the_end():
    writer = RequestWriter("2")
    writer.data(b"hi")
    writer.end()
    with pytest.raises(HTTPOutputError, match="has ended"):
        writer.end()
    with pytest.raises(HTTPOutputError, match="between head and end"):
        writer.data(b"x")


def test_a_piece_that_somebody_else_sends_is_framed_and_counted():
    writer = RequestWriter("300")
    assert writer.frame(298) == (b"", b"")
    with pytest.raises(HTTPOutputError, match="more data than Content-Length"):
        writer.frame(3)
    assert writer.data(b"hi") == b"hi"
    assert (writer.end(), writer.body_sent) == (b"", 300)
    assert RequestWriter(None).frame(300) == (b"12c\r\n", b"\r\n")


def test_trailers_follow_the_last_chunk():
    writer = RequestWriter(None)
    assert writer.end(HTTPHeaders({"X-Sum": "1"})) == b"0\r\nX-Sum: 1\r\n\r\n"
