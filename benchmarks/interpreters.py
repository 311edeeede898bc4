"""Finding the Python to measure on."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from benchmarks.errors import HarnessError

__all__ = ["DEFAULT_VERSION", "Python", "find_python"]

DEFAULT_VERSION = "3.13"
"""All goals are for CPython of this version."""
DESCRIBE = (
    "import platform, sys; "
    "print(platform.python_implementation().lower(), platform.python_version(), sys.executable)"
)


@dataclasses.dataclass(frozen=True)
class Python:
    """An interpreter that was found and runs."""

    executable: str
    implementation: str
    version: str

    @property
    def label(self) -> str:
        """Implementation and minor version, as ``cpython-3.13``."""
        return f"{self.implementation}-{'.'.join(self.version.split('.')[:2])}"


def _probe(executable: str) -> Python | None:
    """The interpreter behind a command, or None if the command is not there or does not run."""
    try:
        done = subprocess.run(
            [executable, "-c", DESCRIBE], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return None
    implementation, version, path = done.stdout.rstrip("\n").split(" ", 2)
    return Python(path, implementation, version)


def _candidates() -> Iterable[str]:
    """Where a Python of the default version may be, likeliest first."""
    if ".".join(map(str, sys.version_info[:2])) == DEFAULT_VERSION:
        yield sys.executable
    yield f"python{DEFAULT_VERSION}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from (str(path / "bin" / "python") for path in sorted(pyenv.glob(f"versions/{DEFAULT_VERSION}*")))


def find_python(requested: str | None) -> Python:
    """The interpreter to measure on: ``requested`` (name or path), else a CPython 3.13 of this machine.

    :raises HarnessError: if there is none.
    """
    for candidate in [requested] if requested else _candidates():
        if found := _probe(candidate):
            return found
    if requested:
        raise HarnessError(f"{requested} is not a Python that runs.")
    raise HarnessError(
        f"No Python {DEFAULT_VERSION} found, and all figures are for that one. Install it (pyenv install "
        f"{DEFAULT_VERSION}) or name another: python -m benchmarks --python python3.11"
    )
