"""Tests for gustnado.events.tasks."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import sys

import pytest

from gustnado.errors import UsageError
from gustnado.events.coroutines import coroutine
from gustnado.events.tasks import explain_missing_loop, start, start_task
from gustnado.events.yieldables import BadYieldError


class TestStartTask:
    def test_runs_at_once_where_python_can(self):
        async def main() -> list[str]:
            done = []

            async def step() -> None:
                done.append("begun")
                await asyncio.sleep(0)
                done.append("ended")

            task = start_task(step())
            done.append("started")
            await task
            return done

        begun = sys.version_info >= (3, 12)
        assert asyncio.run(main()) == (["begun", "started"] if begun else ["started", "begun"]) + ["ended"]


class TestStart:
    def test_a_coroutine_runs_at_once_where_python_can(self, run):
        async def main() -> None:
            async def step() -> int:
                return 1

            task = start(step())
            assert isinstance(task, asyncio.Task)
            assert task.done() == (sys.version_info >= (3, 12))
            assert await task == 1

        run(main())

    def test_what_is_awaited_or_yielded_runs(self, run):
        async def main() -> None:
            @coroutine
            def generator():
                yield None
                return 2

            future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            assert start(future) is future
            future.set_result(1)
            assert await start(generator()) == 2
            assert await start([generator(), generator()]) == [2, 2]

        run(main())

    def test_a_future_of_a_thread_tells_the_loop(self, run):
        async def main() -> None:
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                future = start(pool.submit(int, "3"))
                assert isinstance(future, asyncio.Future)
                assert await future == 3

        run(main())

    def test_anything_else_is_refused(self, run):
        async def main() -> None:
            with pytest.raises(BadYieldError):
                start(3)

        run(main())


class TestWithoutALoop:
    def test_what_does_not_wait_is_run(self):
        async def inner():
            return 1

        async def outer():
            return await inner() + 1

        task = start_task(outer())
        assert task.cancel() is False

        async def awaits(task):
            return await task

        with pytest.raises(StopIteration) as end:
            awaits(task).send(None)
        assert end.value.value == 2

    def test_what_it_raises_is_raised(self):
        async def fails():
            raise ValueError("on purpose")

        with pytest.raises(ValueError, match="on purpose"):
            start_task(fails())

    def test_what_waits_is_closed_and_an_error_says_so(self):
        closed = []

        async def waits():
            try:
                await asyncio.sleep(0)
            finally:
                closed.append(True)

        coroutine = waits()
        with pytest.raises(UsageError, match=r"no event loop runs here.*ASGI"):
            start_task(coroutine)
        assert closed == [True]
        assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED


class TestExplaining:
    def test_a_loop_that_is_missing(self):
        error = RuntimeError("no running event loop")
        explain_missing_loop(error)
        assert "under a WSGI server" in error.__notes__[0]

    @pytest.mark.parametrize("error", [RuntimeError("no running event loop", 1), ValueError("no running event loop")])
    def test_nothing_else(self, error):
        explain_missing_loop(error)
        assert not hasattr(error, "__notes__")

    def test_nor_where_a_loop_runs(self, run):
        async def main():
            error = RuntimeError("no running event loop")
            explain_missing_loop(error)
            return hasattr(error, "__notes__")

        assert run(main()) is False
