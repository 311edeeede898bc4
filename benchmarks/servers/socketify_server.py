"""socketify: a C++ server with a Python handler. Usage: ``socketify_server.py PORT``."""

from __future__ import annotations

import sys
from typing import Any

from socketify import App, AppListenOptions


def hello(response: Any, request: Any) -> None:
    """Answers the 13 bytes."""
    response.write_header("Content-Type", "text/plain; charset=UTF-8")
    response.end("Hello, world!")


if __name__ == "__main__":
    app = App()
    app.get("/", hello)
    app.listen(AppListenOptions(port=int(sys.argv[1]), host="127.0.0.1"))
    app.run()
