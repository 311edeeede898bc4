"""Small static files in memory.

Opening, reading and closing a file costs several times what the rest of a response does, and may block.
So files of up to some 64 KiB are read once, in another thread, and kept together with all that their
responses need. Each use asks the file system, by one ``stat``, whether the file is still the same.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import os
import threading
from collections.abc import Hashable

from gustnado.errors import OperationError
from gustnado.http.dates import format_timestamp
from gustnado.web.static_versions import Signature, file_signature, signature_of

__all__ = ["CachedFile", "FileCache", "load_file"]


@dataclasses.dataclass(frozen=True, slots=True)
class CachedFile:
    """A file's content, and what is said of it.

    :ivar asked: the path that was asked for, by which to find out whether it still leads to this file.
    :ivar path: the same with symbolic links resolved.
    :ivar etag: with its quotes.
    :ivar coding: in which the content is compressed; ``None`` where it is not.
    :ivar original: path and signature of the file that this is the compressed form of.
    :ivar fields: the header fields that each response with the file has.
    """

    asked: str
    path: str
    signature: Signature
    content: bytes
    etag: str
    content_type: str
    modified: datetime.datetime
    last_modified: str
    fields: dict[str, str]
    coding: str | None = None
    original: tuple[str, Signature | None] | None = None

    def is_current(self) -> bool:
        """Whether the file, and the one that it is a form of, are what they were."""
        if file_signature(self.asked) != self.signature:
            return False
        return self.original is None or file_signature(self.original[0]) == self.original[1]


def load_file(
    asked: str, path: str, content_type: str, limit: int, coding: str | None = None, plain_path: str | None = None
) -> CachedFile:
    """Read a whole file. Blocks. For ``asked``, ``path`` and ``coding`` see :class:`CachedFile`.

    :param plain_path: of the file that this is the compressed form of, where there is a ``coding``.

    :raises OSError: where it cannot be read.
    :raises gustnado.errors.OperationError: where it has more than ``limit`` bytes by now.
    """
    with open(path, "rb") as file:
        status = os.fstat(file.fileno())
        content = file.read(limit + 1)
    if len(content) > limit:
        raise OperationError(f"{path} has grown")
    modified = datetime.datetime.fromtimestamp(int(status.st_mtime), datetime.UTC)
    etag = f'"{hashlib.sha512(content).hexdigest()}"'
    last_modified = format_timestamp(modified)
    return CachedFile(
        asked=asked,
        path=path,
        signature=signature_of(status),
        content=content,
        etag=etag,
        content_type=content_type,
        modified=modified,
        last_modified=last_modified,
        fields={
            "Accept-Ranges": "bytes",
            "Etag": etag,
            "Last-Modified": last_modified,
            "Content-Type": content_type,
        },
        coding=coding,
        original=None if coding is None or plain_path is None else (plain_path, file_signature(plain_path)),
    )


class FileCache:
    """Files by key, at most ``max_size`` bytes of content in all; the oldest go first."""

    def __init__(self, max_size: int) -> None:
        self.max_size = max_size
        self.size = 0
        self._files: dict[Hashable, CachedFile] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> CachedFile | None:
        """The file of ``key``, where it is here and has not changed since."""
        file = self._files.get(key)
        if file is None or file.is_current():
            return file
        with self._lock:
            self._drop(key)
        return None

    def put(self, key: Hashable, file: CachedFile) -> None:
        """Keep a file, and drop others to make room."""
        with self._lock:
            self._drop(key)
            self._files[key] = file
            self.size += len(file.content)
            while self.size > self.max_size:
                self._drop(next(iter(self._files)))

    def _drop(self, key: Hashable) -> None:
        file = self._files.pop(key, None)
        if file is not None:
            self.size -= len(file.content)
