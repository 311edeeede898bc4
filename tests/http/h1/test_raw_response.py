"""Responses that are written as they go over the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.errors import HTTPOutputError
from gustnado.http.h1.raw_response import parse_raw_response
from gustnado.http.messages import ResponseStartLine


def test_head_and_body() -> None:
    start_line, headers, body = parse_raw_response(b"HTTP/1.0 404 Not here\r\nA: b\r\nA: c\r\n\r\n\r\nbody")
    assert start_line == ResponseStartLine("HTTP/1.0", 404, "Not here")
    assert list(headers.get_all()) == [("A", "b"), ("A", "c")]
    assert body == b"\r\nbody"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"Hello",
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200 OK\r\nA: b\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA\r\n\r\n",
    ],
)
def test_what_is_no_head_is_an_error_of_the_program(data: bytes) -> None:
    with pytest.raises(HTTPOutputError):
        parse_raw_response(data)


@given(st.binary())
def test_anything_is_taken_or_refused(data: bytes) -> None:
    try:
        parse_raw_response(b"HTTP/1.1 200 OK\r\n" + data)
    except HTTPOutputError:
        pass
