"""Static files: :class:`StaticFileHandler`.

A request takes one of three ways:

- Small files are kept in memory (:mod:`gustnado.web.static_cache`); after a ``stat`` their response leaves
  in the callback that brought the request.
- Other files are sent as :meth:`RequestHandler.send_file` does, at the client's pace; so neither the disk nor a slow
  client stops anyone else.
- Where a subclass replaces how content is found or read, its methods are called as Tornado calls them.

Which file a path may name is said in :mod:`gustnado.web.static_paths`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from io import FileIO
from typing import Any, cast

from gustnado.errors import StreamClosedError
from gustnado.events.file_sender import FileShrunkError
from gustnado.http.ranges import ByteRange
from gustnado.http.weights import parse_weights
from gustnado.web.cached_file import CachedFile, UsualWays, answer_from_memory, cache_key, take_file
from gustnado.web.errors import HTTPError
from gustnado.web.file_signatures import signature_of
from gustnado.web.handler.files import open_regular
from gustnado.web.media_types import guess_type
from gustnado.web.static_cache import load_file
from gustnado.web.static_encodings import SUFFIXES, accepted_codings, find_encoded
from gustnado.web.static_paths import is_hidden
from gustnado.web.static_response import StaticResponse

__all__ = ["StaticFileHandler"]


class StaticFileHandler(StaticResponse):
    """Serves the files below a directory.

    ``Application`` sets one up for the setting ``static_path``. Others are routed to, with one group in
    the pattern that takes the path below the directory::

        (r"/content/(.*)", StaticFileHandler, {"path": "/var/www", "default_filename": "index.html"})

    It answers conditional requests and requests for ranges of bytes. Directories are not listed, and hidden files
    (whose name begins with a dot) not served, but for ``.well-known``. A URL with an argument ``v``, as
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

    MAX_CACHED_FILE_SIZE = 64 * 1024
    """Bytes. Larger files are not kept in memory; with -1 none are."""

    def initialize(
        self,
        path: str,
        default_filename: str | None = None,
        allowed_symlink_directory: str | Sequence[str] | None = None,
        precompressed: bool = False,
        fallback: str | None = None,
    ) -> None:
        """Take the arguments of the route.

        :param path: the directory.
        :param default_filename: the file to serve for a directory; without it that is 403.
        :param allowed_symlink_directory: where symbolic links may lead, one directory or several, ``path``
            itself not included unless it is named; by default not out of ``path``.
        :param precompressed: whether to look beside each file for its compressed forms (``.br``, ``.zst``, ``.gz``)
            and serve one that the client takes. They must not be older than the file.
        :param fallback: the file below ``path`` for pages that are not there, as for an application in the browser
            that has routes of its own. It is for those who ask for HTML; others get 404.
        """
        self.root = path
        self.default_filename = default_filename
        self.allowed_symlink_directory = allowed_symlink_directory
        self.precompressed = precompressed
        self.fallback = fallback

    def _invoke(self) -> Any:
        if self._serves_files and answer_from_memory(self, _WAYS):
            return None
        return super()._invoke()

    async def head(self, path: str) -> None:
        """Serve what GET would, without the content."""
        await self.get(path, include_body=False)

    async def get(self, path: str, include_body: bool = True) -> None:
        """Serve the file.

        :param path: below the directory, as in the URL.
        :raises HTTPError: 403 where the file may not be served, 404 where there is none.
        """
        absolute_path = self._find(path)
        if self.absolute_path is None:
            return
        if self._serves_files:
            if self.precompressed:
                absolute_path = self._choose_coding(absolute_path, self.absolute_path)
            await self._look_at_file(absolute_path)
        self.modified = self.get_modified_time()
        size = self.get_content_size()
        parts = self._start_response(size)
        if not include_body:
            return
        if self._file is not None:
            self._write_from_memory(self._file, parts)
        elif self._serves_files:
            await self._send_file(self.absolute_path, parts)
        else:
            await self._send_content(self.absolute_path, parts, size)

    def _find(self, path: str) -> str:
        """Set what is to be served, for ``path`` or in place of it; the path as it is below the directory."""
        try:
            return self._validate(path)
        except HTTPError as error:
            if error.status_code != 404 or not self._takes_fallback():
                raise
        self._is_fallback = True
        return self._validate(cast(str, self.fallback))

    def _validate(self, path: str) -> str:
        self.path = self.parse_url_path(path)
        if self._serves_files and not self.serves_hidden_files and is_hidden(path):
            raise HTTPError(404, "%s is hidden", path)
        absolute_path = self.get_absolute_path(self.root, self.path)
        self.absolute_path = self.validate_absolute_path(self.root, absolute_path)
        return absolute_path

    def _takes_fallback(self) -> bool:
        weights = parse_weights(self.request.headers.get("Accept", ""))
        return self.fallback is not None and weights.get("text/html", 0.0) > 0

    def _choose_coding(self, asked: str, path: str) -> str:
        """Turn to a compressed form of the file, where there is one for this client; the path that leads to it."""
        original = self._stat()
        self._plain_path = path
        if self.default_filename is not None and os.path.isdir(asked):
            asked = os.path.join(asked, self.default_filename)
        allowed = self.allowed_symlink_directory or os.path.abspath(self.root)
        found = find_encoded(
            asked, original, self._codings(), [allowed] if isinstance(allowed, str) else allowed, self.path
        )
        if found is None:
            return asked
        self._coding, self.absolute_path, self._stat_result = found
        return asked + SUFFIXES[self._coding]

    def _codings(self) -> tuple[str, ...]:
        return accepted_codings(self.request.headers.get("Accept-Encoding", ""))

    def _answer_from_memory(self, file: CachedFile, is_get: bool) -> None:
        """With what the client asks for of it."""
        parts = self._start_response(self.get_content_size())
        if is_get:
            self._write_from_memory(file, parts)

    def _write_from_memory(self, file: CachedFile, parts: list[ByteRange]) -> None:
        content = file.content
        if self._multipart is not None:
            for head, part in self._multipart:
                self.write(head)
                self.write(content[part.start : part.stop])
            self.write(self._multipart.end)
        else:
            for part in parts:
                self.write(content if len(part) == len(content) else content[part.start : part.stop])

    async def _look_at_file(self, absolute_path: str) -> None:
        """In another thread, take a small file into memory, or else work out its version."""
        path = cast(str, self.absolute_path)
        size = self._stat().st_size
        if size <= self.MAX_CACHED_FILE_SIZE and self._transforms is None:
            key = cache_key(self)
            file = self._static_files.get(key)  # a fallback may be there under its own path
            if file is None:
                try:
                    file = await self._in_thread(self._load, absolute_path, path)
                except OSError as error:
                    raise HTTPError(404, "%s: %s", self.path, error) from error
                self._static_files.put(key, file)
            take_file(self, file)
        elif size <= self.MAX_VERSION_CONTENT_SIZE and not self._knows_version(path):
            await self._in_thread(self._get_cached_version, path)
        if self._coding is not None:
            await self._in_thread(self._plain_version)

    def _load(self, asked: str, path: str) -> CachedFile:
        if self._coding is None and self.default_filename is not None and os.path.isdir(asked):
            asked = os.path.join(asked, self.default_filename)
        return load_file(
            asked, path, guess_type(self._plain_path or path), self.MAX_CACHED_FILE_SIZE, self._coding, self._plain_path
        )

    async def _send_file(self, path: str, parts: list[ByteRange]) -> None:
        """Read and send in turn, so that a client gets no more than it takes."""
        if not parts:
            return
        with await self._open(path) as file:
            try:
                heads = [b""] if self._multipart is None else self._multipart.heads
                for head, part in zip(heads, parts, strict=True):
                    self.write(head)
                    await self._send_part(file, part.start, len(part))
                if self._multipart is not None:
                    self.write(self._multipart.end)
            except StreamClosedError:
                return  # the client has gone, and nobody waits for the rest
            except FileShrunkError as error:
                raise FileShrunkError(f"{path}: {error}") from error

    async def _open(self, path: str) -> FileIO:
        """Open the file of which the head of the response tells.

        :raises HTTPError: 404 where it is gone, 503 where another has taken its place: what is said of the one must not
            be kept with the content of the other.
        """
        try:
            file = await self._in_thread(open_regular, path)
        except OSError as error:
            raise HTTPError(404, "%s: %s", self.path, error) from error
        if signature_of(os.fstat(file.fileno())) != signature_of(self._stat()):
            file.close()
            raise HTTPError(503, "%s has been replaced while it was looked at", self.path)
        return file

    async def _send_content(self, path: str, parts: list[ByteRange], size: int) -> None:
        """Send what a subclass's :meth:`get_content` gives."""
        heads = [b""] if self._multipart is None else self._multipart.heads
        try:
            for head, part in zip(heads[: len(parts)], parts, strict=True):
                if head:
                    self.write(head)
                whole = len(part) == size
                content = self.get_content(path) if whole else self.get_content(path, part.start, part.stop)
                for piece in [content] if isinstance(content, bytes) else content:
                    self.write(piece)
                    await self.flush()
            if self._multipart is not None:
                self.write(self._multipart.end)
        except StreamClosedError:
            return


_WAYS = UsualWays(StaticFileHandler)  # before anybody replaces them
