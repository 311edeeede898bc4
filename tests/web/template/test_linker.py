from __future__ import annotations

import pytest

from gustnado.errors import UsageError
from gustnado.web.template.errors import ParseError, TemplateSyntaxError
from gustnado.web.template.linker import link
from gustnado.web.template.loader import DictLoader, Loader
from gustnado.web.template.parser import parse_template


def linked(name, **sources):
    files = {key: parse_template(source, key) for key, source in sources.items()}
    return link(files[name], lambda wanted, parent: files[wanted])


def test_a_template_alone_is_its_own_root():
    program = linked("a", a="{% block x %}{% end %}")
    assert program.root.name == "a"
    assert program.blocks["x"].file is program.root


def test_the_root_is_the_end_of_the_extends_chain():
    program = linked("c", a="", b="{% extends a %}", c="{% extends b %}")
    assert program.root.name == "a"


def test_the_last_of_the_chain_replaces_blocks():
    program = linked(
        "c",
        a="{% block x %}{% end %}{% block y %}{% end %}{% block z %}{% end %}",
        b="{% extends a %}{% block x %}{% end %}{% block y %}{% end %}",
        c="{% extends b %}{% block x %}{% end %}",
    )
    assert {name: block.file.name for name, block in program.blocks.items()} == {"x": "c", "y": "b", "z": "a"}


def test_blocks_of_included_files_can_be_replaced():
    program = linked(
        "page",
        base="{% include part %}",
        part="{% block x %}{% end %}",
        page="{% extends base %}{% block x %}{% end %}",
    )
    assert program.blocks["x"].file.name == "page"
    assert [file.name for file in program.includes.values()] == ["part"]


def test_a_template_that_extends_cannot_be_included():
    with pytest.raises(ParseError, match="b extends another template") as caught:
        linked("a", a="\n{% include b %}", b="{% extends c %}", c="")
    assert (caught.value.filename, caught.value.lineno) == ("a", 2)


@pytest.mark.parametrize("error", [FileNotFoundError("no such file"), KeyError("b")])
def test_a_missing_template_keeps_its_error_and_tells_who_wants_it(error):
    def load(name, parent):
        raise error

    with pytest.raises(type(error)) as caught:
        link(parse_template("\n{% include 'b' %}", "a"), load)
    assert caught.value.__notes__ == ["in {% include 'b' %} at a:2"]


def test_a_refusal_by_the_loader_gets_its_place():
    def load(name, parent):
        raise UsageError("not that one")

    with pytest.raises(ParseError, match="not that one at a:2"):
        link(parse_template("\n{% extends 'b' %}", "a"), load)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("\n{{ }}", r"Empty expression at part:2 \(via middle:3, page:1\)"),
        ("{{ f( }}", r"at part:1 \(via middle:3, page:1\)"),
        ("{% include ../x %}", r"outside .* at part:1 \(via middle:3, page:1\)"),
    ],
)
def test_an_error_tells_the_chain_of_includes(tmp_path, broken, message):
    files = {"page": "{% include middle %}", "middle": "\n\n{% include part %}", "part": broken}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ParseError, match=message):
        Loader(str(tmp_path)).load("page")


def test_an_error_that_only_the_whole_shows_tells_the_chain():
    loader = DictLoader({"page": "\n{% include part %}", "part": "{% set nonlocal x %}"})
    with pytest.raises(TemplateSyntaxError, match=r"at part:1 \(via page:2\)"):
        loader.load("page")
