"""Ports that nothing else listens on."""

from __future__ import annotations

import socket

import pytest

from gustnado.testing import bind_unused_port, get_unused_port


def test_the_port_is_bound_and_takes_connections():
    sock, port = bind_unused_port()
    with sock, socket.create_connection(("127.0.0.1", port), timeout=10):
        assert sock.getsockname() == ("127.0.0.1", port)


def test_each_call_has_another_port():
    (first, port), (second, other) = bind_unused_port(), bind_unused_port()
    first.close()
    second.close()
    assert port != other


def test_an_ipv6_address_is_bound():
    sock, port = bind_unused_port(address="::1")
    with sock:
        assert sock.getsockname()[:2] == ("::1", port)


def test_the_port_can_be_shared():
    sock, port = bind_unused_port(reuse_port=True)
    with sock, socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", port))


def test_an_address_of_another_machine_is_an_error_that_names_it():
    with pytest.raises(OSError, match=r"192\.0\.2\.1"):
        bind_unused_port(address="192.0.2.1")


def test_an_unused_port_can_be_bound():
    port = get_unused_port()
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", port))
