"""HTTPRequest: what a program says, in the types that the client wants."""

from __future__ import annotations

import copy
import datetime

import pytest

from gustnado.http.client.errors import RequestError
from gustnado.http.client.request import HTTPRequest, RequestProxy, headers_from, plain_request
from gustnado.http.headers import HTTPHeaders

URL = "http://a.example/"


def test_only_what_is_given_is_kept():
    request = HTTPRequest(URL, connect_timeout=5, follow_redirects=False)
    assert (request.method, request.connect_timeout, request.follow_redirects) == ("GET", 5, False)
    assert request.request_timeout is None
    assert set(vars(request)) == {"url", "start_time", "connect_timeout", "follow_redirects"}


def test_a_plain_request_is_like_any_other():
    plain, other = plain_request(URL), HTTPRequest(URL)
    assert set(vars(plain)) == set(vars(other)) == {"url", "start_time"}
    assert (plain.method, plain.body, dict(plain.headers)) == (other.method, other.body, dict(other.headers))


@pytest.mark.parametrize(("body", "expected"), [("wïnd", "wïnd".encode()), (b"wind", b"wind"), ("", b""), (None, None)])
def test_bodies_are_bytes(body, expected):
    assert HTTPRequest(URL, body=body).body == expected
    request = HTTPRequest(URL)
    request.body = body
    assert request.body == expected


def test_headers_may_be_given_later():
    request = HTTPRequest(URL)
    assert request.headers == {}
    request.headers["X-A"] = "1"
    assert request.headers == {"X-A": "1"}
    request.headers = {"bar": "baz"}
    assert request.headers == {"bar": "baz"}
    request.headers = None
    assert request.headers == {}


def test_if_modified_since():
    when = datetime.datetime(2026, 11, 27, 12, 0, tzinfo=datetime.UTC)
    request = HTTPRequest(URL, if_modified_since=when)
    assert request.headers == {"If-Modified-Since": "Fri, 27 Nov 2026 12:00:00 GMT"}


def test_use_gzip_is_the_old_name():
    assert HTTPRequest(URL, use_gzip=False).decompress_response is False
    assert HTTPRequest(URL, use_gzip=False, decompress_response=True).decompress_response is True


def test_a_copy_is_of_its_own():
    request = HTTPRequest(URL, connect_timeout=5)
    other = copy.copy(request)
    other.connect_timeout = 6
    assert request.connect_timeout == 5


@pytest.mark.parametrize(
    ("arguments", "content_type", "body"),
    [
        ({"json": {"a": [1, None]}}, "application/json", b'{"a":[1,null]}'),
        ({"json": 0}, "application/json", b"0"),
        ({"form": {"a": "1", "b": ["2", "3"]}}, "application/x-www-form-urlencoded", b"a=1&b=2&b=3"),
        ({"form": {}}, "application/x-www-form-urlencoded", b""),
    ],
)
def test_bodies_of_data(arguments, content_type, body):
    request = HTTPRequest(URL, method="POST", **arguments)
    assert request.body.replace(b" ", b"") == body
    assert request.headers["Content-Type"] == content_type


def test_files_make_a_multipart_body():
    request = HTTPRequest(URL, method="POST", form={"a": "1"}, files={"f": ("x.txt", b"data", "text/plain")})
    boundary = request.headers["Content-Type"].partition("boundary=")[2]
    assert request.body.count(boundary.encode()) == 3
    assert b'name="f"; filename="x.txt"\r\nContent-Type: text/plain\r\n\r\ndata\r\n' in request.body


def test_a_content_type_of_ones_own():
    given = {"content-type": "application/problem+json"}
    request = HTTPRequest(URL, method="POST", json={}, headers=given)
    assert request.headers["Content-Type"] == "application/problem+json"
    assert given == {"content-type": "application/problem+json"}
    assert "multipart" in HTTPRequest(URL, files={"f": b"x"}, headers=given).headers["Content-Type"]


@pytest.mark.parametrize("arguments", [{"body": b"x", "json": 1}, {"json": 1, "form": {}}, {"json": 1, "files": {}}])
def test_a_request_has_one_body(arguments):
    with pytest.raises(RequestError, match="one body"):
        HTTPRequest(URL, method="POST", **arguments)


def test_headers_from_any_mapping():
    assert dict(headers_from({"x-a": "1", "X-B": b"2"})) == {"X-A": "1", "X-B": "2"}
    assert dict(headers_from(None)) == {}
    several = HTTPHeaders()
    several.add("A", "1")
    several.add("A", "2")
    copied = headers_from(several)
    assert copied.get_list("A") == ["1", "2"]
    assert copied is not several


@pytest.mark.parametrize(
    ("name", "value"),
    [("a\rb", "x"), ("a\nb", "x"), ("", "x"), ("a b", "x"), ("a:", "x"), ("é", "x"), ("X-A", "a\r\nX-B: c"),
     ("X-A", "a\nb"), ("X-A", "a\0"), ("X-A", "\u0161"), ("X-A", 5), ("X-A", b"\xff"), ("X-A", b"a\r\n")],
)  # fmt: skip
def test_headers_that_cannot_be_sent(name, value):
    """The message names the field."""
    with pytest.raises(ValueError) as caught:
        headers_from({name: value})
    assert (name or "''") in str(caught.value) or repr(name) in str(caught.value) or "utf-8" in str(caught.value)


def test_a_proxy_asks_request_then_defaults():
    request = HTTPRequest(URL, connect_timeout=5)
    proxy = RequestProxy(request, {"connect_timeout": 7, "request_timeout": 8})
    assert (proxy.connect_timeout, proxy.request_timeout, proxy.auth_mode) == (5, 8, None)
    assert RequestProxy(request, None).request_timeout is None
    with pytest.raises(AttributeError):
        proxy.wind  # noqa: B018
