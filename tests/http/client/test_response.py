"""HTTPResponse: Tornado's fields, with Tornado's meaning."""

from __future__ import annotations

from io import BytesIO

import pytest

from gustnado.http.client.errors import HTTPClientError, HTTPTimeoutError
from gustnado.http.client.request import HTTPRequest, RequestProxy
from gustnado.http.client.response import HTTPResponse
from gustnado.http.headers import HTTPHeaders

REQUEST = HTTPRequest("http://a.example/")


def test_what_is_not_given():
    response = HTTPResponse(REQUEST, 200)
    assert (response.reason, response.effective_url, response.error) == ("OK", REQUEST.url, None)
    assert (response.body, response.buffer, dict(response.headers), response.time_info) == (b"", None, {}, {})
    assert response.request_time is response.start_time is None
    response.rethrow()


@pytest.mark.parametrize("code", [199, 300, 304, 404, 500])
def test_other_codes_are_errors(code):
    response = HTTPResponse(REQUEST, code, reason="Because")
    assert isinstance(response.error, HTTPClientError)
    assert (response.error.code, response.error.response) == (code, response)
    assert str(response.error) == f"HTTP {code}: Because"
    with pytest.raises(HTTPClientError):
        response.rethrow()


def test_an_error_of_ones_own():
    error = HTTPTimeoutError("late")
    response = HTTPResponse(REQUEST, 599, error=error)
    assert response.error is error
    assert response.reason == "Unknown"
    assert not response._error_is_response_code


def test_the_body_is_that_of_the_buffer():
    response = HTTPResponse(REQUEST, 200, buffer=BytesIO(b"wind"))
    assert response.body == b"wind"
    assert response.buffer.read() == b"wind"
    response.buffer = BytesIO(b"gust")
    assert response.body == b"gust"


def test_the_buffer_is_made_of_the_body():
    response = HTTPResponse(REQUEST, 200)
    response._body = b"wind"
    assert response.buffer.read() == b"wind"


def test_the_request_is_the_programs():
    assert HTTPResponse(RequestProxy(REQUEST, {}), 200).request is REQUEST


def test_it_shows_what_it_is_but_not_all_of_it():
    response = HTTPResponse(REQUEST, 404, headers=HTTPHeaders({"X-A": "1"}), buffer=BytesIO(b"x" * 100000))
    shown = repr(response)
    assert shown.startswith("HTTPResponse(code=404, ")
    assert "body=100000 bytes" in shown
    assert len(shown) < 500
