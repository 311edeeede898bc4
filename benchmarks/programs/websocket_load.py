"""The load of WebSocket servers: connections that send a message each, and the next one when it has come back.

Usage: ``websocket_load.py PORT CONNECTIONS SIZE SECONDS``. Compares every byte that comes back; a difference ends it
with an error. Pings are answered, since a server under load may send some. Prints what ``echo_load`` prints.
"""

from __future__ import annotations

import asyncio
import os
import struct
import sys
import time
from typing import Any

import uvloop

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


CLOSE, PING, PONG = 8, 9, 10


def head(size: int, mask: int) -> bytes:
    """The head of a binary frame."""
    if size < 126:
        return bytes([0x82, mask | size])
    if size < 65536:
        return struct.pack("!BBH", 0x82, mask | 126, size)
    return struct.pack("!BBQ", 0x82, mask | 127, size)


class Message:
    """What all connections send, and what has to come back."""

    def __init__(self, size: int) -> None:
        payload, key = os.urandom(size), os.urandom(4)
        keys = (key * (size // 4 + 1))[:size]
        masked = int.from_bytes(payload, "big") ^ int.from_bytes(keys, "big")
        self.sent = head(size, 128) + key + masked.to_bytes(size, "big")
        self.expected = head(size, 0) + payload


class Client(asyncio.Protocol):
    """One connection."""

    transport: Any

    def __init__(self, message: Message, delays: list[float], failed: asyncio.Future[None]) -> None:
        self.message = message
        self.delays = delays
        self.failed = failed
        self.open = False
        self.received = bytearray()
        self.began = 0.0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not self.open:
            end = self.received.find(b"\r\n\r\n")
            if end < 0:
                return
            if not self.received.startswith(b"HTTP/1.1 101 "):
                self.fail(f"not a WebSocket: {bytes(self.received[:80])!r}")
                return
            self.open = True
            del self.received[: end + 4]
            self.send()
        while self.received and (self.take_control() if self.received[0] & 8 else self.take_message()):
            pass

    def take_message(self) -> bool:
        """Compare what has come back; false where it is not whole yet, or is not what was sent."""
        expected = self.message.expected
        size = len(expected)
        if len(self.received) < size:
            return False
        if not self.received.startswith(expected):
            place = next(i for i in range(size) if self.received[i] != expected[i])
            came, sent = bytes(self.received[place : place + 8]).hex(), expected[place : place + 8].hex()
            self.fail(f"another message came back than was sent: from byte {place} of {size} on {came}, not {sent}")
            return False
        del self.received[:size]
        self.delays.append(time.perf_counter() - self.began)
        self.send()
        return True

    def take_control(self) -> bool:
        """Take a control frame: answer a ping, fail at a close frame; false where it is not whole yet."""
        if len(self.received) < 2 or len(self.received) < 2 + self.received[1]:
            return False
        opcode, payload = self.received[0] & 15, bytes(self.received[2 : 2 + self.received[1]])
        del self.received[: 2 + len(payload)]
        if opcode == CLOSE:
            code, reason = int.from_bytes(payload[:2], "big"), payload[2:].decode(errors="replace")
            self.fail(f"the server closed: {code} {reason}")
            return False
        if opcode == PING:
            self.transport.write(bytes([0x80 | PONG, 0x80 | len(payload), 0, 0, 0, 0]) + payload)
        return True

    def connection_lost(self, error: BaseException | None) -> None:
        self.fail(f"the server closed: {error}")

    def send(self) -> None:
        self.began = time.perf_counter()
        self.transport.write(self.message.sent)

    def fail(self, why: str) -> None:
        if not self.failed.done():
            self.failed.set_exception(SystemExit(why))


async def main(port: int, connections: int, size: int, seconds: float) -> None:
    """Runs the load and prints what it saw."""
    loop = asyncio.get_running_loop()
    failed: asyncio.Future[None] = loop.create_future()
    message, delays = Message(size), list[float]()
    for _ in range(connections):
        await loop.create_connection(lambda: Client(message, delays, failed), "127.0.0.1", port)
    delays.clear()
    began = time.perf_counter()
    await asyncio.wait([failed], timeout=seconds)
    taken = time.perf_counter() - began
    if failed.done():
        failed.result()
    found = sorted(delays)
    p50, p99 = (found[int(len(found) * part)] * 1e6 if found else 0.0 for part in (0.5, 0.99))
    sys.stdout.write(f"{len(found)} messages in {taken:.3f} s, p50 {p50:.0f} us, p99 {p99:.0f} us\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    port, connections, size = map(int, sys.argv[1:4])
    uvloop.run(main(port, connections, size, float(sys.argv[4])))
