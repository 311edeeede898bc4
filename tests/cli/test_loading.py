from __future__ import annotations

import sys
import textwrap

import pytest

from gustnado.cli.loading import LoadError, load_app, short_traceback
from gustnado.web import Application

PROGRAM = """
    from gustnado.web import Application, RequestHandler
    from gustnado.http import HTTPServerConnectionDelegate

    class Home(RequestHandler):
        pass

    class Shop(Application):
        def __init__(self):
            super().__init__([("/", Home)], name="shop")

    class Needy(Application):
        def __init__(self, database):
            super().__init__([])

    class Delegate(HTTPServerConnectionDelegate):
        pass

    class Box:
        inner = Shop()

    app = Application([], name="app")
    delegate = Delegate()
    number = 17

    def make(*, debug=False, **more):
        return Application([], name="made")

    async def make_async():
        return app

    def make_nothing():
        pass

    def fail():
        raise ValueError("no\\ndatabase")

    def leave():
        raise SystemExit(3)

    def wsgi(environ, start_response):
        pass

    async def asgi(scope, receive, send):
        pass

    def handle(request):
        pass
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """``module(name, text)`` writes one; all are forgotten afterwards."""
    monkeypatch.setattr(sys, "path", sys.path[:])
    before = set(sys.modules)

    def write(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))

    write("program_of_test.py", PROGRAM)
    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def load(module, tmp_path):
    return lambda name: load_app(name, tmp_path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("program_of_test:app", "app"),
        ("program_of_test", "app"),
        ("program_of_test:make", "made"),
        ("program_of_test:Shop", "shop"),
        ("program_of_test:Box.inner", "shop"),
    ],
)
def test_what_is_taken(load, name: str, expected: str) -> None:
    assert load(name).settings["name"] == expected


def test_another_delegate_is_taken(load) -> None:
    assert type(load("program_of_test:delegate")).__name__ == "Delegate"


@pytest.mark.parametrize("name", ["application", "make_app", "create_app"])
def test_a_module_alone_stands_for_what_is_in_it(load, module, name: str) -> None:
    module("package_of_test/__init__.py", "")
    module(f"package_of_test/with_{name}.py", f"from program_of_test import make as {name}")
    assert isinstance(load(f"package_of_test.with_{name}"), Application)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("program_of_test:number", "program_of_test:number is an object of the class int; taken are an Application"),
        ("program_of_test:Home", "program_of_test:Home is the class Home; taken are"),
        ("program_of_test:make_nothing", r"program_of_test:make_nothing\(\) returned None; taken are"),
        ("program_of_test:fail", r"program_of_test:fail\(\) failed: ValueError: no database$"),
        ("program_of_test:leave", r"program_of_test:leave\(\) failed: SystemExit: 3$"),
        ("program_of_test:make_async", "is a coroutine function"),
        ("program_of_test:wsgi", "wants the arguments environ, start_response: a WSGI application is not taken"),
        ("program_of_test:asgi", "wants the arguments scope, receive, send: an ASGI application is not taken"),
        ("program_of_test:handle", "wants the arguments request: it is not taken"),
        ("program_of_test:Needy", "wants the arguments database: it is not taken"),
        ("program_of_test:ap", "'program_of_test' has no attribute 'ap'; applications in program_of_test: app, del"),
        ("program_of_test:Box.other", "'Box' has no attribute 'other'"),
        ("missing_of_test:app", "there is no module 'missing_of_test' in .* or where Python looks"),
        ("program_of_test.more:app", "there is no module 'program_of_test.more'"),
        ("", "'' is not MODULE:NAME"),
        (":app", "':app' is not MODULE:NAME"),
        ("program_of_test.py", "program_of_test.py is a file; a module is named without the ending"),
        ("a-b:app", "'a-b:app' is not MODULE:NAME"),
        ("..x:app", "is not MODULE:NAME"),
    ],
)
def test_what_is_not_taken_is_told_in_one_line(load, name: str, message: str) -> None:
    with pytest.raises(LoadError, match=message) as raised:
        load(name)
    assert "\n" not in str(raised.value)


def test_a_module_without_any_is_told_what_was_looked_for(load, module) -> None:
    module("empty_of_test.py", "")
    with pytest.raises(LoadError, match="has none of app, application, make_app, create_app; say which"):
        load("empty_of_test")
    with pytest.raises(LoadError, match="no application is in empty_of_test"):
        load("empty_of_test:app")


def test_what_a_module_lacks_is_told_from_what_is_missing_itself(load, module) -> None:
    module("needy_of_test.py", "import package_that_is_missing")
    with pytest.raises(LoadError, match="needy_of_test imports 'package_that_is_missing', which is not installed"):
        load("needy_of_test:app")


@pytest.mark.parametrize(
    ("text", "message"),
    [("1 // 0", "ZeroDivisionError"), ("def f(:", "SyntaxError"), ("raise SystemExit", "SystemExit$")],
)
def test_an_error_of_the_program_has_its_traceback_without_ours(load, module, text: str, message: str) -> None:
    module("broken_of_test.py", text)
    with pytest.raises(LoadError, match=f"broken_of_test cannot be imported: {message}") as raised:
        load("broken_of_test:app")
    assert raised.value.__cause__ is not None
    shown = short_traceback(raised.value.__cause__)
    assert "gustnado/cli" not in shown
    assert "importlib" not in shown
    assert "broken_of_test.py" in shown


def test_the_folder_must_be_there(tmp_path) -> None:
    with pytest.raises(LoadError, match=r"the directory .* does not exist"):
        load_app("shop:app", tmp_path / "missing")


def test_the_folder_comes_first(load, module, tmp_path) -> None:
    load("program_of_test:app")
    assert sys.path[0] == str(tmp_path)
    load("program_of_test:app")
    assert sys.path.count(str(tmp_path)) == 1
