"""RequestParser: what is a request, what is refused, and that pieces make no difference."""

from __future__ import annotations

from typing import NamedTuple

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.errors import HTTPInputError
from gustnado.http.h1.parser import RequestParser
from gustnado.http.headers import HTTPHeaders
from gustnado.http.limits import Limits

LIMITS = Limits()
HOST = b"Host: example.org\r\n"


class Message(NamedTuple):
    """A parsed request, or the status of the refusal that ended the parsing."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    keep_alive: bool


def parse(pieces: list[bytes], limits: Limits = LIMITS) -> list[Message | int]:
    """Feed ``pieces`` one after the other; all messages found, then the refusal's status if there is one."""
    parser = RequestParser(limits)
    found: list[Message | int] = []
    start_line = None
    body = b""
    try:
        for piece in pieces:
            parser.feed(piece)
            while True:
                if start_line is None:
                    start_line = parser.read_head()
                    if start_line is None:
                        break
                    body = b""
                    parser.check_body_size()
                while not parser.complete:
                    chunk = parser.read_body(65536)
                    body += chunk
                    if not chunk and not parser.stalled:
                        break
                if not parser.complete:
                    break
                headers = tuple((parser.headers or HTTPHeaders()).get_all())
                found.append(Message(start_line.method, start_line.path, headers, body, parser.keep_alive))
                start_line = None
                parser.next_message()
    except HTTPInputError as error:
        found.append(error.status)
    return found


def by_byte(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


def request(line: bytes = b"GET / HTTP/1.1", *fields: bytes, body: bytes = b"", host: bool = True) -> bytes:
    return line + b"\r\n" + (HOST if host else b"") + b"".join([f + b"\r\n" for f in fields]) + b"\r\n" + body


def test_a_plain_request() -> None:
    assert parse([request(b"GET /a?b=c HTTP/1.1", b"accept: */*")]) == [
        Message("GET", "/a?b=c", (("Host", "example.org"), ("Accept", "*/*")), b"", True)
    ]


# (row of the catalogue of bad inputs, what is sent, the status that answers it)
REFUSED: list[tuple[str, bytes] | tuple[str, bytes, int]] = [
    ("1-garbage", b"\x00\x01\x02\x03\r\n\r\n", 400),
    ("1-tls-hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    ("1-crlfs", b"\r\n\r\n\r\n", 400),
    ("1-lf", b"\nGET / HTTP/1.1\r\n\r\n", 400),
    ("2-h2-preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("3-bare-lf-line", b"GET / HTTP/1.1\nHost: x\n\n", 400),
    ("3-bare-lf-header", b"GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", 400),
    ("4-bare-cr", request(b"GET / HTTP/1.1", b"A: b\rc")),
    ("4-cr-terminator", b"GET / HTTP/1.1\rHost: x\r\n\r\n", 400),
    ("5-nul-name", request(b"GET / HTTP/1.1", b"A\x00: b")),
    ("5-nul-value", request(b"GET / HTTP/1.1", b"A: b\x00")),
    ("5-esc-value", request(b"GET / HTTP/1.1", b"A: \x1b[2J")),
    ("5-del-value", request(b"GET / HTTP/1.1", b"A: \x7f")),
    ("5-ctl-line", request(b"GET /\x01 HTTP/1.1")),
    ("6-fold", request(b"GET / HTTP/1.1", b"A: b", b" c")),
    ("6-fold-first", b"GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400),
    ("6-fold-tab", request(b"GET / HTTP/1.1", b"A: b", b"\tc")),
    ("7-space-colon", request(b"GET / HTTP/1.1", b"A : b")),
    ("7-tab-colon", request(b"GET / HTTP/1.1", b"A\t: b")),
    ("7-empty-name", request(b"GET / HTTP/1.1", b": b")),
    ("7-colon", request(b"GET / HTTP/1.1", b":")),
    ("7-no-colon", request(b"GET / HTTP/1.1", b"abc")),
    ("8-not-token", request(b"GET / HTTP/1.1", b"A(b): c")),
    ("8-non-ascii-name", request(b"GET / HTTP/1.1", b"\xc3\xa4: c")),
    ("8-nel", request(b"GET / HTTP/1.1", b"A\x85: c")),
    ("12-method", request(b'G=":<> / HTTP/1.1')),
    ("12-method-long", request(b"G" * 100 + b" / HTTP/1.1")),
    ("12-glued", request(b"GET/ HTTP/1.1")),
    ("12-leading-space", request(b" GET / HTTP/1.1")),
    ("13-two-spaces", request(b"GET  / HTTP/1.1")),
    ("13-trailing-space", request(b"GET / HTTP/1.1 ")),
    ("13-tab", request(b"GET\t/\tHTTP/1.1")),
    ("13-no-version", request(b"GET /")),
    ("13-no-target", request(b"GET  HTTP/1.1")),
    ("13-1.32", request(b"GET / HTTP/1.32")),
    ("13-1.1x", request(b"GET / HTTP/1.1x")),
    ("13-lower", request(b"GET / http/1.1")),
    ("13-2.0", request(b"GET / HTTP/2.0"), 505),
    ("13-9.9", request(b"GET / HTTP/9.9"), 505),
    ("13-huge", request(b"GET / HTTP/4294967295.255")),
    ("14-0.9", b"GET /\r\n\r\n", 400),
    ("14-0.9-version", request(b"GET / HTTP/0.9")),
    ("15-utf8", request("GET /\u00e4 HTTP/1.1".encode())),
    ("15-overlong", request(b"GET /\xc0\xaf HTTP/1.1")),
    ("15-fragment", request(b"GET /a#b HTTP/1.1")),
    ("17-userinfo", request(b"GET http://a@example.org/ HTTP/1.1")),
    ("17-empty-host", request(b"GET http:///x HTTP/1.1")),
    ("17-one-slash", request(b"GET http:/x HTTP/1.1")),
    ("17-scheme", request(b"GET ftp://example.org/ HTTP/1.1")),
    ("18-authority", request(b"GET example.org:80 HTTP/1.1")),
    ("18-star", request(b"GET * HTTP/1.1")),
    ("18-relative", request(b"GET a/b HTTP/1.1")),
    ("19-connect-path", request(b"CONNECT /x HTTP/1.1")),
    ("20-none", request(b"GET / HTTP/1.1", host=False)),
    ("20-two", request(b"GET / HTTP/1.1", b"Host: example.org")),
    ("20-list", request(b"GET / HTTP/1.1", b"Host: a, b", host=False)),
    ("20-userinfo", request(b"GET / HTTP/1.1", b"Host: u@a", host=False)),
    ("20-path", request(b"GET / HTTP/1.1", b"Host: a/b", host=False)),
    ("20-query", request(b"GET / HTTP/1.1", b"Host: a?b", host=False)),
    ("20-fragment", request(b"GET / HTTP/1.1", b"Host: a#b", host=False)),
    ("20-space", request(b"GET / HTTP/1.1", b"Host: a b", host=False)),
    ("20-port", request(b"GET / HTTP/1.1", b"Host: a:8x", host=False)),
    ("20-port-big", request(b"GET / HTTP/1.1", b"Host: a:65536", host=False)),
    ("20-long", request(b"GET / HTTP/1.1", b"Host: " + b"a" * 256, host=False)),
    ("20-ipv6", request(b"GET / HTTP/1.1", b"Host: [::1", host=False)),
    ("20-ipv6-zone", request(b"GET / HTTP/1.1", b"Host: [fe80::1%25eth0]", host=False)),
    (
        "22-content-type",
        request(b"POST / HTTP/1.1", b"Content-Length: 0", b"Content-Type: a/b", b"Content-Type: c/d"),
    ),
    ("23-line", request(b"GET /" + b"a" * 8192 + b" HTTP/1.1"), 414),
    ("23-line-endless", b"GET /" + b"a" * 40000, 414),
    ("23-field", request(b"GET / HTTP/1.1", b"A: " + b"b" * 16384), 431),
    ("23-head", request(b"GET / HTTP/1.1", *[b"A%d: %s" % (i, b"b" * 8000) for i in range(5)]), 431),
    ("23-head-endless", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 10000, 431),
    ("23-count", request(b"GET / HTTP/1.1", *[b"A%d: b" % i for i in range(100)]), 431),
    (
        "28-cl-te",
        request(b"POST / HTTP/1.1", b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    ),
    (
        "28-te-cl",
        request(b"POST / HTTP/1.1", b"TRANSFER-ENCODING: chunked", b"content-length: 5", body=b"0\r\n\r\n"),
    ),
    ("29-equal", request(b"POST / HTTP/1.1", b"Content-Length: 1", b"Content-Length: 1", body=b"a")),
    ("29-different", request(b"POST / HTTP/1.1", b"Content-Length: 1", b"Content-Length: 2", body=b"ab")),
    ("29-list", request(b"POST / HTTP/1.1", b"Content-Length: 1, 1", body=b"a")),
    *[
        (f"30-{value!r}", request(b"POST / HTTP/1.1", b"Content-Length:" + value, body=b"hello"), 400)
        for value in (
            b"",
            b"+5",
            b"-5",
            b" 5 5",
            b"5_0",
            b"0x5",
            b"5.0",
            b"\xd9\xa5",
            b"9" * 19,
            b"9" * 5000,
            b"5,",
        )
    ],
    *[
        (
            f"31-{value!r}",
            request(b"POST / HTTP/1.1", b"Transfer-Encoding: " + value, body=b"0\r\n\r\n"),
            status,
        )
        for value, status in (
            (b"xchunked", 501),
            (b"gzip, chunked", 501),
            (b"gzip", 501),
            (b"chunked, identity", 400),
            (b"identity", 400),
            (b",chunked", 400),
            (b"chunked,", 400),
            (b"chunked, chunked", 400),
            (b"chunked;q=1", 400),
            (b'"chunked"', 400),
            (b"\x0bchunked", 400),
            (b"chunked\x00", 400),
            (b"\xa0chunked", 400),
            (b"", 400),
        )
    ],
    (
        "31-two-lines",
        request(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
    ),
    ("31-http10", request(b"POST / HTTP/1.0", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n")),
    ("34-unknown", request(b"POST / HTTP/1.1", b"Content-Length: 1", b"Expect: y 100-continue"), 417),
    ("34-other", request(b"POST / HTTP/1.1", b"Content-Length: 1", b"Expect: tea"), 417),
    ("64-length", request(b"POST / HTTP/1.1", b"Content-Length: 10485761"), 413),
]
CASES = [(case[0], case[1], case[2] if len(case) > 2 else 400) for case in REFUSED]


@pytest.mark.parametrize(("data", "status"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_refused_whole_and_by_byte(data: bytes, status: int) -> None:
    assert parse([data]) == [status]
    assert parse(by_byte(data)) == [status]


@pytest.mark.parametrize(("data", "status"), [case[1:] for case in CASES if len(case[1]) < 600])
def test_what_is_refused_is_refused_after_a_good_request_too(data: bytes, status: int) -> None:
    good = request(b"GET /first HTTP/1.1")
    first, second = parse([good + data])
    assert isinstance(first, Message)
    assert first.target == "/first"
    assert second == status


ACCEPTED: list[tuple[str, bytes, Message]] = [
    ("empty-line", b"\r\n" + request(), Message("GET", "/", (("Host", "example.org"),), b"", True)),
    ("http10", b"GET / HTTP/1.0\r\n\r\n", Message("GET", "/", (), b"", False)),
    (
        "http10-keep-alive",
        b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
        Message("GET", "/", (("Connection", "Keep-Alive"),), b"", True),
    ),
    (
        "43-close-wins",
        request(b"GET / HTTP/1.1", b"Connection: keep-alive, Close"),
        Message("GET", "/", (("Host", "example.org"), ("Connection", "keep-alive, Close")), b"", False),
    ),
    ("20-empty-host", b"GET / HTTP/1.1\r\nHost:\r\n\r\n", Message("GET", "/", (("Host", ""),), b"", True)),
    (
        "20-ipv6",
        b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
        Message("GET", "/", (("Host", "[::1]:80"),), b"", True),
    ),
    (
        "9-obs-text",
        request(b"GET / HTTP/1.1", b"A: \xe4\x85"),
        Message("GET", "/", (("Host", "example.org"), ("A", "\xe4\x85")), b"", True),
    ),
    (
        "11-underscore",
        request(b"GET / HTTP/1.1", b"Content_Length: 5"),
        Message("GET", "/", (("Host", "example.org"), ("Content_length", "5")), b"", True),
    ),
    (
        "17-absolute",
        request(b"GET http://other.example/a?b HTTP/1.1"),
        Message("GET", "/a?b", (("Host", "other.example"),), b"", True),
    ),
    (
        "17-absolute-bare",
        request(b"GET http://other.example?b HTTP/1.1"),
        Message("GET", "/?b", (("Host", "other.example"),), b"", True),
    ),
    (
        "18-options",
        request(b"OPTIONS * HTTP/1.1"),
        Message("OPTIONS", "*", (("Host", "example.org"),), b"", True),
    ),
    (
        "12-unknown-method",
        request(b"brew / HTTP/1.1"),
        Message("brew", "/", (("Host", "example.org"),), b"", True),
    ),
    ("13-1.2", request(b"GET / HTTP/1.2"), Message("GET", "/", (("Host", "example.org"),), b"", True)),
    (
        "32-get-body",
        request(b"GET / HTTP/1.1", b"Content-Length: 5", body=b"GET /"),
        Message("GET", "/", (("Host", "example.org"), ("Content-Length", "5")), b"GET /", True),
    ),
    (
        "30-zeros",
        request(b"POST / HTTP/1.1", b"Content-Length: 005", body=b"hello"),
        Message("POST", "/", (("Host", "example.org"), ("Content-Length", "005")), b"hello", True),
    ),
    (
        "46-extensions",
        request(
            b"POST / HTTP/1.1",
            b"Transfer-Encoding: Chunked",
            body=b'5;a=b;c="q;\\"x"\r\nhello\r\n0;z\r\nX: y\r\n\r\n',
        ),
        Message("POST", "/", (("Host", "example.org"), ("Transfer-Encoding", "Chunked")), b"hello", True),
    ),
]


@pytest.mark.parametrize(("data", "message"), [case[1:] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED])
def test_accepted_whole_by_byte_and_pipelined(data: bytes, message: Message) -> None:
    assert parse([data]) == [message]
    assert parse(by_byte(data)) == [message]
    assert parse([data + data]) == [message, message]


def test_row_24_any_split_gives_the_same() -> None:
    data = ACCEPTED[-1][1] + request(b"GET /next HTTP/1.1")
    whole = parse([data])
    assert len(whole) == 2
    for at in range(len(data)):
        assert parse([data[:at], data[at:]]) == whole


def test_a_chunked_body_over_the_limit_is_413_as_soon_as_it_is_known() -> None:
    limits = Limits(max_body_size=10)
    head = request(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked")
    assert parse([head + b"b\r\nhello world"], limits) == [413]
    assert parse([head + b"a\r\nhelloworld\r\n0\r\n\r\n"], limits)[0].body == b"helloworld"  # type: ignore[union-attr]


def test_the_bound_of_one_body_does_not_outlive_it() -> None:
    parser = RequestParser(Limits(max_body_size=10))
    parser.feed(request(b"POST / HTTP/1.1", b"Content-Length: 20", body=b"a" * 20))
    assert parser.read_head() is not None
    parser.max_body_size = -1
    parser.check_body_size()
    assert parser.read_body(100) == b"a" * 20
    parser.next_message()
    assert parser.max_body_size == 10


def test_expect_continue_is_for_http11_with_a_body() -> None:
    for line, length, expected in ((b"1.1", b"5", True), (b"1.0", b"5", False), (b"1.1", b"0", False)):
        parser = RequestParser(LIMITS)
        parser.feed(request(b"POST / HTTP/" + line, b"Content-Length: " + length, b"Expect: 100-Continue"))
        assert parser.read_head() is not None
        assert parser.expects_continue is expected


def test_rest_is_handed_over_unread() -> None:
    parser = RequestParser(LIMITS)
    parser.feed(request(b"GET / HTTP/1.1", b"Upgrade: x") + b"\x81\x00rest")
    assert parser.read_head() is not None
    assert parser.pending() == 6
    assert parser.take_rest() == b"\x81\x00rest"
    assert parser.pending() == 0


def test_body_left_tells_what_is_to_come() -> None:
    parser = RequestParser(LIMITS)
    parser.feed(request(b"POST / HTTP/1.1", b"Content-Length: 5", body=b"he"))
    assert parser.read_head() is not None
    assert parser.body_left() == 5
    assert parser.read_body(1) == b"h"
    assert (parser.body_left(), parser.body_read()) == (4, 1)


TOKENS = st.text("!#$%&'*+-.^_`|~09azAZ", min_size=1, max_size=12)
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=30)
RESERVED = frozenset(("host", "content-length", "transfer-encoding", "connection", "expect", "content-type"))


@settings(max_examples=200, deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "X-Y"]),
    path=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#"), max_size=40),
    fields=st.lists(st.tuples(TOKENS, VALUES), max_size=8),
    body=st.binary(max_size=200),
    chunks=st.lists(st.integers(1, 50), max_size=5),
    cuts=st.lists(st.integers(0, 1000), max_size=6),
)
def test_agrees_with_h11_however_it_is_split(
    method: str, path: str, fields: list[tuple[str, str]], body: bytes, chunks: list[int], cuts: list[int]
) -> None:
    fields = [field for field in fields if field[0].lower() not in RESERVED]
    lines = [f"{method} /{path} HTTP/1.1", "Host: h", *[f"{name}: {value}" for name, value in fields]]
    if chunks:
        wire, rest = b"", body
        for size in chunks:
            piece, rest = rest[:size], rest[size:]
            if piece:
                wire += b"%x\r\n%b\r\n" % (len(piece), piece)
        body = body[: len(body) - len(rest)]
        wire += b"0\r\n\r\n"
        lines.append("Transfer-Encoding: chunked")
    else:
        wire = body
        lines.append(f"Content-Length: {len(body)}")
    data = "\r\n".join(lines).encode() + b"\r\n\r\n" + wire
    pieces, last = [], 0
    for cut in sorted({cut % (len(data) + 1) for cut in cuts}):
        pieces.append(data[last:cut])
        last = cut
    pieces.append(data[last:])
    (message,) = parse([piece for piece in pieces if piece])
    assert isinstance(message, Message)

    oracle = h11.Connection(h11.SERVER)
    oracle.receive_data(data)
    event = oracle.next_event()
    assert isinstance(event, h11.Request)
    told = b""
    while isinstance(part := oracle.next_event(), h11.Data):
        told += part.data
    assert (message.method.encode(), message.target.encode(), message.body) == (
        event.method,
        event.target,
        told,
    )
    ours: dict[bytes, list[bytes]] = {}
    for name, value in message.headers:
        ours.setdefault(name.lower().encode(), []).append(value.encode("latin-1"))
    theirs: dict[bytes, list[bytes]] = {}
    for name_bytes, value_bytes in event.headers:
        theirs.setdefault(bytes(name_bytes), []).append(bytes(value_bytes))
    assert ours == theirs


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=300), cut=st.integers(0, 300))
def test_any_bytes_are_read_refused_or_waited_for(data: bytes, cut: int) -> None:
    for prefix in (
        b"",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        request(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked"),
    ):
        whole = parse([prefix + data])
        split = parse([piece for piece in (prefix + data[:cut], data[cut:]) if piece])
        assert whole == split or {whole[-1], split[-1]} <= {400, 414, 431}
