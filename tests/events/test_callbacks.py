"""Callbacks get results later, on the loop, and what goes wrong is logged."""

from __future__ import annotations

import asyncio
import contextvars

import pytest

from gustnado.errors import StreamClosedError, UsageError
from gustnado.events.callbacks import (
    CallbackTypeError,
    accepts_callback,
    deliver,
    require_callable,
    run_callback,
)
from gustnado.events.loop import IOLoop


def test_without_a_callback_the_future_is_returned(run):
    async def main():
        future = asyncio.get_running_loop().create_future()
        assert deliver(future, None) is future

    run(main())


def test_the_callback_is_called_later_with_the_result(run):
    async def main():
        seen = []
        future = asyncio.get_running_loop().create_future()
        future.set_result(42)
        assert deliver(future, seen.append) is future
        assert seen == []
        await asyncio.sleep(0)
        assert seen == [42]

    run(main())


def test_the_callback_is_called_without_arguments_on_request(run):
    async def main():
        seen = []
        future = asyncio.get_running_loop().create_future()
        deliver(future, lambda *args: seen.append(args), with_result=False)
        future.set_result(42)
        await asyncio.sleep(0)
        assert seen == [()]

    run(main())


def test_the_callback_runs_in_the_context_of_who_gave_it(run):
    name = contextvars.ContextVar("name", default="nobody")

    async def main():
        seen = []
        future = asyncio.get_running_loop().create_future()
        name.set("caller")
        deliver(future, lambda _: seen.append(name.get()))
        name.set("later")
        future.set_result(None)
        await asyncio.sleep(0)
        assert seen == ["caller"]

    run(main())


def test_a_failure_is_logged_and_calls_nobody(run, expect_log):
    async def main():
        seen = []
        future = asyncio.get_running_loop().create_future()
        deliver(future, seen.append)
        future.set_exception(ZeroDivisionError("boom"))
        with expect_log("gustnado.application", "failure") as logged:
            await asyncio.sleep(0)
        assert logged.records[0].exc_info[0] is ZeroDivisionError
        assert seen == []

    run(main())


def test_a_quiet_failure_and_a_cancelled_future_call_and_log_nothing(run):
    async def main():
        seen = []
        loop = asyncio.get_running_loop()
        failed, cancelled = loop.create_future(), loop.create_future()
        deliver(failed, seen.append, quiet=(StreamClosedError,))
        deliver(cancelled, seen.append)
        failed.set_exception(StreamClosedError())
        cancelled.cancel()
        await asyncio.sleep(0)
        assert seen == []

    run(main())


def test_what_a_callback_raises_is_logged_and_handed_on(run, expect_log):
    async def main():
        seen = []
        future = asyncio.get_running_loop().create_future()
        deliver(future, lambda _: 1 / 0, on_error=seen.append)
        future.set_result(None)
        with expect_log("gustnado.application", "Exception in callback"):
            await asyncio.sleep(0)
        assert isinstance(seen[0], ZeroDivisionError)

    run(main())


def test_a_coroutine_function_runs_and_its_exception_is_logged(run, expect_log):
    async def main():
        seen = []

        async def fail(result):
            await asyncio.sleep(0)
            seen.append(result)
            raise ZeroDivisionError

        with expect_log("gustnado.application", "Exception in callback"):
            run_callback(fail, 7, on_error=seen.append)
            for _ in range(4):
                await asyncio.sleep(0)
        assert seen[0] == 7
        assert isinstance(seen[1], ZeroDivisionError)

    run(main())


def test_another_loop_can_be_named(run):
    async def main():
        seen = []
        other = IOLoop(make_current=False)
        future = asyncio.get_running_loop().create_future()
        deliver(future, seen.append, io_loop=other)
        future.set_result("x")
        await asyncio.sleep(0)
        assert seen == []

        def run_other():
            other.call_later(0, other.stop)
            other.start()
            other.close()

        await asyncio.to_thread(run_other)
        assert seen == ["x"]

    run(main())


def test_what_cannot_be_called_is_refused():
    require_callable(None)
    require_callable(print)
    with pytest.raises(TypeError, match="callable"):
        require_callable(5)
    assert issubclass(CallbackTypeError, UsageError)


@pytest.mark.parametrize(
    ("function", "accepts"),
    [
        (lambda callback: None, True),
        (lambda *, callback=None: None, True),
        (lambda **kwargs: None, True),
        (lambda callback, /: None, False),
        (lambda *args: None, False),
        (lambda url: None, False),
        (dict.get, False),
        (type, True),  # which does not tell what it takes
    ],
)
def test_whether_a_function_has_a_callback_of_its_own(function, accepts):
    assert accepts_callback(function) is accepts
