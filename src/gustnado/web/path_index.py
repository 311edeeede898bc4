"""An index over routing rules: which of them could match a path, without trying each.

Rules are tried in order and the first that matches wins. The index keeps that meaning. It only leaves
out rules that cannot match, judging by what :mod:`gustnado.web.path_patterns` knows of their patterns:

- Rules whose paths can be listed are found by hash. Which other rules match such a path is worked out
  with their patterns when it is first asked for, and kept: there are as many answers as listed paths.
- Rules whose pattern begins with plain text wait at a node of a tree of path segments: ``/item/(\\d+)``
  at ``/item/``. Where plain text follows the last slash (``/item-(\\d+)``) they wait at their node under
  that text. A walk down the tree ends at the first segment that no rule has, so its cost does not
  depend on the number of rules, nor much on the length of the path.
- All others (host rules, matchers of one's own, patterns with flags) are candidates for every path.

The index knows nothing of rules but the pattern that each comes with; ``None`` stands for a rule that it
cannot look into.

>>> patterns = [r"/about", r"/item/(\\d+)", r"/item/(\\w+)/edit", r"/item/new"]
>>> index = PathIndex([(re.compile(p), p) for p in patterns] + [(None, "any")])
>>> index.lookup("/item/5")
((1, '/item/(\\\\d+)'), (2, '/item/(\\\\w+)/edit'), (4, 'any'))
>>> index.lookup("/item/new"), index.lookup_literal("/about")
(((3, '/item/new'), (4, 'any')), (0, '/about'))
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Generic, TypeVar

from gustnado.web.path_patterns import literal_paths, literal_prefix

__all__ = ["PathIndex"]

RuleT = TypeVar("RuleT")


class _Node(Generic[RuleT]):
    """A directory of the tree; ``rules`` are those of all directories above it, too, in order."""

    __slots__ = ("by_text", "children", "own", "rules", "text_sizes")

    def __init__(self) -> None:
        self.children: dict[str, _Node[RuleT]] = {}
        self.own: list[tuple[int, RuleT]] = []
        self.rules: tuple[tuple[int, RuleT], ...] = ()
        self.by_text: dict[str, list[tuple[int, RuleT]]] = {}
        self.text_sizes: tuple[int, ...] = ()

    def settle(self, inherited: tuple[tuple[int, RuleT], ...]) -> None:
        """Work out what lookups use, once all rules are in."""
        self.rules = _in_order([*inherited, *self.own]) if self.own else inherited
        self.text_sizes = tuple(sorted({len(text) for text in self.by_text}))
        for child in self.children.values():
            child.settle(self.rules)

    def rules_by_text(
        self, path: str, start: int, found: list[tuple[int, RuleT]] | None
    ) -> list[tuple[int, RuleT]] | None:
        """``found`` and the rules that wait here under the text that ``path`` has from ``start`` on."""
        for size in self.text_sizes:
            rules = self.by_text.get(path[start : start + size])
            if rules is not None:
                found = rules if found is None else [*found, *rules]
        return found


class PathIndex(Generic[RuleT]):
    """Finds rules by path.

    :param rules: pairs of pattern and rule in the order in which they are to be tried. The pattern is the
        regular expression, without flags, that a path must match as a whole; ``None`` where the rule may
        match any path.
    """

    def __init__(self, rules: Iterable[tuple[re.Pattern[str] | None, RuleT]]) -> None:
        self._literals: dict[str, list[tuple[int, RuleT]]] = {}
        self._patterns: dict[int, re.Pattern[str]] = {}
        self._found: dict[str, tuple[tuple[int, RuleT], ...]] = {}
        self._decided: dict[str, tuple[int, RuleT]] = {}
        self._root: _Node[RuleT] = _Node()
        self._anywhere: list[tuple[int, RuleT]] = []
        for order, (pattern, rule) in enumerate(rules):
            if pattern is None:
                self._anywhere.append((order, rule))
            else:
                self._patterns[order] = pattern
                self._add(pattern.pattern, (order, rule))
        self._everywhere = tuple(self._anywhere)
        self._root.settle(self._everywhere)

    def lookup(self, path: str) -> tuple[tuple[int, RuleT], ...]:
        """The rules that could match ``path``, in order, each with its place in that order.

        Each rule that matches is among them; the others that are have to be tried.
        """
        found = self._found.get(path)
        if found is not None:
            return found
        listed = self._literals.get(path)
        if listed is None:
            return self._walk(path)
        tested = [entry for entry in self._walk(path) if self._may_match(entry[0], path)]
        found = self._found[path] = _in_order([*listed, *tested])
        return found

    def lookup_literal(self, path: str) -> tuple[int, RuleT] | None:
        """The rule for ``path``, where that can be told without trying a pattern; else ``None``.

        It is told where the first candidate is a rule that lists ``path`` and captures nothing of it.
        """
        decided = self._decided.get(path)
        if decided is not None:
            return decided
        listed = self._literals.get(path)
        if listed is None:
            return None
        first = self.lookup(path)[0]
        pattern = self._patterns.get(first[0])
        if first not in listed or pattern is None or pattern.groups:
            return None
        self._decided[path] = first
        return first

    def _may_match(self, order: int, path: str) -> bool:
        pattern = self._patterns.get(order)
        return pattern is None or pattern.fullmatch(path) is not None

    def _add(self, pattern: str, entry: tuple[int, RuleT]) -> None:
        paths = literal_paths(pattern)
        if paths is not None:
            for path in paths:
                self._literals.setdefault(path, []).append(entry)
            return
        prefix = literal_prefix(pattern)
        if not prefix.startswith("/"):
            self._anywhere.append(entry)
            return
        *segments, text = prefix[1:].split("/")
        node = self._root
        for segment in segments:
            node = node.children.setdefault(segment, _Node())
        (node.by_text.setdefault(text, []) if text else node.own).append(entry)

    def _walk(self, path: str) -> tuple[tuple[int, RuleT], ...]:
        """The candidates from the tree."""
        if not path.startswith("/"):
            return self._everywhere
        node = self._root
        start = 1
        more: list[tuple[int, RuleT]] | None = None
        while True:
            if node.text_sizes:
                more = node.rules_by_text(path, start, more)
            end = path.find("/", start)
            if end < 0:
                break
            child = node.children.get(path[start:end])
            if child is None:
                break
            node = child
            start = end + 1
        return node.rules if more is None else _in_order([*node.rules, *more])


def _in_order(entries: list[tuple[int, RuleT]]) -> tuple[tuple[int, RuleT], ...]:
    return tuple(sorted(entries, key=lambda entry: entry[0]))
