from __future__ import annotations

import importlib.util
import pathlib
import socket
import ssl
import threading

import pytest

from gustnado.events.tls import ssl_options_to_context, ssl_wrap_socket

spec = importlib.util.find_spec("tornado")
assert spec is not None and spec.origin is not None
CERTS = pathlib.Path(spec.origin).parent / "test"
CERT, KEY = str(CERTS / "test.crt"), str(CERTS / "test.key")


def test_a_context_is_returned_as_it_is():
    context = ssl.create_default_context()
    assert ssl_options_to_context(context) is context


def test_T3_a_server_has_safe_defaults():
    context = ssl_options_to_context({"certfile": CERT, "keyfile": KEY}, server_side=True)
    assert context.protocol == ssl.PROTOCOL_TLS_SERVER
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_COMPRESSION
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert context.verify_mode == ssl.CERT_NONE


def test_a_client_verifies_by_default():
    context = ssl_options_to_context({}, server_side=False)
    assert context.protocol == ssl.PROTOCOL_TLS_CLIENT
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


def test_a_client_need_not_verify():
    context = ssl_options_to_context({"cert_reqs": ssl.CERT_NONE}, server_side=False)
    assert context.verify_mode == ssl.CERT_NONE
    assert not context.check_hostname


def test_given_authorities_are_the_only_ones():
    context = ssl_options_to_context({"ca_certs": CERT}, server_side=False)
    assert context.cert_store_stats()["x509"] == 1


def test_a_server_may_ask_for_client_certificates():
    options = {"certfile": CERT, "keyfile": KEY, "ca_certs": CERT, "cert_reqs": ssl.CERT_REQUIRED}
    assert ssl_options_to_context(options, server_side=True).verify_mode == ssl.CERT_REQUIRED


def test_the_side_is_guessed_by_the_certificate():
    assert ssl_options_to_context({"certfile": CERT, "keyfile": KEY}).protocol == ssl.PROTOCOL_TLS_SERVER
    assert ssl_options_to_context({}).protocol == ssl.PROTOCOL_TLS_CLIENT


def test_ciphers():
    context = ssl_options_to_context({"ciphers": "ECDHE-RSA-AES128-GCM-SHA256"}, server_side=False)
    assert "ECDHE-RSA-AES128-GCM-SHA256" in {cipher["name"] for cipher in context.get_ciphers()}
    with pytest.raises(ssl.SSLError):
        ssl_options_to_context({"ciphers": "none such"}, server_side=False)


def test_T3_versions():
    for version in (ssl.PROTOCOL_TLS, ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER):
        context = ssl_options_to_context({"ssl_version": version}, server_side=False)
        assert context.maximum_version == ssl.TLSVersion.MAXIMUM_SUPPORTED
    only = ssl_options_to_context({"ssl_version": ssl.PROTOCOL_TLSv1_2}, server_side=False)
    assert only.minimum_version == only.maximum_version == ssl.TLSVersion.TLSv1_2
    with pytest.raises(ValueError, match=r"TLS 1\.2 is the least"):
        ssl_options_to_context({"ssl_version": ssl.PROTOCOL_TLSv1_1}, server_side=False)


@pytest.mark.parametrize("key", ["certfile", "keyfile", "ca_certs"])
def test_a_missing_file_is_named(key):
    options = {"certfile": CERT, "keyfile": KEY} | {key: "/no/such/file"}
    with pytest.raises(FileNotFoundError, match=f"{key} does not exist: '/no/such/file'"):
        ssl_options_to_context(options, server_side=True)


def test_a_file_that_holds_something_else_is_named(tmp_path):
    bad = tmp_path / "bad.pem"
    bad.write_text("not a certificate")
    with pytest.raises(ssl.SSLError, match=r"cannot use certfile .*bad\.pem"):
        ssl_options_to_context({"certfile": str(bad)}, server_side=True)
    with pytest.raises(ssl.SSLError, match=r"cannot use ca_certs .*bad\.pem"):
        ssl_options_to_context({"ca_certs": str(bad)}, server_side=False)


def test_an_unknown_key_is_named():
    with pytest.raises(ValueError, match="unknown key in ssl_options: 'cert'"):
        ssl_options_to_context({"cert": CERT})


def test_wrapped_sockets_speak_tls():
    ours, theirs = socket.socketpair()
    received = []

    def serve():
        with ssl_wrap_socket(theirs, {"certfile": CERT, "keyfile": KEY}, server_side=True) as server:
            received.append(server.recv(10))

    thread = threading.Thread(target=serve)
    thread.start()
    with ssl_wrap_socket(ours, {"cert_reqs": ssl.CERT_NONE}, server_hostname="foo.example.com") as client:
        client.send(b"hello")
        version = client.version()
    thread.join()
    assert received == [b"hello"]
    assert version in ("TLSv1.2", "TLSv1.3")
