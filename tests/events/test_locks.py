"""Locks: who waits longest comes first, and nobody who gives up takes a permit or a wake-up along."""

from __future__ import annotations

import asyncio
import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.events.coroutines import coroutine
from gustnado.events.locks import BoundedSemaphore, Condition, Event, Lock, Semaphore
from gustnado.events.loop import IOLoop

SOON = datetime.timedelta(milliseconds=1)


async def acquire_in_task(lock):
    """A task that waits for a lock, holds it and ends."""

    async def wait():
        await lock.acquire()

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    return task


async def waiting(awaitable):
    """A task that waits."""

    async def wait():
        return await awaitable

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    return task


async def is_cancelled(task):
    await asyncio.wait([task])
    return task.cancelled()


@pytest.mark.parametrize("make", [Condition, Event, Semaphore, BoundedSemaphore, Lock])
def test_it_belongs_to_no_loop_before_it_is_waited_for(make, run):
    lock = make()
    assert type(lock).__name__ in repr(lock)

    async def main():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(Condition().wait() if make is not Event else lock.wait(), 0)

    run(main())


@pytest.mark.parametrize("make", [lambda: Semaphore(0), Event, Condition])
def test_a_timeout_that_is_none_leaves_nobody_in_line(make, run):
    async def main():
        lock = make()
        wait = lock.acquire if isinstance(lock, Semaphore) else lock.wait
        with pytest.raises(TypeError, match="Unsupported deadline 'soon'"):
            wait(timeout="soon")
        assert "waiters" not in repr(lock)

    run(main())


class TestCondition:
    def test_notify_wakes_who_has_waited_longest(self, run):
        async def main():
            condition = Condition()
            first, second, third = condition.wait(), condition.wait(), condition.wait()
            condition.notify()
            assert await first is True
            assert not second.done()
            condition.notify(5)
            assert await second and await third

        run(main())

    def test_a_notification_is_not_kept_for_later(self, run):
        async def main():
            condition = Condition()
            condition.notify_all()
            assert not condition.wait().done()

        run(main())

    def test_notify_all(self, run):
        async def main():
            condition = Condition()
            waiters = [condition.wait() for _ in range(3)]
            condition.notify_all()
            assert [await waiter for waiter in waiters] == [True] * 3

        run(main())

    @pytest.mark.parametrize("timeout", [SOON, 0, "now"])
    def test_after_a_timeout_it_is_false(self, run, timeout):
        async def main():
            condition = Condition()
            deadline = IOLoop.current().time() if timeout == "now" else timeout
            assert await condition.wait(timeout=deadline) is False
            waiter = condition.wait()
            condition.notify()
            assert await waiter

        run(main())

    def test_one_that_is_cancelled_is_not_notified(self, run):
        async def main():
            condition = Condition()
            gone, other = await waiting(condition.wait()), condition.wait()
            gone.cancel()
            await asyncio.sleep(0)
            condition.notify()
            assert await other

        run(main())

    def test_one_that_is_cancelled_after_it_was_notified_passes_that_on(self, run):
        async def main():
            condition = Condition()
            woken = await waiting(condition.wait())
            another = await waiting(condition.wait())
            other = condition.wait()
            condition.notify()
            woken.cancel()
            asyncio.get_running_loop().call_soon(another.cancel)  # when it has it, and before it goes on
            assert await is_cancelled(woken)
            assert await is_cancelled(another)
            assert await other

        run(main())

    def test_it_is_not_passed_on_to_one_that_came_later(self, run):
        async def main():
            condition = Condition()
            woken = await waiting(condition.wait())
            condition.notify()
            later = condition.wait()
            woken.cancel()
            assert await is_cancelled(woken)
            assert not later.done()

        run(main())

    def test_nothing_is_passed_on_by_one_that_timed_out(self, run):
        async def main():
            condition = Condition()
            waiter = condition.wait(timeout=0)
            waiter.add_done_callback(lambda _: task.cancel())  # before the task goes on
            task = await waiting(waiter)
            other = condition.wait()
            assert await is_cancelled(task)
            assert not other.done()

        run(main())

    def test_repr(self, run):
        async def main():
            condition = Condition()
            assert repr(condition) == "<Condition>"
            waiters = [condition.wait(), condition.wait()]
            assert repr(condition) == "<Condition waiters[2]>"
            waiters[0].cancel()
            assert repr(condition) == "<Condition waiters[1]>"

        run(main())


class TestEvent:
    def test_it_wakes_all(self, run):
        async def main():
            event = Event()
            waiters = [event.wait() for _ in range(3)]
            assert not event.is_set()
            event.set()
            event.set()
            assert event.is_set()
            assert await asyncio.gather(*waiters) == [None] * 3
            assert event.wait().done()
            event.clear()
            assert not event.wait().done()

        run(main())

    def test_clearing_it_does_not_take_back_the_wake_up(self, run):
        async def main():
            event = Event()
            waiter = await waiting(event.wait())
            event.set()
            event.clear()
            await waiter

        run(main())

    def test_a_timeout(self, run):
        async def main():
            event = Event()
            with pytest.raises(TimeoutError, match="not set in time"):
                await event.wait(timeout=SOON)
            waiter = event.wait(timeout=datetime.timedelta(hours=1))
            event.set()
            await waiter

        run(main())

    def test_one_that_is_cancelled(self, run):
        async def main():
            event = Event()
            task, other = await waiting(event.wait()), event.wait()
            task.cancel()
            event.set()
            assert await is_cancelled(task)
            await other

        run(main())

    def test_repr(self):
        event = Event()
        assert repr(event) == "<Event clear>"
        event.set()
        assert repr(event) == "<Event set>"


class TestSemaphore:
    def test_it_hands_permits_to_who_has_waited_longest(self, run):
        async def main():
            semaphore = Semaphore(2)
            await semaphore.acquire()
            await semaphore.acquire()
            first, second = semaphore.acquire(), semaphore.acquire()
            semaphore.release()
            assert (first.done(), second.done()) == (True, False)
            late = semaphore.acquire()
            semaphore.release()
            assert (second.done(), late.done()) == (True, False)
            semaphore.release()
            await late

        run(main())

    def test_a_negative_value(self):
        with pytest.raises(ValueError, match=">= 0, not -1"):
            Semaphore(-1)

    def test_it_may_be_released_more_often_than_acquired(self, run):
        async def main():
            semaphore = Semaphore(0)
            semaphore.release()
            semaphore.release()
            assert semaphore.acquire().done() and semaphore.acquire().done()
            assert not semaphore.acquire().done()

        run(main())

    @pytest.mark.parametrize("timeout", [SOON, 0])
    def test_a_timeout(self, run, timeout):
        async def main():
            semaphore = Semaphore(0)
            with pytest.raises(TimeoutError, match="Semaphore was not acquired in time"):
                await semaphore.acquire(timeout=timeout)
            semaphore.release()  # goes to nobody
            assert semaphore.acquire().done()

        run(main())

    def test_with_releases(self, run):
        @coroutine
        def old_style(semaphore):
            with (yield semaphore.acquire()) as nothing:
                assert nothing is None
                return repr(semaphore)

        async def main():
            semaphore = Semaphore()
            with await semaphore.acquire():
                assert "locked" in repr(semaphore)
            assert "[unlocked,value:1]" in repr(semaphore)
            assert "[locked]" in await old_style(semaphore)
            with pytest.raises(ZeroDivisionError):
                with await semaphore.acquire():
                    _ = 1 / 0
            assert "[unlocked,value:1]" in repr(semaphore)

        run(main())

    def test_async_with_releases(self, run):
        async def main():
            semaphore = Semaphore()
            with pytest.raises(ZeroDivisionError):
                async with semaphore as nothing:
                    assert nothing is None
                    assert "[locked]" in repr(semaphore)
                    _ = 1 / 0
            assert "[unlocked,value:1]" in repr(semaphore)

        run(main())

    def test_async_with_makes_no_future_where_it_need_not_wait(self, run, monkeypatch):
        async def main():
            monkeypatch.setattr("gustnado.events.locks.Future", None)
            async with Semaphore(), Lock():
                pass

        run(main())

    def test_async_with_calls_the_acquire_of_a_subclass(self, run):
        calls = []

        class Counting(Semaphore):
            def acquire(self, timeout=None):
                calls.append(timeout)
                return super().acquire(timeout)

        async def main():
            async with Counting():
                pass

        run(main())
        assert calls == [None]

    @pytest.mark.parametrize("make", [Semaphore, BoundedSemaphore, Lock])
    def test_plain_with_is_refused(self, make):
        with pytest.raises(RuntimeError, match=f"'async with' instead of 'with' for {make.__name__}"):
            with make():
                pass

    @pytest.mark.parametrize("make", [lambda: Semaphore(1), lambda: BoundedSemaphore(1), Lock])
    def test_one_that_is_cancelled_after_it_got_the_permit_gives_it_back(self, run, make):
        async def main():
            lock = make()
            await lock.acquire()
            woken, other = await acquire_in_task(lock), lock.acquire()
            lock.release()
            woken.cancel()
            assert await is_cancelled(woken)
            assert other.done()
            lock.release()
            assert lock.acquire().done()

        run(main())

    def test_one_that_is_cancelled_in_async_with_gives_the_permit_back(self, run):
        async def main():
            lock = Lock()
            await lock.acquire()

            async def work():
                async with lock:
                    pytest.fail("it was cancelled")

            task = asyncio.ensure_future(work())
            await asyncio.sleep(0)
            lock.release()
            task.cancel()
            assert await is_cancelled(task)
            assert lock.acquire().done()

        run(main())

    def test_one_that_is_cancelled_before_takes_nothing(self, run):
        async def main():
            semaphore = Semaphore(0)
            task, other = await acquire_in_task(semaphore), semaphore.acquire()
            task.cancel()
            semaphore.release()
            assert await is_cancelled(task)
            assert other.done()

        run(main())

    def test_repr_counts_those_that_wait(self, run):
        async def main():
            semaphore = Semaphore(0)
            waiters = [semaphore.acquire(), semaphore.acquire()]
            assert repr(semaphore).endswith("[locked,waiters:2]>")
            waiters[0].cancel()
            assert repr(semaphore).endswith("[locked,waiters:1]>")

        run(main())

    @settings(max_examples=60, deadline=None)
    @given(data=st.data(), value=st.integers(0, 3))
    def test_no_permit_is_lost_or_made(self, data, value):
        """Tasks that acquire, release and are cancelled in any order: as many permits as at first are left."""

        async def main():
            semaphore, release = Semaphore(value), asyncio.Event()
            tasks = []

            async def work():
                async with semaphore:
                    await release.wait()

            for step in data.draw(st.lists(st.integers(-1, 5), max_size=20)):
                if step < 0:
                    release.set()
                    release = asyncio.Event()
                elif step == 0 or not tasks:
                    tasks.append(asyncio.ensure_future(work()))
                else:
                    tasks[step % len(tasks)].cancel()
                if data.draw(st.booleans()):
                    await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)
            assert repr(semaphore).endswith(f"[unlocked,value:{value}]>" if value else "[locked]>")

        asyncio.run(main())


class TestBoundedSemaphore:
    def test_it_is_not_released_more_often_than_acquired(self, run):
        async def main():
            semaphore = BoundedSemaphore(1)
            await semaphore.acquire()
            semaphore.release()
            with pytest.raises(ValueError, match="released too many times"):
                semaphore.release()
            assert semaphore.acquire().done()
            assert not semaphore.acquire().done()

        run(main())

    def test_who_waits_can_be_released(self, run):
        async def main():
            semaphore = BoundedSemaphore(1)
            await semaphore.acquire()
            waiter = semaphore.acquire()
            semaphore.release()
            with await waiter:
                assert repr(semaphore).endswith("[locked]>")
            with pytest.raises(ValueError, match="too many times"):
                semaphore.release()

        run(main())


class TestLock:
    def test_one_holds_it_at_a_time(self, run):
        async def main():
            lock, inside = Lock(), []

            async def work(name):
                async with lock:
                    inside.append(name)
                    assert len(inside) == 1
                    await asyncio.sleep(0)
                    inside.remove(name)

            await asyncio.gather(*map(work, range(5)))

        run(main())

    def test_releasing_what_nobody_holds(self):
        with pytest.raises(RuntimeError, match="release unlocked lock"):
            Lock().release()

    def test_a_timeout(self, run):
        async def main():
            lock = Lock()
            await lock.acquire()
            with pytest.raises(TimeoutError, match="not acquired in time"):
                await lock.acquire(timeout=SOON)
            lock.release()
            with await lock.acquire(timeout=SOON):
                assert "locked" in repr(lock)

        run(main())

    def test_repr(self):
        assert "<Lock _block=<gustnado.events.locks.BoundedSemaphore object at" in repr(Lock())
