"""client.stream(): the body piece by piece, at the program's pace."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from gustnado.errors import UsageError
from gustnado.http.client import errors
from gustnado.http.client.streaming import HIGH_WATER

BODY = bytes(range(256)) * 8000


def test_a_body_in_pieces(run, serve, new_client, answers):
    async def main():
        async with serve(answers.ok(BODY, b"X-A: 1")) as server, new_client() as client:
            for _ in range(2):
                async with client.stream(server.url) as response:
                    assert (response.code, response.reason, response.headers["X-A"]) == (200, "OK", "1")
                    assert response.effective_url == server.url
                    chunks = [chunk async for chunk in response]
                    assert len(chunks) > 1
                    assert b"".join(chunks) == BODY
                    assert (await response.response()).time_info["total"] > 0
            assert server.connections == 1

    run(main())


def test_reading_it_whole(run, serve, new_client, answers):
    async def main():
        packed = answers.ok(gzip.compress(BODY), b"Content-Encoding: gzip")
        moved = answers.ok(b"", b"Location: /b", status=b"302 Found")
        async with serve(moved, packed, answers.ok(b"")) as server, new_client() as client:
            async with client.stream(server.url) as response:
                assert response.effective_url == f"{server.url}b"
                assert await response.read() == BODY
            async with client.stream(server.url, method="POST", body=b"x") as response:
                assert await response.read() == b""

    run(main())


def test_the_network_waits_for_the_program(run, serve, new_client):
    async def main():
        sent = 0

        async def pour(server, reader, writer):
            nonlocal sent
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            for _ in range(1000):
                writer.write(b"x" * 65536)
                await writer.drain()
                sent += 65536
            writer.close()

        async with serve(pour) as server, new_client(max_buffer_size=1000) as client:
            async with client.stream(server.url) as response:
                before = -1
                while sent > before:  # until all buffers in between are full
                    before = sent
                    await asyncio.sleep(0.05)
                assert sent < 40_000_000
                assert response._size <= HIGH_WATER + 262144
                size = 0
                async for chunk in response:
                    size += len(chunk)
                assert size == 65_536_000

    run(main())


def test_other_statuses_raise_nothing(run, serve, new_client, answers):
    async def main():
        async with serve(answers.ok(b"gone", status=b"404 Gone")) as server, new_client() as client:
            async with client.stream(server.url) as response:
                assert (response.code, await response.read()) == (404, b"gone")

    run(main())


def test_leaving_early_closes_the_connection(run, serve, new_client, answers):
    async def main():
        async with serve(answers.ok(BODY * 10)) as server, new_client() as client:
            async with client.stream(server.url) as response:
                await anext(response)
            await server.until(lambda: not server.open)
            assert client.pool.active == 0
            with pytest.raises(ZeroDivisionError):
                async with client.stream(server.url):
                    raise ZeroDivisionError
            assert client.pool.active == 0

    run(main())


def test_no_head(run, serve, new_client, answers):
    async def main():
        async with serve(answers.CLOSE) as server, new_client() as client:
            with pytest.raises(errors.EmptyResponseError):
                async with client.stream(server.url):
                    raise AssertionError
            with pytest.raises(errors.InvalidURLError):
                async with client.stream("wind://"):
                    raise AssertionError

    run(main())


def test_a_body_that_breaks_off(run, serve, new_client, answers):
    async def main():
        answer = [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome", answers.CLOSE]
        async with serve(answer) as server, new_client() as client:
            async with client.stream(server.url) as response:
                chunks = []
                with pytest.raises(errors.IncompleteResponseError):
                    async for chunk in response:
                        chunks.append(chunk)
                assert chunks == [b"some"]
            async with client.stream(server.url):
                pass  # an error that nobody asks for is no complaint in the log

    run(main())


def test_a_cancelled_program(run, serve, new_client):
    async def main():
        async def hang(server, reader, writer):
            await reader.read()

        async with serve(hang) as server, new_client() as client:

            async def read():
                async with client.stream(server.url) as response:
                    await response.read()

            for steps in ([hang], [b"HTTP/1.1 200 OK\r\n\r\nx", hang]):
                server.answers = [steps]
                task = asyncio.ensure_future(read())
                await server.until(lambda: len(server.requests) > 0)
                await asyncio.sleep(0.02)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert client.pool.active == 0
                server.requests.clear()

    run(main())


def test_bounds(run, serve, new_client, answers):
    """Only one that is given counts: what is not kept may be long."""

    async def main():
        async with serve(answers.ok(b"x" * 2000)) as server:
            async with new_client(max_body_size=1000) as client:
                with pytest.raises(errors.ResponseTooLargeError):
                    async with client.stream(server.url) as response:
                        await response.read()
            async with new_client(max_buffer_size=1000) as client:
                async with client.stream(server.url) as response:
                    assert len(await response.read()) == 2000

    run(main())


def test_one_reader_at_a_time(run, serve, new_client):
    async def main():
        async def hang(server, reader, writer):
            await reader.read()

        async with serve([b"HTTP/1.1 200 OK\r\n\r\n", hang]) as server, new_client() as client:
            async with client.stream(server.url) as response:
                first = asyncio.ensure_future(response.read())
                await asyncio.sleep(0)
                with pytest.raises(UsageError, match="being read already"):
                    await response.read()
                first.cancel()

    run(main())
