from __future__ import annotations

import asyncio
import datetime
import threading

import pytest

from gustnado.events import periodic
from gustnado.events.callbacks import CallbackTypeError
from gustnado.events.loop import IOLoop
from gustnado.events.periodic import PeriodicCallback


@pytest.fixture
def loop():
    io_loop = IOLoop(make_current=False)
    yield io_loop
    io_loop.close()


class FakeLoop:
    """Time stands still until a timer is due; then it is due at once."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.timers: list[tuple[float, object, tuple[object, ...]]] = []

    def time(self):
        return self.now

    def add_timeout(self, deadline, callback, *args):
        self.timers.append((deadline, callback, args))
        return self.timers[-1]

    def remove_timeout(self, handle):
        if handle in self.timers:
            self.timers.remove(handle)

    def fire(self):
        self.now, callback, args = self.timers.pop(0)
        return callback(*args)


@pytest.fixture
def clock():
    return FakeLoop()


def times_of_calls(clock, durations, **kwargs):
    """When the callback is called, where its calls take ``durations``."""
    calls = []
    left = list(durations)

    def callback():
        calls.append(clock.now)
        clock.now += left.pop(0)

    PeriodicCallback(callback, 10_000, io_loop=clock, **kwargs).start()
    for _ in durations:
        clock.fire()
    return calls


def test_calls_come_once_a_period(clock):
    assert times_of_calls(clock, [0] * 4) == [1010, 1020, 1030, 1040]


def test_the_schedule_does_not_drift(clock):
    assert times_of_calls(clock, [3, 9.5, 1, 0]) == [1010, 1020, 1030, 1040]


def test_long_calls_skip_to_the_next_multiple(clock):
    assert times_of_calls(clock, [9, 10, 11, 20, 35, 0, 0]) == [1010, 1020, 1040, 1060, 1090, 1130, 1140]


def test_a_clock_that_goes_back_does_not_repeat_calls(clock):
    assert times_of_calls(clock, [-2, -1, -100, 0]) == [1010, 1020, 1030, 1040]


def test_jitter_varies_each_period(clock, monkeypatch):
    draws = iter([0.5, 1, 0, 0.75, 0.5])
    monkeypatch.setattr(periodic.random, "random", lambda: next(draws))
    assert times_of_calls(clock, [0] * 4, jitter=0.5) == [1010, 1022.5, 1030, 1041.25]


def test_a_timedelta_is_a_period():
    assert PeriodicCallback(print, datetime.timedelta(minutes=1, seconds=23)).callback_time == 83_000


@pytest.mark.parametrize("period", [0, -1, float("nan"), datetime.timedelta(0)])
def test_a_period_must_be_positive(period):
    with pytest.raises(ValueError, match="positive"):
        PeriodicCallback(print, period)


def test_exceptions_are_logged_and_the_schedule_goes_on(clock, expect_log):
    def faulty():
        raise ZeroDivisionError

    PeriodicCallback(faulty, 10, io_loop=clock).start()
    with expect_log("gustnado.application", "Exception in callback .*faulty", count=2):
        clock.fire()
        clock.fire()
    assert len(clock.timers) == 1


def test_a_stopped_one_calls_no_more(clock):
    calls = []
    ticker = PeriodicCallback(lambda: calls.append(1), 10, io_loop=clock)
    assert not ticker.is_running()
    ticker.start()
    assert ticker.is_running()
    ticker.stop()
    assert not ticker.is_running()
    assert clock.timers == []
    ticker.stop()
    assert calls == []


def test_starting_twice_does_not_double_the_calls(clock):
    ticker = PeriodicCallback(print, 10, io_loop=clock)
    ticker.start()
    ticker.start()
    assert len(clock.timers) == 1


def test_it_may_stop_itself(clock):
    ticker = PeriodicCallback(lambda: ticker.stop(), 10, io_loop=clock)
    ticker.start()
    clock.fire()
    assert clock.timers == []


def test_calls_of_a_coroutine_do_not_overlap(clock, run, expect_log):
    async def main():
        gate = asyncio.Event()
        ticker = PeriodicCallback(gate.wait, 10_000, io_loop=clock)
        ticker.start()
        first = asyncio.ensure_future(clock.fire())
        await asyncio.sleep(0)
        assert clock.timers == []
        clock.now += 25
        gate.set()
        await first
        assert clock.timers[0][0] == 1040

        async def faulty():
            raise ZeroDivisionError

        ticker.callback = faulty
        with expect_log("gustnado.application", "Exception in callback .*faulty"):
            await clock.fire()
        assert len(clock.timers) == 1

    run(main())


def test_restarting_during_a_call_leaves_one_schedule(clock, run):
    async def main():
        gate = asyncio.Event()
        ticker = PeriodicCallback(gate.wait, 10_000, io_loop=clock)
        ticker.start()
        first = asyncio.ensure_future(clock.fire())
        await asyncio.sleep(0)
        ticker.start()
        gate.set()
        await first
        assert len(clock.timers) == 1

    run(main())


def test_it_runs_on_the_loop_that_is_current_at_start(loop):
    calls = []

    def tick():
        calls.append(threading.get_ident())
        if len(calls) == 2:
            ticker.stop()
            loop.stop()

    ticker = PeriodicCallback(tick, 1)
    loop.add_callback(ticker.start)
    thread = threading.Thread(target=loop.start)
    thread.start()
    thread.join()
    assert calls == [thread.ident, thread.ident]
    assert ticker.io_loop is loop


def test_a_loop_can_be_passed_in(loop):
    calls = []

    async def tick():
        calls.append(asyncio.get_running_loop())
        ticker.stop()
        loop.stop()

    ticker = PeriodicCallback(tick, datetime.timedelta(milliseconds=1), io_loop=loop)
    ticker.start()
    loop.start()
    assert calls == [loop.asyncio_loop]


def test_what_cannot_be_called_is_refused():
    with pytest.raises(CallbackTypeError, match="callable, not 3"):
        PeriodicCallback(3, 100)
