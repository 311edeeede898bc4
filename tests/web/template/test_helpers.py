from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.web.template import Template
from gustnado.web.template.helpers import json_script, safe_url

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
@settings(deadline=None, max_examples=100)
def test_json_script_holds_the_value_and_no_markup(value):
    match = re.fullmatch(
        r'<script id="x" type="application/json">([^<>&]*)</script>', json_script(value, "x")
    )
    assert match is not None
    assert json.loads(match[1]) == value


def test_json_script_may_go_without_an_id():
    assert json_script(1) == '<script type="application/json">1</script>'


def test_json_script_escapes_the_id():
    assert 'id="a&quot;b"' in json_script(1, 'a"b')


@pytest.mark.parametrize(
    "url",
    [
        "/path?q=a:b",
        "page.html",
        "../up",
        "?a=javascript:x",
        "#a:b",
        "https://example.org/",
        "HTTP://EXAMPLE.ORG",
        "mailto:a@example.org",
        "//example.org/x",
        "",
    ],
)
def test_safe_url_keeps_harmless_ones(url):
    assert safe_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " \x01javascript:alert(1)",
        "java\tscr\nipt:alert(1)",
        "java\r\nscript\t:alert(1)",
        "data:text/html,<script>",
        "vbscript:x",
        "file:///etc/passwd",
        b"javascript:1",
    ],
)
def test_safe_url_refuses_the_others(url):
    assert safe_url(url) == "about:invalid"


def test_templates_know_both():
    template = Template('<a href="{{ safe_url(url) }}">{% raw json_script(data) %}')
    page = template.generate(url="javascript:1", data="</script>")
    assert page.startswith(b'<a href="about:invalid"><script type="application/json">')
    assert page.count(b"</script>") == 1
