"""Options of ``gustnado run`` from a TOML file.

::

    app = "shop:app"
    host = "0.0.0.0"
    workers = 4

    [limits]
    max_body_size = "50MiB"
    idle_timeout = 20
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from typing import Any

from gustnado.errors import UsageError

__all__ = ["read_config"]

_WORDS = {
    str: "a string", int: "an integer", float: "a number", bool: "a boolean", list: "an array", dict: "a table"
}  # fmt: skip


def read_config(path: str | os.PathLike[str], known: Mapping[str, type]) -> dict[str, Any]:
    """The options that a file sets, by their names with ``_``, and ``limits`` as a dictionary.

    :param known: names of options, and the type of their values: ``str``, ``int``, ``float`` (also whole
        numbers), ``bool``, ``list`` or ``dict``.
    :raises gustnado.errors.UsageError: where the file cannot be read, is no TOML, or has another key or a value
        of another type.
    """
    try:
        with open(path, "rb") as file:
            read = tomllib.load(file)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no TOML: {error}") from error
    values = {}
    for key, value in read.items():
        name = key.replace("-", "_")
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            raise UsageError(f"{path}: there is no option {key!r}; {hint}")
        wanted = known[name]
        if not _fits(value, wanted):
            raise UsageError(f"{path}: {key} is {_named(wanted)}, not {_named(type(value))}: {value!r}")
        values[name] = value
    return values


def _named(kind: type) -> str:
    """In the words of TOML."""
    return _WORDS.get(kind, kind.__name__)


def _fits(value: object, wanted: type) -> bool:
    if isinstance(value, bool) or wanted is bool:
        return isinstance(value, bool) and wanted is bool
    return isinstance(value, (int, float) if wanted is float else wanted)
