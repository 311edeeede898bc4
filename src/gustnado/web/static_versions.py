"""Versions of static files: hashes of their content, which change when it does.

A hash is kept with the identity, time and size of the file that it was made of, and counts for as long as
those are the same. So a file that is replaced gets a new version without a restart, for one ``stat`` a
question.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gustnado.web.file_signatures import Signature

__all__ = ["VersionCache"]


class VersionCache:
    """Versions by key, each with the signature of its file. Safe for use by several threads.

    No lock is held while a version is worked out, so that no thread waits for another's file.
    """

    def __init__(self) -> None:
        self._entries: dict[Hashable, tuple[Signature | None, str | None]] = {}
        self._at_work: set[Hashable] = set()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def claim(self, key: Hashable) -> bool:
        """Whether the caller is to work out the version of ``key``: false where somebody is at it."""
        with self._lock:
            if key in self._at_work:
                return False
            self._at_work.add(key)
            return True

    def release(self, key: Hashable) -> None:
        """Undo :meth:`claim`."""
        with self._lock:
            self._at_work.discard(key)

    def get(self, key: Hashable, signature: Signature | None) -> tuple[str | None] | None:
        """The version of ``key``, in a tuple; ``None`` where it is not known of this state of the file."""
        with self._lock:
            entry = self._entries.pop(key, None)
            if entry is None or entry[0] != signature:
                return None
            self._entries[key] = entry  # now the last to be dropped
            return (entry[1],)

    def put(self, key: Hashable, signature: Signature | None, version: str | None, limit: int) -> None:
        """Keep a version, and drop those unused for longest so that there are at most ``limit``."""
        with self._lock:
            self._entries.pop(key, None)
            while self._entries and len(self._entries) >= limit:
                del self._entries[next(iter(self._entries))]
            self._entries[key] = (signature, version)
