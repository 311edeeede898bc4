"""What people type, checked: each form keeps the values and says what is wrong with each of them.

>>> PostForm.check(" ", "Some text").errors
{'title': 'Give your post a title.'}
>>> local_path("//elsewhere.example/")
'/'
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from demo.pictures import MAX_PICTURE, Picture, kind_of

__all__ = ["MAX_BODY", "MAX_CAPTION", "MAX_TITLE", "PostForm", "local_path"]

MAX_TITLE = 100
MAX_BODY = 5_000
MAX_CAPTION = 200
"""Characters."""


def _wrong(value: str, what: str, missing: str | None, longest: int) -> str | None:
    """What is wrong with the value of one field, if anything; it may be empty where ``missing`` is ``None``."""
    if not value:
        return missing
    if len(value) > longest:
        return f"{what} is {len(value):,} characters long; at most {longest:,} fit."
    return None


def _wrong_picture(upload: bytes, caption: str) -> str | None:
    """What is wrong with an uploaded file, if anything; an empty one is none."""
    if len(upload) > MAX_PICTURE:
        return f"The picture has {len(upload) / 2**20:.1f} MiB; at most {MAX_PICTURE >> 20} fit."
    if upload and kind_of(upload) is None:
        return "This is no picture: PNG, JPEG, GIF and WebP are taken."
    return "Choose the picture that this describes." if caption and not upload else None


@dataclasses.dataclass(frozen=True)
class PostForm:
    """The form of a new post: values and, by field, what is wrong with them."""

    title: str = ""
    body: str = ""
    caption: str = ""
    picture: Picture | None = None
    errors: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @classmethod
    def check(cls, title: str, body: str, upload: bytes = b"", caption: str = "") -> PostForm:
        """A form with these values, trimmed, and its errors.

        :param upload: the bytes of a picture; none where there is no picture.
        """
        title, body, caption = title.strip(), body.replace("\r\n", "\n").strip(), caption.strip()
        found = {
            "title": _wrong(title, "The title", "Give your post a title.", MAX_TITLE),
            "body": _wrong(body, "The text", "Write something.", MAX_BODY),
            "caption": _wrong(caption, "The description", None, MAX_CAPTION),
            "picture": _wrong_picture(upload, caption),
        }
        errors = {field: error for field, error in found.items() if error is not None}
        kind = kind_of(upload)
        picture = None if kind is None or errors else Picture(kind, upload, caption)
        return cls(title, body, caption, picture, errors)


def local_path(target: str) -> str:
    r"""``target`` if it is a path on this site, else ``"/"``: where to go after signing in.

    The target comes from the address bar. ``//host``, ``/\host`` and those with a tab or newline in between,
    which browsers drop, would lead to another site, under the name of this one.
    """
    plain = target.isascii() and target.isprintable() and " " not in target and "\\" not in target
    return target if plain and target.startswith("/") and not target.startswith("//") else "/"
