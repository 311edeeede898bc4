"""What one run of a program finds out: facts that must be the same on both legs, and figures that need not."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from compat.errors import CompatError
from compat.serving import Place, Server

__all__ = ["TIMEOUT", "Figure", "Session"]

TIMEOUT = 60.0
"""Seconds for any one answer."""
WARM_UP = 5
"""Requests before those that count."""
NAMES = {"tornado": "TornadoServer", "gustnado": "Gustnado"}
"""How the server of each leg calls itself in its ``Server`` field."""


@dataclass(frozen=True)
class Figure:
    """What one kind of request took: medians of wall-clock time, means of CPU time."""

    name: str
    count: int
    milliseconds: float
    cpu_milliseconds: float


@dataclass
class Session:
    """A client of one run, and its notebook."""

    server: Server
    facts: dict[str, object] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.place.port}", timeout=TIMEOUT, trust_env=False)

    @property
    def place(self) -> Place:
        """Where this happens."""
        return self.server.place

    def ws(self, path: str) -> str:
        """The address of a WebSocket."""
        return f"ws://127.0.0.1:{self.place.port}{path}"

    def note(self, name: str, value: object) -> None:
        """Write down what must be the same on the other leg."""
        if name in self.facts:
            raise CompatError(f"{name} has been noted already")
        self.facts[name] = value

    def expect(self, name: str, value: object, expected: object) -> None:
        """The same, for what is known to be right.

        :raises CompatError: if it is not.
        """
        self.note(name, value)
        if value != expected:
            raise CompatError(f"{name}: {value!r}, not {expected!r}")

    def get(self, path: str, status: int = 200, **options: object) -> httpx.Response:
        """A page that is there, from the server that was asked for; its status and type are noted.

        :raises CompatError: if it is not.
        """
        response = self.http.get(path, **options)  # type: ignore[arg-type]  # options of httpx
        self.expect(f"GET {path}", response.status_code, status)
        self.note(f"GET {path}: type", response.headers.get("Content-Type"))
        if NAMES[self.place.leg] not in response.headers.get("Server", ""):
            raise CompatError(f"{path} was served by {response.headers.get('Server')}, not by {self.place.leg}")
        return response

    def measure(self, name: str, count: int, action: Callable[[], object]) -> None:
        """Do it ``count`` times, one after the other, and write down what that took."""
        for _ in range(WARM_UP):
            action()
        took, before = [], self.server.cpu()
        for _ in range(count):
            began = time.perf_counter()
            action()
            took.append(time.perf_counter() - began)
        cpu = (self.server.cpu() - before) / count / 1e6
        self.figures.append(Figure(name, count, statistics.median(took) * 1e3, cpu))
