"""A test case with an event loop of its own."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import gc
import socket
import threading
import unittest

import pytest

from gustnado.errors import UsageError
from gustnado.events.loop import AsyncIOMainLoop, IOLoop
from gustnado.events.loop_choice import best_factory
from gustnado.log import app_log
from gustnado.testing import AsyncTestCase, ExpectLog, gen_test


class Case(AsyncTestCase):
    """What the tests here run a method of; a runner finds none in it."""

    def method(self):
        raise NotImplementedError


def run_test(*methods, base=Case, **members):
    """The texts of what went wrong in a case with the given test method."""
    namespace = {method.__name__: method for method in methods} | members
    case = type("It", (base,), namespace)(methods[0].__name__)
    result = unittest.TestResult()
    case.run(result)
    assert result.testsRun == 1
    return [text for _, text in [*result.errors, *result.failures]]


# -- the loop -------------------------------------------------------------------------------------


def test_each_test_has_a_loop_which_is_the_current_one():
    loops = []

    def method(self):
        assert IOLoop.current() is self.io_loop
        assert asyncio.get_event_loop_policy().get_event_loop() is self.io_loop.asyncio_loop
        loops.append(self.io_loop)

    assert not run_test(method)
    assert not run_test(method)
    assert loops[0] is not loops[1]
    assert all(loop.asyncio_loop.is_closed() for loop in loops)
    assert IOLoop.current(instance=False) is None


def test_it_is_the_best_of_the_platform():
    def method(self):
        expected = best_factory(None)()
        expected.close()
        assert type(self.io_loop.asyncio_loop) is type(expected)

    assert not run_test(method)


def test_an_attribute_may_say_which_loop():
    def method(self):
        assert isinstance(self.io_loop.asyncio_loop, asyncio.SelectorEventLoop)

    assert not run_test(method, loop_factory=asyncio.SelectorEventLoop)


def test_a_method_may_say_which_loop():
    made = []

    def get_new_ioloop(self):
        made.append(IOLoop(make_current=False))
        return made[0]

    async def method(self):
        assert IOLoop.current() is self.io_loop is made[0]

    assert not run_test(method, get_new_ioloop=get_new_ioloop)
    assert made[0].asyncio_loop.is_closed()


def test_a_loop_of_somebody_elses_is_left_open():
    loop = asyncio.new_event_loop()
    ours = AsyncIOMainLoop(loop)

    async def method(self):
        assert asyncio.get_running_loop() is loop

    assert not run_test(method, get_new_ioloop=lambda self: ours)
    assert not loop.is_closed()
    asyncio.set_event_loop(None)
    ours.close()


def test_everything_runs_on_the_one_loop_in_one_context():
    seen = []
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=0)

    def note(self):
        seen.append(variable.get())
        variable.set(variable.get() + 1)

    def set_up(self):
        Case.setUp(self)
        note(self)

    async def note_async(self):
        assert asyncio.get_running_loop() is self.io_loop.asyncio_loop
        note(self)

    async def method(self):
        self.addAsyncCleanup(note_async, self)
        await note_async(self)

    def tear_down(self):
        note(self)
        Case.tearDown(self)

    assert not run_test(
        method, setUp=set_up, asyncSetUp=note_async, asyncTearDown=note_async, tearDown=tear_down
    )
    assert seen == [0, 1, 2, 3, 4, 5]


def test_what_comes_before_a_test_may_be_of_any_kind():
    def plain(self, seen):
        seen.append("plain")

    def awaited(self, seen):
        async def later():
            await asyncio.sleep(0)
            seen.append("awaited")

        return later()

    def yielding(self, seen):
        yield [asyncio.sleep(0), asyncio.sleep(0)]
        seen.append("yielding")

    def method(self):
        pass

    for function in (plain, awaited, yielding):
        seen: list[str] = []
        set_up = functools.partialmethod(function, seen)
        assert not run_test(method, asyncSetUp=set_up, asyncTearDown=set_up)
        assert seen == [function.__name__] * 2


def test_what_it_raises_is_an_error_of_the_test():
    def set_up(self):
        yield asyncio.sleep(0)
        raise ValueError("no server")

    def method(self):
        raise AssertionError("not reached")

    [text] = run_test(method, asyncSetUp=set_up)
    assert "no server" in text


def test_one_that_is_decorated_is_called_by_the_test_case_itself_as_with_tornado():
    seen = []

    class Base(Case):
        def setUp(self):
            super().setUp()
            self.asyncSetUp()

        @gen_test
        def asyncSetUp(self):
            yield asyncio.sleep(0)
            seen.append(self.io_loop)

    def method(self):
        seen.append(self.io_loop)

    assert not run_test(method, base=Base)
    assert len(seen) == 2
    assert seen[0] is seen[1]


def test_descriptors_with_handlers_are_closed_with_the_loop():
    ends = socket.socketpair()

    def method(self):
        self.io_loop.add_handler(ends[0], lambda *_: None, IOLoop.READ)

    assert not run_test(method)
    assert ends[0].fileno() == -1
    ends[1].close()


def test_a_test_may_close_its_loop():
    def method(self):
        self.io_loop.close()

    assert not run_test(method)


def test_a_test_that_is_skipped_makes_no_loop():
    @unittest.skip("not now")
    def method(self):
        raise NotImplementedError

    def fail(self):
        raise AssertionError

    assert not run_test(method, get_new_ioloop=fail)


def test_a_loop_is_closed_where_setting_up_failed():
    loops = []

    def set_up(self):
        Case.setUp(self)
        loops.append(self.io_loop)
        raise ZeroDivisionError

    def method(self):
        raise NotImplementedError

    [text] = run_test(method, setUp=set_up)
    assert "ZeroDivisionError" in text
    assert loops[0].asyncio_loop.is_closed()


def test_a_case_can_be_run_again():
    class It(AsyncTestCase):
        async def runTest(self):
            await asyncio.sleep(0)

    case = It()
    assert case.run().wasSuccessful()
    assert case.run().wasSuccessful()


def test_a_case_can_be_run_by_a_debugger():
    class It(AsyncTestCase):
        async def runTest(self):
            raise ZeroDivisionError

    case = It()
    with pytest.raises(ZeroDivisionError):
        case.debug()
    case.doCleanups()  # left to the debugger, as is the loop
    loop = case.io_loop.asyncio_loop
    del case
    gc.collect()
    assert loop.is_closed()


def test_nothing_is_left_on_the_logger():
    def method(self):
        assert len(app_log.handlers) == before + 1

    before = len(app_log.handlers)
    assert not run_test(method)
    assert len(app_log.handlers) == before


def test_other_classes_are_asked_to_set_up_too():
    events = []

    class Other(unittest.TestCase):
        def setUp(self):
            events.append("set up")

        def tearDown(self):
            events.append("torn down")

    class It(AsyncTestCase, Other):
        def runTest(self):
            events.append("test")

    assert It().run().wasSuccessful()
    assert events == ["set up", "test", "torn down"]


# -- stop and wait --------------------------------------------------------------------------------


def test_wait_returns_what_stop_was_called_with():
    def method(self):
        self.io_loop.add_callback(self.stop, 42)
        assert self.wait() == 42
        self.io_loop.add_callback(self.stop, one=1, two=2)
        assert self.wait() == {"one": 1, "two": 2}
        self.io_loop.add_callback(self.stop)
        assert self.wait() is None

    assert not run_test(method)


def test_stop_may_come_before_wait():
    def method(self):
        self.stop("early")
        assert self.wait() == "early"

    assert not run_test(method)


def test_stop_may_come_from_a_thread():
    def method(self):
        thread = threading.Thread(target=lambda: self.io_loop.add_callback(self.stop, "late"))
        thread.start()
        assert self.wait() == "late"
        thread.join()

    assert not run_test(method)


def test_stop_takes_one_kind_of_arguments():
    def method(self):
        with pytest.raises(UsageError, match="not both"):
            self.stop(1, two=2)

    assert not run_test(method)


def test_wait_goes_on_until_a_condition_holds():
    def method(self):
        calls = []

        def step():
            calls.append(len(calls))
            self.stop(len(calls))
            if len(calls) < 3:
                self.io_loop.add_callback(step)

        self.io_loop.add_callback(step)
        assert self.wait(condition=lambda: len(calls) == 3) == 3

    assert not run_test(method)


def test_wait_fails_when_its_time_is_over():
    def method(self):
        self.wait(timeout=0.01)

    [text] = run_test(method)
    assert "AssertionError: Async operation timed out after 0.01 seconds" in text


def test_the_environment_says_how_long(monkeypatch):
    monkeypatch.setenv("ASYNC_TEST_TIMEOUT", "0.01")

    def method(self):
        self.wait()

    [text] = run_test(method)
    assert "timed out after 0.01 seconds" in text


def test_the_time_of_one_wait_is_not_the_next_ones():
    def method(self):
        self.io_loop.add_callback(self.stop)
        self.wait(timeout=0.02)
        self.io_loop.call_later(0.05, self.stop, "second")
        assert self.wait(timeout=60) == "second"

    assert not run_test(method)


def test_no_time_is_for_ever():
    def method(self):
        self.io_loop.call_later(0.01, self.stop, "done")
        assert self.wait(timeout=0) == "done"

    assert not run_test(method)


def test_wait_can_go_on_after_it_has_failed():
    def method(self):
        with pytest.raises(AssertionError):
            self.wait(timeout=0.01)
        self.io_loop.add_callback(self.stop, 1)
        assert self.wait() == 1

    assert not run_test(method)


def test_a_loop_that_another_stopped_is_an_error():
    def method(self):
        self.io_loop.add_callback(self.io_loop.stop)
        self.wait()

    [text] = run_test(method)
    assert "but not by self.stop()" in text


# -- failing --------------------------------------------------------------------------------------


def test_a_callback_that_raises_ends_the_wait_and_fails_the_test(expect_log):
    def method(self):
        self.io_loop.add_callback(lambda: 1 / 0)
        self.wait()

    with expect_log("gustnado.application", "Exception in callback"):
        [text] = run_test(method)
    assert "in wait" in text
    assert text.endswith("ZeroDivisionError: division by zero\n")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_callback_that_raises_while_nobody_waits_fails_the_test(expect_log, when):
    async def nothing():
        pass

    def method(self):
        if when == "before":
            self.io_loop.add_callback(lambda: 1 / 0)
            self.io_loop.run_sync(nothing)
            self.wait()
        self.io_loop.add_callback(lambda: 1 / 0)
        self.io_loop.run_sync(nothing)

    with expect_log("gustnado.application", "Exception in callback"):
        [text] = run_test(method)
    assert ("in wait" in text) == (when == "before")
    assert text.endswith("ZeroDivisionError: division by zero\n")


def test_a_callback_of_a_thread_that_raises_fails_the_test(expect_log):
    def work():
        loop = IOLoop(make_current=False)
        loop.add_callback(lambda: 1 / 0)
        loop.add_callback(loop.stop)
        loop.start()
        loop.close()

    def method(self):
        thread = threading.Thread(target=work)
        thread.start()
        self.io_loop.run_in_executor(None, thread.join)
        self.wait()

    with expect_log("gustnado.application", "Exception in callback"):
        [text] = run_test(method)
    assert "ZeroDivisionError" in text


def test_the_first_of_several_exceptions_counts(expect_log):
    def method(self):
        self.io_loop.add_callback(lambda: 1 / 0)
        self.io_loop.add_callback(lambda: {}["key"])
        self.wait()

    with expect_log("gustnado.application", "Exception in callback", count=2):
        [text] = run_test(method)
    assert text.endswith("ZeroDivisionError: division by zero\n")


def test_an_exception_that_is_expected_does_not_fail_the_test():
    def method(self):
        self.io_loop.add_callback(lambda: 1 / 0)
        self.io_loop.add_callback(self.stop)
        with ExpectLog(app_log, "Exception in callback"):
            self.wait()

    assert not run_test(method)


def test_a_generator_that_is_not_decorated_is_an_error():
    def method(self):
        yield

    [text] = run_test(method)
    assert "should be decorated with @gen_test" in text


def test_a_call_that_returns_a_coroutine_is_an_error():
    async def nothing():
        pass

    def method(self):
        return nothing()

    [text] = run_test(method)
    assert "should be decorated with @gen_test" in text


@pytest.mark.parametrize("kind", ["plain", "coroutine"])
def test_a_test_that_returns_something_is_an_error(kind):
    def method(self):
        return 42

    async def coroutine(self):
        return 42

    [text] = run_test(method if kind == "plain" else coroutine)
    assert "Return value from test method ignored" in text
    assert "returned 42" in text


def test_a_coroutine_has_a_deadline(monkeypatch):
    monkeypatch.setenv("ASYNC_TEST_TIMEOUT", "0.01")

    async def method(self):
        await asyncio.sleep(1000)

    [text] = run_test(method)
    assert "TimeoutError" in text
    assert "await asyncio.sleep(1000)" in text


def test_tasks_that_are_left_are_cancelled():
    ended = []

    async def forever():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    @gen_test
    async def method(self):
        self.task = asyncio.create_task(forever())
        await asyncio.sleep(0)

    assert not run_test(method)
    assert ended == [True]


def test_a_task_that_raises_when_it_is_cancelled_fails_the_test():
    async def forever():
        try:
            await asyncio.Event().wait()
        finally:
            raise ZeroDivisionError

    async def method(self):
        self.task = asyncio.create_task(forever())
        await asyncio.sleep(0)

    [text] = run_test(method)
    assert "ZeroDivisionError" in text


def test_a_task_that_will_not_end_fails_the_test(monkeypatch):
    monkeypatch.setenv("ASYNC_TEST_TIMEOUT", "0.05")
    stubborn = True

    async def forever():
        while stubborn:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                pass

    async def method(self):
        self.task = asyncio.create_task(forever())
        await asyncio.sleep(0)

    def let_go():
        nonlocal stubborn
        stubborn = False

    def set_up(self):
        Case.setUp(self)
        self.addCleanup(let_go)

    [text] = run_test(method, setUp=set_up)
    assert "still run 0.05 seconds after they were cancelled" in text


def test_asynchronous_generators_are_closed():
    closed = []

    async def numbers():
        try:
            yield 1
        finally:
            closed.append(True)

    async def method(self):
        self.numbers = numbers()
        await anext(self.numbers)

    assert not run_test(method)
    assert closed == [True]


def test_ctrl_c_ends_the_run():
    def method(self):
        def press():
            raise KeyboardInterrupt

        self.io_loop.add_callback(press)
        self.wait()

    with pytest.raises(KeyboardInterrupt):
        run_test(method)
    assert IOLoop.current(instance=False) is None


def test_a_coroutine_may_be_refused_that_is_not_decorated():
    async def test_it(self):
        raise AssertionError("it runs")

    (text,) = run_test(test_it, runs_coroutines=False)
    assert "should be decorated with @gen_test" in text
