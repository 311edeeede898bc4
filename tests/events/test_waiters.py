"""A result reaches who waited for it, or goes back; a line forgets who gave up."""

from __future__ import annotations

import asyncio
import datetime

import pytest

from gustnado.events.futures import Future
from gustnado.events.loop import IOLoop
from gustnado.events.waiters import Line, Waiter, call_unless_done


@pytest.fixture
def unused():
    """The waiters whose results nobody got."""
    return []


@pytest.fixture
def make_waiter(unused):
    def make():
        waiter: Waiter[int] = Waiter()
        waiter.unused = unused.append
        return waiter

    return make


async def cancelled_after(waiter, happening):
    """Await ``waiter`` in a task, and cancel that in the turn of the loop in which something happens to it."""

    async def wait():
        await waiter

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    happening()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


class TestWaiter:
    def test_who_awaits_it_gets_the_result(self, run, make_waiter, unused):
        async def main():
            waiter = make_waiter()
            asyncio.get_running_loop().call_soon(waiter.set_result, 42)
            assert await waiter == 42
            assert await waiter == 42  # done already
            assert not unused

        run(main())

    def test_a_task_that_is_cancelled_after_the_result_gives_it_back(self, run, make_waiter, unused):
        async def main():
            waiter = make_waiter()
            await cancelled_after(waiter, lambda: waiter.set_result(42))
            assert unused == [waiter]

        run(main())

    def test_a_task_that_is_cancelled_before_the_result_cancels_it(self, run, make_waiter, unused):
        async def main():
            waiter = make_waiter()
            await cancelled_after(waiter, lambda: None)
            assert waiter.cancelled()
            assert not unused

        run(main())

    def test_a_task_that_is_cancelled_after_a_timeout_has_nothing_to_give_back(self, run, make_waiter, unused):
        async def main():
            waiter = make_waiter()
            await cancelled_after(waiter, lambda: waiter.set_exception(TimeoutError()))
            assert not unused

        run(main())

    def test_a_generator_can_wait_for_it_by_yield_from(self, run, make_waiter):
        async def main():
            waiter = make_waiter()
            waiter.set_result(42)
            with pytest.raises(StopIteration) as stop:
                next(iter(waiter))
            assert stop.value.value == 42

        run(main())

    def test_wait_for_gives_it_up_in_time(self, run, make_waiter, unused):
        async def main():
            waiter = make_waiter()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(waiter, 0)
            assert waiter.cancelled()
            assert not unused

        run(main())


class TestLine:
    def test_it_gives_them_in_the_order_in_which_they_came(self, run):
        async def main():
            line, waiters = Line(), [Future() for _ in range(3)]
            for waiter in waiters:
                line.join(waiter)
            assert line.first() is waiters[0]
            assert [line.pop_next() for _ in range(4)] == [*waiters, None]
            assert line.first() is None

        run(main())

    def test_it_skips_those_that_gave_up(self, run):
        async def main():
            line, waiters = Line(), [Future() for _ in range(4)]
            for waiter in waiters:
                line.join(waiter)
            waiters[0].cancel()
            waiters[2].set_result(None)
            assert line.waiting() == 2
            assert [line.pop_next() for _ in range(3)] == [waiters[1], waiters[3], None]

        run(main())

    def test_those_that_are_cancelled_do_not_pile_up_behind_one_that_waits(self, run):
        async def main():
            line, patient = Line(), Future()
            line.join(patient)
            for _ in range(10_000):
                waiter = Future()
                line.join(waiter)
                waiter.cancel()
            assert len(line) <= Line.SMALL
            assert line.pop_next() is patient

        run(main())

    def test_those_that_expired_are_swept_without_another_one_coming(self, run):
        async def main():
            line = Line()
            waiters = [Future() for _ in range(3 * Line.SMALL)]
            for waiter in waiters:
                line.join(waiter)
            for waiter in waiters[1:]:
                waiter.cancel()
                line.note_expired()
            assert len(line) <= Line.SMALL
            assert line.first() is waiters[0]

        run(main())

    def test_many_that_wait_are_not_swept_again_and_again(self, run):
        """The work of all sweeps together is linear in the number of waiters."""

        async def main():
            line, swept = Line(), 0
            sweep = line._sweep

            def counting():
                nonlocal swept
                swept += len(line)
                sweep()

            line._sweep = counting  # type: ignore[method-assign]
            for _ in range(5000):
                line.join(Future())
            assert len(line) == 5000
            assert swept <= 2 * 5000

        run(main())


class TestCallUnlessDone:
    def test_it_is_called_at_the_timeout(self, run):
        async def main():
            waiter: Future[str] = Future()
            call_unless_done(waiter, IOLoop.current().time(), lambda: waiter.set_result("late"))
            assert await waiter == "late"

        run(main())

    def test_it_is_not_called_where_the_waiter_is_done_in_the_same_turn(self, run):
        async def main():
            waiter: Future[None] = Future()
            call_unless_done(waiter, datetime.timedelta(0), pytest.fail)
            asyncio.get_running_loop().call_soon(waiter.set_result, None)
            await waiter
            await asyncio.sleep(0.01)

        run(main())

    def test_the_timer_goes_with_the_waiter(self, run):
        async def main():
            waiter: Future[None] = Future()
            removed = []
            io_loop = IOLoop.current()
            remove = io_loop.remove_timeout
            io_loop.remove_timeout = lambda timer: (removed.append(timer), remove(timer))[1]  # type: ignore[method-assign]
            call_unless_done(waiter, datetime.timedelta(hours=1), pytest.fail)
            waiter.cancel()
            await asyncio.sleep(0)
            assert len(removed) == 1

        run(main())

    def test_another_kind_of_timeout(self, run):
        async def main():
            with pytest.raises(TypeError, match="Unsupported deadline 'soon'"):
                call_unless_done(Future(), "soon", pytest.fail)  # type: ignore[arg-type]

        run(main())
