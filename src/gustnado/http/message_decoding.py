"""Messages whose body has a ``Content-Encoding``: decoded before the program gets them.

Off unless ``decompress_request`` (or ``HTTP1ConnectionParameters.decompress``) asks for it, since each byte of such a
body may stand for a thousand. What is decoded is bounded three ways: by the bound of the body itself, which counts
decoded bytes; by :data:`MAX_RATIO`; and by the number of streams
(:data:`~gustnado.http.content_decoding.MAX_STREAMS`). One coding is decoded, never several upon each other: requests
with those, and with codings that are not known here, are answered with 415, and such responses are handed over as
they are.

The program sees neither the coding nor the length of what was sent: ``Content-Encoding`` becomes
``X-Consumed-Content-Encoding``, as with Tornado, and ``Content-Length`` goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from gustnado.errors import HTTPInputError
from gustnado.http.content_decoding import Decoder, DecodingError, decoder_for
from gustnado.http.delegates import HTTPMessageDelegate, HTTPServerConnectionDelegate, PassingDelegate
from gustnado.http.messages import ResponseStartLine

if TYPE_CHECKING:
    from gustnado.http.headers import HTTPHeaders
    from gustnado.http.messages import RequestStartLine

__all__ = ["MAX_RATIO", "DecodedMessage", "DecodingServer"]

MAX_RATIO = 100
"""Decoded bytes for each byte that was sent (gzip itself reaches 1,032, text 10)."""

_FREE = 64 * 1024  # decoded bytes before the ratio counts: short repetitive bodies are common
_PIECES_A_TURN = 16  # decoded at once before others get their turn


class DecodedMessage(PassingDelegate):
    """Decodes the body on its way to ``inner``.

    :param bound: called for the most bytes that the decoded body may have; -1 is no bound.
    :param chunk_size: the most bytes in one ``data_received``.
    """

    def __init__(self, inner: HTTPMessageDelegate, bound: Callable[[], int], chunk_size: int) -> None:
        super().__init__(inner)
        self._bound = bound
        self._chunk_size = chunk_size
        self._decoder: Decoder | None = None
        self._coded = 0
        self._decoded = 0

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        coding: str | None = headers.get("Content-Encoding")
        if coding is not None and coding.strip(" \t").lower() != "identity":
            self._decoder = decoder_for(coding)
            if self._decoder is not None:
                headers["X-Consumed-Content-Encoding"] = coding
                del headers["Content-Encoding"]
                if "Content-Length" in headers:
                    del headers["Content-Length"]
            elif not isinstance(start_line, ResponseStartLine):
                raise HTTPInputError(
                    f"Unsupported Content-Encoding: {coding[:80]!r} is not decoded here", status=415
                )
        return super().headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        decoder = self._decoder
        if decoder is None:
            return super().data_received(chunk)
        self._coded += len(chunk)
        decoder.feed(chunk)
        for _ in range(_PIECES_A_TURN):
            piece = self._next_piece(decoder)
            if not piece:
                return None
            pending = super().data_received(piece)
            if pending is not None:
                return self._go_on(decoder, pending)
        return self._go_on(decoder, None)

    async def _go_on(self, decoder: Decoder, pending: Awaitable[None] | None) -> None:
        """Decode the rest of a chunk at the pace of the program."""
        while True:
            if pending is not None:
                await pending
            else:
                await asyncio.sleep(0)
            piece = self._next_piece(decoder)
            if not piece:
                return
            pending = super().data_received(piece)

    def _next_piece(self, decoder: Decoder) -> bytes:
        try:
            piece = decoder.read(self._chunk_size)
        except DecodingError as error:
            raise HTTPInputError(str(error)) from error
        self._decoded += len(piece)
        bound = self._bound()
        if self._decoded > bound >= 0:
            raise HTTPInputError(f"decompressed body too large: over {bound} bytes", status=413)
        if self._decoded > max(_FREE, MAX_RATIO * self._coded):
            raise HTTPInputError(f"decompressed body too large: over {MAX_RATIO} times what was sent", status=413)
        return piece

    def finish(self) -> None:
        if self._decoder is not None and self._coded:
            try:
                self._decoder.finish()
            except DecodingError as error:
                raise HTTPInputError(str(error)) from error
        super().finish()


class DecodingServer(HTTPServerConnectionDelegate):
    """Decodes the requests that it passes on to another delegate."""

    def __init__(self, inner: HTTPServerConnectionDelegate, chunk_size: int) -> None:
        self._inner = inner
        self._chunk_size = chunk_size

    def start_request(self, server_conn: object, request_conn: Any) -> HTTPMessageDelegate:
        inner = self._inner.start_request(server_conn, request_conn)
        return DecodedMessage(inner, lambda: request_conn.max_body_size, self._chunk_size)

    def on_close(self, server_conn: object) -> None:
        self._inner.on_close(server_conn)
