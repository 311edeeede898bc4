"""What a program is told that looks for a part of Tornado's which is not there.

Both kinds of errors say which page tells what became of it: an `AttributeError` where a module is asked for the name
(``tornado.iostream._StreamBuffer``, ``hasattr``), an `ImportError` where it is imported
(``from tornado.iostream import _StreamBuffer``).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dis import opmap
from types import FrameType, ModuleType
from typing import Any, NoReturn

__all__ = ["PAGE", "explain_missing_names", "explanation", "is_import", "missing_module"]

PAGE = "docs/migrating.md"
"""The page of the manual that all of these errors name."""

_IMPORT_FROM = opmap["IMPORT_FROM"]


def explanation(name: str) -> str:
    """Why a name or a module of Tornado's is not there, and where more is told."""
    if name.rpartition(".")[2].startswith("_"):
        return f"it is a private part of Tornado, which Gustnado does not have (see {PAGE}, 'Private names')"
    return f"Gustnado, which runs in Tornado's place, does not have it (see {PAGE}, 'Names that are not there')"


def explain_missing_names(module: ModuleType, name: str) -> None:
    """Have a module, which is imported as ``name``, tell what it lacks. What it loads when asked for is still there."""
    own = vars(module).get("__getattr__", _has_nothing)
    if not isinstance(own, _Teller):
        vars(module)["__getattr__"] = _Teller(module, name, own)


def _has_nothing(name: str) -> Any:
    raise AttributeError(name)


class _Teller:
    """The ``__getattr__`` of a module, around its own."""

    def __init__(self, module: ModuleType, name: str, own: Callable[[str], Any]) -> None:
        self._module = module
        self._name = name
        self._own = own

    def __call__(self, name: str) -> Any:
        try:
            return self._own(name)
        except AttributeError as error:
            if error.name not in (None, name):  # something else that its loading lacks
                raise
        if name.startswith("__"):  # which Python and its tools look for everywhere
            self._refuse(name, "")
        # An AttributeError would become an ImportError with a text of Python's own.
        if _is_from_import(sys._getframe(1)):
            raise ImportError(f"cannot import name {name!r} from {self._name!r}: {explanation(name)}", name=self._name)
        self._refuse(name, f": {explanation(name)}")

    def _refuse(self, name: str, why: str) -> NoReturn:
        raise AttributeError(f"module {self._name!r} has no attribute {name!r}{why}", name=name, obj=self._module)


def _is_from_import(frame: FrameType) -> bool:
    """Whether a frame is at a ``from ... import``."""
    return frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] == _IMPORT_FROM


def is_import(frame: FrameType | None) -> bool:
    """Whether a frame is the machinery of imports, rather than one that only looks whether a module is there."""
    return frame is not None and frame.f_code.co_name == "_find_and_load_unlocked"


def missing_module(name: str) -> ModuleNotFoundError:
    """What the import of a module ends with."""
    return ModuleNotFoundError(f"No module named {name!r}: {explanation(name)}", name=name)
