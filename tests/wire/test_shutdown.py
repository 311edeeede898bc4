"""Starting and stopping, as those on the other side see it."""

from __future__ import annotations

import asyncio
import gc
import socket

import pytest

from gustnado.http.limits import Limits
from gustnado.http.messages import HTTPServerRequest
from gustnado.http.server import HTTPServer
from gustnado.web import Application, RequestHandler, stream_request_body

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


class Stream(RequestHandler):
    """Writes until the server wants to end."""

    async def get(self) -> None:
        self.write("begun,")
        await self.flush()
        await self.shutting_down.wait()
        self.write("ended")


class Stubborn(RequestHandler):
    """Never ends by itself; notes how it was ended."""

    seen: list[str]
    started: asyncio.Event

    async def get(self) -> None:
        type(self).seen.append("started")
        type(self).started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            type(self).seen.append("cancelled")
            raise

    def on_connection_close(self) -> None:
        type(self).seen.append("closed")

    def on_finish(self) -> None:
        type(self).seen.append("finished")


@pytest.fixture
def stubborn():
    Stubborn.started, Stubborn.seen = asyncio.Event(), []
    return Stubborn


@stream_request_body
class StubbornUpload(Stubborn):
    async def data_received(self, chunk: bytes) -> None:
        await Stubborn.get(self)

    def post(self) -> None:
        raise AssertionError("the body never ends")


class Raw(RequestHandler):
    """Takes the connection for a protocol of its own, which ends when it is told."""

    polite = True
    taken: asyncio.Event

    async def get(self) -> None:
        event = self.shutting_down
        stream = self.detach()
        type(self).taken.set()
        if type(self).polite:
            event.add_callback(lambda: stream.write(b"bye"))
            event.add_callback(stream.close)


@pytest.fixture
def raw():
    Raw.taken, Raw.polite = asyncio.Event(), True
    return Raw


class TestShutdown:
    def test_what_is_in_flight_is_answered_and_then_closed(self, run, serve, held) -> None:
        async def main() -> None:
            async with serve([("/", held)]) as server:
                client = await server.connect()
                client.send(GET)
                await held.started.wait()
                ending = asyncio.ensure_future(server.http_server.shutdown(10))
                await asyncio.sleep(0)
                assert server.http_server.shutting_down.is_set()
                with pytest.raises(ConnectionRefusedError):
                    await server.connect()
                assert not ending.done()
                held.release.set()
                response = await client.response()
                assert (response.body, response.closes) == (b"held", True)
                assert await client.rest() == b""
                client.leave()
                assert await ending == 0

        run(main())

    def test_idle_connections_are_closed_at_once(self, run, serve) -> None:
        async def main() -> None:
            async with serve([("/", Hello)]) as server:
                used, fresh = await server.connect(), await server.connect()
                await used.ask(GET)
                assert await server.http_server.shutdown(10, idle=0) == 0
                assert await used.is_cut()
                assert await fresh.is_cut()

        run(main())

    def test_a_request_that_crosses_the_end_is_still_answered(self, run, serve) -> None:
        async def main() -> None:
            async with serve([("/", Hello)]) as server:
                used, fresh, pipelined = [await server.connect() for _ in range(3)]
                assert not (await used.ask(GET)).closes
                ending = asyncio.ensure_future(server.http_server.shutdown(10))
                await asyncio.sleep(0.02)
                pipelined.send(GET * 2)
                for client in (used, fresh):
                    response = await client.ask(GET)
                    assert (response.body, response.closes) == (b"hello", True)
                assert (await pipelined.response()).closes
                assert await pipelined.rest() == b""  # by RFC 9112 section 9.3.2 the client repeats the second
                for client in (used, fresh, pipelined):
                    client.leave()
                assert await ending == 0

        run(main())

    def test_who_waits_in_the_kernel_is_accepted_and_served(self, run, serve) -> None:
        async def main() -> None:
            async with serve([("/", Hello)]) as server:
                sockets = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(100)]
                for sock in sockets:
                    sock.sendall(GET)
                # Before a turn of the loop.
                ending = asyncio.ensure_future(server.http_server.shutdown(60, idle=60))
                assert await ending == 0
                for sock in sockets:
                    with sock:
                        sock.settimeout(10)
                        assert sock.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")

        run(main())

    def test_a_handler_without_an_end_of_its_own_can_end_in_time(self, run, serve) -> None:
        async def main() -> None:
            async with serve([("/", Stream)]) as server:
                client = await server.connect()
                client.send(GET)
                assert await client.reader.readuntil(b"begun,")
                ending = asyncio.ensure_future(server.http_server.shutdown(10))
                assert (await client.rest()).endswith(b"ended\r\n0\r\n\r\n")
                client.leave()
                assert await ending == 0

        run(main())

    @pytest.mark.parametrize("handler", [Stubborn, StubbornUpload])
    def test_at_the_deadline_handlers_are_cancelled_and_connections_cut(
        self, run, serve, stubborn, expect_log, handler
    ) -> None:
        upload = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"

        async def main() -> None:
            handler.started = stubborn.started
            async with serve([("/", handler)]) as server:
                client = await server.connect()
                client.send(GET if handler is Stubborn else upload)
                await stubborn.started.wait()
                with expect_log("gustnado.general", "1 connections cut off at the deadline"):
                    assert await server.http_server.shutdown(0.05) == 1
                assert await client.is_cut()
                expected = ["started", "closed", "cancelled"]
                assert stubborn.seen[:3] == expected
                assert stubborn.seen.count("finished") == (handler is Stubborn)

        run(main())

    def test_a_client_that_goes_away_during_the_shutdown_cancels_nothing(self, run, serve, stubborn) -> None:
        async def main() -> None:
            async with serve([("/", stubborn)]) as server:
                client = await server.connect()
                client.send(GET)
                await stubborn.started.wait()
                ending = asyncio.ensure_future(server.http_server.shutdown(10))
                await asyncio.sleep(0)
                client.vanish()
                assert await ending == 0
                assert stubborn.seen == ["started", "closed"]

        run(main())

    def test_a_client_that_does_not_read_is_cut_at_the_deadline(self, run, serve, expect_log) -> None:
        class Big(RequestHandler):
            def get(self) -> None:
                self.write(b"x" * 20_000_000)

        async def main() -> None:
            async with serve([("/", Big)]) as server:
                client = await server.connect(receive_buffer=4096)
                client.send(GET)
                await client.reader.readuntil(b"\r\n\r\n")
                with expect_log("gustnado.general", "cut off"):
                    assert await server.http_server.shutdown(0.05) == 1

        run(main())

    def test_a_second_call_brings_the_end_forward(self, run, serve, stubborn, expect_log) -> None:
        async def main() -> None:
            async with serve([("/", stubborn)]) as server:
                client = await server.connect()
                client.send(GET)
                await stubborn.started.wait()
                first = asyncio.ensure_future(server.http_server.shutdown(3600))
                await asyncio.sleep(0)
                with expect_log("gustnado.general", "cut off"):
                    assert await server.http_server.shutdown(0) == 1
                assert await first == 0
                assert await server.http_server.shutdown() == 0

        run(main())

    def test_the_owner_of_a_detached_connection_is_told(self, run, serve, raw) -> None:
        async def main() -> None:
            async with serve([("/", raw)]) as server:
                client = await server.connect()
                client.send(GET)
                await raw.taken.wait()
                ending = asyncio.ensure_future(server.http_server.shutdown(10))
                assert await client.rest() == b"bye"
                assert await ending == 0

        run(main())

    def test_a_detached_connection_is_waited_for_and_cut_at_the_deadline(
        self, run, serve, raw, expect_log
    ) -> None:
        async def main() -> None:
            raw.polite = False
            async with serve([("/", raw)]) as server:
                client = await server.connect()
                client.send(GET)
                await raw.taken.wait()
                with expect_log("gustnado.general", "1 connections cut off"):
                    assert await server.http_server.shutdown(0.05) == 1
                assert await client.is_cut()

        run(main())

    def test_a_server_that_never_listened_ends_at_once(self, run) -> None:
        async def main() -> None:
            assert await HTTPServer(Application([])).shutdown() == 0

        run(main())

    @pytest.mark.parametrize("times", [{"grace": -1}, {"grace": 1, "idle": -0.5}])
    def test_a_negative_time_is_refused(self, run, times) -> None:
        async def main() -> None:
            with pytest.raises(ValueError, match="seconds, 0 or more"):
                await HTTPServer(Application([])).shutdown(**times)

        run(main())

    def test_a_handler_without_a_server_has_an_event_that_stays_unset(self) -> None:
        request = HTTPServerRequest("GET", "/", connection=object())
        assert not Hello(Application([]), request).shutting_down.is_set()


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
