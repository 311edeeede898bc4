"""The limit of Python: an ``asyncio.Protocol`` that answers each read with the same bytes.

Usage: ``protocol_fixed.py PORT aiofastnet`` (aiofastnet on uvloop) or ``protocol_fixed.py PORT asyncio``.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: Gustnado/0.1.0\r\nContent-Type: text/html; charset=UTF-8\r\n"
    b'Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nEtag: "943a702d06f34599aee1f8da8ef9f7296031d699"\r\n'
    b"Content-Length: 13\r\n\r\nHello, world!"
)


class Fixed(asyncio.Protocol):
    """Answers without looking at what was asked."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(ANSWER)


async def serve(port: int, transports: str) -> None:
    """Serves on ``port`` until killed."""
    loop = asyncio.get_running_loop()
    if transports == "aiofastnet":
        import aiofastnet

        server = await aiofastnet.create_server(loop, Fixed, "127.0.0.1", port)
    else:
        server = await loop.create_server(Fixed, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    if sys.argv[2] == "aiofastnet":
        import uvloop

        uvloop.run(serve(int(sys.argv[1]), sys.argv[2]))
    else:
        asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))
