"""Tests for gustnado.http.ws.prepared."""

from __future__ import annotations

import pytest

from gustnado.http.ws.deflate import Compressors, Deflater, Inflater
from gustnado.http.ws.prepared import PreparedMessage, payload_of
from gustnado.http.ws.protocol import WebSocketCodec


def server(**options):
    deflater = Deflater(**options) if options else None
    return WebSocketCodec(is_client=False, deflater=deflater)


def heard(frame, inflater=None):
    peer = WebSocketCodec(is_client=True, inflater=inflater)
    peer.feed(frame)
    return peer.next_event(), peer.payload


def test_all_who_have_it_as_it_is_share_a_frame():
    message = PreparedMessage("hello " * 100)
    first, second = server(), server()
    assert message.frame_for(first) is message.frame_for(second)
    assert heard(message.frame_for(first)) == (1, "hello " * 100)
    assert (first.bytes_out, first.message_bytes_out) == (2 * 604, 2 * 600)


def test_it_is_compressed_once_for_each_way():
    compressors = Compressors()
    options = {"takeover": False, "compressors": compressors}
    message = PreparedMessage(b"hello " * 100, binary=True)
    fast = message.frame_for(server(level=1, **options))
    small = message.frame_for(server(window_bits=9, **options))
    assert message.frame_for(server(level=1, **options)) is fast
    assert fast is not small
    for frame in (fast, small):
        assert len(frame) < 60
        assert heard(frame, Inflater()) == (2, b"hello " * 100)


def test_it_is_not_compressed_where_that_depends_on_what_was_sent_before():
    """And those messages that are still fit together."""
    message, codec, inflater = PreparedMessage("shared"), server(takeover=True), Inflater()
    peer = WebSocketCodec(is_client=True, inflater=inflater)
    peer.feed(codec.message(b"own " * 50, False) + message.frame_for(codec) + codec.message(b"own " * 50, False))
    assert [(peer.next_event(), peer.payload) for _ in range(3)] == [(1, "own " * 50), (1, "shared"), (1, "own " * 50)]


def test_a_client_masks_each_anew():
    message, client = PreparedMessage("hello"), WebSocketCodec(is_client=True)
    frames = {message.frame_for(client) for _ in range(10)}
    assert len(frames) > 5
    assert client.bytes_out == 110


def test_payloads():
    assert payload_of("\xe9") == b"\xc3\xa9"
    assert payload_of({"a": [1]}) == b'{"a":[1]}'
    assert payload_of(bytearray(b"x")) == payload_of(memoryview(b"x")) == b"x"
    with pytest.raises(TypeError, match="not int: 3"):
        payload_of(3)
    with pytest.raises(TypeError, match="not list"):
        PreparedMessage(["a"])
