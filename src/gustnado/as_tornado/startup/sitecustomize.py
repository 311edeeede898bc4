"""What a Python imports as it starts, where this directory is in ``PYTHONPATH``.

Every Python that inherits the environment does so, also those that have nothing to do with Tornado, and those that lack
Gustnado. So it does little: where ``GUSTNADO_AS_TORNADO`` is ``1``, it waits until something looks for Tornado; and
it makes room, in ``sys.path`` and in ``sys.modules``, for the ``sitecustomize`` that would be there without it.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # that of typing takes a while to load
if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.machinery import ModuleSpec
    from importlib.metadata import Distribution, DistributionFinder

    from gustnado.as_tornado.finder import Finder

__all__: list[str] = []

SWITCH = "GUSTNADO_AS_TORNADO"


class _Waiting:
    """A finder that prepares the process, and leaves the finding to another, when something looks for Tornado."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        finder = _prepare() if fullname == "tornado" else None
        return finder.find_spec(fullname) if finder else None

    def find_distributions(self, context: DistributionFinder.Context) -> Iterable[Distribution]:
        finder = _prepare() if context.name and context.name.lower() == "tornado" else None
        return finder.find_distributions(context) if finder else ()


def _prepare() -> Finder | None:
    """The finder, now that it is needed; none, where this Python has no Gustnado: it runs as ever."""
    try:
        from gustnado.as_tornado.process import prepare
    except ModuleNotFoundError as error:
        if error.name != "gustnado":
            raise
        return None
    return prepare()


def _begin() -> None:
    switch = os.environ.get(SWITCH, "")
    if switch not in ("", "0", "1"):
        raise ValueError(f"{SWITCH} is 1 or 0, not {switch!r}")
    if switch == "1":
        if "tornado" in sys.modules:  # by a .pth file
            _prepare()  # says so
        sys.meta_path.insert(0, _Waiting())


def _make_room() -> None:
    here = os.path.dirname(__file__)
    sys.path[:] = [path for path in sys.path if path != here]
    this = sys.modules.pop(__name__)
    try:
        __import__(__name__)
    except ModuleNotFoundError as error:
        if error.name != __name__:
            raise
        sys.modules[__name__] = this


if __name__ == "sitecustomize":
    try:
        _begin()
    finally:
        _make_room()
