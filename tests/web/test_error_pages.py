"""Error pages and their forms."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.web.error_pages import ErrorReport, chosen_form, error_page, plain_html

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("headers", "form"),
    [
        ({}, "text"),
        ({"Accept": BROWSER}, "html"),
        ({"Accept": "TEXT/HTML"}, "html"),
        ({"Accept": "application/json"}, "problem"),
        ({"Accept": "application/problem+json"}, "problem"),
        ({"Accept": "application/vnd.api+json;q=0.9, */*;q=0.1"}, "problem"),
        ({"Accept": "application/json, text/html"}, "html"),
        ({"Accept": "application/json, text/html;q=0.9"}, "problem"),
        ({"Accept": "application/json;q=0, text/html;q=0"}, "text"),
        ({"Accept": "image/png"}, "text"),
        ({"Accept": "image/png", "Content-Type": "application/json"}, "text"),
        ({"Accept": "*/*", "Content-Type": "application/json; charset=utf-8"}, "problem"),
        ({"Content-Type": "application/json"}, "problem"),
        ({"Content-Type": "text/html"}, "text"),
        ({"Accept": ";;;,,q=1"}, "text"),
    ],
)
def test_the_client_chooses(headers, form):
    assert chosen_form(SimpleNamespace(headers=headers)) == form


def raised(error):
    try:
        raise error
    except Exception as caught:
        return caught


def test_html_is_escaped():
    page = error_page(ErrorReport(400, "<b>", detail="<i>"))
    assert page.content_type == "text/html; charset=UTF-8"
    assert "<b>" not in page.body
    assert "<p>&lt;i&gt;</p>" in page.body


def test_without_a_detail_there_is_no_paragraph():
    assert "<p>" not in plain_html(ErrorReport(404, "Not Found"))


def test_an_exception_is_shown_but_in_html():
    error = raised(KeyError("x"))
    report = {form: ErrorReport(500, "Oops", error=error, form=form) for form in ("problem", "text", "html")}
    assert json.loads(error_page(report["problem"]).body)["traceback"][-1] == "KeyError: 'x'"
    assert "KeyError: 'x'" in error_page(report["text"]).body
    assert "KeyError" not in error_page(report["html"]).body


@given(st.integers(400, 599), st.text(), st.none() | st.text())
def test_a_problem_is_json_whatever_it_says(status, reason, detail):
    report = ErrorReport(status, reason, detail=detail, form="problem")
    problem = json.loads(error_page(report).body)
    assert (problem["status"], problem["title"], problem.get("detail")) == (status, reason, detail or None)
