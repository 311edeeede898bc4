"""Tests for gustnado.http.ws.frames."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.http.ws.errors import WebSocketProtocolError
from gustnado.http.ws.frames import FrameReader, build_frame, build_masked_frame, frame_head, masked_parts

KEY = b"\x01\x82\xf3\x04"
SIZES = [0, 1, 125, 126, 127, 65535, 65536, 65537]


def reader(**options):
    return FrameReader(**{"masked": True, "max_size": 1 << 20, **options})


def read_all(frames, data):
    """Every frame of ``data``, which is fed at once: (opcode, fin, payload)."""
    frames.feed(data)
    found = []
    while frames.read_head():
        found.append((frames.opcode, frames.fin, frames.take(frames.left)))
    return found


@pytest.mark.parametrize("size", SIZES)
def test_a_frame_is_as_the_rfc_says(frame, size):
    payload = bytes(size)
    assert build_frame(2, payload) == frame(2, payload)
    assert build_masked_frame(2, payload, KEY) == frame(2, payload, mask=KEY)
    head, masked = masked_parts(2, payload, KEY)
    assert (head + masked, len(masked)) == (frame(2, payload, mask=KEY), size)
    assert build_frame(0, payload, False) == frame(0, payload, fin=False)
    assert build_frame(1, payload, True, True) == frame(1, payload, rsv=4)


@pytest.mark.parametrize("size", [*SIZES, 1 << 31, (1 << 32) + 1, (1 << 63) - 1])
def test_a_head_has_the_least_bytes_for_its_length(frame, size):
    assert frame_head(2, size) == frame(2, length=size)
    assert frame_head(2, size, masked=True) == frame(2, length=size, mask=b"")


def test_what_can_be_no_frame_is_not_built():
    with pytest.raises(ValueError, match="may not be fragmented"):
        frame_head(9, 1, fin=False)
    with pytest.raises(ValueError, match="125 bytes"):
        build_frame(8, bytes(126))
    with pytest.raises(ValueError, match="four bytes"):
        build_masked_frame(1, b"x", b"abc")
    with pytest.raises((ValueError, OverflowError)):
        frame_head(2, 1 << 63)
    with pytest.raises(ValueError, match="no frame has -1 bytes"):
        frame_head(2, -1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mask", [KEY, None])
def test_what_is_built_is_read(frame, size, mask):
    payload = bytes(i & 255 for i in range(size))
    frames = reader(masked=mask is not None)
    assert read_all(frames, frame(2, payload, mask=mask)) == [(2, True, payload)]
    assert frames.pending() == 0
    assert frames.bytes_in == len(frame(2, payload, mask=mask))


def test_a_head_waits_for_its_last_byte(frame):
    for size in SIZES:
        whole = frame(2, bytes(size), mask=KEY)
        head = whole[: len(whole) - size]
        frames = reader()
        for byte in head[:-1]:
            frames.feed(bytes([byte]))
            assert not frames.read_head()
        frames.feed(head[-1:])
        assert frames.read_head()
        assert (frames.left, frames.available()) == (size, 0)


@given(st.binary(max_size=300), st.lists(st.integers(0, 400), max_size=10))
def test_a_payload_is_unmasked_in_any_pieces(payload, places):
    data = build_masked_frame(2, payload, KEY)
    bounds = sorted({0, len(data), *(place % len(data) for place in places)})
    frames, taken, in_frame = reader(), b"", False
    for start, end in itertools.pairwise(bounds):
        frames.feed(data[start:end])
        in_frame = in_frame or frames.read_head()
        if in_frame:
            taken += frames.take(frames.available())
    assert taken == payload
    assert frames.left == 0


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 5, 125, 1023, 1024, 1025, 70000])
def test_a_payload_may_be_taken_as_bytes(masked, size):
    payload = bytes(itertools.islice(itertools.cycle(range(251)), size))
    frames = FrameReader(masked=masked, max_size=100_000)
    frames.feed(build_masked_frame(2, payload, KEY) if masked else build_frame(2, payload))
    assert frames.read_head()
    first = size // 3
    taken = [frames.take(first), frames.take(1 if size > first else 0)]
    taken.append(frames.take(frames.left))
    assert b"".join(taken) == payload
    assert (type(taken[0]), type(taken[2]), frames.left, frames.pending()) == (bytes, bytes, 0, 0)
    with pytest.raises(ValueError, match="bytes"):
        frames.take(1)


@given(st.lists(st.tuples(st.sampled_from([1, 2, 9, 10]), st.binary(max_size=120)), max_size=8))
def test_frames_follow_each_other(messages):
    data = b"".join(build_masked_frame(opcode, payload, KEY) for opcode, payload in messages)
    assert read_all(reader(), data) == [(opcode, True, payload) for opcode, payload in messages]


def test_more_is_not_taken_than_there_is(frame):
    for mask in (KEY, None):
        frames = reader(masked=mask is not None)
        frames.feed(frame(2, b"abc", mask=mask)[:-1])
        assert frames.read_head()
        with pytest.raises(ValueError, match="no 3 bytes"):
            frames.take(3)


def test_the_rest_can_be_taken_as_it_came(frame):
    frames = reader()
    frames.feed(frame(2, b"", mask=KEY) + b"rest")
    assert frames.read_head()
    assert (frames.take_rest(), frames.pending()) == (b"rest", 0)


REFUSED = {
    "114 unmasked": ({"opcode": 2, "payload": b"x"}, {}, 1002, "unmasked"),
    "114 masked by a server": ({"opcode": 2, "mask": KEY}, {"masked": False}, 1002, "masked frame of a server"),
    "116 RSV2": ({"opcode": 2, "rsv": 2, "mask": KEY}, {}, 1002, "RSV2"),
    "116 RSV3": ({"opcode": 2, "rsv": 1, "mask": KEY}, {}, 1002, "RSV3"),
    "116 RSV1": ({"opcode": 2, "rsv": 4, "mask": KEY}, {}, 1002, "no compression"),
    "116 RSV1 on a ping": ({"opcode": 9, "rsv": 4, "mask": KEY}, {"deflate": True}, 1002, "elsewhere"),
    "116 RSV1 on a continuation": ({"opcode": 0, "rsv": 4, "mask": KEY}, {"deflate": True}, 1002, "elsewhere"),
    "118 two bytes for 125": ({"opcode": 2, "length": 125, "wide": 2, "mask": KEY}, {}, 1002, "length 125"),
    "118 eight bytes for 65535": ({"opcode": 2, "length": 65535, "wide": 8, "mask": KEY}, {}, 1002, "length 65535"),
    "118 eight bytes for 0": ({"opcode": 2, "length": 0, "wide": 8, "mask": KEY}, {}, 1002, "length 0"),
    "118 highest bit": ({"opcode": 2, "length": 1 << 63, "wide": 8, "mask": KEY}, {}, 1002, "highest bit"),
    "118 all bits": ({"opcode": 2, "length": (1 << 64) - 1, "wide": 8, "mask": KEY}, {}, 1002, "highest bit"),
    "118 2^62": ({"opcode": 2, "length": 1 << 62, "mask": KEY}, {}, 1009, "too big"),
    "118 2^63 - 1": ({"opcode": 2, "length": (1 << 63) - 1, "mask": KEY}, {}, 1009, "too big"),
    "119 ping of 126": ({"opcode": 9, "length": 126, "mask": KEY}, {}, 1002, "over 125"),
    "119 close of 65536": ({"opcode": 8, "length": 65536, "mask": KEY}, {}, 1002, "over 125"),
    "119 ping in fragments": ({"opcode": 9, "fin": False, "mask": KEY}, {}, 1002, "in fragments"),
    "120 continuation of nothing": ({"opcode": 0, "mask": KEY}, {}, 1002, "continuation of no message"),
    "121 over the limit": ({"opcode": 2, "length": 101, "mask": KEY}, {"max_size": 100}, 1009, "too big"),
}


@pytest.mark.parametrize(("wrong", "options", "code", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_by_its_head_alone(frame, wrong, options, code, words):
    options = dict(options)
    deflate = options.pop("deflate", False)
    frames = reader(**options)
    frames.deflate = deflate
    frames.feed(frame(**wrong))
    with pytest.raises(WebSocketProtocolError, match=words) as caught:
        frames.read_head()
    assert caught.value.close_code == code


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
def test_reserved_opcodes(frame, opcode):
    """117."""
    frames = reader()
    frames.feed(frame(opcode, mask=KEY))
    with pytest.raises(WebSocketProtocolError, match=f"reserved opcode {opcode}") as caught:
        frames.read_head()
    assert caught.value.close_code == 1002


def test_a_message_within_a_message(frame):
    """120."""
    frames = reader()
    data = frame(1, b"a", fin=False, mask=KEY) + frame(2, b"b", mask=KEY)
    with pytest.raises(WebSocketProtocolError, match="within another") as caught:
        read_all(frames, data)
    assert caught.value.close_code == 1002


def test_the_limit_is_of_the_fragments_together(frame):
    """121, and the limit itself is allowed."""
    first = frame(2, bytes(60), fin=False, mask=KEY)
    assert len(read_all(reader(max_size=100), first + frame(0, bytes(40), mask=KEY))) == 2
    with pytest.raises(WebSocketProtocolError, match="too big") as caught:
        read_all(reader(max_size=100), first + frame(0, bytes(41), mask=KEY))
    assert caught.value.close_code == 1009


def test_a_message_begins_with_nothing_counted(frame):
    data = frame(2, bytes(60), fin=False, mask=KEY) + frame(0, bytes(40), mask=KEY)
    assert len(read_all(reader(max_size=100, max_fragments=2), data * 3)) == 6


@pytest.mark.parametrize("payload", [b"", b"x"])
def test_tiny_fragments_without_end(frame, payload):
    """122."""
    frames = reader()
    data = frame(2, payload, fin=False, mask=KEY) + frame(0, payload, fin=False, mask=KEY) * 100_000
    with pytest.raises(WebSocketProtocolError, match="1024 fragments") as caught:
        read_all(frames, data)
    assert caught.value.close_code == 1008
    assert frames.fragments < 1100


def test_a_large_message_in_small_fragments_is_no_attack(frame):
    """As in case 9.3.1 of the Autobahn suite: 4 MiB in fragments of 64 bytes."""
    part = frame(0, bytes(64), fin=False, mask=KEY)
    data = frame(2, bytes(64), fin=False, mask=KEY) + part * 65534 + frame(0, bytes(64), mask=KEY)
    assert len(read_all(reader(max_size=4 << 20), data)) == 65536


def test_compressed_messages_may_be_a_little_longer(frame):
    """What cannot be compressed grows; the message itself is counted when it is inflated."""
    frames = reader(max_size=1000)
    frames.deflate = True
    assert read_all(frames, frame(2, bytes(1060), rsv=4, mask=KEY))
    with pytest.raises(WebSocketProtocolError, match="too big"):
        read_all(frames, frame(2, bytes(1001), mask=KEY))
