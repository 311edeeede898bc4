from __future__ import annotations

import ast

from gustnado.web.template.codegen import FUNCTION, Origin, generate, printable
from gustnado.web.template.linker import link
from gustnado.web.template.nodes import File
from gustnado.web.template.parser import parse_template


def generated(name, /, *, batch=True, **sources):
    files = {key: parse_template(source, key) for key, source in sources.items()}
    return generate(link(files[name], lambda wanted, parent: files[wanted]), batch=batch)


def lines(result):
    """The lines of the function's body between its first and its last, without marks."""
    return [line.split("  # ")[0].strip() for line in result.source.splitlines()[2:-1]]


def test_the_source_is_one_function():
    (function,) = ast.parse(generated("a", a="x{{ y }}").source).body
    assert isinstance(function, ast.FunctionDef)
    assert function.name == FUNCTION


def test_text_and_values_alternate():
    assert lines(generated("a", a="<{{ x }}-{{ y }}>"))[-1] == (
        "_tt_buffer += ('<', _tt_v0, '-', _tt_v2, '>', '')"
    )


def test_raw_values_stand_at_even_places():
    assert lines(generated("a", a="<{% raw x %}{{ y }}"))[-1] == "_tt_buffer += ('<', '', _tt_v0, _tt_v3)"


def test_neighbouring_text_is_one_piece():
    assert lines(generated("a", a="a{# no #}b{{!c")) == ["_tt_buffer += ('ab{{c', '')"]


def test_a_function_of_the_programs_own_is_called_in_place():
    assert "_tt_v0 = _tt_output(f(_tt_bytes(_tt_v0)))" in lines(generated("a", a="{% autoescape f %}{{ x }}"))


def test_without_batches_the_standard_function_is_called_in_place():
    result = generated("a", batch=False, a="{{ x }}")
    assert "_tt_v0 = _tt_output(xhtml_escape(_tt_bytes(_tt_v0)))" in lines(result)


def test_within_try_each_piece_is_written_at_once():
    written = [
        line for line in lines(generated("a", a="{% try %}a{{ x }}b{% finally %}{% end %}")) if "+=" in line
    ]
    assert written == ["_tt_buffer += ('a', '')", "_tt_buffer += ('', _tt_v0)", "_tt_buffer += ('b', '')"]


def test_long_runs_are_written_in_parts():
    result = generated("a", a="{{ x }}," * 40)
    tuples = [node for node in ast.walk(ast.parse(result.source)) if isinstance(node, ast.Tuple)]
    assert max(len(node.elts) for node in tuples) <= 30
    assert sum(len(node.elts) for node in tuples) >= 80


def test_every_line_has_its_origin():
    result = generated("a", a="one\n{{ f(\n1) }}\n{% for x in y %}\n{{ x }}{% end %}")
    source = result.source.splitlines()
    assert len(result.origins) == len(source)
    for code, line in [("(f(", 2), ("1)", 3), ("for x in y:", 4), ("= x", 5)]:
        (number,) = [number for number, text in enumerate(source, 1) if code in text]
        assert result.origin(number).line == line


def test_marks_tell_how_text_came_where_it_is():
    result = generated(
        "c",
        a="{% block x %}{% end %}",
        b="{% raw 1 %}",
        c="{% extends a %}\n{% block x %}{% include b %}{% end %}",
    )
    assert "  # b:1 (via c:2, a:1)" in result.source


def test_lines_out_of_range_are_those_next_to_it():
    result = generated("a", a="{{ x }}")
    assert result.origin(None) == result.origins[0]
    assert result.origin(10_000) == result.origins[-1]


def test_names_cannot_break_out_of_comments():
    file = parse_template("x", "a\nimport os #")
    source = generate(link(file, lambda name, parent: file)).source
    assert all("import os" not in line.split("#")[0] for line in source.splitlines())
    assert printable("tést\n\ud800.html") == "tést\ufffd\ufffd.html"


def test_an_origins_chain_ends_at_the_root():
    root = Origin(File("a", "", None), 1, None)
    inner = Origin(File("b", "", None), 2, root)
    assert inner.chain() == [inner, root]
    assert str(inner) == "b:2 (via a:1)"
    assert str(root) == "a:1"
