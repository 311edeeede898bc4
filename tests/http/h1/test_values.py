"""Numbers and codings of header fields."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.errors import HTTPInputError
from gustnado.http.h1.values import CR_OR_LF_RE, is_transfer_encoding_chunked, parse_hex_int, parse_int
from gustnado.http.headers import HTTPHeaders


@given(st.integers(0, 10**18 - 1))
def test_numbers_come_back(number: int) -> None:
    assert parse_int(str(number)) == number
    assert parse_hex_int(f"{number:x}") == parse_hex_int(f"{number:X}") == number


@pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1 ", "1_0", "0x1", "\u0661", "\uff11", "1\n", "9" * 5000])
def test_what_is_no_number(text: str) -> None:
    for parse in (parse_int, parse_hex_int):
        with pytest.raises(ValueError, match="not a"):
            parse(text)


def test_decimal_digits_only() -> None:
    with pytest.raises(ValueError, match="not an integer"):
        parse_int("a")


@pytest.mark.parametrize("coding", [None, "chunked", "Chunked"])
def test_chunked_or_not(coding: str | None) -> None:
    headers = HTTPHeaders() if coding is None else HTTPHeaders({"Transfer-Encoding": coding})
    assert is_transfer_encoding_chunked(headers) is (coding is not None)


@pytest.mark.parametrize("coding", ["gzip", "gzip, chunked", "chunked, chunked", "", "xchunked"])
def test_other_codings(coding: str) -> None:
    with pytest.raises(HTTPInputError, match="Unsupported"):
        is_transfer_encoding_chunked(HTTPHeaders({"Transfer-Encoding": coding}))


def test_not_with_a_length() -> None:
    with pytest.raises(HTTPInputError, match="both"):
        is_transfer_encoding_chunked(HTTPHeaders({"Transfer-Encoding": "chunked", "Content-Length": "1"}))


def test_line_ends() -> None:
    assert CR_OR_LF_RE.search(b"a\rb")
    assert not CR_OR_LF_RE.search(b"ab")
