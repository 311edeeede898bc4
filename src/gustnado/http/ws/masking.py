"""Masking of payloads (RFC 6455 section 5.3).

There are two ways to the same bytes. :func:`~gustnado.http.ws.xor.xor_loop` goes over them one by one, which is as
fast as memory in machine code and a hundred times slower in interpreted Python; :func:`xor_number` lets
Python XOR two long integers, which is the other way round. :func:`unmask` is the one that is better here.

>>> websocket_mask(b"abcd", b"54321")
b'TVPVP'
"""

from __future__ import annotations

import os
import types
from collections.abc import Callable

from gustnado.http.ws.xor import xor_loop

__all__ = ["MaskKeys", "unmask", "websocket_mask", "xor_number"]

_POOL_SIZE = 256  # bytes of randomness fetched at once


def xor_number(data: bytes, start: int, size: int, key: int) -> bytes:
    """As :func:`~gustnado.http.ws.xor.xor_loop`, by way of integers that are as long as the data."""
    if start < 0 or size < 0 or start + size > len(data):
        raise ValueError(f"no {size} bytes from {start} on in {len(data)}")
    number = int.from_bytes(data[start : start + size], "little")
    keys = key.to_bytes(4, "little") * (size // 4 + 1)
    return (number ^ int.from_bytes(keys[:size], "little")).to_bytes(size, "little")


_interpreted = isinstance(xor_loop, types.FunctionType)
unmask: Callable[[bytes, int, int, int], bytes] = xor_number if _interpreted else xor_loop
"""Masks, or unmasks: ``size`` bytes of ``data`` from ``start`` on, with the 32 bits of ``key``."""


def websocket_mask(mask: bytes, data: bytes) -> bytes:
    """``data`` masked, or unmasked, with the four bytes of ``mask``.

    :raises ValueError: where there are not four.
    """
    if len(mask) != 4:
        raise ValueError(f"a mask has four bytes, not {len(mask)}")
    return unmask(data, 0, len(data), int.from_bytes(mask, "little"))


class MaskKeys:
    """The keys of a client's frames: from the system's source of randomness, so that no one can foresee them.

    It is asked for many at once, since asking costs more than masking a short message.
    """

    __slots__ = ("_place", "_pool")

    def __init__(self) -> None:
        self._pool = b""
        self._place = 0

    def next(self) -> bytes:
        """Four bytes that were never used before."""
        place = self._place
        if place >= len(self._pool):
            self._pool = os.urandom(_POOL_SIZE)
            place = 0
        self._place = place + 4
        return self._pool[place : place + 4]
