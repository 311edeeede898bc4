from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gustnado.http.messages import HTTPServerRequest
from gustnado.web import Application, RequestHandler
from gustnado.web.handler.tasks import and_then, guard

APPLICATION = "gustnado.application"


def app(**members: Any) -> tuple[Application, list[Any]]:
    """An application of one handler, and the list that its ``seen`` is."""
    seen: list[Any] = []

    def on_finish(self):
        seen.append("on_finish")

    handler = type("Handler", (RequestHandler,), {"seen": seen, "on_finish": on_finish, **members})
    return Application([("/", handler)]), seen


class TestAndThen:
    def test_one_after_the_other(self):
        seen: list[str] = []

        async def note(what: str) -> None:
            await asyncio.sleep(0)
            seen.append(what)

        async def main() -> None:
            await and_then(note("a"), lambda: note("b"))
            await and_then(note("c"), lambda: None)
            with pytest.raises(KeyError):
                await and_then(fail(), lambda: note("d"))

        async def fail() -> None:
            raise KeyError

        asyncio.run(main())
        assert seen == ["a", "b", "c"]


class TestGuard:
    def test_gives_exceptions_to_a_function(self):
        failures: list[BaseException] = []

        async def fail(error: BaseException | None) -> None:
            if error is not None:
                raise error

        async def main() -> None:
            await guard(fail(None), failures.append)
            await guard(fail(KeyError("x")), failures.append)
            await guard(fail(asyncio.CancelledError()), failures.append)  # of what was awaited

        asyncio.run(main())
        assert [type(error) for error in failures] == [KeyError, asyncio.CancelledError]

    def test_a_task_that_is_cancelled_ends_as_one(self):
        failures: list[BaseException] = []

        async def main() -> None:
            task = asyncio.create_task(guard(asyncio.Event().wait(), failures.append))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(main())
        assert failures == []


class TestPlainMethods:
    def test_need_no_task(self, fetch):
        def note(self):
            self.seen.append((asyncio.current_task(), asyncio.all_tasks()))

        application, seen = app(prepare=note, get=note, on_finish=note)

        fetch(application, "/")
        assert len(seen) == 3
        assert seen[0] == seen[1] == seen[2]
        caller, tasks = seen[0]
        assert caller in tasks

    @pytest.mark.parametrize("result", [7, True, ("x",), {1}])
    def test_must_not_return_what_cannot_be_awaited(self, fetch, expect_log, result):
        application, seen = app(get=lambda self: result)
        with expect_log(APPLICATION, "Uncaught exception GET"):
            assert fetch(application, "/").code == 500
        assert seen == ["on_finish"]


class TestCoroutines:
    @pytest.mark.parametrize("name", ["prepare", "get"])
    def test_run_in_a_task_of_their_own(self, memory, run, name):
        async def method(self):
            self.seen.append(asyncio.current_task())
            await asyncio.sleep(0)
            self.seen.append(asyncio.current_task())

        application, seen = app(**{"get": lambda self: self.seen.append("get"), name: method})

        async def main() -> None:
            await memory.request(application, "/")
            assert isinstance(seen[0], asyncio.Task)
            assert seen[0] is seen[1] is not asyncio.current_task()

        run(main())

    def test_prepare_and_method_are_one_task(self, fetch):
        async def method(self):
            await asyncio.sleep(0)
            self.seen.append(asyncio.current_task())

        application, seen = app(prepare=method, get=method)
        fetch(application, "/")
        assert seen[0] is seen[1] is not None

    def test_a_timeout_ends_them(self, fetch):
        async def get(self):
            try:
                async with asyncio.timeout(0):
                    await asyncio.Event().wait()
            except TimeoutError:
                self.write("late")

        application, seen = app(get=get)
        assert fetch(application, "/").text == "late"
        assert seen == ["on_finish"]

    def test_a_timeout_that_nobody_expects_is_an_error(self, fetch, expect_log):
        async def get(self):
            async with asyncio.timeout(0):
                await asyncio.Event().wait()

        application, seen = app(get=get)
        with expect_log(APPLICATION, "Uncaught exception GET"):
            assert fetch(application, "/").code == 500
        assert seen == ["on_finish"]

    def test_task_groups_work(self, fetch):
        async def step(self, name):
            await asyncio.sleep(0)
            self.write(name)

        async def get(self):
            async with asyncio.TaskGroup() as group:
                for name in "abc":
                    group.create_task(step(self, name))

        application, _ = app(get=get)
        assert fetch(application, "/").text == "abc"


class TestCancellation:
    @pytest.mark.parametrize("name", ["prepare", "get"])
    def test_of_what_is_awaited_is_an_error(self, fetch, expect_log, name):
        async def method(self):
            future = asyncio.get_running_loop().create_future()
            future.cancel()
            await future

        application, seen = app(**{"get": lambda self: None, name: method})
        with expect_log(APPLICATION, "Uncaught exception GET"):
            assert fetch(application, "/").code == 500
        assert seen == ["on_finish"]

    @pytest.mark.parametrize("name", ["prepare", "get"])
    def test_t52_162_of_the_task_ends_the_request(self, fetch, name):
        async def method(self):
            self.write("half")
            task = asyncio.current_task()
            self.seen.append(task)
            task.cancel()
            await asyncio.sleep(0)

        application, seen = app(**{"get": lambda self: None, name: method})
        assert fetch(application, "/").code == 500
        assert seen[1:] == ["on_finish"]
        assert seen[0].cancelled()

    def test_after_the_response_it_changes_nothing(self, fetch):
        async def get(self):
            await self.finish("all")
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.sleep(0)

        application, seen = app(get=get)
        assert fetch(application, "/").text == "all"
        assert seen == ["on_finish"]

    def test_may_be_caught(self, fetch):
        async def get(self):
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                task.uncancel()
                self.write("still here")

        application, _ = app(get=get)
        assert fetch(application, "/").text == "still here"

    def test_from_outside_through_the_delegate(self, memory, run):
        """Whoever holds the task of a request may end it."""

        async def get(self):
            await asyncio.Event().wait()

        application, seen = app(get=get)

        async def main() -> None:
            connection = memory.Connection("http")
            task = application(HTTPServerRequest("GET", "/", connection=connection))
            await asyncio.sleep(0)
            assert task is not None
            task.cancel()
            assert await connection.ended is True
            assert connection.head[0].code == 500
            with pytest.raises(asyncio.CancelledError):
                await task

        run(main())
        assert seen == ["on_finish"]
