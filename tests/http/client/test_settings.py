"""Settings: what counts for a request, and which connections it may share."""

from __future__ import annotations

import ssl

import pytest

from gustnado.http.client.errors import RequestError
from gustnado.http.client.request import HTTPRequest
from gustnado.http.client.settings import OPTIONS, Settings, settings_for

URL = "http://a.example/"
DEFAULTS = {**HTTPRequest._DEFAULTS, "user_agent": "default"}
PLAIN = Settings(DEFAULTS)


def test_all_options_are_known():
    assert {"connect_timeout", "proxy", "unix_socket", "auth_token"} <= set(OPTIONS)
    assert not {"url", "method", "headers", "body", "json", "use_gzip"} & set(OPTIONS)
    assert all(hasattr(PLAIN, name) and hasattr(HTTPRequest(URL), name) for name in OPTIONS)


def test_a_request_that_says_nothing_shares_settings():
    assert settings_for(HTTPRequest(URL, method="POST", body="x", headers={"A": "b"}), DEFAULTS, PLAIN) is PLAIN


def test_the_request_wins_over_defaults():
    request = HTTPRequest(URL, connect_timeout=1, follow_redirects=False)
    request.request_timeout = 2
    request.user_agent = None
    found = settings_for(request, DEFAULTS, PLAIN)
    assert (found.connect_timeout, found.follow_redirects, found.request_timeout) == (1, False, 2)
    assert (found.user_agent, found.max_redirects) == ("default", 10)


def test_without_credentials():
    found = Settings({**DEFAULTS, "auth_username": "u", "auth_password": "p", "auth_mode": "digest", "auth_token": "t"})
    other = found.without_credentials()
    assert (other.auth_username, other.auth_password, other.auth_mode, other.auth_token) == (None,) * 4
    assert other.user_agent == "default"
    assert found.auth_username == "u"


ONE, OTHER = ssl.create_default_context(), ssl.create_default_context()


@pytest.mark.parametrize(
    "difference",
    [
        {"validate_cert": False}, {"ca_certs": "/a"}, {"client_cert": "/a"}, {"client_key": "/a"},
        {"ssl_options": {"cert_reqs": ssl.CERT_NONE}}, {"ssl_options": ONE}, {"ssl_options": OTHER},
        {"allow_ipv6": False}, {"network_interface": "127.0.0.1"}, {"unix_socket": "/a"},
    ],
)  # fmt: skip
def test_what_keeps_connections_apart(difference):
    values = {**DEFAULTS, **difference}
    assert Settings(values).transport != PLAIN.transport
    assert Settings(values).transport == Settings(values).transport
    hash(Settings(values).transport)


@pytest.mark.parametrize("difference", [{"user_agent": "x"}, {"connect_timeout": 1}, {"auth_username": "x"}])
def test_what_does_not(difference):
    assert Settings({**DEFAULTS, **difference}).transport == PLAIN.transport


def test_contexts_are_told_apart():
    assert Settings({"ssl_options": ONE}).transport != Settings({"ssl_options": OTHER}).transport


def test_a_proxy_by_url():
    proxy = Settings({"proxy": "socks5h://u:p@h:1"}).given_proxy
    assert proxy.identity == ("socks5h", "h", 1, "u", "p")


def test_a_proxy_in_tornados_way():
    values = {"proxy_host": "::1", "proxy_port": 3128, "proxy_username": "u", "proxy_password": "p@"}
    assert Settings(values).given_proxy.identity == ("http", "::1", 3128, "u", "p@")


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"proxy_host": "h"}, "proxy_port"),
        ({"proxy_host": "h\r\nX: y", "proxy_port": 1}, "proxy_host"),
        ({"proxy_host": "h", "proxy_port": 99999}, "proxy_host"),
        ({"proxy_host": "h", "proxy_port": 1, "proxy_auth_mode": "digest"}, "proxy_auth_mode"),
        ({"proxy": "ftp://h"}, "proxy"),
        ({"auth_mode": "asdf"}, "auth_mode"),
    ],
)
def test_options_that_cannot_be(values, names):
    with pytest.raises(RequestError, match=names):
        Settings(values)
