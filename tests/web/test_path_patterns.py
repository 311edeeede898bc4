from __future__ import annotations

import re
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.web.path_patterns import MAX_PATHS, literal_paths, literal_prefix, reverse_template


@pytest.mark.parametrize(
    ("pattern", "paths"),
    [
        ("/", ("/",)),
        ("", ("",)),
        ("/about", ("/about",)),
        ("^/about$", ("/about",)),
        (r"/about\Z", ("/about",)),
        (r"/feed\.xml", ("/feed.xml",)),
        (r"/price\$", ("/price$",)),
        (r"/(robots\.txt)", ("/robots.txt",)),
        ("/(?:a|b)c", ("/ac", "/bc")),
        ("/(?P<name>in|out)", ("/in", "/out")),
        ("/wind/?", ("/wind/", "/wind")),
        ("/(a|b)?x??", ("/ax", "/a", "/bx", "/b", "/x", "/")),
        ("/a|/b", ("/a", "/b")),
        ("/(a|a)", ("/a",)),
    ],
)
def test_paths_are_listed_where_plain_text_says_them_all(pattern, paths):
    assert literal_paths(pattern) == paths


@pytest.mark.parametrize(
    ("pattern", "prefix"),
    [
        (r"/item/(\d+)", "/item/"),
        (r"/item(\d+)/x", "/item"),
        ("/foo/*", "/foo"),
        ("/foo/+", "/foo/"),
        ("/foo/+?x", "/foo/"),
        ("/(ab|ac).*", "/a"),
        ("/a.*|/ab", "/a"),
        ("/a{2}b", "/"),
        ("/a?+b", "/"),  # possessive: "a?+a" never matches "a"
        ("/[]x]y", "/"),
        ("/[^]/)]y", "/"),
        ("/(?=x)y", "/"),
        ("/(?!x)y", "/"),
        ("/(?i:x)y", "/"),
        ("/(?P<a>x)(?P=a)", "/x"),
        (r"/(x)\1", "/x"),
        ("/(x)(?(1)y|z)", "/x"),
        ("/x(?#|()y", ""),
        ("/x^y", "/x"),
        (".*", ""),
        ("/a|.*", ""),
    ],
)
def test_of_other_patterns_only_their_beginning_is_known(pattern, prefix):
    assert literal_paths(pattern) is None
    assert literal_prefix(pattern) == prefix


def test_too_many_paths_are_not_listed():
    assert literal_paths("/" + "a?" * 4) is not None
    many = "/x(" + "|".join(str(number) for number in range(MAX_PATHS + 1)) + ")"
    assert literal_paths(many) is None
    assert literal_prefix(many) == "/x"
    assert literal_prefix("/" + "a?" * 2000) == "/"


@pytest.mark.parametrize(
    ("pattern", "template"),
    [
        ("/about", ("/about", 0)),
        (r"^/favicon\.ico$", ("/favicon.ico", 0)),
        (r"/api/(\w+)/([0-9]+)", ("/api/%s/%s", 2)),
        (r"/api/(?P<year>[0-9]{4})", ("/api/%s", 1)),
        (r"/a%20b/(.*)", ("/a%%20b/%s", 1)),
        ("/robots.txt", ("/robots.txt", 0)),
        ("/wind/?", ("/wind/", 0)),
        ("/wind/*", ("/wind", 0)),
        ("/wind/+", ("/wind/", 0)),
        (r"/(a|b\))?", ("/%s", 1)),
        (r"/api/v\d+/(\w+)", None),
        ("/[a-z]", None),
        ("/a|/b", None),
        ("/(?:a)", None),
        ("/((a)b)", None),
        ("/(a)*", None),
        ("/(a){2}", None),
        ("/x{2}", None),
        ("*", None),
    ],
)
def test_reverse_templates(pattern, template):
    assert reverse_template(pattern) == template


# Pieces that make patterns of every kind when put together, few letters so that paths meet them often.
PIECES = st.sampled_from(
    ["/", "a", "b", r"\.", ".", r"\w", "[ab]", "[^/]", "(a)", "(a|b)", "(?:ab|/)", "(?P<n>b)", "(a/?)",
     "(.*)", "?", "*", "+", "??", "*?", "?+", "{2}", "{0,1}", "|", "^", "$", r"\Z", "(?=a)", "(?!a)",
     "(?i:a)", r"\/"]
)  # fmt: skip
PATTERNS = st.lists(PIECES, max_size=7).map("".join)
PATHS = st.text(alphabet="/abA.\n", max_size=6)


def compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # "[[" may mean something else one day
            return re.compile(pattern)
    except re.error:
        return None


@settings(deadline=None, max_examples=250)
@given(pattern=PATTERNS, paths=st.lists(PATHS, max_size=8))
def test_what_is_known_is_what_re_does(pattern, paths):
    regex = compiled(pattern)
    if regex is None:
        return
    listed = literal_paths(pattern)
    prefix = literal_prefix(pattern)
    for path in {*paths, *(listed or ()), prefix}:
        matches = regex.fullmatch(path) is not None
        if listed is not None:
            assert matches == (path in listed)
        if matches:
            assert path.startswith(prefix)


@settings(deadline=None, max_examples=200)
@given(pattern=st.text(alphabet="/ab\\()[]{}|?*+.^$#:<>P=!i0,", max_size=14))
def test_no_pattern_is_too_odd(pattern):
    regex = compiled(pattern)
    listed = literal_paths(pattern)
    prefix = literal_prefix(pattern)
    reverse_template(pattern)
    if regex is not None and regex.flags == re.UNICODE:
        for path in listed or ():
            assert regex.fullmatch(path) is not None
        for path in ("", "/", "a", "ab", "/a", "b"):
            if regex.fullmatch(path):
                assert path.startswith(prefix)
                assert listed is None or path in listed
