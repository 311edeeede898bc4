"""Redirects: which method, what goes along, and what must not."""

from __future__ import annotations

import pytest

from gustnado.http.client.errors import InvalidURLError, UnsafeRedirectError
from gustnado.http.client.redirects import REDIRECTS, next_step
from gustnado.http.client.urls import parse_url
from gustnado.http.headers import HTTPHeaders

HOME = parse_url("https://a.example/x")
GIVEN = HTTPHeaders(
    {"Authorization": "s", "Cookie": "s", "Proxy-Authorization": "s", "Host": "h", "X-Mine": "1", "Content-Type": "t"}
)


def step(code=302, location="/y", method="GET", headers=GIVEN, url=HOME, allow_downgrade=False):
    return next_step(code, location, url, method, headers, allow_downgrade)


@pytest.mark.parametrize(
    ("code", "method", "expected"),
    [
        (301, "POST", "GET"), (302, "POST", "GET"), (303, "POST", "GET"), (303, "PUT", "GET"), (303, "DELETE", "GET"),
        (303, "HEAD", "HEAD"), (303, "GET", "GET"), (301, "PUT", "PUT"), (302, "DELETE", "DELETE"),
        (301, "HEAD", "HEAD"), (307, "POST", "POST"), (308, "POST", "POST"), (307, "GET", "GET"),
        (302, "OTHER", "OTHER"),
    ],
)  # fmt: skip
def test_methods(code, method, expected):
    found = step(code, method=method)
    assert found.method == expected
    became_get = method != expected or (code == 303 and method == "GET")
    assert found.keeps_body == (not became_get)
    assert ("Content-Type" in found.headers) == (not became_get)


def test_codes():
    assert {301, 302, 303, 307, 308} == REDIRECTS


def test_the_same_origin_keeps_credentials():
    for location in ("/y", "https://A.example:443/z", "//a.example/"):
        found = step(location=location)
        assert found.same_origin
        assert dict(found.headers) == dict(GIVEN)


@pytest.mark.parametrize("location", ["https://b.example/", "https://a.example:444/", "https://www.a.example/"])
def test_another_origin_gets_none(location):
    found = step(location=location)
    assert not found.same_origin
    assert dict(found.headers) == {"X-Mine": "1", "Content-Type": "t"}


def test_several_values_go_together():
    headers = HTTPHeaders()
    headers.add("Cookie", "a=1")
    headers.add("Cookie", "b=2")
    assert not step(location="https://b.example/", headers=headers).headers


def test_what_was_dropped_does_not_come_back():
    away = step(location="https://b.example/")
    back = step(location="https://a.example/", url=away.url, headers=away.headers)
    assert not back.same_origin
    assert "Authorization" not in back.headers


def test_what_is_given_is_not_changed():
    before = dict(GIVEN)
    step(303, "https://b.example/", "POST")
    assert dict(GIVEN) == before


def test_no_step_down_from_https():
    with pytest.raises(UnsafeRedirectError, match="gives up TLS"):
        step(location="http://a.example/")
    assert step(location="http://a.example/", allow_downgrade=True).url.scheme == "http"
    assert step(location="https://a.example/", url=parse_url("http://a.example/")).url.scheme == "https"


def test_where_nobody_can_go():
    with pytest.raises(InvalidURLError, match="Unsupported url scheme"):
        step(location="ftp://a.example/")
