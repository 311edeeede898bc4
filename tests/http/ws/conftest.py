"""What the tests of this room share: frames by the letter of RFC 6455 section 5.2, and bytes in pieces."""

from __future__ import annotations

import itertools
import struct

import pytest


def frame_of(opcode, payload=b"", *, fin=True, rsv=0, mask=None, length=None, wide=None):
    """A frame, malformed where it is told to be.

    ``length`` is announced instead of that of the payload, in ``wide`` bytes (1, 2 or 8) instead of the least.
    """
    size = len(payload) if length is None else length
    if wide is None:
        wide = 1 if size < 126 else 2 if size < 65536 else 8
    masked = 0 if mask is None else 128
    first = (128 if fin else 0) | rsv << 4 | opcode
    head = {
        1: lambda: struct.pack("!BB", first, masked | size),
        2: lambda: struct.pack("!BBH", first, masked | 126, size),
        8: lambda: struct.pack("!BBQ", first, masked | 127, size),
    }[wide]()
    if mask is None:
        return head + payload
    return head + mask + bytes(a ^ b for a, b in zip(payload, itertools.cycle(mask), strict=False))


@pytest.fixture
def frame():
    """``frame(opcode, payload, fin=, rsv=, mask=, length=, wide=)``: its bytes."""
    return frame_of


@pytest.fixture
def pieces():
    """``pieces(data, places)``: the data cut at these places."""

    def cut(data, places):
        bounds = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
        return [data[a:b] for a, b in itertools.pairwise(bounds) if a < b]

    return cut
