"""Lists with weights, as of ``Accept`` and ``Accept-Encoding`` (RFC 9110 section 12.4.2).

>>> parse_weights("gzip;q=0.5, br, *;q=0")
{'gzip': 0.5, 'br': 1.0, '*': 0.0}
"""

from __future__ import annotations

import re

__all__ = ["MAX_WEIGHTED_LIST", "parse_weights"]

MAX_WEIGHTED_LIST = 1000
"""Characters of such a field that are looked at; browsers send up to some 150."""

_ITEM = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z/]+")
_WEIGHT = re.compile(r"[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*", re.IGNORECASE)


def parse_weights(value: str) -> dict[str, float]:
    """The weights, from 0 (not wanted) to 1, of the items in ``value``, which are in lower case.

    Parameters of an item, as in ``text/html;level=1``, are left out, and so is an item whose weight is
    malformed. Of an item that comes twice the greater weight counts. Takes time linear in the length, and looks at
    no more than ``MAX_WEIGHTED_LIST``.
    """
    if len(value) > MAX_WEIGHTED_LIST:
        value = value[:MAX_WEIGHTED_LIST].rpartition(",")[0]
    weights: dict[str, float] = {}
    for part in value.lower().split(","):
        item, *parameters = part.split(";")
        item = item.strip(" \t")
        weight = _weight(parameters)
        if weight is not None and _ITEM.fullmatch(item) is not None:
            weights[item] = max(weight, weights.get(item, 0.0))
    return weights


def _weight(parameters: list[str]) -> float | None:
    for parameter in parameters:
        if parameter.strip(" \t").startswith("q="):
            match = _WEIGHT.fullmatch(parameter)
            return None if match is None else float(match[1])
    return 1.0
