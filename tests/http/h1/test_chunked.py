"""ChunkedDecoder: RFC 9112 section 7.1, and what a peer may make it cost."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.errors import HTTPInputError
from gustnado.http.h1.chunked import ChunkedDecoder


def decode(pieces: list[bytes], max_extras: int = 200, max_trailers: int = 5) -> tuple[bytes, ChunkedDecoder]:
    """Decode a body that comes in ``pieces``; the caller's buffer holds only what is not decoded yet."""
    decoder = ChunkedDecoder(max_extras, max_trailers)
    buffer = b""
    body = b""
    for piece in pieces:
        buffer += piece
        while True:
            body += decoder.decode(buffer, 0, 65536)
            buffer = buffer[decoder.position :]
            if not decoder.stalled:
                break
    return body, decoder


def by_byte(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


GOOD = [
    (b"0\r\n\r\n", b""),
    (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
    (b"00005\r\nhello\r\n000\r\n\r\n", b"hello"),
    (b"A\r\n0123456789\r\n1\r\n\r\r\n0\r\n\r\n", b"0123456789\r"),
    (b'5;a;b=c ; d="e;\\"\xe4"\r\nhello\r\n0;x=y\r\n\r\n', b"hello"),
    (b"2\r\n\r\n\r\n0\r\n\r\n", b"\r\n"),
]


@pytest.mark.parametrize(("data", "body"), GOOD)
def test_row_46_good_bodies(data: bytes, body: bytes) -> None:
    for pieces in ([data], by_byte(data)):
        decoded, decoder = decode(pieces)
        assert (decoded, decoder.complete) == (body, True)


BAD = {
    "45-empty": b"\r\nhello",
    "45-0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "45-plus": b"+5\r\nhello\r\n0\r\n\r\n",
    "45-minus": b"-5\r\nhello\r\n0\r\n\r\n",
    "45-underscore": b"5_0\r\nhello\r\n0\r\n\r\n",
    "45-leading-space": b" 5\r\nhello\r\n0\r\n\r\n",
    "45-trailing-space": b"5 \r\nhello\r\n0\r\n\r\n",
    "45-17-digits": b"00000000000000005\r\nhello\r\n0\r\n\r\n",
    "45-overflow": b"ffffffffffffffff\r\nhello",
    "45-unicode": "\uff15\r\nhello\r\n0\r\n\r\n".encode(),
    "47-bare": b"5;\r\nhello\r\n0\r\n\r\n",
    "47-not-token": b"5;a=(\r\nhello\r\n0\r\n\r\n",
    "47-nul": b"5;a=\x00\r\nhello\r\n0\r\n\r\n",
    "47-bare-cr": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "47-bare-lf": b"5;a\nb\r\nhello\r\n0\r\n\r\n",
    "47-unclosed": b'5;a="b\r\nhello\r\n0\r\n\r\n',
    "48-long-extension": b"5;a=" + b"b" * 400 + b"\r\nhello\r\n0\r\n\r\n",
    "48-long-in-all": b"1;a=bcdefghij\r\nx\r\n" * 30,
    "49-longer": b"5\r\nhelloX\r\n0\r\n\r\n",
    "49-shorter": b"6\r\nhello\r\n0\r\n\r\n",
    "49-no-crlf": b"5\r\nhello0\r\n\r\n",
    "49-lf": b"5\nhello\n0\n\n",
    "49-extra-crlf": b"5\r\nhello\r\n\r\n0\r\n\r\n",
    "51-endless-size": b"0" * 400,
    "51-endless-trailers": b"0\r\n" + b"A: b\r\n" * 100,
    "51-many-trailers": b"0\r\n" + b"A: b\r\n" * 6 + b"\r\n",
    "44-fold": b"0\r\nA: b\r\n c\r\n\r\n",
    "44-no-colon": b"0\r\nabc\r\n\r\n",
    "44-bare-lf": b"0\r\n\nA: b\r\n\r\n",
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_bad_bodies_are_refused(data: bytes) -> None:
    for pieces in ([data], by_byte(data)):
        with pytest.raises(HTTPInputError) as caught:
            decode(pieces)
        assert caught.value.status == 400


@pytest.mark.parametrize("data", [b"5\r\nhel", b"5\r\nhello\r\n", b"5\r\nhello\r\n0\r\n", b"5"])
def test_row_50_what_has_no_end_is_not_complete(data: bytes) -> None:
    assert decode([data])[1].complete is False


def test_row_44_trailers_are_kept_apart_and_dangerous_ones_dropped() -> None:
    _, decoder = decode([b"0\r\nDigest: abc\r\ncontent-length: 5\r\nHost: evil\r\n\r\n"])
    assert decoder.trailers is not None
    assert list(decoder.trailers.get_all()) == [("Digest", "abc")]


def test_row_52_a_call_takes_a_bounded_number_of_chunks() -> None:
    data = b"1\r\nx\r\n" * 2000 + b"0\r\n\r\n"
    decoder = ChunkedDecoder(200, 5)
    body = decoder.decode(data, 0, 65536)
    assert 0 < len(body) < 2000
    assert decoder.stalled
    calls = 1
    while decoder.stalled:
        body += decoder.decode(data, decoder.position, 65536)
        calls += 1
    assert (body, decoder.complete) == (b"x" * 2000, True)
    assert calls < 10


def test_no_more_than_was_asked_for() -> None:
    decoder = ChunkedDecoder(200, 5)
    data = b"a\r\n0123456789\r\n0\r\n\r\n"
    assert decoder.decode(data, 0, 4) == b"0123"
    assert decoder.stalled
    assert decoder.decode(data, decoder.position, 100) == b"456789"
    assert decoder.complete


def test_what_follows_is_left_alone() -> None:
    decoder = ChunkedDecoder(200, 5)
    data = b"1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1\r\n"
    decoder.decode(data, 0, 100)
    assert data[decoder.position :] == b"GET / HTTP/1.1\r\n"


@settings(max_examples=200, deadline=None)
@given(
    chunks=st.lists(st.binary(min_size=1, max_size=40), max_size=10),
    cuts=st.lists(st.integers(0, 500), max_size=8),
)
def test_any_chunks_in_any_pieces_give_the_body(chunks: list[bytes], cuts: list[int]) -> None:
    data = b"".join([b"%X;x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks]) + b"0\r\n\r\n"
    places = sorted({0, len(data), *[cut % (len(data) + 1) for cut in cuts]})
    pieces = [data[a:b] for a, b in itertools.pairwise(places)]
    decoded, decoder = decode(pieces)
    assert (decoded, decoder.complete) == (b"".join(chunks), True)
