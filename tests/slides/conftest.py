"""Runs the programs of the slides, each in a process of its own.

A program's text is what the slide shows, in Python 3 syntax and with what the slide leaves out. It runs in
one of these styles:

- ``as_tornado``: as it is, by ``python -m gustnado.as_tornado``;
- ``own``: with our own names for Tornado's modules, by ``python``;
- ``face``: with ``gustnado.tornado`` for ``tornado``, by ``python``.

The port 8080 stands for a free one. Every warning is an error, and at the end of a test its programs must
have written no traceback, unless the test says that it has looked at what they wrote.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

DEADLINE = 100.0  # seconds; far above what any program takes, so that only a hang meets it

OWN_NAMES = {
    "tornado.web": "gustnado.web",
    "tornado.ioloop": "gustnado.events",
    "tornado.iostream": "gustnado.events",
    "tornado.netutil": "gustnado.events",
    "tornado.process": "gustnado.events",
    "tornado.tcpclient": "gustnado.events",
    "tornado.tcpserver": "gustnado.events",
    "tornado.httpclient": "gustnado.http",
    "tornado.httpserver": "gustnado.http",
    "tornado.httputil": "gustnado.http",
    "tornado.auth": "gustnado.web.auth",
    "tornado.websocket": "gustnado.web.websocket",
    "tornado.wsgi": "gustnado.web.wsgi",
}


def in_style(text: str, style: str) -> str:
    """A program of Tornado's names in the names of ``style``."""
    if style == "own":
        return re.sub(r"\btornado\.\w+", lambda match: OWN_NAMES[match[0]], text)
    if style == "face":
        return re.sub(r"\btornado\b", "gustnado.tornado", text)
    return text


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Response:
    """A response, read to its end."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.code = response.status
        self.reason = response.reason
        self.version = {10: "HTTP/1.0", 11: "HTTP/1.1"}[response.version]
        self.headers = response.headers
        self.body = response.read()

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def cookie(self, name: str) -> str:
        """``name=value`` of a cookie that it sets, to be sent back."""
        (found,) = [c for c in self.headers.get_all("Set-Cookie", []) if c.startswith(name + "=")]
        return str(found).partition(";")[0]


class Program:
    """A program in a directory of its own, and what it has written."""

    def __init__(self, directory: Path, text: str, style: str, files: Mapping[str, str]) -> None:
        self.directory = directory
        self.style = style
        self.port = free_port()
        self.looked_at = False  # the test has seen what it wrote
        self.file = directory / "program.py"
        self.output = directory / "output"
        self.process: subprocess.Popen[bytes] | None = None
        for name, content in files.items():
            (directory / name).write_text(textwrap.dedent(content))
        self.write(text)

    def write(self, text: str) -> None:
        """Write the program's file, perhaps anew."""
        text = in_style(textwrap.dedent(text), self.style)
        self.file.write_text(text.replace("8080", str(self.port)))

    def start(self, environment: Mapping[str, str]) -> None:
        module = ["-m", "gustnado.as_tornado"] if self.style == "as_tornado" else []
        with self.output.open("wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "error", *module, str(self.file)],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                env={**os.environ, **environment},
                start_new_session=True,  # what it forks ends with it
            )

    def written(self) -> str:
        """What it has written so far, whose look is then the test's business."""
        self.looked_at = True
        return self.output.read_text()

    def until(self, condition: Callable[[], Any]) -> Any:
        """Ask again and again until ``condition`` gives something true, and return that."""
        deadline = time.monotonic() + DEADLINE
        while not (found := condition()):
            if self.process is not None and self.process.poll() is not None:
                pytest.fail(f"the program has ended:\n{self.written()}", pytrace=False)
            if time.monotonic() > deadline:
                pytest.fail(f"waited in vain:\n{self.written()}", pytrace=False)
            time.sleep(0.02)
        return found

    def is_up(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def connect(self, source: str = "127.0.0.1") -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE, source_address=(source, 0))

    def fetch(
        self,
        path: str = "/",
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        source: str = "127.0.0.1",
    ) -> Response:
        """One request on a connection of its own."""
        connection = self.connect(source)
        try:
            connection.request(method, path, body, dict(headers or {}))
            return Response(connection.getresponse())
        finally:
            connection.close()

    def wait(self) -> int:
        """Wait for its end, for a program that ends by itself; its status."""
        if self.process is None:
            raise RuntimeError("it was not started")
        return self.process.wait(DEADLINE)

    def end(self) -> None:
        """End it, and whatever it has forked."""
        process = self.process
        if process is None:
            return
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(DEADLINE)
        if not self.looked_at:
            assert "Traceback" not in self.output.read_text()


@pytest.fixture(params=["as_tornado", "own"])
def style(request: pytest.FixtureRequest) -> str:
    """How the program names Tornado's modules; see the module."""
    name: str = request.param
    return name


@pytest.fixture
def launch(tmp_path: Path, style: str) -> Iterator[Callable[..., Program]]:
    """``launch(text, files=None, **environment)`` starts a program in ``style``."""
    programs: list[Program] = []

    def launcher(text: str, files: Mapping[str, str] | None = None, **environment: str) -> Program:
        directory = tmp_path / f"program{len(programs)}"
        directory.mkdir()
        program = Program(directory, text, style, files or {})
        programs.append(program)
        program.start(environment)
        return program

    yield launcher
    for program in programs:
        program.end()


@pytest.fixture
def serve(launch: Callable[..., Program]) -> Callable[..., Program]:
    """As ``launch``, for a program that serves on port 8080; waits until it does."""

    def launcher(text: str, files: Mapping[str, str] | None = None, **environment: str) -> Program:
        program = launch(text, files, **environment)
        program.until(program.is_up)
        return program

    return launcher
