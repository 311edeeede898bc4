"""Masking in a loop over bytes, eight at a time: as fast as memory where it is compiled, slow where it is not.

Use :mod:`~gustnado.http.ws.masking`, which knows when to.

>>> xor_loop(b"..Hello..", 2, 5, 0)
b'Hello'
>>> xor_loop(b"Hello", 0, 5, 0x20202020)
b'hELLO'
"""

from __future__ import annotations

__all__ = ["xor_loop"]


def xor_loop(data: bytes, start: int, size: int, key: int) -> bytes:
    """``size`` bytes of ``data``, from ``start`` on, each XORed with one of the four bytes of ``key``.

    :param key: 32 bits; the first byte is masked with the lowest eight, as on the wire read little-endian.
    :raises ValueError: where ``data`` does not have that many.
    """
    if start < 0 or size < 0 or start + size > len(data):
        raise ValueError(f"no {size} bytes from {start} on in {len(data)}")
    if size == 0:
        return b""
    result = bytearray(size)  # to C they are bytes already, and nobody has set them: see xor.pxd
    source = data
    target = result
    _xor(source, start, target, size, key)
    return b"".join((result,))  # of bytes alone, as they are to C, it makes no copy, and is quicker than `bytes()`


def _xor(source: bytes, start: int, target: bytearray, size: int, key: int) -> None:
    first = key & 255
    second = key >> 8 & 255
    third = key >> 16 & 255
    fourth = key >> 24 & 255
    whole = size & ~7
    place = 0
    while place < whole:
        target[place] = source[start + place] ^ first
        target[place + 1] = source[start + place + 1] ^ second
        target[place + 2] = source[start + place + 2] ^ third
        target[place + 3] = source[start + place + 3] ^ fourth
        target[place + 4] = source[start + place + 4] ^ first
        target[place + 5] = source[start + place + 5] ^ second
        target[place + 6] = source[start + place + 6] ^ third
        target[place + 7] = source[start + place + 7] ^ fourth
        place += 8
    while place < size:
        target[place] = source[start + place] ^ (key >> (8 * (place & 3)) & 255)
        place += 1
