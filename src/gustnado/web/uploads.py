"""Names of uploaded files, which clients choose.

A handler finds them in ``self.request.files`` as they were sent. They are data: never open a file by one. Where a
name of a similar look is wanted, :func:`safe_filename` makes one.
"""

from __future__ import annotations

import re

__all__ = ["MAX_FILENAME", "safe_filename"]

MAX_FILENAME = 200
"""Bytes of UTF-8. File systems allow 255, and a program may want to add something."""

_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*\ud800-\udfff\u200b-\u200f\u202a-\u202e\u2066-\u2069]+')
# Windows takes these for devices, whatever follows their first dot.
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=[. ]|$)", re.IGNORECASE)
_MAX_EXTENSION = 20  # bytes


def safe_filename(name: str, default: str = "file") -> str:
    """A name like ``name`` that is one of a file in a directory, on every system: no path, not hidden, no device.

    It is not unique: two uploads may have the same.

    :param default: where nothing is left of it.

    >>> [safe_filename(name) for name in ("../../etc/passwd", "C:\\\\x\\\\résumé.pdf", "nul.txt", ".profile", "..")]
    ['passwd', 'résumé.pdf', '_nul.txt', 'profile', 'file']
    """
    last = re.split(r"[/\\]", name)[-1]
    last = _UNSAFE.sub("_", last).strip(". \t")
    last = _shortened(last)
    if not last.strip("_"):
        return default
    return f"_{last}" if _DEVICE.match(last) else last


def _shortened(name: str) -> str:
    encoded = name.encode()
    if len(encoded) <= MAX_FILENAME:
        return name
    stem, dot, extension = name.rpartition(".")
    end = (dot + extension).encode() if stem and len(extension.encode()) <= _MAX_EXTENSION else b""
    kept = encoded[: MAX_FILENAME - len(end)].decode("utf-8", "ignore").rstrip(". ")
    return kept + end.decode()
