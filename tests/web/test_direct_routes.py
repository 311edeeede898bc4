"""The short way from a path to its handler."""

from __future__ import annotations

import re

import pytest

from gustnado.web import Application, RequestHandler
from gustnado.web.direct_routes import DirectRoutes
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


def test_only_paths_in_plain_text_are_kept():
    """Others are as many as clients make up."""
    found = routes(("/a/?", One), ("/b/.*", Two), ("/c(d)", Two))
    for path in ("/a", "/a/", "/b/1", "/b/2", "/cd"):
        assert found.find(path) is not None
    assert found.decided == {"/a": (One, {}, None, None), "/a/": (One, {}, None, None)}


def test_rules_that_are_added_later_count():
    app = Application([("/a/([0-9]+)", One)])
    assert app.direct_routes().find("/a/5") == (One, {}, [b"5"], {})
    app.wildcard_router.rules.insert(0, URLSpec("/a/5", Two))
    assert app.direct_routes().find("/a/5") == (Two, {}, None, None)
    app.add_handlers("example.org", [("/a/5", One)])
    assert app.direct_routes().find("/a/5") is None
