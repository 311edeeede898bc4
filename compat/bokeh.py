"""Bokeh's server: an application, its pages and files, and client sessions that change its document."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

from compat.environments import APPS
from compat.errors import CompatError
from compat.program import Program
from compat.serving import LEGS
from compat.session import TIMEOUT, Session

__all__ = ["PROGRAM"]

SCRIPT = "/static/js/bokeh.min.js"


class Client:
    """The client session, a program of its own: `apps/bokeh_client.py`."""

    def __init__(self, process: subprocess.Popen[str], log: str) -> None:
        self._process = process
        self._log = log

    def ask(self, command: str) -> Any:
        """Send a line, and read one."""
        pipe = self._process.stdin
        if pipe is None:
            raise CompatError("the client has no stdin")
        pipe.write(command + "\n")
        pipe.flush()
        return self.read()

    def read(self) -> Any:
        """What it says next.

        :raises CompatError: if it has ended, or takes too long.
        """
        clock = threading.Timer(TIMEOUT, self._process.kill)
        clock.start()
        line = self._process.stdout.readline() if self._process.stdout else ""
        clock.cancel()
        if not line:
            with open(self._log, encoding="utf-8") as log:
                raise CompatError(f"the client has ended: {log.read()[-2000:]}")
        return json.loads(line)

    def close(self) -> tuple[Any, int]:
        """Let it close its session; what it says then, and its exit status."""
        if self._process.stdin:
            self._process.stdin.close()
        return self.read(), self._process.wait(TIMEOUT)


@contextlib.contextmanager
def client(session: Session, leg: str) -> Iterator[Client]:
    """Start a client on either leg, whatever the server runs on."""
    place = session.place
    log = place.folder / f"client-{leg}.txt"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [place.python, *LEGS[leg], APPS / "bokeh_client.py", f"http://127.0.0.1:{place.port}/bokeh_app"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        yield Client(process, str(log))
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def drive(session: Session) -> None:
    """Pages and files, and a client on either leg, whichever this is."""
    session.get("/nothing", 404)
    script = session.get(SCRIPT)
    session.note("script", (len(script.content), hashlib.sha256(script.content).hexdigest()))
    unchanged = session.http.get(SCRIPT, headers={"If-None-Match": script.headers["Etag"]})
    session.expect("not modified", unchanged.status_code, 304)
    session.measure("a script of 1.4 MB", 100, lambda: session.http.get(SCRIPT).raise_for_status())
    page = session.get("/bokeh_app").text
    session.expect("title", re.findall("<title>(.*)</title>", page), ["compat"])
    session.expect("/", session.http.get("/").headers["Location"], "/bokeh_app")
    session.get("/bokeh_app/autoload.js?bokeh-autoload-element=1")
    for leg in LEGS:
        session_of(session, leg)
    # At the end, as each session lives on for a while, and costs CPU time.
    session.measure("a page with a new session", 30, lambda: session.http.get("/bokeh_app").raise_for_status())


def session_of(session: Session, leg: str) -> None:
    """Move the slider, see the line move; see what the server changes by itself."""
    with client(session, leg) as other:
        name = {"tornado": "tornado", "gustnado": "gustnado.tornado"}[leg]
        expected = {"title": "compat", "roots": 1, "tornado": name}
        session.expect(f"document, client on {leg}", other.read(), expected)
        session.expect(f"moved, client on {leg}", other.ask("7"), [7.0, 6993.0])
        seen, deadline = other.ask("ticks"), time.monotonic() + TIMEOUT
        while other.ask("ticks") == seen:
            if time.monotonic() > deadline:
                raise CompatError("the server's callback changes nothing")
        if leg == "tornado":
            factors = itertools.cycle([2, 3])
            session.measure("a slider moved, a session joined", 20, lambda: other.ask(str(next(factors))))
        session.expect(f"end, client on {leg}", other.close(), ("closed", 0))


PROGRAM = Program(
    name="bokeh",
    packages=("bokeh",),
    arguments=lambda place: [
        *("-m", "bokeh", "serve", str(APPS / "bokeh_app.py"), f"--port={place.port}", "--address=127.0.0.1")
    ],
    drive=drive,
)
