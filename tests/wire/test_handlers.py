"""Handlers behind real sockets: one after the other on each connection, and in good order when they fail."""

from __future__ import annotations

import asyncio

import pytest

from gustnado.errors import HTTPOutputError, UsageError
from gustnado.http.limits import Limits
from gustnado.web import HTTPError, RequestHandler


def get(path: str = "/", *fields: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *fields, "", ""]).encode()


GET = get()


class Path(RequestHandler):
    def get(self) -> None:
        self.write(self.request.path)


class Later(RequestHandler):
    async def get(self) -> None:
        await asyncio.sleep(0.02 if self.request.path.endswith("0") else 0)
        self.write(self.request.path)


ROUTES = [("/later/.*", Later), ("/.*", Path)]


class TestOrder:
    @pytest.mark.parametrize("count", [16, 1000])
    def test_pipelined_requests(self, run, serve, count: int) -> None:
        async def main() -> None:
            async with serve(ROUTES) as server:
                client = await server.connect()
                client.send(b"".join([get(f"/{n}") for n in range(count)]))
                assert [(await client.response()).body for _ in range(count)] == [
                    b"/%d" % n for n in range(count)
                ]

        run(main())

    def test_those_that_take_their_time(self, run, serve) -> None:
        async def main() -> None:
            paths = [f"/later/{n}" if n % 3 else f"/{n}" for n in range(40)]
            async with serve(ROUTES) as server:
                client = await server.connect()
                client.send(b"".join(map(get, paths)))
                assert [(await client.response()).body.decode() for _ in paths] == paths

        run(main())

    def test_connections_do_not_wait_for_each_other(self, run, serve) -> None:
        async def main() -> None:
            held = asyncio.Event()

            class Held(RequestHandler):
                async def get(self) -> None:
                    await held.wait()

            async with serve([("/held", Held), *ROUTES]) as server:
                waiting = await server.connect()
                waiting.send(get("/held"))
                for n in range(20):
                    assert (await server.ask(get(f"/later/{n}"))).code == 200
                held.set()
                assert (await waiting.response()).code == 200

        run(main())

    def test_the_thousandth_request_is_the_last(self, run, serve) -> None:
        async def main() -> None:
            async with serve(ROUTES, limits=Limits(max_requests=3)) as server:
                client = await server.connect()
                responses = [await client.ask(get()) for _ in range(3)]
                assert [response.closes for response in responses] == [False, False, True]
                assert await client.rest() == b""

        run(main())

    def test_close_is_announced_and_kept(self, run, serve) -> None:
        async def main() -> None:
            async with serve(ROUTES) as server:
                client = await server.connect()
                response = await client.ask(get("/", "Connection: close"))
                assert response.closes
                assert await client.rest() == b""

        run(main())

    def test_a_handler_may_close(self, run, serve) -> None:
        class Closes(RequestHandler):
            def get(self) -> None:
                self.set_header("Connection", "close")
                self.write("bye")

        async def main() -> None:
            async with serve([("/", Closes)]) as server:
                client = await server.connect()
                assert (await client.ask(get())).closes
                assert await client.rest() == b""

        run(main())


class TestFailures:
    @pytest.mark.parametrize("kind", ["plain", "coroutine"])
    def test_an_exception_is_a_500_and_the_log(self, run, serve, expect_log, kind: str) -> None:
        class Fails(RequestHandler):
            def get(self):
                if kind == "coroutine":
                    return self.later()
                self.write("half of it")
                raise ValueError("oops")

            async def later(self) -> None:
                await asyncio.sleep(0)
                self.write("half of it")
                raise ValueError("oops")

        async def main() -> None:
            async with serve([("/fails", Fails), *ROUTES]) as server:
                client = await server.connect()
                with expect_log("gustnado.application", "Uncaught exception GET /fails"):
                    client.send(get("/fails") + get("/next"))
                    response = await client.response()
                assert response.code == 500
                assert b"half" not in response.body
                assert b"oops" not in response.body
                assert (await client.response()).body == b"/next"

        run(main())

    def test_row_74_after_the_head_the_connection_is_cut(self, run, serve, expect_log) -> None:
        class Fails(RequestHandler):
            async def get(self) -> None:
                self.write("half of it")
                await self.flush()
                raise ValueError("oops")

        async def main() -> None:
            async with serve([("/fails", Fails), *ROUTES]) as server:
                client = await server.connect()
                with expect_log("gustnado.application", "Uncaught exception GET /fails"):
                    with expect_log("gustnado.general", "Cannot send error response"):
                        client.send(get("/fails") + get("/next"))
                        answer = await client.rest()
                assert answer.endswith(b"\r\n\r\na\r\nhalf of it\r\n")
                assert answer.count(b"HTTP/1.1") == 1

        run(main())

    @pytest.mark.parametrize("length", [3, 5])
    def test_row_72_a_length_that_is_not_kept(self, run, serve, expect_log, length: int) -> None:
        class Lies(RequestHandler):
            async def get(self) -> None:
                self.set_header("Content-Length", length)
                await self.flush()
                self.write("wind")

        async def main() -> None:
            async with serve([("/", Lies)]) as server:
                client = await server.connect()
                with expect_log("gustnado.application", "Uncaught exception GET /"):
                    with expect_log("gustnado.general", "Cannot send error response"):
                        client.send(get() + get())
                        answer = await client.rest()
                body = answer.partition(b"\r\n\r\n")[2]
                assert len(body) < length
                assert answer.count(b"HTTP/1.1") == 1

        run(main())

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("Content-Length", "abc"),
            ("Content-Length", "3"),
            ("Content-Length", "5"),
            ("Transfer-Encoding", "chunked"),
        ],
    )
    def test_a_head_that_cannot_be_is_a_500(self, run, serve, expect_log, name: str, value: str) -> None:
        class Wrong(RequestHandler):
            def get(self) -> None:
                self.set_header(name, value)
                self.write("wind")

        async def main() -> None:
            async with serve([("/wrong", Wrong), *ROUTES]) as server:
                client = await server.connect()
                with expect_log("gustnado.application", "Uncaught exception GET /wrong"):
                    assert (await client.ask(get("/wrong"))).code == 500
                assert (await client.ask(get("/next"))).body == b"/next"

        run(main())

    def test_an_error_of_the_client_is_no_error_of_ours(self, run, serve) -> None:
        class Denied(RequestHandler):
            def get(self) -> None:
                raise HTTPError(403)

        async def main() -> None:
            async with serve([("/", Denied)]) as server:
                client = await server.connect()
                for _ in range(2):
                    assert (await client.ask(get())).code == 403

        run(main())

    def test_t52_a_cancelled_handler_does_not_leave_its_client_waiting(self, run, serve) -> None:
        class Cancelled(RequestHandler):
            async def get(self) -> None:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
                await asyncio.sleep(1)

        async def main() -> None:
            async with serve([("/", Cancelled)]) as server:
                client = await server.connect()
                assert (await client.ask(get())).code == 500

        run(main())

    def test_a_page_that_is_not_there(self, run, serve) -> None:
        async def main() -> None:
            async with serve([("/a", Path)]) as server:
                client = await server.connect()
                response = await client.ask(get("/<script>"))
                assert response.code == 404
                assert b"script" not in response.body
                assert (await client.ask(get("/a"))).code == 200

        run(main())


class TestAccessLog:
    def test_each_request_is_one_line(self, run, serve, caplog) -> None:
        caplog.set_level("INFO", "gustnado.access")

        async def main() -> None:
            async with serve([("/a", Path)]) as server:
                client = await server.connect()
                client.send(get("/a?b=%1b[2J") + get("/c"))
                for _ in range(2):
                    await client.response()

        run(main())
        lines = [f"{record.levelname} {record.getMessage().rpartition(' ')[0]}" for record in caplog.records]
        assert lines == ["INFO 200 GET /a?b=%1b[2J (127.0.0.1)", "WARNING 404 GET /c (127.0.0.1)"]


class TestDetach:
    def test_a_handler_may_speak_another_protocol(self, run, serve) -> None:
        class Shout(RequestHandler):
            async def get(self) -> None:
                await asyncio.sleep(0.01)
                stream = self.detach()
                await stream.write(
                    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: shout\r\nConnection: upgrade\r\n\r\n"
                )
                while (line := await stream.read_until(b"\n")) != b"bye\n":
                    await stream.write(line.upper())
                stream.close()

        async def main() -> None:
            async with serve([("/", Shout)]) as server:
                client = await server.connect()
                client.send(get("/", "Upgrade: shout", "Connection: upgrade") + b"wind\n")
                await asyncio.sleep(0)
                client.send(b"gust\n")
                assert (await client.response()).code == 101
                assert await client.reader.readline() == b"WIND\n"
                assert await client.reader.readline() == b"GUST\n"
                client.send(b"more\nbye\n")
                assert await client.rest() == b"MORE\n"

        run(main())


class TestTrailers:
    class Checksum(RequestHandler):
        async def get(self) -> None:
            self.set_header("Trailer", "Digest")
            self.write("wind")
            await self.flush()
            self.add_trailer("Digest", "x")

    def test_they_come_behind_the_body(self, run, serve) -> None:
        async def main() -> None:
            async with serve([("/", self.Checksum)]) as server:
                client = await server.connect()
                client.send(GET)
                answer = await client.reader.readuntil(b"\r\n0\r\nDigest: x\r\n\r\n")
                assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
                response = await client.ask(GET.replace(b"1.1", b"1.0"))
                assert response.body == b"wind"

        run(main())

    def test_not_everything_may_be_one(self, run, serve) -> None:
        class Bad(RequestHandler):
            async def get(self) -> None:
                with pytest.raises(UsageError, match="comes after flush"):
                    self.add_trailer("Digest", "x")
                await self.flush()
                for name in ("Content-Length", "set-cookie", "Transfer-Encoding"):
                    with pytest.raises(HTTPOutputError, match="may not come as a trailer"):
                        self.add_trailer(name, "1")
                with pytest.raises(ValueError, match="control character"):
                    self.add_trailer("Digest", "a\r\nb")
                self.write("told")
                connection = self.request.connection
                self.finish()
                with pytest.raises(HTTPOutputError, match="after the end"):
                    connection.add_trailer("Digest", "x")

        async def main() -> None:
            async with serve([("/", Bad)]) as server:
                assert (await server.ask(GET)).body == b"told"

        run(main())


class TestEarlyHints:
    class Hints(RequestHandler):
        async def get(self) -> None:
            self.send_early_hints("</a.css>; rel=preload", "</b.js>; rel=preload")
            self.write("page")

    def test_they_come_before_the_response(self, run, serve) -> None:
        async def main() -> None:
            async with serve([("/", self.Hints)]) as server:
                client = await server.connect()
                hints = await client.ask(GET)
                assert hints.code == 103
                assert hints.headers.get_list("Link") == ["</a.css>; rel=preload", "</b.js>; rel=preload"]
                assert (await client.response()).body == b"page"

        run(main())

    def test_row_75_not_to_http_1_0_and_not_after_the_head(self, run, serve) -> None:
        class Late(RequestHandler):
            async def get(self) -> None:
                await self.flush()
                with pytest.raises(HTTPOutputError, match="before the final one"):
                    self.send_early_hints("</a.css>")

        async def main() -> None:
            async with serve([("/", self.Hints), ("/late", Late)]) as server:
                assert (await server.ask(GET.replace(b"1.1", b"1.0"))).body == b"page"
                assert (await server.ask(GET.replace(b"/ ", b"/late "))).code == 200

        run(main())


class TestDisconnected:
    def test_a_handler_can_wait_for_it(self, run, serve) -> None:
        async def main() -> None:
            gone = asyncio.Event()
            begun = asyncio.Event()

            class Waits(RequestHandler):
                async def get(self) -> None:
                    begun.set()
                    assert not self.request.disconnected.done()
                    await self.request.disconnected
                    assert self.request.disconnected.done()
                    gone.set()

            async with serve([("/", Waits)]) as server:
                client = await server.connect()
                client.send(GET)
                await begun.wait()
                client.vanish()
                await gone.wait()

        run(main())

    def test_where_the_client_has_gone_already_it_is_done(self, run, serve) -> None:
        async def main() -> None:
            told: list[bool] = []
            begun, gone = asyncio.Event(), asyncio.Event()

            class Late(RequestHandler):
                async def get(self) -> None:
                    begun.set()
                    await gone.wait()
                    told.append(self.request.disconnected.done())

                def on_connection_close(self) -> None:
                    gone.set()

            async with serve([("/", Late)]) as server:
                client = await server.connect()
                client.send(GET)
                await begun.wait()
                client.vanish()
                while not told:
                    await asyncio.sleep(0)
                assert told == [True]

        run(main())

    @pytest.mark.parametrize("cancels", [True, False])
    def test_a_handler_is_cancelled_where_it_asks_for_that(self, run, serve, cancels: bool) -> None:
        async def main() -> None:
            log: list[str] = []
            begun, ended, release = asyncio.Event(), asyncio.Event(), asyncio.Event()

            class Works(RequestHandler):
                cancel_on_disconnect = cancels

                async def get(self) -> None:
                    begun.set()
                    try:
                        await release.wait()
                        log.append("done")
                    except asyncio.CancelledError:
                        log.append("cancelled")
                        raise

                def on_connection_close(self) -> None:
                    log.append("gone")
                    asyncio.get_running_loop().call_soon(asyncio.get_running_loop().call_soon, release.set)

                def on_finish(self) -> None:
                    log.append("finish")
                    ended.set()

            async with serve([("/", Works)]) as server:
                client = await server.connect()
                client.send(GET)
                await begun.wait()
                client.vanish()
                await ended.wait()
                assert log == ["gone", "cancelled" if cancels else "done", "finish"]

        run(main())
