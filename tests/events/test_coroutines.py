from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import datetime
import gc
import sys
import weakref

import pytest

from gustnado.events.callbacks import CallbackTypeError
from gustnado.events.coroutines import (
    Return,
    Runner,
    WaitIterator,
    coroutine,
    is_coroutine_function,
    sleep,
    with_timeout,
)
from gustnado.events.futures import Future
from gustnado.events.loop import IOLoop
from gustnado.events.yieldables import BadYieldError, moment


class Boom(Exception):
    pass


@pytest.fixture
def loop():
    io_loop = IOLoop(make_current=False)
    yield io_loop
    io_loop.close()


@coroutine
def later(value):
    yield moment
    return value


@coroutine
def fails_later():
    yield moment
    raise Boom


class TestCoroutine:
    def test_a_function_that_is_no_generator(self, run):
        async def main():
            assert await coroutine(lambda: 42)() == 42
            with pytest.raises(Boom):
                await coroutine(raise_boom)()

        run(main())

    def test_it_runs_at_once_up_to_the_first_wait(self, run):
        seen = []

        @coroutine
        def body():
            seen.append(1)
            yield asyncio.get_running_loop().create_future()

        async def main():
            future = body()
            assert seen == [1]
            assert not future.done()

        run(main())

    def test_a_body_that_never_waits_is_done_at_once(self, run):
        @coroutine
        def body():
            if False:
                yield
            return 3

        async def main():
            assert body().result() == 3

        run(main())

    def test_three_ways_to_return(self, loop):
        @coroutine
        def by_return():
            yield moment
            return 1

        @coroutine
        def by_raise():
            yield moment
            raise Return(2)

        @coroutine
        def by_raise_at_once():
            raise Return(3)

        @coroutine
        def nothing():
            yield
            raise Return

        assert [loop.run_sync(f) for f in (by_return, by_raise, by_raise_at_once, nothing)] == [1, 2, 3, None]

    def test_it_yields_all_that_can_be_waited_for(self, loop):
        async def native():
            return "native"

        @coroutine
        def body():
            threaded = concurrent.futures.Future()
            IOLoop.current().add_callback(threaded.set_result, "threaded")
            results = yield [native(), later("generator"), None]
            return [*results, (yield threaded), (yield {"key": later(1)}), (yield), (yield moment)]

        assert loop.run_sync(body) == ["native", "generator", None, "threaded", {"key": 1}, None, None]

    def test_exceptions_go_into_and_out_of_the_body(self, loop):
        @coroutine
        def body():
            with pytest.raises(Boom):
                yield fails_later()
            assert sys.exc_info() == (None, None, None)
            yield fails_later()

        with pytest.raises(Boom):
            loop.run_sync(body)

    def test_a_bad_yield_is_thrown_into_the_body(self, loop):
        @coroutine
        def body():
            with pytest.raises(BadYieldError):
                yield 42
            return "went on"

        assert loop.run_sync(body) == "went on"

    def test_native_coroutines_await_them(self, run):
        async def main():
            return await later(1) + await later(2)

        assert run(main()) == 3

    def test_cancellation_cancels_the_future(self, run):
        @coroutine
        def at_once():
            raise asyncio.CancelledError

        @coroutine
        def at_the_yield():
            future: Future[None] = Future()
            future.cancel()
            yield future

        @coroutine
        def after_a_wait():
            yield moment
            raise asyncio.CancelledError

        async def main():
            for body in (at_once, at_the_yield, after_a_wait):
                with pytest.raises(asyncio.CancelledError):
                    await body()

        run(main())

    def test_a_cancelled_future_can_be_caught(self, run):
        @coroutine
        def body():
            future: Future[None] = Future()
            asyncio.get_running_loop().call_soon(future.cancel)
            try:
                yield future
            except asyncio.CancelledError:
                return "caught"

        async def main():
            assert await body() == "caught"

        run(main())

    def test_a_result_for_a_cancelled_future_is_dropped(self, run, expect_log):
        async def main():
            future = later(1)
            future.cancel()
            failing = fails_later()
            failing.cancel()
            with expect_log("gustnado.application", "after Future was cancelled"):
                await asyncio.sleep(0.01)

        run(main())

    def test_each_runs_in_a_context_of_its_own(self, run):
        variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=0)

        @coroutine
        def body(value):
            assert variable.get() == 7
            variable.set(value)
            yield moment
            assert variable.get() == value
            yield later(None)
            return variable.get()

        async def main():
            variable.set(7)
            assert await asyncio.gather(body(1), body(2)) == [1, 2]
            assert variable.get() == 7

        run(main())

    def test_it_says_that_it_is_one(self):
        assert is_coroutine_function(later)
        assert not is_coroutine_function(raise_boom)
        assert later.__name__ == "later"

    def test_debugging_names_the_caller(self, run):
        async def main():
            asyncio.get_running_loop().set_debug(True)
            future = later(1)
            assert __file__ in repr(future)
            await future

        run(main())

    @pytest.mark.skipif(sys.implementation.name != "cpython", reason="needs reference counts")
    def test_no_cycles_are_left_to_the_garbage_collector(self, loop):
        references = []

        @coroutine
        def inner():
            class Local:
                pass

            local = Local()
            references.append(weakref.ref(local))
            yield coroutine(lambda: None)()
            raise Boom

        @coroutine
        def outer():
            try:
                yield inner()
            except Boom:
                pass

        gc.disable()
        try:
            loop.run_sync(outer)
            assert references[0]() is None
        finally:
            gc.enable()

    def test_what_is_waited_for_survives_the_garbage_collector(self, run):
        seen = []

        @coroutine
        def body():
            yield moment
            gc.collect()
            seen.append(1)

        async def main():
            body()
            await asyncio.sleep(0)
            gc.collect()
            await asyncio.sleep(0.005)

        run(main())
        assert seen == [1]


class TestCallback:
    """The ``callback=`` of older programs."""

    def test_it_is_called_later_with_the_result(self, run):
        async def main():
            seen = []
            assert await later(42, callback=seen.append) == 42
            await asyncio.sleep(0)
            assert seen == [42]
            coroutine(lambda: 43)(callback=seen.append)
            assert seen == [42]
            await asyncio.sleep(0)
            assert seen == [42, 43]

        run(main())

    def test_none_is_no_callback(self, run):
        async def main():
            assert await later(42, callback=None) == 42

        run(main())

    def test_one_that_cannot_be_called(self, run):
        async def main():
            with pytest.raises(CallbackTypeError, match="must be callable, not 42"):
                later(1, callback=42)

        run(main())

    def test_a_failure_is_logged_instead(self, run, expect_log):
        async def main():
            with expect_log("gustnado.application", "Nobody was told"), pytest.raises(Boom):
                await fails_later(callback=pytest.fail)
            await asyncio.sleep(0)

        run(main())

    def test_a_function_may_have_one_of_its_own(self, run):
        async def main():
            assert await coroutine(lambda callback=None: callback)(callback=42) == 42
            assert await coroutine(lambda **kwargs: kwargs)(callback=42) == {"callback": 42}

        run(main())


def raise_boom():
    raise Boom


class TestRunner:
    def test_an_exception_can_be_thrown_in_from_outside(self, run):
        def body():
            try:
                yield Future()
            except Boom:
                return "caught"

        async def main():
            generator, result = body(), Future()
            runner = Runner(contextvars.copy_context().run, generator, result, next(generator))
            assert runner.handle_exception(Boom, Boom(), None)
            assert result.result() == "caught"
            assert not runner.handle_exception(Boom, Boom(), None)
            runner.run()

        run(main())


class TestWaitIterator:
    def test_results_come_as_they_are_done(self, run):
        async def main():
            first, second = Future(), Future()
            results = WaitIterator(first, second)
            second.set_result("b")
            assert await results.next() == "b"
            assert (results.current_index, results.current_future) == (1, second)
            waiting = results.next()
            first.set_exception(Boom())
            with pytest.raises(Boom):
                await waiting
            assert results.current_index == 0
            assert results.done()
            assert results.current_future is None

        run(main())

    def test_names_are_indexes(self, run):
        async def main():
            results = WaitIterator(a=later(1), b=later(2))
            seen = {}
            async for value in results:
                seen[results.current_index] = value
            assert seen == {"a": 1, "b": 2}

        run(main())

    def test_one_future_may_come_twice(self, run):
        async def main():
            future = Future()
            future.set_result(1)
            results = WaitIterator(future, future)
            assert [(await results.next(), results.current_index) for _ in range(2)] == [(1, 0), (1, 1)]
            assert results.done()

        run(main())

    def test_it_takes_names_or_none(self):
        with pytest.raises(ValueError, match="not both"):
            WaitIterator(1, a=2)

    def test_nothing_is_done(self):
        assert WaitIterator().done()


class TestWithTimeout:
    def test_what_is_in_time(self, run):
        async def main():
            assert await with_timeout(datetime.timedelta(seconds=60), later(1)) == 1
            with pytest.raises(Boom):
                await with_timeout(IOLoop.current().time() + 60, fails_later())
            done: concurrent.futures.Future[int] = concurrent.futures.Future()
            done.set_result(2)
            assert await with_timeout(datetime.timedelta(seconds=60), done) == 2

        run(main())

    def test_a_thread_may_be_in_time(self, run):
        async def main():
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                assert await with_timeout(datetime.timedelta(seconds=60), pool.submit(int, "3")) == 3

        run(main())

    def test_what_is_late_is_not_cancelled(self, run):
        async def main():
            future = Future()
            with pytest.raises(TimeoutError, match="Timeout"):
                await with_timeout(datetime.timedelta(0), future)
            assert not future.done()
            future.set_result(1)

        run(main())

    def test_messages(self, run):
        async def main():
            for message in ("too late", lambda: "too late"):
                with pytest.raises(TimeoutError, match="too late"):
                    await with_timeout(datetime.timedelta(0), Future(), message=message)
            fine = with_timeout(
                datetime.timedelta(60), later(1), message=lambda: pytest.fail("not asked for")
            )
            assert await fine == 1

        run(main())

    def test_late_failures_are_logged_unless_quiet(self, run, expect_log):
        async def main():
            loud, quiet, cancelled = Future(), Future(), Future()
            for future, types in ((loud, ()), (quiet, Boom), (cancelled, ())):
                with pytest.raises(TimeoutError):
                    await with_timeout(datetime.timedelta(0), future, quiet_exceptions=types)
            with expect_log("gustnado.application", "after timeout"):
                loud.set_exception(Boom())
                quiet.set_exception(Boom())
                cancelled.cancel()
                await asyncio.sleep(0)

        run(main())

    def test_a_cancelled_wait_leaves_no_trace(self, run):
        async def main():
            waiting = with_timeout(datetime.timedelta(milliseconds=1), Future())
            waiting.cancel()
            await asyncio.sleep(0.01)
            assert waiting.cancelled()

        run(main())


def test_sleep(run):
    async def main():
        before = asyncio.get_running_loop().time()
        await sleep(0.01)
        assert asyncio.get_running_loop().time() > before
        cancelled = sleep(0)
        cancelled.cancel()
        await asyncio.sleep(0.01)

    run(main())
