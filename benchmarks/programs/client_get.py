"""Fetches one URL again and again, 16 at once over kept connections, and prints what that cost.

Usage: ``client_get.py gustnado|aiohttp|tornado_curl|httpx URL SECONDS``. Prints the number of requests and the CPU time
of this process for all of them in nanoseconds. Every response must have the body ``Hello, world!``.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

AT_ONCE = 16
WARM_UP = 0.5
"""Seconds."""
BODY = b"Hello, world!"

Get = Callable[[], Awaitable[bytes]]
Close = Callable[[], Any]


def gustnado(url: str) -> tuple[Get, Close]:
    from gustnado.http import AsyncHTTPClient

    client = AsyncHTTPClient()

    async def get() -> bytes:
        return (await client.fetch(url)).body

    return get, client.close


def aiohttp(url: str) -> tuple[Get, Close]:
    import aiohttp as library

    session = library.ClientSession()

    async def get() -> bytes:
        async with session.get(url) as response:
            return await response.read()

    return get, session.close


def tornado_curl(url: str) -> tuple[Get, Close]:
    from tornado.curl_httpclient import CurlAsyncHTTPClient

    client: Any = CurlAsyncHTTPClient(max_clients=AT_ONCE)

    async def get() -> bytes:
        body: bytes = (await client.fetch(url)).body
        return body

    return get, client.close


def httpx(url: str) -> tuple[Get, Close]:
    import httpx as library

    client = library.AsyncClient()

    async def get() -> bytes:
        return (await client.get(url)).content

    return get, client.aclose


async def fetch_for(seconds: float, get: Get) -> int:
    """How many requests were answered in that time."""
    end = time.monotonic() + seconds
    count = 0

    async def work() -> None:
        nonlocal count
        while time.monotonic() < end:
            if await get() != BODY:
                sys.exit("a response has another body")
            count += 1

    await asyncio.gather(*[work() for _ in range(AT_ONCE)])
    return count


async def main(manner: str, url: str, seconds: str) -> None:
    makers = {"gustnado": gustnado, "aiohttp": aiohttp, "tornado_curl": tornado_curl, "httpx": httpx}
    get, close = makers[manner](url)
    await fetch_for(WARM_UP, get)
    before = time.process_time_ns()
    count = await fetch_for(float(seconds), get)
    print(count, time.process_time_ns() - before)
    closing = close()
    if closing is not None:
        await closing


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(*sys.argv[1:]))
