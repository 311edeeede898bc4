"""Tests for gustnado.http.ws.connection."""

from __future__ import annotations

import pytest

from gustnado.http.ws.connection import WebSocketProtocol13
from gustnado.http.ws.extensions import DeflateOptions, DeflateParameters
from gustnado.http.ws.protocol import WebSocketCodec


def test_the_names_of_tornados_class():
    assert WebSocketProtocol13.compute_accept_value("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert WebSocketProtocol13.ping_sleep_time(last_ping_time=1, interval=2, now=1.5) == 1.5
    assert WebSocketProtocol13.RSV_MASK == 0x70
    assert WebSocketProtocol13.FIN | WebSocketProtocol13.OPCODE_MASK == 0x8F


def test_what_it_knows_of_itself(run, linked):
    async def main():
        async with linked(is_client=True) as link:
            protocol = link.protocol
            assert (protocol.mask_outgoing, protocol.selected_subprotocol) == (True, None)
            assert (protocol.client_terminated, protocol.server_terminated) == (False, False)
            protocol.write_message("four")
            assert await link.peer.hear() == (1, "four")
            assert (protocol._message_bytes_out, protocol._wire_bytes_out) == (4, 10)
            link.peer.say("five!")
            link.peer.close(4000, "bye")
            assert (await link.peer.hear())[:2] == (8, 4000)
            link.peer.writer.close()
            await link.program.over.wait()
            assert (protocol._message_bytes_in, protocol._wire_bytes_in) == (5, 7 + 7)
            assert (protocol.close_code, protocol.close_reason) == (4000, "bye")
            assert (protocol.client_terminated, protocol.server_terminated) == (True, True)

    run(main())


@pytest.mark.parametrize("server_free", [True, False])
@pytest.mark.parametrize("client_free", [True, False])
@pytest.mark.parametrize("is_client", [True, False])
def test_compression_as_agreed_on(run, linked, server_free, client_free, is_client):
    """Each direction with its own window, and the peer, told the same, understands it."""
    parameters = DeflateParameters(server_free, client_free, 9, 12)

    async def main():
        async with linked(is_client=is_client) as link:
            other = WebSocketProtocol13(link.program, not is_client, link.protocol.params)
            other.compress(parameters, DeflateOptions())
            link.protocol.compress(parameters, DeflateOptions(compression_level=9))
            link.peer.codec = other.codec
            assert isinstance(other.codec, WebSocketCodec)
            for _ in range(3):
                text = "over and over again " * 200
                link.protocol.write_message(text)
                assert await link.peer.hear() == (1, text)
            assert link.protocol.codec.bytes_out < 500
            assert (link.protocol.codec.deflater.kind is not None) == (client_free if is_client else server_free)

    run(main())


def test_connections_that_compress_alike_share_a_compressor(run, linked):
    async def main():
        async with linked() as one, linked() as two:
            for link in (one, two):
                link.protocol.compress(DeflateParameters(True, True), DeflateOptions())
            assert one.protocol.codec.deflater._compressors is two.protocol.codec.deflater._compressors

    run(main())


def test_pings_are_sent_and_an_answer_keeps_the_connection(run, linked):
    async def main():
        async with linked(ping_interval=0.01, ping_timeout=0) as link:
            for _ in range(3):
                assert await link.peer.hear() == (9, b"")

    run(main())


def test_without_an_answer_it_closes(run, linked):
    """130."""

    async def main():
        async with linked(ping_interval=0.05, close_timeout=0.05) as link:
            assert await link.peer.hear() == (9, b"")
            assert await link.peer.hear() == (8, 1000, "ping timed out")
            assert await link.peer.is_at_end()

    run(main())


def test_without_an_interval_there_are_no_pings(run, linked):
    async def main():
        async with linked() as link:
            assert (link.protocol.ping_interval, link.protocol.ping_timeout) == (0, 0)
            assert link.protocol._pinger is None
            link.protocol.set_nodelay(True)
            link.protocol.on_connection_close()
            assert await link.peer.is_at_end()

    run(main())
