"""Clients that are slow in one way, and tell when and how each was cut off.

Usage: ``slow_clients.py PORT KIND COUNT``. The kinds are ``head`` and ``body``, of which a byte comes now and then, and
``read``: an answer that is not read. Prints a line for each client: seconds from its first byte to its end, and the
status that it was answered with, 0 for none. Then it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import time

PAUSE = 0.5  # seconds between two bytes
REQUESTS = {
    "head": b"GET / HTTP/1.1\r\nX-Slow: ",
    "body": b"POST /push HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n",
    "read": b"GET /endless HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
}


async def drip(writer: asyncio.StreamWriter) -> None:
    """A byte at a time, until somebody cancels it or the server goes."""
    with contextlib.suppress(ConnectionError):
        while True:
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(PAUSE)


async def wait_until_refused(sock: socket.socket) -> None:
    """Returns at the end of a client that does not read: its connection is reset, which sending to it tells."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(ConnectionError):
        while True:
            await asyncio.sleep(PAUSE / 5)
            await loop.sock_sendall(sock, b"\r\n")


async def client(port: int, kind: str, wait: float) -> tuple[float, int]:
    """One client, which begins after some seconds; returns seconds and status."""
    await asyncio.sleep(wait)
    loop = asyncio.get_running_loop()
    sock = socket.socket()
    sock.setblocking(False)
    if kind == "read":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with contextlib.closing(sock):
        await loop.sock_connect(sock, ("127.0.0.1", port))
        begin = time.monotonic()
        if kind == "read":
            await loop.sock_sendall(sock, REQUESTS[kind])
            await wait_until_refused(sock)
            return time.monotonic() - begin, 0
        reader, writer = await asyncio.open_connection(sock=sock)
        writer.write(REQUESTS[kind])
        dripping = asyncio.ensure_future(drip(writer))
        status = 0
        with contextlib.suppress(ConnectionError):
            line = await reader.readline()
            status = int(line.split()[1]) if line else 0
        ended = time.monotonic() - begin
        dripping.cancel()
        writer.transport.abort()
        return ended, status


async def main() -> None:
    """Runs all clients of one kind, which do not keep step: hundreds of bytes at once are a burst, not slowness."""
    _, port, kind, count = sys.argv
    waits = [PAUSE * number / int(count) for number in range(int(count))]
    for seconds, status in await asyncio.gather(*[client(int(port), kind, wait) for wait in waits]):
        print(f"{seconds:.3f} {status}")


if __name__ == "__main__":
    asyncio.run(main())
