"""The source files, as the tests that hold the house see them.

A test with an argument ``source`` runs once for each file of ``src/gustnado``; with ``sources`` it gets
them all, by dotted name. The files are read where they lie, whether or not the package under test was
imported from there.
"""

from __future__ import annotations

import ast
import functools
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DEADLINE = 60.0  # seconds; only a program that never serves meets it


@dataclass(frozen=True)
class Import:
    """One imported module; ``typing_only`` where it stands under ``if TYPE_CHECKING``."""

    line: int
    module: str
    typing_only: bool


@dataclass(frozen=True)
class Source:
    """One file of ``src/gustnado``."""

    path: Path

    @property
    def relative(self) -> Path:
        """Its path below ``src/gustnado``."""
        return self.path.relative_to(ROOT / "src/gustnado")

    @property
    def name(self) -> str:
        """Its dotted name."""
        parts = ("gustnado", *self.relative.with_suffix("").parts)
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def package(self) -> str:
        """What a relative import in it is relative to."""
        return self.name if self.path.stem == "__init__" else self.name.rpartition(".")[0]

    @property
    def is_compiled(self) -> bool:
        return self.path.with_suffix(".pxd").exists()

    @functools.cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @functools.cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, str(self.path))

    @functools.cached_property
    def imports(self) -> list[Import]:
        """All that it imports, in functions too, and by ``import_module`` of a literal name."""
        return list(self._imports(self.tree, typing_only=False))

    def _imports(self, node: ast.AST, *, typing_only: bool) -> Iterator[Import]:
        for module in self._imported_by(node):
            yield Import(getattr(node, "lineno", 0), module, typing_only)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for child in node.body:
                yield from self._imports(child, typing_only=True)
            for child in node.orelse:
                yield from self._imports(child, typing_only=typing_only)
            return
        for part in ast.iter_child_nodes(node):
            yield from self._imports(part, typing_only=typing_only)

    def _imported_by(self, node: ast.AST) -> list[str]:
        if isinstance(node, ast.Import):
            return [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            return self._imported_from(node)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            return [
                argument.value
                for argument in node.args[:1]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            ]
        return []

    def _imported_from(self, node: ast.ImportFrom) -> list[str]:
        base = node.module or ""
        if node.level:
            above = self.package.split(".")[: len(self.package.split(".")) - node.level + 1]
            base = ".".join([*above, *([base] if base else [])])
        # `from gustnado import escape` imports a module; `from gustnado.escape import utf8` a name of one.
        return [
            f"{base}.{alias.name}" if f"{base}.{alias.name}" in all_sources() else base
            for alias in node.names
        ]


@functools.cache
def all_sources() -> dict[str, Source]:
    """Every source file by its dotted name."""
    files = sorted((ROOT / "src/gustnado").rglob("*.py"))
    return {source.name: source for source in map(Source, files)}


@pytest.fixture
def root() -> Path:
    """The directory of the project."""
    return ROOT


@pytest.fixture
def free_port() -> int:
    """A port of the loopback interface that nobody uses."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.fixture
def fetch() -> Callable[[str, subprocess.Popen[Any]], bytes]:
    """``fetch(url, program)``: the body of the answer, as soon as the program accepts connections."""

    def until_there(url: str, program: subprocess.Popen[Any]) -> bytes:
        deadline = time.monotonic() + DEADLINE
        while True:
            try:
                with urllib.request.urlopen(url, timeout=DEADLINE) as response:
                    body: bytes = response.read()
                    return body
            except urllib.error.URLError:
                if program.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    return until_there


@pytest.fixture
def sources() -> dict[str, Source]:
    """Every source file by its dotted name."""
    return all_sources()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    kinds = {
        "source": lambda source: True,
        "compiled_source": lambda source: source.is_compiled,
        "example_source": lambda source: ">>> " in source.text,
    }
    for argument, wanted in kinds.items():
        if argument in metafunc.fixturenames:
            chosen = [source for source in all_sources().values() if wanted(source)]
            metafunc.parametrize(argument, chosen, ids=[source.name for source in chosen])
