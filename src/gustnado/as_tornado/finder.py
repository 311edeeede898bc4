"""Finds ``tornado`` and what is below it: the doors of :mod:`gustnado.tornado`, under these names."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import SourceLoader
from importlib.machinery import ModuleSpec, PathFinder
from types import CodeType, ModuleType
from typing import TYPE_CHECKING

from gustnado.as_tornado.defaults import set_defaults_of
from gustnado.as_tornado.missing import explain_missing_names, is_import, missing_module

if TYPE_CHECKING:
    from importlib.metadata import Distribution, DistributionFinder

__all__ = ["Alias", "Finder"]


class Finder(importlib.abc.MetaPathFinder):
    """Finds ``tornado`` and what is below it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The door of that name, or of a test the file of the installed Tornado; ``None`` where there is none."""
        if fullname == "tornado.test":
            return _installed_tests()
        if fullname.split(".")[0] != "tornado" or fullname.startswith("tornado.test."):
            return None
        name = f"gustnado.{fullname}"
        if importlib.util.find_spec(name) is not None:
            return ModuleSpec(fullname, Alias(name))
        # Called by importlib's _find_spec, and that by what imports or by what only wants to know.
        if is_import(sys._getframe(1).f_back):
            raise missing_module(fullname)
        return None

    def find_distributions(self, context: DistributionFinder.Context) -> Iterable[Distribution]:
        """What `importlib.metadata` asks for."""
        from gustnado.as_tornado.metadata import find_distributions  # loaded by who asks, and by nobody else

        return find_distributions(context)


class Alias(importlib.abc.Loader):
    """Loads the module called ``name`` under whatever name was asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def exec_module(self, module: ModuleType) -> None:
        """Put the module called ``name`` in the place of the new and empty one."""
        # Python returns from an import what is in sys.modules at its end.
        door = sys.modules[module.__name__] = importlib.import_module(self._name)
        explain_missing_names(door, module.__name__)
        set_defaults_of(door)

    def get_code(self, fullname: str) -> CodeType | None:
        """For ``-m``. The module itself is loaded, too, as programs look for it."""
        importlib.import_module(fullname)
        return self.program()

    def program(self) -> CodeType | None:
        """What ``python -m gustnado.autoreload`` runs, for ``tornado.autoreload``; ``None`` where there is none."""
        name = self._name.replace("gustnado.tornado.", "gustnado.", 1) + ".__main__"
        try:
            spec = importlib.util.find_spec(name)
        except ModuleNotFoundError:  # no such module, or no package
            return None
        return spec.loader.get_code(name) if spec and isinstance(spec.loader, SourceLoader) else None


def _installed_tests() -> ModuleSpec:
    """Where the installed Tornado, which is not imported, has its tests."""
    for finder in sys.meta_path:
        spec = None if isinstance(finder, Finder) else finder.find_spec("tornado", None)
        if spec is not None and spec.submodule_search_locations:
            tests = PathFinder.find_spec("tornado.test", spec.submodule_search_locations)
            if tests is not None:
                return tests
    raise ModuleNotFoundError(
        "tornado.test is loaded from Tornado itself, which is not installed: pip install tornado==6.6.1",
        name="tornado.test",
    )
