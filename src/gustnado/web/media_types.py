"""The media type of a file, by its name.

>>> guess_type("page.html"), guess_type("notes.txt.gz"), guess_type("data.br"), guess_type("unheard.of")
('text/html', 'application/gzip', 'application/octet-stream', 'application/octet-stream')
"""

from __future__ import annotations

import mimetypes

__all__ = ["guess_type"]


def guess_type(path: str) -> str:
    """The media type of a file, by its name."""
    media_type, coding = mimetypes.guess_type(path)
    if coding == "gzip":
        return "application/gzip"  # RFC 6713
    if coding is not None:
        return "application/octet-stream"  # other compressions have no media type of their own
    return media_type or "application/octet-stream"
