"""What people type, checked: each form keeps the values and says what is wrong with each of them.

>>> PostForm.check(" ", "Some text").errors
{'title': 'Give your post a title.'}
>>> local_path("//elsewhere.example/")
'/'
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

__all__ = ["MAX_BODY", "MAX_TITLE", "PostForm", "local_path"]

MAX_TITLE = 100
MAX_BODY = 5_000
"""Characters."""


def _wrong(value: str, what: str, missing: str, longest: int) -> str | None:
    """What is wrong with the value of one field, if anything."""
    if not value:
        return missing
    if len(value) > longest:
        return f"{what} is {len(value):,} characters long; at most {longest:,} fit."
    return None


@dataclasses.dataclass(frozen=True)
class PostForm:
    """The form of a new post: values and, by field, what is wrong with them."""

    title: str = ""
    body: str = ""
    errors: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @classmethod
    def check(cls, title: str, body: str) -> PostForm:
        """A form with these values, trimmed, and its errors."""
        title, body = title.strip(), body.replace("\r\n", "\n").strip()
        found = {
            "title": _wrong(title, "The title", "Give your post a title.", MAX_TITLE),
            "body": _wrong(body, "The text", "Write something.", MAX_BODY),
        }
        return cls(title, body, {field: error for field, error in found.items() if error is not None})


def local_path(target: str) -> str:
    r"""``target`` if it is a path on this site, else ``"/"``: where to go after signing in.

    The target comes from the address bar. ``//host``, ``/\host`` and those with a tab or newline in between,
    which browsers drop, would lead to another site, under the name of this one.
    """
    plain = target.isascii() and target.isprintable() and " " not in target and "\\" not in target
    return target if plain and target.startswith("/") and not target.startswith("//") else "/"
