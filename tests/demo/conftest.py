"""The weblog, served in a thread of its own on a free port, and a browser-like client for it."""

from __future__ import annotations

import asyncio
import re
import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from demo import passwords
from demo.app import make_app
from demo.store import DEMO_PASSWORD, DEMO_USER, Store

from gustnado.events.sockets import bind_sockets
from gustnado.http import HTTPServer

SECRET = "a secret of the tests, long enough to be one"


class Site:
    """A visitor: keeps cookies, fills in the hidden field of a form."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path)

    def submit(self, path: str, *, form: str | None = None, **fields: str) -> httpx.Response:
        """Loads the page with the form (``path``, if not said), and posts the fields with its token."""
        return self.client.post(path, data={"_xsrf": self.token(form or path), **fields})

    def upload(self, data: bytes, name: str = "sky.png", kind: str = "image/png", **fields: str) -> httpx.Response:
        """Posts a note with a picture."""
        fields = {"_xsrf": self.token("/posts/new"), "title": "Sky", "body": "text", **fields}
        return self.client.post("/posts/new", data=fields, files={"picture": (name, data, kind)})

    def token(self, path: str) -> str:
        """The XSRF token in the form of a page, whose cookie is kept."""
        found = re.search(r'name="_xsrf" value="([^"]+)"', self.client.get(path).text)
        assert found is not None
        return found[1]

    def sign_in(self) -> None:
        response = self.submit("/login", name=DEMO_USER, password=DEMO_PASSWORD)
        assert response.status_code == 303


def png(width: int, height: int) -> bytes:
    """A picture: an evening sky with the sun in it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    def pixel(x: int, y: int) -> bytes:
        distance = (x / width - 0.7) ** 2 * (width / height) ** 2 + (y / height - 0.6) ** 2
        glow, depth = max(0.0, 1 - distance * 3), y / height
        if distance < 0.01:
            return bytes((255, 244, 214))
        return bytes(map(int, (40 + 120 * depth + 80 * glow, 60 + 80 * depth + 30 * glow, 120 - 40 * depth)))

    rows = b"".join(b"\0" + b"".join(pixel(x, y) for x in range(width)) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )


@pytest.fixture(scope="session")
def picture() -> bytes:
    """A PNG of 480 x 270."""
    return png(480, 270)


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch):
    """Hashing a password takes a quarter of a second by design; not so here."""
    monkeypatch.setattr(passwords, "COST", 2)


@pytest.fixture
def store(tmp_path: Path, cheap_passwords: None) -> Iterator[Store]:
    made = Store(tmp_path / "demo.sqlite3")
    yield made
    made.close()


@pytest.fixture
def site(store: Store) -> Iterator[Site]:
    (socket,) = bind_sockets(0, "127.0.0.1")
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()

    async def serve() -> None:
        server = HTTPServer(make_app(store, SECRET))
        server.add_socket(socket)
        await ended.wait()
        server.stop()
        await server.close_all_connections()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{socket.getsockname()[1]}") as client:
            yield Site(client)
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()
