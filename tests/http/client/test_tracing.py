"""What a client tells of the life of its requests."""

from __future__ import annotations

import asyncio

import pytest

from gustnado.http.client.tracing import ClientTrace


class Notes(ClientTrace):
    def __init__(self):
        self.notes = []

    def queued(self, request):
        self.notes.append(("queued", request.url[-1]))

    def connected(self, request, reused):
        self.notes.append(("connected", request.url[-1], reused))

    def first_byte(self, request):
        self.notes.append(("first_byte", request.url[-1]))

    def done(self, request, response):
        self.notes.append(("done", request.url[-1], response.code))


def test_the_whole_life(run, serve, new_client, answers):
    async def main():
        trace = Notes()
        async with serve(answers.ok()) as server, new_client(trace=trace, max_clients=1) as client:
            await asyncio.gather(client.fetch(f"{server.url}a"), client.fetch(f"{server.url}b"))
            assert trace.notes == [
                ("queued", "b"),
                ("connected", "a", False),
                ("first_byte", "a"),
                ("connected", "b", True),
                ("done", "a", 200),
                ("first_byte", "b"),
                ("done", "b", 200),
            ]

    run(main())


def test_failures_and_cancellations(run, serve, new_client, answers):
    async def main():
        trace = Notes()
        async with serve(answers.CLOSE) as server, new_client(trace=trace) as client:
            with pytest.raises(OSError):
                await client.fetch("http://127.0.0.1:1/x", network_interface="127.0.0.1")
            with pytest.raises(ValueError):
                await client.fetch("wind")
            client.fetch(f"{server.url}c").cancel()
            assert trace.notes == [("done", "x", 599), ("done", "d", 599), ("done", "c", 599)]

    run(main())


def test_it_does_nothing_by_itself(run, serve, new_client, answers):
    async def main():
        async with serve(answers.ok()) as server, new_client(trace=ClientTrace()) as client:
            assert (await client.fetch(server.url)).body == b"hello"

    run(main())
