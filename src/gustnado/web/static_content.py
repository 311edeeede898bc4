"""What a static file's content is, where it comes from, and what its URL looks like.

This is the half of :class:`~gustnado.web.static.StaticFileHandler` that knows of files; the other half
speaks HTTP. Subclasses replace methods of this half to serve content from elsewhere.
"""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import os
from collections.abc import Generator, Iterable, Sequence
from typing import Any

from gustnado.log import gen_log
from gustnado.web.cached_file import CachedFile
from gustnado.web.errors import HTTPError
from gustnado.web.file_signatures import file_signature, size_of
from gustnado.web.handler import RequestHandler
from gustnado.web.media_types import guess_type
from gustnado.web.redirects import safe_local_redirect
from gustnado.web.static_cache import FileCache
from gustnado.web.static_paths import check_in_root, resolve_symlinks, stat_regular_file
from gustnado.web.static_versions import VersionCache

__all__ = ["StaticContent"]

_CHUNK = 64 * 1024  # bytes that get_content gives at once


class StaticContent(RequestHandler):
    """Content by path: files below a directory, unless a subclass says otherwise."""

    MAX_VERSION_CONTENT_SIZE = 64 * 1024 * 1024
    """Bytes. Larger content gets no version: :meth:`RequestHandler.static_url` hashes it on the spot."""
    MAX_HASHED_AT_ONCE = 256 * 1024
    """Bytes. What is larger is hashed by a thread: it would stop the loop for more than a millisecond."""
    MAX_CACHED_VERSIONS = 10000
    """Versions kept; those unused for longest are dropped."""

    _static_hashes = VersionCache()
    _static_files = FileCache(max_size=16 * 1024 * 1024)
    _serves_files = True  # that is, no method is overridden that says where content comes from

    # On the class, since programs have subclasses whose initialize() does not call ours.
    allowed_symlink_directory: str | Sequence[str] | None = None
    serves_hidden_files: bool = False
    """Whether files and directories are served whose name begins with a dot; ``.well-known`` always is."""
    precompressed = False
    fallback: str | None = None
    _coding: str | None = None  # of the compressed form that is served
    _plain_path: str | None = None  # of the file that has it
    root: str
    default_filename: str | None = None
    path: str
    absolute_path: str | None = None
    modified: datetime.datetime | None = None
    _stat_result: os.stat_result | None = None
    _file: CachedFile | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._serves_files = all(
            _function(cls, name) is _function(StaticContent, name) for name in _CONTENT_METHODS
        )

    @classmethod
    def reset(cls) -> None:
        """Forget all versions and all files in memory."""
        cls._static_hashes = VersionCache()
        cls._static_files = FileCache(cls._static_files.max_size)

    def compute_etag(self) -> str | None:
        """The version of the content, of a part of it too; ``None`` where it has none."""
        if self._file is not None:
            return self._file.etag
        if self.absolute_path is None:
            return None
        if self._serves_files and self._stat().st_size > self.MAX_VERSION_CONTENT_SIZE:
            return None
        version = self._get_cached_version(self.absolute_path)
        return f'"{version}"' if version else None

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        """Where ``path`` is, below ``root``: a path, or any string that tells a subclass's content apart.

        :raises HTTPError: 403 where it leads out of ``root`` as it is written, 404 where it is no path.
        """
        absolute_path = os.path.abspath(os.path.join(root, path))
        check_in_root(root, absolute_path, path)
        return absolute_path

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Check what :meth:`get_absolute_path` gave, and return the path to be served.

        :returns: ``None`` where it has answered the request itself, as with a redirect.
        :raises HTTPError: 403 where it may not be served, 404 where there is nothing.
        """
        root = check_in_root(root, absolute_path, self.path)
        allowed = self.allowed_symlink_directory or root
        directories = [allowed] if isinstance(allowed, str) else allowed
        # Resolved twice: a redirect would tell of a directory outside, and the default file of one inside
        # may be a link itself.
        resolved = resolve_symlinks(absolute_path, directories, self.path)
        if self.default_filename is not None and os.path.isdir(resolved):
            if not self.request.path.endswith("/"):
                self._redirect_to_directory()
                return None
            resolved = resolve_symlinks(os.path.join(resolved, self.default_filename), directories, self.path)
        self._stat_result = stat_regular_file(resolved, self.path)
        return resolved

    @classmethod
    def get_content(
        cls, abspath: str, start: int | None = None, end: int | None = None
    ) -> bytes | Iterable[bytes]:
        """The content, or the part of it from byte ``start`` up to, without, byte ``end``.

        :returns: bytes, or an iterable of them.
        :raises HTTPError: (403) where it is no regular file.
        """
        return _read_pieces(abspath, start or 0, end)

    @classmethod
    def get_content_version(cls, abspath: str) -> str:
        """A string that changes when the content does: its SHA-512.

        :raises ValueError: where the content is larger than ``MAX_VERSION_CONTENT_SIZE``.
        """
        if cls._serves_files:
            cls._check_size(stat_regular_file(abspath, abspath).st_size)
        content = cls.get_content(abspath)
        pieces = [content] if isinstance(content, bytes) else content
        hasher = hashlib.sha512()
        size = 0
        try:
            for piece in pieces:
                size += len(piece)
                cls._check_size(size)
                hasher.update(piece)
        finally:
            if isinstance(pieces, Generator):
                pieces.close()  # the file, now
        return hasher.hexdigest()

    def get_content_size(self) -> int:
        """Size of the whole content in bytes."""
        return len(self._file.content) if self._file is not None else self._stat().st_size

    def get_modified_time(self) -> datetime.datetime | None:
        """When the content last changed; aware, in whole seconds. ``None`` where that is not known."""
        if self._file is not None:
            return self._file.modified
        return datetime.datetime.fromtimestamp(int(self._stat().st_mtime), datetime.UTC)

    def get_content_type(self) -> str:
        """The media type, by the name of the file."""
        if self._file is not None:
            return self._file.content_type
        return guess_type(self._plain_path or self.absolute_path or self.path)

    @classmethod
    def make_static_url(cls, settings: dict[str, Any], path: str, include_version: bool = True) -> str:
        """The URL of a file, without a host.

        :param settings: those of the application.
        :param path: below the setting ``static_path``.
        :param include_version: whether to add ``?v=`` and the version of the content.
        """
        url: str = settings.get("static_url_prefix", "/static/") + path
        version = cls.get_version(settings, path) if include_version else None
        return f"{url}?v={version}" if version else url

    def parse_url_path(self, url_path: str) -> str:
        """The path of the file, below the directory: the inverse of :meth:`make_static_url`."""
        return url_path if os.path.sep == "/" else url_path.replace("/", os.path.sep)

    @classmethod
    def get_version(cls, settings: dict[str, Any], path: str) -> str | None:
        """The version of a file, or ``None`` where it has none. Reads the file where it has changed.

        A file of more than ``MAX_HASHED_AT_ONCE`` bytes is read by a thread of the loop that runs, if one does: it
        has no version until that is known.

        :param path: below the setting ``static_path``; a known one, not one that a client names.
        :raises HTTPError: (403) where it leads out of that directory.
        """
        abs_path = cls.get_absolute_path(settings["static_path"], path)
        if not cls._serves_files:
            return cls._get_cached_version(abs_path)
        signature = file_signature(abs_path)
        large = signature is not None and size_of(signature) > cls.MAX_HASHED_AT_ONCE
        if large and asyncio._get_running_loop() is not None:
            known = cls._static_hashes.get((cls, abs_path), signature)
            if known is None:
                cls._hash_soon(abs_path)
                return None
        return cls._get_cached_version(abs_path)

    @classmethod
    def _hash_soon(cls, abs_path: str) -> None:
        """Work out a version in a thread, unless one is at it already."""
        hashes, key = cls._static_hashes, (cls, abs_path)
        if not hashes.claim(key):
            return

        def work() -> None:
            try:
                cls._get_cached_version(abs_path)
            finally:
                hashes.release(key)

        asyncio.get_running_loop().run_in_executor(None, work)

    @classmethod
    def _get_cached_version(cls, abs_path: str) -> str | None:
        key, signature = (cls, abs_path), file_signature(abs_path)
        known = cls._static_hashes.get(key, signature)
        if known is not None:
            return known[0] or None
        version: str | None = None
        try:
            version = cls.get_content_version(abs_path)
        except Exception as error:  # whatever a subclass raises, a page is worth more than a version
            gen_log.error("Could not open static file %r: %s", abs_path, error)
        cls._static_hashes.put(key, signature, version, cls.MAX_CACHED_VERSIONS)
        return version or None

    @classmethod
    def _knows_version(cls, abs_path: str) -> bool:
        """Whether the version of a file has been worked out."""
        return cls._static_hashes.get((cls, abs_path), file_signature(abs_path)) is not None

    def _plain_version(self) -> str | None:
        """The version of the file whose compressed form is served."""
        return None if self._plain_path is None else self._get_cached_version(self._plain_path)

    @classmethod
    def _check_size(cls, size: int) -> None:
        limit = cls.MAX_VERSION_CONTENT_SIZE
        if size > limit:
            raise ValueError(f"content is larger than MAX_VERSION_CONTENT_SIZE ({limit} bytes)")

    def _stat(self) -> os.stat_result:
        if self._stat_result is None:
            # A subclass has replaced validate_absolute_path.
            self._stat_result = os.stat(self.absolute_path or self.path)
        return self._stat_result

    def _redirect_to_directory(self) -> None:
        if not safe_local_redirect(self.request.path + "/"):
            raise HTTPError(403, "cannot redirect path with two initial slashes")
        self.redirect(self.request.path + "/", permanent=True)


_CONTENT_METHODS = (
    "get_absolute_path", "validate_absolute_path", "get_content", "get_content_version", "get_version",
    "_get_cached_version", "compute_etag", "get_content_size", "get_modified_time",
)  # fmt: skip


def _read_pieces(path: str, start: int, end: int | None) -> Generator[bytes, None, None]:
    stat_regular_file(path, path)
    with open(path, "rb") as file:
        file.seek(start)
        left = None if end is None else end - start
        while left is None or left > 0:
            piece = file.read(_CHUNK if left is None else min(left, _CHUNK))
            if not piece:
                return
            if left is not None:
                left -= len(piece)
            yield piece


def _function(cls: type, name: str) -> Any:
    attribute = getattr(cls, name)
    return getattr(attribute, "__func__", attribute)
