from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import datetime
import functools
import sys
import threading
import time

import pytest

from gustnado.events.callbacks import CallbackTypeError
from gustnado.events.futures import Future
from gustnado.events.loop import AsyncIOLoop, IOLoop
from gustnado.events.loop_choice import loop_factory


@pytest.fixture(params=["asyncio", "uvloop"])
def loop(request):
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    io_loop = IOLoop(asyncio_loop=loop_factory(request.param)(), make_current=False)
    yield io_loop
    io_loop.close()


def spin(loop, turns=3):
    """Run ``turns`` turns of the loop."""

    def turn(left):
        loop.stop() if left == 0 else loop.add_callback(turn, left - 1)

    loop.add_callback(turn, turns)
    loop.start()


def boom(*args, **kwargs):
    raise ZeroDivisionError("boom")


def test_callbacks_run_in_order_with_their_arguments(loop):
    seen = []
    loop.add_callback(seen.append, 1)
    loop.add_callback(lambda *args, **kwargs: seen.append((args, kwargs)), 2, three=3)
    loop.spawn_callback(seen.append, 4)
    assert seen == []
    spin(loop)
    assert seen == [1, ((2,), {"three": 3}), 4]


def test_a_callback_added_by_a_callback_runs_on_the_next_turn(loop):
    seen = []

    def first():
        loop.add_callback(seen.append, "second")
        seen.append("first")

    loop.add_callback(first)
    spin(loop)
    assert seen == ["first", "second"]


def test_a_callback_runs_in_the_context_that_added_it(loop):
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
    seen = []
    variable.set("here")
    loop.add_callback(lambda: seen.append(variable.get()))
    variable.set("there")
    spin(loop)
    assert seen == ["here"]


def test_other_threads_wake_the_loop(loop):
    threads = []

    def in_thread():
        loop.add_callback(lambda: threads.append(threading.get_ident()))
        loop.add_callback(loop.stop)

    thread = threading.Thread(target=in_thread)
    loop.add_callback(thread.start)
    loop.start()
    thread.join()
    assert threads == [threading.get_ident()]


def test_a_signal_handler_wakes_the_loop(loop):
    loop.add_callback_from_signal(loop.stop)
    loop.start()
    seen = []
    loop.add_callback_from_signal(seen.append, 1)
    spin(loop)
    assert seen == [1]


def test_a_closed_loop_drops_callbacks(loop):
    loop.close()
    loop.add_callback(boom)
    loop.add_callback_from_signal(boom)
    assert loop.closing


def test_a_loop_closed_by_asyncio_drops_callbacks(loop):
    loop.asyncio_loop.close()
    loop.add_callback(boom)
    assert not loop.closing


def test_an_error_of_asyncio_is_not_swallowed(loop):
    def refuse(*args):
        raise RuntimeError("no")

    loop._call_soon = refuse

    async def main():
        with pytest.raises(RuntimeError, match="no"):
            loop.add_callback(boom)

    loop.asyncio_loop.run_until_complete(main())


def test_exceptions_are_logged_with_the_callbacks_name(loop, expect_log):
    seen = []
    loop.add_callback(boom)
    loop.add_callback(functools.partial(boom, 1))
    loop.add_callback(boom, kind="keyword")
    loop.add_callback(seen.append, "alive")
    with expect_log("gustnado.application", "Exception in callback .*boom", count=3) as logged:
        spin(loop)
    assert seen == ["alive"]
    assert logged.records[0].exc_info[0] is ZeroDivisionError


def test_failures_of_coroutines_are_logged_with_the_callbacks_name(loop, expect_log):
    async def fails():
        boom()

    async def is_cancelled():
        raise asyncio.CancelledError

    loop.add_callback(fails)
    loop.add_callback(is_cancelled)
    with expect_log("gustnado.application", "Exception in callback .*fails"):
        spin(loop)


def test_a_loop_may_do_something_else_with_exceptions():
    class Collecting(AsyncIOLoop):
        def handle_callback_exception(self, callback):
            failures.append((callback, sys.exc_info()[0]))

    async def fails():
        boom()

    failures = []
    loop = Collecting(make_current=False)
    try:
        for callback in (boom, fails):
            loop.add_callback(callback)
        spin(loop)
    finally:
        loop.close()
    assert failures == [(boom, ZeroDivisionError), (fails, ZeroDivisionError)]


def test_cancellation_is_no_error_of_a_callback(loop):
    def cancelled():
        raise asyncio.CancelledError

    seen = []
    loop.add_callback(cancelled)
    loop.add_callback(seen.append, 1)
    spin(loop)
    assert seen == [1]


@pytest.mark.parametrize("result", [0, "text", [], {}, object()])
def test_results_that_nobody_wants_are_dropped(loop, result):
    called = []
    loop.add_callback(lambda: called.append(1) or result)
    spin(loop)
    assert called == [1]


def test_keyboard_interrupt_leaves_the_loop_usable(loop):
    def interrupt():
        raise KeyboardInterrupt

    loop.add_callback(interrupt)
    with pytest.raises(KeyboardInterrupt):
        loop.start()
    seen = []
    loop.add_callback(seen.append, 1)
    spin(loop)
    assert seen == [1]


def test_deadlines_are_absolute_relative_or_timedeltas(loop):
    seen = []
    loop.add_timeout(loop.time() + 0.002, seen.append, 1)
    loop.add_timeout(time.time(), lambda **kwargs: seen.append(kwargs), two=2)
    loop.add_timeout(datetime.timedelta(milliseconds=1), seen.append, 3)
    loop.call_later(0.001, seen.append, 4)
    loop.call_at(loop.time() - 1000, seen.append, 5)
    loop.call_later(-1, seen.append, 6)
    loop.call_later(0.03, loop.stop)
    loop.start()
    assert sorted(seen, key=str) == [1, 3, 4, 5, 6, {"two": 2}]


def test_a_deadline_far_away_does_not_fire(loop):
    seen = []
    handle = loop.add_timeout(time.time() + 60, seen.append, 1)
    spin(loop)
    assert seen == []
    loop.remove_timeout(handle)


def test_other_deadlines_are_type_errors(loop):
    with pytest.raises(TypeError, match="Unsupported deadline '1'"):
        loop.add_timeout("1", boom)


def test_a_removed_timeout_does_not_run(loop):
    handle = loop.call_later(0, boom)
    loop.remove_timeout(handle)
    spin(loop)
    loop.remove_timeout(handle)
    done = loop.call_later(0, loop.stop)
    loop.start()
    loop.remove_timeout(done)


def test_an_exception_in_a_timeout_is_logged(loop, expect_log):
    loop.call_later(0, boom)
    loop.call_later(0.01, loop.stop)
    with expect_log("gustnado.application", "Exception in callback .*boom"):
        loop.start()


def test_add_future_calls_back_on_the_next_turn(loop):
    future = loop.asyncio_loop.create_future()
    future.set_result(5)
    seen = []
    loop.add_future(future, lambda done: seen.append(done.result()))
    assert seen == []
    spin(loop)
    assert seen == [5]


def test_add_future_takes_those_of_threads_and_of_other_loops(loop):
    seen = []
    threaded: concurrent.futures.Future[int] = concurrent.futures.Future()
    loop.add_future(threaded, lambda done: seen.append((done.result(), threading.get_ident())))
    other = asyncio.new_event_loop()
    foreign: Future[int] = other.create_future()
    loop.add_future(foreign, lambda done: seen.append((done.result(), threading.get_ident())))

    def complete():
        threaded.set_result(1)
        foreign.set_result(2)
        other.run_until_complete(asyncio.sleep(0))

    thread = threading.Thread(target=complete)
    thread.start()
    thread.join()
    spin(loop)
    other.close()
    assert sorted(seen) == [(1, threading.get_ident()), (2, threading.get_ident())]


def test_add_future_takes_no_other_awaitable(loop):
    with pytest.raises(TypeError, match="takes futures"):
        loop.add_future("soon", boom)


def test_an_exception_in_a_future_callback_is_logged(loop, expect_log):
    future = loop.asyncio_loop.create_future()
    future.set_result(None)
    loop.add_future(future, boom)
    with expect_log("gustnado.application", "Exception in callback .*boom"):
        spin(loop)


def test_executors_run_functions_in_threads(loop):
    with concurrent.futures.ThreadPoolExecutor(1, "mine") as mine:

        async def main():
            assert await loop.run_in_executor(None, threading.get_ident) != threading.get_ident()
            named = lambda: threading.current_thread().name  # noqa: E731
            assert (await loop.run_in_executor(mine, named)).startswith("mine")
            loop.set_default_executor(mine)
            assert (await loop.run_in_executor(None, named)).startswith("mine")
            with pytest.raises(ZeroDivisionError):
                await loop.run_in_executor(None, boom, 1)

        loop.run_sync(main)


@pytest.mark.parametrize(
    "add",
    [
        lambda loop: loop.add_callback(3),
        lambda loop: loop.add_callback(None),
        lambda loop: loop.spawn_callback(3, 4),
        lambda loop: loop.add_callback_from_signal(3),
        lambda loop: loop.add_timeout(datetime.timedelta(), 3),
        lambda loop: loop.call_later(0, 3),
        lambda loop: loop.call_at(0, 3, 4),
        lambda loop: loop.add_future(loop.asyncio_loop.create_future(), 3),
    ],
)
def test_what_cannot_be_called_is_refused_at_once(loop, add):
    with pytest.raises(CallbackTypeError, match=r"a callback must be callable, not (3|None)"):
        add(loop)
