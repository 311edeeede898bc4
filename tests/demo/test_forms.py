from __future__ import annotations

import pytest
from demo.forms import MAX_BODY, MAX_TITLE, PostForm, local_path
from hypothesis import given, settings
from hypothesis import strategies as st


def test_good_values_are_trimmed_and_have_no_errors():
    form = PostForm.check("  Wind ", "line one\r\nline two\n\n")
    assert (form.title, form.body, dict(form.errors)) == ("Wind", "line one\nline two", {})


@pytest.mark.parametrize("empty", ["", "  ", "\r\n\t"])
def test_empty_fields_are_told_one_by_one(empty):
    assert set(PostForm.check(empty, "x").errors) == {"title"}
    assert set(PostForm.check("x", empty).errors) == {"body"}
    assert set(PostForm.check(empty, empty).errors) == {"title", "body"}


def test_a_field_may_be_as_long_as_its_limit_and_no_longer():
    assert not PostForm.check("x" * MAX_TITLE, "x" * MAX_BODY).errors
    errors = PostForm.check("x" * (MAX_TITLE + 1), "x" * (MAX_BODY + 1)).errors
    assert errors == {
        "title": "The title is 101 characters long; at most 100 fit.",
        "body": "The text is 5,001 characters long; at most 5,000 fit.",
    }


def test_wrong_values_are_kept():
    assert PostForm.check("x" * 200, "").title == "x" * 200


@pytest.mark.parametrize("target", ["/", "/posts/new", "/posts/1?a=b&c=d%20e#f", "/a//b"])
def test_paths_of_this_site_are_kept(target):
    assert local_path(target) == target


@pytest.mark.parametrize(
    "target",
    [
        "",
        "posts",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "http://evil.example/",
        "https:evil.example",
        "javascript:alert(1)",
        "/\u2028/evil.example",
    ],
)
def test_other_sites_are_not_gone_to(target):
    assert local_path(target) == "/"


@settings(deadline=None)
@given(st.text(alphabet="/\\\t\r\n :.@aé", max_size=8))
def test_what_is_kept_is_a_path_for_every_browser(target):
    kept = local_path(target).replace("\t", "").replace("\n", "").replace("\r", "").replace("\\", "/")
    assert kept.startswith("/")
    assert not kept.startswith("//")
