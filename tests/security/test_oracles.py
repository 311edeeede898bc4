"""Requests as other parsers read them: h11, and httptools, which is that of Node.

Two rules. What both accept with one meaning, ours accepts with the same meaning, unless it is refused on purpose,
for a reason that is told below. And what ours accepts, neither of them reads with another length: where two servers
on one way disagree on the length of a body, its rest is a request that somebody smuggles.
"""

from __future__ import annotations

import dataclasses

import h11
import httptools
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gustnado.errors import HTTPInputError
from gustnado.http.h1.parser import RequestParser
from gustnado.http.limits import Limits


@dataclasses.dataclass(frozen=True)
class Reading:
    """A request as a parser reads it."""

    method: str
    target: str
    body: bytes
    rest: bytes | None  # what follows it; ``None`` where the parser does not tell


def ours(data: bytes) -> Reading | None:
    parser = RequestParser(Limits())
    try:
        parser.feed(data)
        if not parser.parse_head():
            return None
        body = b""
        while not parser.complete:
            piece = parser.read_body(65536)
            if not piece and not parser.complete and not parser.stalled:
                return None
            body += piece
    except HTTPInputError:
        return None
    return Reading(parser.method, parser.target, body, parser.take_rest())


def of_h11(data: bytes) -> Reading | None:
    connection = h11.Connection(h11.SERVER)
    body = b""
    request: h11.Request | None = None
    try:
        connection.receive_data(data)
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage) and request is not None:
                rest = connection.trailing_data[0]
                return Reading(request.method.decode(), request.target.decode("latin-1"), body, rest)
            else:
                return None
    except h11.RemoteProtocolError:
        return None


class _Collector:
    """The first message."""

    def __init__(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.method = ""
        self.target = b""
        self.body = b""
        self.messages = 0

    def on_url(self, url: bytes) -> None:
        if not self.messages:
            self.target += url

    def on_headers_complete(self) -> None:
        if not self.messages:
            self.method = self.parser.get_method().decode()

    def on_body(self, body: bytes) -> None:
        if not self.messages:
            self.body += body

    def on_message_complete(self) -> None:
        self.messages += 1


def of_httptools(data: bytes) -> Reading | None:
    found = _Collector()
    try:
        found.parser.feed_data(data)
    except (httptools.HttpParserUpgrade, httptools.HttpParserError):
        pass  # it may be in what follows the first message
    return Reading(found.method, found.target.decode("latin-1"), found.body, None) if found.messages else None


def refused_on_purpose(data: bytes) -> bool:
    """What ours does not take although others do."""
    head = data.partition(b"\r\n\r\n")[0].lower()
    lines = head.split(b"\r\n")
    names = [line.partition(b":")[0] for line in lines[1:]]
    return (
        names.count(b"content-length") > 1  # even where both say the same (RFC 9110 section 8.6 lets one refuse)
        or any(line.startswith(b"content-length:") and b"," in line for line in lines)
        or names.count(b"host") != 1  # RFC 9112 section 3.2
        or any(line[:1] in (b" ", b"\t") for line in lines[1:])  # obs-fold, section 5.2
        or lines[0].startswith(b"connect ")
        or b"#" in lines[0]
        or (b"transfer-encoding" in names and lines[0].endswith(b"http/1.0"))
        or (lines[0].split(b" ")[1:2] == [b"*"] and not lines[0].startswith(b"options "))
        or b"expect" in names
        or not lines[0].endswith((b"http/1.0", b"http/1.1", b"http/1.2"))  # 505
    )


METHODS = st.sampled_from([b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"DELETE", b"PATCH"])
TARGETS = st.sampled_from([b"/", b"/a?b=c", b"/%2e", b"*", b"http://x/", b"/a#b", b"/\xc3\xa4", b"", b"/a b"])
VERSIONS = st.sampled_from([b"HTTP/1.1"] * 6 + [b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"http/1.1"])
LENGTHS = st.sampled_from(
    [b"0", b"4", b"5", b"05", b"+5", b"-1", b"5, 5", b"5,6", b"0x5", b"5_0", b" 5 ", b"", b"5;", b"9" * 40, b"\xb2"]
)
CODINGS = st.sampled_from(
    [
        b"chunked",
        b"Chunked",
        b"gzip, chunked",
        b"chunked, chunked",
        b"identity",
        b"xchunked",
        b"chunked ",
        b"\tchunked",
        b'"chunked"',
        b"chunked;q=1",
        b",chunked",
        b"\x0bchunked",
        b"",
    ]
)
FIELDS = st.one_of(
    st.just(b"Host: x"),
    LENGTHS.map(lambda value: b"Content-Length: " + value),
    LENGTHS.map(lambda value: b"content-length:" + value),
    CODINGS.map(lambda value: b"Transfer-Encoding: " + value),
    st.sampled_from(
        [
            b"Content-Length : 5",
            b" Content-Length: 5",
            b"Content_Length: 5",
            b"Transfer-Encoding\x00: chunked",
            b"A: b",
            b"A: \xe4",
            b"A: b\x00",
            b"A:",
            b": b",
            b"A",
            b"Connection: close",
            b"A: b\rC: d",
            b"A: b\nContent-Length: 5",
            b"X: y\r\n Content-Length: 5",
        ]
    ),
)
BODIES = st.one_of(
    st.sampled_from([b"", b"wind", b"windy", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"]),
    st.lists(
        st.sampled_from(
            [
                b"5\r\nwindy\r\n",
                b"4\r\nwindy\r\n",
                b"0\r\n\r\n",
                b"5;a=b\r\nwindy\r\n",
                b"0x5\r\nwindy\r\n",
                b"5 \r\nwindy\r\n",
                b"5\nwindy\r\n",
                b"5\r\nwindyXX",
                b"0\r\nA: b\r\n\r\n",
                b"5;\nx\r\nwindy\r\n",
                b"fffffffffffffffff\r\n",
                b"-5\r\nwindy\r\n",
                b"+5\r\nwindy\r\n",
                b"\r\n",
                b"0\r\n",
            ]
        ),
        max_size=4,
    ).map(b"".join),
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    line = b" ".join([draw(METHODS), draw(TARGETS), draw(VERSIONS)])
    fields = draw(st.lists(FIELDS, max_size=4))
    if draw(st.integers(0, 9)):
        fields.append(b"Host: x")
    return b"\r\n".join([line, *fields, b"", b""]) + draw(BODIES)


SMUGGLING = [
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\nGET",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nwindy",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\nContent-Length: 4\r\n\r\nwind",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;\nx\r\nwindy\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
]


@settings(max_examples=1500, deadline=None)
@given(requests())
@example(SMUGGLING[0])
@example(SMUGGLING[2])
@example(SMUGGLING[4])
def test_nobody_reads_what_we_accept_with_another_length(data: bytes) -> None:
    mine = ours(data)
    if mine is None:
        return
    for theirs in (of_h11(data), of_httptools(data)):
        if theirs is not None:
            assert (theirs.method, theirs.body) == (mine.method, mine.body)
            assert theirs.rest is None or theirs.rest == mine.rest


@settings(max_examples=1500, deadline=None)
@given(requests())
def test_what_both_accept_we_accept_with_the_same_meaning(data: bytes) -> None:
    first, second = of_h11(data), of_httptools(data)
    if first is None or second is None or refused_on_purpose(data):
        return
    if (first.method, first.target, first.body) != (second.method, second.target, second.body):
        return
    mine = ours(data)
    assert mine is not None
    assert (mine.method, mine.body) == (first.method, first.body)
    assert first.target.endswith(mine.target)  # of an absolute one, ours is the path


@pytest.mark.parametrize("data", SMUGGLING[:5])
def test_what_smuggles_is_refused(data: bytes) -> None:
    assert ours(data) is None


def test_a_body_is_framed_whatever_the_method() -> None:
    mine = ours(SMUGGLING[5])
    assert mine is not None
    assert mine.body == b"GET /"
