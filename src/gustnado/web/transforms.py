"""Transforms of a response on its way out. The one that there is compresses.

A transform sees the head and the first chunk together, then each further chunk. Each request gets new
ones, from the classes in ``Application.transforms``.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from gustnado.http.headers import HTTPHeaders
    from gustnado.http.messages import HTTPServerRequest

__all__ = ["GZipContentEncoding", "OutputTransform", "accepts_gzip"]

_GZIP_WINDOW = 31  # zlib's largest window, with gzip's head and trailer (RFC 1952)


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


class GZipContentEncoding(OutputTransform):
    """Compresses responses with gzip for those who take it (the setting ``compress_response``).

    Text and what is in ``CONTENT_TYPES`` is compressed. A response that is written at once must be of
    ``MIN_LENGTH`` bytes or more; one in pieces is compressed whatever its size. Left alone are responses
    that have a coding, and those that are a part of something (206, ``Content-Range``): their bytes are
    counted in the uncompressed content.
    """

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
        self._gzipping = accepts_gzip(request.headers.get("Accept-Encoding", ""))

    def _compressible_type(self, ctype: str) -> bool:
        return ctype.startswith("text/") or ctype in self.CONTENT_TYPES

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        _vary_by_encoding(headers)
        if self._gzipping:
            self._gzipping = self._is_worth_it(status_code, headers, chunk, finishing)
        if self._gzipping:
            self._compressor = zlib.compressobj(self.GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
            chunk = self.transform_chunk(chunk, finishing)
            headers["Content-Encoding"] = "gzip"
            _weaken_etag(headers)
            if "Content-Length" in headers:
                if finishing:
                    headers["Content-Length"] = str(len(chunk))
                else:
                    del headers["Content-Length"]
        return status_code, headers, chunk

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        if not self._gzipping:
            return chunk
        # Each piece is flushed, since whoever writes in pieces wants them to arrive.
        return self._compressor.compress(chunk) + self._compressor.flush(
            zlib.Z_FINISH if finishing else zlib.Z_SYNC_FLUSH
        )

    def _is_worth_it(self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool) -> bool:
        content_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return (
            self._compressible_type(content_type)
            and (not finishing or len(chunk) >= self.MIN_LENGTH)
            and "Content-Encoding" not in headers
            and status_code not in (204, 206, 304)
            and "Content-Range" not in headers
        )


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an ``Accept-Encoding`` value (RFC 9110 section 12.5.3) has gzip among what it wants.

    >>> [accepts_gzip(value) for value in ("deflate, gzip", "*", "gzip;q=0, *", "", "gzip;q=0.5, identity")]
    [True, True, False, False, False]
    """
    if not accept_encoding:
        return False
    weights: dict[str, float] = {}
    for item in accept_encoding.lower().split(","):
        coding, _, parameters = item.partition(";")
        weights[coding.strip(" \t")] = _weight(parameters)
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)


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
