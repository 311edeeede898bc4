"""Tests for gustnado.http.ws.reconnect."""

from __future__ import annotations

import asyncio
import logging
import random

import pytest
import websockets

from gustnado.errors import UsageError
from gustnado.events.sockets import bind_sockets
from gustnado.http.client.errors import ConnectTimeoutError, HTTPClientError
from gustnado.http.client.request import HTTPRequest
from gustnado.http.ws.errors import WebSocketError, WebSocketHandshakeError
from gustnado.http.ws.reconnect import Backoff, ReconnectingWebSocket, is_temporary


class TestBackoff:
    def test_pauses_grow_up_to_the_last_and_are_random(self):
        backoff = Backoff(1, 10, rng=random.Random(1))
        pauses = [backoff.next() for _ in range(8)]
        for pause, bound in zip(pauses, [1, 2, 4, 8, 10, 10, 10, 10], strict=True):
            assert bound / 2 <= pause <= bound
        assert len(set(pauses)) == 8
        backoff.reset()
        assert backoff.next() <= 1

    def test_two_clients_do_not_wait_alike(self):
        assert Backoff().next() != Backoff().next()

    @pytest.mark.parametrize("wrong", [{"initial": 0}, {"maximum": 0.1}, {"factor": 0.5}, {"stable": -1}])
    def test_what_makes_no_sense(self, wrong):
        with pytest.raises(UsageError, match="no back-off has"):
            Backoff(**wrong)


@pytest.mark.parametrize(
    ("error", "temporary"),
    [
        (ConnectionRefusedError(), True),
        (ConnectTimeoutError("x"), True),
        (HTTPClientError(503), True),
        (HTTPClientError(429), True),
        (WebSocketError("x"), True),
        (HTTPClientError(403), False),
        (HTTPClientError(302), False),
        (WebSocketHandshakeError("x"), False),
        (ValueError("x"), False),
    ],
)
def test_what_is_worth_another_attempt(error, temporary):
    assert is_temporary(error) == temporary


def port_of_nobody():
    sock = bind_sockets(0, "127.0.0.1")[0]
    port = sock.getsockname()[1]
    sock.close()
    return port


class Pauses:
    """Stands for asyncio.sleep: notes the pauses, and has something done in them."""

    def __init__(self, then=None):
        self.taken = []
        self.then = then

    async def __call__(self, seconds):
        self.taken.append(seconds)
        await asyncio.sleep(0)
        if self.then is not None:
            await self.then(len(self.taken))


def test_a_connection_that_is_lost_is_replaced(run):
    async def greet(ws):
        await ws.send("hello")
        await ws.close(1012)

    async def main():
        pauses, heard = Pauses(), []
        async with websockets.serve(greet, "127.0.0.1", 0) as server:
            url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            async for ws in ReconnectingWebSocket(url, sleep=pauses, backoff=Backoff(1, 100)):
                heard += [message async for message in ws]
                assert ws.close_code == 1012
                if len(heard) == 4:
                    break
        assert heard == ["hello"] * 4
        for pause, bound in zip(pauses.taken, [1, 2, 4], strict=True):
            assert bound / 2 <= pause <= bound

    run(main())


def test_one_that_has_lasted_begins_anew(run):
    async def greet(ws):
        await ws.close()

    async def main():
        pauses, rounds = Pauses(), 0
        async with websockets.serve(greet, "127.0.0.1", 0) as server:
            url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            async for ws in ReconnectingWebSocket(url, sleep=pauses, backoff=Backoff(1, 100, stable=0)):
                rounds += 1
                assert await ws.read_message() is None
                if rounds == 5:
                    break
        assert max(pauses.taken) <= 1

    run(main())


def test_a_server_that_comes_late(run, expect_log):
    async def main():
        port = port_of_nobody()
        started = []

        async def then(count):
            if count == 3:
                started.append(await websockets.serve(lambda ws: ws.send("here"), "127.0.0.1", port))

        pauses = Pauses(then)
        with expect_log("gustnado.general", "will try again", level=logging.INFO, count=3):
            async for ws in ReconnectingWebSocket(f"ws://127.0.0.1:{port}/", sleep=pauses):
                assert await ws.read_message() == "here"
                break
        assert len(pauses.taken) == 3
        started[0].close()
        await started[0].wait_closed()

    run(main())


def test_a_refusal_is_raised(run):
    async def refuse(connection, request):
        return connection.respond(403, "not you")

    async def main():
        async with websockets.serve(lambda ws: None, "127.0.0.1", 0, process_request=refuse) as server:
            url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            with pytest.raises(HTTPClientError, match="403"):
                async for _ in ReconnectingWebSocket(url):
                    pass

    run(main())


def test_the_url_may_be_made_for_each_attempt(run):
    paths = []

    async def note(ws):
        paths.append(ws.request.path)

    async def main():
        async with websockets.serve(note, "127.0.0.1", 0) as server:
            base = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"

            async def url():
                return HTTPRequest(f"{base}{len(paths)}")

            async for ws in ReconnectingWebSocket(url, sleep=Pauses()):
                assert await ws.read_message() is None
                if len(paths) == 3:
                    break
        assert paths == ["/0", "/1", "/2"]

    run(main())


def test_what_the_loop_raises_closes_the_connection(run):
    gone = asyncio.Event()

    async def wait(ws):
        await ws.wait_closed()
        gone.set()

    async def main():
        async with websockets.serve(wait, "127.0.0.1", 0) as server:
            url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            connections = aiter(ReconnectingWebSocket(url))
            await anext(connections)
            await connections.aclose()
            await gone.wait()

    run(main())


@pytest.mark.parametrize("name", ["callback", "on_message_callback"])
def test_callbacks_make_no_sense(name):
    with pytest.raises(UsageError, match="takes no callbacks"):
        ReconnectingWebSocket("ws://x/", **{name: print})
