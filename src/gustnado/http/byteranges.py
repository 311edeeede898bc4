"""Several ranges of one content: the ``Range`` field with a list, and the body that answers it.

A request is served at most ``MAX_RANGES`` ranges, which must not overlap in more bytes than the content has; else
the whole content, so that no request makes its answer longer than that (RFC 9110 sections 14.2 and 17.15).

>>> select_ranges("bytes=0-1,-2", 10)
[ByteRange(start=0, stop=2), ByteRange(start=8, stop=10)]
>>> body = MultipartRanges(select_ranges("bytes=0-1,-2", 10), 10, "text/plain", "edge")
>>> body.content_type, body.heads[1][:8], body.end
('multipart/byteranges; boundary=edge', b'\\r\\n--edge', b'\\r\\n--edge--\\r\\n')
"""

from __future__ import annotations

from collections.abc import Iterator

from gustnado.http.ranges import ByteRange, RangeNotSatisfiable, select_range

__all__ = ["MAX_RANGES", "MultipartRanges", "select_ranges"]

MAX_RANGES = 16
"""Ranges that one request may ask for; PDF viewers ask for a few. (Apache: 200, nginx: no bound.)"""


def select_ranges(value: str | None, size: int) -> list[ByteRange] | None:
    """The parts of a content of ``size`` bytes that a ``Range`` field asks for, in its order.

    Those of which no byte exists are left out.

    :returns: ``None`` for the whole content: the field is to be ignored, or asks for all of it.
    :raises RangeNotSatisfiable: where no byte of any of them exists.
    """
    if value is None:
        return None
    unit, equals, listed = value.partition("=")
    specs = listed.split(",", MAX_RANGES)
    if len(specs) == 1:
        part = select_range(value, size)
        return None if part is None else [part]
    if not equals or len(specs) > MAX_RANGES:
        return None
    parts = []
    for spec in specs:
        try:
            part = select_range(f"{unit}={spec}", size)
        except RangeNotSatisfiable:
            continue
        if part is None:  # no range at all, or of everything
            return None
        parts.append(part)
    if not parts:
        raise RangeNotSatisfiable(size)
    return parts if sum(map(len, parts)) <= size else None


class MultipartRanges:
    """A body of type ``multipart/byteranges`` (RFC 9110 section 14.6): all of it but the content.

    :param size: of the whole content, in bytes.
    :param content_type: of the content; ``""`` where it is not known.
    :param boundary: must not be in the content, after two dashes at the start of a line.
    :ivar content_type: of the body.
    :ivar heads: for each range what comes before its bytes.
    :ivar end: what comes after the last one.
    """

    def __init__(self, ranges: list[ByteRange], size: int, content_type: str, boundary: str) -> None:
        self.ranges = ranges
        self.content_type = f"multipart/byteranges; boundary={boundary}"
        typed = f"Content-Type: {content_type}\r\n" if content_type else ""
        self.heads = [
            f"\r\n--{boundary}\r\n{typed}Content-Range: {part.content_range(size)}\r\n\r\n".encode("latin-1")
            for part in ranges
        ]
        self.end = f"\r\n--{boundary}--\r\n".encode()

    def __len__(self) -> int:
        """The length of the whole body in bytes."""
        return sum(map(len, self.heads)) + sum(map(len, self.ranges)) + len(self.end)

    def __iter__(self) -> Iterator[tuple[bytes, ByteRange]]:
        """The ranges in order, each after its head."""
        return zip(self.heads, self.ranges, strict=True)
