"""Contexts hold for a block and for the callbacks that are scheduled in it, as far as is promised."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import os

import pytest

from gustnado.errors import UsageError
from gustnado.events.callbacks import deliver
from gustnado.events.coroutines import coroutine, sleep
from gustnado.events.futures import Future
from gustnado.events.loop import IOLoop
from gustnado.events.stack_context import (
    ExceptionStackContext,
    NullContext,
    StackContext,
    StackContextInconsistentError,
    run_with_stack_context,
    wrap,
)


class Boom(Exception):
    pass


def boom(*args):
    raise Boom(*args)


async def turns(n=5):
    for _ in range(n):
        await asyncio.sleep(0)


@pytest.fixture
def inside():
    """The names of the contexts that are entered."""
    return []


@pytest.fixture
def named(inside):
    """``named("a")`` makes a factory of contexts of that name."""

    def make(name):
        @contextlib.contextmanager
        def context():
            inside.append(name)
            try:
                yield
            finally:
                inside.remove(name)

        return context

    return make


@pytest.fixture
def caught():
    return []


@pytest.fixture
def catch(caught):
    """A handler that keeps what it gets."""

    def handler(typ, value, tb):
        caught.append((typ, value, tb))
        return True

    return handler


class TestStackContext:
    def test_it_holds_in_the_block(self, run, named, inside):
        async def main():
            with StackContext(named("a")):
                assert inside == ["a"]
                with StackContext(named("b")):
                    assert inside == ["a", "b"]
            assert inside == []

        run(main())

    def test_it_is_entered_again_around_each_callback_and_theirs(self, run, named, inside):
        seen = []

        def first():
            seen.append(list(inside))
            IOLoop.current().add_callback(second)

        def second():
            seen.append(list(inside))

        async def main():
            with StackContext(named("a")):
                IOLoop.current().add_callback(first)
            IOLoop.current().add_callback(second)
            assert inside == []
            await turns()
            assert sorted(seen) == [[], ["a"], ["a"]]

        run(main())

    def test_it_holds_for_timers_futures_callbacks_and_descriptors(self, run, named, inside):
        seen = []

        def note(name, *args):
            seen.append((name, list(inside)))

        async def main():
            io_loop, future = IOLoop.current(), Future()
            reader, writer = os.pipe()
            with StackContext(named("a")):
                io_loop.call_later(0, note, "timer")
                io_loop.add_future(future, functools.partial(note, "future"))
                deliver(future, functools.partial(note, "callback"))
                io_loop.add_handler(reader, functools.partial(note, "descriptor"), io_loop.READ)
            future.set_result(None)
            os.write(writer, b"x")
            while len({name for name, _ in seen}) < 4:
                await asyncio.sleep(0)
            io_loop.remove_handler(reader)
            os.close(reader)
            os.close(writer)
            assert [names for _, names in seen] == [["a"]] * len(seen)

        run(main())

    def test_it_holds_in_a_generator_coroutine_that_was_called_in_it(self, run, named, inside):
        @coroutine
        def work():
            before = list(inside)
            yield sleep(0)
            return before, list(inside)

        async def main():
            with StackContext(named("a")):
                future = work()
            assert inside == []
            assert await future == (["a"], ["a"])

        run(main())

    def test_a_block_in_a_generator_coroutine_holds_across_its_yields(self, run, named, inside):
        seen = []

        @coroutine
        def work():
            with StackContext(named("a")):
                yield sleep(0)
                IOLoop.current().add_callback(lambda: seen.append(list(inside)))
            yield sleep(0)

        async def main():
            await work()
            await turns()
            assert seen == [["a"]]

        run(main())

    def test_it_sees_an_exception_and_cannot_swallow_it(self, run, expect_log):
        seen = []

        @contextlib.contextmanager
        def swallowing():
            try:
                yield
            except Boom as error:
                seen.append(error)

        async def main():
            with pytest.raises(Boom), StackContext(swallowing):
                boom()
            with StackContext(swallowing):
                IOLoop.current().add_callback(boom)
            with expect_log("gustnado.application", "Exception in callback .*boom"):
                await turns()
            assert len(seen) == 2

        run(main())

    def test_deactivating_it(self, run, named, inside):
        async def main():
            seen = []
            with StackContext(named("a")) as deactivate:
                IOLoop.current().add_callback(lambda: seen.append(list(inside)))
            deactivate()
            await turns()
            assert seen == [[]]

        run(main())

    def test_a_factory_that_fails(self, run):
        async def main():
            with pytest.raises(Boom), StackContext(boom):
                pytest.fail("it was not entered")
            seen = []
            IOLoop.current().add_callback(seen.append, 1)
            await turns()
            assert seen == [1]

        run(main())

    def test_a_block_that_is_left_elsewhere(self, run, named):
        async def main():
            context = StackContext(named("a"))
            context.__enter__()
            with pytest.raises(StackContextInconsistentError, match="not left where it was entered"):
                contextvars.copy_context().run(context.__exit__, None, None, None)
            assert issubclass(StackContextInconsistentError, UsageError)

        run(main())

    def test_a_block_that_is_left_before_an_inner_one(self, run, named):
        async def main():
            outer, inner = StackContext(named("a")), StackContext(named("b"))
            outer.__enter__()
            inner.__enter__()
            with pytest.raises(StackContextInconsistentError):
                outer.__exit__(None, None, None)

        run(main())

    def test_a_loop_that_is_made_in_the_block(self, named, inside):
        seen = []
        outer = IOLoop(make_current=True)
        with StackContext(named("a")):
            loop = IOLoop(make_current=False)
            loop.add_callback(lambda: seen.append(list(inside)))
            loop.add_callback(loop.stop)
        loop.start()
        assert seen == [["a"]]
        loop.close()
        outer.close()


class TestExceptionStackContext:
    def test_it_gets_the_exception_of_the_block(self, run, catch, caught):
        async def main():
            with ExceptionStackContext(catch):
                boom("now")
            [(typ, value, tb)] = caught
            assert (typ, value.args) == (Boom, ("now",))
            assert tb is not None

        run(main())

    def test_it_gets_the_exceptions_of_callbacks_and_of_theirs(self, run, catch, caught):
        async def main():
            io_loop = IOLoop.current()
            with ExceptionStackContext(catch):
                io_loop.add_callback(boom, 1)
                io_loop.add_callback(io_loop.add_callback, boom, 2)
                io_loop.call_later(0, boom, 3)
            while len(caught) < 3:
                await asyncio.sleep(0)
            assert sorted(value.args for _, value, _ in caught) == [(1,), (2,), (3,)]

        run(main())

    def test_it_gets_the_exception_of_a_coroutine_that_is_a_callback(self, run, catch, caught):
        async def fail():
            await asyncio.sleep(0)
            boom()

        async def main():
            with ExceptionStackContext(catch):
                IOLoop.current().add_callback(fail)
                deliver(done(), lambda _: fail())
            await turns(8)
            assert len(caught) == 2

        def done():
            future = Future()
            future.set_result(None)
            return future

        run(main())

    def test_it_gets_what_a_callback_of_a_future_raises_and_its_failure(self, run, catch, caught):
        async def main():
            good, bad = Future(), Future()
            with ExceptionStackContext(catch):
                deliver(good, boom)
                deliver(bad, pytest.fail)
            good.set_result(1)
            bad.set_exception(Boom(2))
            await turns()
            assert [value.args for _, value, _ in caught] == [(1,), (2,)]

        run(main())

    def test_the_hook_of_a_callback_still_cleans_up(self, run, catch, caught):
        async def main():
            future, cleaned = Future(), []
            with ExceptionStackContext(catch):
                deliver(future, boom, on_error=cleaned.append)
            future.set_result(1)
            await turns()
            assert len(caught) == len(cleaned) == 1

        run(main())

    def test_one_that_does_not_take_it_leaves_it_to_the_outer_one(self, run, catch, caught):
        order = []

        async def main():
            with ExceptionStackContext(catch):
                with ExceptionStackContext(lambda *exc_info: order.append(exc_info) and None):
                    IOLoop.current().add_callback(boom)
            await turns()
            assert len(order) == len(caught) == 1

        run(main())

    def test_what_nobody_takes_is_logged(self, run, expect_log):
        async def main():
            with ExceptionStackContext(lambda *exc_info: False):
                IOLoop.current().add_callback(boom)
            with expect_log("gustnado.application", "Exception in callback .*boom"):
                await turns()

        run(main())

    def test_a_handler_that_fails_is_logged(self, run, expect_log):
        async def main():
            with ExceptionStackContext(lambda *exc_info: {}["missing"]):
                IOLoop.current().add_callback(boom)
            with expect_log("gustnado.application", "Exception in callback") as seen:
                await turns()
            assert seen.records[0].exc_info[0] is KeyError

        run(main())

    def test_cancellation_and_ctrl_c_are_not_for_it(self, run, catch, caught):
        async def main():
            for error in (asyncio.CancelledError, KeyboardInterrupt):
                with pytest.raises(error), ExceptionStackContext(catch):
                    raise error

        run(main())
        assert not caught

    def test_deactivating_it(self, run, catch, caught, expect_log):
        async def main():
            with ExceptionStackContext(catch, delay_warning=True) as deactivate:
                IOLoop.current().add_callback(boom)
            deactivate()
            with expect_log("gustnado.application", "Exception in callback"):
                await turns()

        run(main())
        assert not caught


class TestNullContext:
    def test_nothing_holds_in_it(self, run, named, inside):
        async def main():
            seen = []
            with StackContext(named("a")):
                with NullContext():
                    IOLoop.current().add_callback(lambda: seen.append(list(inside)))
                IOLoop.current().add_callback(lambda: seen.append(list(inside)))
            await turns()
            assert seen == [[], ["a"]]

        run(main())


class TestWrap:
    def test_nothing(self):
        assert wrap(None) is None

    def test_what_is_wrapped_already(self, run):
        wrapped = wrap(boom)
        assert wrap(wrapped) is wrapped
        assert wrapped.__name__ == "boom"

    def test_what_has_no_name(self):
        assert wrap(functools.partial(max, 1))(2) == 2

    def test_it_calls_in_the_contexts_that_were_in_force(self, run, named, inside):
        async def main():
            with StackContext(named("a")):
                show = wrap(lambda *args, **kwargs: (list(inside), args, kwargs))
            assert show(1, x=2) == (["a"], (1,), {"x": 2})
            with StackContext(named("b")):
                future = Future()
                asyncio.get_running_loop().call_soon(lambda: future.set_result(show()))  # asyncio's own
            assert (await future)[0] == ["a"]

        run(main())

    def test_what_it_schedules_is_in_them_too(self, run, named, inside):
        async def main():
            seen = []
            with StackContext(named("a")):
                schedule = wrap(lambda: IOLoop.current().add_callback(lambda: seen.append(list(inside))))
            schedule()
            await turns()
            assert seen == [["a"]]

        run(main())

    def test_the_loop_does_not_enter_them_twice(self, run, named, inside):
        async def main():
            seen = []
            with StackContext(named("a")):
                IOLoop.current().add_callback(wrap(lambda x: seen.append(list(inside))), 1)
            await turns()
            assert seen == [["a"]]

        run(main())

    def test_an_exception(self, run, catch, caught):
        async def main():
            with ExceptionStackContext(catch):
                wrapped = wrap(boom)
            assert wrapped() is None
            assert len(caught) == 1

        run(main())


def test_run_with_stack_context(run, named, inside, catch, caught):
    @coroutine
    def work():
        yield sleep(0)
        return list(inside)

    async def main():
        assert await run_with_stack_context(StackContext(named("a")), work) == ["a"]
        assert run_with_stack_context(ExceptionStackContext(catch), boom) is None
        assert len(caught) == 1

    run(main())


def test_programs_without_contexts_do_not_pay_for_them(run):
    async def main():
        io_loop = IOLoop.current()
        assert io_loop._run == io_loop._run_callback

    run(main())
