from __future__ import annotations

import re
from typing import Any

import pytest

from gustnado.http.headers import HTTPHeaders
from gustnado.http.messages import HTTPServerRequest
from gustnado.web.matchers import AnyMatches, DefaultHostMatches, HostMatches, PathMatches


def request_for(path: str, host: str = "example.org", **headers: str) -> HTTPServerRequest:
    all_headers = HTTPHeaders({"Host": host})
    for name, value in headers.items():
        all_headers[name.replace("_", "-")] = value
    return HTTPServerRequest(method="GET", uri=path, headers=all_headers)


def match(pattern: str | re.Pattern[str], path: str) -> dict[str, Any] | None:
    return PathMatches(pattern).match(request_for(path))


class TestPathMatches:
    @pytest.mark.parametrize("pattern", ["/", "/$", "^/$"])
    def test_a_bare_slash_is_a_path(self, pattern):
        assert match(pattern, "/") == {}
        assert match(pattern, "/x") is None

    def test_the_whole_path_must_match(self):
        assert match("/about", "/about-us") is None
        assert match("/a|/b", "/abc") is None
        assert match("/a|/b", "/b") == {}

    @pytest.mark.parametrize("path", ["/about\n", "/about\r", "/about\r\n"])
    def test_158_no_newline_slips_by_the_end(self, path):
        assert match("/about", path) is None
        assert match("/about$", path) is None

    def test_158_digits_are_no_confusables(self):
        assert match("/([0-9]+)", "/\u0665") is None

    def test_groups_become_bytes_percent_decoded(self):
        assert match("/(.*)/(.*)", "/a+b/c%20d%2Fe") == {"path_args": [b"a+b", b"c d/e"], "path_kwargs": {}}

    def test_percent_encoding_is_decoded_once(self):
        assert match("/(.*)", "/%2525") == {"path_args": [b"%25"], "path_kwargs": {}}

    def test_malformed_percent_encoding_stays(self):
        assert match("/(.*)", "/100%") == {"path_args": [b"100%"], "path_kwargs": {}}

    def test_named_groups_become_keywords(self):
        assert match("/(?P<year>[0-9]+)", "/2026") == {"path_args": [], "path_kwargs": {"year": b"2026"}}

    def test_named_and_unnamed_groups_may_be_mixed(self):
        found = match("/(?P<year>[0-9]+)/([a-z]+)", "/2026/may")
        assert found == {"path_args": [b"may"], "path_kwargs": {"year": b"2026"}}

    def test_a_group_that_took_no_part_is_none(self):
        assert match("/a(/b)?", "/a") == {"path_args": [None], "path_kwargs": {}}
        assert match("/a(?P<x>/b)?", "/a") == {"path_args": [], "path_kwargs": {"x": None}}

    def test_a_compiled_pattern_matches_as_it_says(self):
        assert match(re.compile("/api"), "/api/more") == {}
        assert match(re.compile("/API", re.IGNORECASE), "/api") == {}

    def test_the_pattern_can_be_read(self):
        assert PathMatches("/about").regex.pattern == "/about$"
        assert PathMatches("/about$").regex.pattern == "/about$"


class TestReverse:
    @pytest.mark.parametrize(
        ("pattern", "args", "path"),
        [
            (r"/favicon\.ico", (), "/favicon.ico"),
            (r"^/favicon\.ico$", (), "/favicon.ico"),
            (r"^/api/v1/foo/(\w+)$", ("bar",), "/api/v1/foo/bar"),
            (r"/api\.v1/foo/([0-9]+)/icon\.png", (5,), "/api.v1/foo/5/icon.png"),
            (r"/wind/(.*)", ("a b/ü?",), "/wind/a%20b/%C3%BC%3F"),
            (r"/wind/(.*)", (b"\xff",), "/wind/%FF"),
            (r"/100%25/(.*)", ("x",), "/100%25/x"),
            (r"/(?P<year>[0-9]+)/x", (2026,), "/2026/x"),
        ],
    )
    def test_makes_the_path(self, pattern, args, path):
        assert PathMatches(pattern).reverse(*args) == path

    def test_an_argument_cannot_name_a_host(self):
        path = PathMatches("/(.*)").reverse("/evil.example/x")
        assert path == "/%2Fevil.example/x"
        assert match("/(.*)", path) == {"path_args": [b"/evil.example/x"], "path_kwargs": {}}

    def test_patterns_that_are_more_than_text_and_groups_have_no_path(self):
        with pytest.raises(ValueError, match="Cannot reverse"):
            PathMatches(r"^/api/v\d+/foo/(\w+)$").reverse("x")

    @pytest.mark.parametrize("args", [(), ("a", "b")])
    def test_there_must_be_as_many_arguments_as_groups(self, args):
        with pytest.raises(ValueError, match="takes 1 arguments"):
            PathMatches("/(.*)").reverse(*args)

    def test_other_matchers_have_no_path(self):
        assert AnyMatches().reverse() is None


class TestHosts:
    def test_host_must_match_as_a_whole(self):
        matcher = HostMatches(r"(www\.)?example\.org")
        assert matcher.match(request_for("/", host="www.example.org:8888")) == {}
        assert matcher.match(request_for("/", host="WWW.Example.ORG")) == {}
        assert matcher.match(request_for("/", host="www.example.org.evil")) is None

    def test_default_host_counts_unless_a_proxy_speaks(self):
        class FakeApplication:
            default_host: str | None = "www.example.org"

        application = FakeApplication()
        matcher = DefaultHostMatches(application, re.compile(r"www\.example\.org$"))
        assert matcher.match(request_for("/", host="127.0.0.1")) == {}
        assert matcher.match(request_for("/", X_Real_Ip="10.0.0.1")) is None
        application.default_host = None
        assert matcher.match(request_for("/")) is None


class TestWholePattern:
    def test_is_there_where_the_pattern_says_it_all(self):
        matcher = PathMatches("/a")
        assert matcher.whole_pattern() is matcher.regex

    def test_is_not_where_it_takes_more(self):
        class Odd(PathMatches):
            def match(self, request):
                return {}

        patched = PathMatches("/a")
        patched.match = lambda request: {}
        for matcher in (PathMatches(re.compile("/a")), PathMatches("(?i)/a"), Odd("/a"), patched):
            assert matcher.whole_pattern() is None
