"""Decoding the body of a response, by its ``Content-Encoding`` (RFC 9110 section 8.4), within bounds.

The body is decoded piece by piece as it is asked for, so that a few KiB that expand to gigabytes cost no more
memory than one piece, and the sum is charged against the limit of the body. One coding at a time is decoded; a body
with several, or with one that is not known, is handed over as it is.

>>> import gzip
>>> decoder = decoder_for("gzip")
>>> decoder.feed(gzip.compress(b"wind" * 100))
>>> decoder.read(6), decoder.read(1000) == (b"wind" * 100)[6:], decoder.finish()
(b'windwi', True, None)
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

from gustnado.http.client.errors import DecodingError, ResponseTooLargeError
from gustnado.http.h1.response_parser import ResponseParser
from gustnado.util import GzipDecompressor

__all__ = ["DecodedBody", "Decoder", "accepted_codings", "decoder_for"]


class Decoder(Protocol):
    """Decodes one stream. What any of these raises for bad input differs with the coding."""

    def feed(self, data: bytes, /) -> None:
        """Take input, when :meth:`read` has nothing more to give."""

    def read(self, max_length: int, /) -> bytes:
        """A piece of the output; empty where more input is needed."""
        raise NotImplementedError

    def finish(self) -> None:
        """The input has ended, which it may only where the stream has."""


class _Gzip:
    """``gzip`` (RFC 1952), any number of members."""

    def __init__(self) -> None:
        self._stream = GzipDecompressor()
        self._input = b""

    def feed(self, data: bytes, /) -> None:
        self._input = data

    def read(self, max_length: int, /) -> bytes:
        while self._input:
            output = self._stream.decompress(self._input, max_length)
            self._input = self._stream.unconsumed_tail
            if output:
                return output
        return b""

    def finish(self) -> None:
        self._stream.flush()


class _Deflate:
    """``deflate``: zlib's format (RFC 1950), or, as some servers send, bare deflate (RFC 1951)."""

    def __init__(self) -> None:
        self._stream: Any = None
        self._input = b""

    def feed(self, data: bytes, /) -> None:
        if self._stream is None and data:
            # A zlib stream begins with compression method 8, as no bare one does that a compressor makes.
            self._stream = zlib.decompressobj(zlib.MAX_WBITS if data[0] & 0x0F == 8 else -zlib.MAX_WBITS)
        self._input = data

    def read(self, max_length: int, /) -> bytes:
        if not self._input:
            return b""
        output: bytes = self._stream.decompress(self._input, max_length)
        if self._stream.unused_data:
            raise ValueError("data after the end of the stream")
        self._input = self._stream.unconsumed_tail
        return output

    def finish(self) -> None:
        if self._stream is None or not self._stream.eof:
            raise ValueError("the stream is truncated")


class _Brotli:
    """``br`` (RFC 7932). A piece may be up to 32 KiB longer than asked for."""

    def __init__(self) -> None:
        self._stream: Any = import_module("brotli").Decompressor()
        self._input = b""
        self._has_more = False

    def feed(self, data: bytes, /) -> None:
        self._input = data

    def read(self, max_length: int, /) -> bytes:
        if not self._input and not self._has_more:
            return b""
        data, self._input = self._input, b""
        if data and self._stream.is_finished():
            raise ValueError("data after the end of the stream")
        try:
            output: bytes = self._stream.process(data, output_buffer_limit=max_length)
        except Exception as error:  # brotli.error has no other base
            raise ValueError(str(error)) from None
        self._has_more = bool(output)
        return output

    def finish(self) -> None:
        if not self._stream.is_finished():
            raise ValueError("the stream is truncated")


class _Zstd:
    """``zstd`` (RFC 8878), one frame after the other, with windows of at most 8 MiB (RFC 9659)."""

    def __init__(self) -> None:
        self._zstd = import_module(_ZSTD)
        self._stream = self._new_stream()
        self._input = b""
        self._frames = 1

    def _new_stream(self) -> Any:
        return self._zstd.ZstdDecompressor(options={self._zstd.DecompressionParameter.window_log_max: 23})

    def feed(self, data: bytes, /) -> None:
        self._input += data

    def read(self, max_length: int, /) -> bytes:
        try:
            return self._read(max_length)
        except self._zstd.ZstdError as error:
            raise ValueError(str(error)) from None

    def _read(self, max_length: int) -> bytes:
        while self._input or not (self._stream.eof or self._stream.needs_input):
            if self._stream.eof:
                self._frames += 1
                if self._frames > _MAX_FRAMES:
                    raise ValueError(f"more than {_MAX_FRAMES} frames")
                self._stream = self._new_stream()
            data, self._input = self._input, b""
            output: bytes = self._stream.decompress(data, max_length)
            if self._stream.eof:
                self._input = self._stream.unused_data
            if output:
                return output
        return b""

    def finish(self) -> None:
        if not self._stream.eof:
            raise ValueError("the stream is truncated")


_MAX_FRAMES = 64
_ZSTD = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"


def _decoders() -> dict[str, Callable[[], Decoder]]:
    """What can be decoded here: only by what can be told to stop at a size."""
    found: dict[str, Callable[[], Decoder]] = {"gzip": _Gzip, "x-gzip": _Gzip, "deflate": _Deflate}
    for coding, module, decoder in (("br", "brotli", _Brotli), ("zstd", _ZSTD, _Zstd)):
        try:
            library = import_module(module)
        except ImportError:
            continue
        # Brotli before 1.2 cannot be told.
        if coding != "br" or hasattr(library.Decompressor, "can_accept_more_data"):
            found[coding] = decoder
    return found


_DECODERS = _decoders()


def accepted_codings() -> str:
    """For the ``Accept-Encoding`` field of a request whose response is to be decoded: what can be decoded here."""
    return ", ".join(name for name in _DECODERS if not name.startswith("x-"))


def decoder_for(coding: str) -> Decoder | None:
    """A decoder for the value of a ``Content-Encoding`` field; ``None`` for what is not decoded."""
    make = _DECODERS.get(coding.strip(" \t").lower())
    return None if make is None else make()


class DecodedBody:
    """The body of a response, decoded; to be read as the parser itself is.

    :param parser: has parsed the head.
    :param coding: its coding, for messages.
    :param max_size: bytes, decoded; -1 is no bound.
    :ivar complete: the body has been read to its end.
    :ivar stalled: there may be more to read without more input.
    """

    __slots__ = ("_coding", "_decoder", "_max_size", "_parser", "_size", "complete", "stalled")

    def __init__(self, parser: ResponseParser, decoder: Decoder, coding: str, max_size: int) -> None:
        self._parser = parser
        self._decoder = decoder
        self._coding = coding
        self._max_size = max_size
        self._size = 0
        self.complete = False
        self.stalled = False

    def read_body(self, max_bytes: int) -> bytes:
        """Read a piece of the body; empty where none has arrived.

        :raises gustnado.errors.HTTPInputError: as the parser.
        :raises gustnado.http.client.errors.DecodingError: where the body is malformed or truncated.
        :raises gustnado.http.client.errors.ResponseTooLargeError: over ``max_size``.
        """
        parser, decoder = self._parser, self._decoder
        self.stalled = False
        try:
            piece = decoder.read(max_bytes)
            if not piece and not parser.complete:
                data = parser.read_body(max_bytes)
                if data:
                    decoder.feed(data)
                    piece = decoder.read(max_bytes)
                self.stalled = not piece and (bool(data) or parser.stalled)
            if not piece and parser.complete:
                decoder.finish()
                self.complete = True
        except (zlib.error, ValueError, EOFError) as error:
            raise DecodingError(f"invalid {self._coding} data: {error}") from error
        self._size += len(piece)
        if self._size > self._max_size >= 0:
            raise ResponseTooLargeError(f"decompressed body too large: over {self._max_size} bytes")
        return piece
