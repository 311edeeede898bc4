"""All requests of a connection as other parsers read them: h11, and httptools, which is that of Node.

Requests are made from their grammar, several behind each other, with lengths and with chunks; some are then broken at
a place or two. Whole ones must be read alike by all, as what was meant. And of broken ones, whatever ours accepts,
nobody who accepts it as well may read in another length: where two on one way disagree where a request ends, its rest
is a request that somebody smuggles.
"""

from __future__ import annotations

import dataclasses
import itertools

import h11
import httptools
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from gustnado.errors import HTTPInputError
from gustnado.http.h1.parser import RequestParser
from gustnado.http.limits import Limits


@dataclasses.dataclass(frozen=True)
class Request:
    """One request, as it was meant or as a parser reads it. Names of fields are in lower case."""

    method: str
    target: str
    fields: tuple[tuple[str, str], ...]
    body: bytes

    def with_names_in_order(self) -> Request:
        """Ours keeps the order of one field's values, others that of all fields."""
        return dataclasses.replace(self, fields=tuple(sorted(self.fields, key=lambda field: field[0])))


def ours(pieces: list[bytes], like_tornado: bool = False) -> list[Request]:
    """The requests that are read before the first that is refused, or is not whole, or ends the connection."""
    parser = RequestParser(Limits(), like_tornado)
    found: list[Request] = []
    body = b""
    in_body = False
    try:
        for piece in pieces:
            parser.feed(piece)
            while in_body or parser.parse_head():
                in_body = True
                chunk = parser.read_body(65536)
                body += chunk
                if not parser.complete:
                    if not chunk and not parser.stalled:
                        break
                    continue
                assert parser.headers is not None
                fields = tuple((name.lower(), value) for name, value in parser.headers.get_all())
                found.append(Request(parser.method, parser.target, fields, body))
                if not parser.keep_alive:
                    return found
                body, in_body = b"", False
                parser.next_message()
                if not parser.pending():
                    break
    except HTTPInputError:
        pass  # what came before it counts
    return found


def of_h11(data: bytes) -> list[Request]:
    found: list[Request] = []
    while data:
        connection = h11.Connection(h11.SERVER)
        request: h11.Request | None = None
        body = b""
        try:
            connection.receive_data(data)
            while not isinstance(happening := connection.next_event(), h11.EndOfMessage):
                if isinstance(happening, h11.Request):
                    request = happening
                elif isinstance(happening, h11.Data):
                    body += bytes(happening.data)
                else:
                    return found
        except h11.RemoteProtocolError:
            return found
        assert request is not None
        fields = tuple((name.decode(), value.decode("latin-1")) for name, value in request.headers)
        found.append(Request(request.method.decode(), request.target.decode("latin-1"), fields, body))
        data = connection.trailing_data[0]
    return found


class Collector:
    """What httptools calls."""

    def __init__(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.found: list[Request] = []
        self.on_message_begin()

    def on_message_begin(self) -> None:
        self.target = self.body = b""
        self.method = ""
        self.fields: list[tuple[str, str]] = []
        self.in_head = True

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.in_head:  # and not a trailer
            # It hands over blanks behind a value, which are not part of it.
            self.fields.append((name.decode("latin-1").lower(), value.decode("latin-1").rstrip(" \t")))

    def on_headers_complete(self) -> None:
        self.method = self.parser.get_method().decode()
        self.in_head = False

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.found.append(Request(self.method, self.target.decode("latin-1"), tuple(self.fields), self.body))


def of_httptools(data: bytes) -> list[Request]:
    collector = Collector()
    try:
        collector.parser.feed_data(data)
    except (httptools.HttpParserUpgrade, httptools.HttpParserError):
        pass  # what came before it counts
    return collector.found


METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
TARGETS = st.sampled_from(["/", "/a?b=c", "/%2e%20", "/a;b,c:d@e", "/~x/*?&=", "/" + "x" * 70])
# Blanks around a value are not part of it; within one they are, as are bytes beyond ASCII.
FIELDS = st.sampled_from(
    [
        (name, value)
        for name in ("X-A", "x-a", "X-!#$&'*+.^_`|~")
        for value in ("", "b", "b c\td", ":;,\"=", "\xe9\xff", "chunked", "5", "x" * 70)
    ]
)
BLANKS = st.sampled_from([("", ""), (" ", ""), ("\t ", " \t")])
BODIES = st.sampled_from(
    [b"", b"x", b"wind", bytes(range(256)), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"0\r\n\r\n", b"\r\n", b"5\r\nwindy"]
)
SIZES = st.sampled_from([1, 2, 3, 10, 16, 26, 300])


SPELLINGS = st.sampled_from(["{:x}", "{:X}", "00{:x}", "{:x};a", "{:x};a=b", '{:x};a="b;\\"c"', "{:x};a=b;c=d"])
TRAILERS = st.sampled_from(["", "", "X-Sum: 1\r\n", "X-Sum: 1\r\nY: \r\n"])
CODING = st.sampled_from(["chunked", "Chunked", "CHUNKED"])
FRAMINGS = st.sampled_from(["chunked", "length", "0length", "none"])


@st.composite
def chunked(draw: st.DrawFn, body: bytes) -> bytes:
    """``body`` in chunks of any sizes, spelt in any way, with extensions and trailers."""
    pieces: list[bytes] = []
    while body:
        size = min(draw(SIZES), len(body)) if len(pieces) < 5 else len(body)
        spelling = draw(SPELLINGS)
        pieces.append(spelling.format(size).encode() + b"\r\n" + body[:size] + b"\r\n")
        body = body[size:]
    return b"".join(pieces) + b"0\r\n" + draw(TRAILERS).encode() + b"\r\n"


@st.composite
def requests(draw: st.DrawFn, versions: tuple[str, ...] = ("1.1",)) -> tuple[Request, bytes]:
    """A request as it is meant, and as bytes."""
    method, target, body = draw(METHODS), draw(TARGETS), draw(BODIES)
    fields = [("Host", "example.org"), *draw(st.lists(FIELDS, max_size=2))]
    framing = draw(FRAMINGS)
    data = body
    if framing == "chunked":
        fields.append(("Transfer-Encoding", draw(CODING)))
        data = draw(chunked(body))
    elif framing == "none":
        data = body = b""
    else:
        fields.append(("Content-Length", framing.removesuffix("length") + str(len(body))))
    if draw(st.booleans()):
        fields.reverse()
    before, behind = draw(BLANKS)
    # httptools takes no TAB behind a coding or a length.
    lines = [f"{name}:{before}{value}{behind if name[0] in 'Xx' else ''}" for name, value in fields]
    head = "\r\n".join([f"{method} {target} HTTP/{draw(st.sampled_from(versions))}", *lines, "", ""]).encode("latin-1")
    return Request(method, target, tuple((name.lower(), value) for name, value in fields), body), head + data


STREAMS = st.lists(requests(), min_size=1, max_size=3)
OF_ALL_VERSIONS = st.lists(requests(("1.1", "1.1", "1.0")), min_size=1, max_size=3)
EDITS = st.sampled_from(
    [
        b"", b"\r", b"\n", b"\r\n", b" ", b"\t", b"\0", b":", b";", b",", b"0", b"1", b"5", b"a", b"-", b"+", b"_",
        b"\xff", b"\r\nContent-Length: 5", b"\r\nTransfer-Encoding: chunked", b"\r\n ", b"0\r\n\r\n", b"chunked",
        b"GET / HTTP/1.1\r\n", b"\r\nConnection: keep-alive",
    ]
)  # fmt: skip


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """Requests with one place, or two, at which something has been replaced, put in or left out."""
    data = b"".join([data for _, data in draw(OF_ALL_VERSIONS)])
    for _ in range(draw(st.integers(1, 2))):
        start = draw(st.integers(0, len(data)))
        data = data[:start] + draw(EDITS) + data[start + draw(st.integers(0, 3)) :]
    return data


def split(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in itertools.pairwise(ends) if start < end]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STREAMS, st.lists(st.integers(0, 500), max_size=5))
def test_whole_requests_are_read_by_all_as_they_are_meant(stream: list, places: list[int]) -> None:
    data = b"".join([data for _, data in stream])
    meant = [request.with_names_in_order() for request, _ in stream]
    assert [request.with_names_in_order() for request in ours(split(data, places))] == meant
    assert [request.with_names_in_order() for request in of_h11(data)] == [
        dataclasses.replace(
            request,  # h11 has these two as it understands them
            fields=tuple(
                (name, value.lower() if name == "transfer-encoding" else value) for name, value in request.fields
            ),
        )
        for request in meant
    ]
    assert [request.with_names_in_order() for request in of_httptools(data)] == meant


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(broken(), st.lists(st.integers(0, 500), max_size=3), st.booleans())
def test_nobody_reads_broken_ones_that_we_accept_in_another_length(
    data: bytes, places: list[int], like_tornado: bool
) -> None:
    mine = ours([data], like_tornado)
    event(f"{min(len(mine), 3)} accepted by ours")
    assert ours(split(data, places), like_tornado) == mine
    for theirs in (of_h11(data), of_httptools(data)):
        event(f"{min(len(mine), len(theirs), 3)} accepted by both")
        for my, their in zip(mine, theirs, strict=False):
            assert (their.method, their.body) == (my.method, my.body)
