"""From a request to the delegate that answers it.

A :class:`Router` finds, for a request, the :class:`~gustnado.http.delegates.HTTPMessageDelegate` that gets
it. It is a :class:`~gustnado.http.delegates.HTTPServerConnectionDelegate` itself, so an
``HTTPServer(router)`` serves it as it is. :class:`RuleRouter` finds by rules; each :class:`Rule` holds a
:class:`Matcher`, which says whether the rule is for a request, and a target, which is one of

- a nested router,
- an ``HTTPServerConnectionDelegate``,
- a callable that takes a request,
- in an ``Application``, a ``RequestHandler`` class or a list of further rules.

Rules are tried in order; the first one that matches and whose target gives a delegate wins. That is the
meaning; the work is done by a :class:`~gustnado.web.path_index.PathIndex`, which leaves out the rules that
cannot match, so that a thousand rules cost about what one does.

>>> router = ReversibleRuleRouter([("/about", Router()), (r"/wind/([0-9]+)", Router(), {}, "wind")])
>>> router.reverse_url("wind", 7)
'/wind/7'
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeAlias

from gustnado.http.delegates import HTTPConnection, HTTPMessageDelegate, HTTPServerConnectionDelegate
from gustnado.http.headers import HTTPHeaders
from gustnado.http.messages import HTTPServerRequest, RequestStartLine, ResponseStartLine
from gustnado.log import app_log
from gustnado.util import import_object
from gustnado.web.matchers import AnyMatches, DefaultHostMatches, HostMatches, Matcher, PathMatches
from gustnado.web.path_index import PathIndex

if TYPE_CHECKING:
    from gustnado.web.direct_routes import DirectRoutes, FoundRoute

__all__ = [
    "AnyMatches",
    "DefaultHostMatches",
    "HostMatches",
    "Matcher",
    "PathMatches",
    "ReversibleRouter",
    "ReversibleRuleRouter",
    "Router",
    "Rule",
    "RuleRouter",
    "URLSpec",
]

RuleLike: TypeAlias = "Rule | Sequence[Any]"
"""A :class:`Rule`, or the arguments for one: ``(pattern or matcher, target[, kwargs[, name]])``."""


class Router(HTTPServerConnectionDelegate):
    """Finds the delegate for a request."""

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate | None:
        """Return the delegate that gets ``request``, or ``None`` where there is none.

        :param kwargs: what an outer router's matcher gave for this target.
        """
        raise NotImplementedError

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        return _RoutingDelegate(self, server_conn, request_conn)


class ReversibleRouter(Router):
    """A router whose routes have names, from which URLs can be made."""

    def reverse_url(self, name: str, *args: Any) -> str | None:
        """Return the path of the route ``name`` with ``args`` in place of its groups.

        :returns: ``None`` where no route has that name.
        """
        raise NotImplementedError


class RuleRouter(Router):
    """Finds by rules, in order.

    ::

        RuleRouter([
            Rule(HostMatches("example.org"), other_router),
            (PathMatches("/wind"), WindHandler),
            ("/rain/([0-9]+)", RainHandler, {"unit": "mm"}, "rain"),
        ])

    :param rules: each a :class:`Rule` or the arguments for one, whose matcher may be a path pattern.
    """

    def __init__(self, rules: Iterable[RuleLike] | None = None) -> None:
        self._rules = _RuleList()
        if rules:
            self.add_rules(rules)

    @property
    def rules(self) -> list[Rule]:
        """The rules in order. The list may be changed; a rule in it must not get another matcher."""
        return self._rules

    @rules.setter
    def rules(self, value: Iterable[Rule]) -> None:
        self._rules = _RuleList(value)

    @property
    def index(self) -> PathIndex[Rule]:
        """The index over :attr:`rules` as they are now."""
        rules = self._rules
        if rules.path_index is None:
            rules.path_index = PathIndex([(_indexed_pattern(rule), rule) for rule in rules])
        return rules.path_index

    def add_rules(self, rules: Iterable[RuleLike]) -> None:
        """Append rules.

        :raises ValueError: where a tuple is not ``(pattern or matcher, target[, kwargs[, name]])``.
        """
        for rule in rules:
            self._rules.append(self.process_rule(_make_rule(rule)))

    def process_rule(self, rule: Rule) -> Rule:
        """Override to look at or replace each rule as it is added."""
        return rule

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate | None:
        for _, rule in self.index.lookup(request.path):
            target_params = rule.matcher.match(request)
            if target_params is None:
                continue
            if rule.target_kwargs:
                target_params["target_kwargs"] = rule.target_kwargs
            delegate = self.get_target_delegate(rule.target, request, **target_params)
            if delegate is not None:
                return delegate
        return None

    def get_target_delegate(
        self, target: Any, request: HTTPServerRequest, **target_params: Any
    ) -> HTTPMessageDelegate | None:
        """Return the delegate of a rule's target, or ``None`` where it has none for this request.

        Override it to allow further kinds of targets.

        :param target_params: what the matcher gave, and ``target_kwargs`` where the rule has some.
        """
        if isinstance(target, Router):
            return target.find_handler(request, **target_params)
        if isinstance(target, HTTPServerConnectionDelegate):
            return target.start_request(request.server_connection, request.connection)
        if callable(target):
            return _CallableDelegate(partial(target, **target_params), request)
        return None


class ReversibleRuleRouter(ReversibleRouter, RuleRouter):
    """A rule router whose rules may have names. Of two rules with one name the later has it."""

    def __init__(self, rules: Iterable[RuleLike] | None = None) -> None:
        self.named_rules: dict[str, Rule] = {}
        super().__init__(rules)

    def process_rule(self, rule: Rule) -> Rule:
        rule = super().process_rule(rule)
        if rule.name:
            if rule.name in self.named_rules:
                app_log.warning("Multiple handlers named %s; replacing previous value", rule.name)
            self.named_rules[rule.name] = rule
        return rule

    def reverse_url(self, name: str, *args: Any) -> str | None:
        """As :meth:`ReversibleRouter.reverse_url`; names of nested routers are found as well.

        :raises ValueError: where the rule's path cannot be made from ``args``.
        """
        if name in self.named_rules:
            return self.named_rules[name].matcher.reverse(*args)
        for rule in self._rules:
            if isinstance(rule.target, ReversibleRouter):
                reversed_url = rule.target.reverse_url(name, *args)
                if reversed_url is not None:
                    return reversed_url
        return None


class Rule:
    """A matcher and its target.

    :param target: see the module; a string is the full dotted name of the target, which is imported.
    :param target_kwargs: goes with the target: for a ``RequestHandler`` the arguments of ``initialize``.
    :param name: for :meth:`ReversibleRouter.reverse_url`.
    """

    def __init__(
        self,
        matcher: Matcher,
        target: Any,
        target_kwargs: dict[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        self.matcher = matcher
        self.target: Any = import_object(target) if isinstance(target, str) else target
        self.target_kwargs = target_kwargs or {}
        self.name = name

    def reverse(self, *args: Any) -> str | None:
        """The path that the rule is for; see :meth:`Matcher.reverse`."""
        return self.matcher.reverse(*args)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.matcher!r}, {self.target}, "
            f"kwargs={self.target_kwargs!r}, name={self.name!r})"
        )


class URLSpec(Rule):
    """A rule by path.

    :param pattern: see :class:`PathMatches`. What its groups take becomes arguments of ``get``, ``post``
        and so on: by position, those of named groups by keyword.
    :param handler: ``RequestHandler`` class, or its full dotted name.
    :param kwargs: arguments for the handler's ``initialize``.
    :param name: for :meth:`Application.reverse_url`.
    """

    def __init__(
        self,
        pattern: str | re.Pattern[str],
        handler: Any,
        kwargs: dict[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        matcher = PathMatches(pattern)
        super().__init__(matcher, handler, kwargs, name)
        self.regex = matcher.regex
        self.handler_class = self.target
        self.kwargs = kwargs

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.regex.pattern!r}, {self.handler_class}, "
            f"kwargs={self.kwargs!r}, name={self.name!r})"
        )


class _RuleList(list[Rule]):
    """A list of rules that forgets what was worked out of it whenever it changes.

    :ivar path_index: the index over the rules; ``None`` until it is asked for.
    :ivar direct: for an application, its routes that need no router; see ``Application.direct_routes``.
    :ivar decided: what was found in these, for paths in plain text.
    """

    path_index: PathIndex[Rule] | None = None
    direct: DirectRoutes | None = None

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        super().__init__(rules)
        self.decided: dict[str, FoundRoute] = {}

    def forget(self) -> None:
        """The rules, or what else decides, have changed."""
        self.path_index = self.direct = None
        self.decided = {}

    def append(self, rule: Rule, /) -> None:
        self.forget()
        super().append(rule)

    def extend(self, rules: Iterable[Rule], /) -> None:
        self.forget()
        super().extend(rules)

    def insert(self, place: SupportsIndex, rule: Rule, /) -> None:
        self.forget()
        super().insert(place, rule)

    def pop(self, place: SupportsIndex = -1, /) -> Rule:
        self.forget()
        return super().pop(place)

    def remove(self, rule: Rule, /) -> None:
        self.forget()
        super().remove(rule)

    def clear(self) -> None:
        self.forget()
        super().clear()

    def reverse(self) -> None:
        self.forget()
        super().reverse()

    def sort(self, **options: Any) -> None:
        self.forget()
        super().sort(**options)

    def __setitem__(self, place: Any, rules: Any, /) -> None:
        self.forget()
        super().__setitem__(place, rules)

    def __delitem__(self, place: SupportsIndex | slice, /) -> None:
        self.forget()
        super().__delitem__(place)

    def __iadd__(self, rules: Iterable[Rule], /) -> _RuleList:  # type: ignore[override,misc]
        self.extend(rules)
        return self

    def __imul__(self, times: SupportsIndex, /) -> _RuleList:
        self.forget()
        super().__imul__(times)
        return self


class _RoutingDelegate(HTTPMessageDelegate):
    """Asks the router once the head has arrived, then passes all on to what it found."""

    def __init__(self, router: Router, server_conn: object, request_conn: HTTPConnection) -> None:
        self.router = router
        self.server_conn = server_conn
        self.request_conn = request_conn
        self.delegate: HTTPMessageDelegate | None = None

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        if not isinstance(start_line, RequestStartLine):
            raise TypeError(f"a router gets requests, not {start_line!r}")
        request = HTTPServerRequest(
            connection=self.request_conn,
            server_connection=self.server_conn,
            start_line=start_line,
            headers=headers,
        )
        delegate = self.router.find_handler(request)
        if delegate is None:
            app_log.debug("Delegate for %s %s request not found", start_line.method, start_line.path)
            delegate = _NotFoundDelegate(self.request_conn)
        self.delegate = delegate
        return delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return None if self.delegate is None else self.delegate.data_received(chunk)

    def finish(self) -> None:
        if self.delegate is not None:
            self.delegate.finish()

    def on_connection_close(self) -> None:
        if self.delegate is not None:
            self.delegate.on_connection_close()


class _NotFoundDelegate(HTTPMessageDelegate):
    """Answers 404 without a body."""

    def __init__(self, connection: HTTPConnection) -> None:
        self.connection = connection

    def finish(self) -> None:
        start_line = ResponseStartLine("HTTP/1.1", 404, "Not Found")
        self.connection.write_headers(start_line, HTTPHeaders({"Content-Length": "0"}))
        self.connection.finish()


class _CallableDelegate(HTTPMessageDelegate):
    """Collects the body, then calls a function with the request."""

    def __init__(self, callback: Callable[[HTTPServerRequest], Any], request: HTTPServerRequest) -> None:
        self.callback = callback
        self.request = request
        self.chunks: list[bytes] = []

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self.chunks.append(bytes(chunk))
        return None

    def finish(self) -> None:
        self.request.body = b"".join(self.chunks)
        self.request._parse_body()
        self.callback(self.request)

    def on_connection_close(self) -> None:
        self.chunks.clear()


def _make_rule(rule: RuleLike) -> Rule:
    if isinstance(rule, Rule):
        return rule
    if not isinstance(rule, (tuple, list)) or not 2 <= len(rule) <= 4:
        raise ValueError(f"{rule!r} is not a rule: (pattern or matcher, target[, kwargs[, name]]) is wanted")
    matcher, *rest = rule
    return Rule(PathMatches(matcher) if isinstance(matcher, (str, re.Pattern)) else matcher, *rest)


def _indexed_pattern(rule: Rule) -> re.Pattern[str] | None:
    return rule.matcher.whole_pattern() if isinstance(rule.matcher, PathMatches) else None
