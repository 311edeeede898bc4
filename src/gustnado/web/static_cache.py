"""Small static files in memory.

Opening, reading and closing a file costs several times what the rest of a response does, and may block.
So files of up to some 64 KiB are read once, in another thread, and kept together with all that their
responses need. Each use asks the file system, by one ``stat``, whether the file is still the same.
"""

from __future__ import annotations

import datetime
import hashlib
import os
import threading
from collections.abc import Hashable

from gustnado.errors import OperationError
from gustnado.http.dates import format_timestamp
from gustnado.web.cached_file import CachedFile
from gustnado.web.file_signatures import file_signature, signature_of

__all__ = ["FileCache", "load_file"]


def load_file(
    asked: str, path: str, content_type: str, limit: int, coding: str | None = None, plain_path: str | None = None
) -> CachedFile:
    """Read a whole file. Blocks. For ``asked``, ``path`` and ``coding`` see
    :class:`~gustnado.web.cached_file.CachedFile`.

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
    return CachedFile(
        asked=asked,
        path=path,
        signature=signature_of(status),
        content=content,
        etag=f'"{hashlib.sha512(content).hexdigest()}"',
        content_type=content_type,
        modified=modified,
        last_modified=format_timestamp(modified),
        coding=coding,
        original=None if coding is None or plain_path is None else (plain_path, file_signature(plain_path)),
    )


class FileCache:
    """Files by key, at most ``max_size`` bytes of content in all; the oldest go first.

    :ivar files: what is there, whether it has changed since or not.
    """

    def __init__(self, max_size: int) -> None:
        self.max_size = max_size
        self.size = 0
        self.files: dict[Hashable, CachedFile] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> CachedFile | None:
        """The file of ``key``, where it is here and has not changed since."""
        file = self.files.get(key)
        if file is None or file.is_current():
            return file
        with self._lock:
            self._drop(key)
        return None

    def put(self, key: Hashable, file: CachedFile) -> None:
        """Keep a file, and drop others to make room."""
        with self._lock:
            self._drop(key)
            self.files[key] = file
            self.size += len(file.content)
            while self.size > self.max_size:
                self._drop(next(iter(self.files)))

    def _drop(self, key: Hashable) -> None:
        file = self.files.pop(key, None)
        if file is not None:
            self.size -= len(file.content)
