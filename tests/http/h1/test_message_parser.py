"""MessageParser: the buffer that requests and responses share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.errors import HTTPInputError
from gustnado.http.h1.message_parser import MessageParser
from gustnado.http.h1.parser import RequestParser
from gustnado.http.h1.response_parser import ResponseParser
from gustnado.http.limits import Limits


def test_both_parsers_are_of_it():
    assert issubclass(RequestParser, MessageParser)
    assert issubclass(ResponseParser, MessageParser)


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=10))
def test_what_is_fed_can_be_taken_back(pieces):
    parser = MessageParser(Limits())
    for piece in pieces:
        parser.feed(piece)
    assert parser.pending() == sum(map(len, pieces))
    assert parser.take_rest() == b"".join(pieces)
    assert parser.pending() == 0
    parser.feed(b"more")
    assert parser.take_rest() == b"more"


def test_without_a_head_there_is_no_body():
    parser = MessageParser(Limits())
    parser.feed(b"body")
    assert parser.read_body(10) == b""
    assert parser.complete
    assert parser.pending() == 4


@pytest.mark.parametrize("kind", [RequestParser, ResponseParser])
def test_limits_of_fields_are_those_of_both(kind):
    """Told with one byte less and one more than may be."""
    start = b"GET / HTTP/1.1\r\nHost: x\r\n" if kind is RequestParser else b"HTTP/1.1 200 OK\r\nHost: x\r\n"
    for size, fits in ((100, True), (101, False)):
        parser = kind(Limits(max_field_size=100, max_header_size=1000))
        parser.feed(start + b"X: " + b"a" * (size - 3) + b"\r\n\r\n")
        if fits:
            assert parser.parse_head()
        else:
            with pytest.raises(HTTPInputError, match="header field of 101 bytes") as caught:
                parser.parse_head()
            assert caught.value.status == 431


def test_a_changed_limit_of_the_body_counts_for_one_message():
    parser = ResponseParser(Limits(max_body_size=10))
    parser.begin("GET")
    parser.max_body_size = 100
    parser.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    assert parser.parse_head()
    assert parser.read_body(10) == b"hi"
    parser.begin("GET")
    assert parser.max_body_size == 10
