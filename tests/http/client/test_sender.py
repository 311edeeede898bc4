"""Bodies in pieces: long ones, produced ones, and those that wait to be asked for."""

from __future__ import annotations

import asyncio

import pytest

from gustnado.errors import HTTPOutputError, StreamClosedError


def body_of(request):
    return request.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 3_000_000])
def test_bodies_of_any_size(run, serve, new_client, answers, size):
    async def main():
        body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        async with serve(answers.ok()) as server, new_client() as client:
            for _ in range(2):
                await client.fetch(server.url, method="PUT", body=body)
            assert [body_of(request) for request in server.requests] == [body, body]
            assert server.connections == 1

    run(main())


def producers():
    def plain(write):
        write(b"1234")
        write(b"")
        write("5678")

    async def native(write):
        await write(b"1234")
        await asyncio.sleep(0)
        await write(b"5678")

    return [plain, native]


@pytest.mark.parametrize("producer", producers())
@pytest.mark.parametrize("headers", [{}, {"Content-Length": "8"}])
def test_produced_bodies(run, serve, new_client, answers, producer, headers):
    async def main():
        async with serve(answers.ok()) as server, new_client() as client:
            for _ in range(2):
                await client.fetch(server.url, method="POST", body_producer=producer, headers=headers)
            expected = b"12345678" if headers else b"4\r\n1234\r\n4\r\n5678\r\n0\r\n\r\n"
            assert [body_of(request) for request in server.requests] == [expected] * 2
            assert (server.header(0, "Transfer-Encoding") is None) == bool(headers)
            assert server.connections == 1

    run(main())


def test_a_producer_waits_for_a_slow_network(run, serve, new_client, answers):
    async def main():
        piece = b"x" * 100_000
        written = 0
        go_on = asyncio.Event()

        async def read_slowly(server, reader, writer):
            await go_on.wait()
            await answers.read_body(b"Content-Length: 20000000", reader)
            writer.write(answers.ok())

        async def produce(write):
            nonlocal written
            for _ in range(200):
                future = write(piece)
                if not future.done():
                    go_on.set()
                await future
                written += 1

        # The head says that it wants to be asked first, so the helper does not read the body itself.
        async with serve([b"HTTP/1.1 100 Continue\r\n\r\n", read_slowly]) as server, new_client() as client:
            await client.fetch(
                server.url, method="POST", body_producer=produce, expect_100_continue=True,
                headers={"Content-Length": "20000000"},
            )  # fmt: skip
            assert go_on.is_set()
            assert written == 200

    run(main())


@pytest.mark.parametrize(
    ("length", "error", "message"),
    [("3", HTTPOutputError, "more data than Content-Length"), ("5", HTTPOutputError, "1 bytes less")],
)
def test_more_or_less_than_was_said(run, serve, new_client, answers, length, error, message):
    async def main():
        async with serve(answers.ok()) as server, new_client() as client:
            with pytest.raises(error, match=message):
                await client.fetch(
                    server.url, method="POST", body_producer=lambda write: write(b"1234") and None,
                    headers={"Content-Length": length},
                )  # fmt: skip
            await server.until(lambda: not server.open)
            assert client.pool.active == 0

    run(main())


def test_what_a_producer_raises_is_raised(run, serve, new_client, answers):
    async def main():
        def at_once(write):
            raise ZeroDivisionError

        async def later(write):
            await write(b"x")
            raise ZeroDivisionError

        async with serve(answers.ok()) as server, new_client() as client:
            for producer in (at_once, later):
                with pytest.raises(ZeroDivisionError):
                    await client.fetch(server.url, method="POST", body_producer=producer)
                assert client.pool.active == 0

    run(main())


def test_a_producer_is_stopped_with_its_fetch(run, serve, new_client, answers):
    async def main():
        stopped = asyncio.Event()
        started = asyncio.Event()

        async def produce(write):
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                stopped.set()

        async with serve(answers.ok()) as server, new_client() as client:
            future = client.fetch(server.url, method="POST", body_producer=produce)
            await started.wait()
            future.cancel()
            await stopped.wait()

    run(main())


def test_a_producer_that_goes_on_after_the_end_is_told(run, serve, new_client, answers):
    async def main():
        kept = []

        def produce(write):
            kept.append(write)

        async with serve(answers.ok()) as server, new_client() as client:
            await client.fetch(server.url, method="POST", body_producer=produce)
            with pytest.raises(StreamClosedError):
                await kept[0](b"more")

    run(main())


@pytest.mark.parametrize("produced", [False, True])
def test_the_server_asks_for_the_body(run, serve, new_client, answers, produced):
    async def main():
        async def ask(server, reader, writer):
            assert server.requests[-1].endswith(b"\r\n\r\n")
            assert b"Expect: 100-continue\r\n" in server.requests[-1]
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = await answers.read_body(server.requests[-1], reader)
            writer.write(answers.ok(body))

        async with serve(ask) as server, new_client() as client:
            body = {"body_producer": lambda write: write(b"data") and None, "headers": {"Content-Length": "4"}}
            for _ in range(2):
                options = body if produced else {"body": b"data"}
                response = await client.fetch(server.url, method="POST", expect_100_continue=True, **options)
                assert response.body == b"data"
            assert server.connections == 1

    run(main())


def test_the_server_does_not_want_the_body(run, serve, new_client, answers):
    """Then nothing of it is sent, nor is the connection used again (RFC 9110 section 10.1.1)."""

    async def main():
        def produce(write):
            raise AssertionError("not wanted")

        async with serve(answers.ok(b"no", status=b"417 No")) as server, new_client() as client:
            for options in ({"body_producer": produce}, {"body": b"data"}):
                response = await client.fetch(
                    server.url, method="POST", expect_100_continue=True, raise_error=False, **options
                )
                assert response.code == 417
                assert client.pool.idle() == []
            assert all(request.endswith(b"\r\n\r\n") for request in server.requests)
            assert server.connections == 2

    run(main())


def test_a_server_that_never_asks_gets_it_all_the_same(run, serve, new_client, answers, monkeypatch):
    monkeypatch.setattr("gustnado.http.client.connection._CONTINUE_TIMEOUT", 0.02)

    async def main():
        async def wait(server, reader, writer):
            body = await answers.read_body(server.requests[-1], reader)
            writer.write(answers.ok(body))

        async with serve(wait) as server, new_client() as client:
            response = await client.fetch(server.url, method="POST", expect_100_continue=True, body=b"data")
            assert response.body == b"data"

    run(main())
