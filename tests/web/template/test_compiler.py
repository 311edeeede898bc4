from __future__ import annotations

import pytest

from gustnado.web.template.compiler import binds, compile_program
from gustnado.web.template.errors import TemplateSyntaxError
from gustnado.web.template.linker import Program
from gustnado.web.template.parser import parse_template


def compiled(text):
    return compile_program(Program(parse_template(text, "page.html")), "page.html")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\n{{ f( }}\n{{ b }}", 2),
        ("\n\n{{ 1 + }}", 3),
        ("{{ f(\n1,\n2 3) }}", 3),
        ("{% if a b %}{% end %}", 1),
        ("\n{% set x = %}", 2),
        ("\n{% import 1 %}", 2),
        ("{% if a %}\n{% else %}\n{% else %}{% end %}", 3),
        ("\n{% for x %}{% end %}", 2),
        ("\n{{ x) }}", 2),
        ("\n{{ await x }}", 2),
        ("\n{{ (yield x) }}", 2),
        ("\n{% apply f %}\n{% set y = yield %}{% end %}", 3),
        ('\n{% set x = """abc %}\n', 2),
        ("{% try %}\n{% finally %}\n{% except %}{% end %}", 3),
        ("\n{{ nonlocal x }}", 2),
    ],
)
def test_wrong_python_is_reported_at_the_templates_line(text, line):
    with pytest.raises(TemplateSyntaxError) as caught:
        compiled(text)
    assert (caught.value.filename, caught.value.lineno) == ("page.html", line)
    assert caught.value.text == text.splitlines()[line - 1]


def test_a_generator_expression_is_fine():
    assert compiled("{{ ','.join(x for x in y) }}").function.co_name == "_tt_execute"


def test_generated_code_is_named_after_the_template():
    assert compiled("x").function.co_filename == "page_html.generated.py"


@pytest.mark.parametrize(
    "text",
    [
        "{% set escape = 1 %}",
        "{% from m import escape %}",
        "{% for escape in x %}{% end %}",
        "{% apply f %}{% set escape = 1 %}{% end %}",
        "{% set escape = 1 %}{{ [escape for _ in x] }}",
    ],
)
def test_binds_finds_local_names(text):
    assert binds(compiled(text).module, frozenset({"escape"}))


def test_using_a_name_does_not_bind_it():
    assert not binds(compiled("{{ escape(x) }}").module, frozenset({"escape"}))
