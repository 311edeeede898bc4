"""The rules take what their RFCs say."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies

from gustnado.http.abnf import ABNF
from gustnado.http.headers import HTTPHeaders

CASES = {
    "token": (["a", "X-Id", "!#$%&'*+-.^_`|~09"], ["", "a b", "a:", "\xe9", "a\n"]),
    "field_value": (["", "a", "a b\tc", "\xe9"], [" a", "a ", "a\r\nb", "\x00", "\x7f", "\u20ac"]),
    "request_target": (["/", "*", "/a?b#c", "\xe9"], ["", "/ a", "/\t", "/\r"]),
    "HTTP_version": (["HTTP/1.1"], ["HTTP/1", "http/1.1", "HTTP/1.11"]),
    "status_code": (["200", "999"], ["20", "2000", "2x0"]),
    "reason_phrase": (["OK", "Not Found", " ", "\xe9"], ["", "a\n", "\x7f"]),
}


@pytest.mark.parametrize("rule", CASES)
def test_a_rule(rule):
    good, bad = CASES[rule]
    pattern = getattr(ABNF, rule)
    assert [text for text in good if not pattern.fullmatch(text)] == []
    assert [text for text in bad if pattern.fullmatch(text)] == []


def test_names_and_methods_are_tokens():
    assert ABNF.method is ABNF.field_name is ABNF.token


@given(strategies.from_regex(ABNF.field_name, fullmatch=True), strategies.from_regex(ABNF.field_value, fullmatch=True))
def test_what_they_make_can_be_a_header(name, value):
    assert HTTPHeaders({name: value})[name] == value
