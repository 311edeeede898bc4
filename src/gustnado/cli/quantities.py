"""Numbers with units, as people write limits: ``10MiB``, ``1.5s``.

>>> parse_quantity("max_body_size", "10MiB"), parse_quantity("idle_timeout", "2min")
(10485760, 120.0)
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Mapping

from gustnado.errors import UsageError
from gustnado.http.limits import Limits

__all__ = ["check_limits", "parse_quantity", "split_limit"]

_QUANTITY = re.compile(r"([0-9]{1,15}+(?:\.[0-9]{1,9}+)?) *+([A-Za-z]*+)")
_SIZES = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_TIMES = {"": 1.0, "ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}


def parse_quantity(name: str, text: str | float) -> int | float:
    """The value of a field of :class:`~gustnado.http.Limits`: a whole number, or seconds.

    :param text: a number, with a unit behind it where it is text.
    :raises gustnado.errors.UsageError: where it is neither, or there is no such limit.
    """
    fields = {field.name: field.default for field in dataclasses.fields(Limits)}
    if name not in fields:
        near = difflib.get_close_matches(name, fields, 1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(fields)}"
        raise UsageError(f"limit {name!r} does not exist; {hint}")
    is_time = isinstance(fields[name], float)
    match = None if isinstance(text, bool) else _QUANTITY.fullmatch(str(text).strip())
    factor = None if match is None else (_TIMES if is_time else _SIZES).get(match[2])
    if match is None or factor is None:
        units = ", ".join(unit for unit in (_TIMES if is_time else _SIZES) if unit)
        raise UsageError(f"limit {name}: {text!r} is no number with one of the units {units}, or none")
    value = float(match[1]) * factor
    if is_time:
        return value
    if value != int(value):
        raise UsageError(f"limit {name}: {text!r} is no whole number")
    return int(value)


def split_limit(text: str) -> tuple[str, str]:
    """The name and the value of ``name=value``; the name may be written with ``-``.

    :raises gustnado.errors.UsageError: where there is no ``=``.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"limit {text!r}: NAME=VALUE is wanted, as max_body_size=10MiB")
    return name.strip().replace("-", "_"), value


def check_limits(given: Mapping[str, str | float]) -> dict[str, int | float]:
    """The fields of :class:`~gustnado.http.Limits` that are given, as numbers.

    :raises gustnado.errors.UsageError: see :func:`parse_quantity`.
    """
    return {name: parse_quantity(name, value) for name, value in given.items()}
