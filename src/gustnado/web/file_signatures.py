"""What tells one state of a file from another, for one ``stat``.

>>> import os
>>> size_of(signature_of(os.stat(os.curdir))) == os.stat(os.curdir).st_size, file_signature("no such file")
(True, None)
"""

from __future__ import annotations

import os
from os import stat
from typing import TypeAlias

__all__ = ["Signature", "file_signature", "signature_of", "size_of"]

Signature: TypeAlias = tuple[int, int, int, int, int]
"""Device, inode, time of modification and of change in nanoseconds, size in bytes."""


def signature_of(status: os.stat_result) -> Signature:
    """What tells one state of a file from another."""
    return (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size)


def size_of(signature: Signature) -> int:
    """The size of a file in bytes, of its signature."""
    return signature[4]


def file_signature(path: str) -> Signature | None:
    """:func:`signature_of` the file ``path``; ``None`` where there is none, or ``path`` is no path."""
    try:
        status = stat(path)  # compiled, the call of the system (see the .pxd): os.stat makes a large object of it
        return (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size)
    except OverflowError:  # where the numbers of C do not hold what os.stat tells
        return _signature_by_python(path)
    except (OSError, ValueError):
        return None


def _signature_by_python(path: str) -> Signature | None:
    try:
        return signature_of(os.stat(path))
    except (OSError, ValueError):
        return None
