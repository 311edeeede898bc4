"""Heads of requests: what the client adds, what it leaves, what it refuses."""

from __future__ import annotations

import pytest

from gustnado.http.client.errors import RequestError, UnknownMethodError
from gustnado.http.client.prepare import (
    IN_PIECES,
    check_body,
    credentials,
    head_for,
    parse_url,
    username_password,
)
from gustnado.http.client.request import HTTPRequest
from gustnado.http.client.settings import Settings
from gustnado.http.headers import HTTPHeaders

DEFAULTS = HTTPRequest._DEFAULTS
URL = parse_url("http://a.example/x")


def head(method="GET", headers=None, size=None, url=URL, **options):
    settings = Settings({**DEFAULTS, "decompress_response": False, **options})
    data = head_for(method, url.target, url.authority, HTTPHeaders(headers or {}), size, settings, "gust/1")
    first, *lines = data.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    return first, dict(line.split(": ", 1) for line in lines)


def test_the_least():
    assert head() == ("GET /x HTTP/1.1", {"Host": "a.example", "User-Agent": "gust/1"})


def test_codings_are_asked_for():
    _, fields = head(decompress_response=True)
    assert fields["Accept-Encoding"].startswith("gzip, deflate")
    _, fields = head(decompress_response=True, headers={"Accept-Encoding": "identity"})
    assert fields["Accept-Encoding"] == "identity"


def test_who_we_are():
    assert head(headers={"User-Agent": "mine"})[1]["User-Agent"] == "mine"
    assert head(headers={"User-Agent": "mine"}, user_agent="option")[1]["User-Agent"] == "option"
    assert head(user_agent="option")[1]["User-Agent"] == "option"


def test_sizes():
    assert head("PUT", size=0)[1]["Content-Length"] == "0"
    assert head("PUT", size=5, headers={"Content-Length": "99"})[1]["Content-Length"] == "5"
    assert head("PUT", size=IN_PIECES)[1]["Transfer-Encoding"] == "chunked"
    _, fields = head("PUT", size=IN_PIECES, headers={"Content-Length": "8"})
    assert (fields["Content-Length"], "Transfer-Encoding" in fields) == ("8", False)
    assert "Content-Length" not in head(headers={"Content-Length": "0"})[1]


def test_forms_are_the_usual_post():
    assert head("POST", size=1)[1]["Content-Type"] == "application/x-www-form-urlencoded"
    assert head("POST", size=1, headers={"content-type": "x/y"})[1]["Content-Type"] == "x/y"
    assert "Content-Type" not in head("PUT", size=1)[1]


def test_expectations_need_a_body():
    assert head("PUT", size=1, expect_100_continue=True)[1]["Expect"] == "100-continue"
    assert "Expect" not in head(expect_100_continue=True)[1]


@pytest.mark.parametrize(
    ("headers", "size", "options", "names"),
    [
        ({"Transfer-Encoding": "chunked"}, 1, {}, "Transfer-Encoding"),
        ({"Content-Length": "5"}, None, {}, "Content-Length"),
        ({"Content-Length": "x"}, 1, {}, "Content-Length"),
        ({"Content-Length": "5, 5"}, IN_PIECES, {}, "Content-Length"),
        ({}, None, {"user_agent": "a\r\nb"}, "user_agent"),
        ({}, None, {"user_agent": "\u0161"}, "user_agent"),
    ],
)
def test_what_cannot_be_sent(headers, size, options, names):
    with pytest.raises(RequestError, match=names):
        head("PUT", headers=headers, size=size, **options)


def test_a_method_that_is_no_token():
    with pytest.raises(RequestError, match="method"):
        head("G\r\nT")


def test_given_headers_are_not_changed():
    headers = HTTPHeaders({"User-Agent": "mine", "Content-Length": "3"})
    settings = Settings({**DEFAULTS, "user_agent": "option"})
    head_for("PUT", "/", "h", headers, 3, settings, "x")
    assert dict(headers) == {"User-Agent": "mine", "Content-Length": "3"}


@pytest.mark.parametrize(
    ("method", "has_body", "fits"),
    [("GET", False, True), ("GET", True, False), ("POST", True, True), ("POST", False, False), ("PUT", False, False),
     ("PATCH", True, True), ("DELETE", True, False), ("HEAD", False, True), ("OPTIONS", True, False)],
)  # fmt: skip
def test_bodies_go_with_methods(method, has_body, fits):
    check_body(method, has_body, Settings({"allow_nonstandard_methods": True}))
    if fits:
        check_body(method, has_body, Settings({}))
    else:
        with pytest.raises(RequestError, match=r"must (not )?be None"):
            check_body(method, has_body, Settings({}))


def test_methods_that_nobody_knows():
    with pytest.raises(UnknownMethodError, match="allow_nonstandard_methods"):
        check_body("WIND", False, Settings({}))
    check_body("WIND", True, Settings({"allow_nonstandard_methods": True}))


def test_credentials():
    in_url = parse_url("http://u:p@a.example/")
    assert credentials(URL, Settings({})) is None
    assert credentials(in_url, Settings({"auth_username": "other"})) == "Basic dTpw"
    assert credentials(URL, Settings({"auth_username": "u", "auth_password": "p"})) == "Basic dTpw"
    assert credentials(URL, Settings({"auth_token": "t0k"})) == "Bearer t0k"
    assert credentials(in_url, Settings({"auth_mode": "digest"})) is None
    assert username_password(URL, Settings({"auth_username": "u"})) == ("u", "")
    assert username_password(URL, Settings({"auth_token": "t"})) is None
