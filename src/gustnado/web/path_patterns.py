"""What can be known of a path pattern without running it.

A pattern is a regular expression that a whole path must match. Most patterns say most of it in plain
letters, and a router that knows them need not try every rule on every request:

- :func:`literal_paths` says which paths a pattern matches, where they are few and can be listed:
  ``/about``, ``/feed\\.xml``, ``/(robots\\.txt)``, ``/wind/?``, ``/(in|out)box``.
- :func:`literal_prefix` says how each path begins that it matches: ``/item/`` for ``/item/(\\d+)``.
- :func:`reverse_template` turns it into a template for making paths.

They read only the plain parts of the syntax of :mod:`re` (letters, escapes of punctuation, groups,
alternation, ``?``). Whatever else comes ends what is known: the answer is then shorter, never wrong. They
are meant for patterns without flags.

>>> literal_paths(r"/(in|out)box\\.html")
('/inbox.html', '/outbox.html')
>>> literal_paths(r"/item/(\\d+)"), literal_prefix(r"/item/(\\d+)")
(None, '/item/')
>>> reverse_template(r"/item/(\\d+)/?")
('/item/%s/', 1)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["literal_paths", "literal_prefix", "reverse_template"]

MAX_PATHS = 16  # of one pattern; each optional part doubles their number

_TOKEN = re.compile(
    r"""
    \\.                                # an escape: two characters
  | \[ \^? \]? (?: \\. | [^\]\\] )* \]   # a character class, of which a first "]" is a letter
  | \(\?P=\w+\)                        # what a named group matched before
  | \( (?: \? (?: P<\w+> | [:=!>\#] | <[=!] | \([^)]*\) | [aiLmsux-]*:? ) )?  # a group's opening
  | \{[0-9,]*\}                        # a counted repeat
  | .                                # anything else, one character at a time
    """,
    re.DOTALL | re.VERBOSE,
)
_PLAIN_GROUPS = ("(", "(?:")
_REPEATS = ("*", "+", "?", "{")  # what a repeat begins with


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a part of a pattern: it matches ``paths`` and no others where it is ``exact``, else
    only paths that begin with one of them."""

    paths: tuple[str, ...]
    exact: bool


_EMPTY = _Known(("",), True)


def literal_paths(pattern: str) -> tuple[str, ...] | None:
    """Every path that ``pattern`` matches whole, or ``None`` where they cannot be listed."""
    known = _read(pattern)
    return tuple(dict.fromkeys(known.paths)) if known.exact else None


def literal_prefix(pattern: str) -> str:
    """The longest known beginning that all paths matched by ``pattern`` have; ``""`` where none is known."""
    return _common_prefix(_read(pattern).paths)


def reverse_template(pattern: str) -> tuple[str, int] | None:
    """A ``%``-template that makes a path which ``pattern`` matches, and how many arguments it takes.

    Each group becomes ``%s``. Outside of groups only plain text can be made again: a letter with ``?`` or
    ``+`` stands once, one with ``*`` not at all, and a bare ``.`` for itself.

    :returns: ``None`` where no path can be made.
    """
    pieces: list[str] = []
    count = depth = 0
    tokens = _tokens(pattern)
    for index, token in enumerate(tokens):
        repeat = tokens[index + 1] if index + 1 < len(tokens) else ""
        if depth:
            if token == ")":
                depth = 0
                if repeat != "?" and repeat[:1] in _REPEATS:
                    return None
            elif _is_group(token):
                return None  # what a group within a group took cannot be given on its own
        elif _is_capture(token):
            pieces.append("%s")
            count += 1
            depth = 1
        elif token in ("*", "+", "?"):
            if token == "*" and not _drop_last_letter(pieces):
                return None
        else:
            text = "." if token == "." else _plain_text(token)
            if text is None:
                return None
            pieces.append(text.replace("%", "%%"))
    return "".join(pieces), count


def _drop_last_letter(pieces: list[str]) -> bool:
    if not pieces or pieces[-1] == "%s":
        return False
    pieces.pop()
    return True


def _tokens(pattern: str) -> list[str]:
    """``pattern`` without its anchors, in tokens."""
    tokens = _TOKEN.findall(pattern)
    if tokens and tokens[0] == "^":
        del tokens[0]
    if tokens and tokens[-1] in ("$", r"\Z"):
        del tokens[-1]
    return tokens


def _is_group(token: str) -> bool:
    return token[0] == "(" and not token.startswith("(?P=")


def _is_capture(token: str) -> bool:
    return token == "(" or token.startswith("(?P<")


def _plain_text(token: str) -> str | None:
    """The text that ``token`` stands for, where it is plain text."""
    if len(token) == 2 and token[0] == "\\":
        return None if token[1].isalnum() else token[1]
    if len(token) == 1 and token not in r".^$*+?{}[]\|()":
        return token
    return None


def _read(pattern: str) -> _Known:
    tokens = _tokens(pattern)
    if "(?#" in tokens:
        return _Known(("",), False)  # a comment could hold anything
    known, end = _read_alternatives(tokens, 0)
    # An unmatched ")" is no pattern at all; say nothing about it.
    return known if end == len(tokens) else _Known(("",), False)


def _read_alternatives(tokens: list[str], start: int) -> tuple[_Known, int]:
    """Read ``a|b|c`` up to the end or to a ``)``; gives what is known and where it stopped."""
    known, index = _read_sequence(tokens, start)
    while index < len(tokens) and tokens[index] == "|":
        other, index = _read_sequence(tokens, index + 1)
        known = _limited(_Known(known.paths + other.paths, known.exact and other.exact))
    return known, index


def _read_sequence(tokens: list[str], start: int) -> tuple[_Known, int]:
    """Read what follows one another up to the end, a ``|`` or a ``)``."""
    known = _EMPTY
    index = start
    while index < len(tokens) and tokens[index] not in ("|", ")"):
        item, index = _read_item(tokens, index)
        if known.exact:
            joined = tuple([head + tail for head in known.paths for tail in item.paths])
            known = _limited(_Known(joined, item.exact))
    return known, index


def _read_item(tokens: list[str], start: int) -> tuple[_Known, int]:
    """Read one letter, escape, class or group, with the repeat that follows it."""
    token = tokens[start]
    if _is_group(token):
        inner, index = _read_alternatives(tokens, start + 1)
        index += 1  # the ")"
        plain = token in _PLAIN_GROUPS or token.startswith("(?P<")
        item = inner if plain else _Known(("",), False)
    else:
        text = _plain_text(token)
        item = _Known(("",), False) if text is None else _Known((text,), True)
        index = start + 1
    return _read_repeat(tokens, index, item)


def _read_repeat(tokens: list[str], index: int, item: _Known) -> tuple[_Known, int]:
    repeats: list[str] = []
    while index < len(tokens) and tokens[index][0] in _REPEATS:
        repeats.append(tokens[index])
        index += 1
    if not repeats:
        return item, index
    if repeats in (["?"], ["?", "?"]):
        if item.exact:
            return _Known((*item.paths, ""), True), index
    elif repeats in (["+"], ["+", "?"]):
        return _Known(item.paths, False), index
    return _Known(("",), False), index


def _common_prefix(texts: tuple[str, ...]) -> str:
    first, last = min(texts), max(texts)
    size = 0
    while size < len(first) and size < len(last) and first[size] == last[size]:
        size += 1
    return first[:size]


def _limited(known: _Known) -> _Known:
    """The same with few enough paths: of too many only their common beginning is kept."""
    if len(known.paths) <= MAX_PATHS:
        return known
    return _Known((_common_prefix(known.paths),), False)
