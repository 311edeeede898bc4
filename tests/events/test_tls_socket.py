"""The socket of a TLS stream answers for both layers."""

from __future__ import annotations

import socket
import ssl

import pytest

from gustnado.events.tls_socket import TLSSocket, plain_socket


class FakeTLS:
    def getpeercert(self, binary_form):
        return b"der" if binary_form else {"subject": ()}

    def cipher(self):
        return ("TLS_AES_256_GCM_SHA384", "TLSv1.3", 256)

    def version(self):
        return "TLSv1.3"

    def selected_alpn_protocol(self):
        return "h2"

    def compression(self):
        return None

    def get_channel_binding(self, cb_type):
        return cb_type.encode()


@pytest.fixture
def plain():
    left, right = socket.socketpair()
    with left, right:
        yield left


def test_before_the_handshake_there_is_nothing_to_know(plain):
    sock = TLSSocket(plain, ssl.create_default_context(), False, "example.org")
    assert sock.cipher() is sock.version() is sock.selected_alpn_protocol() is None
    assert sock.compression() is sock.get_channel_binding() is None
    with pytest.raises(ValueError, match="handshake"):
        sock.getpeercert()
    assert "before the handshake" in repr(sock)
    assert (sock.server_side, sock.server_hostname) == (False, "example.org")


def test_after_it_the_tls_layer_answers(plain):
    sock = TLSSocket(plain, ssl.create_default_context(), False, None)
    sock.handshake_done(FakeTLS())
    assert sock.cipher()[0] == "TLS_AES_256_GCM_SHA384"
    assert sock.version() == "TLSv1.3"
    assert sock.selected_alpn_protocol() == "h2"
    assert sock.compression() is None
    assert sock.getpeercert() == {"subject": ()}
    assert sock.getpeercert(binary_form=True) == b"der"
    assert sock.get_channel_binding("tls-exporter") == b"tls-exporter"
    assert "TLSv1.3" in repr(sock)


def test_all_else_is_the_plain_sockets(plain):
    sock = TLSSocket(plain, ssl.create_default_context(), False, None)
    assert sock.fileno() == plain.fileno()
    assert sock.family == plain.family
    with pytest.raises(AttributeError):
        sock.no_such_thing  # noqa: B018


def test_a_wrapped_socket_gives_its_plain_one(plain):
    wrapped = ssl._create_unverified_context().wrap_socket(plain, do_handshake_on_connect=False)
    fd = wrapped.fileno()
    with plain_socket(wrapped) as taken:
        assert type(taken) is socket.socket
        assert taken.fileno() == fd
        assert wrapped.fileno() == -1
