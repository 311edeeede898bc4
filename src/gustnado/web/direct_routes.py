"""The short way from a path to its handler: for routes that the path alone decides, and that lead to a handler class.

Most routes of most applications are of this kind. A :class:`~gustnado.web.routing.RuleRouter` finds them as well, but
goes through matchers, nested routers and dictionaries that other kinds need. The short way gives up, for one path, as
soon as a rule might match that is of another kind; it never gives another answer.

>>> from gustnado.web import RequestHandler
>>> from gustnado.web.routing import Rule
>>> from gustnado.web.matchers import PathMatches
>>> class Wind(RequestHandler): pass
>>> routes = DirectRoutes([Rule(PathMatches(r"/wind/([a-z]+)"), Wind), Rule(PathMatches(r"/about"), Wind)])
>>> routes.find("/wind/north") == (Wind, {}, [b"north"], {}), routes.find("/about") == (Wind, {}, None, None)
(True, True)
>>> routes.find("/rain") is None, list(routes.decided)
(True, ['/about'])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from gustnado.web.handler import RequestHandler
from gustnado.web.matchers import PathMatches
from gustnado.web.path_index import PathIndex

if TYPE_CHECKING:
    from gustnado.web.routing import Rule

__all__ = ["LONGEST_KEPT", "MOST_KEPT", "DirectRoutes", "FoundRoute"]

MOST_KEPT = 512
"""Paths that are not in plain text whose route is kept. With one more all of them are dropped, to be found again."""
LONGEST_KEPT = 256
"""Characters of such a path."""

_Taken: TypeAlias = "tuple[list[bytes | None] | None, dict[str, bytes | None] | None]"
FoundRoute: TypeAlias = "tuple[type[RequestHandler], dict[str, Any], Any, Any]"
"""A handler class, the arguments of its ``initialize``, and what groups took: by position, and by name."""


class DirectRoutes:
    """Rules, as far as they can be followed without a router.

    :ivar decided: what was found for paths that some rule has in plain text, of which there are so many; by path.
    """

    __slots__ = ("_lookup", "_lookup_literal", "_recent", "decided")

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.decided: dict[str, FoundRoute] = {}
        self._recent: dict[str, FoundRoute] = {}
        index = PathIndex([_entry(rule) for rule in rules])
        self._lookup = index.lookup
        self._lookup_literal = index.lookup_literal

    def find(self, path: str) -> FoundRoute | None:
        """The handler for ``path``; ``None`` where there is none, or a router has to say."""
        known = self._recent.get(path)
        if known is not None:
            return known
        for _, route in self._lookup(path):
            if route is None:
                return None
            take, target, kwargs = route
            taken = take(path)
            if taken is not None:
                args, named = taken
                found = (target, kwargs, args, named)
                if args is None and self._lookup_literal(path) is not None:
                    self.decided[path] = found
                elif len(path) <= LONGEST_KEPT:
                    if len(self._recent) >= MOST_KEPT:
                        self._recent.clear()
                    self._recent[path] = found
                return found
        return None


_Take: TypeAlias = Callable[[str], "_Taken | None"]
_Route: TypeAlias = tuple[_Take, type[RequestHandler], dict[str, Any]]


def _entry(rule: Rule) -> tuple[Any, _Route | None]:
    """A rule as the index wants it: its pattern, and where it leads; ``None`` for what cannot be told of it."""
    matcher, target = rule.matcher, rule.target
    if not isinstance(matcher, PathMatches):
        return None, None
    pattern = matcher.whole_pattern()
    if pattern is None or not (isinstance(target, type) and issubclass(target, RequestHandler)):
        return pattern, None
    return pattern, (matcher.take, target, rule.target_kwargs)
