"""ResponseParser: what is a response, what is refused, and that pieces make no difference."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.errors import HTTPInputError
from gustnado.http.h1.response_parser import ResponseParser
from gustnado.http.headers import HTTPHeaders
from gustnado.http.limits import Limits

LIMITS = Limits()
OK = b"HTTP/1.1 200 OK\r\n"


class Answer(NamedTuple):
    """A parsed response."""

    code: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    complete: bool
    keep_alive: bool
    rest: bytes


def parse(pieces: list[bytes], method: str = "GET", limits: Limits = LIMITS, ends: bool = False) -> Answer | int | None:
    """Feed ``pieces`` one after the other: the response, the status of the refusal, or ``None`` without a head."""
    parser = ResponseParser(limits)
    parser.begin(method)
    body = b""
    has_head = False
    try:
        for piece in pieces:
            parser.feed(piece)
            while not has_head and parser.parse_head():
                has_head = parser.code >= 200
                if has_head:
                    parser.check_body_size()
            while has_head and not parser.complete:
                chunk = parser.read_body(65536)
                body += chunk
                if not chunk and not parser.stalled:
                    break
        if not has_head:
            return None
        complete = parser.end_of_input() if ends else parser.complete
    except HTTPInputError as error:
        return error.status
    headers = tuple((parser.headers or HTTPHeaders()).get_all())
    return Answer(parser.code, parser.reason, headers, body, complete, parser.keep_alive, parser.take_rest())


def parsed(data: bytes, **options) -> Answer:
    found = parse([data], **options)
    assert isinstance(found, Answer), found
    return found


def test_a_length():
    found = parsed(OK + b"Content-Length: 2\r\nX-A: b\r\n\r\nhi")
    assert found == Answer(200, "OK", (("Content-Length", "2"), ("X-A", "b")), b"hi", True, True, b"")


def test_chunks():
    found = parsed(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-T: 1\r\n\r\n")
    assert (found.body, found.complete) == (b"hi", True)


def test_until_close():
    assert not parsed(OK + b"\r\nhi").complete
    found = parsed(OK + b"\r\nhi", ends=True)
    assert (found.body, found.complete, found.keep_alive) == (b"hi", True, False)


@pytest.mark.parametrize("head", [b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_a_body_that_is_cut_off_is_not_complete(head):
    assert not parsed(OK + head + b"\r\n", ends=True).complete


@pytest.mark.parametrize(
    ("method", "line"),
    [("HEAD", OK), ("GET", b"HTTP/1.1 304 Not Modified\r\n"), ("CONNECT", b"HTTP/1.1 200 Established\r\n")],
)
def test_responses_without_a_body(method, line):
    """Whatever their fields say (RFC 9112 section 6.3)."""
    for field in (b"", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n"):
        found = parsed(line + field + b"\r\nrest", method=method)
        assert (found.body, found.complete, found.keep_alive, found.rest) == (b"", True, True, b"rest")


def test_204_has_no_body_nor_says_so():
    line = b"HTTP/1.1 204 No Content\r\n"
    assert parsed(line + b"\r\n").complete
    assert parsed(line + b"Content-Length: 0\r\n\r\n").complete
    assert parse([line + b"Content-Length: 5\r\n\r\n"]) == 400
    assert parse([line + b"Transfer-Encoding: chunked\r\n\r\n"]) == 400


def test_a_refused_connect_has_a_body():
    found = parsed(b"HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno", method="CONNECT")
    assert found.body == b"no"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"HTTP/1.1 200", ""),
        (b"HTTP/1.1 200 ", ""),
        (b"HTTP/1.1 200 All is \xfc well", "All is ü well"),
        (b"HTTP/1.0 200 OK", "OK"),
    ],
)
def test_reasons(line, reason):
    assert parsed(line + b"\r\nContent-Length: 0\r\n\r\n").reason == reason


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"HTTP/1.1",
        b"HTTP/1.1 ",
        b"HTTP/1.1  200 OK",
        b"HTTP/1.1 20 OK",
        b"HTTP/1.1 2000 OK",
        b"HTTP/1.1 200OK",
        b"HTTP/1.1 099 OK",
        b"HTTP/1.1 +20 OK",
        b"HTTP/1.1 2\xb20 OK",
        b"HTTP/1.1\t200 OK",
        b"HTTP/1.2 200 OK",
        b"HTTP/2.0 200 OK",
        b"HTTP/0.9 200 OK",
        b"http/1.1 200 OK",
        b" HTTP/1.1 200 OK",
        b"ICY 200 OK",
        b"HTTP/1.1 200 O\x00K",
        b"HTTP/1.1 200 O\rK",
        b"<html>",
        b"\r\nHTTP/1.1 200 OK",
    ],
)
def test_malformed_status_lines(line):
    assert parse([line + b"\r\nContent-Length: 0\r\n\r\n"]) == 400


@pytest.mark.parametrize(
    "fields",
    [
        b"no colon\r\n",
        b"Bad Name: x\r\n",
        b"X : y\r\n",
        b": y\r\n",
        b"X: a\r\n folded\r\n",
        b"X: a\x00b\r\n",
        b"X: a\x7fb\r\n",
        b"X: a\rb\r\n",
        b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 2\r\nContent-Length: 3\r\n",
        b"Content-Length: 2, 3\r\n",
        b"Content-Length: \r\n",
        b"Content-Length: +2\r\n",
        b"Content-Length: -2\r\n",
        b"Content-Length: 0x2\r\n",
        b"Content-Length: 2_0\r\n",
        b"Content-Length: \xb2\r\n",
        b"Content-Length: 2,\r\n",
        b"Content-Length: " + b"9" * 19 + b"\r\n",
        b"Content-Length: " + b"9" * 5000 + b"\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: chunked, chunked\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: identity\r\n",
        b"Transfer-Encoding: \x0bchunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    ],
)
def test_malformed_fields(fields):
    assert parse([OK + fields + b"\r\nhello"]) == 400


def test_a_length_may_be_repeated():
    assert parsed(OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi").body == b"hi"
    assert parsed(OK + b"Content-Length: 2, 2,2\r\n\r\nhi").body == b"hi"


def test_chunks_of_http10_are_refused():
    assert parse([b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]) == 400


@pytest.mark.parametrize("data", [b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", OK + b"X: y\n\r\n\r\n"])
def test_bare_lf(data):
    assert parse([data]) == 400
    assert parse([bytes([byte]) for byte in data]) == 400


@pytest.mark.parametrize(
    ("line", "fields", "kept"),
    [
        (OK, b"", True),
        (OK, b"Connection: close\r\n", False),
        (OK, b"Connection: Keep-Alive, Close\r\n", False),
        (OK, b"Connection: x\r\nConnection: close\r\n", False),
        (b"HTTP/1.0 200 OK\r\n", b"", False),
        (b"HTTP/1.0 200 OK\r\n", b"Connection: keep-alive\r\n", True),
    ],
)
def test_who_keeps_the_connection(line, fields, kept):
    assert parsed(line + fields + b"Content-Length: 0\r\n\r\n").keep_alive == kept


def test_informational_responses_come_before():
    found = parsed(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 10 + OK + b"Content-Length: 0\r\n\r\n")
    assert (found.code, found.headers) == (200, (("Content-Length", "0"),))


def test_too_many_informational_responses():
    assert parse([b"HTTP/1.1 100 Continue\r\n\r\n" * 11]) == 400
    assert parse([b"HTTP/1.1 100 Continue\r\n\r\n"] * 11) == 400


def test_the_count_of_informational_responses_is_of_one_response():
    parser = ResponseParser(LIMITS)
    for _ in range(5):
        parser.begin("GET")
        parser.feed(b"HTTP/1.1 100 Continue\r\n\r\n" * 9 + OK + b"Content-Length: 0\r\n\r\n")
        while parser.parse_head() and parser.code < 200:
            pass
        assert parser.complete


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_heads_are_bounded_as_they_arrive(piece):
    endless = OK + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 1000) for n in range(40))
    many = OK + b"X: y\r\n" * 101 + b"\r\n"
    long = OK + b"X: " + b"y" * 17000 + b"\r\n\r\n"
    for data in (endless, many, long):
        assert parse([data[at : at + piece] for at in range(0, len(data), piece)]) == 431


@pytest.mark.parametrize(
    "framing",
    [b"Content-Length: 11\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\nb\r\n", b"\r\n"],
    ids=["length", "chunks", "close"],
)
@pytest.mark.parametrize("piece", [1, 1 << 20])
def test_bodies_are_bounded_as_they_arrive(framing, piece):
    data = OK + framing + b"x" * 11
    pieces = [data[at : at + piece] for at in range(0, len(data), piece)]
    assert parse(pieces, limits=Limits(max_body_size=10)) == 413
    assert isinstance(parse(pieces, limits=Limits(max_body_size=11)), Answer)


def test_garbage_is_known_by_its_first_byte():
    for data in (b"\x16\x03\x01", b"H\x00", b"SSH-2.0"):
        assert parse([data]) == 400
    assert parse([b"HTT"]) is None


def test_it_tells_whether_anything_came():
    parser = ResponseParser(LIMITS)
    parser.begin("GET")
    assert not parser.started
    parser.feed(b"H")
    assert parser.started
    parser.begin("GET")
    assert not parser.started


def test_body_left():
    parser = ResponseParser(LIMITS)
    parser.begin("GET")
    parser.feed(OK + b"Content-Length: 5\r\n\r\nhe")
    parser.parse_head()
    parser.read_body(10)
    assert (parser.body_left(), parser.body_read()) == (3, 2)
    parser.begin("GET")


def test_a_body_until_close_has_no_known_end():
    parser = ResponseParser(LIMITS)
    parser.begin("GET")
    parser.feed(OK + b"\r\n")
    parser.parse_head()
    assert parser.body_left() == -1
    assert parser.end_of_input()
    assert parser.body_left() == 0


NAMES = st.text("abcXYZ-09", min_size=1, max_size=10).filter(lambda name: name[0] != "-")
VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)


@given(
    st.integers(200, 599).filter(lambda code: code not in (204, 304)),
    st.lists(st.tuples(NAMES.map(lambda name: f"X-{name}"), VALUES), max_size=5),
    st.binary(max_size=50),
    st.booleans(),
    st.lists(st.integers(1, 200), max_size=6),
)
@settings(max_examples=200, deadline=None)
def test_what_h11_writes_is_read(code, fields, body, is_chunked, cuts):
    """In whatever pieces it comes."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    server.next_event()
    server.next_event()
    framing = ("Transfer-Encoding", "chunked") if is_chunked else ("Content-Length", str(len(body)))
    events = [
        h11.Response(status_code=code, headers=[*fields, framing], reason="Well"),
        h11.Data(data=body),
        h11.EndOfMessage(),
    ]
    data = b"".join(server.send(event) or b"" for event in events)
    edges = [0, *sorted({cut for cut in cuts if cut < len(data)}), len(data)]
    found = parse([data[start:end] for start, end in itertools.pairwise(edges)])
    assert isinstance(found, Answer)
    assert (found.code, found.reason, found.body, found.complete, found.rest) == (code, "Well", body, True, b"")
    assert found == parse([data])


@given(st.binary(max_size=200), st.integers(1, 5))
@settings(max_examples=300, deadline=None)
def test_pieces_make_no_difference(noise, piece):
    """For what begins as a response and goes on as anything."""
    data = OK + noise
    assert parse([data[at : at + piece] for at in range(0, len(data), piece)]) == parse([data])


def test_it_is_linear(assert_linear):
    def make(size):
        data = OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * size + b"0\r\n\r\n"
        return lambda: parse([data[at : at + 100] for at in range(0, len(data), 100)])

    assert_linear(make, 500)
