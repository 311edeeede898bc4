"""Decoding the body of a response, by its ``Content-Encoding`` (RFC 9110 section 8.4), within bounds.

The body is decoded piece by piece as it is asked for, so that a few KiB that expand to gigabytes cost no more
memory than one piece, and the sum is charged against the limit of the body. One coding at a time is decoded; a body
with several, or with one that is not known, is handed over as it is. The codings themselves are those of
:mod:`gustnado.http.content_decoding`.
"""

from __future__ import annotations

from gustnado.http import content_decoding
from gustnado.http.client.errors import DecodingError, ResponseTooLargeError
from gustnado.http.content_decoding import Decoder
from gustnado.http.h1.response_parser import ResponseParser

__all__ = ["DecodedBody"]


class DecodedBody:
    """The body of a response, decoded; to be read as the parser itself is.

    :param parser: has parsed the head.
    :param max_size: bytes, decoded; -1 is no bound.
    :ivar complete: the body has been read to its end.
    :ivar stalled: there may be more to read without more input.
    """

    __slots__ = ("_decoder", "_max_size", "_parser", "_size", "complete", "stalled")

    def __init__(self, parser: ResponseParser, decoder: Decoder, max_size: int) -> None:
        self._parser = parser
        self._decoder = decoder
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
        except content_decoding.DecodingError as error:
            raise DecodingError(str(error)) from error
        self._size += len(piece)
        if self._size > self._max_size >= 0:
            raise ResponseTooLargeError(f"decompressed body too large: over {self._max_size} bytes")
        return piece
