"""Tests for gustnado.http.ws.handshake."""

from __future__ import annotations

import base64

import pytest

from gustnado.http.headers import HTTPHeaders
from gustnado.http.ws.errors import WebSocketHandshakeError
from gustnado.http.ws.handshake import (
    accept_key,
    check_key,
    check_response,
    check_upgrade,
    check_version,
    new_key,
    offered_extensions,
    offered_subprotocols,
)

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def request(**changes):
    headers = HTTPHeaders({"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": KEY})
    for name, value in changes.items():
        headers[name.replace("_", "-")] = value
    return headers


def response(**changes):
    headers = request(**{"Sec_WebSocket_Accept": accept_key(KEY), **changes})
    return headers


@pytest.mark.parametrize("upgrade", ["websocket", "WebSocket", "h2c, websocket"])
@pytest.mark.parametrize("connection", ["Upgrade", "keep-alive, Upgrade", "UPGRADE ,close"])
def test_a_request_for_a_websocket(upgrade, connection):
    check_upgrade(request(Upgrade=upgrade, Connection=connection), "HTTP/1.1")


@pytest.mark.parametrize(
    ("changes", "version", "words"),
    [
        ({"Upgrade": "websocketx"}, "HTTP/1.1", 'Can "Upgrade" only'),
        ({"Upgrade": "notwebsocket"}, "HTTP/1.1", 'Can "Upgrade" only'),
        ({"Upgrade": ""}, "HTTP/1.1", 'Can "Upgrade" only'),
        ({"Connection": "keep-alive"}, "HTTP/1.1", '"Connection" must be'),
        ({"Connection": "upgraded"}, "HTTP/1.1", '"Connection" must be'),
        ({}, "HTTP/1.0", "HTTP/1.1"),
    ],
)
def test_a_request_for_something_else(changes, version, words):
    """110, 38."""
    with pytest.raises(WebSocketHandshakeError, match=words) as caught:
        check_upgrade(request(**changes), version)
    assert caught.value.status == 400


@pytest.mark.parametrize("version", [None, "", "8", "12", "013", "13, 8", "14"])
def test_another_version(version):
    """110, T7."""
    headers = request() if version is None else request(Sec_WebSocket_Version=version)
    with pytest.raises(WebSocketHandshakeError, match="13") as caught:
        check_version(headers)
    assert caught.value.status == 426


def test_the_right_version():
    check_version(request(Sec_WebSocket_Version="13"))


def test_a_good_key():
    assert check_key(request()) == KEY


SHORT = base64.b64encode(bytes(15)).decode()


@pytest.mark.parametrize("key", [None, "", "abc", KEY[:-1], KEY + "=", "a" * 24, SHORT, KEY + "\xe9"])
def test_a_bad_key(key):
    """110."""
    headers = request()
    del headers["Sec-WebSocket-Key"]
    if key is not None:
        headers["Sec-WebSocket-Key"] = key
    with pytest.raises(WebSocketHandshakeError, match="Missing/Invalid") as caught:
        check_key(headers)
    assert caught.value.status == 400


def test_two_keys():
    """110."""
    headers = request()
    headers.add("Sec-WebSocket-Key", KEY)
    with pytest.raises(WebSocketHandshakeError, match="Missing/Invalid"):
        check_key(headers)


def test_keys_are_random_and_well_formed():
    keys = {new_key() for _ in range(50)}
    assert len(keys) == 50
    for key in keys:
        assert check_key(request(Sec_WebSocket_Key=key)) == key


def test_subprotocols_in_the_clients_order():
    headers = request(Sec_WebSocket_Protocol="b, a")
    headers.add("Sec-WebSocket-Protocol", "c")
    assert offered_subprotocols(headers) == ["b", "a", "c"]
    assert offered_subprotocols(request()) == []


def test_malformed_subprotocols():
    """112."""
    with pytest.raises(WebSocketHandshakeError, match="Sec-WebSocket-Protocol"):
        offered_subprotocols(request(Sec_WebSocket_Protocol="a,,b"))


def test_extensions():
    assert offered_extensions(request(Sec_WebSocket_Extensions="a; b")) == [("a", {"b": None})]
    assert offered_extensions(request()) == []


def test_a_good_response():
    assert check_response(response(), KEY, []) is None
    assert check_response(response(Sec_WebSocket_Protocol="b"), KEY, ["a", "b"]) == "b"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Sec_WebSocket_Accept": "x"}, "Accept"),
        ({"Sec_WebSocket_Accept": accept_key(KEY).lower()}, "Accept"),
        ({"Upgrade": "h2c"}, "another protocol"),
        ({"Connection": "close"}, "another protocol"),
        ({"Sec_WebSocket_Protocol": "b"}, "subprotocol"),
        ({"Sec_WebSocket_Protocol": "a, b"}, "subprotocol"),
    ],
)
def test_a_bad_response(changes, words):
    """113."""
    with pytest.raises(WebSocketHandshakeError, match=words):
        check_response(response(**changes), KEY, ["a"])


def test_a_response_without_an_answer_to_the_key():
    """113."""
    with pytest.raises(WebSocketHandshakeError, match="Accept"):
        check_response(request(), KEY, [])
