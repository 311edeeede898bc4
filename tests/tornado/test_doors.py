"""The doors of ``gustnado.tornado`` hold what Tornado's modules hold.

What Tornado has is read from ``tornado/test/api.txt``, the list of its public names that the installed
Tornado brings along; no module of it is imported. What is not here is in the tables at the head of this file,
with a reason. A test fails where something is missing that they do not name, and also where they name
something that is not missing, so that they stay true.
"""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.metadata
import importlib.util
import inspect
import re
import types
from pathlib import Path

import pytest

HANDSHAKE = "a part of the connection of Tornado's HTTP client; ours shakes hands in gustnado.http.ws.opening"
SUITE = "for Tornado's own runner of doctests; ours are run by tests/house/test_doctests.py"

# Modules of older Tornados, which 6.6 no longer has.
OLDER_MODULES = {"tornado.stack_context"}

# Names of modules, and members of their classes.
MISSING = {
    "tornado.autoreload.signal": "a module of the standard library that Tornado imports",
    "tornado.httputil.doctests": SUITE,
    "tornado.iostream.doctests": SUITE,
    "tornado.log.colorama": "a library that Tornado imports",
    "tornado.log.curses": "a module of the standard library that Tornado imports",
    "tornado.platform.asyncio.AsyncIOLoop.old_asyncio": "how Tornado restores the current loop",
    "tornado.websocket.WebSocketClientConnection.__del__": "an open connection is kept by its loop",
    "tornado.websocket.WebSocketClientConnection.chunks": HANDSHAKE,
    "tornado.websocket.WebSocketClientConnection.client": HANDSHAKE,
    "tornado.websocket.WebSocketClientConnection.code": HANDSHAKE,
    "tornado.websocket.WebSocketClientConnection.connection": HANDSHAKE,
    "tornado.websocket.WebSocketClientConnection.data_received": HANDSHAKE,
    "tornado.websocket.WebSocketClientConnection.final_callback": HANDSHAKE,
    "tornado.websocket.WebSocketClientConnection.finish": HANDSHAKE,
    "tornado.websocket.WebSocketClientConnection.headers_received": HANDSHAKE,
    "tornado.websocket.WebSocketClientConnection.max_body_size": HANDSHAKE,
    "tornado.websocket.WebSocketClientConnection.max_buffer_size": HANDSHAKE,
    "tornado.websocket.WebSocketClientConnection.max_header_size": HANDSHAKE,
    "tornado.websocket.WebSocketClientConnection.parsed": HANDSHAKE,
    "tornado.websocket.WebSocketClientConnection.parsed_hostname": HANDSHAKE,
    "tornado.websocket.WebSocketClientConnection.read_queue": "messages wait in the protocol; read_message gives them",
    "tornado.websocket.WebSocketClientConnection.reason": HANDSHAKE,
    "tornado.websocket.WebSocketClientConnection.release_callback": HANDSHAKE,
    "tornado.websocket.WebSocketClientConnection.run": HANDSHAKE,
    "tornado.websocket.WebSocketClientConnection.start_time": HANDSHAKE,
    "tornado.websocket.WebSocketClientConnection.start_wall_time": HANDSHAKE,
    "tornado.websocket.WebSocketProtocol.accept_connection": "the handler answers the handshake",
    "tornado.websocket.WebSocketProtocol13.accept_connection": "the handler answers the handshake",
    "tornado.websocket.WebSocketProtocol13.periodic_ping": "no coroutine pings, but a timer; start_pinging starts it",
    "tornado.websocket.de_dupe_gen_log": "how Tornado logs a warning once",
}

# Functions that lack a parameter, or have it elsewhere.
OTHER_PARAMETERS = {
    "tornado.concurrent.DummyExecutor.shutdown": "cancel_futures by name only, as in the standard library",
    "tornado.ioloop.IOLoop.initialize": "called with the asyncio loop first; programs call IOLoop()",
    "tornado.iostream.IOStream.connect": "the callback of older Tornados, which the slides use, is second",
    "tornado.iostream.SSLIOStream.connect": "the callback of older Tornados, which the slides use, is second",
    "tornado.locks.Lock.__exit__": "only ever raises; the last parameter is called as that of Semaphore",
    "tornado.platform.asyncio.to_asyncio_future": "is gen.convert_yielded, and takes what that takes",
    "tornado.platform.asyncio.to_tornado_future": "is gen.convert_yielded, and takes what that takes",
}

# The package has them, but its __all__ holds modules only, as Tornado's: programs import all that it names.
VERSIONS = {"version", "version_info"}

ROOT = Path(__file__).parents[2]
DOORS = ROOT / "src/gustnado/tornado"
PACKAGE = DOORS / "__init__.py"


@functools.cache
def tornado_api():
    """Each module of Tornado's -> name in it (``"IOLoop"``, ``"IOLoop.start"``) -> what the name is."""
    text = Path(
        str(importlib.metadata.distribution("tornado").locate_file("tornado/test/api.txt"))
    ).read_text(encoding="utf-8")
    api: dict[str, dict[str, str]] = {}
    for line in filter(None, text.splitlines()):
        if line.startswith("["):
            module = line[1:-1]
            api[module] = {}
        else:
            name, _, kind = line.partition(": ")
            api[module][name.removeprefix(f"{module}.")] = kind
    return api


def is_there(module):
    try:
        return importlib.util.find_spec(f"gustnado.{module}") is not None
    except ModuleNotFoundError:
        return False


MODULES = [module for module in tornado_api() if is_there(module)]


@functools.cache
def classes_of(module):
    """The classes in a source file, by qualified name."""
    path = ROOT / "src" / Path(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return {
        node.name: node
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    }


def sets_attribute(cls, name):
    """Whether a class of this package, or one above it, declares an attribute or assigns one to ``self``."""
    for base in cls.__mro__:
        if base.__module__.startswith("gustnado."):
            for node in ast.walk(classes_of(base.__module__)[base.__qualname__]):
                is_assigned = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
                is_declared = isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name
                if is_declared or (is_assigned and ast.unparse(node) == f"self.{name}"):
                    return True
    return False


def look_up(module, name):
    """``(whether the name is there, its value)``; an attribute that only instances have is there, as None."""
    found = importlib.import_module(f"gustnado.{module}")
    for part in name.split("."):
        if not hasattr(found, part):
            return isinstance(found, type) and sets_attribute(found, part), None
        found = getattr(found, part)
    return True, found


def absent_names(module):
    """The names of a module of Tornado's that its door does not have; of an absent class only the class."""
    absent: list[str] = []
    for name in tornado_api()[module]:
        owner = name.rpartition(".")[0]
        if owner not in absent and not look_up(module, name)[0]:
            absent.append(name)
    return absent


def wanted_parameters(kind):
    """The parameters of a signature like ``method(self, a, b=..., *, c=None)``, or None for other things."""
    word, bracket, rest = kind.partition("(")
    if not bracket or word not in ("function", "method", "classmethod", "staticmethod"):
        return None
    # A default that is an object is in it as `<Family.UNSPEC: 0>`.
    return ast.parse(f"def f({re.sub('=<[^>]*>', '=...', rest)}: ...").body[0].args  # type: ignore[attr-defined]


def differing_parameters(wanted, function):
    """What a call in Tornado's manner would trip over."""
    have = inspect.signature(function).parameters.values()
    kinds = {kind: [p.name for p in have if p.kind is kind] for kind in inspect._ParameterKind}
    positional = kinds[inspect.Parameter.POSITIONAL_ONLY] + kinds[inspect.Parameter.POSITIONAL_OR_KEYWORD]
    by_name = kinds[inspect.Parameter.POSITIONAL_OR_KEYWORD] + kinds[inspect.Parameter.KEYWORD_ONLY]
    takes_more = kinds[inspect.Parameter.VAR_POSITIONAL]
    takes_any = kinds[inspect.Parameter.VAR_KEYWORD]
    names = [argument.arg for argument in wanted.args if argument.arg not in ("self", "cls")]
    positional = [name for name in positional if name not in ("self", "cls")]
    differing = [
        name
        for place, name in enumerate(names)
        if not takes_more and (place >= len(positional) or positional[place] != name)
    ]
    differing += [name for name in names if name not in by_name and not takes_any]
    differing += [a.arg for a in wanted.kwonlyargs if a.arg not in by_name and not takes_any]
    return list(dict.fromkeys(differing))


def is_slot(function):
    """Whether it is a C slot of a compiled class: what parameters it has cannot be told there."""
    return isinstance(function, types.WrapperDescriptorType)


def other_parameters(module):
    """The functions of a door that take other parameters than Tornado's -> those that differ."""
    found = {}
    for name, kind in tornado_api()[module].items():
        wanted, (_, function) = wanted_parameters(kind), look_up(module, name)
        if wanted is not None and callable(function) and not is_slot(function):
            differing = differing_parameters(wanted, function)
            if differing:
                found[name] = differing
    return found


def listed(table, module):
    """The names in a table that are of a module."""
    longer = tuple(f"{known}." for known in tornado_api() if known.startswith(f"{module}."))
    return {
        name.removeprefix(f"{module}.")
        for name in table
        if name.startswith(f"{module}.") and not name.startswith(longer)
    }


def test_each_module_has_a_door():
    assert [module for module in tornado_api() if not is_there(module)] == []


def test_what_is_no_module_of_tornados_is_not_found():
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("gustnado.tornado.database")


@pytest.mark.parametrize("module", MODULES)
def test_names_that_are_missing_are_listed(module):
    assert set(absent_names(module)) == listed(MISSING, module)


@pytest.mark.parametrize("module", MODULES)
def test_parameters_that_differ_are_listed(module):
    expected = {name for name in listed(OTHER_PARAMETERS, module) if not is_slot(look_up(module, name)[1])}
    assert set(other_parameters(module)) == expected


def test_every_table_tells_its_reasons():
    assert all({**MISSING, **OTHER_PARAMETERS}.values())


@pytest.mark.parametrize("module", MODULES)
def test_what_tornado_has_is_public(module):
    door = importlib.import_module(f"gustnado.{module}")
    names = {name for name in tornado_api()[module] if "." not in name}
    if module == "tornado":
        names -= VERSIONS
    assert names - set(absent_names(module)) <= set(door.__all__)


def door_files():
    return [path for path in sorted(DOORS.rglob("*.py")) if path != PACKAGE]


def kind_of(node):
    """What a statement of a door is, in the words of the rule that follows."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return "docstring"
    if isinstance(node, ast.ImportFrom):
        return "import"
    is_list = isinstance(node, (ast.Assign, ast.AnnAssign)) and "__all__" in ast.unparse(node).split("=")[0]
    return "__all__" if is_list else ast.unparse(node)


@pytest.mark.parametrize("path", door_files(), ids=lambda path: str(path.relative_to(DOORS)))
def test_a_door_holds_a_docstring_imports_and_names(path):
    kinds = [kind_of(node) for node in ast.parse(path.read_text(encoding="utf-8")).body]
    assert kinds[0] == "docstring"
    assert kinds[-1] == "__all__"
    assert set(kinds[1:-1]) == {"import"}


def test_a_door_has_a_name_of_tornados():
    names = {".".join(("tornado", *path.relative_to(DOORS).with_suffix("").parts)) for path in door_files()}
    known = {*tornado_api(), "tornado.platform", *OLDER_MODULES}
    assert {name.removesuffix(".__init__") for name in names} <= known


def test_the_package_has_its_modules_as_attributes():
    """Each is imported when it is asked for; those that are not there are no attributes."""
    package = importlib.import_module("gustnado.tornado")
    doors = {path.stem for path in DOORS.glob("[a-z]*.py")} | {"platform"}
    assert set(package.__all__) == doors
    assert {getattr(package, name).__name__ for name in doors} == {
        f"gustnado.tornado.{name}" for name in doors
    }
    with pytest.raises(AttributeError, match="'s3server'"):
        package.s3server  # noqa: B018


def test_it_says_the_version_of_the_tornado_that_it_was_tested_with():
    package = importlib.import_module("gustnado.tornado")
    assert package.version == importlib.metadata.version("tornado")
    assert package.version_info == (*map(int, package.version.split(".")), 0)
