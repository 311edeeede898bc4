from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.web.template.errors import ParseError
from gustnado.web.template.nodes import (
    Apply,
    Block,
    Branch,
    Control,
    Expression,
    Extends,
    Include,
    Statement,
    Text,
    walk,
)
from gustnado.web.template.parser import MAX_NESTING, parse_template


def parse(text, name="page.txt", **kwargs):
    return parse_template(text, name, **kwargs).body


def text_of(nodes):
    return "".join(node.value for node in nodes if isinstance(node, Text))


def error_of(text):
    with pytest.raises(ParseError) as caught:
        parse(text)
    assert caught.value.filename == "page.txt"
    return caught.value


class TestText:
    def test_is_kept(self):
        assert text_of(parse("a { b } c {x} {")) == "a { b } c {x} {"

    @pytest.mark.parametrize("braces", ["{{", "{%", "{#"])
    def test_braces_are_escaped_with_an_exclamation_mark(self, braces):
        assert text_of(parse(f"a {braces}! b }}")) == f"a {braces} b }}"

    def test_the_innermost_of_many_braces_count(self):
        first, expression, last = parse("{{{ x }}}")
        assert (first.value, expression.code, last.value) == ("{", "x", "}")

    def test_whitespace_follows_the_mode_of_the_place(self):
        nodes = parse("a  b{% whitespace oneline %}c \n d{% whitespace all %}e  f", whitespace="single")
        assert [node.value for node in nodes] == ["a b", "c d", "e  f"]

    def test_text_with_pre_keeps_its_whitespace(self):
        assert text_of(parse("<pre>a  b</pre>", whitespace="oneline")) == "<pre>a  b</pre>"

    def test_the_name_decides_on_whitespace(self):
        assert text_of(parse("a  b", "x.html")) == "a b"


class TestDirectives:
    def test_expressions(self):
        plain, raw, module = parse("{{ a }}{% raw b %}{% module C(1) %}")
        assert (plain.code, plain.raw) == ("a", False)
        assert (raw.code, raw.raw) == ("b", True)
        assert (module.code, module.raw) == ("_tt_modules.C(1)", True)

    @pytest.mark.parametrize(
        ("directive", "code"),
        [
            ("set x = 1", "x = 1"),
            ("set\nx = [\n1]", "x = [\n1]"),
            ("import os", "import os"),
            ("from os import path", "from os import path"),
        ],
    )
    def test_statements(self, directive, code):
        (node,) = parse(f"{{% {directive} %}}")
        assert isinstance(node, Statement)
        assert node.code == code

    def test_comments_leave_nothing(self):
        assert parse("{# {{ x }} #}{% comment if this %}") == []

    def test_control_with_branches(self):
        (node,) = parse("{% if a %}1{% elif b %}2{% else %}3{% end %}")
        assert isinstance(node, Control)
        assert node.code == "if a"
        assert [child.code for child in node.body if isinstance(child, Branch)] == ["elif b", "else"]

    def test_blocks_and_apply_have_bodies(self):
        block, apply = parse("{% block b %}x{% end %}{% apply f %}y{% end %}")
        assert isinstance(block, Block) and isinstance(apply, Apply)
        assert (block.name, text_of(block.body)) == ("b", "x")
        assert (apply.function, text_of(apply.body)) == ("f", "y")

    @pytest.mark.parametrize("quoted", ['"a.html"', "'a.html'", "a.html"])
    def test_names_of_templates_need_no_quotes(self, quoted):
        extends, include = parse(f"{{% extends {quoted} %}}{{% include {quoted} %}}")
        assert isinstance(extends, Extends) and isinstance(include, Include)
        assert extends.name == include.name == "a.html"

    def test_autoescape_holds_for_the_whole_file(self):
        assert parse_template("{{ x }}{% autoescape f %}", "a").autoescape == "f"
        assert parse_template("{% autoescape None %}", "a").autoescape is None

    def test_break_and_continue_within_loops(self):
        (loop,) = parse("{% for x in y %}{% if x %}{% break %}{% else %}{% continue %}{% end %}{% end %}")
        assert [node.code for node in walk([loop]) if isinstance(node, Statement)] == ["break", "continue"]

    @pytest.mark.parametrize("breaks", ["\r\n", "\r"])
    def test_line_breaks_in_code_are_normal_ones(self, breaks):
        (node,) = parse(f"{{{{ f({breaks}1) }}}}")
        assert node.code == "f(\n1)"


class TestEnd:
    @pytest.mark.parametrize(
        "text",
        [
            "{% if a == 1 %}{% end if %}",
            "{% if a == 1 %}{% end if a %}",
            "{% if a %}{% end # of the if %}",
            "{% if a %}{% end if # done %}",
            "{% for x in y %}{% end for %}",
            "{% while x %}{% end while %}",
            "{% try %}{% except %}{% end try %}",
            "{% apply f %}{% end apply %}",
            "{% block main %}{% end block %}",
            "{% block main %}{% end block main %}",
            "{% block main %}{% end main %}",
        ],
    )
    def test_may_say_what_it_ends(self, text):
        assert len(parse(text)) == 1

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("{% if a %}\n{% end block %}", "{% end block %} cannot end {% if a %} of line 1"),
            ("\n{% block b %}{% end if %}", "{% end if %} cannot end {% block b %} of line 2"),
            ("{% block b %}{% end block c %}", "{% end block c %} cannot end {% block b %} of line 1"),
            ("{% for x in y %}{% end fro %}", "{% end fro %} cannot end {% for x in y %} of line 1"),
        ],
    )
    def test_must_not_say_anything_else(self, text, message):
        error = error_of(text)
        assert error.message == message
        assert error.lineno == text.count("\n") + 1


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("{{ x", "Missing end expression }}"),
            ("{% if", "Missing end block %}"),
            ("{# x", "Missing end comment #}"),
            ("{{ }}", "Empty expression"),
            ("{% %}", "Empty block tag ({% %})"),
            ("{% what %}", "unknown operator: 'what'"),
            ("{% end %}", "Extra {% end %} block"),
            ("{% else %}", "else outside of any if or for or while or try block"),
            ("{% for x in y %}{% elif %}{% end %}", "elif block cannot be attached to for block"),
            ("{% if a %}{% except %}{% end %}", "except block cannot be attached to if block"),
            ("{% break %}", "break outside of any for or while block"),
            (
                "{% for x in y %}{% apply f %}{% continue %}{% end %}{% end %}",
                "continue outside of any for or while block",
            ),
            ("{% extends %}", "extends missing file path"),
            ("{% include '' %}", "include missing file path"),
            ("{% if a %}{% extends 'b' %}{% end %}", "extends inside of a if block"),
            ("{% try %}{% else %}{% end %}", "try without except or finally"),
            ("{% set %}", "set missing statement"),
            ("{% import %}", "import missing statement"),
            ("{% raw %}", "raw missing expression"),
            ("{% module %}", "module missing expression"),
            ("{% autoescape %}", "autoescape missing function name"),
            ("{% apply %}{% end %}", "apply missing method name"),
            ("{% block %}{% end %}", "block missing name"),
            ("{% if %}{% end %}", "if missing condition"),
            ("{% for %}{% end %}", "for missing its loop"),
            ("{{ '\0' }}", "Null character in Python code"),
            ("{{ '\ud800' }}", "Lone surrogate in Python code"),
        ],
    )
    def test_messages(self, text, message):
        error = error_of(f"\n\n{text}")
        assert error.message == message
        assert error.lineno == 3

    def test_an_unknown_whitespace_mode(self):
        error = error_of("\n{% whitespace some %}")
        assert error.message.startswith("invalid whitespace mode 'some'")
        assert error.lineno == 2

    def test_what_is_never_ended_is_reported_where_it_starts(self):
        error = error_of("\n{% if a %}\n{% for b in c %}\n\n")
        assert (error.message, error.lineno) == ("Missing {% end %} block for for", 3)

    def test_nesting_has_a_limit(self):
        deepest = "{% if a %}" * MAX_NESTING + "{% end %}" * MAX_NESTING
        assert len(parse(deepest)) == 1
        assert error_of("{% if a %}" + deepest + "{% end %}").message.startswith(f"More than {MAX_NESTING}")


def test_lines_are_those_of_the_directives():
    nodes = parse("one\n{{ a }}\n{{\n\n b }}{% set x = 1 %}\n{# \n #}{{ c }}")
    lines = [(node.code, node.line) for node in nodes if isinstance(node, (Expression, Statement))]
    assert lines == [("a", 2), ("b", 5), ("x = 1", 5), ("c", 7)]


@given(
    st.lists(st.sampled_from(["{{", "}}", "{%", "%}", "{#", "#}", "{", "!", " end ", " if x ", "a", "\n"]))
)
@settings(deadline=None, max_examples=300)
def test_any_text_is_parsed_or_refused_with_its_line(pieces):
    text = "".join(pieces)
    try:
        parse(text)
    except ParseError as error:
        assert error.lineno is not None
        assert 1 <= error.lineno <= text.count("\n") + 1


@given(st.text(alphabet=st.characters(exclude_characters="{")))
@settings(deadline=None, max_examples=100)
def test_text_without_directives_is_unchanged(text):
    assert text_of(parse(text)) == text
