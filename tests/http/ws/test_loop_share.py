"""Tests for gustnado.http.ws.loop_share."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import weakref

import pytest

from gustnado.http.ws.loop_share import LoopShare, share_of

NAME = contextvars.ContextVar("NAME", default="none")


class Clock:
    """A loop whose clock is set by hand, and the timers that were asked of it."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.now = 100.03
        self.timers = []

    def time(self):
        return self.now

    def create_future(self):
        return self.loop.create_future()

    def call_later(self, delay, callback):
        return self.call_at(self.now + delay, callback, context=contextvars.copy_context())

    def call_at(self, when, callback, *, context):
        timer = Timer(when, callback, context)
        self.timers.append(timer)
        return timer

    def waiting(self):
        return [timer for timer in self.timers if not timer.cancelled]

    def advance(self, seconds):
        end = self.now + seconds
        while due := [timer for timer in self.waiting() if timer.when <= end]:
            timer = min(due, key=lambda timer: timer.when)
            self.now = max(self.now, timer.when)
            timer.cancelled = True
            timer.context.run(timer.callback)
        self.now = end


class Timer:
    def __init__(self, when, callback, context):
        self.when = when
        self.callback = callback
        self.context = context
        self.cancelled = False

    def cancel(self):
        self.cancelled = True


@pytest.fixture
def clock():
    clock = Clock()
    yield clock
    clock.loop.close()


@pytest.fixture
def share(clock):
    return LoopShare(clock)


def test_what_waits_together_has_one_timer_of_the_loop(clock, share):
    called = []
    for number in range(100):
        share.call_later(30 + number / 1000, lambda number=number: called.append((number, clock.now)))
    assert len(clock.waiting()) == 1
    clock.advance(30)
    assert called == []
    clock.advance(0.3)
    assert [number for number, _ in called] == list(range(100))
    assert all(0 <= when - (130.03 + number / 1000) <= 0.125 for number, when in called)
    assert clock.waiting() == []


def test_what_is_due_sooner_comes_sooner(clock, share):
    called = []
    for delay in (20, 3, 10):
        share.call_later(delay, lambda delay=delay: called.append((delay, clock.now)))
    assert len(clock.waiting()) == 1
    clock.advance(60)
    assert [delay for delay, _ in called] == [3, 10, 20]
    assert all(0 <= when - (100.03 + delay) <= 0.125 for delay, when in called)


def test_short_times_are_kept_to_the_point(clock, share):
    called = []
    share.call_later(1.9, lambda: called.append(clock.now))
    clock.advance(5)
    assert called == [100.03 + 1.9]


def test_what_is_cancelled_is_not_called_and_lets_go(clock, share):
    class Callback:
        def __call__(self):
            raise AssertionError

    callback = Callback()
    gone = weakref.ref(callback)
    timer = share.call_later(10, callback)
    del callback
    timer.cancel()
    gc.collect()
    assert gone() is None
    clock.advance(20)


def test_one_may_ask_again_when_it_is_called(clock, share):
    called = []

    def again():
        called.append(clock.now)
        share.call_later(10, again)

    share.call_later(10, again)
    clock.advance(45)
    assert len(called) == 4


def test_one_that_fails_does_not_harm_the_others(clock, share, expect_log):
    called = []

    def fail():
        raise ZeroDivisionError

    share.call_later(10, fail)
    share.call_later(10, lambda: called.append(True))
    with expect_log("gustnado.application", "Exception in .*fail"):
        clock.advance(20)
    assert called == [True]


def test_they_run_in_the_context_of_nobody(clock, share):
    seen = []
    token = NAME.set("the first one")
    share.call_later(10, lambda: seen.append(NAME.get()))
    NAME.reset(token)
    clock.advance(20)
    assert seen == ["none"]


def test_a_loop_has_one_and_goes_when_nobody_holds_it():
    loop = asyncio.new_event_loop()
    share = share_of(loop)
    assert share_of(loop) is share
    assert share.done.done()
    loop.close()
    gone = weakref.ref(loop)
    del loop, share
    gc.collect()
    assert gone() is None


def test_on_a_loop(run):
    async def main():
        share = share_of(asyncio.get_running_loop())
        called = asyncio.Event()
        share.call_later(3, called.clear)
        share.call_later(2, called.set)
        await called.wait()

    run(main())
