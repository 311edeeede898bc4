"""Content codings on the way out: which one, and what comes out can be decoded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.http.content_decoding import decoder_for
from gustnado.http.content_encoding import available_codings, encoder_for, preferred_coding


def test_all_are_there_where_they_are_tested() -> None:
    assert available_codings() == ["br", "zstd", "gzip"]


@pytest.mark.parametrize("coding", available_codings())
@given(pieces=st.lists(st.binary(max_size=300), min_size=1, max_size=5))
def test_each_piece_can_be_decoded_when_it_comes(coding: str, pieces: list[bytes]) -> None:
    encoder, decoder = encoder_for(coding), decoder_for(coding)
    assert decoder is not None
    for place, piece in enumerate(pieces):
        last = place == len(pieces) - 1
        encoded = encoder.encode(piece, last)
        decoder.feed(encoded)
        decoded = b""
        while some := decoder.read(1000):
            decoded += some
        assert decoded == piece
    decoder.finish()


@pytest.mark.parametrize("coding", available_codings())
def test_it_is_smaller(coding: str) -> None:
    assert len(encoder_for(coding).encode(b"gust" * 1000, True)) < 100


def test_an_unknown_coding() -> None:
    with pytest.raises(KeyError):
        encoder_for("compress")


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        ("gzip", True),
        ("GZip", True),
        ("deflate, gzip;q=0.5", True),
        ("x-gzip", True),
        ("*", True),
        ("*;q=0.1", True),
        ("br", False),
        ("", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("gzip; q = 0", False),
        ("*, gzip;q=0", False),
        ("*;q=0", False),
        ("gzip;q=0.5, identity;q=0.5", True),
        ("gzip;q=0.5, identity", False),
        ("gzip;q=x", False),
        ("gzip;q=7", False),
        ("gzip;q=nan", False),
        ("not-gzip", False),
        (",,;,", False),
    ],
)
def test_weights_are_honoured(value, accepted):
    assert preferred_coding(value, ["gzip"]) == ("gzip" if accepted else None)


@pytest.mark.parametrize(
    ("value", "chosen"),
    [
        ("gzip, br, zstd", "br"),
        ("gzip, br;q=0.9, zstd", "zstd"),
        ("gzip;q=1, br;q=0.9, *;q=0.1", "gzip"),
        ("br;q=0, *", "zstd"),
        ("identity, gzip;q=0.9, br;q=1", "br"),
        ("identity, *;q=0.9", None),
        ("compress", None),
    ],
)
def test_the_client_chooses_and_then_we(value: str, chosen: str | None) -> None:
    assert preferred_coding(value, ["br", "zstd", "gzip"]) == chosen


@given(st.text())
def test_anything_is_read(value: str) -> None:
    assert preferred_coding(value, ["br", "gzip"]) in (None, "br", "gzip")
