"""A program that looks for what is not there learns so, and where it is told what became of it."""

from __future__ import annotations

import re
import types

import pytest

from gustnado.as_tornado.missing import PAGE, explain_missing_names, explanation

PRIVATE = r"it is a private part of Tornado, which Gustnado does not have \(see docs/migrating\.md, 'Private names'\)"
OTHER = (
    r"Gustnado, which runs in Tornado's place, does not have it \(see docs/migrating\.md, 'Names that are not there'\)"
)


@pytest.fixture
def error_of(run_program):
    """``error_of(code)``: the type, the text and the ``name`` of the exception that ends a piece of a program."""

    def run(code):
        kind, text, name = run_program(f"""
            import importlib, tornado, tornado.web, tornado.iostream, tornado.platform
            try:
                exec({code!r})
            except Exception as error:
                print(type(error).__name__, error, error.name, sep="\\n")
        """)
        return kind, text, name

    return run


@pytest.mark.parametrize(
    ("code", "kind", "start", "why", "name"),
    [
        ("tornado.web._foo", "AttributeError", "module 'tornado.web' has no attribute '_foo'", PRIVATE, "_foo"),
        (
            "tornado.iostream._StreamBuffer",
            "AttributeError",
            "module 'tornado.iostream' has no attribute '_StreamBuffer'",
            PRIVATE,
            "_StreamBuffer",
        ),
        (
            "from tornado.iostream import _StreamBuffer",
            "ImportError",
            "cannot import name '_StreamBuffer' from 'tornado.iostream'",
            PRIVATE,
            "tornado.iostream",
        ),
        (
            "from tornado.ioloop import IOLoop, PollIOLoop",
            "ImportError",
            "cannot import name 'PollIOLoop' from 'tornado.ioloop'",
            OTHER,
            "tornado.ioloop",
        ),
        ("tornado.nosuch", "AttributeError", "module 'tornado' has no attribute 'nosuch'", OTHER, "nosuch"),
        ("from tornado import nosuch", "ImportError", "cannot import name 'nosuch' from 'tornado'", OTHER, "tornado"),
        (
            "from tornado.platform import epoll",
            "ImportError",
            "cannot import name 'epoll' from 'tornado.platform'",
            OTHER,
            "tornado.platform",
        ),
        ("import tornado.nosuch", "ModuleNotFoundError", "No module named 'tornado.nosuch'", OTHER, "tornado.nosuch"),
        (
            "import tornado._private.part",
            "ModuleNotFoundError",
            "No module named 'tornado._private'",
            PRIVATE,
            "tornado._private",
        ),
        (
            "importlib.import_module('tornado.platform.epoll')",
            "ModuleNotFoundError",
            "No module named 'tornado.platform.epoll'",
            OTHER,
            "tornado.platform.epoll",
        ),
    ],
)
def test_the_error_points_to_the_page(code, kind, start, why, name, error_of):
    found = error_of(code)
    assert (found[0], found[2]) == (kind, name)
    assert re.fullmatch(f"{re.escape(start)}: {why}", found[1])


def test_who_only_looks_finds_nothing(run_program):
    """Without an exception, and without a door that is loaded for it."""
    assert run_program("""
        import importlib.util, inspect, sys
        import tornado, tornado.web
        print(hasattr(tornado.web, "_foo"), getattr(tornado.web, "foo", 5), hasattr(tornado, "foo"))
        print(importlib.util.find_spec("tornado.nosuch"), inspect.unwrap(tornado.web) is tornado.web)
        print("tornado.template" in sys.modules, tornado.template.Template.__name__)
    """) == ["False 5 False", "None True", "False Template"]


def test_an_optional_part_stays_optional(run_program):
    assert run_program("""
        try:
            from tornado.speedups import websocket_mask
        except ImportError:
            print("without")
    """) == ["without"]


def test_there_is_one_such_function_only_however_often_a_door_is_imported(run_program):
    assert run_program("""
        import importlib, sys, tornado.web
        first = vars(tornado.web)["__getattr__"]
        del sys.modules["tornado.web"]
        importlib.import_module("tornado.web")
        importlib.reload(tornado.web)
        print(vars(tornado.web)["__getattr__"] is first)
    """) == ["True"]


def test_what_a_module_makes_when_asked_is_still_made():
    module = types.ModuleType("module")
    vars(module)["__getattr__"] = {"there": 1}.get
    explain_missing_names(module, "tornado.module")
    assert module.there == 1


def test_an_error_within_that_is_told_as_it_is():
    def broken(name):
        return object().something_else

    module = types.ModuleType("module")
    vars(module)["__getattr__"] = broken
    explain_missing_names(module, "tornado.module")
    with pytest.raises(AttributeError, match="'object' object has no attribute 'something_else'"):
        module.there  # noqa: B018


def test_names_of_pythons_own_protocols_are_no_parts_of_tornado():
    module = types.ModuleType("module")
    explain_missing_names(module, "tornado.module")
    with pytest.raises(AttributeError, match=r"^module 'tornado.module' has no attribute '__wrapped__'$"):
        module.__wrapped__  # noqa: B018


def test_the_page_has_the_sections_that_it_is_said_to_have(request):
    text = (request.config.rootpath / PAGE).read_text(encoding="utf-8")
    for name in "name", "_name":
        (section,) = re.findall("'([A-Z][^']+)'", explanation(name))
        assert f"\n## {section}\n" in text or f"\n### {section}\n" in text
