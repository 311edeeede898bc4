"""Transports of every maker keep one contract."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import subprocess
import sys

import pytest

from gustnado.errors import UsageError
from gustnado.events import transport as room
from gustnado.events.transport import (
    Antechamber,
    hostname_for,
    open_transport,
    plain_descriptor,
    start_tls,
    watch_drain,
    watch_pressure,
)


class Recorder(asyncio.Protocol):
    def __init__(self):
        self.events = []
        self.received = b""
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.events.append("made")

    def data_received(self, data):
        self.received += data

    def eof_received(self):
        self.events.append("eof")

    def connection_lost(self, exc):
        self.lost.set_result(exc)

    def pause_writing(self):
        self.events.append("pause")

    def resume_writing(self):
        self.events.append("resume")


def test_opens_a_connected_socket(everywhere):
    async def main():
        ours, theirs = socket.socketpair()
        with theirs:
            protocol = Recorder()
            transport = await open_transport(asyncio.get_running_loop(), protocol, ours)
            assert protocol.events == ["made"]
            theirs.send(b"hello")
            while not protocol.received:
                await asyncio.sleep(0.001)
            transport.close()
            assert await protocol.lost is None

    everywhere(main())


def test_drain_is_told_exactly(everywhere):
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        with theirs:
            protocol = Recorder()
            transport = await open_transport(loop, protocol, ours)
            watch_drain(transport)
            transport.write(b"x")
            assert protocol.events == ["made"]
            transport.write(b"y" * 4_000_000)
            assert protocol.events == ["made", "pause"]
            left = 4_000_001
            while left:
                left -= len(await loop.sock_recv(theirs, 1 << 20))
            while transport.get_write_buffer_size():
                await asyncio.sleep(0.001)
            assert protocol.events == ["made", "pause", "resume"]
            watch_pressure(transport)
            assert transport.get_write_buffer_limits()[1] == 65536
            transport.close()
            await protocol.lost

    everywhere(main())


def test_tls_both_ways(everywhere, server_context, client_context):
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        server, client = Recorder(), Recorder()
        accepting = asyncio.ensure_future(
            open_transport(loop, server, theirs, ssl=server_context, server_side=True)
        )
        transport = await open_transport(
            loop, client, ours, ssl=client_context, server_hostname="foo.example.com", handshake_timeout=10
        )
        other = await accepting
        watch_drain(transport)
        assert transport.get_extra_info("ssl_object").version() == "TLSv1.3"
        transport.write(b"secret")
        while server.received != b"secret":
            await asyncio.sleep(0.001)
        assert client.events == ["made"], "nothing is left to write"
        transport.close()
        other.close()
        await client.lost
        await server.lost

    everywhere(main())


def test_what_came_before_the_transport_and_what_came_with_the_handshake_is_not_lost(
    everywhere, server_context, client_context
):
    """The client's first bytes wait in the socket; its data and its end come right behind its handshake."""

    def talk(sock):
        sock.settimeout(10)
        with client_context.wrap_socket(sock, server_hostname="foo.example.com") as client:
            client.sendall(b"x" * 100_000)
            client.unwrap().close()

    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        server = Recorder()
        talking = loop.run_in_executor(None, talk, ours)
        await asyncio.sleep(0.05)
        transport = await open_transport(loop, server, theirs, ssl=server_context, server_side=True)
        assert server.events[0] == "made"
        await server.lost
        await talking
        assert server.received == b"x" * 100_000
        assert transport.is_closing()

    everywhere(main())


def test_the_antechamber_tells_its_successor_everything_in_order(run):
    class Fake(asyncio.Transport):
        def set_protocol(self, protocol):
            self.protocol = protocol

    async def main():
        transport, protocol, waiting = Fake(), Recorder(), Antechamber()
        waiting.data_received(b"early ")
        waiting.data_received(b"bytes")
        waiting.eof_received()
        waiting.admit(transport, protocol)
        assert transport.protocol is protocol
        assert protocol.events == ["made", "eof"]
        assert protocol.received == b"early bytes"

    run(main())


def test_start_tls(everywhere, server_context, client_context):
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        plain = await open_transport(loop, Recorder(), ours), await open_transport(loop, Recorder(), theirs)
        client, server = Recorder(), Recorder()
        left, right = await asyncio.gather(
            start_tls(loop, plain[0], client, client_context, server_hostname="foo.example.com"),
            start_tls(loop, plain[1], server, server_context, server_side=True),
        )
        left.write(b"secret")
        while server.received != b"secret":
            await asyncio.sleep(0.001)
        left.close()
        right.close()
        await client.lost
        await server.lost

    everywhere(main())


@pytest.mark.parametrize("over", [False, True])
def test_a_peer_that_leaves_during_the_handshake_is_an_os_error_and_no_log(everywhere, server_context, over):
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        protocol = Recorder()
        if over:
            plain = await open_transport(loop, Recorder(), ours)
            opening = start_tls(loop, plain, protocol, server_context, server_side=True)
        else:
            opening = open_transport(loop, protocol, ours, ssl=server_context, server_side=True)
        task = asyncio.ensure_future(opening)
        await asyncio.sleep(0.01)
        theirs.close()
        with pytest.raises(OSError):
            await task
        assert "made" not in protocol.events

    everywhere(main())


def test_a_datagram_socket_is_refused_and_stays_open(run):
    async def main():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            with pytest.raises(UsageError, match="stream socket"):
                await open_transport(asyncio.get_running_loop(), Recorder(), sock)
            assert sock.fileno() >= 0

    run(main())


def test_names_are_sent_as_ascii_and_required_where_they_are_checked(client_context):
    assert hostname_for(client_context, "example.org") == "example.org"
    assert hostname_for(client_context, "b\u00fccher.example") == "xn--bcher-kva.example"
    with pytest.raises(UsageError, match="server_hostname"):
        hostname_for(client_context, None)
    assert hostname_for(ssl._create_unverified_context(), None) == "127.0.0.1"


def test_a_context_that_checks_no_name_needs_none(everywhere, server_context):
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        client, server = Recorder(), Recorder()
        left, right = await asyncio.gather(
            open_transport(loop, client, ours, ssl=ssl._create_unverified_context()),
            open_transport(loop, server, theirs, ssl=server_context, server_side=True),
        )
        left.close()
        right.close()
        await client.lost
        await server.lost

    everywhere(main())


LEFT_OPEN = """
import asyncio, socket, ssl, sys, weakref
from gustnado.events.transport import open_transport
from gustnado.testing.certificate import certificate_files

server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
server.load_cert_chain(*certificate_files())

async def main():
    loop = asyncio.get_running_loop()
    sys.left = [loop, weakref.proxy(asyncio.Event())]
    for ours, theirs in ((None, None), (ssl._create_unverified_context(), server)):
        left, right = socket.socketpair()
        sys.left += await asyncio.gather(
            open_transport(loop, asyncio.Protocol(), left, ssl=ours),
            open_transport(loop, asyncio.Protocol(), right, ssl=theirs, server_side=theirs is not None),
        )
    sys.left[2].close()
    await asyncio.sleep(0)  # it is closed, its peer not yet
    sys.left[3].close()  # will never be

asyncio.run(main())
"""


def test_what_is_open_when_the_program_ends_is_closed_without_a_word() -> None:
    """As after Ctrl-C in a server with idle connections: what is left must not fail while Python is taken down."""
    done = subprocess.run([sys.executable, "-c", LEFT_OPEN], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""


def test_works_without_aiofastnet(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "aiofastnet", None)
    room.fastnet.cache_clear()
    try:
        assert room.fastnet() is None
    finally:
        room.fastnet.cache_clear()


def test_a_context_with_callbacks_is_for_the_loops_own_tls(tmp_path) -> None:
    """The other implementation crashes when OpenSSL calls them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    assert room.fastnet_for(context) is room.fastnet_for(None) is room.fastnet()
    context.sni_callback = lambda *arguments: None
    assert room.fastnet_for(context) is None
    context.sni_callback = None
    assert room.fastnet_for(context) is room.fastnet()
    context.keylog_filename = str(tmp_path / "keys")
    assert room.fastnet_for(context) is None


def test_keys_are_written_down_where_that_is_asked_for(everywhere, server_context, tmp_path):
    """As by ``SSLKEYLOGFILE``, with which a debugger reads what was sent."""

    async def main():
        context = ssl._create_unverified_context()
        context.keylog_filename = str(tmp_path / "keys")
        ours, theirs = socket.socketpair()
        left, right = await asyncio.gather(
            open_transport(asyncio.get_running_loop(), Recorder(), ours, ssl=context),
            open_transport(
                asyncio.get_running_loop(), Recorder(), theirs, ssl=server_context, server_side=True
            ),
        )
        assert "CLIENT_TRAFFIC_SECRET_0" in (tmp_path / "keys").read_text()
        left.abort()
        right.abort()

    everywhere(main())


@pytest.mark.skipif(os.name != "posix", reason="sockets are no descriptors")
def test_the_descriptor_of_a_plain_transport_is_known(everywhere, pair, tls_pair):
    async def main():
        async with pair() as (plain, _), tls_pair() as (encrypted, _):
            await plain.write(b"")
            assert plain_descriptor(plain.transport) == plain.fileno()
            assert plain_descriptor(encrypted.transport) == -1

    everywhere(main())


def test_the_descriptor_of_a_transport_from_elsewhere_is_not() -> None:
    class Elsewhere(asyncio.Transport):
        def get_extra_info(self, name, default=None):
            return {"socket": socket.socket()}.get(name, default)

    assert plain_descriptor(Elsewhere()) == -1
