from __future__ import annotations

import gc
import weakref

import pytest

from gustnado.events import callback_runner
from gustnado.events.callback_runner import CallbackRunner


class Loop:
    """What a runner needs of an event loop: it keeps what it is to call."""

    def __init__(self):
        self.soon = []

    def call_soon(self, callback, *args):
        self.soon.append((callback, args))

    def turn(self):
        soon, self.soon = self.soon, []
        for callback, args in soon:
            callback(*args)


class Runner(CallbackRunner):
    def __init__(self, loop, running=None, calls_objects=False):
        self._bind_runner(loop, lambda: running, calls_objects)
        self.woken = []
        self.followed = []
        self.absorbed = []

    def _wake_with(self, callback):
        self.woken.append(callback)

    def _follow(self, callback, result):
        self.followed.append((callback, result))

    def _absorb(self, callback, error):
        self.absorbed.append((callback, error))
        return isinstance(error, Exception)


@pytest.fixture
def loop():
    return Loop()


@pytest.fixture(params=[False, True])
def runner(loop, request, monkeypatch):
    if request.param:
        monkeypatch.setattr(callback_runner, "SPARE_CALLS", 250, raising=False)  # compiled, it is that anyway
    return Runner(loop, running=loop, calls_objects=request.param)


def test_a_callback_waits_for_the_next_turn_of_the_loop_that_runs(runner, loop):
    called = []
    runner.add_callback(called.append, 1)
    runner.add_callback(lambda *args, **kwargs: called.append((args, kwargs)), 2, three=3)
    assert called == []
    loop.turn()
    assert called == [1, ((2,), {"three": 3})]
    assert runner.woken == []


def test_callbacks_that_add_callbacks_are_not_mixed_up(runner, loop):
    called = []

    def add(number):
        called.append(number)
        if number < 1000:
            runner.add_callback(add, 2 * number)
            runner.add_callback(add, 2 * number + 1)

    add(1)
    while loop.soon:
        loop.turn()
    assert called == list(range(1, 2000))


def test_a_callback_that_has_run_is_not_kept(runner, loop):
    class Callback:
        def __call__(self):
            pass

    callback = Callback()
    kept = weakref.ref(callback)
    runner.add_callback(callback)
    loop.turn()
    del callback
    gc.collect()
    assert kept() is None


def test_callbacks_are_run_through_another_function_until_it_is_taken_back(runner, loop):
    called, shown = [], []

    def show(callback):
        shown.append(callback)
        callback()

    runner._run_through(show)
    runner.add_callback(called.append, 1)
    runner._run_through(None)
    runner.add_callback(called.append, 2)
    loop.turn()
    assert called == [1, 2]
    assert [callback.args for callback in shown] == [(1,)]


@pytest.mark.parametrize("running", [None, Loop()])
def test_a_loop_that_does_not_run_in_this_thread_is_woken(loop, running):
    called = []
    runner = Runner(loop, running)
    runner.add_callback(called.append, 1)
    assert loop.soon == []
    (callback,) = runner.woken
    callback()
    assert called == [1]


def test_only_a_result_is_followed(runner, loop):
    def nothing():
        return None

    def something():
        return 42

    runner.add_callback(nothing)
    runner.add_callback(something)
    loop.turn()
    assert runner.followed == [(something, 42)]


def test_an_error_goes_up_unless_it_is_dealt_with(runner, loop):
    error, interrupt = ValueError("gust"), KeyboardInterrupt()

    def fails():
        raise error

    def interrupted():
        raise interrupt

    runner.add_callback(fails)
    loop.turn()
    runner.add_callback(interrupted)
    with pytest.raises(KeyboardInterrupt):
        loop.turn()
    assert runner.absorbed == [(fails, error), (interrupted, interrupt)]


def test_an_error_of_what_follows_is_treated_like_the_callbacks_own(runner, loop, monkeypatch):
    error = TypeError("cannot be waited for")

    def refuse(callback, result):
        raise error

    monkeypatch.setattr(runner, "_follow", refuse)
    runner.add_callback(lambda: 42)
    loop.turn()
    assert [failure for _, failure in runner.absorbed] == [error]


def test_what_becomes_of_a_callback_is_left_to_others(loop):
    runner = CallbackRunner()
    runner._bind_runner(loop, lambda: None)
    for ask in (
        lambda: runner.add_callback(print),
        lambda: runner.add_callback(3),
        lambda: runner._follow(print, 1),
        lambda: runner._absorb(print, ValueError()),
    ):
        with pytest.raises(NotImplementedError):
            ask()
