"""Ten thousand requests to a server that closes connections at random moments.

Each either succeeds, with the answer to that very request, or fails with an error that says so. None is answered
twice, and only those that may be are sent twice. The moments are drawn from a seed.
"""

from __future__ import annotations

import asyncio
import random
import re
import socket
import struct
from collections import Counter

import pytest

from gustnado.http.client.errors import HTTPStreamClosedError
from gustnado.http.client.fetch import IDEMPOTENT
from gustnado.http.client.simple import SimpleAsyncHTTPClient

REQUESTS = 10_000
AT_ONCE = 32
METHODS = ("GET", "GET", "POST", "PUT", "DELETE", "PATCH")
NUMBER = re.compile(rb"^X-Number: ([0-9]+)\r\n", re.M)
LENGTH = re.compile(rb"^Content-Length: ([0-9]+)\r\n", re.M)


class Moody:
    """Answers each request with its number, unless it is in the mood to close: before, within, or after the answer."""

    def __init__(self, seed: int) -> None:
        self.mood = random.Random(seed)
        self.received: Counter[int] = Counter()
        self.answered: Counter[int] = Counter()
        self.open = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = LENGTH.search(head)
                if length is not None:
                    await reader.readexactly(int(length[1]))
                found = NUMBER.search(head)
                assert found is not None
                number = int(found[1])
                self.received[number] += 1
                if not await self.answer(number, writer):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has closed
        finally:
            writer.close()
            self.open -= 1

    async def answer(self, number: int, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection lives on."""
        body = b"%d" % number * self.mood.randrange(1, 50)
        data = b"HTTP/1.1 200 OK\r\nX-Number: %d\r\nContent-Length: %d\r\n\r\n%b" % (number, len(body), body)
        mood = self.mood.random()
        if mood < 0.05:
            return self.end(writer)
        if mood < 0.10:
            writer.write(data[: self.mood.randrange(1, len(data))])
            if self.mood.random() < 0.5:
                await asyncio.sleep(0)
            return self.end(writer)
        self.answered[number] += 1
        writer.write(data)
        if mood < 0.20:
            for _ in range(self.mood.randrange(3)):
                await asyncio.sleep(0)
            return self.end(writer, gently=True)
        return True

    def end(self, writer: asyncio.StreamWriter, gently: bool = False) -> bool:
        if not gently and self.mood.random() < 0.5:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        return False


@pytest.mark.parametrize("seed", [1])
def test_each_succeeds_once_or_fails(run, seed):
    async def main():
        asyncio.get_running_loop().set_debug(False)  # in which so many requests take a minute
        moody = Moody(seed)
        listening = await asyncio.start_server(moody.serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
        client = SimpleAsyncHTTPClient(force_instance=True, max_clients=AT_ONCE)
        choice = random.Random(seed + 1)
        plan = [choice.choice(METHODS) for _ in range(REQUESTS)]
        outcomes: Counter[str] = Counter()
        numbers = iter(range(REQUESTS))

        async def work():
            for number in numbers:
                method = plan[number]
                body = b"x" * choice.randrange(100) if method in ("POST", "PUT", "PATCH") else None
                headers = {"X-Number": str(number)}
                try:
                    response = await client.fetch(url, method=method, body=body, headers=headers)
                except HTTPStreamClosedError as error:
                    assert "the response from 127.0.0.1" in str(error)
                    outcomes["failed"] += 1
                    continue
                assert response.headers["X-Number"] == str(number)
                assert response.body.replace(b"%d" % number, b"") == b""
                assert moody.answered[number] == 1
                outcomes["succeeded"] += 1

        await asyncio.gather(*[work() for _ in range(AT_ONCE)])
        assert outcomes.total() == REQUESTS
        assert outcomes["succeeded"] > 0.8 * REQUESTS
        assert outcomes["failed"] > 0.05 * REQUESTS
        twice = [number for number, times in moody.received.items() if times > 1]
        assert twice  # else this has shown nothing
        assert all(plan[number] in IDEMPOTENT for number in twice)
        assert max(moody.received.values()) == 2
        assert (client.pool.active, client.active) == (0, {})
        client.close()
        listening.close()
        while moody.open:
            await asyncio.sleep(0.01)

    run(main())
