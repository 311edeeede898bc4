"""HTTPClient: for programs without a loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from gustnado.http.client.blocking import HTTPClient
from gustnado.http.client.errors import HTTPClientError, RequestError
from gustnado.http.client.simple import SimpleAsyncHTTPClient


@pytest.fixture
def url(serve, answers) -> Iterator[str]:
    """A server in a thread of its own: the first request is answered with 200, the next with 404, and so on."""
    ready = threading.Event()
    found: list[str] = []

    async def main():
        done = asyncio.Event()
        both = [answers.ok(b"hi"), answers.ok(b"", status=b"404 Gone")] * 5
        async with serve(*both) as server:
            found.append(server.url)
            loops.append((asyncio.get_running_loop(), done))
            ready.set()
            await done.wait()

    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    ready.wait(30)
    yield found[0]
    loop, done = loops[0]
    loop.call_soon_threadsafe(done.set)
    thread.join(30)


def test_fetching(url):
    client = HTTPClient()
    assert client.fetch(url).body == b"hi"
    with pytest.raises(HTTPClientError, match="404"):
        client.fetch(url)
    assert client.fetch(url, method="DELETE", raise_error=False).code == 200
    client.close()
    client.close()


def test_arguments_are_those_of_the_client(url):
    client = HTTPClient(SimpleAsyncHTTPClient, defaults={"user_agent": "mine"}, max_clients=1)
    assert client.fetch(url).body == b"hi"
    client.close()


def test_bad_arguments_leave_nothing_open():
    with pytest.raises(RequestError):
        HTTPClient(defaults={"auth_mode": "wind"})


def test_it_closes_itself(url):
    client = HTTPClient()
    client.fetch(url)
    del client


def test_not_where_a_loop_runs(run):
    async def main():
        with pytest.raises(RuntimeError):
            HTTPClient()

    run(main())
