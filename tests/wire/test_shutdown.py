"""Starting and stopping, as those on the other side see it."""

from __future__ import annotations

import asyncio
import gc

import pytest

from gustnado.http.limits import Limits
from gustnado.http.server import HTTPServer
from gustnado.web import Application, RequestHandler

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("hello")


class Held(RequestHandler):
    started: asyncio.Event
    release: asyncio.Event

    async def get(self) -> None:
        type(self).started.set()
        await type(self).release.wait()
        self.write("held")


@pytest.fixture
def held():
    Held.started, Held.release = asyncio.Event(), asyncio.Event()
    return Held


def test_a_stopped_server_accepts_no_more_and_serves_whom_it_has(run, serve) -> None:
    async def main() -> None:
        async with serve([("/", Hello)]) as server:
            client = await server.connect()
            assert (await client.ask(GET)).body == b"hello"
            server.http_server.stop()
            with pytest.raises(ConnectionRefusedError):
                await server.connect()
            assert (await client.ask(GET)).body == b"hello"

    run(main())


def test_idle_connections_are_closed_at_once(run, serve) -> None:
    async def main() -> None:
        async with serve([("/", Hello)]) as server:
            fresh, used, begun = [await server.connect() for _ in range(3)]
            await used.ask(GET)
            begun.send(GET[:9])
            await server.ask(GET)
            server.http_server.stop()
            await server.http_server.close_all_connections()
            for client in (fresh, used, begun):
                assert await client.is_cut()

    run(main())


def test_a_response_on_its_way_arrives(run, serve, held) -> None:
    async def main() -> None:
        async with serve([("/", held)], limits=Limits(linger_timeout=0.1)) as server:
            client = await server.connect()
            client.send(GET + GET)
            await held.started.wait()
            server.http_server.stop()
            closing = asyncio.ensure_future(server.http_server.close_all_connections())
            await asyncio.sleep(0.03)
            assert not closing.done()
            held.release.set()
            response = await client.response()
            assert (response.body, response.closes) == (b"held", True)
            assert await client.rest() == b""
            await closing

    run(main())


def test_closing_twice_does_nothing(run, serve) -> None:
    async def main() -> None:
        async with serve([("/", Hello)]) as server:
            await server.connect()
            for _ in range(2):
                server.http_server.stop()
                await server.http_server.close_all_connections()

    run(main())


def test_a_port_in_use_is_said_in_one_line(run, serve) -> None:
    async def main() -> None:
        async with serve([("/", Hello)]) as server:
            with pytest.raises(OSError) as raised:
                Application([]).listen(server.port, "127.0.0.1")
            assert str(server.port) in str(raised.value)
            assert "in use" in str(raised.value)
            assert "\n" not in str(raised.value)
            other = HTTPServer(Application([]))
            with pytest.raises(OSError, match="in use"):
                other.listen(server.port, "127.0.0.1")
            assert (await server.ask(GET)).body == b"hello"

    run(main())


def test_a_port_is_free_after_stop(run, serve) -> None:
    async def main() -> None:
        async with serve([("/", Hello)]) as server:
            assert (await server.ask(GET)).code == 200
        again = Application([]).listen(server.port, "127.0.0.1")
        again.stop()

    run(main())


class TestMemory:
    """Nothing stays of what is over."""

    def count(self) -> int:
        gc.collect()
        return len(gc.get_objects())

    def test_two_thousand_requests_on_a_connection(self, run, serve) -> None:
        async def main() -> None:
            async with serve([("/", Hello)]) as server:
                client = await server.connect()

                async def ask(count: int) -> None:
                    for _ in range(count // 20):
                        client.send(GET * 20)
                        for _ in range(20):
                            assert (await client.response()).code == 200

                await ask(200)
                before = self.count()
                await ask(700)
                assert self.count() - before < 50

                client = await server.connect()
                await ask(900)
                client.leave()
                await asyncio.sleep(0.05)
                assert self.count() - before < 150

        run(main())

    def test_five_hundred_idle_connections(self, run, serve) -> None:
        async def main() -> None:
            async with serve([("/", Hello)]) as server:

                async def visit(count: int) -> None:
                    clients = [await server.connect() for _ in range(count)]
                    for client in clients[::2]:
                        assert (await client.ask(GET)).body == b"hello"
                    for n, client in enumerate(clients):
                        (client.leave if n % 3 else client.vanish)()
                    for client in clients:
                        client.writer.transport.abort()
                    server.clients.clear()
                    for _ in range(3):
                        await server.ask(GET)
                        await asyncio.sleep(0.02)
                    server.clients.clear()

                await visit(20)
                before = self.count()
                await visit(500)
                assert self.count() - before < 100

        run(main())
