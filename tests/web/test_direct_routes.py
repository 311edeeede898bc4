"""The short way from a path to its handler."""

from __future__ import annotations

import json
import re

import pytest

from gustnado.web import Application, RequestHandler
from gustnado.web.direct_routes import LONGEST_KEPT, MOST_KEPT, DirectRoutes
from gustnado.web.matchers import AnyMatches, Matcher, PathMatches
from gustnado.web.routing import Router, Rule, URLSpec


class One(RequestHandler):
    pass


class Two(RequestHandler):
    pass


def routes(*rules):
    """Pairs of pattern and target, or rules."""
    return DirectRoutes([rule if isinstance(rule, Rule) else URLSpec(*rule) for rule in rules])


@pytest.mark.parametrize(
    ("pattern", "path", "args", "kwargs"),
    [
        ("/a", "/a", None, None),
        ("/a/([0-9]+)", "/a/5", [b"5"], {}),
        ("/(.)/(.)?", "/a/", [b"a", None], {}),
        ("/(.*)", "/b%20c", [b"b c"], {}),
        ("/(?P<x>.)", "/a", [], {"x": b"a"}),
        ("/(?P<x>.)(.)(?P<y>.)?", "/ab", [b"b"], {"x": b"a", "y": None}),
    ],
)
def test_what_groups_take(pattern, path, args, kwargs):
    assert routes((pattern, One, {"k": 1})).find(path) == (One, {"k": 1}, args, kwargs)


def test_the_first_that_matches_has_it():
    found = routes(("/a/([a-z]+)", One), ("/a/(.*)", Two))
    assert [found.find(path)[0] for path in ("/a/b", "/a/5")] == [One, Two]
    assert found.find("/b") is None


@pytest.mark.parametrize(
    "rule",
    [
        Rule(AnyMatches(), One),
        Rule(PathMatches("/a.*"), Router()),
        Rule(PathMatches(re.compile("/a")), One),
        Rule(type("Odd", (Matcher,), {})(), One),
        Rule(type("Odd", (PathMatches,), {"match": lambda self, request: {}})("/b"), One),
    ],
    ids=["any", "router", "compiled", "matcher", "override"],
)
def test_where_another_kind_of_rule_may_match_a_router_has_to_say(rule):
    assert routes(rule, ("/a(b?)", Two)).find("/ab") is None
    assert routes(("/a(b?)", Two), rule).find("/ab") == (Two, {}, [b"b"], {})


def test_paths_in_plain_text_are_kept_for_good():
    found = routes(("/a/?", One), ("/b/.*", Two), ("/c(d)", Two))
    for path in ("/a", "/a/", "/b/1", "/b/2", "/cd"):
        assert found.find(path) is not None
    assert found.decided == {"/a": (One, {}, None, None), "/a/": (One, {}, None, None)}


def test_of_other_paths_the_last_are_kept():
    found = routes(("/b/(.*)", One))
    first = found.find("/b/0")
    assert found.find("/b/0") is first
    for number in range(MOST_KEPT):
        found.find(f"/b/{number}")
    assert found.find("/b/0") is first
    found.find("/b/one-more")
    assert found.find("/b/0") is not first
    assert found.find("/b/0") == first


def test_long_paths_are_not_kept():
    """They are as long as clients make them, and are found all the same."""
    found = routes(("/b/(.*)", One))
    path = "/b/".ljust(LONGEST_KEPT, "x")
    assert found.find(path) is found.find(path)
    assert found.find(path + "x") is not found.find(path + "x")
    assert found.find(path + "x") == (One, {}, [path[3:].encode() + b"x"], {})


def test_what_is_kept_is_the_same_after_a_handler_had_it(fetch):
    class Greedy(RequestHandler):
        def get(self, *args, **kwargs):
            self.path_args.append("more")
            self.path_kwargs["more"] = "1"
            self.write({"args": args, "kwargs": kwargs})

    app = Application([("/a/(.)", Greedy), ("/b/(?P<x>.)", Greedy)])
    for _ in range(3):
        assert json.loads(fetch(app, "/a/1").body) == {"args": ["1"], "kwargs": {}}
        assert json.loads(fetch(app, "/b/1").body) == {"args": [], "kwargs": {"x": "1"}}


def test_rules_that_are_added_later_count():
    app = Application([("/a/([0-9]+)", One)])
    assert app.direct_routes().find("/a/5") == (One, {}, [b"5"], {})
    app.wildcard_router.rules.insert(0, URLSpec("/a/5", Two))
    assert app.direct_routes().find("/a/5") == (Two, {}, None, None)
    app.add_handlers("example.org", [("/a/5", One)])
    assert app.direct_routes().find("/a/5") is None
