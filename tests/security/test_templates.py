"""SECURITY, rows 153 to 157: templates, escaping and languages against what users put into them."""

from __future__ import annotations

import html
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.web.handler.localization import MAX_ACCEPT_LANGUAGE, preferred_languages
from gustnado.web.template import DictLoader, Loader, ParseError, Template, json_script, safe_url

ATTACKS = [
    "<script>alert(1)</script>",
    "\" onmouseover=\"alert(1)",
    "' onmouseover='alert(1)",
    "--><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><img src=x onerror=alert(1)>",
    "&lt;script&gt;",
    "\0<script>",
    "<!--",
    "]]><x>",
]


class Seen(HTMLParser):
    """The tags, attributes and text that a parser finds."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.text = [], {}, ""
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= dict(attrs)

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("quote", ['"', "'"])
def test_153_a_value_stays_text_and_stays_in_its_quotes(attack, quote):
    page = Seen(Template(f"<p title={quote}{{{{ x }}}}{quote}>{{{{ x }}}}</p>").generate(x=attack))
    assert page.tags == ["p"]
    assert page.attributes == {"title": attack}
    assert page.text.replace("\ufffd", "\0") == attack


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\0")))
def test_153_so_does_any_text(text):
    page = Seen(Template('<p title="{{ x }}">{{ x }}</p>').generate(x=text))
    assert (page.tags, page.attributes) == (["p"], {"title": text})


@pytest.mark.parametrize("value", [b"<b>", None, 5, ["<b>"], {"<": "'"}])
def test_153_values_of_all_types_are_escaped(value):
    text = value.decode() if isinstance(value, bytes) else str(value)
    assert html.unescape(Template("{{ x }}").generate(x=value).decode()) == text
    assert b"<" not in Template("{{ x }}").generate(x=value)


def test_153_an_object_cannot_say_that_it_is_safe():
    class Markup(str):
        def __html__(self):
            return self

    assert Template("{{ x }}").generate(x=Markup("<b>")) == b"&lt;b&gt;"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " java\tscript:alert(1)",
        "JaVaScRiPt:x",
        "data:text/html,x",
        "vbscript:x",
        "\x01javascript:x",
    ],
)
def test_153_a_url_that_runs_code_has_a_helper_against_it(url):
    assert Template('<a href="{{ safe_url(u) }}">').generate(u=url) == b'<a href="about:invalid">'
    assert safe_url(url) == "about:invalid"


@pytest.mark.parametrize("attack", [*ATTACKS, "`${alert(1)}`", "\\x3c/script\\x3e", "\u2028", "</SCRIPT>"])
def test_153_a_value_for_a_script_has_a_helper(attack):
    page = Template("{% raw json_script(x, 'd') %}").generate(x=attack).decode()
    assert page == json_script(attack, "d")
    inner = page.removeprefix('<script id="d" type="application/json">').removesuffix("</script>")
    assert not {"<", ">", "&", "\u2028"} & set(inner)


def test_154_what_a_user_says_is_never_a_template():
    page = Template("{{ x }}").generate(x="{{ 7 * 7 }}{% import os %}{{ os.getcwd() }}")
    assert page == b"{{ 7 * 7 }}{% import os %}{{ os.getcwd() }}"


@pytest.mark.parametrize(
    "name", ["../secret", "../../etc/passwd", "/etc/passwd", "a/../../secret", "..\\secret", "sub/../../secret", "x\0"]
)
@pytest.mark.parametrize("directive", ["include", "extends"])
def test_154_a_template_does_not_leave_its_directory(tmp_path, directive, name):
    (tmp_path / "secret").write_text("secret")
    root = tmp_path / "templates"
    root.mkdir()
    (root / "page").write_text(f"{{% {directive} {name} %}}")
    with pytest.raises((ParseError, FileNotFoundError)):
        Loader(str(root)).load("page")


def test_154_the_sibling_with_the_same_beginning_is_outside(tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates2").mkdir()
    (tmp_path / "templates2/secret").write_text("secret")
    with pytest.raises(Exception, match="outside"):
        Loader(str(tmp_path / "templates")).load("../templates2/secret")


@pytest.mark.parametrize(
    ("outer", "inner", "page"),
    [
        ("", "{% autoescape None %}", b"&lt;|<"),
        ("{% autoescape None %}", "", b"<|&lt;"),
        ("{% autoescape None %}", "{% autoescape None %}", b"<|<"),
        ("", "", b"&lt;|&lt;"),
    ],
)
@pytest.mark.parametrize("way", ["include", "block"])
def test_155_escaping_is_each_files_own(outer, inner, page, way):
    files = {"part": inner + "{{ x }}"}
    if way == "include":
        files["page"] = outer + "{{ x }}|{% include part %}"
    else:
        files["base"] = outer + "{{ x }}|{% block b %}{% end %}"
        files["page"] = inner + "{% extends base %}{% block b %}{{ x }}{% end %}"
    assert DictLoader(files).load("page").generate(x="<") == page


@pytest.mark.parametrize("mode", ["all", "single", "oneline"])
def test_155_whitespace_modes_change_no_value_and_no_quote(mode):
    source = f'{{% whitespace {mode} %}}<p  title="{{{{ x }}}}"\n\n>\'{{{{ x }}}}\'</p>'
    page = Seen(Template(source).generate(x=" a  b\n\n'\"c "))
    assert page.attributes == {"title": " a  b\n\n'\"c "}
    assert page.text == "' a  b\n\n'\"c '"


@pytest.mark.parametrize("unit", ["en,", "a;q=0.5,", ",", ";", "x", "q=0.", "-"])
def test_157_a_long_list_of_languages_is_cut_before_it_is_read(unit):
    found = preferred_languages(unit * (100_000 // len(unit)))
    assert len(found) <= MAX_ACCEPT_LANGUAGE
