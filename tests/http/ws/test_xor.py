"""Tests for gustnado.http.ws.xor."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.http.ws.xor import xor_loop


def by_the_rfc(data, key):
    """RFC 6455 section 5.3: octet i is XORed with octet i modulo 4 of the key."""
    octets = key.to_bytes(4, "little")
    return bytes(octet ^ octets[i % 4] for i, octet in enumerate(data))


@given(st.binary(max_size=100), st.integers(0, 2**32 - 1), st.integers(0, 20))
def test_each_byte_is_masked_with_its_byte_of_the_key(data, key, start):
    start = min(start, len(data))
    assert xor_loop(data, start, len(data) - start, key) == by_the_rfc(data[start:], key)


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 15, 16, 17, 65535, 65536, 65537])
def test_sizes_around_those_of_a_word(size):
    data = bytes(itertools.islice(itertools.cycle(range(256)), size))
    assert xor_loop(data, 0, size, 0x80FF0001) == by_the_rfc(data, 0x80FF0001)


@pytest.mark.parametrize(("start", "size"), [(0, 6), (5, 1), (6, 0), (-1, 2), (0, -1), (3, 3)])
def test_bytes_that_are_not_there_are_not_read(start, size):
    with pytest.raises(ValueError, match="bytes from"):
        xor_loop(b"abcde", start, size, 1)


@pytest.mark.parametrize("size", [0, 1, 2, 1000])
def test_what_comes_out_are_bytes_of_their_own(size):
    """Python shares all ``bytes`` of length 0 and 1: these must not be written to."""
    data = bytes(size)
    first, second = xor_loop(data, 0, size, 0x41414141), xor_loop(data, 0, size, 0x42424242)
    assert (type(first), first, second) == (bytes, b"A" * size, b"B" * size)
    assert bytes(size) == data == b"\x00" * size
    assert [bytes([octet])[0] for octet in range(256)] == list(range(256))
