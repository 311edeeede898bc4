"""Tests for gustnado.http.ws.deflate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.http.ws.deflate import Compressors, Deflater, Inflater
from gustnado.http.ws.errors import WebSocketProtocolError

messages = st.lists(st.one_of(st.binary(max_size=3000), st.builds(bytes, st.integers(0, 5000))), max_size=6)


def inflated(inflater, data, room=1 << 20):
    message = inflater.inflate(data, room)
    inflater.finish()
    return message


@given(messages, st.integers(8, 15), st.booleans(), st.integers(1, 9), st.integers(0, 9))
def test_what_is_deflated_is_inflated(payloads, bits, takeover, mem_level, level):
    """Also with a window of 256 bytes, which zlib itself cannot make."""
    deflater, inflater = Deflater(bits, takeover, level, mem_level), Inflater(bits, takeover)
    for payload in payloads:
        assert inflated(inflater, deflater.deflate(payload)) == payload


@given(messages)
def test_without_takeover_no_message_needs_another(payloads):
    """All connections share a compressor, and none of them sees what was sent on another."""
    shared = Compressors()
    deflaters = [Deflater(15, False, compressors=shared) for _ in range(2)]
    compressed = [deflaters[number % 2].deflate(payload) for number, payload in enumerate(payloads)]
    for payload, data in reversed(list(zip(payloads, compressed, strict=True))):
        assert inflated(Inflater(15, False), data) == payload


def test_with_takeover_what_was_sent_need_not_be_sent_again():
    payload = bytes(range(256)) * 2
    with_takeover, without = Deflater(), Deflater(takeover=False)
    assert len(with_takeover.deflate(payload)) > 10 * len(with_takeover.deflate(payload))
    assert without.deflate(payload) == without.deflate(payload)


def test_the_example_of_the_rfc():
    """RFC 7692 section 7.2.3."""
    assert Deflater().deflate(b"Hello") == bytes.fromhex("f248cdc9c90700")
    deflater = Deflater()
    deflater.deflate(b"Hello")
    assert deflater.deflate(b"Hello") == bytes.fromhex("f200110000")
    assert inflated(Inflater(), bytes.fromhex("000500faff48656c6c6f00")) == b"Hello"  # a block without compression
    assert inflated(Inflater(), bytes.fromhex("f348cdc9c9070000")) == b"Hello"  # BFINAL
    assert inflated(Inflater(), bytes.fromhex("f248050000 00ffffcac9c90700")) == b"Hello"  # two blocks


def test_an_empty_message_is_one_byte():
    """RFC 7692 section 7.2.3.6."""
    assert Deflater().deflate(b"") == b"\x00"
    assert inflated(Inflater(), b"\x00") == b""
    assert inflated(Inflater(), b"") == b""


def test_messages_go_on_behind_one_that_ended_its_last_block():
    inflater = Inflater()
    for _ in range(2):
        assert inflated(inflater, bytes.fromhex("f348cdc9c9070000")) == b"Hello"
    assert inflated(inflater, bytes.fromhex("f248cdc9c90700")) == b"Hello"


@pytest.mark.parametrize("data", ["f348cdc9c907000001", "f348cdc9c90700f348cdc9c90700"])
def test_nothing_comes_behind_the_last_block(data):
    """124: else each byte could cost a decompressor."""
    with pytest.raises(WebSocketProtocolError, match="behind the last block") as caught:
        inflated(Inflater(), bytes.fromhex(data))
    assert caught.value.close_code == 1007


def test_nothing_comes_behind_the_last_block_in_a_piece_of_its_own():
    inflater = Inflater()
    assert inflater.inflate(bytes.fromhex("f348cdc9c90700"), 100) == b"Hello"
    assert inflater.inflate(b"\x00", 100) == b""
    with pytest.raises(WebSocketProtocolError, match="behind the last block"):
        inflater.inflate(b"\x00", 100)


@pytest.mark.parametrize("takeover", [True, False])
@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff", b"\x06", b"\x00\x05\x00\xff\xffHello"])
def test_what_is_not_deflate_data_is_refused(data, takeover):
    """124."""
    with pytest.raises(WebSocketProtocolError, match="malformed compressed data") as caught:
        inflated(Inflater(takeover=takeover), data)
    assert caught.value.close_code == 1007


@pytest.mark.parametrize("takeover", [True, False])
def test_data_that_is_cut_off_is_refused(takeover):
    """124: a block that lacks its end."""
    for message in (bytes(range(200)), b"Hello, hello, hello, hello"):
        data = Deflater().deflate(message)
        for end in range(2, len(data)):  # the first byte alone is an empty message
            with pytest.raises(WebSocketProtocolError, match="within a block") as caught:
                inflated(Inflater(takeover=takeover), data[:end])
            assert caught.value.close_code == 1007


def test_never_more_comes_out_than_there_is_room():
    """123."""
    data = Deflater().deflate(bytes(1 << 20))
    for room in (0, 1, 1000, (1 << 20) - 1):
        with pytest.raises(WebSocketProtocolError, match="too big") as caught:
            Inflater().inflate(data, room)
        assert caught.value.close_code == 1009


def test_the_kind_tells_who_compresses_alike():
    assert Deflater().kind is None
    assert Deflater(10, False, 3, 4).kind == (3, 10, 4)
    assert Deflater(8, False).kind == Deflater(9, False).kind
