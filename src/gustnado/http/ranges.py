"""Byte ranges of a request: RFC 9110 section 14.

Of the ``Range`` field one range of bytes is served. More than one, another unit or what is no range at all
is as if it had not been sent, which the RFC leaves to the server; so no request can ask for more work than
its answer is long. Two things are taken as Tornado takes them, which is nearer to a client's mind: a start
behind the end is not satisfiable (the RFC calls it invalid), and ``bytes=5`` is ``bytes=5-``.

>>> select_range("bytes=2-4", 10), select_range("bytes=-3", 10), select_range("bytes=0-1,5-6", 10)
(ByteRange(start=2, stop=5), ByteRange(start=7, stop=10), None)
>>> ByteRange(2, 5).content_range(10)
'bytes 2-4/10'
"""

from __future__ import annotations

import dataclasses
import re

from gustnado.errors import ProtocolError

__all__ = ["ByteRange", "RangeNotSatisfiable", "if_range_holds", "select_range"]

# The unit is case-insensitive (RFC 9110 section 14.1); positions are ASCII digits and nothing else.
_RANGE = re.compile(r"[ \t]*bytes[ \t]*=[ \t]*([0-9]*)[ \t]*(?:(-)[ \t]*([0-9]*)[ \t]*)?", re.IGNORECASE)
_MAX_DIGITS = 18  # positions of more digits are beyond every file


class RangeNotSatisfiable(ProtocolError):
    """No byte of the content is in the range; to be answered with 416 and ``Content-Range: bytes */size``.

    :ivar size: of the content, in bytes.
    """

    def __init__(self, size: int) -> None:
        super().__init__(f"no byte of the range is among {size}", status=416)
        self.size = size

    @property
    def content_range(self) -> str:
        """The value of ``Content-Range``."""
        return f"bytes */{self.size}"


@dataclasses.dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes from ``start`` up to, and without, ``stop``: as in a slice."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def content_range(self, size: int) -> str:
        """The value of ``Content-Range``, where the whole content has ``size`` bytes."""
        return f"bytes {self.start}-{self.stop - 1}/{size}"


def select_range(value: str | None, size: int) -> ByteRange | None:
    """The part of a content of ``size`` bytes that a ``Range`` field asks for.

    :returns: ``None`` for the whole content: the range covers it all, or is to be ignored.
    :raises RangeNotSatisfiable: where no byte of it exists.
    """
    match = None if value is None else _RANGE.fullmatch(value)
    if match is None:
        return None
    first, dash, last = match.groups()
    if not first and not last:
        return None
    if first:
        start = _position(first)
        stop = min(_position(last) + 1, size) if last else size
    elif dash:
        start, stop = max(size - _position(last), 0), size
    else:
        return None
    if start >= stop:
        raise RangeNotSatisfiable(size)
    # Asked for all of it, the answer is a plain 200: browsers refuse to play audio on a 206 of everything.
    return None if stop - start == size else ByteRange(start, stop)


def if_range_holds(value: str, etag: str | None, last_modified: str | None) -> bool:
    """Whether an ``If-Range`` field names the content as it is now (RFC 9110 section 13.1.5).

    Where it does not, ``Range`` is to be ignored. Entity tags are compared strongly, dates to the letter.

    >>> if_range_holds('"v1"', '"v1"', None), if_range_holds('W/"v1"', 'W/"v1"', None)
    (True, False)
    """
    value = value.strip(" \t")
    if value.startswith('"'):
        return value == etag
    return not value.startswith("W/") and value == last_modified


def _position(digits: str) -> int:
    digits = digits.lstrip("0")
    return int(digits or "0") if len(digits) <= _MAX_DIGITS else 10**_MAX_DIGITS
