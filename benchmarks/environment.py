"""What a run needs, made in a cache folder: interpreter, peers, both builds of Gustnado, the limit.

::

    benchmarks/.cache/cpython-3.13/venv          peers and dependencies, pinned in requirements.txt
                                  /gustnado-compiled, /gustnado-interpreted
                                  /limit         the C program

Each part is made again when what it is made from has changed, and only then: a *stamp* file beside it holds
the hash. Both builds start from a copy of the sources without any extension in it, so that neither sees the
other's.
"""

from __future__ import annotations

import functools
import hashlib
import shutil
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.commands import Echo, run
from benchmarks.interpreters import Python
from benchmarks.static_files import make_files

__all__ = ["HERE", "ROOT", "Environment"]

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "benchmarks"
BUILT = (".so", ".pyd", ".c", ".pyc")
PROJECT_FILES = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE")


def _hash_files(paths: Iterable[Path]) -> str:
    """A hash of the names and contents of some files."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(str(path).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _sources() -> list[Path]:
    """All files that a build of Gustnado is made from."""
    files = [path for path in (ROOT / "src").rglob("*") if path.is_file() and path.suffix not in BUILT]
    files += [ROOT / name for name in PROJECT_FILES if (ROOT / name).is_file()]
    return [path for path in files if "egg-info" not in str(path)]


class Environment:
    """The things that one run needs, for one interpreter."""

    def __init__(self, python: Python, cache: Path, echo: Echo) -> None:
        self.python = python
        self.folder = cache / python.label
        self._echo = echo
        self.folder.mkdir(parents=True, exist_ok=True)
        (cache / ".gitignore").write_text("*\n")

    @property
    def interpreter(self) -> Path:
        """The Python of the virtual environment that the peers are in."""
        return self.folder / "venv" / "bin" / "python"

    @property
    def files(self) -> Path:
        """The folder of the files that servers of static files serve."""
        return self.folder / "files"

    @property
    def limit(self) -> Path:
        """The compiled C program."""
        return self.folder / "limit"

    def build(self, leg: str) -> Path:
        """The folder of one build of Gustnado, to be put on ``PYTHONPATH``."""
        return self.folder / f"gustnado-{leg}"

    def _once(self, name: str, state: str, what: str, make: Callable[[], object]) -> None:
        """Runs ``make`` unless it ran well before for the same ``state``."""
        stamp = self.folder / f"{name}.stamp"
        if stamp.exists() and stamp.read_text() == state:
            return
        self._echo(what)
        make()
        stamp.write_text(state)

    def prepare(self, legs: Iterable[str]) -> None:
        """Makes what is missing or out of date.

        :raises HarnessError: if something cannot be made.
        """
        state = " ".join([self.python.version, _hash_files([HERE / "requirements.txt"]), *_dependencies()])
        self._once("venv", state, "installing the peers (once)", self._make_venv)
        self.compile(HERE / "servers" / "limit.c")
        make_files(self.files)
        for leg in legs:
            state = self.python.version + _hash_files(_sources())
            self._once(
                f"gustnado-{leg}", state, f"building Gustnado, {leg}", functools.partial(self._build, leg)
            )

    def compile(self, source: Path) -> Path:
        """Makes a program of one C file, and returns its path.

        :raises HarnessError: if it cannot be compiled.
        """
        program, what = self.folder / source.stem, f"compiling {source.name}"
        command = ["gcc", "-O2", "-o", str(program), str(source)]
        self._once(source.stem, _hash_files([source]), what, lambda: run(command, what))
        return program

    def _make_venv(self) -> None:
        venv = self.folder / "venv"
        run([self.python.executable, "-m", "venv", "--clear", str(venv)], "making a virtual environment")
        pins = str(HERE / "requirements.txt")
        self._pip("installing the peers from PyPI", "-r", pins, "-c", pins, *_dependencies())

    def _pip(self, what: str, *arguments: str, **environment: str) -> None:
        command = [str(self.interpreter), "-m", "pip", "install", "--quiet", *arguments]
        run(command, what, PIP_DISABLE_PIP_VERSION_CHECK="1", **environment)

    def _build(self, leg: str) -> None:
        copy, target = self.folder / f"source-{leg}", self.build(leg)
        for folder in (copy, target):
            shutil.rmtree(folder, ignore_errors=True)
        for path in _sources():
            (copy / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy / path.relative_to(ROOT))
        self._pip(
            f"building Gustnado, {leg}",
            *("--no-deps", "--no-build-isolation", "--target", str(target), str(copy)),
            GUSTNADO_EXTENSIONS="1" if leg == "compiled" else "0",
        )
        shutil.rmtree(copy)


def _dependencies() -> list[str]:
    """What Gustnado itself requires, from ``pyproject.toml``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    dependencies: list[str] = project["dependencies"]
    return dependencies
