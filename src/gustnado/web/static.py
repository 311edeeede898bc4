"""Static files: :class:`StaticFileHandler`.

A request takes one of three ways:

- Small files are kept in memory (:mod:`gustnado.web.static_cache`); after a ``stat`` their response leaves
  in the callback that brought the request.
- Other files are read in pieces, by a thread of the loop's executor, and each piece waits until the client
  has room for it; so neither the disk nor a slow client stops anyone else.
- Where a subclass replaces how content is found or read, its methods are called as Tornado calls them.

Which file a path may name is said in :mod:`gustnado.web.static_paths`.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Hashable, Sequence
from typing import Any, BinaryIO, cast

from gustnado.errors import OperationError, StreamClosedError
from gustnado.events.loop import IOLoop
from gustnado.http.dates import parse_http_date
from gustnado.http.ranges import ByteRange, RangeNotSatisfiable, if_range_holds, select_range
from gustnado.web.errors import HTTPError
from gustnado.web.static_cache import load_file
from gustnado.web.static_content import StaticContent, guess_type, open_at

__all__ = ["StaticFileHandler"]

_PIECE = 256 * 1024  # bytes read at once of a large file


class StaticFileHandler(StaticContent):
    """Serves the files below a directory.

    ``Application`` sets one up for the setting ``static_path``. Others are routed to, with one group in
    the pattern that takes the path below the directory::

        (r"/content/(.*)", StaticFileHandler, {"path": "/var/www", "default_filename": "index.html"})

    It answers conditional requests and requests for one range of bytes. A URL with an argument ``v``, as
    :meth:`RequestHandler.static_url` makes them, may be kept by clients for ten years.

    **Subclasses.** URLs are made without a handler, so some methods are class methods; override them as such.

    - ``make_static_url``, ``parse_url_path``, ``get_cache_time``, ``get_version``: how URLs look, and how
      long what they name may be kept;
    - ``get_absolute_path``, ``validate_absolute_path``, ``get_content``, ``get_content_size``,
      ``get_modified_time``, ``get_content_version``: content that comes from elsewhere;
    - ``get_content_type``, ``set_extra_headers``: what is said of it.

    Instance methods have ``self.path`` (as :meth:`parse_url_path` gave it), ``self.absolute_path`` and
    ``self.modified``.
    """

    CACHE_MAX_AGE = 86400 * 365 * 10
    """Seconds that clients may keep what a URL with a version names."""
    MAX_CACHED_FILE_SIZE = 64 * 1024
    """Bytes. Larger files are not kept in memory; with -1 none are."""

    def initialize(
        self,
        path: str,
        default_filename: str | None = None,
        allowed_symlink_directory: str | Sequence[str] | None = None,
    ) -> None:
        """Take the arguments of the route.

        :param path: the directory.
        :param default_filename: the file to serve for a directory; without it that is 403.
        :param allowed_symlink_directory: where symbolic links may lead, one directory or several, ``path``
            itself not included unless it is named; by default not out of ``path``.
        """
        self.root = path
        self.default_filename = default_filename
        self.allowed_symlink_directory = allowed_symlink_directory

    def _invoke(self) -> Any:
        if self._serves_files and self._gets_as_we_do() and self._serve_from_memory():
            return None
        return super()._invoke()

    def _gets_as_we_do(self) -> bool:
        cls, method = type(self), self.request.method
        if method == "HEAD" and cls.head is not StaticFileHandler.head:
            return False
        return method in ("GET", "HEAD") and cls.get is StaticFileHandler.get

    async def head(self, path: str) -> None:
        """Serve what GET would, without the content."""
        await self.get(path, include_body=False)

    async def get(self, path: str, include_body: bool = True) -> None:
        """Serve the file.

        :param path: below the directory, as in the URL.
        :raises HTTPError: 403 where the file may not be served, 404 where there is none.
        """
        self.path = self.parse_url_path(path)
        absolute_path = self.get_absolute_path(self.root, self.path)
        self.absolute_path = self.validate_absolute_path(self.root, absolute_path)
        if self.absolute_path is None:
            return
        if self._serves_files:
            await self._look_at_file(absolute_path)
        self.modified = self.get_modified_time()
        size = self.get_content_size()
        part = self._start_response(size)
        if part is None or not include_body:
            return
        if self._file is not None:
            self.write(self._file.content[part.start : part.stop])
        elif self._serves_files:
            await self._send_file(self.absolute_path, part)
        else:
            await self._send_content(self.absolute_path, part, size)

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
        cache_time = self.get_cache_time(self.path, self.modified, content_type)
        if cache_time > 0:
            expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=cache_time)
            self.set_header("Expires", expires)
            self.set_header("Cache-Control", f"max-age={cache_time}{self._immutable()}")
        self.set_extra_headers(self.path)

    def should_return_304(self) -> bool:
        """Whether the client says that it has this content (RFC 9110 section 13.2.2).

        A date that cannot be read is as if it had not been sent.
        """
        if self.request.headers.get("If-None-Match"):
            return self.check_etag_header()
        sent = self.request.headers.get("If-Modified-Since")
        since = None if sent is None else parse_http_date(sent)
        if since is None or self.modified is None:
            return False
        modified = self.modified
        if modified.tzinfo is None:
            modified = modified.replace(tzinfo=datetime.UTC)
        return since >= modified

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
        return ", immutable" if asked and f'"{asked}"' == self._headers.get("Etag") else ""

    def _start_response(self, size: int) -> ByteRange | None:
        """Set status and header fields; the part of the content that is to follow, or ``None``."""
        self.set_headers()
        if self.should_return_304():
            self.set_status(304)
            return None
        try:
            part = self._asked_range(size)
        except RangeNotSatisfiable as error:
            self.set_status(416)
            self.set_header("Content-Type", "text/plain")
            self.set_header("Content-Range", error.content_range)
            return None
        if part is None:
            part = ByteRange(0, size)
        else:
            self.set_status(206)
            self.set_header("Content-Range", part.content_range(size))
        self.set_header("Content-Length", str(len(part)))
        return part

    def _asked_range(self, size: int) -> ByteRange | None:
        headers = self.request.headers
        asked = headers.get("Range")
        if asked is None:
            return None
        condition = headers.get("If-Range")
        if condition is not None:
            ours = self._headers
            if not if_range_holds(condition, ours.get("Etag"), ours.get("Last-Modified")):
                return None
        return select_range(asked, size)

    def _cache_key(self) -> Hashable:
        allowed = self.allowed_symlink_directory
        directories = allowed if allowed is None or isinstance(allowed, str) else tuple(allowed)
        # A directory's default file is served, or redirected to, by the end of the URL's path.
        return (self.root, self.path, self.default_filename, directories, self.request.path[-1:] == "/")

    def _serve_from_memory(self) -> bool:
        if len(self.path_args) != 1 or self._transforms is not None:
            return False
        self.path = self.parse_url_path(self.path_args[0])
        file = self._static_files.get(self._cache_key())
        if file is None:
            return False
        self._file = file
        self.absolute_path = file.path
        self.modified = self.get_modified_time()
        part = self._start_response(self.get_content_size())
        if part is not None and self.request.method == "GET":
            whole = len(part) == len(file.content)
            self.write(file.content if whole else file.content[part.start : part.stop])
        return True

    async def _look_at_file(self, absolute_path: str) -> None:
        """In another thread, take a small file into memory, or else work out its version."""
        path = cast(str, self.absolute_path)
        loop = IOLoop.current()
        size = self._stat().st_size
        if size <= self.MAX_CACHED_FILE_SIZE and self._transforms is None:
            asked = absolute_path
            if self.default_filename is not None and os.path.isdir(asked):
                asked = os.path.join(asked, self.default_filename)
            limit = self.MAX_CACHED_FILE_SIZE
            try:
                file = await loop.run_in_executor(None, load_file, asked, path, guess_type(path), limit)
            except OSError as error:
                raise HTTPError(404, "%s: %s", self.path, error) from error
            self._static_files.put(self._cache_key(), file)
            self._file = file
        elif size <= self.MAX_VERSION_CONTENT_SIZE:
            await loop.run_in_executor(None, self._get_cached_version, path)

    async def _send_file(self, path: str, part: ByteRange) -> None:
        """Read and send in turn, so that a client gets no more than it takes."""
        loop = IOLoop.current()
        file: BinaryIO = await loop.run_in_executor(None, open_at, path, part.start)
        try:
            left = len(part)
            while left:
                piece = await loop.run_in_executor(None, file.read, min(left, _PIECE))
                if not piece:
                    raise OperationError(f"{path} has shrunk while it was sent")
                left -= len(piece)
                self.write(piece)
                await self.flush()
        except StreamClosedError:
            return  # the client has gone, and nobody waits for the rest
        finally:
            file.close()

    async def _send_content(self, path: str, part: ByteRange, size: int) -> None:
        """Send what a subclass's :meth:`get_content` gives."""
        whole = len(part) == size
        content = self.get_content(path) if whole else self.get_content(path, part.start, part.stop)
        try:
            for piece in [content] if isinstance(content, bytes) else content:
                self.write(piece)
                await self.flush()
        except StreamClosedError:
            return
