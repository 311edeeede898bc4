"""aiohttp on uvloop. Usage: ``aiohttp_server.py PORT``."""

from __future__ import annotations

import sys

import uvloop
from aiohttp import web


async def hello(request: web.Request) -> web.Response:
    """Answers the 13 bytes."""
    return web.Response(text="Hello, world!")


async def json(request: web.Request) -> web.Response:
    """A dict, written as JSON."""
    return web.json_response({"message": "Hello, world!"})


if __name__ == "__main__":
    app = web.Application()
    app.add_routes([web.get("/", hello), web.get("/json", json)])
    web.run_app(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop=uvloop.new_event_loop(),
        access_log=None,
        print=None,
    )
