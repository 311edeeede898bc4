r"""Pictures that people upload: what they are is told by their bytes, never by what the upload says.

A file that called itself a picture and was a page would run its scripts under this site's name. So only kinds that
cannot are taken, and each is served as the kind that it was found to be. The name of an upload is not kept at all.

>>> kind_of(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), kind_of(b"<svg onload='alert(1)'>")
('image/png', None)
"""

from __future__ import annotations

import dataclasses
import re

__all__ = ["KINDS", "MAX_PICTURE", "MAX_UPLOAD", "Picture", "kind_of"]

MAX_PICTURE = 2 * 1024 * 1024
"""Bytes of a picture."""
MAX_UPLOAD = 2 * MAX_PICTURE
"""Bytes of a form with one. What is larger is cut off as it arrives; in between the form can say what is wrong."""

KINDS = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}
"""Media type -> how its files begin."""


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture of a post, and what it shows in words."""

    kind: str
    data: bytes
    caption: str = ""


def kind_of(data: bytes) -> str | None:
    """The media type of a picture; ``None`` where it is of no kind that is taken."""
    return next((kind for kind, beginning in KINDS.items() if beginning.match(data)), None)
