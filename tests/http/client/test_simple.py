"""The client: who gets which connection, how long they are kept, and how it ends."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import textwrap

import pytest

from gustnado.http.client import errors
from gustnado.http.client.request import HTTPRequest
from gustnado.http.client.response import HTTPResponse
from gustnado.http.client.simple import SimpleAsyncHTTPClient


def test_many_requests_share_few_connections(run, serve, new_client, answers):
    async def main():
        async with serve(answers.ok()) as server, new_client(max_clients=7) as client:
            responses = await asyncio.gather(*[client.fetch(f"{server.url}{number}") for number in range(100)])
            assert all(response.body == b"hello" for response in responses)
            assert server.connections == 7
            assert len(server.requests) == 100
            assert len(client.pool.idle()) == 7

    run(main())


def test_the_line(run, serve, new_client, answers):
    async def main():
        go_on = asyncio.Event()

        async def wait(server, reader, writer):
            await go_on.wait()
            writer.write(answers.ok())

        async with serve(wait) as server, new_client(max_clients=2) as client:
            futures = [client.fetch(f"{server.url}{number}") for number in range(4)]
            await server.until(lambda: len(server.requests) == 2)
            assert [request.url[-1] for request in client.queue] == ["2", "3"]
            assert len(client.waiting) == len(client.active) == 2
            go_on.set()
            await asyncio.gather(*futures)
            assert client.queue == []
            assert client.active == {}

    run(main())


def test_one_host_does_not_take_all(run, serve, new_client, answers, monkeypatch):
    monkeypatch.setattr("gustnado.http.client.simple._LONG_WAIT", 3600.0)

    async def main():
        async with serve([0.05, answers.ok()]) as busy, serve(answers.ok()) as idle:
            async with new_client(max_clients=4, max_clients_per_host=2) as client:
                busy_ones = [client.fetch(busy.url) for _ in range(6)]
                await client.fetch(idle.url)
                assert not all(future.done() for future in busy_ones)
                await asyncio.gather(*busy_ones)
                assert busy.connections == 2

    run(main())


def test_waiting_for_too_long(run, serve, new_client, answers):
    async def main():
        async def hang(server, reader, writer):
            await reader.read()

        async with serve(hang) as server, new_client(max_clients=1) as client:
            first = client.fetch(server.url)
            for options in ({"queue_timeout": 0.05}, {"connect_timeout": 0.05}, {"request_timeout": 0.05}):
                with pytest.raises((errors.QueueTimeoutError, errors.RequestTimeoutError), match="Timeout"):
                    await client.fetch(server.url, **options)
            assert client.queue == []
            first.cancel()

    run(main())


def test_a_long_line_is_worth_a_line_in_the_log(run, serve, new_client, answers, expect_log, monkeypatch):
    monkeypatch.setattr("gustnado.http.client.simple._LONG_WAIT", 0.03)

    async def main():
        async with serve([0.1, answers.ok()]) as server, new_client(max_clients=1) as client:
            with expect_log("gustnado.general", r"[45] requests wait for one of max_clients=1 connections"):
                await asyncio.gather(*[client.fetch(server.url) for _ in range(6)])

    run(main())


def test_idle_connections_are_closed_in_time(run, serve, new_client, answers):
    async def main():
        async with serve(answers.ok()) as server, new_client(idle_timeout=0.05) as client:
            await client.fetch(server.url)
            assert server.open == 1
            await server.until(lambda: not server.open)
            assert client.pool.idle() == []
            await client.fetch(server.url)
            assert server.connections == 2

    run(main())


@pytest.mark.parametrize(
    ("hint", "least", "most"),
    [(b"timeout=5", 3.9, 4.1), (b"timeout=1", 0.4, 0.6), (b"timeout=600, max=9", 59, 61), (b"wind", 59, 61)],
)
def test_the_server_says_how_long_it_keeps_them(run, serve, new_client, answers, hint, least, most):
    async def main():
        async with serve(answers.ok(b"", b"Keep-Alive: " + hint)) as server, new_client() as client:
            await client.fetch(server.url)
            assert least < client.pool.next_deadline() - asyncio.get_running_loop().time() < most

    run(main())


def test_no_more_are_kept_than_may_be(run, serve, new_client, answers):
    async def main():
        async with serve(answers.ok()) as server, new_client(max_idle=2) as client:
            await asyncio.gather(*[client.fetch(server.url) for _ in range(5)])
            await server.until(lambda: server.open == 2)
            assert len(client.pool.idle()) == 2

    run(main())


def test_closing_fails_what_is_in_flight(run, serve, new_client, answers):
    async def main():
        async def hang(server, reader, writer):
            await reader.read()

        async with serve(hang) as server, new_client(max_clients=2) as client:
            futures = [client.fetch(server.url) for _ in range(3)]
            await server.until(lambda: len(server.requests) == 2)
            client.close()
            client.close()
            for future in futures:
                with pytest.raises(errors.ClientClosedError):
                    await future
            await server.until(lambda: not server.open)
            with pytest.raises(RuntimeError, match="closed"):
                client.fetch(server.url)
            with pytest.raises(RuntimeError, match="closed"):
                client.stream(server.url)

    run(main())


def test_a_client_that_nobody_closes_leaves_nothing_open(run, serve, answers):
    """The loop's end closes its connections: a warning of an open socket would fail this test."""

    async def main():
        async with serve(answers.ok()) as server:
            client = SimpleAsyncHTTPClient()
            await client.fetch(server.url)
            assert len(client.pool.idle()) == 1

    run(main())
    gc.collect()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_program_that_closes_nothing_ends_quietly(loop):
    program = """
        import asyncio, socket, sys, threading
        from gustnado.http import AsyncHTTPClient

        def serve():
            peer, _ = listening.accept()
            with peer:
                while peer.recv(65536):
                    peer.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nhi")

        async def main():
            url = "http://127.0.0.1:%d/" % listening.getsockname()[1]
            print((await AsyncHTTPClient().fetch(url)).body)

        with socket.create_server(("127.0.0.1", 0)) as listening:
            thread = threading.Thread(target=serve)
            thread.start()
            if sys.argv[1] == "uvloop":
                import uvloop
                uvloop.run(main())
            else:
                asyncio.run(main())
            thread.join()  # which it does only where the connection is closed
    """
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program), loop],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.stdout, ran.stderr, ran.returncode) == ("b'hi'\n", "", 0)


def test_defaults(run, serve, new_client, answers):
    async def main():
        defaults = {"user_agent": "mine", "follow_redirects": False}
        async with serve(answers.ok()) as server, new_client(defaults=defaults) as client:
            await client.fetch(server.url)
            await client.fetch(server.url, user_agent="yours")
            assert [server.header(index, "User-Agent") for index in range(2)] == ["mine", "yours"]
            assert client.defaults["follow_redirects"] is False

    run(main())


def test_defaults_that_cannot_be(run):
    async def main():
        with pytest.raises(errors.RequestError, match="auth_mode"):
            SimpleAsyncHTTPClient(force_instance=True, defaults={"auth_mode": "wind"})

    run(main())


def test_hostname_mapping(run, serve, new_client, answers):
    async def main():
        async with serve(answers.ok()) as server:
            async with new_client(hostname_mapping={("a.example", 80): ("127.0.0.1", server.port)}) as client:
                assert (await client.fetch("http://a.example/")).body == b"hello"
                assert server.header(0, "Host") == "a.example"

    run(main())


def test_fetch_impl_may_be_called_and_overridden(run, serve, new_client, answers):
    class Offline(SimpleAsyncHTTPClient):
        def fetch_impl(self, request, callback):
            callback(HTTPResponse(request, 418))

    async def main():
        async with serve(answers.ok()) as server, new_client() as client:
            future = asyncio.get_running_loop().create_future()
            client.fetch_impl(HTTPRequest(server.url), future.set_result)
            assert (await future).body == b"hello"
            failed = asyncio.get_running_loop().create_future()
            client.fetch_impl(HTTPRequest("wind://"), failed.set_result)
            assert ((await failed).code, type((await failed).error)) == (599, errors.InvalidURLError)
        client = Offline(force_instance=True)
        with pytest.raises(errors.HTTPClientError, match="418"):
            await client.fetch("http://a.example/")
        client.close()

    run(main())


def test_requests_may_come_before_the_loop_runs(serve, answers):
    """As in programs that fetch, and then start the loop."""

    async def prepare():
        async with serve(answers.ok()) as server:
            url.append(server.url)
            await asked.wait()
            await asyncio.sleep(0)

    from gustnado.events.loop import IOLoop

    url: list[str] = []
    io_loop = IOLoop()
    asked = asyncio.Event()
    serving = io_loop.asyncio_loop.create_task(prepare())
    while not url:
        io_loop.asyncio_loop.run_until_complete(asyncio.sleep(0.01))
    client = SimpleAsyncHTTPClient(force_instance=True)
    future = client.fetch(url[0])
    assert io_loop.run_sync(lambda: future).body == b"hello"
    client.close()
    asked.set()
    io_loop.asyncio_loop.run_until_complete(serving)
    io_loop.close()


def test_bounds_that_are_none(run):
    async def main():
        for arguments in ({"max_clients": 0}, {"max_clients_per_host": 0}, {"max_idle": -1}):
            with pytest.raises(ValueError, match="must"):
                SimpleAsyncHTTPClient(force_instance=True, **arguments)

    run(main())
