"""Tests for gustnado.web.first_step."""

from __future__ import annotations

import asyncio

import pytest

from gustnado.web.first_step import FirstStep


def test_a_coroutine_that_does_not_wait_is_done(run):
    async def main():
        async def add(a, b):
            return a + b

        step = FirstStep(add(1, 2))
        assert step.done
        assert await step.rest() == 3

    run(main())


def test_what_it_raises_before_it_waits_is_raised_at_once(run):
    async def main():
        async def fail():
            raise KeyError("early")

        with pytest.raises(KeyError, match="early"):
            FirstStep(fail())

    run(main())


def test_the_rest_runs_in_the_same_task(run):
    async def main():
        seen = []

        async def work():
            seen.append(asyncio.current_task())
            for _ in range(3):
                await asyncio.sleep(0)
            future = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(future.set_result, "result")
            result = await future
            seen.append(asyncio.current_task())
            return result

        step = FirstStep(work())
        assert not step.done
        assert await step.rest() == "result"
        assert seen == [asyncio.current_task()] * 2

    run(main())


def test_an_error_that_it_waits_for_reaches_it(run):
    async def main():
        future = asyncio.get_running_loop().create_future()

        async def work():
            try:
                await future
            except KeyError:
                await asyncio.sleep(0)
                return "caught"

        step = FirstStep(work())
        asyncio.get_running_loop().call_soon(future.set_exception, KeyError("late"))
        assert await step.rest() == "caught"

    run(main())


def test_what_it_raises_later_is_raised_by_the_rest(run):
    async def main():
        async def work():
            await asyncio.sleep(0)
            raise KeyError("late")

        with pytest.raises(KeyError, match="late"):
            await FirstStep(work()).rest()

    run(main())


def test_timeouts_and_cancellation_reach_it(run):
    async def main():
        async def wait():
            async with asyncio.timeout(0.001):
                await asyncio.get_running_loop().create_future()

        with pytest.raises(TimeoutError):
            await FirstStep(wait()).rest()
        cleaned = []

        async def forever():
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                cleaned.append(True)

        async def task():
            await FirstStep(forever()).rest()

        running = asyncio.ensure_future(task())
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert cleaned == [True]

    run(main())
