"""Versions of everything that has a part in a figure.

>>> processor("model name\\t: Fast One\\n")
'Fast One'
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Collection
from pathlib import Path

from benchmarks.commands import run
from benchmarks.environment import Environment

__all__ = ["processor", "version_line", "versions"]

LIST_PACKAGES = "import importlib.metadata as m; [print(d.name, d.version) for d in m.distributions()]"


def versions(environment: Environment) -> dict[str, str]:
    """Name -> version, of interpreter, kernel, tools and all packages of the environment."""
    packages = _packages(environment)
    python = environment.python
    machine = {
        "Python": f"{python.implementation} {python.version}",
        "Linux": os.uname().release,
        "processor": processor(Path("/proc/cpuinfo").read_text()),
        "gcc": run(["gcc", "-dumpfullversion"], "asking gcc for its version").strip(),
        "wrk": _wrk_version(),
        "nginx": _nginx_version(),
    }
    return machine | {name: version for name, version in packages.items() if name != "pip"}


def _packages(environment: Environment) -> dict[str, str]:
    listing = run([str(environment.interpreter), "-c", LIST_PACKAGES], "listing the packages")
    return dict(sorted((line.split(" ") for line in listing.splitlines()), key=lambda pair: pair[0].lower()))


def version_line(environment: Environment, names: Collection[str]) -> str:
    """A line for the foot of a table: interpreter, kernel and processor, and the packages that are named."""
    python, packages = environment.python, _packages(environment)
    machine = [f"{python.implementation} {python.version}", f"Linux {os.uname().release}"]
    machine.append(processor(Path("/proc/cpuinfo").read_text()))
    return ", ".join([*machine, *(f"{name} {version}" for name, version in packages.items() if name in names)]) + "."


def processor(cpuinfo: str) -> str:
    """The processor's name, from the text of ``/proc/cpuinfo``."""
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return os.uname().machine


def _wrk_version() -> str:
    """wrk prints its version with its help, and then fails."""
    done = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False)
    return " ".join((done.stdout + done.stderr).split()[1:2]) or "unknown"


def _nginx_version() -> str:
    """nginx prints its version as an error; there need not be one where no file is served."""
    if shutil.which("nginx") is None:
        return "none"
    done = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=False)
    return done.stderr.strip().partition("/")[2] or "unknown"
