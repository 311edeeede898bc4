"""A virtual environment for each program: its pinned releases, Tornado, and Gustnado from this checkout.

::

    build/compat/wheel/        the wheel of Gustnado that is installed in all of them
                 NAME/         the environment of one program
                 runs/NAME-LEG what the program writes while it runs, its log among it

Each is made again when what it is made from has changed, and only then: a stamp beside it holds the hash.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from compat.errors import CompatError

__all__ = ["APPS", "BUILD", "REQUIREMENTS", "ROOT", "prepare"]

ROOT = Path(__file__).resolve().parent.parent
APPS = ROOT / "compat" / "apps"
REQUIREMENTS = ROOT / "compat" / "requirements"
BUILD = ROOT / "build" / "compat"
SHARED = REQUIREMENTS / "gustnado.txt"  # Tornado, and what Gustnado needs
STEP_TIMEOUT = 900.0
"""Seconds for one step of pip, over a slow network."""


def _run(command: Sequence[str | Path], what: str, **environment: str) -> None:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=STEP_TIMEOUT,
        check=False,
    )
    if done.returncode:
        raise CompatError(f"{what} failed:\n{done.stdout[-4000:]}")


def _hash(files: Iterable[Path]) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for file in sorted(files):
        digest.update(str(file).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _is_current(stamp: Path, state: str) -> bool:
    return stamp.exists() and stamp.read_text() == state


def _sources() -> list[Path]:
    """What the wheel is built from; extensions and C files in place are products."""
    found = [file for file in (ROOT / "src").rglob("*") if file.suffix in {".py", ".pxd", ".crt", ".key"}]
    return [*found, ROOT / "pyproject.toml", ROOT / "setup.py"]


def _wheel() -> tuple[Path, str]:
    """The wheel of this checkout, with extensions where ``.venv`` has them, and the hash of its sources."""
    extensions = os.environ.get("GUSTNADO_EXTENSIONS") or _extensions_in_place()
    state, folder = _hash(_sources()) + extensions, BUILD / "wheel"
    if not _is_current(BUILD / "wheel.stamp", state):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(ROOT / "build" / "lib", ignore_errors=True)
        _run(
            [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, ROOT],
            "building the wheel",
            GUSTNADO_EXTENSIONS=extensions,
        )
        (BUILD / "wheel.stamp").write_text(state)
    return next(folder.glob("gustnado-*.whl")), state


def _extensions_in_place() -> str:
    return "1" if any((ROOT / "src").rglob("*.so")) else "0"


def prepare(name: str) -> Path:
    """Make the environment of a program, and return its interpreter.

    :raises CompatError: if something cannot be installed.
    """
    BUILD.mkdir(parents=True, exist_ok=True)
    pins = REQUIREMENTS / f"{name}.txt"
    folder = BUILD / name
    python, stamp, built = folder / "bin" / "python", BUILD / f"{name}.stamp", BUILD / f"{name}-gustnado.stamp"
    state = _hash([pins, SHARED])
    if not _is_current(stamp, state) or not python.exists():
        shutil.rmtree(folder, ignore_errors=True)
        base = getattr(sys, "_base_executable", sys.executable)
        _run([base, ROOT / ".ci" / "environment.py", "create", folder, base], "making a virtual environment")
        _run([python, "-m", "pip", "install", "-q", "-r", pins, "-r", SHARED], f"installing {name}")
        stamp.write_text(state)
        built.unlink(missing_ok=True)
    wheel, state = _wheel()
    if not _is_current(built, state):
        _run([python, "-m", "pip", "install", "-q", "--no-deps", "--force-reinstall", wheel], "installing Gustnado")
        built.write_text(state)
    return python
