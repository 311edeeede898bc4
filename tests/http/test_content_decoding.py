"""Content codings: whole, in pieces, and bounded."""

from __future__ import annotations

import gzip
import zlib
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.http.content_decoding import (
    MAX_STREAMS,
    DecodingError,
    accepted_codings,
    brotli_module,
    decoder_for,
    zstd_module,
)


def bare_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


ENCODERS: dict[str, Any] = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress}
if brotli_module() is not None:
    ENCODERS["br"] = import_module("brotli").compress
if (zstd := zstd_module()) is not None:
    ENCODERS["zstd"] = zstd.compress
CODINGS = pytest.mark.parametrize("coding", ENCODERS)


def decode(coding: str, data: bytes, size: int = 1 << 20, room: int = 1 << 16) -> bytes:
    decoder = decoder_for(coding)
    assert decoder is not None
    pieces = []
    for start in range(0, len(data), size):
        decoder.feed(data[start : start + size])
        while piece := decoder.read(room):
            pieces.append(piece)
    decoder.finish()
    return b"".join(pieces)


def test_the_extra_is_installed_where_it_is_tested() -> None:
    assert {*ENCODERS} - {"x-gzip"} == {"gzip", "deflate", "br", "zstd"} == set(accepted_codings().split(", "))


@CODINGS
@given(data=st.binary(max_size=2000), size=st.integers(1, 100), room=st.integers(1, 1000))
def test_the_pieces_do_not_matter(coding: str, data: bytes, size: int, room: int) -> None:
    assert decode(coding, ENCODERS[coding](data), size, room) == data


@given(data=st.binary(max_size=2000))
def test_bare_deflate(data: bytes) -> None:
    assert decode("Deflate ", bare_deflate(data)) == data


@CODINGS
def test_output_comes_in_bounded_pieces(coding: str) -> None:
    decoder = decoder_for(coding)
    assert decoder is not None
    decoder.feed(ENCODERS[coding](bytes(10_000_000)))
    total = 0
    while piece := decoder.read(10_000):
        assert len(piece) <= 33_000  # brotli's own smallest buffer
        total += len(piece)
    decoder.finish()
    assert total == 10_000_000


@CODINGS
def test_row_T51_what_is_truncated_is_told(coding: str) -> None:
    data = ENCODERS[coding](b"wind speed" * 50)
    for end in range(len(data)):
        with pytest.raises(DecodingError):
            decode(coding, data[:end])


@CODINGS
@given(st.binary(min_size=1, max_size=50))
def test_garbage_is_told(coding: str, data: bytes) -> None:
    try:
        decode(coding, data)
    except DecodingError as error:
        assert coding.removeprefix("x-") in str(error)


@CODINGS
def test_row_T51_garbage_behind_the_end_is_told(coding: str) -> None:
    with pytest.raises(DecodingError):
        decode(coding, ENCODERS[coding](b"wind") + b"\x00garbage")
    with pytest.raises(DecodingError):
        decode(coding, ENCODERS[coding](b"wind") + b"\x00garbage", size=1)


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_row_65_streams_behind_each_other_are_counted(coding: str) -> None:
    one = ENCODERS[coding](b"a")
    assert decode(coding, one * MAX_STREAMS) == b"a" * MAX_STREAMS
    with pytest.raises(DecodingError, match="after its end"):
        decode(coding, one * (MAX_STREAMS + 1))


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_empty_content_is_not_the_same_as_none(coding: str) -> None:
    assert decode(coding, ENCODERS[coding](b"")) == b""
    with pytest.raises(DecodingError):
        decode(coding, b"")


def test_a_window_of_zstd_is_bounded() -> None:
    zstd = zstd_module()
    assert zstd is not None
    options = {zstd.CompressionParameter.window_log: 27, zstd.CompressionParameter.enable_long_distance_matching: 1}
    compressor = zstd.ZstdCompressor(options=options)
    data = compressor.compress(b"a" * 100) + compressor.flush()
    with pytest.raises(DecodingError):
        decode("zstd", data)


@pytest.mark.parametrize("coding", ["", "identity", "gzip, gzip", "compress", "gzip;q=1", "*"])
def test_what_is_not_decoded(coding: str) -> None:
    assert decoder_for(coding) is None
