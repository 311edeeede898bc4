"""A process in which ``tornado`` is ``gustnado.tornado``, and the environment of those that are to be so, too."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from types import FunctionType, ModuleType
from typing import Any

import gustnado.tornado
from gustnado.as_tornado import startup
from gustnado.as_tornado.defaults import set_defaults
from gustnado.as_tornado.finder import Finder
from gustnado.as_tornado.loggers import rename_loggers
from gustnado.as_tornado.missing import explain_missing_names
from gustnado.errors import UsageError

__all__ = ["STARTUP", "SWITCH", "environment", "install", "prepare"]

SWITCH = "GUSTNADO_AS_TORNADO"
"""The variable that says to a Python, as it starts, whether it is to be so: ``1`` or ``0``."""

STARTUP = os.path.abspath(startup.__path__[0])
"""The directory whose ``sitecustomize`` reads it."""


def install(*, children: bool = False) -> None:
    """Make ``import tornado`` mean ``gustnado.tornado``, from now on. Doing it again changes nothing.

    :param children: also in Python processes that this one starts: the `environment` of this process is changed.
    :raises gustnado.errors.UsageError: where the real Tornado has been imported already.
    """
    prepare()
    sys.modules["tornado"] = gustnado.tornado
    if children:
        os.environ.update(environment(os.environ))


def environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """A copy of an environment, changed so that a Python started in it has Gustnado for Tornado.

    For ``subprocess`` and its like, where a program gives an environment of its own. Two variables are set:
    ``GUSTNADO_AS_TORNADO`` to ``1``, and a directory in front of what is in ``PYTHONPATH``.

    :param base: the environment to begin with; ``None``: that of this process.
    """
    changed = dict(os.environ if base is None else base)
    before = changed.get("PYTHONPATH")
    others = [path for path in before.split(os.pathsep) if path != STARTUP] if before else []
    return changed | {SWITCH: "1", "PYTHONPATH": os.pathsep.join([STARTUP, *others])}


def prepare() -> Finder:
    """Do all but the import of ``tornado``, which is left to the finder that is returned."""
    found = sys.modules.get("tornado")
    if found not in (None, gustnado.tornado):
        raise UsageError(
            f"the real tornado has been imported already, from {getattr(found, '__file__', None)}, and is used by "
            f"{', '.join(_users()[:3]) or 'no module'}: call gustnado.as_tornado.install() before the first import of "
            "tornado or of a library that uses it, or start the program with `python -m gustnado.as_tornado`"
        )
    finders = [finder for finder in sys.meta_path if isinstance(finder, Finder)]
    if not finders:
        explain_missing_names(gustnado.tornado, "tornado")
        finders = [Finder()]
        sys.meta_path[:0] = finders
        set_defaults()
        rename_loggers()
    return finders[0]


def _users() -> list[str]:
    """The modules that hold something of Tornado's, in the order in which their imports began."""
    modules: dict[int, tuple[str, ModuleType]] = {}
    for name, module in sys.modules.items():
        if isinstance(module, ModuleType) and not _is_tornados(name):
            modules.setdefault(id(module), (name, module))  # multiprocessing gives __main__ a second name
    return [
        name for name, module in modules.values() if any(_is_of_tornado(value) for value in list(vars(module).values()))
    ]


def _is_tornados(name: object) -> bool:
    return isinstance(name, str) and f"{name}.".startswith("tornado.")


def _is_of_tornado(value: Any) -> bool:
    """Whether it is one of its modules, or a class or function of one."""
    kind = type(value)  # isinstance would ask the value for its class, and wake what is loaded when it is used
    if issubclass(kind, ModuleType):
        return _is_tornados(value.__name__)
    return issubclass(kind, type | FunctionType) and _is_tornados(value.__module__)
