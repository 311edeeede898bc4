from __future__ import annotations

import linecache
import sys
import traceback

import pytest

from gustnado.web.template import DictLoader, Loader, Template


def failure(template, /, **kwargs):
    """The entries of the traceback of rendering ``template``, from the first template on."""
    with pytest.raises(ZeroDivisionError) as caught:
        template.generate(**kwargs)
    entries = traceback.extract_tb(caught.value.__traceback__)
    start = next(n for n, entry in enumerate(entries) if entry.name.startswith("template"))
    return entries[start:]


def places(template, /, **kwargs):
    return [(entry.filename, entry.lineno, entry.line) for entry in failure(template, **kwargs)]


def test_a_string_shows_its_line():
    assert places(Template("one\ntwo {{ 1/0 }}\n")) == [("<string>", 2, "two {{ 1/0 }}")]


def test_two_templates_of_one_name_show_their_own_lines():
    assert places(Template("{{ 1/0 }} first")) == [("<string>", 1, "{{ 1/0 }} first")]
    assert places(Template("{{ 1/0 }} second")) == [("<string>", 1, "{{ 1/0 }} second")]


@pytest.mark.parametrize(
    "text",
    [
        "\n{% if 1/0 %}{% end %}",
        "\n{% if False %}{% elif 1/0 %}{% end %}",
        "\n{% for x in 1/0 %}{% end %}",
        "\n{% set x = 1/0 %}",
        "\n{% raw 1/0 %}",
        "\n{% apply 1/0 %}{% end %}",
        "{% apply str %}\n{{ 1/0 }}{% end %}",
        "{{ [\n1/0] }}",
        "\n{{ (lambda: 1/0)() }}",
        "\n{{ ','.join(1/0 for _ in 'a') }}",
        "{% try %}\n{{ 1/0 }}{% except KeyError %}{% end %}",
        "{% autoescape f %}\n{{ 'x' }}",
    ],
)
def test_each_kind_of_directive_shows_its_line(text):
    assert ("<string>", 2, text.splitlines()[1].strip()) in places(Template(text), f=lambda s: 1 / 0)


def test_an_include_shows_both_files():
    loader = DictLoader({"a.html": "\n{% include 'b.html' %}", "b.html": "\n\n<b>{{ 1/0 }}"})
    assert places(loader.load("a.html")) == [
        ("a.html", 2, "{% include 'b.html' %}"),
        ("b.html", 3, "<b>{{ 1/0 }}"),
    ]


def test_a_replaced_block_shows_both_files():
    loader = DictLoader(
        {
            "base.html": "\n{% block x %}{% end %}",
            "page.html": "{% extends 'base.html' %}\n{% block x %}\n{{ 1/0 }}{% end %}",
        }
    )
    assert places(loader.load("page.html")) == [
        ("base.html", 2, "{% block x %}{% end %}"),
        ("page.html", 3, "{{ 1/0 }}{% end %}"),
    ]


def test_a_blocks_own_text_shows_its_file_once():
    loader = DictLoader({"a.html": "\n{% block x %}\n{{ 1/0 }}{% end %}"})
    assert [place[:2] for place in places(loader.load("a.html"))] == [("a.html", 3)]


def test_a_template_within_a_template_shows_both_and_what_is_between():
    inner = Template("\n{{ 1/0 }}", name="inner.html")

    def part():
        return inner.generate()

    names = [entry.name.split("  #")[0] for entry in failure(Template("{% raw part() %}"), part=part)]
    assert names == ["template", "part", "generate", "template"]


def test_a_file_is_shown_by_its_path(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "page.html").write_text("{% include sub/part.html %}")
    (tmp_path / "sub" / "part.html").write_text("\n<i>{{ 1/0 }}</i>")
    assert places(Loader(str(tmp_path)).load("page.html")) == [
        (str(tmp_path / "page.html"), 1, "{% include sub/part.html %}"),
        (str(tmp_path / "sub" / "part.html"), 2, "<i>{{ 1/0 }}</i>"),
    ]


def test_the_mark_tells_the_whole_way():
    loader = DictLoader({"a": "{% include b %}", "b": "{% include c %}", "c": "{{ 1/0 }}"})
    assert failure(loader.load("a"))[-1].name == "template  # c:1 (via b:1, a:1)"


def test_code_below_the_template_keeps_its_frames():
    def deep():
        return 1 / 0

    entries = failure(Template("{{ deep() }}"), deep=deep)
    assert [entry.name.split("  #")[0] for entry in entries] == ["template", "deep"]


def test_frames_hold_the_templates_variables_for_debuggers():
    with pytest.raises(ZeroDivisionError) as caught:
        Template("{% set here = 1 %}{{ here / given }}").generate(given=0)
    entry = caught.value.__traceback__
    while entry is not None and entry.tb_next is not None:
        entry = entry.tb_next
    assert entry is not None
    assert entry.tb_frame.f_locals["here"] == 1
    assert entry.tb_frame.f_globals["given"] == 0


def test_the_exception_passes_unchanged():
    error = KeyError("mine")

    def fail():
        raise error

    with pytest.raises(KeyError) as caught:
        Template("{{ fail() }}").generate(fail=fail)
    assert caught.value is error
    assert caught.value.__context__ is None
    assert not hasattr(error, "__notes__")


def test_no_generated_code_is_shown():
    loader = DictLoader({"a.html": "{% include 'b.html' %}", "b.html": "{{ 1/0 }}"})
    with pytest.raises(ZeroDivisionError) as caught:
        loader.load("a.html").generate()
    shown = "".join(traceback.format_exception(caught.value))
    assert "_tt_" not in shown
    assert ".generated.py" not in shown


def test_the_stack_inside_of_a_template_shows_generated_code_with_marks():
    shown = []

    def look():
        shown.extend(traceback.format_stack(sys._getframe().f_back))
        return ""

    Template("\n{{ look() }}", name="page.html").generate(look=look)
    assert "# page.html:2" in shown[-1]
    linecache.clearcache()
