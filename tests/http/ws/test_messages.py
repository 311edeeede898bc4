"""Tests for gustnado.http.ws.messages."""

from __future__ import annotations

import itertools
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.http.ws.deflate import Deflater, Inflater
from gustnado.http.ws.errors import WebSocketProtocolError
from gustnado.http.ws.frames import build_frame
from gustnado.http.ws.messages import MessageReader


def reader(**options):
    return MessageReader(**{"masked": False, "max_size": 1 << 20, **options})


def read_all(messages, chunks):
    """Every event of what is fed in these pieces."""
    found = []
    for chunk in chunks:
        messages.feed(chunk)
        while kind := messages.read():
            found.append((kind, messages.payload))
    return found


def bytewise(data):
    return [data[i : i + 1] for i in range(len(data))]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
messages_of = st.one_of(
    st.tuples(st.just(1), texts),
    st.tuples(st.just(2), st.binary(max_size=2100)),
    st.tuples(st.just(9), st.binary(max_size=20)),
)


@given(st.lists(st.tuples(messages_of, st.lists(st.integers(0, 2100), max_size=3)), max_size=5), st.data())
def test_messages_come_as_they_were_whatever_the_fragments_and_the_pieces(messages, data):
    wire = b""
    for (kind, message), cuts in messages:
        payload = message.encode() if kind == 1 else message
        cuts = [] if kind == 9 else sorted(cut % (len(payload) + 1) for cut in cuts)
        parts = [payload[a:b] for a, b in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
        for number, part in enumerate(parts):
            wire += build_frame(0 if number else kind, part, number == len(parts) - 1)
    bounds = sorted(data.draw(st.sets(st.integers(0, len(wire)), max_size=8)) | {0, len(wire)})
    chunks = [wire[a:b] for a, b in itertools.pairwise(bounds)]
    expected = [message for message, _ in messages]
    assert read_all(reader(), chunks) == expected
    assert read_all(reader(), bytewise(wire)) == expected


def test_control_frames_come_between_fragments(frame):
    data = frame(1, b"a", fin=False) + frame(9, b"ping") + frame(0, b"b", fin=False) + frame(10, b"") + frame(0, b"c")
    expected = [(9, b"ping"), (10, b""), (1, "abc")]
    assert read_all(reader(), [data]) == expected
    assert read_all(reader(), bytewise(data)) == expected


def test_empty_messages_and_fragments(frame):
    data = frame(1) + frame(2) + frame(2, fin=False) + frame(0, fin=False) + frame(0)
    assert read_all(reader(), [data]) == [(1, ""), (2, b""), (2, b"")]


def early_error(data: bytes) -> int | None:
    """The index of the first byte that no UTF-8 text can have there, by Unicode's table 3-7."""
    first_continuation = {0xE0: (0xA0, 0xBF), 0xED: (0x80, 0x9F), 0xF0: (0x90, 0xBF), 0xF4: (0x80, 0x8F)}
    left, low, high = 0, 0x80, 0xBF
    for place, byte in enumerate(data):
        if left:
            if not low <= byte <= high:
                return place
            left, low, high = left - 1, 0x80, 0xBF
        elif byte >= 0x80:
            if not 0xC2 <= byte <= 0xF4:
                return place
            left = 1 if byte < 0xE0 else 2 if byte < 0xF0 else 3
            low, high = first_continuation.get(byte, (0x80, 0xBF))
    return None


BYTES = [0x41, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEE, 0xF0, 0xF1, 0xF4, 0xF5]


@given(st.lists(st.sampled_from(BYTES), max_size=8))
def test_a_text_is_refused_at_the_first_wrong_byte(octets):
    """125: within the frame, before its end has come (cases 6.4 of the Autobahn suite, strictly)."""
    data = bytes(octets)
    wrong = early_error(data)
    messages = reader()
    messages.feed(build_frame(1, bytes(1000))[:-1000])
    for place, byte in enumerate(data):
        messages.feed(bytes([byte]))
        if place == wrong:
            with pytest.raises(WebSocketProtocolError, match="not UTF-8") as caught:
                messages.read()
            assert caught.value.close_code == 1007
            return
        assert messages.read() == 0


@pytest.mark.parametrize("text", [b"\xce", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"ab\xff", b"\xe2\x82"])
def test_texts_that_are_not_utf8(frame, text):
    """125: whole, in fragments, byte by byte."""
    whole = frame(1, text)
    split = frame(1, text[:1], fin=False) + frame(0, text[1:])
    for chunks in ([whole], bytewise(whole), [split], bytewise(split)):
        with pytest.raises(WebSocketProtocolError, match="not UTF-8") as caught:
            read_all(reader(), chunks)
        assert caught.value.close_code == 1007


def test_binary_messages_may_be_anything(frame):
    assert read_all(reader(), [frame(2, b"\xff\xfe")]) == [(2, b"\xff\xfe")]


@given(st.lists(st.binary(max_size=1500), max_size=4), st.booleans(), st.integers(9, 15), st.integers(0, 40))
def test_compressed_messages_in_any_pieces(payloads, takeover, bits, cut):
    deflater, wire = Deflater(bits, takeover), b""
    for payload in payloads:
        data = deflater.deflate(payload)
        wire += build_frame(2, data[:cut], False, True) + build_frame(0, data[cut:])
    for chunks in ([wire], bytewise(wire)):
        found = read_all(reader(inflater=Inflater(bits, takeover)), chunks)
        assert found == [(2, payload) for payload in payloads]


def test_compressed_and_other_messages_mix(frame):
    data = Deflater().deflate(b"Hello")
    wire = frame(1, data, rsv=4) + frame(1, b"plain") + frame(1, data[:3], rsv=4, fin=False) + frame(0, data[3:])
    assert read_all(reader(inflater=Inflater()), [wire]) == [(1, "Hello"), (1, "plain"), (1, "Hello")]


def test_a_compressed_text_is_checked_as_well(frame):
    for text, code in ((b"\xff", 1007), (b"a\xe2\x82", 1007)):
        wire = frame(1, Deflater().deflate(text), rsv=4)
        with pytest.raises(WebSocketProtocolError, match="not UTF-8") as caught:
            read_all(reader(inflater=Inflater()), [wire])
        assert caught.value.close_code == code


@pytest.mark.parametrize("parts", [1, 10])
def test_a_bomb_is_not_inflated(frame, parts):
    """123: nor where it is spread over fragments."""
    data = Deflater().deflate(bytes(64 << 20))
    step = len(data) // parts + 1
    cuts = range(0, len(data), step)
    wire = b"".join(
        frame(0 if cut else 2, data[cut : cut + step], rsv=0 if cut else 4, fin=cut == cuts[-1]) for cut in cuts
    )
    messages = reader(inflater=Inflater())
    tracemalloc.start()
    try:
        with pytest.raises(WebSocketProtocolError, match="after decompression") as caught:
            read_all(messages, [wire])
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    assert caught.value.close_code == 1009


def test_a_message_of_just_the_limit_passes_compressed(frame):
    data = Deflater().deflate(bytes(1000))
    assert read_all(reader(max_size=1000, inflater=Inflater()), [frame(2, data, rsv=4)]) == [(2, bytes(1000))]
    with pytest.raises(WebSocketProtocolError, match="after decompression"):
        read_all(reader(max_size=999, inflater=Inflater()), [frame(2, data, rsv=4)])


def test_a_message_that_is_dribbled_takes_no_more_memory_than_it_has(frame):
    """121: each byte in a fragment of its own kept its object, once."""
    messages = reader(max_size=1 << 20, max_fragments=1 << 20)
    part = frame(0, b"x", fin=False)
    messages.feed(frame(2, b"x", fin=False))
    assert messages.read() == 0
    tracemalloc.start()
    try:
        for _ in range(200):
            messages.feed(part * 1000)
            assert messages.read() == 0
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held < 2 * 200_000
