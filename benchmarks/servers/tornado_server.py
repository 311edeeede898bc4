"""Tornado: the program of ``gustnado_server.py`` in Tornado. Usage: ``tornado_server.py PORT``."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from tornado.web import Application, RequestHandler


class Hello(RequestHandler):
    """A handler that does not wait."""

    def get(self) -> None:
        self.write("Hello, world!")


class AsyncHello(RequestHandler):
    """The same as a coroutine."""

    async def get(self) -> None:
        self.write("Hello, world!")


class Json(RequestHandler):
    """A dict, written as JSON."""

    def get(self) -> None:
        self.write({"message": "Hello, world!"})


def no_log(handler: Any) -> None:
    """An access log that writes nothing."""


async def main(port: int) -> None:
    """Serves on ``port`` until killed."""
    routes = [("/", Hello), ("/async", AsyncHello), ("/json", Json)]
    Application(routes, log_function=no_log).listen(port, "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
