"""Decoding: what was encoded comes out, nothing else does, and never too much of it."""

from __future__ import annotations

import gzip
import random
import sys
import zlib
from importlib import import_module

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.http.client.decompression import DecodedBody
from gustnado.http.client.errors import DecodingError, ResponseTooLargeError
from gustnado.http.content_decoding import accepted_codings, decoder_for
from gustnado.http.h1.response_parser import ResponseParser
from gustnado.http.limits import Limits

ZSTD = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"


def raw_deflate(data):
    encoder = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return encoder.compress(data) + encoder.flush()


ENCODERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "raw": raw_deflate,
    "br": lambda data: import_module("brotli").compress(data),
    "zstd": lambda data: import_module(ZSTD).compress(data),
}
CODINGS = [name for name in ENCODERS if name in ("raw", "x-gzip") or name in accepted_codings()]
TEXT = b"wind and gust " * 1000
NOISE = random.Random(7).randbytes(20000)


def coding_of(name):
    return "deflate" if name == "raw" else name


def decode(name, data, piece=1 << 20, most=1 << 30, max_bytes=65536):
    """The decoded body of a response that arrives in pieces."""
    parser = ResponseParser(Limits(max_body_size=-1))
    parser.begin("GET")
    parser.feed(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data))
    assert parser.parse_head()
    body = DecodedBody(parser, decoder_for(coding_of(name)), most)
    output = []
    pieces = [data[at : at + piece] for at in range(0, len(data), piece)]
    for _ in range(1_000_000):
        chunk = body.read_body(max_bytes)
        output.append(chunk)
        if body.complete:
            return b"".join(output)
        if not chunk and not body.stalled:
            parser.feed(pieces.pop(0))
    raise AssertionError("no end")


def test_what_the_tests_need_is_installed():
    assert accepted_codings() == "gzip, deflate, br, zstd"


@pytest.mark.parametrize("name", CODINGS)
@pytest.mark.parametrize("piece", [1, 100, 1 << 20])
@pytest.mark.parametrize("data", [TEXT, NOISE, b"x"])
def test_what_was_encoded_comes_out(name, piece, data):
    assert decode(name, ENCODERS[name](data), piece) == data


@pytest.mark.parametrize("name", CODINGS)
def test_an_empty_body(name):
    assert decode(name, ENCODERS[name](b"")) == b""


@pytest.mark.parametrize("name", CODINGS)
@given(data=st.binary(max_size=300), piece=st.integers(1, 40), most=st.integers(1, 100))
@settings(max_examples=30, deadline=None)
def test_any_data_in_any_pieces(name, data, piece, most):
    assert decode(name, ENCODERS[name](data), piece, max_bytes=most) == data


@pytest.mark.parametrize("name", CODINGS)
@pytest.mark.parametrize("piece", [1, 1 << 20])
def test_a_body_that_is_cut_off(name, piece):
    data = ENCODERS[name](TEXT)
    for size in (1, len(data) // 2, len(data) - 1):
        with pytest.raises(DecodingError, match="invalid"):
            decode(name, data[:size], piece)


@pytest.mark.parametrize("name", [name for name in CODINGS if name != "zstd"])
@pytest.mark.parametrize("rest", [b"\0", b"garbage"])
def test_something_after_the_end(name, rest):
    for piece in (1, 1 << 20):
        with pytest.raises(DecodingError):
            decode(name, ENCODERS[name](TEXT) + rest, piece)


def test_something_after_a_frame():
    with pytest.raises(DecodingError):
        decode("zstd", ENCODERS["zstd"](TEXT) + b"garbage")


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_several_members(name):
    data = ENCODERS[name](b"one") + ENCODERS[name](b"two")
    assert decode(name, data) == decode(name, data, 1) == b"onetwo"


def test_too_many_frames():
    assert decode("zstd", ENCODERS["zstd"](b"a") * 64) == b"a" * 64
    with pytest.raises(DecodingError, match="after its end"):
        decode("zstd", ENCODERS["zstd"](b"a") * 65)


@pytest.mark.parametrize("name", CODINGS)
@given(data=st.binary(min_size=1, max_size=100))
@settings(max_examples=50, deadline=None)
def test_garbage(name, data):
    """It fails with an error that says so, or it was by chance no garbage."""
    try:
        decode(name, data)
    except DecodingError as error:
        assert coding_of(name).removeprefix("x-") in str(error)


@pytest.mark.parametrize("name", CODINGS)
@pytest.mark.parametrize("piece", [10, 1 << 20])
def test_a_bomb_is_stopped_at_the_limit(name, piece):
    """And never is much more of it in memory than was asked for."""
    data = ENCODERS[name](bytes(50_000_000))
    with pytest.raises(ResponseTooLargeError, match="decompressed body too large: over 1000000 bytes"):
        decode(name, data, piece, most=1_000_000)


@pytest.mark.parametrize("name", CODINGS)
def test_pieces_are_no_longer_than_asked_for(name):
    decoder = decoder_for(coding_of(name))
    decoder.feed(ENCODERS[name](bytes(10_000_000)))
    size = 0
    while chunk := decoder.read(65536):
        size += len(chunk)
        assert len(chunk) <= 65536 + 32768
    assert size == 10_000_000
    decoder.finish()


@pytest.mark.parametrize("name", CODINGS)
def test_exactly_the_limit(name):
    assert len(decode(name, ENCODERS[name](bytes(100_000)), most=100_000)) == 100_000


@pytest.mark.parametrize("coding", ["", "identity", "compress", "gzip, gzip", "br, gzip", "gzip;q=1"])
def test_what_is_not_decoded(coding):
    assert decoder_for(coding) is None


def test_names_of_codings():
    assert all(decoder_for(coding) is not None for coding in ("GZIP", " gzip\t", "X-Gzip", "Deflate"))
