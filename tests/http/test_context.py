"""What is known of a peer, and of the client behind it."""

from __future__ import annotations

import socket
import types
from typing import Any

import pytest

from gustnado.http.context import ConnectionContext
from gustnado.http.proxy_protocol import ProxyHeader


def stream(family: int = socket.AF_INET) -> Any:
    return types.SimpleNamespace(socket=types.SimpleNamespace(family=family), get_peername=lambda: ("10.0.0.1", 5))


@pytest.mark.parametrize(
    ("family", "address", "remote_ip", "peer_ip"),
    [
        (socket.AF_INET, ("192.0.2.7", 1), "192.0.2.7", "192.0.2.7"),
        (socket.AF_INET6, ("::1", 1, 0, 0), "::1", "::1"),
        (socket.AF_UNIX, "", "0.0.0.0", None),
        (socket.AF_INET, None, "0.0.0.0", None),
    ],
)
def test_a_peer(family: int, address: Any, remote_ip: str, peer_ip: str | None) -> None:
    context = ConnectionContext(stream(family), address, None)
    assert (context.remote_ip, context.protocol, str(context)) == (remote_ip, "http", remote_ip)
    assert (context.address, context.peer_ip, context.caller) == (address, peer_ip, peer_ip)


def test_a_stream_that_is_closed_already_has_no_address() -> None:
    context = ConnectionContext(types.SimpleNamespace(socket=None), ("192.0.2.7", 1), "https")  # type: ignore[arg-type]
    assert (context.remote_ip, context.protocol) == ("0.0.0.0", "https")


class TestProxyHeaders:
    def test_the_client_is_who_it_says(self) -> None:
        header = ProxyHeader(1, ("192.0.2.7", 4711), ("198.51.100.1", 443))
        context = ConnectionContext(stream(), header.source, None, None, header)
        assert (context.remote_ip, context.address) == ("192.0.2.7", ("192.0.2.7", 4711))
        assert (context.peer_ip, context.caller) == ("10.0.0.1", "192.0.2.7")
        assert context.proxy_header is header

    def test_a_proxy_that_speaks_for_itself_is_the_client(self) -> None:
        context = ConnectionContext(stream(), ("10.0.0.1", 5), None, None, ProxyHeader(2, None, None))
        assert (context.remote_ip, context.caller, context.protocol) == ("10.0.0.1", "10.0.0.1", "http")

    def test_a_client_on_a_unix_socket_has_no_address(self) -> None:
        context = ConnectionContext(stream(), "/run/x", None, None, ProxyHeader(2, "/run/x", "/run/y"))
        assert (context.remote_ip, context.caller, context.address) == ("0.0.0.0", None, "/run/x")

    @pytest.mark.parametrize(("given", "protocol"), [(None, "https"), ("http", "http")])
    def test_its_client_may_speak_tls(self, given: str | None, protocol: str) -> None:
        header = ProxyHeader(2, ("192.0.2.7", 1), ("192.0.2.8", 2), ((0x20, b"\x01"),))
        assert ConnectionContext(stream(), header.source, given, None, header).protocol == protocol


def test_a_request_may_see_it_otherwise() -> None:
    context = ConnectionContext(stream(), ("10.0.0.1", 5), None)
    seen = context.seen_as("203.0.113.9", "https")
    assert (seen.remote_ip, seen.protocol, seen.peer_ip) == ("203.0.113.9", "https", "10.0.0.1")
    assert (context.remote_ip, context.protocol) == ("10.0.0.1", "http")
    assert context.seen_as(None, None).remote_ip == "10.0.0.1"
