"""Transforms of a response on its way out. The one that there is compresses.

A transform sees the head and the first chunk together, then each further chunk. Each request gets new
ones, from the classes in ``Application.transforms``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gustnado.http.content_encoding import Encoder, available_codings, encoder_for, preferred_coding

if TYPE_CHECKING:
    from gustnado.http.headers import HTTPHeaders
    from gustnado.http.messages import HTTPServerRequest

__all__ = ["ContentEncoding", "GZipContentEncoding", "OutputTransform"]


class OutputTransform:
    """A transform that changes nothing; the base of others."""

    def __init__(self, request: HTTPServerRequest) -> None:
        pass

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Change the head and the first chunk.

        :param finishing: whether this chunk is the last one, too.
        """
        return status_code, headers, chunk

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        """Change a further chunk."""
        return chunk


class ContentEncoding(OutputTransform):
    """Compresses responses for those who take it (the setting ``compress_response``).

    In which coding is for the client to say, and among those that it likes best the first of ``CODINGS`` that is there.
    Text and what is in ``CONTENT_TYPES`` is compressed. A response that is written at once must be of
    ``MIN_LENGTH`` bytes or more; one in pieces is compressed whatever its size. Left alone are responses
    that have a coding, and those that are a part of something (206, ``Content-Range``): their bytes are
    counted in the uncompressed content.

    A page that shows a secret beside something that came with the request should not be compressed: by trying what
    makes the response shorter, somebody who sees its length can guess the secret (BREACH). The XSRF token is safe,
    as it is masked anew each time. Such a handler says ``self.set_header("Cache-Control", "no-transform")``.
    """

    CODINGS: ClassVar[tuple[str, ...]] = ("br", "zstd", "gzip")
    CONTENT_TYPES: ClassVar[set[str]] = {
        "application/javascript",
        "application/x-javascript",
        "application/xml",
        "application/atom+xml",
        "application/json",
        "application/xhtml+xml",
        "image/svg+xml",
    }
    GZIP_LEVEL = 6
    """gzip's own default: level 9 takes far longer and gains little."""
    MIN_LENGTH = 1024
    """Bytes. Shorter responses gain nothing worth the time."""

    def __init__(self, request: HTTPServerRequest) -> None:
        super().__init__(request)
        codings = [coding for coding in available_codings() if coding in self.CODINGS]
        self._coding = preferred_coding(request.headers.get("Accept-Encoding", ""), codings)
        self._encoder: Encoder | None = None

    def _compressible_type(self, ctype: str) -> bool:
        return ctype.startswith("text/") or ctype in self.CONTENT_TYPES

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        _vary_by_encoding(headers)
        if self._coding is not None and self._is_worth_it(status_code, headers, chunk, finishing):
            self._encoder = encoder_for(self._coding, self.GZIP_LEVEL)
            chunk = self._encoder.encode(chunk, finishing)
            headers["Content-Encoding"] = self._coding
            _weaken_etag(headers)
            if "Content-Length" in headers:
                if finishing:
                    headers["Content-Length"] = str(len(chunk))
                else:
                    del headers["Content-Length"]
        return status_code, headers, chunk

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        # Each piece is flushed, since whoever writes in pieces wants them to arrive.
        return chunk if self._encoder is None else self._encoder.encode(chunk, finishing)

    def _is_worth_it(self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool) -> bool:
        content_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return (
            self._compressible_type(content_type)
            and (not finishing or len(chunk) >= self.MIN_LENGTH)
            and "Content-Encoding" not in headers
            and status_code not in (204, 206, 304)
            and "Content-Range" not in headers
            and "no-transform" not in headers.get("Cache-Control", "").lower()
        )


class GZipContentEncoding(ContentEncoding):
    """The same with gzip alone, as Tornado's."""

    CODINGS: ClassVar[tuple[str, ...]] = ("gzip",)


def _vary_by_encoding(headers: HTTPHeaders) -> None:
    vary = headers.get("Vary")
    if vary is None:
        headers["Vary"] = "Accept-Encoding"
    elif "accept-encoding" not in vary.lower() and vary.strip() != "*":
        headers["Vary"] = f"{vary}, Accept-Encoding"


def _weaken_etag(headers: HTTPHeaders) -> None:
    """A strong tag is for one sequence of bytes (RFC 9110 section 8.8.1), and these are now others."""
    etag = headers.get("Etag")
    if etag is not None and not etag.startswith("W/"):
        headers["Etag"] = "W/" + etag
