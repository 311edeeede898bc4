"""Granian with one worker. Usage: ``granian_server.py PORT wsgi|rsgi|asgi|starlette``."""

from __future__ import annotations

import sys
from pathlib import Path

from granian.constants import Interfaces
from granian.server import Server

TARGETS = {
    "wsgi": ("raw_apps:wsgi", Interfaces.WSGI),
    "rsgi": ("raw_apps:rsgi", Interfaces.RSGI),
    "asgi": ("raw_apps:asgi", Interfaces.ASGI),
    "starlette": ("starlette_app:app", Interfaces.ASGI),
}

if __name__ == "__main__":
    target, interface = TARGETS[sys.argv[2]]
    Server(
        target,
        address="127.0.0.1",
        port=int(sys.argv[1]),
        interface=interface,
        workers=1,
        websockets=False,
        log_enabled=False,
        working_dir=Path(__file__).parent,
    ).serve()
