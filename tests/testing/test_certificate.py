"""A certificate for servers that only tests talk to."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from gustnado.testing.certificate import certificate_files


async def exchange(host, server_hostname):
    """Ask a server that has the certificate, as a client that trusts nothing else."""
    certfile, keyfile = certificate_files()
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(certfile, keyfile)

    async def answer(reader, writer):
        writer.write((await reader.readline()).upper())
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, host, 0, ssl=serving) as server:
        port = server.sockets[0].getsockname()[1]
        trusting = ssl.create_default_context(cafile=certfile)
        reader, writer = await asyncio.open_connection(
            host, port, ssl=trusting, server_hostname=server_hostname
        )
        writer.write(b"hello\n")
        line = await reader.readline()
        writer.close()
        await writer.wait_closed()
        return line


@pytest.mark.parametrize(
    ("host", "name"), [("127.0.0.1", "localhost"), ("127.0.0.1", "127.0.0.1"), ("::1", "::1")]
)
def test_a_client_that_trusts_it_checks_the_name(run, host, name):
    assert run(exchange(host, name)) == b"HELLO\n"


def test_it_is_for_no_other_name(run):
    async def fail():
        reported = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))
        with pytest.raises(ssl.SSLCertVerificationError, match=r"example\.com"):
            await exchange("127.0.0.1", "example.com")

    run(fail())


def test_each_call_names_the_same_files():
    assert certificate_files() == certificate_files()
