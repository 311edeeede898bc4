"""Gustnado: full handlers in an ``Application``, default headers, ETag and limits on, access log off.

Usage: ``gustnado_server.py PORT [--access-log FILE [--format FORMAT] | --logging FILE]``.
"""

from __future__ import annotations

import argparse
import logging
from typing import Any

from gustnado.events import IOLoop
from gustnado.web import Application, RequestHandler
from gustnado.web.access_log import AccessLog


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


def log_settings(path: str | None, format: str, logging_path: str | None) -> dict[str, Any]:
    """The application settings for an access log: one as ``gustnado run`` has it, one of :mod:`logging`, or none."""
    if path is not None:
        return {"log_function": AccessLog(path, format)}
    if logging_path is None:
        return {"log_function": None}
    logger = logging.getLogger("gustnado.access")
    handler = logging.FileHandler(logging_path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return {}


def main() -> None:
    """Serves on the port given until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--access-log")
    parser.add_argument("--format", default="default")
    parser.add_argument("--logging")
    options = parser.parse_args()
    routes = [("/", Hello), ("/async", AsyncHello), ("/json", Json)]
    app = Application(routes, **log_settings(options.access_log, options.format, options.logging))
    app.listen(options.port, "127.0.0.1")
    IOLoop.current().start()


if __name__ == "__main__":
    main()
