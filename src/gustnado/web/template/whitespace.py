"""The three ways to treat the whitespace of a template's text.

>>> filter_whitespace("single", "a  b \\n\\n  c")
'a b\\nc'
>>> filter_whitespace("oneline", "a  b \\n\\n  c")
'a b c'
"""

from __future__ import annotations

import re
from typing import Final

from gustnado.errors import UsageError

__all__ = ["default_mode", "filter_whitespace"]

_BLANKS: Final = re.compile(r"[\t ]+")
_LINE_BREAKS: Final = re.compile(r"\s*\n\s*")
_SPACES: Final = re.compile(r"\s+")


def filter_whitespace(mode: str, text: str) -> str:
    """Return ``text`` with its whitespace treated as ``mode`` says.

    ``all`` changes nothing; ``single`` makes each run of blanks one blank and each run that holds
    a line break one line break; ``oneline`` makes every run of whitespace one blank.

    :raises UsageError: there is no such mode.
    """
    if mode == "all":
        return text
    if mode == "single":
        return _LINE_BREAKS.sub("\n", _BLANKS.sub(" ", text))
    if mode == "oneline":
        return _SPACES.sub(" ", text)
    raise UsageError(f"invalid whitespace mode {mode!r}: use all, single or oneline")


def default_mode(name: str) -> str:
    """Return the mode for a template that does not name one: ``single`` for HTML and JavaScript files."""
    return "single" if name.endswith((".html", ".js")) else "all"
