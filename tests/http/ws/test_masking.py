"""Tests for gustnado.http.ws.masking."""

from __future__ import annotations

import os
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.http.ws.masking import MaskKeys, unmask, websocket_mask, xor_number
from gustnado.http.ws.xor import xor_loop


@given(st.binary(max_size=200), st.integers(0, 2**32 - 1), st.integers(0, 20))
def test_both_ways_lead_to_the_same_bytes(data, key, start):
    start = min(start, len(data))
    size = len(data) - start
    assert xor_number(data, start, size, key) == xor_loop(data, start, size, key)
    assert type(xor_number(data, start, size, key)) is bytes


@pytest.mark.parametrize(("start", "size"), [(0, 6), (6, 0), (-1, 2), (0, -1)])
def test_bytes_that_are_not_there_are_not_read(start, size):
    with pytest.raises(ValueError, match="bytes from"):
        xor_number(b"abcde", start, size, 1)


def test_the_loop_is_for_machine_code():
    interpreted = type(xor_loop) is types.FunctionType
    assert unmask is (xor_number if interpreted else xor_loop)


@given(st.binary(min_size=4, max_size=4), st.binary(max_size=100))
def test_masking_twice_is_masking_not_at_all(mask, data):
    assert websocket_mask(mask, websocket_mask(mask, data)) == data


def test_masked_as_tornado_does():
    assert websocket_mask(b"ZXCV", b"98765432") == b"c`t`olpd"
    assert websocket_mask(b"\xff\xfb\xfd\xfc", b"\x00\x01\x02\x03\x04\x05") == b"\xff\xfa\xff\xff\xfb\xfe"


@pytest.mark.parametrize("mask", [b"", b"abc", b"abcde"])
def test_a_mask_has_four_bytes(mask):
    with pytest.raises(ValueError, match="four bytes"):
        websocket_mask(mask, b"data")


def test_keys_come_from_the_systems_randomness_and_are_never_used_twice(monkeypatch):
    """115."""
    sources = []

    def urandom(size):
        sources.append(os.getrandom(size) if hasattr(os, "getrandom") else bytes(range(size)))
        return sources[-1]

    monkeypatch.setattr("gustnado.http.ws.masking.os.urandom", urandom)
    keys = MaskKeys()
    drawn = [keys.next() for _ in range(200)]
    assert b"".join(drawn) == b"".join(sources)[: 4 * 200]
    assert {len(key) for key in drawn} == {4}
    assert len(sources) > 1
