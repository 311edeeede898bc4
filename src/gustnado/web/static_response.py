"""What is said of a static file, and which part of it is sent: headers, conditions, ranges.

Conditions are looked at in the order of RFC 9110 section 13.2.2: ``If-Match`` or ``If-Unmodified-Since`` (412),
``If-None-Match`` or ``If-Modified-Since`` (304), then ``If-Range`` (206 or all of it).
"""

from __future__ import annotations

import datetime
import os

from gustnado.http.byteranges import MultipartRanges, select_ranges
from gustnado.http.dates import parse_http_date
from gustnado.http.ranges import ByteRange, RangeNotSatisfiable, if_range_holds
from gustnado.web.handler.caching import etag_matches_strongly
from gustnado.web.static_content import StaticContent

__all__ = ["StaticResponse"]


class StaticResponse(StaticContent):
    """The head of a response with a static file."""

    CACHE_MAX_AGE = 86400 * 365 * 10
    """Seconds that clients may keep what a URL with a version names."""

    _multipart: MultipartRanges | None = None
    _is_fallback = False

    def set_headers(self) -> None:
        """Set the fields that say what the content is and how long it may be kept."""
        self.set_header("Accept-Ranges", "bytes")
        self.set_etag_header()
        if self.modified is not None:
            known = self._file is not None and self._file.modified is self.modified
            self.set_header(
                "Last-Modified", self._file.last_modified if known and self._file else self.modified
            )
        content_type = self.get_content_type()
        if content_type:
            self.set_header("Content-Type", content_type)
        if self.precompressed:
            self.set_header("Vary", "Accept-Encoding")
            if self._coding is not None:
                self.set_header("Content-Encoding", self._coding)
        if self._is_fallback:
            self.set_header("Cache-Control", "no-cache")  # to be asked for again each time
        else:
            self._set_cache_time(content_type)
        self.set_extra_headers(self.path)

    def _set_cache_time(self, content_type: str) -> None:
        cache_time = self.get_cache_time(self.path, self.modified, content_type)
        if cache_time > 0:
            expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=cache_time)
            self.set_header("Expires", expires)
            self.set_header("Cache-Control", f"max-age={cache_time}{self._immutable()}")

    def should_return_304(self) -> bool:
        """Whether the client says that it has this content (RFC 9110 section 13.2.2).

        A date that cannot be read is as if it had not been sent.
        """
        if self.request.headers.get("If-None-Match"):
            return self.check_etag_header()
        since = self._asked_date("If-Modified-Since")
        modified = self._modified()
        return since is not None and modified is not None and since >= modified

    def set_extra_headers(self, path: str) -> None:
        """Override to add header fields."""

    def get_cache_time(self, path: str, modified: datetime.datetime | None, mime_type: str) -> int:
        """For how many seconds clients may keep it; 0 leaves that to them. Asked once a response."""
        return self.CACHE_MAX_AGE if self._asked_version() is not None else 0

    def _asked_version(self) -> str | None:
        if not self.request.query:
            return None
        values = self.request.query_arguments.get("v")
        return values[-1].decode("latin-1") if values else None

    def _immutable(self) -> str:
        """Said only of a URL that names this very content (RFC 8246)."""
        asked = self._asked_version()
        if not asked:
            return ""
        # The version of a compressed form's URL is that of the file itself.
        version = f'"{asked}"' == self._headers.get("Etag") if self._coding is None else asked == self._plain_version()
        return ", immutable" if version else ""

    def _asked_date(self, name: str) -> datetime.datetime | None:
        sent = self.request.headers.get(name)
        return None if sent is None else parse_http_date(sent)

    def _modified(self) -> datetime.datetime | None:
        modified = self.modified
        if modified is not None and modified.tzinfo is None:
            return modified.replace(tzinfo=datetime.UTC)
        return modified

    def _is_another(self) -> bool:
        """Whether the client wants content that this is not any more: a precondition that fails."""
        wanted = self.request.headers.get("If-Match")
        if wanted is not None:
            return not etag_matches_strongly(wanted, self._headers.get("Etag", ""))
        since = self._asked_date("If-Unmodified-Since")
        modified = self._modified()
        return since is not None and modified is not None and modified > since

    def _start_response(self, size: int) -> list[ByteRange]:
        """Set status and header fields; the parts of the content that are to follow, or none."""
        self.set_headers()
        if self._is_another():
            self._say(412)
            return []
        if self.should_return_304():
            self.set_status(304)
            return []
        try:
            parts = self._asked_ranges(size)
        except RangeNotSatisfiable as error:
            self._say(416)
            self.set_header("Content-Range", error.content_range)
            return []
        if parts is None:
            self.set_header("Content-Length", str(size))
            return [ByteRange(0, size)]
        self.set_status(206)
        if len(parts) == 1:
            self.set_header("Content-Range", parts[0].content_range(size))
            self.set_header("Content-Length", str(len(parts[0])))
        else:
            self._multipart = MultipartRanges(parts, size, self._headers.get("Content-Type", ""), self._boundary())
            self.set_header("Content-Type", self._multipart.content_type)
            self.set_header("Content-Length", str(len(self._multipart)))
        return parts

    def _say(self, status: int) -> None:
        """A status in place of the content, of which nothing may be kept."""
        self.set_status(status)
        self.set_header("Content-Type", "text/plain")
        for name in ("Expires", "Cache-Control", "Content-Encoding"):
            self.clear_header(name)

    def _boundary(self) -> str:
        # No content holds its own hash.
        etag: str = self._headers.get("Etag", "").strip('"')
        return etag[:40] if len(etag) >= 40 and etag.isalnum() else os.urandom(20).hex()

    def _asked_ranges(self, size: int) -> list[ByteRange] | None:
        headers = self.request.headers
        asked = headers.get("Range")
        if asked is None:
            return None
        condition = headers.get("If-Range")
        if condition is not None:
            ours = self._headers
            if not if_range_holds(condition, ours.get("Etag"), ours.get("Last-Modified")):
                return None
        return select_ranges(asked, size)
