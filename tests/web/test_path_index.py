from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.web.path_index import PathIndex


def index_of(*patterns: str | None) -> PathIndex[str | None]:
    return PathIndex([(None if pattern is None else re.compile(pattern), pattern) for pattern in patterns])


def orders(index: PathIndex[str | None], path: str) -> list[int]:
    return [order for order, _ in index.lookup(path)]


def test_rules_that_cannot_match_are_left_out():
    index = index_of("/a", "/b", r"/item/(\d+)", r"/item/(\d+)/edit", r"/list/(\d+)")
    assert orders(index, "/b") == [1]
    assert orders(index, "/item/5") == [2, 3]
    assert orders(index, "/list/5") == [4]
    assert orders(index, "/elsewhere") == []


def test_candidates_come_in_order_whatever_kind_they_are():
    index = index_of(None, "/x/(.*)", "/x/y", ".*", "/x-(.*)", "/x/y", "/(.*)")
    assert orders(index, "/x/y") == [0, 1, 2, 3, 5, 6]
    assert orders(index, "/x-y") == [0, 3, 4, 6]
    assert orders(index, "/x/z") == [0, 1, 3, 6]
    assert orders(index, "*") == [0, 3]


def test_text_after_the_last_slash_is_told_apart():
    index = index_of(*[rf"/item{number}-(\d+)" for number in range(100)], "/(.*)/x")
    assert orders(index, "/item17-4") == [17, 100]
    assert orders(index, "/item1-4") == [1, 100]


def test_a_literal_is_decided_without_patterns():
    index = index_of(r"/user/(\d+)", "/about", "/about", "/wind/?")
    assert index.lookup_literal("/about") == (1, "/about")
    assert index.lookup_literal("/wind") == index.lookup_literal("/wind/") == (3, "/wind/?")
    assert index.lookup_literal("/user/5") is None
    assert index.lookup_literal("/nothing") is None


def test_a_literal_is_not_decided_where_an_earlier_rule_may_match():
    index = index_of("/(.*)", "/about")
    assert index.lookup_literal("/about") is None
    assert index_of(None, "/about").lookup_literal("/about") is None
    assert index_of("/about", None).lookup_literal("/about") == (0, "/about")


def test_an_earlier_pattern_that_does_not_match_is_tried_once_for_all():
    index = index_of(r"/(\d+)", "/about")
    assert index.lookup_literal("/about") == (1, "/about")
    assert orders(index, "/about") == [1]


def test_a_literal_that_captures_is_not_decided():
    assert index_of(r"/(favicon\.ico)").lookup_literal("/favicon.ico") is None
    assert orders(index_of(r"/(favicon\.ico)"), "/favicon.ico") == [0]


def test_answers_are_kept_for_listed_paths_only():
    index = index_of("/a", r"/b/(.*)")
    for number in range(100):
        index.lookup(f"/b/{number}")
        index.lookup(f"/{number}")
        index.lookup_literal(f"/{number}")
    index.lookup("/a")
    assert len(index._found) == 1


def test_a_long_hostile_path_is_walked_as_far_as_rules_go():
    index = index_of(*[f"/{'a/' * depth}(.*)" for depth in range(5)])
    assert orders(index, "/" + "a/" * 50_000) == [0, 1, 2, 3, 4]
    assert orders(index, "/" * 50_000) == [0]


RULES = st.lists(
    st.none()
    | st.lists(
        st.sampled_from(
            [
                "/",
                "a",
                "b",
                "ab",
                r"\.",
                "(a)",
                "(a|b)",
                "(.*)",
                r"(\w+)",
                "[ab]",
                "x?",
                "/?",
                "b*",
                "|/a",
                "-",
                "$",
            ]
        ),
        max_size=5,
    ).map(lambda parts: "/" + "".join(parts)),
    max_size=8,
)
PATHS = st.lists(st.sampled_from(["/", "a", "b", "x", ".", "-", "\n"]), max_size=6).map("".join)


@settings(deadline=None, max_examples=200)
@given(rules=RULES, paths=st.lists(PATHS | PATHS.map("/".__add__), min_size=1, max_size=6))
def test_lookup_is_the_same_as_trying_each_rule(rules, paths):
    index = index_of(*rules)
    for path in paths:
        naive = [
            order for order, rule in enumerate(rules) if rule is None or re.compile(rule).fullmatch(path)
        ]
        found = orders(index, path)
        assert found == sorted(found)
        assert [order for order in found if order in naive] == naive
        decided = index.lookup_literal(path)
        if decided is not None:
            assert decided == (naive[0], rules[naive[0]])
