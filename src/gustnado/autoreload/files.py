"""What autoreload watches, and what each file was like when it was first seen."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from collections.abc import Iterator
from types import ModuleType
from typing import TypeAlias

__all__ = ["Files"]

_Signature: TypeAlias = tuple[int, int]


class Files:
    """What is watched, and what each file was like when it was first seen."""

    def __init__(self) -> None:
        self._named: dict[str, None] = {}
        self._modules: dict[str, str | None] = {}
        self._trees: set[str] = set()
        self._signatures: dict[str, _Signature | None] = {}
        self._others = _installed()

    def add(self, path: str | os.PathLike[str]) -> None:
        """Watch a file, or all below a directory."""
        self._named[os.path.abspath(path)] = None

    def extent(self) -> tuple[int, int]:
        """What grows when there is something new to watch; cheap."""
        return len(sys.modules), len(self._named)

    def changed(self) -> str | None:
        """Look at all files: the path of one that changed, if any. What is new is taken as it is."""
        for path in self._paths():
            now = _signature(path)
            before = self._signatures.setdefault(path, now)
            if now is not None and now != before:
                return path
        return None

    def directories(self) -> set[str]:
        """Where a change must be looked for: all there are that hold a watched file or will hold one."""
        found = set(self._trees)
        for path in self._signatures:
            found.add(os.path.dirname(path))
            if os.path.islink(path):
                found.add(os.path.dirname(os.path.realpath(path)))
        return {_existing(path) for path in found}

    def is_own(self, path: str) -> bool:
        """Whether a file is neither the standard library's nor an installed package's."""
        return not os.path.normcase(path).startswith(self._others)

    def _paths(self) -> Iterator[str]:
        yield from self._module_paths()
        for path in list(self._named):
            if os.path.isdir(path):
                yield from self._below(path)
            else:
                yield path

    def _module_paths(self) -> Iterator[str]:
        for module in list(sys.modules.values()):
            file = _file_of(module)
            if file is not None and file not in self._modules:
                path = os.path.abspath(file)
                self._modules[file] = path if self.is_own(path) else None
        yield from filter(None, self._modules.values())

    def _below(self, root: str) -> Iterator[str]:
        for directory, directories, files in os.walk(root):
            directories[:] = [name for name in directories if not _is_hidden(name)]
            self._trees.add(directory)
            yield from (os.path.join(directory, name) for name in files if not _is_hidden(name))


def _installed() -> tuple[str, ...]:
    """The directories of the standard library and of installed packages, each with a slash at its end."""
    paths = sysconfig.get_paths()
    found = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    found.update(site.getsitepackages(), [site.getusersitepackages()])
    found |= {os.path.realpath(path) for path in found}
    return tuple(os.path.normcase(os.path.join(path, "")) for path in found)


def _file_of(module: object) -> str | None:
    """The source file, or extension, that a module was made from."""
    if not isinstance(module, ModuleType):
        return None
    # Not by getattr: that would load a lazy module, or ask a module's own __getattr__.
    try:
        file = object.__getattribute__(module, "__dict__").get("__file__")
    except AttributeError:
        return None  # some claim to be modules and have no namespace: the libraries of cffi
    if not isinstance(file, str):
        return None
    return file[:-1] if file.endswith((".pyc", ".pyo")) else file


def _signature(path: str) -> _Signature | None:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size


def _existing(path: str) -> str:
    """A directory, or the nearest one above it that there is."""
    while not os.path.isdir(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return path


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.endswith("~") or name == "__pycache__"
