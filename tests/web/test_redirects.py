from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.web.redirects import has_control_characters, is_absolute, safe_local_redirect, scheme_and_netloc


@pytest.mark.parametrize(
    "path", ["/", "/a//b", "/a?next=//evil", "a/b", "", "?a=b", "#x", "/%2f%2fevil", "./a:b"]
)
def test_paths_of_this_site_are_safe(path):
    assert safe_local_redirect(path)


@pytest.mark.parametrize(
    "url",
    [
        "//evil", "///evil", "////evil", "/\\evil", "\\/evil", "\\\\evil", "/\\/evil",
        "/\t/evil", "/\n/evil", "\t//evil", " //evil", "\x00//evil", "/\r\\evil", "/a\r\nX: y", "/a\0",
        "http:evil", "http:/evil", "http://evil", "HTTPS://evil", "javascript:alert(1)",
        "java\tscript:alert(1)", "data:text/html,x", "ftp://evil", "//user@evil", "x:y",
    ],
)  # fmt: skip
def test_t44_t45_151_all_others_are_not(url):
    assert not safe_local_redirect(url)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("/a/b", ("", "")),
        ("a/b", ("", "")),
        ("//Example.org/x", ("", "example.org")),
        ("///example.org", ("", "example.org")),
        ("/\\example.org", ("", "example.org")),
        ("/\t/example.org", ("", "example.org")),
        ("HTTPS://U@Example.org:8/x", ("https", "u@example.org:8")),
        ("http:\\\\example.org", ("http", "example.org")),
        ("javascript:alert(1)", ("javascript", "")),
    ],
)
def test_scheme_and_host_are_what_a_browser_sees(url, origin):
    assert scheme_and_netloc(url) == origin


def test_what_cannot_be_parsed_is_an_error():
    with pytest.raises(ValueError):
        scheme_and_netloc("//[")


def test_absolute_urls():
    assert [is_absolute(url) for url in ("/a", "//a", "http:a", "https://a", "a/b", "ftp://a")] == [
        True, True, True, True, False, False,
    ]  # fmt: skip


def test_control_characters():
    assert has_control_characters("/a\rb") and has_control_characters("\x7f")
    assert not has_control_characters("/a b\u00e9")


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="/\\\t\r\n ab:?#@.\x00", max_size=8))
def test_what_is_safe_names_no_host(path):
    if safe_local_redirect(path):
        assert scheme_and_netloc(path) == ("", "")
        assert not has_control_characters(path)
