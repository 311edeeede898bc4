"""Functions with callbacks as futures, and engines."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from gustnado.events.callback_adapters import Task, engine, return_future
from gustnado.events.callbacks import CallbackTypeError
from gustnado.events.coroutines import coroutine, sleep
from gustnado.events.futures import ReturnValueIgnoredError
from gustnado.events.loop import IOLoop
from gustnado.events.stack_context import ExceptionStackContext
from gustnado.events.yield_points import Arguments


class Boom(Exception):
    pass


def boom(*args):
    raise Boom(*args)


def later(*args, callback, **kwargs):
    IOLoop.current().add_callback(callback, *args, **kwargs)


async def turns(n=5):
    for _ in range(n):
        await asyncio.sleep(0)


class TestTask:
    def test_it_is_what_the_callback_is_called_with(self, run):
        async def main():
            assert await Task(later) is None
            assert await Task(later, 1) == 1
            assert await Task(later, 1, 2) == Arguments((1, 2), {})
            assert await Task(later, 1, x=2) == Arguments((1,), {"x": 2})

        run(main())

    def test_it_can_be_yielded(self, run):
        @coroutine
        def work():
            return (yield [Task(later, 1), Task(later, 2)])

        async def main():
            assert await work() == [1, 2]

        run(main())

    def test_a_callback_at_once_and_once_more(self, run):
        def twice(callback):
            callback(1)
            callback(2)

        async def main():
            assert await Task(twice) == 1

        run(main())

    def test_what_the_function_raises(self, run):
        async def main():
            future = Task(lambda callback: boom("at once"))
            with pytest.raises(Boom, match="at once"):
                await future

        run(main())

    def test_what_its_callbacks_raise(self, run):
        async def main():
            future = Task(lambda callback: IOLoop.current().add_callback(boom, "later"))
            with pytest.raises(Boom, match="later"):
                await future

        run(main())

    def test_it_is_not_left_to_the_garbage_collector(self, run):
        class Thing:
            pass

        async def main():
            future = Task(later, Thing())
            reference = weakref.ref(await future)
            del future
            await turns()
            assert reference() is None

        gc.disable()
        try:
            run(main())
        finally:
            gc.enable()

    def test_what_comes_too_late_is_logged(self, run, expect_log):
        def call_and_fail(callback):
            callback(1)
            IOLoop.current().add_callback(boom)

        async def main():
            with expect_log("gustnado.application", "Exception in callback"):
                assert await Task(call_and_fail) == 1
                await turns()

        run(main())


class TestEngine:
    def test_it_runs_by_itself(self, run):
        seen = []

        @engine
        def work(value):
            """What it does."""
            seen.append(value)
            yield sleep(0)
            seen.append((yield Task(later, value + 1)))

        async def main():
            assert work(1) is None
            assert seen == [1]  # up to the first wait
            while len(seen) < 2:
                await asyncio.sleep(0)

        run(main())
        assert seen == [1, 2]
        assert (work.__name__, work.__doc__) == ("work", "What it does.")

    def test_it_cannot_return_a_value(self, run, expect_log):
        @engine
        def work():
            yield sleep(0)
            return 42

        async def main():
            work()
            with expect_log("gustnado.application", "Exception in callback .*work") as seen:
                await turns()
                await asyncio.sleep(0.01)
            error = seen.records[0].exc_info[1]
            assert isinstance(error, ReturnValueIgnoredError)
            assert "work" in str(error) and "42" in str(error)

        run(main())

    @pytest.mark.parametrize("is_generator", [True, False])
    def test_what_it_raises_is_logged(self, run, expect_log, is_generator):
        def work():
            boom()

        def generator():
            yield None
            boom()

        async def main():
            engine(generator if is_generator else work)()
            with expect_log("gustnado.application", "Exception in callback"):
                await turns()

        run(main())

    def test_what_it_raises_goes_to_the_stack_context_of_the_caller(self, run):
        caught = []

        @engine
        def work():
            yield None
            boom()

        async def main():
            with ExceptionStackContext(lambda typ, value, tb: caught.append(typ) or True):
                work()
            await turns()

        run(main())
        assert caught == [Boom]


class TestReturnFuture:
    def test_it_is_what_the_callback_is_called_with(self, run):
        @return_future
        def add(a, b, callback):
            later(a + b, callback=callback)

        @return_future
        def nothing(callback):
            callback()

        async def main():
            assert await add(1, 2) == 3
            assert await add(1, b=2, callback=None) == 3
            assert await nothing() is None

        run(main())

    def test_the_callers_callback_is_called_too(self, run):
        @return_future
        def work(*args, callback):
            callback(*args)

        async def main():
            seen = []
            work(callback=lambda *args: seen.append(args))
            work(1, callback=lambda *args: seen.append(args))
            assert seen == []
            await turns()
            assert seen == [(), (1,)]

        run(main())

    def test_a_callback_by_position(self, run):
        @return_future
        def work(value, callback):
            callback(value)

        async def main():
            seen = []
            assert await work(1, seen.append) == 1
            await turns()
            assert seen == [1]

        run(main())

    def test_a_callback_that_cannot_be_called(self, run):
        @return_future
        def work(callback):
            pytest.fail("it was called")

        async def main():
            with pytest.raises(CallbackTypeError, match="must be callable, not 42"):
                work(callback=42)

        run(main())

    def test_what_it_raises_is_raised(self, run):
        async def main():
            with pytest.raises(Boom, match="at once"):
                return_future(lambda callback: boom("at once"))()

        run(main())

    def test_what_its_callbacks_raise(self, run):
        async def main():
            future = return_future(lambda callback: IOLoop.current().add_callback(boom, "later"))()
            with pytest.raises(Boom, match="later"):
                await future

        run(main())

    def test_a_value_that_is_returned(self, run):
        async def main():
            with pytest.raises(ReturnValueIgnoredError, match="returned 42"):
                return_future(lambda callback: 42)()

        run(main())

    def test_the_first_call_counts_and_takes_one_argument(self, run):
        @return_future
        def work(callback):
            callback(1)
            callback(2)
            callback(1, 2)

        async def main():
            with pytest.raises(TypeError, match="takes one argument at most, not 2"):
                work()

        run(main())
