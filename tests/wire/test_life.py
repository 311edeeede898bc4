"""The life of a request on a real connection: its context, its tasks, and what becomes of it when a step fails."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

import pytest

from gustnado.web import RequestHandler, stream_request_body

NAME: contextvars.ContextVar[str] = contextvars.ContextVar("NAME", default="nobody")


def get(path: str = "/", *fields: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *fields, "", ""]).encode()


def post(body: bytes, path: str = "/", length: int | None = None) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n"
    return head.encode() + body


class Remembers(RequestHandler):
    """Says what its context knew, then makes itself known."""

    def prepare(self) -> None:
        self.before = NAME.get()
        NAME.set(self.request.path)

    def get(self) -> Any:
        self.write(f"{self.before} {NAME.get()}")

    def on_finish(self) -> None:
        self.application.settings["seen"].append((self.request.path, NAME.get()))


class RemembersLater(Remembers):
    async def get(self) -> None:
        done = asyncio.Event()
        asyncio.get_running_loop().call_soon(self.write_it, done)
        await done.wait()

    def write_it(self, done: asyncio.Event) -> None:
        super().get()
        done.set()


class TestContext:
    @pytest.mark.parametrize("handler", [Remembers, RemembersLater])
    def test_each_request_has_its_own(self, run, serve, handler) -> None:
        async def main() -> None:
            seen: list[Any] = []
            async with serve([("/.*", handler)], {"seen": seen}) as server:
                client = await server.connect()
                client.send(b"".join([get(f"/{n}") for n in range(3)]))
                bodies = [(await client.response()).body.decode() for _ in range(3)]
                assert bodies == [f"nobody /{n}" for n in range(3)]
                others = await asyncio.gather(*[server.ask(get(f"/c{n}")) for n in range(3)])
                assert [other.body.decode() for other in others] == [f"nobody /c{n}" for n in range(3)]
                assert all(path == name for path, name in seen)
            assert len(seen) == 6
            assert NAME.get() == "nobody"

        run(main())

    def test_it_lasts_from_the_head_to_the_end_of_a_streamed_body(self, run, serve) -> None:
        @stream_request_body
        class Streams(Remembers):
            async def data_received(self, chunk: bytes) -> None:
                await asyncio.sleep(0)
                self.names = (*getattr(self, "names", ()), NAME.get())

            async def post(self) -> None:
                await asyncio.sleep(0)
                self.write({"names": sorted({*self.names, NAME.get()}), "before": self.before})

        async def main() -> None:
            async with serve([("/.*", Streams)], {"seen": []}, chunk_size=2) as server:
                client = await server.connect()
                for path in ("/a", "/b"):
                    response = await client.ask(post(b"1234567", path))
                    assert response.body.decode() == f'{{"names":["{path}"],"before":"nobody"}}'

        run(main())


class TestTasks:
    def test_a_plain_handler_has_none(self, run, serve) -> None:
        seen = []

        class Plain(RequestHandler):
            def prepare(self) -> None:
                seen.append((asyncio.current_task(), asyncio.all_tasks()))

            get = on_finish = prepare

        async def main() -> None:
            async with serve([("/", Plain)]) as server:
                client = await server.connect()
                assert (await client.ask(get())).code == 200

        run(main())
        assert len(seen) == 3
        assert [task for task, _ in seen] == [None] * 3
        assert seen[0][1] == seen[2][1]

    def test_a_coroutine_has_one(self, run, serve) -> None:
        seen = []

        class Later(RequestHandler):
            async def get(self) -> None:
                for _ in range(2):
                    await asyncio.sleep(0)
                    seen.append(asyncio.current_task())

        async def main() -> None:
            async with serve([("/", Later)]) as server:
                client = await server.connect()
                for _ in range(2):
                    assert (await client.ask(get())).code == 200

        run(main())
        assert seen[0] is seen[1]
        assert seen[2] is seen[3] is not seen[0]
        assert all(isinstance(task, asyncio.Task) for task in seen)


class TestClientsThatGo:
    def test_the_handler_is_told_and_ends_quietly(self, run, serve) -> None:
        calls = []

        async def main() -> None:
            begun, gone, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

            class Slow(RequestHandler):
                async def get(self) -> None:
                    begun.set()
                    await gone.wait()
                    self.write("to nobody")
                    await self.flush()
                    calls.append("never reached")

                def on_connection_close(self) -> None:
                    calls.append("closed")
                    gone.set()

                def on_finish(self) -> None:
                    calls.append("on_finish")
                    ended.set()

            async with serve([("/", Slow)]) as server:
                client = await server.connect()
                client.send(get())
                await begun.wait()
                client.vanish()
                await ended.wait()

        run(main())
        assert calls == ["closed", "on_finish"]

    def test_in_the_middle_of_a_streamed_body(self, run, serve) -> None:
        calls = []

        async def main() -> None:
            begun, gone = asyncio.Event(), asyncio.Event()

            @stream_request_body
            class Streams(RequestHandler):
                def data_received(self, chunk: bytes) -> None:
                    begun.set()

                def post(self) -> None:
                    calls.append("post")

                def on_connection_close(self) -> None:
                    calls.append("closed")
                    gone.set()

            async with serve([("/", Streams)]) as server:
                client = await server.connect()
                client.send(post(b"abc", length=1000))
                await begun.wait()
                client.vanish()
                await gone.wait()

        run(main())
        assert calls == ["closed"]


class TestFailures:
    def test_a_handler_that_cannot_be_made_closes_the_connection(self, run, serve, expect_log) -> None:
        class Fails(RequestHandler):
            def initialize(self) -> None:
                raise ValueError("never made")

        class Works(RequestHandler):
            def get(self) -> None:
                self.write("works")

        async def main() -> None:
            async with serve([("/", Fails), ("/works", Works)]) as server:
                client = await server.connect()
                with expect_log("gustnado.application", "Uncaught exception while delivering"):
                    client.send(get())
                    assert await client.is_cut()
                assert (await server.ask(get("/works"))).body == b"works"

        run(main())

    @pytest.mark.parametrize("where", ["prepare", "data", "post"])
    @pytest.mark.parametrize("later", [False, True])
    def test_of_a_streamed_body_are_answered(self, run, serve, expect_log, where: str, later: bool) -> None:
        def step(name: str) -> Any:
            if later:
                return step_later(name)
            if name == where:
                raise ValueError("oops")
            return None

        async def step_later(name: str) -> None:
            await asyncio.sleep(0)
            if name == where:
                raise ValueError("oops")

        @stream_request_body
        class Streams(RequestHandler):
            def prepare(self) -> Any:
                return step("prepare")

            def data_received(self, chunk: bytes) -> Any:
                return step("data")

            def post(self) -> Any:
                return step("post")

        async def main() -> None:
            async with serve([("/", Streams)]) as server:
                client = await server.connect()
                with expect_log("gustnado.application", "Uncaught exception POST /"):
                    response = await client.ask(post(b"x" * 10_000))
                assert response.code == 500
                client = await server.connect()
                with expect_log("gustnado.application", "Uncaught exception POST /"):
                    assert (await client.ask(post(b"y"))).code == 500

        run(main())
