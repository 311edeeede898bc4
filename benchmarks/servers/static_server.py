"""Static files below ``/static/``, from one of several servers. Usage: ``static_server.py PORT WHOSE FOLDER``.

Whose is ``gustnado``, ``tornado``, ``aiohttp`` or ``granian``: each by the way that its manual tells.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ADDRESS = "127.0.0.1"


def serve_gustnado(port: int, folder: str) -> None:
    """The setting ``static_path``, access log off."""
    from gustnado.events import IOLoop
    from gustnado.web import Application

    Application([], static_path=folder, log_function=None).listen(port, ADDRESS)
    IOLoop.current().start()


def serve_tornado(port: int, folder: str) -> None:
    """The same in Tornado."""
    import asyncio

    from tornado.web import Application

    def no_log(handler: Any) -> None:
        """An access log that writes nothing."""

    async def main() -> None:
        Application([], static_path=folder, log_function=no_log).listen(port, ADDRESS)
        await asyncio.Event().wait()

    asyncio.run(main())


def serve_aiohttp(port: int, folder: str) -> None:
    """``add_static``, on uvloop."""
    import uvloop
    from aiohttp import web

    app = web.Application()
    app.router.add_static("/static/", folder)
    web.run_app(app, host=ADDRESS, port=port, loop=uvloop.new_event_loop(), access_log=None, print=None)


def serve_granian(port: int, folder: str) -> None:
    """Served by Granian itself, one worker; no application is asked."""
    from granian.constants import Interfaces
    from granian.server import Server

    Server(
        "raw_apps:rsgi",
        address=ADDRESS,
        port=port,
        interface=Interfaces.RSGI,
        workers=1,
        websockets=False,
        log_enabled=False,
        static_path_route=["/static"],
        static_path_mount=[Path(folder)],
        working_dir=Path(__file__).parent,
    ).serve()


SERVERS: dict[str, Callable[[int, str], None]] = {
    "gustnado": serve_gustnado,
    "tornado": serve_tornado,
    "aiohttp": serve_aiohttp,
    "granian": serve_granian,
}

if __name__ == "__main__":
    SERVERS[sys.argv[2]](int(sys.argv[1]), sys.argv[3])
