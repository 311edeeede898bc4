"""Requests as they are written: nothing that is set can break out of its place."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.errors import HTTPOutputError
from gustnado.http.h1.parser import RequestParser
from gustnado.http.h1.request_writer import RequestWriter, request_head
from gustnado.http.headers import HTTPHeaders
from gustnado.http.limits import Limits


def test_a_head():
    headers = HTTPHeaders({"X-A": "1"})
    headers.add("X-A", "2")
    head = request_head("POST", "/a?b", "example.org:81", headers, "Content-Length: 2\r\n")
    assert head == (
        b"POST /a?b HTTP/1.1\r\nHost: example.org:81\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 2\r\n\r\n"
    )


def test_a_host_that_is_set_wins():
    head = request_head("GET", "/", "example.org", HTTPHeaders({"host": "other.example"}), "")
    assert head == b"GET / HTTP/1.1\r\nHost: other.example\r\n\r\n"


@pytest.mark.parametrize("method", ["", "G T", "GET\r\n", "GÉT", "G\0", "a" * 65, "GET/"])
def test_methods_that_are_none(method):
    with pytest.raises(HTTPOutputError, match="method"):
        request_head(method, "/", "x", HTTPHeaders(), "")


@pytest.mark.parametrize("target", ["", "/a b", "/\r\nX: y", "/\n", "/\0", "/é", "/#top", "/\t", "/\x7f"])
def test_targets_that_are_none(target):
    with pytest.raises(HTTPOutputError, match="target"):
        request_head("GET", target, "x", HTTPHeaders(), "")


@pytest.mark.parametrize("host", ["", "a b", "a\r\nX: y", "é", "a\0"])
def test_hosts_that_are_none(host):
    with pytest.raises(HTTPOutputError, match="host"):
        request_head("GET", "/", host, HTTPHeaders(), "")


def test_a_body_of_a_known_length():
    writer = RequestWriter("5")
    assert writer.data(b"he") + writer.data(b"") + writer.data(b"llo") + writer.end() == b"hello"


@pytest.mark.parametrize("length", ["", "x", "-1", "1" * 19, "٣"])
def test_lengths_that_are_none(length):
    with pytest.raises(HTTPOutputError, match="malformed Content-Length"):
        RequestWriter(length)


def test_more_than_its_length():
    writer = RequestWriter("2")
    with pytest.raises(HTTPOutputError, match="more data than Content-Length"):
        writer.data(b"abc")


def test_less_than_its_length():
    writer = RequestWriter("2")
    writer.data(b"a")
    with pytest.raises(HTTPOutputError, match="1 bytes less"):
        writer.end()


@given(st.lists(st.binary(max_size=40), max_size=6), st.booleans())
def test_what_is_written_is_read(pieces, is_chunked):
    """By h11, and by our own parser."""
    body = b"".join(pieces)
    length = None if is_chunked else str(len(body))
    framing = "Transfer-Encoding: chunked\r\n" if is_chunked else f"Content-Length: {length}\r\n"
    writer = RequestWriter(length)
    data = request_head("POST", "/p", "h", HTTPHeaders({"X-Y": "z"}), framing)
    data += b"".join(map(writer.data, pieces)) + writer.end()
    server = h11.Connection(h11.SERVER)
    server.receive_data(data)
    request = server.next_event()
    assert isinstance(request, h11.Request)
    found = b""
    while isinstance(event := server.next_event(), h11.Data):
        found += bytes(event.data)
    assert (isinstance(event, h11.EndOfMessage), found) == (True, body)
    parser = RequestParser(Limits())
    parser.feed(data)
    assert parser.parse_head()
    again = b""
    while not parser.complete:
        again += parser.read_body(65536)
    assert again == body
