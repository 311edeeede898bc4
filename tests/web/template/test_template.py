from __future__ import annotations

import threading
import traceback
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.errors import UsageError
from gustnado.escape import utf8, xhtml_escape
from gustnado.web.template import DictLoader, ParseError, Template, TemplateSyntaxError

SLIDE = """\
{% extends "base.html" %}
{% block content %}
<h1>Hello, {{ username.uppercase() }}.</h1>
{# it's mostly just python. #}
{% if ip == "127.0.0.1" %}
<p>You must still be working on this.</p>
{% else %}
<p>You are accessing us from {{ ip }}.</p>
{% end if %}
{% end block %}
"""


class Username(str):
    def uppercase(self):
        return self.upper()


def render(text, /, **kwargs):
    return Template(text).generate(**kwargs).decode()


class TestSlides:
    @pytest.mark.parametrize(
        ("ip", "line"),
        [("127.0.0.1", "You must still be working on this."), ("::1", "You are accessing us from ::1.")],
    )
    def test_the_page(self, ip, line):
        loader = DictLoader({"base.html": "<body>{% block content %}{% end %}</body>", "page.html": SLIDE})
        page = loader.load("page.html").generate(username=Username("ann & bob"), ip=ip)
        assert page.decode() == f"<body>\n<h1>Hello, ANN &amp; BOB.</h1>\n\n\n<p>{line}</p>\n\n</body>"

    def test_the_import(self):
        text = "{# You can even... #}\n{% import string %}\n{{ string.digits }}\n{# ...but don't. #}"
        assert render(text) == "\n\n0123456789\n"


class TestValues:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("a", "a"),
            (b"caf\xc3\xa9", "café"),
            (1.5, "1.5"),
            (None, "None"),
            (["<"], "[&#x27;&lt;&#x27;]"),
            (bytearray(b"x"), "bytearray(b&#x27;x&#x27;)"),
            (True, "True"),
            ("", ""),
        ],
    )
    def test_are_made_into_text_and_escaped(self, value, expected):
        assert render("<{{ x }}>", x=value) == f"<{expected}>"

    def test_both_quotes_are_escaped(self):
        assert render("""<a b="{{ x }}" c='{{ x }}'>""", x="'\"") == (
            """<a b="&#x27;&quot;" c='&#x27;&quot;'>"""
        )

    def test_a_markup_method_is_not_asked(self):
        class Markup:
            def __html__(self):
                return "<b>"

            def __str__(self):
                return "<i>"

        assert render("{{ x }}", x=Markup()) == "&lt;i&gt;"

    def test_are_taken_when_they_are_met(self):
        assert (
            render("{% for n in range(3) %}{% set x.append(n) %}{{ x }}{% end %}", x=[])
            == "[0][0, 1][0, 1, 2]"
        )

    def test_raw_bytes_need_not_be_utf8(self):
        assert Template("{{ x }}{% raw y %}").generate(x="é<", y=b"\xff<") == "é&lt;".encode() + b"\xff<"

    def test_escaped_bytes_must_be_utf8(self):
        with pytest.raises(UnicodeDecodeError):
            Template("{{ x }}").generate(x=b"\xff")

    def test_a_tuple_without_parentheses(self):
        assert render("{{ 1, 2 }}") == "(1, 2)"

    def test_a_comment_in_an_expression(self):
        assert render("{{ x # the name }}{{ f(\n x # the name\n ) }}", x=1, f=str) == "11"

    def test_an_expression_on_several_lines(self):
        assert render("{{ 1\n + 1 }}") == "2"

    @given(st.lists(st.text(st.characters(codec="utf-8"))))
    @settings(deadline=None, max_examples=100)
    def test_equal_escaping_one_by_one(self, values):
        expected = "".join(f"<li>{xhtml_escape(value)}</li>" for value in values)
        assert render("{% for v in values %}<li>{{ v }}</li>{% end %}", values=values) == expected


class TestLanguage:
    def test_loops(self):
        text = (
            "{% for i in range(9) %}{% if i == 1 %}{% continue %}{% end %}{% if i == 4 %}{% break %}{% end %}"
        )
        assert render(text + "{{ i }}{% else %}never{% end %}") == "023"
        assert render("{% while x %}{{ x.pop() }}{% end %}", x=[1, 2]) == "21"
        assert render("{% for x in () %}{% else %}none{% end %}") == "none"

    @pytest.mark.parametrize("body", ["", "{# c #}", "{% comment c %}"])
    @pytest.mark.parametrize(
        "text",
        [
            "{% if x %}@{% elif y %}@{% else %}@{% end %}",
            "{% try %}@{% except %}@{% else %}@{% finally %}@{% end %}",
        ],
    )
    def test_bodies_may_be_empty(self, text, body):
        assert render(text.replace("@", body), x=0, y=0) == ""

    def test_output_before_an_exception_stays(self):
        text = "{% try %}a{{ 1 }}{{ x }}b{% for y in x %}{% end %}{% except %}c{% finally %}d{% end %}"
        assert render(text, x=0) == "a10bcd"
        assert render("{% try %}a{{ 1/0 }}b{% except ZeroDivisionError as e %}{{ e }}{% end %}") == (
            "adivision by zero"
        )

    def test_output_of_an_apply_in_a_try_comes_whole_or_not_at_all(self):
        assert render("{% try %}a{% apply f %}b{{ 1/0 }}{% end %}{% except %}c{% end %}", f=str) == "ac"

    def test_apply_gets_bytes_and_its_result_is_not_escaped(self):
        seen = []

        def wrap(data):
            seen.append(data)
            return b"<" + data + b">"

        assert render("{% apply wrap %}é{{ '&' }}{% end %}", wrap=wrap) == "<é&amp;>"
        assert seen == ["é&amp;".encode()]

    def test_applies_nest(self):
        text = "{% apply up %}a{% apply low %}B{{ x }}{% end %}c{% end %}d"
        assert render(text, up=bytes.upper, low=bytes.lower, x="X") == "ABXCd"

    def test_what_apply_sets_stays_inside(self):
        text = "{% set x = 1 %}{% apply bytes %}{% set x = 2 %}{{ x }}{% end %}{{ x }}"
        assert render(text) == "21"

    def test_apply_takes_any_expression(self):
        assert render("{% apply lambda data: data[::-1] %}abc{% end %}") == "cba"
        assert render("{% apply lambda data: data[::-1] # mirrored %}abc{% end %}") == "cba"

    @pytest.mark.parametrize("result", [None, 1])
    def test_apply_must_return_text(self, result):
        with pytest.raises(TypeError):
            render("{% apply f %}{% end %}", f=lambda data: result)

    def test_set_takes_any_statement(self):
        assert render("{% set x = 1 %}{% set x += 1 %}{% set a, b = x, x %}{{ a }}{{ b }}") == "22"

    def test_from_import(self):
        assert render("{% from os.path import basename as b %}{{ b('a/c') }}") == "c"

    def test_module_calls_what_the_namespace_has(self):
        class Modules:
            @staticmethod
            def Bold(text):
                return f"<b>{text}</b>"

        assert render("{% module Bold('x') %}", _tt_modules=Modules()) == "<b>x</b>"

    def test_names_of_pythons_own_may_be_variables(self):
        names = ("str", "type", "isinstance", "list", "bytes", "len")
        assert render("".join(f"{{{{ {n} }}}}" for n in names), **dict.fromkeys(names, 1)) == "1" * len(names)

    def test_self_may_be_a_variable(self):
        assert render("{{ self }}", self=1) == "1"


class TestAutoescape:
    def test_none_escapes_nothing(self):
        assert render("{% autoescape None %}{{ x }}", x="<") == "<"
        assert Template("{{ x }}", autoescape=None).generate(x="<") == b"<"

    def test_a_function_gets_bytes(self):
        seen = []

        def f(data):
            seen.append(data)
            return f"[{len(data)}]"

        assert render("{% autoescape f %}{{ 'é' }}{{ 1 }}{{ b }}", f=f, b=b"\xff") == "[2][1][1]"
        assert seen == ["é".encode(), b"1", b"\xff"]

    def test_a_function_may_be_imported_by_the_template(self):
        assert (
            render("{% from html import unescape %}{% autoescape esc %}{% set esc = repr %}{{ 1 }}") == "b'1'"
        )

    def test_each_file_has_its_own(self):
        loader = DictLoader(
            {
                "plain": "{% autoescape None %}{{ x }}{% block b %}{{ x }}{% end %}",
                "includes": "{{ x }}{% include plain %}{{ x }}",
                "extends": "{% extends plain %}{% block b %}{{ x }}{% end %}",
            }
        )
        assert loader.load("includes").generate(x="<") == b"&lt;<<&lt;"
        assert loader.load("extends").generate(x="<") == b"<&lt;"

    @pytest.mark.parametrize("name", ["xhtml_escape", "escape"])
    def test_the_standard_functions_name_may_mean_another_one(self, name):
        def shout(value):
            return utf8(value).upper()

        text = f"{{% autoescape {name} %}}{{{{ x }}}}"
        assert render(text, x="<a>") == "&lt;a&gt;"
        assert render(text, x="<a>", **{name: shout}) == "<A>"
        assert DictLoader({"a": text}, namespace={name: shout}).load("a").generate(x="<a>") == b"<A>"
        assert render(text, x="<a>") == "&lt;a&gt;"

    def test_the_standard_functions_name_may_be_set_in_the_template(self):
        assert render("{% set xhtml_escape = repr %}{{ 1 }}") == "b'1'"

    def test_another_function_is_called_when_the_value_is_met(self):
        calls = []

        def xhtml_escape(value):
            calls.append(value)
            return value

        text = "{% for x in 'ab' %}{{ x }}{% set calls.append(x) %}{% end %}"
        assert render(text, xhtml_escape=xhtml_escape, calls=calls) == "ab"
        assert calls == [b"a", "a", b"b", "b"]

    def test_helpers_are_not_escaped_twice_when_raw(self):
        assert render("{% raw url_escape('a b&') %}{{ squeeze(' a  < ') }}") == "a+b%26a &lt;"


class TestArguments:
    def test_whitespace_by_name_loader_and_argument(self):
        loader = DictLoader({}, whitespace="oneline")
        assert Template("a  \n b").generate() == b"a  \n b"
        assert Template("a  \n b", name="x.html").generate() == b"a\nb"
        assert Template("a  \n b", name="x.html", loader=loader).generate() == b"a b"
        assert Template("a  \n b", loader=loader, whitespace="single").generate() == b"a\nb"

    @pytest.mark.parametrize(("compress", "expected"), [(True, b"a\nb"), (False, b"a  \n b")])
    def test_compress_whitespace_is_the_old_name(self, compress, expected):
        assert Template("a  \n b", compress_whitespace=compress).generate() == expected

    def test_both_names_at_once(self):
        with pytest.raises(UsageError, match="cannot both be given"):
            Template("", compress_whitespace=True, whitespace="all")

    def test_an_unknown_mode(self):
        with pytest.raises(UsageError, match="invalid whitespace mode"):
            Template("", whitespace="some")

    def test_attributes(self):
        loader = DictLoader({}, namespace={"a": 1}, autoescape=None)
        template = Template("{{ a }}", "n.txt", loader)
        assert (template.name, template.loader, template.autoescape) == ("n.txt", loader, None)
        assert template.namespace == {"a": 1}
        assert template.file.name == "n.txt"
        assert "# n.txt:1" in template.code

    def test_the_compiled_code_runs_in_a_namespace(self):
        template = Template("Hello {{ name }}")
        names = Template("").namespace | {"name": "Ben"}
        from gustnado.web.template.runtime import BASE_NAMESPACE

        names |= BASE_NAMESPACE
        exec(template.compiled, names)
        assert names["_tt_execute"]() == b"Hello Ben"


class TestErrors:
    def test_bytes_that_are_not_utf8(self):
        with pytest.raises(ParseError, match=r"Not UTF-8: .* at page:2"):
            Template(b"a\n\xff", "page")

    def test_wrong_python_is_a_parse_error_and_a_syntax_error(self):
        with pytest.raises(TemplateSyntaxError, match="at page:2") as caught:
            Template("\n{{ f( }}", "page")
        assert {SyntaxError, ParseError} <= set(type(caught.value).__mro__)

    @pytest.mark.parametrize("directive", ["include", "extends"])
    def test_other_templates_need_a_loader(self, directive):
        with pytest.raises(ParseError, match=r"'a' is needed, but there is no template loader at <string>:2"):
            Template(f"\n{{% {directive} a %}}")

    def test_a_missing_variable_is_a_name_error(self):
        with pytest.raises(NameError, match="nobody"):
            render("{{ nobody }}")


def test_threads_may_render_one_template_at_once():
    template = Template("{% for i in range(200) %}{{ name }}{% end %}")
    pages = {}

    def work(name):
        pages[name] = {template.generate(name=name) for _ in range(20)}

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pages == {name: {name.encode() * 200} for name in "abcd"}


class TestStream:
    PAGES: ClassVar = {
        "page": "a{% for x in xs %}<i>{{ x }}</i>{% apply upper %}b{% for y in xs[:2] %}{{ y }}"
        "{% end %}{% end %}{% end %}",
        "block": "{% extends base %}{% block b %}{% include part %}{% end %}",
        "base": "<{% block b %}{% end %}>",
        "part": "{% for x in xs %}{% raw x %}{{ x }}{% end %}",
        "try": "{% try %}{% for x in xs %}{{ x }}{% end %}{{ 1 / 0 }}{% except ZeroDivisionError %}!{% end %}",
        "none": "",
    }

    def load(self, name, **options):
        return DictLoader(self.PAGES, **options).load(name)

    @pytest.mark.parametrize("name", PAGES)
    @pytest.mark.parametrize("count", [0, 1, 3000])
    @pytest.mark.parametrize("autoescape", ["xhtml_escape", "own", None])
    def test_the_pieces_are_the_page(self, name, count, autoescape):
        names = {"xs": [f"<{n}>" for n in range(count)], "upper": bytes.upper, "own": bytes.lower}
        template = self.load(name, autoescape=autoescape)
        assert b"".join(template.stream(**names)) == template.generate(**names)

    def test_another_function_of_the_standard_ones_name(self):
        template = Template("{{ x }}")
        assert list(template.stream(x="<", xhtml_escape=lambda text: b"!")) == [b"!"]

    def test_a_piece_leaves_before_the_rest_is_made(self):
        made = []

        def numbers():
            for number in range(100_000):
                made.append(number)
                yield number

        pieces = Template("{% for n in ns %}<i>{{ n }}</i>{% end %}").stream(ns=numbers())
        assert next(pieces).startswith(b"<i>0</i><i>1</i>")
        assert len(made) < 1000
        pieces.close()

    def test_an_exception_comes_after_the_pieces_and_shows_the_template(self):
        template = Template("{% for n in range(2000) %}{{ n }}{% end %}\n{{ 1 / 0 }}", "page.html")
        pieces = template.stream()
        assert next(pieces).startswith(b"0123")
        with pytest.raises(ZeroDivisionError) as caught:
            list(pieces)
        assert "page.html:2" in "".join(traceback.format_exception(caught.value))

    def test_a_template_cannot_yield_by_itself(self):
        with pytest.raises(TemplateSyntaxError, match="yield"):
            Template("{% set x = yield 5 %}")
