"""Gustnado as the load programs want it: a greeting, uploads in every manner, and an answer without end.

Usage: ``load_server.py PORT LOOP``; the loop is one of those that ``IOLoop.configure`` knows. ``app`` is for
``gustnado run``.
"""

from __future__ import annotations

import sys
import time
import zlib
from typing import ClassVar

from gustnado.events import IOLoop
from gustnado.http import HTTPServer, Limits
from gustnado.web import Application, RequestHandler, pull_request_body, stream_request_body

PIECE = b"0" * 65536


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("Hello, world!")


class Upload(RequestHandler):
    """Answers with length and checksum of what was uploaded."""

    size = checksum = 0

    def take(self, data: bytes) -> None:
        self.size += len(data)
        self.checksum = zlib.crc32(data, self.checksum)

    def answer(self) -> None:
        self.write(f"{self.size} {self.checksum}")


@stream_request_body
class Push(Upload):
    def data_received(self, chunk: bytes) -> None:
        self.take(chunk)

    def post(self) -> None:
        self.answer()


@pull_request_body
class Pull(Upload):
    async def post(self) -> None:
        async for chunk in self.request.body_stream:
            self.take(chunk)
        self.answer()


@pull_request_body
class Parts(Upload):
    async def post(self) -> None:
        async for part in self.request.parts():
            async for chunk in part:
                self.take(chunk)
        self.answer()


@pull_request_body
class Spooled(Upload):
    async def post(self) -> None:
        with await self.request.form() as form:
            while data := await form.files["file"][0].read(1 << 18):
                self.take(data)
        self.answer()


class Files(Upload):
    def post(self) -> None:
        file = self.request.files["file"][0]
        self.take(file.body)
        self.answer()


class Endless(RequestHandler):
    """Writes until its client goes, or is cut off; notes how long it had taken nothing by then."""

    stalls: ClassVar[list[float]] = []
    progress = 0.0

    async def get(self) -> None:
        while True:
            self.write(PIECE)
            await self.flush()
            self.progress = time.monotonic()

    def on_connection_close(self) -> None:
        self.stalls.append(time.monotonic() - self.progress)


class Stalls(RequestHandler):
    """Those seconds."""

    def get(self) -> None:
        self.write({"seconds": Endless.stalls})


app = Application(
    [
        ("/", Hello),
        ("/push", Push),
        ("/pull", Pull),
        ("/parts", Parts),
        ("/spooled", Spooled),
        ("/files", Files),
        ("/endless", Endless),
        ("/stalls", Stalls),
    ],
    log_function=None,
)


def main() -> None:
    """Serves on the port given until killed."""
    _, port, loop = sys.argv
    IOLoop.configure(loop)
    HTTPServer(app, limits=Limits(max_body_size=12 << 20)).listen(int(port), "127.0.0.1")
    IOLoop.current().start()


if __name__ == "__main__":
    main()
