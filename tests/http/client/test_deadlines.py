"""One timer for many deadlines."""

from __future__ import annotations

import asyncio

from gustnado.http.client.deadlines import NEVER, Alarm


class Loop:
    """A loop whose clock is set by the test, and which keeps the one timer that is armed."""

    def __init__(self):
        self.now = 0.0
        self.timers = []

    def time(self):
        return self.now

    def call_at(self, when, callback):
        timer = Timer(when, callback)
        self.timers.append(timer)
        return timer

    def armed(self):
        return [timer.when for timer in self.timers if not timer.cancelled]

    def pass_until(self, now):
        for timer in [timer for timer in self.timers if not timer.cancelled and timer.when <= now]:
            self.now = timer.when
            self.timers.remove(timer)
            timer.callback()
        self.now = now


class Timer:
    def __init__(self, when, callback):
        self.when, self.callback, self.cancelled = when, callback, False

    def cancel(self):
        self.cancelled = True


def test_the_earliest_deadline_counts():
    loop, rung = Loop(), []
    alarm = Alarm(loop, lambda now: rung.append(now) or NEVER)
    for deadline in (20.0, 30.0, 10.0, 15.0):
        alarm.watch(deadline)
    assert loop.armed() == [10.0]
    loop.pass_until(9.0)
    assert rung == []
    loop.pass_until(10.0)
    assert rung == [10.0]
    assert loop.armed() == []


def test_it_goes_on_with_what_is_left():
    loop, left = Loop(), [12.0, 14.0, NEVER]
    alarm = Alarm(loop, lambda now: left.pop(0))
    alarm.watch(10.0)
    for now, armed in ((10.0, [12.0]), (12.0, [14.0]), (14.0, [])):
        loop.pass_until(now)
        assert loop.armed() == armed


def test_later_ones_cost_no_timer():
    loop = Loop()
    alarm = Alarm(loop, lambda now: NEVER)
    for deadline in range(10, 1000):
        alarm.watch(float(deadline))
    assert len(loop.timers) == 1


def test_a_timer_that_is_early_is_taken_for_punctual():
    loop, rung = Loop(), []
    alarm = Alarm(loop, lambda now: rung.append(now) or NEVER)
    alarm.watch(10.0)
    loop.now = 9.999
    loop.timers.pop().callback()
    assert rung == [10.0]


def test_after_its_end_it_never_rings():
    loop = Loop()
    alarm = Alarm(loop, lambda now: NEVER)
    alarm.watch(10.0)
    alarm.close()
    alarm.watch(5.0)
    assert loop.armed() == []


def test_on_a_real_loop(run):
    async def main():
        loop = asyncio.get_running_loop()
        rung = loop.create_future()
        Alarm(loop, lambda now: rung.set_result(now) or NEVER).watch(loop.time() + 0.01)
        return loop.time() <= await rung

    assert run(main())
