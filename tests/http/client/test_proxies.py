"""Proxies: which one, for whom, and what is said to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.http.client.errors import ProxyError, RequestError
from gustnado.http.client.proxies import (
    Proxy,
    bypasses,
    parse_proxy,
    proxy_from_environment,
    socks_connect,
    socks_credentials,
    socks_greeting,
    socks_refusal,
)
from gustnado.http.client.urls import parse_url

HTTP, HTTPS = parse_url("http://a.example/"), parse_url("https://a.example/")
SOCKS = Proxy("socks5", "h", 1080, "me", "secret")


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        ("http://h", ("http", "h", 80, None, "")),
        ("h:3128", ("http", "h", 3128, None, "")),
        ("HTTPS://h/", ("https", "h", 443, None, "")),
        ("socks5://h", ("socks5", "h", 1080, None, "")),
        ("socks5h://u:p%40@h:80", ("socks5h", "h", 80, "u", "p@")),
        ("http://[::1]", ("http", "::1", 80, None, "")),
        ("socks5://[::1]:9", ("socks5", "::1", 9, None, "")),
    ],
)
def test_urls(url, identity):
    assert parse_proxy(url).identity == identity


@pytest.mark.parametrize("url", ["ftp://h", "http://", "socks4://h", "http://h:0", "http://a b", "h\r\n", ""])
def test_urls_that_are_none(url):
    with pytest.raises(RequestError, match="HTTP_PROXY: "):
        parse_proxy(url, "HTTP_PROXY")


def test_neither_password_nor_username_is_shown():
    proxy = parse_proxy("http://me:secret@h:1")
    for text in (str(proxy), repr(proxy), str([proxy])):
        assert "secret" not in text
        assert "me" not in text
    with pytest.raises(RequestError) as caught:
        parse_proxy("http://me:secret@h:0")
    assert "secret" not in str(caught.value)


def test_credentials_keep_connections_apart():
    assert parse_proxy("http://a:b@h") == parse_proxy("http://a:b@h:80")
    others = ("http://h", "http://a@h", "http://a:b@h", "https://h:80", "http://h:81")
    assert len({parse_proxy(url) for url in others}) == 5


def test_who_needs_a_tunnel():
    assert not parse_proxy("http://h").tunnels(HTTP)
    assert parse_proxy("http://h").tunnels(HTTPS)
    assert SOCKS.tunnels(HTTP)
    assert SOCKS.authorization is None
    assert parse_proxy("http://u:p@h").authorization == "Basic dTpw"


@pytest.mark.parametrize(
    ("environ", "url", "expected"),
    [
        ({}, HTTP, None),
        ({"http_proxy": "http://p"}, HTTP, "http://p:80"),
        ({"HTTP_PROXY": "http://p"}, HTTP, "http://p:80"),
        ({"http_proxy": "http://p", "HTTP_PROXY": "http://q"}, HTTP, "http://p:80"),
        ({"http_proxy": "http://p"}, HTTPS, None),
        ({"https_proxy": "http://p"}, HTTPS, "http://p:80"),
        ({"ALL_PROXY": "socks5h://p"}, HTTPS, "socks5h://p:1080"),
        ({"https_proxy": "http://p", "all_proxy": "http://q"}, HTTPS, "http://p:80"),
        ({"HTTP_PROXY": "http://p", "REQUEST_METHOD": "GET"}, HTTP, None),
        ({"http_proxy": "http://p", "REQUEST_METHOD": "GET"}, HTTP, "http://p:80"),
        ({"http_proxy": ""}, HTTP, None),
        ({"http_proxy": "http://p", "no_proxy": "a.example"}, HTTP, None),
        ({"http_proxy": "http://p", "NO_PROXY": "*"}, HTTP, None),
        ({"http_proxy": "http://p", "no_proxy": "b.example"}, HTTP, "http://p:80"),
    ],
)
def test_the_environment(environ, url, expected):
    found = proxy_from_environment(environ, url)
    assert (None if found is None else str(found)) == expected


def test_a_malformed_variable_is_named():
    with pytest.raises(RequestError, match="https_proxy: "):
        proxy_from_environment({"https_proxy": "wind://x"}, HTTPS)


@pytest.mark.parametrize(
    ("no_proxy", "host", "port", "expected"),
    [
        ("example.org", "example.org", 80, True),
        ("example.org", "www.example.org", 80, True),
        (".example.org", "www.example.org", 80, True),
        (".example.org", "example.org", 80, True),
        ("example.org", "badexample.org", 80, False),
        ("Example.ORG", "example.org.", 80, True),
        ("a, example.org", "example.org", 80, True),
        ("example.org:8080", "example.org", 8080, True),
        ("example.org:8080", "example.org", 80, False),
        ("127.0.0.1", "127.0.0.1", 80, True),
        ("127.0.0.0/8", "127.1.2.3", 80, True),
        ("127.0.0.0/8", "128.0.0.1", 80, False),
        ("0.0.1", "127.0.0.1", 80, False),
        ("::1", "::1", 80, True),
        ("[::1]", "::1", 80, True),
        ("[::1]:81", "::1", 80, False),
        ("fe80::/10", "fe81::1", 80, True),
        ("", "a", 80, False),
        (",, ,", "a", 80, False),
        (".", "a", 80, False),
    ],
)
def test_exceptions(no_proxy, host, port, expected):
    assert bypasses(no_proxy, host, port) == expected


@given(st.text(max_size=40), st.sampled_from(["a.example", "127.0.0.1", "::1"]))
def test_no_list_breaks_it(no_proxy, host):
    assert bypasses(no_proxy, host, 80) in (True, False)


def test_socks_without_credentials():
    proxy = Proxy("socks5", "h", 1080)
    assert socks_greeting(proxy) == b"\x05\x01\x00"
    assert socks_credentials(proxy, b"\x05\x00") == b""


def test_socks_with_credentials():
    assert socks_greeting(SOCKS) == b"\x05\x02\x00\x02"
    assert socks_credentials(SOCKS, b"\x05\x02") == b"\x01\x02me\x06secret"
    assert socks_credentials(SOCKS, b"\x05\x00") == b""


@pytest.mark.parametrize(
    ("proxy", "choice"),
    [(SOCKS, b"\x04\x00"), (SOCKS, b"\x05\xff"), (SOCKS, b"\x05\x01"), (Proxy("socks5", "h", 1), b"\x05\x02"),
     (Proxy("socks5", "h", 1, "u", ""), b"\x05\x02"), (Proxy("socks5", "h", 1, "u" * 256, "p"), b"\x05\x02")],
)  # fmt: skip
def test_choices_that_cannot_be(proxy, choice):
    with pytest.raises(ProxyError) as caught:
        socks_credentials(proxy, choice)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("1.2.3.4", b"\x05\x01\x00\x01\x01\x02\x03\x04\x1f\x90"),
        ("::1", b"\x05\x01\x00\x04" + b"\0" * 15 + b"\x01\x1f\x90"),
        ("a.example", b"\x05\x01\x00\x03\x09a.example\x1f\x90"),
    ],
)
def test_socks_requests(host, expected):
    assert socks_connect(host, 8080) == expected


def test_a_name_that_is_too_long():
    with pytest.raises(ProxyError, match="too long"):
        socks_connect("a" * 256, 80)


def test_socks_replies():
    assert socks_refusal(SOCKS, b"\x05\x00\x00\x01\x7f") == 5
    assert socks_refusal(SOCKS, b"\x05\x00\x00\x04\x7f") == 17
    assert socks_refusal(SOCKS, b"\x05\x00\x00\x03\x07") == 9


@pytest.mark.parametrize(
    ("reply", "message"),
    [(b"\x05\x05\x00\x01\x00", "connection refused"), (b"\x05\x63\x00\x01\x00", "error 99"),
     (b"\x04\x00\x00\x01\x00", "SOCKS 5"), (b"\x05\x00\x00\x02\x00", "unknown type")],
)  # fmt: skip
def test_socks_refusals(reply, message):
    with pytest.raises(ProxyError, match=message):
        socks_refusal(SOCKS, reply)
