"""The soak check: ``python -m benchmarks.soak``. Does a server's memory grow with the work it has done?

Two phases, each watched through the resident memory (RSS) of the server's whole process tree:

1. *Requests*: 100,000 keep-alive requests on 64 connections, while 5,000 other connections are open and idle.
2. *Connections*: those 5,000 are closed and opened again, ten times over.

A phase passes if memory, after its first tenth, never exceeds what it was at that tenth by more than
:data:`TOLERANCE`: the first tenth fills caches, pools and the allocator's arenas.

>>> growth([100, 140, 140, 141, 140, 140, 140, 140, 140, 140, 140])
1
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import resource
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.cpu import descendants
from benchmarks.environment import HERE, Environment
from benchmarks.errors import HarnessError
from benchmarks.interpreters import find_python
from benchmarks.measure import running
from benchmarks.workloads import CONTENDERS, OUR_HEADERS

__all__ = ["Soak", "growth", "main", "open_answered", "raise_file_limit", "read_rss"]

DESCRIPTION = "Does the memory of a server grow with the work that it has done?"
REQUESTS = 100_000
IDLE = 5_000
ACTIVE = 64
CYCLES = 10
SAMPLES = 100
TOLERANCE = 256
"""KiB; a leak of 3 bytes a request or of 6 bytes a connection shows."""
SPARE_FILES = 256
"""Descriptors that a process needs besides its connections."""
REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@dataclasses.dataclass(frozen=True)
class Soak:
    """What one server did with its memory. All sizes in KiB."""

    server: str
    start: int
    """Before the first connection."""
    idle: int
    """With all idle connections open, each of which was answered once."""
    requests: tuple[int, ...]
    """Samples of the first phase, evenly spaced; the first one before it."""
    connections: tuple[int, ...]
    """Samples of the second phase, one after each opening; the first one before it."""

    @property
    def each_idle(self) -> float:
        """KiB of the server for one idle connection, kernel memory not included."""
        return (self.idle - self.start) / IDLE

    @property
    def passed(self) -> bool:
        """Whether memory stayed within the tolerance in both phases."""
        return growth(self.requests) <= TOLERANCE and growth(self.connections) <= TOLERANCE


def growth(samples: Sequence[int]) -> int:
    """By how much the highest sample after the first tenth exceeds the one at it (0: not at all)."""
    tenth = max(1, (len(samples) - 1) // 10)
    return max(0, max(samples[tenth:]) - samples[tenth])


def read_rss(pid: int) -> int:
    """Resident memory of a process and its descendants, in KiB."""
    page = resource.getpagesize() // 1024
    statm = (Path(f"/proc/{member}/statm").read_text() for member in descendants(pid))
    return sum(int(text.split()[1]) * page for text in statm)


class Client:
    """One blocking keep-alive connection, opened again when the server announces its end."""

    def __init__(self, port: int) -> None:
        self._address = ("127.0.0.1", port)
        self._open()

    def _open(self) -> None:
        self._socket = socket.create_connection(self._address, timeout=30)

    def send(self) -> None:
        """Sends one request."""
        self._socket.sendall(REQUEST)

    def receive(self) -> None:
        """Reads its response.

        :raises HarnessError: if it is not the right one.
        """
        data = b""
        while not data.endswith(b"\r\n\r\nHello, world!"):
            chunk = self._socket.recv(65536)
            if not chunk:
                raise HarnessError(f"the server closed a connection after {data[:200]!r}")
            data += chunk
        if not data.startswith(b"HTTP/1.1 200 "):
            raise HarnessError(f"the server answered {data[:200]!r}")
        if b"\r\nconnection: close\r\n" in data.lower():
            self.close()
            self._open()

    def close(self) -> None:
        """Closes the connection."""
        self._socket.close()


def open_answered(port: int, count: int) -> list[Client]:
    """Opens connections, each of which has asked once and was answered."""
    clients = []
    for _ in range(count):
        client = Client(port)
        client.send()
        client.receive()
        clients.append(client)
    return clients


def close_all(clients: Sequence[Client]) -> None:
    """Closes connections."""
    for client in clients:
        client.close()


def ask_many(pid: int, port: int) -> Iterator[int]:
    """Sends all requests and yields the server's memory before, and after each hundredth of them."""
    clients = [Client(port) for _ in range(ACTIVE)]
    yield read_rss(pid)
    sent = 0
    for sample in range(1, SAMPLES + 1):
        while sent < REQUESTS * sample // SAMPLES:
            for client in clients:
                client.send()
            for client in clients:
                client.receive()
            sent += ACTIVE
        yield read_rss(pid)
    close_all(clients)


def reconnect_many(pid: int, port: int) -> Iterator[int]:
    """Opens and closes all idle connections again and again; yields the memory before and with them."""
    yield read_rss(pid)
    for _ in range(CYCLES):
        clients = open_answered(port, IDLE)
        yield read_rss(pid)
        close_all(clients)


def soak(name: str, environment: Environment) -> Soak:
    """Runs both phases against one server.

    :raises HarnessError: if it does not serve, or answers wrongly.
    """
    with running(CONTENDERS[name], environment) as (pid, port):
        start = read_rss(pid)
        idle = open_answered(port, IDLE)
        with_idle = read_rss(pid)
        requests = tuple(ask_many(pid, port))
        close_all(idle)
        return Soak(name, start, with_idle, requests, tuple(reconnect_many(pid, port)))


def render(result: Soak) -> str:
    """The result in a few lines."""
    verdict = "passed" if result.passed else "FAILED"
    lines = [
        (f"{IDLE:,} idle connections", f"{result.each_idle:10.1f} KiB each"),
        (f"{REQUESTS:,} requests", f"{growth(result.requests):8,}   KiB growth after the first tenth"),
        (
            f"{CYCLES} x {IDLE:,} connections",
            f"{growth(result.connections):8,}   KiB growth after the first tenth",
        ),
    ]
    return "\n".join(
        [f"{CONTENDERS[result.server].title}: {verdict}", *(f"  {what:<24}{value}" for what, value in lines)]
    )


def raise_file_limit(connections: int) -> None:
    """Lets this process, and the server that it starts, have that many connections.

    :raises HarnessError: if the system does not allow it.
    """
    needed = connections + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise HarnessError(f"{needed} open files are needed and the limit is {hard}: see ulimit -Hn")
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the soak; returns the exit status: 0 if memory did not grow."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=DESCRIPTION)
    choices = [name for name, contender in CONTENDERS.items() if contender.headers == OUR_HEADERS]
    parser.add_argument(
        "--server", default="gustnado", choices=choices, help="what to soak (default: %(default)s)"
    )
    parser.add_argument("--python", help="interpreter to run it on (default: as for the benchmarks)")
    parser.add_argument(
        "--results", type=Path, default=HERE / "results", help="folder for the samples, as JSON"
    )
    parser.add_argument("--cache", type=Path, default=HERE / ".cache", help="folder for the environment")
    options = parser.parse_args(arguments)
    try:
        raise_file_limit(IDLE + ACTIVE)
        environment = Environment(find_python(options.python), options.cache.resolve(), print)
        environment.prepare([leg] if (leg := CONTENDERS[options.server].leg) else [])
        result = soak(options.server, environment)
    except (HarnessError, OSError) as error:
        print(f"soak: {error}", file=sys.stderr)
        return 1
    print(render(result))
    options.results.mkdir(parents=True, exist_ok=True)
    path = options.results / f"soak-{options.server}-{environment.python.label.replace('-', '')}.json"
    path.write_text(json.dumps(dataclasses.asdict(result), indent=2) + os.linesep)
    print(f"wrote {path}")
    return 0 if result.passed else 1


if __name__ == "__main__":
    sys.exit(main())
