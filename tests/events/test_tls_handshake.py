"""Who fails in a handshake tells the other why, and both say it in OpenSSL's words."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from typing import Any

import pytest

from gustnado.errors import StreamClosedError
from gustnado.events.stream import IOStream, SSLIOStream
from gustnado.events.tls_handshake import use_words_of_openssl
from gustnado.testing.certificate import certificate_files

CERTIFICATE = certificate_files()  # for localhost, and its own authority


def presenting() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*CERTIFICATE)
    return context


def trusting(version: ssl.TLSVersion, *, its_authority: bool = True) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.maximum_version = version
    if its_authority:
        context.load_verify_locations(CERTIFICATE[0])
    return context


async def streams(over: bool, client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> tuple[Any, Any, Any]:
    """Two streams before their handshake, as futures of it, and the address of the client."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        left = socket.create_connection(listener.getsockname())
        right, peer = listener.accept()
    if not over:
        ours = SSLIOStream(left, ssl_options=client, server_hostname=name)
        theirs = SSLIOStream(right, ssl_options=server, server_side=True)
        return ours.wait_for_handshake(), theirs.wait_for_handshake(), peer
    plain = IOStream(left), IOStream(right)
    await plain[0].write(b"x")
    await plain[1].read_bytes(1)
    return plain[0].start_tls(False, client, name), plain[1].start_tls(True, server), peer


@pytest.mark.parametrize("over", [False, True], ids=["new", "start_tls"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("trusts", "ours", "theirs"),
    [
        (True, r"Hostname mismatch, certificate is not valid for 'bar\.example\.com'\.", "alert bad certificate"),
        (False, "self[- ]signed certificate", "alert unknown ca"),
    ],
    ids=["name", "authority"],
)
def test_a_client_that_refuses_a_certificate_says_so(
    with_fastnet, expect_log, over, version, trusts, ours, theirs
) -> None:
    async def main() -> None:
        client = trusting(version, its_authority=trusts)
        with expect_log("gustnado.general", "SSL Error on", count=2) as log:
            *both, peer = await streams(over, client, presenting(), "bar.example.com")
            refused, told = await asyncio.gather(*both, return_exceptions=True)
        assert type(refused) is ssl.SSLCertVerificationError
        assert type(told) is ssl.SSLError
        ours_logged, theirs_logged = sorted(record.getMessage() for record in log.records)
        if theirs in ours_logged:
            ours_logged, theirs_logged = theirs_logged, ours_logged
        assert re.search(f"certificate verify failed: {ours}$", ours_logged)
        assert re.search(rf"{re.escape(str(peer))}: \[SSL: \w+\] [\w/]+ {theirs}$", theirs_logged)

    with_fastnet(main())


@pytest.mark.parametrize("over", [False, True], ids=["new", "start_tls"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_refuses_a_certificate_says_so(with_fastnet, expect_log, over, version) -> None:
    """With TLS 1.2 the client's handshake fails; with 1.3 that is done by then, and reading fails."""

    async def main() -> None:
        client, server = trusting(version), presenting()
        client.load_cert_chain(*CERTIFICATE)
        server.verify_mode = ssl.CERT_REQUIRED  # and it trusts nobody
        with expect_log("gustnado.general", "SSL Error on|error on read", count=2):
            ours, theirs, _ = await streams(over, client, server, "localhost")
            with pytest.raises(ssl.SSLCertVerificationError):
                await theirs
            error = await told_to(ours)
        assert "alert unknown ca" in str(error)
        assert isinstance(error, ssl.SSLError)
        assert error.reason == "TLSV1_ALERT_UNKNOWN_CA"

    with_fastnet(main())


async def told_to(handshake: asyncio.Future[SSLIOStream]) -> BaseException | None:
    try:
        stream = await handshake
    except ssl.SSLError as error:
        return error
    with pytest.raises(StreamClosedError) as caught:
        await stream.read_bytes(1)
    return caught.value.real_error


@pytest.mark.parametrize("over", [False, True], ids=["new", "start_tls"])
def test_a_peer_that_cannot_be_told_changes_nothing(with_fastnet, expect_log, over) -> None:
    """It leaves with its certificate sent: the alert has nowhere to go, and what was wrong is still the certificate."""

    def send_certificate(sock: socket.socket) -> None:
        with sock:
            sock.settimeout(30)
            received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = presenting().wrap_bio(received, sent, server_side=True)
            received.write(sock.recv(65536))
            with pytest.raises(ssl.SSLWantReadError):
                tls.do_handshake()
            sock.sendall(sent.read())

    async def main() -> None:
        left, right = socket.socketpair()
        client = trusting(ssl.TLSVersion.TLSv1_3)
        if over:
            stream = IOStream(left)
            await stream.write(b"x")
            assert right.recv(1) == b"x"
            handshake: Any = stream.start_tls(False, client, "bar.example.com")
        else:
            handshake = SSLIOStream(left, ssl_options=client, server_hostname="bar.example.com").wait_for_handshake()
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        with expect_log("gustnado.general", "certificate verify failed: Hostname mismatch"):
            await loop.run_in_executor(None, send_certificate, right)
            with pytest.raises(ssl.SSLCertVerificationError):
                await handshake

    with_fastnet(main())


def test_words_for_names_that_do_not_match() -> None:
    error = ssl.SSLCertVerificationError()
    error.library, error.reason = "SSL routines".upper(), "CERTIFICATE_VERIFY_FAILED"
    error.verify_code, error.verify_message = 64, "IP address mismatch"
    use_words_of_openssl(error, "127.0.0.2")
    text = (
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
        "IP address mismatch, certificate is not valid for '127.0.0.2'."
    )
    assert (str(error), error.library) == (text, "SSL")
    use_words_of_openssl(error)
    assert str(error) == text


@pytest.mark.parametrize("error", [None, OSError(5, "no TLS"), ssl.SSLError(1, "no reason")])
def test_what_has_no_reason_of_openssl_stays_as_it_is(error) -> None:
    before = str(error)
    use_words_of_openssl(error, "name")
    assert str(error) == before
