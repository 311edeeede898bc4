"""Queues: no item is lost, doubled or handed to one who has given up."""

from __future__ import annotations

import asyncio
import collections
import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.errors import OperationError
from gustnado.events.coroutines import coroutine
from gustnado.events.loop import IOLoop
from gustnado.events.queues import LifoQueue, PriorityQueue, Queue, QueueEmpty, QueueFull

SOON = datetime.timedelta(milliseconds=1)
KINDS = [Queue, PriorityQueue, LifoQueue]


async def getting(queue):
    """A task that waits for an item."""

    async def wait():
        return await queue.get()

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    return task


def drain(queue):
    items = []
    while not queue.empty():
        items.append(queue.get_nowait())
    return items


@pytest.mark.parametrize(
    ("kind", "expected"), [(Queue, [2, 1, 3]), (PriorityQueue, [1, 2, 3]), (LifoQueue, [3, 1, 2])]
)
def test_the_order_of_items(kind, expected):
    queue = kind()
    for item in (2, 1, 3):
        queue.put_nowait(item)
    assert queue.qsize() == 3
    assert drain(queue) == expected


@pytest.mark.parametrize("kind", KINDS)
class TestSize:
    def test_none(self, kind):
        with pytest.raises(TypeError, match="maxsize can't be None"):
            kind(None)

    def test_negative(self, kind):
        with pytest.raises(ValueError, match="maxsize can't be negative: -1"):
            kind(-1)

    def test_no_room(self, kind):
        queue = kind(maxsize=2)
        assert (queue.maxsize, queue.qsize(), queue.empty(), queue.full()) == (2, 0, True, False)
        queue.put_nowait(1)
        queue.put_nowait(2)
        assert (queue.qsize(), queue.empty(), queue.full()) == (2, False, True)
        with pytest.raises(QueueFull, match="holds 2"):
            queue.put_nowait(3)

    def test_no_item(self, kind):
        with pytest.raises(QueueEmpty, match="no item"):
            kind().get_nowait()

    def test_any_number(self, kind):
        queue = kind(0)
        for item in range(1000):
            queue.put_nowait(item)
        assert not queue.full()


def test_a_size_that_is_no_integer(run):
    async def main():
        queue = Queue(1.5)  # type: ignore[arg-type]
        await queue.put(1)
        await queue.put(2)
        waiting = queue.put(3)
        assert not waiting.done()
        assert await queue.get() == 1
        await waiting

    run(main())


def test_its_errors_have_our_root():
    assert issubclass(QueueEmpty, OperationError)
    assert issubclass(QueueFull, OperationError)


class TestGet:
    def test_an_item_goes_to_who_has_waited_longest(self, run):
        async def main():
            queue = Queue()
            first, second = queue.get(), queue.get()
            queue.put_nowait(1)
            assert (await first, second.done()) == (1, False)
            assert queue.empty()
            queue.put_nowait(2)
            assert await second == 2

        run(main())

    @pytest.mark.parametrize("timeout", [SOON, 0, "now"])
    def test_a_timeout(self, run, timeout):
        async def main():
            queue = Queue()
            deadline = IOLoop.current().time() if timeout == "now" else timeout
            with pytest.raises(TimeoutError, match="the queue was empty"):
                await queue.get(timeout=deadline)
            queue.put_nowait(1)
            assert await queue.get(timeout=datetime.timedelta(hours=1)) == 1

        run(main())

    def test_another_kind_of_timeout_leaves_nobody_in_line(self, run):
        async def main():
            queue = Queue()
            with pytest.raises(TypeError, match="Unsupported deadline 'soon'"):
                queue.get(timeout="soon")  # type: ignore[arg-type]
            queue.put_nowait(1)
            assert queue.qsize() == 1

        run(main())

    def test_it_makes_room_for_who_waits(self, run):
        async def main():
            queue = Queue(1)
            queue.put_nowait(1)
            putter = queue.put(2)
            assert queue.get_nowait() == 1
            assert putter.done()
            assert queue.get_nowait() == 2

        run(main())

    def test_one_that_is_cancelled_takes_no_item(self, run):
        async def main():
            queue = Queue()
            task = await getting(queue)
            task.cancel()
            queue.put_nowait(1)
            await asyncio.wait([task])
            assert drain(queue) == [1]

        run(main())

    @pytest.mark.parametrize(
        ("kind", "left"), [(Queue, [1, 2]), (PriorityQueue, [1, 2]), (LifoQueue, [1, 2])]
    )
    def test_one_that_is_cancelled_after_it_was_handed_an_item_puts_it_back(self, run, kind, left):
        async def main():
            queue = kind()
            task = await getting(queue)
            queue.put_nowait(1)
            queue.put_nowait(2)
            task.cancel()
            await asyncio.wait([task])
            assert drain(queue) == left

        run(main())

    def test_an_item_that_is_put_back_goes_to_who_waits(self, run):
        async def main():
            queue = Queue()
            first, second = await getting(queue), await getting(queue)
            third = queue.get()
            queue.put_nowait(1)
            first.cancel()
            asyncio.get_running_loop().call_soon(second.cancel)  # when it has it, and before it goes on
            await asyncio.wait([first, second])
            assert first.cancelled() and second.cancelled()
            assert await third == 1

        run(main())

    def test_an_item_that_is_put_back_may_be_one_too_many(self, run):
        """It has been put, so it is kept; nobody else is let in until there is room again."""

        async def main():
            queue = Queue(1)
            task = await getting(queue)
            queue.put_nowait(1)
            queue.put_nowait(2)
            putter = queue.put(3)
            task.cancel()
            await asyncio.wait([task])
            assert (queue.qsize(), queue.full()) == (2, True)
            assert queue.get_nowait() == 1
            assert not putter.done()
            assert queue.get_nowait() == 2
            assert putter.done()
            assert queue.get_nowait() == 3

        run(main())

    def test_wait_for_loses_no_item(self, run):
        async def main():
            queue = Queue()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(queue.get(), 0)
            queue.put_nowait(1)
            assert await asyncio.wait_for(queue.get(), 10) == 1

        run(main())

    def test_generator_coroutines_get_too(self, run):
        @coroutine
        def get(queue):
            return (yield queue.get())

        async def main():
            queue = Queue()
            future = get(queue)
            await queue.put(1)
            assert await future == 1

        run(main())

    def test_async_for(self, run):
        async def main():
            queue, seen = Queue(), []
            for item in range(3):
                queue.put_nowait(item)
            async for item in aiter(queue):
                seen.append(item)
                if item == 2:
                    break
            assert seen == [0, 1, 2]

        run(main())

    def test_getters_that_gave_up_do_not_pile_up(self, run):
        async def main():
            queue = Queue()
            patient = queue.get()
            for _ in range(1000):
                queue.get().cancel()
            assert len(queue._getters) <= 100
            queue.put_nowait(1)
            assert await patient == 1

        run(main())


class TestPut:
    def test_it_waits_for_room_in_order(self, run):
        async def main():
            queue = Queue(1)
            assert queue.put(0).done()
            putters = [queue.put(item) for item in (1, 2)]
            assert await queue.get() == 0
            assert [putter.done() for putter in putters] == [True, False]
            assert drain(queue) == [1, 2]
            assert putters[1].done()

        run(main())

    @pytest.mark.parametrize("timeout", [SOON, 0])
    def test_a_timeout(self, run, timeout):
        async def main():
            queue = Queue(1)
            queue.put_nowait(1)
            with pytest.raises(TimeoutError, match="the queue was full"):
                await queue.put(2, timeout=timeout)
            assert drain(queue) == [1]

        run(main())

    def test_one_that_is_cancelled_puts_nothing(self, run):
        async def main():
            queue = Queue(1)
            queue.put_nowait(1)
            putter, other = queue.put(2), queue.put(3)
            putter.cancel()
            assert drain(queue) == [1, 3]
            assert other.done()

        run(main())

    def test_a_full_lifo_queue_gives_the_item_of_who_waits(self, run):
        """As in Tornado: room is made for it first, and it is the last then."""

        async def main():
            queue = LifoQueue(1)
            queue.put_nowait(1)
            putter = queue.put(2)
            assert queue.get_nowait() == 2
            assert putter.done()
            assert drain(queue) == [1]

        run(main())


class TestJoin:
    def test_it_waits_until_all_is_done(self, run):
        async def main():
            queue = Queue()
            assert queue.join().done()
            await queue.put(1)
            await queue.put(2)
            joined = queue.join()
            drain(queue)
            queue.task_done()
            assert not joined.done()
            queue.task_done()
            await joined
            with pytest.raises(ValueError, match="called too many times"):
                queue.task_done()

        run(main())

    def test_a_timeout(self, run):
        async def main():
            queue = Queue()
            await queue.put(1)
            with pytest.raises(TimeoutError):
                await queue.join(timeout=SOON)

        run(main())

    def test_an_item_that_was_put_back_is_one_task(self, run):
        async def main():
            queue = Queue()
            task = await getting(queue)
            queue.put_nowait(1)
            task.cancel()
            await asyncio.wait([task])
            joined = queue.join()
            await queue.get()
            assert not joined.done()
            queue.task_done()
            await joined

        run(main())


class TestRepr:
    def test_empty(self):
        assert str(Queue()) == "<Queue maxsize=0>"
        assert repr(LifoQueue(3)).startswith("<LifoQueue at 0x")

    def test_all_there_is(self, run):
        async def main():
            queue = Queue(1)
            queue.put_nowait("a")
            queue.put("b")
            assert str(queue) == "<Queue maxsize=1 queue=deque(['a']) putters[1] tasks=1>"
            getter = Queue()
            getter.get()
            assert str(getter) == "<Queue maxsize=0 getters[1]>"

        run(main())


def test_a_subclass_may_keep_items_in_another_way(run):
    class Unique(Queue):
        def _init(self):
            self._queue = set()

        def _put(self, item):
            self._queue.add(item)

        def _get(self):
            return self._queue.pop()

    async def main():
        queue = Unique()
        task = await getting(queue)
        queue.put_nowait(1)
        task.cancel()
        await asyncio.wait([task])
        queue.put_nowait(1)
        assert drain(queue) == [1]

    run(main())


def test_a_subclass_may_have_no_room_or_no_item_for_reasons_of_its_own(run):
    class Gated(Queue):
        open = False

        def put_nowait(self, item):
            if not self.open:
                raise QueueFull
            super().put_nowait(item)

        def get_nowait(self):
            if not self.open:
                raise QueueEmpty
            return super().get_nowait()

    async def main():
        queue = Gated(1)
        assert not queue.put(1).done()
        queue.open = True
        assert queue.put(2).done()
        queue.open = False
        getter = queue.get()
        assert not getter.done()

    run(main())


@settings(max_examples=80, deadline=None)
@given(data=st.data(), kind=st.sampled_from(KINDS), maxsize=st.integers(0, 2))
def test_no_item_is_lost_or_doubled(data, kind, maxsize):
    """Whatever is put, got and cancelled in whatever order: each item that was put is got once, or is left."""

    async def main():
        queue, got, put, numbers = kind(maxsize), [], [], iter(range(1000))
        getters, putters = [], []

        async def get():
            got.append(await queue.get())

        for step in data.draw(st.lists(st.sampled_from("gpxX."), max_size=30)):
            if step == "g":
                getters.append(asyncio.ensure_future(get()))
            elif step == "p":
                item = next(numbers)
                putters.append((item, queue.put(item)))
            elif step == "x" and getters:
                data.draw(st.sampled_from(getters)).cancel()
            elif step == "X" and putters:
                data.draw(st.sampled_from(putters))[1].cancel()
            else:
                await asyncio.sleep(0)
        for task in getters:
            task.cancel()
        if getters:
            await asyncio.wait(getters)
        left = drain(queue)
        put += [item for item, putter in putters if putter.done() and not putter.cancelled()]
        assert collections.Counter(got + left) == collections.Counter(put)

    asyncio.run(main())
