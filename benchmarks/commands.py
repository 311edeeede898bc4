"""Running other programs, and finding the load generator."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence

from benchmarks.errors import HarnessError

__all__ = ["Echo", "find_nginx", "find_wrk", "require_cores", "run"]

Echo = Callable[[str], None]
"""Where one line of progress goes."""


def run(command: Sequence[str], what: str, **environment: str) -> str:
    """Runs a command and returns its output.

    :raises HarnessError: with the end of that output, if the command fails or is not there.
    """
    try:
        done = subprocess.run(
            command,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
        )
    except OSError as error:
        raise HarnessError(f"{what}: {error}") from error
    if done.returncode != 0:
        raise HarnessError(f"{what} failed:\n" + "\n".join(done.stdout.splitlines()[-30:]))
    return done.stdout


def find_wrk(echo: Echo) -> str:
    """The path of ``wrk``, installed from Debian if this is root.

    :raises HarnessError: if there is none and it cannot be installed.
    """
    return _find("wrk", "wrk", "the load generator", echo)


def find_nginx(echo: Echo) -> str:
    """The path of ``nginx``, likewise."""
    return _find("nginx", "nginx-light", "which static files are compared with", echo)


def _find(name: str, package: str, what: str, echo: Echo) -> str:
    if found := shutil.which(name):
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        echo(f"installing {name} from Debian")
        run(["apt-get", "install", "--yes", "--no-install-recommends", package], f"installing {name}")
        if found := shutil.which(name):
            return found
    raise HarnessError(f"{name}, {what}, is not installed: sudo apt-get install {package}")


def require_cores(*cores: int) -> None:
    """Checks that this process may run on those cores.

    :raises HarnessError: if not.
    """
    if not set(cores) <= os.sched_getaffinity(0):
        raise HarnessError(
            f"The server and the load need the cores {cores} to themselves; this machine has not both."
        )
