"""Clients that take their time, or go without a word, over real sockets.

The exact times are tested without sockets, in tests/http/h1; here limits are a fraction of a second, and each
test waits for what the server does.
"""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from gustnado.http.limits import Limits
from gustnado.web import RequestHandler, stream_request_body

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("hello")

    post = get


class TestDeadlines:
    def test_row_54_one_that_says_nothing_is_hung_up_on(self, run, serve) -> None:
        async def main() -> None:
            async with serve([("/", Hello)], limits=Limits(header_timeout=0.1)) as server:
                client = await server.connect()
                assert await client.rest() == b""

        run(main())

    def test_row_56_one_that_drips_its_head_is_told_so(self, run, serve, expect_log) -> None:
        async def main() -> None:
            async with serve([("/", Hello)], limits=Limits(header_timeout=0.2)) as server:
                client = await server.connect()

                async def drip() -> None:
                    while True:
                        client.send(b"a")
                        await asyncio.sleep(0.02)

                with expect_log("gustnado.general", "no complete head in 0.2 s", level=20):
                    dripping = asyncio.ensure_future(drip())
                    assert (await client.response()).code == 408
                    dripping.cancel()

        run(main())

    def test_row_60_one_that_is_done_is_hung_up_on(self, run, serve) -> None:
        async def main() -> None:
            async with serve([("/", Hello)], limits=Limits(idle_timeout=1.0)) as server:
                client = await server.connect()
                assert (await client.ask(GET)).body == b"hello"
                assert await client.rest() == b""

        run(main())

    def test_row_57_one_that_stops_within_its_body_is_told_so(self, run, serve, expect_log) -> None:
        async def main() -> None:
            async with serve([("/", Hello)], limits=Limits(body_timeout=0.1)) as server:
                client = await server.connect()
                with expect_log("gustnado.general", "no byte in 0.1 s", level=20):
                    assert (await client.ask(POST + b"0" * 99)).code == 408
                    assert await client.rest() == b""

        run(main())

    def test_row_59_one_that_does_not_read_is_cut(self, run, serve, expect_log) -> None:
        async def main() -> None:
            gone = asyncio.Event()

            class Large(RequestHandler):
                async def get(self) -> None:
                    while True:
                        self.write(b"0" * 100_000)
                        await self.flush()

                def on_connection_close(self) -> None:
                    gone.set()

            async with serve([("/", Large)], limits=Limits(write_timeout=0.2)) as server:
                client = await server.connect(receive_buffer=16384)
                with expect_log("gustnado.general", "127.0.0.1 does not read its response", level=20):
                    client.send(GET)
                    await gone.wait()

        run(main())

    def test_row_55_silence_before_a_tls_handshake_is_not_endless(self, run, serve, server_tls) -> None:
        async def main() -> None:
            limits = Limits(handshake_timeout=0.1)
            async with serve([("/", Hello)], ssl_options=server_tls, limits=limits) as server:
                client = await server.connect()
                assert await client.is_cut()

        run(main())

    def test_an_unread_body_is_not_waited_for_long(self, run, serve) -> None:
        @stream_request_body
        class Early(RequestHandler):
            def prepare(self) -> None:
                self.finish("early")

        async def main() -> None:
            async with serve([("/", Early)], limits=Limits(linger_timeout=0.1)) as server:
                client = await server.connect()
                assert (await client.ask(POST)).body == b"early"
                assert await client.rest() == b""

        run(main())


class Phases:
    """A program that tells how far a request has come."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.gone = asyncio.Event()
        self.release = asyncio.Event()
        self.handlers: list[weakref.ref[RequestHandler]] = []
        phases = self

        class Waits(RequestHandler):
            def initialize(self) -> None:
                phases.handlers.append(weakref.ref(self))

            async def get(self) -> None:
                phases.reached.set()
                await phases.release.wait()
                self.write("late")

            async def post(self) -> None:
                await self.get()

            def on_connection_close(self) -> None:
                phases.gone.set()

        @stream_request_body
        class Streams(Waits):
            def data_received(self, chunk: bytes) -> None:
                phases.reached.set()

        class Talks(Waits):
            async def get(self) -> None:
                phases.reached.set()
                while True:
                    self.write(b"0" * 1000)
                    await self.flush()
                    await asyncio.sleep(0)

        self.routes = [("/", Waits), ("/stream", Streams), ("/talk", Talks)]


@pytest.mark.parametrize("how", ["leave", "vanish"])
class TestClientsThatGo:
    """Row 62: no traceback, no handler that waits for ever, nothing that stays."""

    @pytest.mark.parametrize("data", [b"", GET[:10], POST[:-2], POST + b"0" * 50])
    def test_row_62_before_their_request_is_complete(self, run, serve, how: str, data: bytes) -> None:
        async def main() -> None:
            async with serve([("/", Hello)]) as server:
                client = await server.connect()
                client.send(data)
                await asyncio.sleep(0)
                getattr(client, how)()
                assert (await server.ask(GET)).body == b"hello"

        run(main())

    @pytest.mark.parametrize(
        "data",
        [
            GET,
            POST + b"0" * 100,
            POST.replace(b"/ ", b"/stream ", 1) + b"0" * 50,
            GET.replace(b"/ ", b"/talk ", 1),
        ],
    )
    def test_row_62_while_their_handler_works(self, run, serve, how: str, data: bytes) -> None:
        async def main() -> None:
            phases = Phases()
            async with serve(phases.routes) as server:
                client = await server.connect()
                client.send(data)
                await phases.reached.wait()
                getattr(client, how)()
                await phases.gone.wait()
                phases.release.set()

        run(main())

    def test_row_62_and_leave_nothing_behind(self, run, serve, how: str) -> None:
        async def main() -> None:
            phases = Phases()
            async with serve(phases.routes) as server:
                await asyncio.sleep(0)
                gc.collect()
                gc.disable()
                try:
                    for path in (b"/", b"/stream", b"/talk"):
                        phases.reached.clear()
                        phases.gone.clear()
                        client = await server.connect()
                        client.send(b"POST " if path == b"/stream" else b"GET ")
                        length = b"\r\nContent-Length: 9\r\n\r\n0" if path == b"/stream" else b"\r\n\r\n"
                        client.send(path + b" HTTP/1.1\r\nHost: x" + length)
                        await phases.reached.wait()
                        getattr(client, how)()
                        await phases.gone.wait()
                    phases.release.set()
                    await freed(phases.handlers)
                finally:
                    gc.enable()

        run(main())


async def freed(references: list) -> None:
    while any(reference() is not None for reference in references):
        await asyncio.sleep(0.01)


class TestHalfClosed:
    def test_one_that_has_said_all_gets_its_answers(self, run, serve) -> None:
        class Later(RequestHandler):
            async def get(self) -> None:
                await asyncio.sleep(0.01)
                self.write("later")

        async def main() -> None:
            async with serve([("/", Later)]) as server:
                client = await server.connect()
                client.send(GET * 3)
                client.half_close()
                responses = [await client.response() for _ in range(3)]
                assert [response.body for response in responses] == [b"later"] * 3
                assert await client.rest() == b""

        run(main())

    def test_one_that_has_not_is_hung_up_on(self, run, serve, expect_log) -> None:
        async def main() -> None:
            async with serve([("/", Hello)]) as server:
                client = await server.connect()
                with expect_log("gustnado.general", "closed the connection within a request", level=10):
                    client.send(POST + b"0")
                    client.half_close()
                    assert await client.rest() == b""

        run(main())

    def test_a_streaming_handler_gets_all_of_its_body(self, run, serve) -> None:
        @stream_request_body
        class Slow(RequestHandler):
            size = 0

            async def data_received(self, chunk: bytes) -> None:
                await asyncio.sleep(0.01)
                self.size += len(chunk)

            def post(self) -> None:
                self.write(str(self.size))

        async def main() -> None:
            async with serve([("/", Slow)], chunk_size=10) as server:
                client = await server.connect()
                client.send(POST + b"0" * 100)
                client.half_close()
                assert (await client.response()).body == b"100"
                assert await client.rest() == b""

        run(main())
