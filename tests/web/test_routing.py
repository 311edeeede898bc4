from __future__ import annotations

import re
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.http.delegates import HTTPConnection, HTTPMessageDelegate, HTTPServerConnectionDelegate
from gustnado.http.headers import HTTPHeaders
from gustnado.http.messages import HTTPServerRequest, RequestStartLine, ResponseStartLine
from gustnado.web.routing import (
    AnyMatches,
    HostMatches,
    Matcher,
    PathMatches,
    ReversibleRouter,
    ReversibleRuleRouter,
    Router,
    Rule,
    RuleRouter,
    URLSpec,
)


class Connection(HTTPConnection):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        self.written: list[Any] = []

    def write_headers(self, start_line, headers, chunk=None):
        self.written.append((start_line, dict(headers), chunk))

    def write(self, chunk):
        self.written.append(chunk)

    def finish(self):
        self.written.append("finish")


class Found(HTTPMessageDelegate):
    """What a :class:`Target` gives: its name, and what came with the match."""

    def __init__(self, name: object, **params: Any) -> None:
        self.name = name
        self.params = params


class Target(Router):
    """A router that finds itself."""

    def __init__(self, name: object) -> None:
        self.name = name

    def find_handler(self, request, **kwargs):
        return Found(self.name, **kwargs)


class Nothing(Router):
    """A router that finds nothing."""

    def find_handler(self, request, **kwargs):
        return None


def request_for(
    path: str, host: str = "example.org", connection: Any = None, **headers: str
) -> HTTPServerRequest:
    all_headers = HTTPHeaders({"Host": host})
    for name, value in headers.items():
        all_headers[name.replace("_", "-")] = value
    return HTTPServerRequest(method="GET", uri=path, headers=all_headers, connection=connection)


def found_by(router: RuleRouter, path: str, **kwargs: Any) -> object:
    delegate = router.find_handler(request_for(path, **kwargs))
    return delegate.name if isinstance(delegate, Found) else delegate


class TestRuleRouter:
    def test_the_first_rule_that_matches_wins(self):
        router = RuleRouter([("/a", Target(1)), ("/(.*)", Target(2)), ("/b", Target(3))])
        assert found_by(router, "/a") == 1
        assert found_by(router, "/b") == 2

    def test_a_target_that_finds_nothing_leaves_it_to_later_rules(self):
        router = RuleRouter([("/a", Nothing()), ("/(.*)", Nothing()), ("/a", Target("later"))])
        assert found_by(router, "/a") == "later"
        assert found_by(router, "/b") is None

    def test_target_kwargs_and_groups_go_to_the_target(self):
        router = RuleRouter([("/(.*)", Target(1), {"unit": "mm"})])
        delegate = router.find_handler(request_for("/x"))
        assert isinstance(delegate, Found)
        assert delegate.params == {"path_args": [b"x"], "path_kwargs": {}, "target_kwargs": {"unit": "mm"}}

    def test_rules_come_in_many_forms(self):
        router = ReversibleRuleRouter(
            [
                ("/tuple", Target("tuple")),
                ["/list", Target("list")],
                (PathMatches("/matcher"), Target("matcher"), {}, "name"),
                (re.compile("/compiled"), Target("compiled")),
                URLSpec("/spec", Target("spec")),
                Rule(AnyMatches(), Target("rule")),
            ]
        )
        for name in ("tuple", "list", "matcher", "compiled", "spec"):
            assert found_by(router, f"/{name}") == name
        assert found_by(router, "/other") == "rule"
        assert router.reverse_url("name") == "/matcher"

    @pytest.mark.parametrize("rule", [("/a",), ("/a", 1, {}, "n", 5), "/a", 7])
    def test_what_is_no_rule_is_refused(self, rule):
        with pytest.raises(ValueError, match="is not a rule"):
            RuleRouter([rule])

    def test_a_target_may_be_named(self):
        assert Rule(AnyMatches(), "gustnado.web.routing.PathMatches").target is PathMatches

    def test_an_unknown_kind_of_target_finds_nothing(self):
        assert found_by(RuleRouter([("/a", 7)]), "/a") is None

    def test_rules_may_be_changed_at_any_time(self):
        router = RuleRouter([("/a", Target(1)), ("/b", Target(2))])
        assert found_by(router, "/a") == 1
        rules = router.rules

        def check(path: str, name: object) -> None:
            assert found_by(router, path) == name

        rules.insert(0, Rule(PathMatches("/a"), Target(3)))
        check("/a", 3)
        del rules[0]
        check("/a", 1)
        rules[0] = Rule(PathMatches("/a"), Target(4))
        check("/a", 4)
        rules.reverse()
        rules.append(Rule(PathMatches("/c"), Target(5)))
        check("/c", 5)
        rules.pop()
        check("/c", None)
        rules += [Rule(PathMatches("/d"), Target(6))]
        check("/d", 6)
        rules.remove(rules[-1])
        check("/d", None)
        rules.extend([Rule(PathMatches("/e"), Target(7)), Rule(PathMatches("/e"), Target(8))])
        check("/e", 7)
        rules.sort(key=lambda rule: -rule.target.name)
        check("/e", 8)
        rules *= 1
        check("/e", 8)
        rules.clear()
        check("/e", None)
        router.rules = [Rule(PathMatches("/f"), Target(9))]
        check("/f", 9)
        router.add_rules([("/g", Target(10))])
        check("/g", 10)

    def test_a_matcher_of_ones_own_is_always_asked(self):
        class Odd(PathMatches):
            def match(self, request):
                return {} if request.headers.get("X-Odd") else None

        router = RuleRouter([(Odd("/never"), Target("odd")), ("/a", Target("a"))])
        assert found_by(router, "/a") == "a"
        assert found_by(router, "/a", X_Odd="1") == "odd"

    def test_a_subclass_may_allow_other_targets(self):
        class Numbers(RuleRouter):
            def get_target_delegate(self, target, request, **target_params):
                return Found(target + 1) if isinstance(target, int) else None

        assert found_by(Numbers([("/a", 1)]), "/a") == 2

    def test_a_rule_reverses_as_its_matcher_does(self):
        assert URLSpec("/x/(.*)", None).reverse("y") == "/x/y"
        assert Rule(AnyMatches(), None).reverse() is None

    def test_a_rule_says_what_it_is(self):
        assert repr(URLSpec("/a", Target, {"x": 1}, "n")).startswith("URLSpec('/a$', <class")
        assert "kwargs={'x': 1}, name='n'" in repr(Rule(AnyMatches(), Target, {"x": 1}, "n"))


class TestNames:
    def test_names_are_found_in_nested_routers(self):
        inner = ReversibleRuleRouter([("/in/(.*)", Target(1), {}, "inner")])
        outer = ReversibleRuleRouter([Rule(PathMatches("/in/.*"), inner), ("/out", Target(2), {}, "outer")])
        assert outer.reverse_url("inner", "x") == "/in/x"
        assert outer.reverse_url("outer") == "/out"
        assert outer.reverse_url("nobody") is None

    def test_of_two_rules_with_a_name_the_later_has_it(self, expect_log):
        with expect_log("gustnado.application", "Multiple handlers named x"):
            router = ReversibleRuleRouter([("/1", Target(1), {}, "x"), ("/2", Target(2), {}, "x")])
        assert router.reverse_url("x") == "/2"


class TestServing:
    """A router as what an HTTP server calls."""

    def serve(self, router: Router, path: str, body: bytes = b"", method: str = "GET") -> list[Any]:
        connection = Connection()
        delegate = router.start_request(object(), connection)
        delegate.headers_received(RequestStartLine(method, path, "HTTP/1.1"), HTTPHeaders({"Host": "a"}))
        if body:
            delegate.data_received(body)
        delegate.finish()
        return connection.written

    def test_a_callable_gets_the_request_with_its_body(self):
        seen: list[Any] = []

        def answer(request: HTTPServerRequest, **params: Any) -> None:
            seen.append((request.path, request.body, params))
            request.connection.finish()

        written = self.serve(RuleRouter([("/f/(.*)", answer)]), "/f/x", b"body", "POST")
        assert seen == [("/f/x", b"body", {"path_args": [b"x"], "path_kwargs": {}})]
        assert written == ["finish"]

    def test_a_connection_delegate_gets_the_connection(self):
        class Answer(HTTPMessageDelegate):
            def __init__(self, connection: HTTPConnection) -> None:
                self.connection = connection

            def finish(self):
                self.connection.write(b"here")

        class Delegate(HTTPServerConnectionDelegate):
            def start_request(self, server_conn, request_conn):
                return Answer(request_conn)

        assert self.serve(RuleRouter([("/d", Delegate())]), "/d") == [b"here"]

    def test_nothing_found_is_404(self):
        written = self.serve(RuleRouter([("/a", Target(1))]), "/b", b"body")
        assert written == [
            (ResponseStartLine("HTTP/1.1", 404, "Not Found"), {"Content-Length": "0"}, None),
            "finish",
        ]

    def test_a_closed_connection_is_passed_on(self):
        class Watch(HTTPMessageDelegate):
            closed = False

            def on_connection_close(self):
                self.closed = True

        watch = Watch()

        class Watching(Router):
            def find_handler(self, request, **kwargs):
                return watch

        delegate = Watching().start_request(object(), Connection())
        delegate.on_connection_close()
        assert not watch.closed  # it had not been found yet
        delegate.headers_received(RequestStartLine("GET", "/", "HTTP/1.1"), HTTPHeaders())
        delegate.on_connection_close()
        assert watch.closed


def test_contracts_say_what_is_missing():
    for call in (
        lambda: Router().find_handler(request_for("/")),
        lambda: ReversibleRouter().reverse_url("x"),
        lambda: Matcher().match(request_for("/")),
    ):
        with pytest.raises(NotImplementedError):
            call()


MATCHERS = st.sampled_from(["path", "path", "path", "path", "any", "host", "compiled"])
PATTERNS = st.lists(
    st.sampled_from(
        ["/", "a", "b", r"\.", "(a)", "(a|b)", "(.*)", r"(\w+)", "/?", "b*", "|/a", "$", "(?P<n>b)"]
    ),
    max_size=5,
).map("".join)
RULES = st.lists(st.tuples(MATCHERS, PATTERNS, st.booleans()), max_size=8)


def make_rule(kind: str, pattern: str, finds: bool, name: int) -> Rule | None:
    try:
        re.compile(pattern)
    except re.error:
        return None
    matcher: Matcher
    if kind == "any":
        matcher = AnyMatches()
    elif kind == "host":
        matcher = HostMatches("[ab].example")
    else:
        matcher = PathMatches(re.compile(pattern) if kind == "compiled" else pattern)
    return Rule(matcher, Target(name) if finds else Nothing())


@settings(deadline=None, max_examples=200)
@given(
    specs=RULES,
    paths=st.lists(st.text(alphabet="/ab.\n", max_size=6), min_size=1, max_size=5),
    host=st.sampled_from(["a.example", "c.example"]),
)
def test_routing_is_the_same_as_trying_each_rule_in_order(specs, paths, host):
    made = [make_rule(kind, pattern, finds, name) for name, (kind, pattern, finds) in enumerate(specs)]
    router = RuleRouter([rule for rule in made if rule is not None])
    for path in paths:
        request = request_for(path, host=host)
        expected = None
        for rule in router.rules:
            params = rule.matcher.match(request)
            expected = None if params is None else rule.target.find_handler(request, **params)
            if expected is not None:
                break
        found = router.find_handler(request)
        assert (found is None) == (expected is None)
        if isinstance(found, Found) and isinstance(expected, Found):
            assert (found.name, found.params) == (expected.name, expected.params)


class TestAsTornadoRoutes:
    """The installed Tornado, asked the same, finds the same."""

    def both(self, rules):
        """Our router and theirs, of ``(kind, pattern, name)`` or of ``(host pattern, rules)``."""
        import tornado.routing as theirs  # type: ignore[import-untyped,unused-ignore]

        import gustnado.web.routing as ours

        return self.build(ours, rules), self.build(theirs, rules)

    def build(self, module, rules):
        made = []
        for number, (kind, pattern, rest) in enumerate(rules):
            matcher = module.HostMatches(pattern) if kind == "host" else module.PathMatches(pattern)
            if isinstance(rest, list):
                made.append(module.Rule(matcher, self.build(module, rest)))
            else:
                made.append(module.Rule(matcher, self.target(module, (number, rest)), name=rest))
        return module.ReversibleRuleRouter(made)

    def target(self, module, name):
        class Target(module.Router):  # type: ignore[name-defined]
            def find_handler(self, request, **kwargs):
                return Found(name, **{key: value for key, value in kwargs.items() if value})

        return Target()

    def found(self, router, path, host):
        delegate = router.find_handler(request_for(path, host=host))
        return None if delegate is None else (delegate.name, delegate.params)

    RULES = [  # noqa: RUF012
        ("host", "(www|api).example", [("path", "/x", "host-x"), ("path", r"/(\d+)", "host-number")]),
        ("path", "/x", "x"),
        ("path", r"/item/(\d+)", "item"),
        ("path", r"/item/(?P<name>\w+)/(?P<part>[a-z]+)", "part"),
        ("path", "/nested/.*", [("path", "/nested/a", "nested-a"), ("path", "/nested/(.*)", "nested")]),
        ("path", "/(a)(b)?", "optional"),
        ("path", "/percent/(.*)", "percent"),
        ("path", "/.*", "all"),
    ]

    @pytest.mark.parametrize("host", ["www.example", "API.example", "www.example:8888", "other", "x.www.example"])
    @pytest.mark.parametrize(
        "path",
        ["/x", "/x/", "/7", "/item/7", "/item/seven", "/item/ab/c", "/nested/a", "/nested/b/c", "/nested/", "/a", "/ab",
         "/percent/%41%2F%zz", "/percent/a+b", "/percent/%C3%A9", "/", "/X", "/item/7?a=b"],
    )  # fmt: skip
    def test_found(self, path, host):
        ours, theirs = self.both(self.RULES)
        assert self.found(ours, path, host) == self.found(theirs, path, host)

    @pytest.mark.parametrize(
        ("name", "args"),
        [("x", ()), ("item", (7,)), ("item", ("é/ü",)), ("part", ("a", "b")), ("nested", ("a b",)),
         ("host-number", (1,)), ("percent", (b"\xff",)), ("none", ())],
    )  # fmt: skip
    def test_reversed(self, name, args):
        ours, theirs = self.both(self.RULES)
        assert ours.reverse_url(name, *args) == theirs.reverse_url(name, *args)


class TestCost:
    """What finding a route costs, counted in calls."""

    def calls(self, router, path):
        request = request_for(path)
        assert router.find_handler(request) is not None  # what is worked out once is worked out
        count = 0

        def profile(frame, event, arg):
            nonlocal count
            count += event in ("call", "c_call")

        before = sys.getprofile()
        sys.setprofile(profile)
        try:
            router.find_handler(request)
        finally:
            sys.setprofile(before)
        return count

    @pytest.mark.parametrize("pattern", [r"/last", r"/last/(\d+)", r"/last-(?P<n>\d+)", r"/a/b/c/(\w+)/last"])
    def test_a_thousand_routes_cost_what_one_does(self, pattern):
        path = pattern.replace(r"(\d+)", "7").replace(r"(?P<n>\d+)", "7").replace(r"(\w+)", "x")
        forms = ("/r{}", r"/r{}/(\d+)", "/a/b{}/(.*)")
        others = [(form.format(n), n) for n in range(333) for form in forms]
        one = RuleRouter([(pattern, Target("last"))])
        thousand = RuleRouter([(other, Target(n)) for other, n in others] + [(pattern, Target("last"))])
        assert found_by(thousand, path) == found_by(one, path) == "last"
        assert self.calls(thousand, path) <= 1.1 * self.calls(one, path)
