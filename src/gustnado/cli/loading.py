"""From ``module:name`` to what can be served."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import traceback
from types import TracebackType
from typing import Any

from gustnado.errors import UsageError
from gustnado.http.delegates import HTTPServerConnectionDelegate

__all__ = ["DEFAULT_NAMES", "LoadError", "load_app", "short_traceback"]

DEFAULT_NAMES = ("app", "application", "make_app", "create_app")
"""Looked for in this order where only a module is named."""

_TAKEN = (
    "taken are an Application, another HTTPServerConnectionDelegate, and a function without arguments that makes one"
)

_KINDS = {"send": "an ASGI application", "start_response": "a WSGI application"}


class LoadError(UsageError):
    """There is no application where one should be; the message is one line.

    Where the program itself has failed, its exception is the ``__cause__``.
    """


def load_app(name: str, directory: str | os.PathLike[str] = ".") -> HTTPServerConnectionDelegate:
    """Import a module, and get or make the application in it.

    :param name: ``module:name``, where both may have dots; or a module alone, for the first of
        :data:`DEFAULT_NAMES` in it.
    :param directory: put before all others where modules are looked for.
    :raises LoadError: where there is none, or the program fails.
    """
    found = _find(_import(name, os.path.abspath(directory)), name)
    if isinstance(found, HTTPServerConnectionDelegate):
        return found
    is_maker = issubclass(found, HTTPServerConnectionDelegate) if isinstance(found, type) else callable(found)
    if is_maker:
        made = _make(found, name)
        if isinstance(made, HTTPServerConnectionDelegate):
            return made
        raise LoadError(f"{name}() returned {_described(made)}; {_TAKEN}")
    raise LoadError(f"{name} is {_described(found)}; {_TAKEN}")


def short_traceback(error: BaseException) -> str:
    """The traceback of a program's error, without the frames of this package that led there."""
    frames: TracebackType | None = error.__traceback__
    while frames is not None and _is_machinery(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames)).rstrip()


def _is_machinery(filename: str) -> bool:
    return filename.startswith("<frozen") or filename in (__file__, importlib.__file__)


def _import(name: str, directory: str) -> Any:
    module_name = name.partition(":")[0]
    if module_name.endswith(".py"):
        raise LoadError(f"{module_name} is a file; a module is named without the ending, and with . for /")
    if not module_name or not all(part.isidentifier() for part in module_name.split(".")):
        raise LoadError(f"{name!r} is not MODULE:NAME, as shop:app")
    if not os.path.isdir(directory):
        raise LoadError(f"the directory {directory} does not exist")
    if directory not in sys.path:
        sys.path.insert(0, directory)
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module_name}.".startswith(f"{error.name}."):
            raise LoadError(f"there is no module {error.name!r} in {directory} or where Python looks") from None
        raise LoadError(f"{module_name} imports {error.name!r}, which is not installed") from error
    except (Exception, SystemExit) as error:
        raise LoadError(f"{module_name} cannot be imported: {_one_line(error)}") from error


def _find(module: Any, name: str) -> Any:
    path = name.partition(":")[2]
    if not path:
        for candidate in DEFAULT_NAMES:
            if hasattr(module, candidate):
                return getattr(module, candidate)
        wanted = ", ".join(DEFAULT_NAMES)
        raise LoadError(f"{name} has none of {wanted}; say which, as {name}:NAME")
    found = module
    for part in path.split("."):
        if not hasattr(found, part):
            shown = getattr(found, "__name__", type(found).__name__)
            raise LoadError(f"{shown!r} has no attribute {part!r}; {_candidates(module)}")
        found = getattr(found, part)
    return found


def _candidates(module: Any) -> str:
    """What could have been meant."""
    apps = [name for name, value in vars(module).items() if isinstance(value, HTTPServerConnectionDelegate)]
    if not apps:
        return f"no application is in {module.__name__}"
    return f"applications in {module.__name__}: {', '.join(sorted(apps))}"


def _make(function: Any, name: str) -> Any:
    try:
        required = [
            parameter.name
            for parameter in inspect.signature(function).parameters.values()
            if parameter.default is parameter.empty
            and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        ]
    except (TypeError, ValueError):
        required = []
    if required:
        kind = _KINDS.get(required[-1], "it")
        raise LoadError(f"{name} wants the arguments {', '.join(required)}: {kind} is not taken; {_TAKEN}")
    if inspect.iscoroutinefunction(function):
        raise LoadError(f"{name} is a coroutine function; {_TAKEN}")
    try:
        return function()
    except (Exception, SystemExit) as error:
        raise LoadError(f"{name}() failed: {_one_line(error)}") from error


def _described(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__qualname__}"
    return "None" if value is None else f"an object of the class {type(value).__qualname__}"


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
