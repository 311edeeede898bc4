"""The bytes that have arrived on a connection and that nobody has read yet. Sans-I/O.

Kept as what arrived while that is one piece, so that a piece which is read whole is never copied; a
second piece turns the store into a ``bytearray`` that grows at its end. Reading moves a mark at its
front, so that many small reads from a large piece move nothing else.

>>> buffer = ReadBuffer(b"GET / HTTP/1.1\\r\\nHost")
>>> buffer.append(b": example.org\\r\\n")
>>> buffer.take(buffer.find(b"\\r\\n"))
b'GET / HTTP/1.1\\r\\n'
>>> len(buffer)
19
"""

from __future__ import annotations

import re

__all__ = ["ReadBuffer"]

COMPACT_ABOVE = 65536
"""Bytes already read at the front of a growing store before they are dropped: it bounds waste and copying."""


class ReadBuffer:
    """A queue of bytes that can be searched. Positions count from the first byte not yet taken."""

    __slots__ = ("_front", "_store")

    def __init__(self, data: bytes = b"") -> None:
        self._store: bytes | bytearray = data
        self._front = 0

    def __len__(self) -> int:
        return len(self._store) - self._front

    def append(self, data: bytes) -> None:
        """Add ``data`` at the end."""
        store = self._store
        if type(store) is bytearray:
            if self._front > COMPACT_ABOVE:
                del store[: self._front]
                self._front = 0
            store += data
        elif self._front == len(store):
            self._store = data
            self._front = 0
        else:
            grown = bytearray(store[self._front :] if self._front else store)
            grown += data
            self._store = grown
            self._front = 0

    def take(self, size: int) -> bytes:
        """Remove the first ``size`` bytes and return them; ``size`` is at most ``len(self)``."""
        store = self._store
        front = self._front
        end = front + size
        if end == len(store):
            self._store = b""
            self._front = 0
            # bytes() of a whole bytes object is that object.
            return bytes(store[front:] if front else store)
        self._front = end
        if type(store) is bytes:
            return store[front:end]
        with memoryview(store) as view:
            return bytes(view[front:end])

    def copy_into(self, target: memoryview, size: int) -> None:
        """Copy the first ``size`` bytes to the front of ``target``, a writable view of bytes."""
        with memoryview(self._store) as view:
            target[:size] = view[self._front : self._front + size]

    def skip(self, size: int) -> None:
        """Remove the first ``size`` bytes; ``size`` is at most ``len(self)``."""
        self._front += size
        if self._front == len(self._store):
            self._store = b""
            self._front = 0

    def find(self, delimiter: bytes, start: int = 0) -> int:
        """Where the first ``delimiter`` at or after ``start`` ends, or -1."""
        found = self._store.find(delimiter, self._front + start)
        return -1 if found < 0 else found - self._front + len(delimiter)

    def search(self, pattern: re.Pattern[bytes]) -> int:
        """Where the first match of ``pattern`` ends, or -1. Bytes taken before are out of its sight."""
        # A view, not the pattern's ``pos``, which would leave "^" and lookbehind seeing taken bytes.
        with memoryview(self._store) as view, view[self._front :] as unread:
            match = pattern.search(unread)
            return -1 if match is None else match.end()
