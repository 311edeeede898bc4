"""Starts a program as a child process, on Tornado or on Gustnado, and ends it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cpu import read_tree

from compat.errors import CompatError

__all__ = ["LEGS", "Place", "Server", "free_port", "running", "wait_until_served"]

LEGS = {"tornado": (), "gustnado": ("-m", "gustnado.as_tornado")}
"""What stands between ``python`` and the program."""
START_TIMEOUT = 90.0
"""Seconds until a program must answer; most of them import for seconds, on a busy machine for many."""
STOP_TIMEOUT = 120.0
"""Seconds that a program has to end itself; Bokeh collects garbage for each session, which takes its time."""
COMPLAINTS = re.compile(
    r"Traceback \(most recent call last\)|Error in sys\.excepthook|Exception ignored|Fatal Python error"
    r"|was never (awaited|retrieved)|Task was destroyed"
)
"""What a program's log must not hold on Gustnado where it does not on Tornado."""


@dataclass(frozen=True)
class Place:
    """Where one run happens."""

    leg: str
    python: Path
    port: int
    folder: Path

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Python, told to run a program on this leg."""
        return [str(self.python), *LEGS[self.leg], *arguments]


@dataclass
class Server:
    """A program that runs."""

    place: Place
    process: subprocess.Popen[bytes]
    log: Path
    status: int | None = None
    """Its exit status, negative for a signal, once it has ended."""

    def cpu(self) -> int:
        """Nanoseconds of CPU time that its own process has taken, without those that it has started."""
        pid = self.process.pid
        return sum(ran for (owner, _), ran in read_tree(pid).items() if owner == pid)

    def rest(self) -> None:
        """Until it has nothing to do, as seen by its CPU time.

        :raises CompatError: if it still has after `STOP_TIMEOUT`.
        """
        deadline, before = time.monotonic() + STOP_TIMEOUT, -1
        while (now := self.cpu()) != before:
            if time.monotonic() > deadline:
                raise CompatError(f"it does not come to rest; its log:\n{self.tail()}")
            before = now
            time.sleep(0.2)

    def wait(self) -> None:
        """Until it has ended by itself.

        :raises CompatError: if it has not after `STOP_TIMEOUT`.
        """
        try:
            self.status = self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            raise CompatError(f"it does not end; its log:\n{self.tail()}") from None

    def complaints(self) -> list[str]:
        """The kinds of complaints in its log, each once."""
        return sorted({found[0] for found in COMPLAINTS.finditer(self.log.read_text(errors="replace"))})

    def tail(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-3000:]


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_until_served(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Whether someone accepts connections at ``port``, within `START_TIMEOUT`, while ``process`` lives."""
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return True
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, then make it; what it has started is in its process group."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def running(place: Place, arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[Server]:
    """Start a program, wait until it accepts connections, and end it in the end.

    :raises CompatError: if it ends before it serves, or does not serve in time.
    """
    log = place.folder / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            place.command(arguments),
            cwd=place.folder,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(place, process, log)
    try:
        if not wait_until_served(place.port, process):
            raise CompatError(f"it does not serve; its log:\n{server.tail()}")
        yield server
    finally:
        _end(process)
        server.status = process.returncode
