from __future__ import annotations

import pickle
import traceback

import pytest

from gustnado.errors import UsageError
from gustnado.web.template.errors import ParseError, TemplatePathError, TemplateSyntaxError


def test_parse_error_says_where():
    error = ParseError("Empty expression", "page.html", 3)
    assert str(error) == "Empty expression at page.html:3"
    assert (error.message, error.filename, error.lineno) == ("Empty expression", "page.html", 3)


def test_parse_error_needs_only_a_message():
    assert str(ParseError("odd")) == "odd at None:0"


@pytest.mark.parametrize("kind", [ParseError, TemplateSyntaxError, TemplatePathError])
def test_all_blame_the_program(kind):
    assert issubclass(kind, UsageError)


def test_a_syntax_error_is_pythons_too_and_shows_the_line():
    error = TemplateSyntaxError("'(' was never closed", "page.html", 2, "{{ f( }}")
    assert {SyntaxError, ParseError} <= set(type(error).__mro__)
    shown = "".join(traceback.format_exception_only(error))
    assert 'File "page.html", line 2' in shown
    assert "{{ f( }}" in shown
    assert "'(' was never closed" in shown


@pytest.mark.parametrize(
    "error", [ParseError("a", "b", 3), TemplateSyntaxError("a", "b", 3, "text"), ParseError("a")]
)
def test_errors_can_be_pickled(error):
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (str(copy), copy.filename, copy.lineno) == (str(error), error.filename, error.lineno)
    assert getattr(copy, "text", None) == getattr(error, "text", None)


def test_the_chain_of_those_that_asked_for_it_is_told():
    error = ParseError("a", "part.html", 3).put_by("post.html:7")
    assert error.put_by("page.html:1") is error
    assert error.via == ("post.html:7", "page.html:1")
    assert str(error) == "a at part.html:3 (via post.html:7, page.html:1)"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
