"""What is measured, as data: the contenders and the workloads they run.

A workload names its contenders; a contender is one way to start one server. Adding a peer is one entry in
:data:`CONTENDERS`, a small file in ``servers/`` and a pin in ``requirements.txt``.

>>> [workload.name for workload in WORKLOADS if workload.quick][:2]
['hello', 'hello_async']
>>> CONTENDERS["limit"].role
<Role.LIMIT: 'limit'>
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping

from benchmarks.check import Expectation
from benchmarks.static_files import content

__all__ = ["CONTENDERS", "WORKLOADS", "Contender", "Role", "Workload"]


class Role(enum.Enum):
    """What a contender is compared as."""

    LIMIT = "limit"
    """No server can do less."""
    BARE = "bare"
    """Python code without a server: a second, nearer limit. Not a peer."""
    PEER = "peer"
    """A server that people use."""
    OURS = "ours"


@dataclasses.dataclass(frozen=True)
class Contender:
    """One way to start one server."""

    name: str
    title: str
    role: Role
    command: tuple[str, ...]
    """File in ``servers/`` and its arguments. ``PORT``, ``LOG`` and ``FILES`` stand for a port, a new file, and the
    folder of the files that are served."""
    leg: str | None = None
    """``compiled`` or ``interpreted``: which build of Gustnado it needs."""
    fixed: bool = False
    """It answers hello to whatever is asked."""
    headers: tuple[str, ...] = ()
    """Header fields that its responses must have."""
    chunked: bool = False
    """Its responses come in chunks."""


@dataclasses.dataclass(frozen=True)
class Workload:
    """One kind of request, sent to some contenders."""

    name: str
    title: str
    contenders: tuple[str, ...]
    expected: Expectation
    path: str = "/"
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    script: str | None = None
    """File in ``scripts/`` for wrk."""
    connections: int = 64
    quick: bool = False
    """Part of the quick set; the full set has all."""
    extras: tuple[str, ...] = ()
    """Contenders of the full set only."""
    goals: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Contender -> the ratio to the limit that it must not exceed."""
    limit: str = "limit"
    """The contender that is the limit."""

    def lineup(self, *, full: bool) -> tuple[str, ...]:
        """The names of the contenders in the quick or in the full set."""
        return self.contenders + self.extras if full else self.contenders


OUR_HEADERS = ("Server", "Date", "Etag")


def _ours(name: str, title: str, leg: str, *arguments: str) -> Contender:
    command = ("gustnado_server.py", "PORT", *arguments)
    return Contender(name, title, Role.OURS, command, leg=leg, headers=OUR_HEADERS)


def _peer(name: str, title: str, *command: str, headers: tuple[str, ...] = ()) -> Contender:
    return Contender(name, title, Role.PEER, command, headers=headers)


def kind_of(program: str, name: str, title: str, role: Role = Role.PEER) -> Contender:
    """One of the kinds of servers that a program is, named by its second argument."""
    return Contender(name, title, role, (program, "PORT", name), leg="compiled" if role is Role.OURS else None)


def _static(name: str, title: str, leg: str | None = None) -> Contender:
    command = ("static_server.py", "PORT", name.split("_")[0], "FILES")
    role = Role.PEER if leg is None else Role.OURS
    return Contender(name, title, role, command, leg=leg, chunked=name == "granian_static")


CONTENDERS: Mapping[str, Contender] = {
    contender.name: contender
    for contender in (
        Contender("limit", "C epoll loop, fixed answer", Role.LIMIT, ("limit.c", "PORT"), fixed=True),
        Contender(
            "bare_aiofastnet",
            "asyncio.Protocol, aiofastnet + uvloop, fixed answer",
            Role.BARE,
            ("protocol_fixed.py", "PORT", "aiofastnet"),
            fixed=True,
        ),
        Contender(
            "bare_asyncio",
            "asyncio.Protocol, asyncio's own loop, fixed answer",
            Role.BARE,
            ("protocol_fixed.py", "PORT", "asyncio"),
            fixed=True,
        ),
        _ours("gustnado", "Gustnado, compiled", "compiled"),
        _ours("gustnado_interpreted", "Gustnado, interpreted", "interpreted"),
        _ours("gustnado_log", "Gustnado, compiled, access log to a file", "compiled", "--access-log", "LOG"),
        _ours(
            "gustnado_log_json", "Gustnado, compiled, access log as JSON", "compiled",
            "--access-log", "LOG", "--format", "json",
        ),
        _ours("gustnado_logging", "Gustnado, compiled, access log of logging", "compiled", "--logging", "LOG"),
        _peer("socketify", "socketify", "socketify_server.py", "PORT"),
        _peer("granian_wsgi", "Granian, WSGI raw", "granian_server.py", "PORT", "wsgi"),
        _peer("granian_rsgi", "Granian, RSGI raw", "granian_server.py", "PORT", "rsgi"),
        _peer("granian_asgi", "Granian, ASGI raw", "granian_server.py", "PORT", "asgi"),
        _peer("granian_starlette", "Starlette on Granian", "granian_server.py", "PORT", "starlette"),
        _peer(
            "uvicorn", "uvicorn (httptools, uvloop), ASGI raw", "uvicorn_server.py", "PORT", "raw_apps:asgi"
        ),
        _peer("starlette", "Starlette on uvicorn", "uvicorn_server.py", "PORT", "starlette_app:app"),
        _peer("blacksheep", "BlackSheep on uvicorn", "uvicorn_server.py", "PORT", "blacksheep_app:app"),
        _peer("fastapi", "FastAPI on uvicorn", "uvicorn_server.py", "PORT", "fastapi_app:app"),
        _peer("aiohttp", "aiohttp on uvloop", "aiohttp_server.py", "PORT"),
        _peer("tornado", "Tornado", "tornado_server.py", "PORT", headers=OUR_HEADERS),
        Contender("nginx", "nginx, sendfile", Role.LIMIT, ("nginx.conf", "PORT"), headers=("Etag",)),
        _static("gustnado_static", "Gustnado, static_path, compiled", "compiled"),
        _static("gustnado_static_interpreted", "Gustnado, static_path, interpreted", "interpreted"),
        _static("tornado_static", "Tornado, static_path"),
        _static("aiohttp_static", "aiohttp, add_static"),
        _static("granian_static", "Granian, static_path_mount, in chunks"),
    )
}

HELLO = Expectation(b"Hello, world!")
JSON = Expectation(b'{"message": "Hello, world!"}', content_type="application/json")
FORTY_NINE_HEADERS = {f"X-Field-{number:02}": f"value of field {number:02}" for number in range(49)}
"""With Host, which wrk always sends, fifty."""

STATIC = (
    "nginx",
    "gustnado_static",
    "gustnado_static_interpreted",
    "aiohttp_static",
    "granian_static",
    "tornado_static",
)


def _download(name: str, title: str, file: str, connections: int, goal: float) -> Workload:
    """A file, sent by servers of files; with nginx as the limit."""
    return Workload(
        name,
        title,
        STATIC,
        Expectation(content(file), content_type="application/octet-stream"),
        path=f"/static/{file}",
        connections=connections,
        goals={"gustnado_static": goal},
        limit="nginx",
    )


WORKLOADS: tuple[Workload, ...] = (
    Workload(
        "hello",
        "hello: GET / -> 13 bytes of text",
        (
            "limit",
            "bare_aiofastnet",
            "bare_asyncio",
            "gustnado",
            "gustnado_interpreted",
            "socketify",
            "granian_wsgi",
            "granian_rsgi",
            "granian_asgi",
            "uvicorn",
            "starlette",
            "aiohttp",
            "tornado",
        ),
        HELLO,
        quick=True,
        extras=("blacksheep", "fastapi"),
        goals={"gustnado": 2.1, "gustnado_interpreted": 2.8},
    ),
    Workload(
        "hello_async",
        "hello from an async def handler",
        ("limit", "gustnado", "gustnado_interpreted", "uvicorn", "tornado"),
        HELLO,
        path="/async",
        quick=True,
        goals={"gustnado": 2.1},
    ),
    Workload(
        "json",
        "JSON: GET /json -> a dict",
        ("limit", "gustnado", "gustnado_interpreted", "granian_starlette", "starlette", "aiohttp", "tornado"),
        JSON,
        path="/json",
        extras=("blacksheep", "fastapi"),
        goals={"gustnado": 2.1},
    ),
    Workload(
        "log",
        "hello with the access log on",
        ("limit", "gustnado", "gustnado_log", "gustnado_log_json", "gustnado_logging"),
        HELLO,
    ),
    Workload(
        "headers",
        "hello with 50 header fields in the request",
        ("limit", "gustnado", "gustnado_interpreted"),
        HELLO,
        headers=FORTY_NINE_HEADERS,
    ),
    Workload(
        "pipelined",
        "hello, 16 pipelined requests in each write",
        ("gustnado", "gustnado_interpreted"),
        HELLO,
        script="pipeline16.lua",
    ),
    _download("static_10k", "a file of 10 KiB", "10k.bin", 64, 2.0),
    _download("static_10m", "a file of 10 MiB, 8 connections", "10m.bin", 8, 1.18),
)
