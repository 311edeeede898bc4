"""Programs to serve, and the command that serves them in processes of its own."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

DEADLINE = 60.0  # seconds; only a hang meets it

SHOP = """
    import asyncio, os
    from gustnado.events import task_id
    from gustnado.web import Application, RequestHandler

    VERSION = "one"

    class Hello(RequestHandler):
        def get(self):
            self.write(f"{VERSION} {os.getpid()}")

    class Slow(RequestHandler):
        async def get(self):
            print("slow began", flush=True)
            await asyncio.wait([asyncio.ensure_future(self.shutting_down.wait())])
            self.write("slow ended")

    class Stubborn(RequestHandler):
        async def get(self):
            print("stubborn began", flush=True)
            await asyncio.Event().wait()

    class Number(RequestHandler):
        def get(self):
            self.write(str(task_id()))

    class Held(RequestHandler):
        async def get(self):
            print("held began", flush=True)
            while not os.path.exists("release"):
                await asyncio.sleep(0.01)
            self.write("released")

    app = Application([("/", Hello), ("/slow", Slow), ("/stubborn", Stubborn), ("/held", Held), ("/number", Number)])
"""


class Command:
    """``gustnado run`` with arguments. Its standard error is read as it comes."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *arguments] if arguments[0] == "-c" else [sys.executable, "-m", "gustnado", *arguments],
            cwd=folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONWARNINGS": "error::ResourceWarning", **environment},
        )
        self.errors = ""

    def wait_for(self, pattern: str, count: int = 1) -> re.Match[str]:
        """Read until ``pattern`` has come ``count`` times; the last match."""
        assert self.process.stderr is not None
        deadline = time.monotonic() + DEADLINE
        while True:
            found = list(re.finditer(pattern, self.errors))
            if len(found) >= count:
                return found[count - 1]
            assert select.select([self.process.stderr], [], [], deadline - time.monotonic())[0], self.errors
            piece = os.read(self.process.stderr.fileno(), 65536).decode()
            assert piece, f"it ended without {pattern!r}: {self.errors}"
            self.errors += piece

    @property
    def port(self) -> int:
        return int(self.wait_for(r"at https?://127\.0\.0\.1:(\d+)")[1])

    def said(self) -> str:
        """The next line of standard output."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self, number: int | None = signal.SIGTERM) -> int:
        """Send a signal, and wait for the end: the exit status."""
        if number is not None:
            self.send(number)
        output, errors = self.process.communicate(timeout=DEADLINE)
        self.errors += errors
        self.output = output
        assert "Traceback" not in self.errors, self.errors
        return self.process.returncode


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the module ``shop``."""
    (tmp_path / "shop.py").write_text(textwrap.dedent(SHOP))
    return tmp_path


@pytest.fixture
def command(folder: Path) -> Iterator[Callable[..., Command]]:
    """``command("run", "shop:app", ..., GUSTNADO_PORT="0")`` starts it in that folder."""
    with contextlib.ExitStack() as started:

        def start(*arguments: str, **environment: str) -> Command:
            made = Command(folder, *arguments, **environment)
            started.enter_context(made.process)
            started.callback(made.process.kill)
            return made

        yield start
