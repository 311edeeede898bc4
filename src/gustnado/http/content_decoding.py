"""Decoding content codings (RFC 9110 section 8.4.1): bytes in, bounded pieces out. No I/O.

A few KiB may stand for gigabytes, so a decoder gives its output in pieces that are asked for, and holds no more than
that. ``gzip`` and ``deflate`` are always there, ``br`` and ``zstd`` where their packages are (the extra
``compress``; ``zstd`` comes with Python from 3.14 on).

>>> import gzip
>>> decoder = decoder_for("gzip")
>>> decoder.feed(gzip.compress(b"wind" * 100))
>>> decoder.read(6), decoder.read(1000) == (b"wind" * 100)[6:], decoder.finish()
(b'windwi', True, None)
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol

from gustnado.errors import ProtocolError

__all__ = [
    "MAX_STREAMS",
    "Decoder",
    "DecodingError",
    "accepted_codings",
    "brotli_module",
    "decoder_for",
    "zstd_module",
]

MAX_STREAMS = 64
"""Streams one behind the other in one body: members of gzip, frames of zstd. Encoders write one."""

_ZSTD_WINDOW_LOG = 23  # 8 MiB, as RFC 9659 has it for HTTP
_GZIP_WBITS = 16 + zlib.MAX_WBITS  # 16: expect a gzip header and trailer, and check them


class DecodingError(ProtocolError):
    """Content is not what its coding says."""


class Decoder(Protocol):
    """Decodes the content of one message.

    Each of these raises :exc:`DecodingError` where the content is malformed.
    """

    def feed(self, data: bytes, /) -> None:
        """Take input."""

    def read(self, max_length: int, /) -> bytes:
        """A piece of the output, of ``max_length`` bytes or little more; empty where more input is needed."""
        ...

    def finish(self) -> None:
        """The input has ended, which it may only where the content has."""


class _Streams:
    """What follows the pattern of the standard library: one decompressor a stream, any number of streams."""

    name = ""
    several = True

    def __init__(self) -> None:
        self._input = b""
        self._streams = 0
        self._stream: Any = None

    def feed(self, data: bytes, /) -> None:
        self._input += data

    def read(self, max_length: int, /) -> bytes:
        while self._input or self._holds_output():
            stream: Any = self._begin_stream() if self._stream is None else self._stream
            try:
                output = self._decompress(max_length)
            except _errors() as error:
                raise DecodingError(f"invalid {self.name} data: {error}") from error
            if stream.eof:
                self._input = stream.unused_data
                self._stream = None
            if output:
                return output
        return b""

    def finish(self) -> None:
        if self._stream is not None or not self._streams:
            raise DecodingError(f"invalid {self.name} data: it is truncated")

    def _holds_output(self) -> bool:
        return False

    def _begin_stream(self) -> Any:
        self._streams += 1
        if self._streams > MAX_STREAMS or (self._streams > 1 and not self.several):
            raise DecodingError(f"invalid {self.name} data: it goes on after its end")
        self._stream = self._make()
        return self._stream

    def _make(self) -> Any:
        raise NotImplementedError

    def _decompress(self, max_length: int) -> bytes:
        raise NotImplementedError


class _Zlib(_Streams):
    def __init__(self) -> None:
        super().__init__()
        self._full = False

    def _holds_output(self) -> bool:
        return self._full and self._stream is not None

    def _decompress(self, max_length: int) -> bytes:
        output: bytes = self._stream.decompress(self._input, max_length)
        self._input = self._stream.unconsumed_tail
        self._full = len(output) == max_length
        return output


class _Gzip(_Zlib):
    """RFC 1952."""

    name = "gzip"

    def _make(self) -> Any:
        return zlib.decompressobj(_GZIP_WBITS)


class _Deflate(_Zlib):
    """zlib's format (RFC 1950), or, as some send it, bare deflate (RFC 1951)."""

    name = "deflate"
    several = False

    def _make(self) -> Any:
        # A zlib stream begins with compression method 8, as no bare one does that a compressor makes.
        return zlib.decompressobj(zlib.MAX_WBITS if self._input[0] & 0x0F == 8 else -zlib.MAX_WBITS)


class _Zstd(_Streams):
    """RFC 8878."""

    name = "zstd"

    def _make(self) -> Any:
        zstd = zstd_module()
        window = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}  # type: ignore[union-attr]
        return zstd.ZstdDecompressor(options=window)  # type: ignore[union-attr]

    def _holds_output(self) -> bool:
        return self._stream is not None and not self._stream.needs_input

    def _decompress(self, max_length: int) -> bytes:
        data, self._input = self._input, b""
        output: bytes = self._stream.decompress(data, max_length)
        return output


class _Brotli:
    """RFC 7932; there is one stream, without an end marker that others could follow."""

    def __init__(self) -> None:
        self._stream: Any = brotli_module().Decompressor()  # type: ignore[union-attr]
        self._input = b""
        self._has_more = False

    def feed(self, data: bytes, /) -> None:
        self._input += data

    def read(self, max_length: int, /) -> bytes:
        stream = self._stream
        while self._input or self._has_more:
            data = b""
            if stream.can_accept_more_data():
                data, self._input = self._input, b""
            if data and stream.is_finished():
                raise DecodingError("invalid br data: it goes on after its end")
            try:
                output: bytes = stream.process(data, output_buffer_limit=max_length)
            except _errors() as error:
                raise DecodingError(f"invalid br data: {error}") from error
            # It may take more input and still hold output back.
            self._has_more = bool(output) or not stream.can_accept_more_data()
            if output:
                return output
        return b""

    def finish(self) -> None:
        if not self._stream.is_finished():
            raise DecodingError("invalid br data: it is truncated")


@functools.cache
def brotli_module() -> ModuleType | None:
    """The package ``brotli``, or ``None`` where there is none whose output can be bounded (from 1.2 on)."""
    try:
        brotli = import_module("brotli")
    except ImportError:
        return None
    return brotli if hasattr(brotli.Decompressor, "can_accept_more_data") else None


@functools.cache
def zstd_module() -> ModuleType | None:
    """The standard library's ``compression.zstd``, or its backport; ``None`` where there is neither."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return import_module(name)
        except ImportError:
            continue
    return None


@functools.cache
def _errors() -> tuple[type[Exception], ...]:
    """What the decompressors raise for bad input."""
    brotli, zstd = brotli_module(), zstd_module()
    errors: list[type[Exception]] = [zlib.error, ValueError, EOFError]
    if brotli is not None:
        errors.append(brotli.error)
    if zstd is not None:
        errors.append(zstd.ZstdError)
    return tuple(errors)


@functools.cache
def _decoders() -> dict[str, Callable[[], Decoder]]:
    decoders: dict[str, Callable[[], Decoder]] = {"gzip": _Gzip, "deflate": _Deflate}
    if brotli_module() is not None:
        decoders["br"] = _Brotli
    if zstd_module() is not None:
        decoders["zstd"] = _Zstd
    return decoders


def accepted_codings() -> str:
    """What can be decoded here, as an ``Accept-Encoding`` field says it.

    >>> accepted_codings().split(", ")[:2]
    ['gzip', 'deflate']
    """
    return ", ".join(_decoders())


def decoder_for(coding: str) -> Decoder | None:
    """A decoder for the value of a ``Content-Encoding`` field; ``None`` for what is not decoded here.

    That is also a list of codings: each layer could expand the one below without bound.
    """
    name = coding.strip(" \t").lower()
    make = _decoders().get("gzip" if name == "x-gzip" else name)
    return None if make is None else make()
