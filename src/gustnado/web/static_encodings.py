"""Static files that lie beside their compressed forms: ``app.js`` with ``app.js.br``, ``app.js.zst``, ``app.js.gz``.

What the client takes is said by ``Accept-Encoding`` with its weights (RFC 9110 section 12.5.3). Of codings of the
same weight the one that is tighter as a rule comes first.

>>> accepted_codings("gzip, br;q=0.9, zstd;q=0")
('gzip', 'br')
>>> accepted_codings("*;q=0.1, identity"), accepted_codings("br")
((), ('br',))
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from gustnado.http.weights import parse_weights
from gustnado.web.errors import HTTPError
from gustnado.web.static_paths import resolve_symlinks, stat_regular_file

__all__ = ["SUFFIXES", "accepted_codings", "find_encoded"]

SUFFIXES = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}
"""The ends of the names, by the name of the coding; the preferred one first."""


def accepted_codings(accept_encoding: str) -> tuple[str, ...]:
    """The codings that a client takes rather than none, best first."""
    if not accept_encoding:
        return ()
    weights = parse_weights(accept_encoding)
    others = weights.get("*", 0.0)
    plain = weights.get("identity", 0.0)
    wanted = [(weights.get(coding, others), coding) for coding in SUFFIXES]
    wanted = [(weight, coding) for weight, coding in wanted if weight > 0 and weight >= plain]
    wanted.sort(key=lambda pair: -pair[0])  # a stable sort keeps our order among equals
    return tuple(coding for _, coding in wanted)


def find_encoded(
    path: str, original: os.stat_result, codings: Sequence[str], allowed: Sequence[str], shown: str
) -> tuple[str, str, os.stat_result] | None:
    """The first of ``codings`` in which ``path`` is there: coding, resolved path, status; else ``None``.

    One that is older than the file itself is passed over, as left behind; so is one that leads out of ``allowed``.
    """
    for coding in codings:
        try:
            resolved = resolve_symlinks(path + SUFFIXES[coding], allowed, shown)
            status = stat_regular_file(resolved, shown)
        except HTTPError:
            continue
        if status.st_mtime >= original.st_mtime:
            return coding, resolved, status
    return None
