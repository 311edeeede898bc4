from __future__ import annotations

import ast
import re
from pathlib import Path

import gustnado.web.handler.state as state
from gustnado.http.messages import HTTPServerRequest
from gustnado.web import Application, RequestHandler
from gustnado.web.handler.state import HandlerState

FOLDER = Path(__file__).resolve().parents[3] / "src/gustnado/web/handler"


def declared() -> tuple[set[str], set[str]]:
    """The attributes and the methods of ``state.pyi``."""
    (cls,) = [node for node in ast.parse((FOLDER / "state.pyi").read_text()).body if isinstance(node, ast.ClassDef)]
    attributes = {node.target.id for node in cls.body if isinstance(node, ast.AnnAssign)}  # type: ignore[union-attr]
    methods = {node.name for node in cls.body if isinstance(node, ast.FunctionDef) and not node.decorator_list}
    return attributes, methods


def handler() -> RequestHandler:
    return RequestHandler(Application(gust=7), HTTPServerRequest("GET", "/"))


def test_settings_are_the_applications():
    made = handler()
    assert made.settings is made.application.settings
    assert made.settings["gust"] == 7


def test_a_new_handler_has_all_that_is_declared():
    attributes, methods = declared()
    made = handler()
    assert [name for name in sorted(attributes | methods) if not hasattr(made, name)] == []
    assert [name for name in sorted(methods) if not callable(getattr(made, name))] == []


def test_what_is_compiled_is_declared():
    attributes, _ = declared()
    fields = set(re.findall(r"cdef public \S+ (\w+)", (FOLDER / "state.pxd").read_text()))
    assert fields <= attributes


def test_every_topic_is_below_it():
    topics = [cls for cls in RequestHandler.__mro__[1:] if cls.__name__.endswith("Mixin")]
    assert len(topics) > 8
    assert all(issubclass(cls, HandlerState) for cls in topics)
    assert state.__all__ == ["HandlerState"]


def test_it_starts_as_nothing_said():
    made = handler()
    assert (made._status_code, made._reason, made._write_buffer) == (200, "OK", [])
    assert (made._headers_written, made._finished, made._auto_finish) == (False, False, True)
    assert (made._new_cookie, made._transforms, made.path_args, made.path_kwargs) == (None, None, [], {})


def test_programs_may_keep_attributes_of_their_own():
    made = handler()
    made.anything = 7  # type: ignore[attr-defined]
    assert vars(made)["anything"] == 7
