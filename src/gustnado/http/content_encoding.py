"""Encoding content (RFC 9110 section 8.4.1), and finding out in which coding a client wants it. No I/O.

``gzip`` is always there, ``br`` and ``zstd`` where their packages are (the extra ``compress``).

>>> preferred_coding("gzip;q=0.5, identity;q=0.1", ["br", "gzip"]), preferred_coding("identity", ["gzip"])
('gzip', None)
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from gustnado.http.content_decoding import brotli_module, zstd_module

__all__ = ["Encoder", "available_codings", "encoder_for", "preferred_coding"]

_GZIP_WBITS = 31  # zlib's largest window, with gzip's head and trailer (RFC 1952)
_BROTLI_QUALITY = 5  # about gzip's time at its level 6 for less output; 11, its default, takes a hundred times as long
_ZSTD_LEVEL = 3
_ZSTD_WINDOW_LOG = 23  # 8 MiB, the most that RFC 9659 lets a client expect


class Encoder(Protocol):
    """Encodes the content of one message."""

    def encode(self, data: bytes, last: bool, /) -> bytes:
        """Encode a piece, so that the peer can decode all of it.

        :param last: it is the last one.
        """
        ...


class _Gzip:
    def __init__(self, level: int) -> None:
        self._stream = zlib.compressobj(level, zlib.DEFLATED, _GZIP_WBITS)

    def encode(self, data: bytes, last: bool, /) -> bytes:
        return self._stream.compress(data) + self._stream.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)


class _Brotli:
    def __init__(self, level: int) -> None:
        self._stream: Any = brotli_module().Compressor(quality=_BROTLI_QUALITY)  # type: ignore[union-attr]

    def encode(self, data: bytes, last: bool, /) -> bytes:
        output: bytes = self._stream.process(data)
        output += self._stream.finish() if last else self._stream.flush()
        return output


class _Zstd:
    def __init__(self, level: int) -> None:
        zstd: Any = zstd_module()
        parameter = zstd.CompressionParameter
        options = {parameter.compression_level: _ZSTD_LEVEL, parameter.window_log: _ZSTD_WINDOW_LOG}
        self._stream = zstd.ZstdCompressor(options=options)

    def encode(self, data: bytes, last: bool, /) -> bytes:
        stream = self._stream
        output: bytes = stream.compress(data, mode=stream.FLUSH_FRAME if last else stream.FLUSH_BLOCK)
        return output


_ENCODERS: dict[str, Callable[[int], Encoder]] = {"br": _Brotli, "zstd": _Zstd, "gzip": _Gzip}


def available_codings() -> list[str]:
    """The codings that there are, the best first.

    >>> available_codings()[-1]
    'gzip'
    """
    there = {"br": brotli_module() is not None, "zstd": zstd_module() is not None, "gzip": True}
    return [coding for coding in _ENCODERS if there[coding]]


def encoder_for(coding: str, gzip_level: int = 6) -> Encoder:
    """An encoder for one of :func:`available_codings`.

    :raises KeyError: where there is no such coding.
    """
    return _ENCODERS[coding](gzip_level)


def preferred_coding(accept_encoding: str, codings: Sequence[str]) -> str | None:
    """Which of ``codings`` to use for a client; ``None``: none, it wants the content as it is.

    The client's weights decide (RFC 9110 section 12.5.3), and among those that it likes best the order of ``codings``.
    What cannot be read has the weight 0. ``x-gzip`` is another name of ``gzip``.

    :param accept_encoding: value of the ``Accept-Encoding`` field; ``""`` where there is none.
    """
    if not accept_encoding:
        return None
    weights: dict[str, float] = {}
    for item in accept_encoding.lower().split(","):
        coding, _, parameters = item.partition(";")
        name = coding.strip(" \t")
        weights["gzip" if name == "x-gzip" and "gzip" not in weights else name] = _weight(parameters)
    rest = weights.get("*", 0.0)
    best, chosen = max(weights.get("identity", 0.0), 1e-9), None
    for coding in codings:
        weight = weights.get(coding, rest)
        if weight > best or (weight == best and chosen is None):
            best, chosen = weight, coding
    return chosen


def _weight(parameters: str) -> float:
    """The ``q`` of ``;q=0.5``: 1 where there is none, 0 where it cannot be read."""
    name, equals, value = parameters.partition("=")
    if not equals or name.strip(" \t") != "q":
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0
