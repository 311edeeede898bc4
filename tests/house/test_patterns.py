"""Regular expressions mean the same on every Python that we support.

Before CPython 3.11.5 a possessive quantifier, or an atomic group, over anything that can match in more than
one way may accept what it must not (python/cpython#106052): there ``a(?:, *+a)*+`` matches all of ``a,``.
Debian 12 has 3.11.2. Over one character or one set of characters they are sound: ``[0-9]++``. A group is
repeated by plain ``*`` or ``+``, with alternatives that exclude each other, which is linear too.
"""

from __future__ import annotations

import importlib
import re
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]

import pytest

ONE_CHARACTER = {codes.IN, codes.LITERAL, codes.NOT_LITERAL, codes.ANY}


def unsound(tree):
    """Whether a pattern holds a possessive quantifier or an atomic group over more than a character."""
    for code, argument in tree:
        if code is codes.ATOMIC_GROUP:
            return True
        if code is codes.POSSESSIVE_REPEAT and [part for part, _ in argument[2]] not in [
            [c] for c in ONE_CHARACTER
        ]:
            return True
        parts = argument if isinstance(argument, (tuple, list)) else [argument]
        branches = [part for inner in parts for part in (inner if isinstance(inner, list) else [inner])]
        if any(isinstance(part, parser.SubPattern) and unsound(part) for part in branches):
            return True
    return False


def patterns(value):
    """The patterns of a module's namespace, those in its tables too."""
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        yield from patterns(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from patterns(part)


def test_possessive_quantifiers_are_over_one_character(source):
    if source.path.stem == "__main__":
        return
    values = list(vars(importlib.import_module(source.name)).values())
    found = [pattern for value in values for pattern in patterns(value)]
    assert not [p.pattern for p in found if unsound(parser.parse(p.pattern, p.flags & ~re.DEBUG))]


@pytest.mark.parametrize("pattern", ["(?:ab?c)++", "(?>a|ab)c", "x(y(?:, *+a)*+)?", "(?:a|(?:bc)?+)"])
def test_the_unsound_is_seen(pattern):
    assert unsound(parser.parse(pattern))


@pytest.mark.parametrize("pattern", ["[a-z]++=.*+", r"(?:x\d?+,)*", 'a{1,3}+(?:[^"]|b)*'])
def test_the_sound_is_let_through(pattern):
    assert not unsound(parser.parse(pattern))
