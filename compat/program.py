"""What is to be told of a program so that it can be run and driven."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from compat.serving import Place
from compat.session import Session

__all__ = ["Program"]


def _nothing(place: Place) -> AbstractContextManager[Mapping[str, str]]:
    return contextlib.nullcontext({})


@dataclass(frozen=True)
class Program:
    """One program.

    ``drive`` is the client: it is the same for both legs, talks to the server over sockets only, notes what must be
    equal on both, and raises :exc:`compat.errors.CompatError` where something is wrong.
    """

    name: str
    """That of its file of pinned releases, too."""
    packages: Sequence[str]
    """Whose versions are told in the table."""
    arguments: Callable[[Place], Sequence[str]]
    """Those of ``python``: a file or ``-m`` and a module, and its options."""
    drive: Callable[[Session], None]
    ends_itself: bool = False
    """Whether ``drive`` makes it end; otherwise it gets SIGTERM."""
    surroundings: Callable[[Place], AbstractContextManager[Mapping[str, str]]] = _nothing
    """What must run beside it; gives variables for its environment."""
