"""Queues between coroutines of one loop.

They look like :class:`asyncio.Queue`, with Tornado's timeouts. In rules:

- A ``timeout`` is a time as of :meth:`IOLoop.time <gustnado.events.loop.IOLoop.time>`, or a
  :class:`datetime.timedelta` from now. Without one, ``put`` and ``get`` wait forever.
- Who waits longest comes first. An item is handed to a waiting getter as it is put.
- A getter that times out or is cancelled takes no item along. One that is cancelled after it was handed one,
  but before it could go on, puts it back where it was: the next getter has it.
- A ``put`` that waits and is cancelled or times out has put nothing, unless its item was taken already.

>>> import asyncio
>>> async def consumer(queue):
...     async for item in queue:
...         print(item)
...         queue.task_done()
>>> async def main():
...     queue = Queue(maxsize=2)
...     task = asyncio.ensure_future(consumer(queue))
...     for item in range(3):
...         await queue.put(item)
...     await queue.join()
...     task.cancel()
>>> asyncio.run(main())
0
1
2
"""

from __future__ import annotations

import collections
import heapq
from typing import Any, Generic, TypeVar

from gustnado.errors import OperationError
from gustnado.events.futures import Future
from gustnado.events.locks import Event
from gustnado.events.waiters import Line, Timeout, Waiter, call_unless_done

__all__ = ["LifoQueue", "PriorityQueue", "Queue", "QueueEmpty", "QueueFull"]

T = TypeVar("T")


class QueueEmpty(OperationError):
    """Raised by :meth:`Queue.get_nowait` where there is no item."""


class QueueFull(OperationError):
    """Raised by :meth:`Queue.put_nowait` where there is no room."""


class _Putter(Future[None], Generic[T]):
    """Waits for room for ``item``."""

    __slots__ = ("item",)

    item: T


def _expire(waiter: Future[Any], message: str) -> None:
    waiter.set_exception(TimeoutError(message))


class _QueueIterator(Generic[T]):
    """``async for`` over a queue: it gets item after item, and does not end."""

    def __init__(self, queue: Queue[T]) -> None:
        self._queue = queue

    def __aiter__(self) -> _QueueIterator[T]:
        return self

    def __anext__(self) -> Future[T]:
        return self._queue.get()


class Queue(Generic[T]):
    """Items from producers to consumers, first in first out.

    A subclass may keep them in another way, by overriding ``_init``, ``_put`` and ``_get``, which have to do
    with the container ``_queue`` alone.

    :param maxsize: how many items there is room for; 0 is any number.
    :raises TypeError: where it is ``None``.
    :raises ValueError: where it is negative.
    """

    _queue: Any = None

    def __init__(self, maxsize: int = 0) -> None:
        if maxsize is None:
            raise TypeError("maxsize can't be None; 0 is any number of items")
        if maxsize < 0:
            raise ValueError(f"maxsize can't be negative: {maxsize!r}")
        self._maxsize = maxsize
        self._init()
        self._getters = Line()
        self._putters = Line()
        self._unfinished_tasks = 0
        self._finished = Event()
        self._finished.set()

    @property
    def maxsize(self) -> int:
        """How many items there is room for; 0 is any number."""
        return self._maxsize

    def qsize(self) -> int:
        """How many items there are."""
        return len(self._queue)

    def empty(self) -> bool:
        """Whether there is no item."""
        return not self._queue

    def full(self) -> bool:
        """Whether there is no room."""
        return self._maxsize > 0 and self.qsize() >= self._maxsize

    def put(self, item: T, timeout: Timeout = None) -> Future[None]:
        """Put an item into the queue, and wait for room where there is none.

        :param timeout: a time as of :meth:`IOLoop.time`, or a :class:`datetime.timedelta` from now.
        :returns: a future, which is done where there is room.
        :raises TimeoutError: in time, by way of the returned future.
        :raises TypeError: where ``timeout`` is neither.
        """
        if self.full():  # so nobody waits for an item
            return self._wait_for_room(item, timeout)
        try:
            self.put_nowait(item)
        except QueueFull:  # for a reason of a subclass
            return self._wait_for_room(item, timeout)
        future: Future[None] = Future()
        future.set_result(None)
        return future

    def _wait_for_room(self, item: T, timeout: Timeout) -> Future[None]:
        putter: _Putter[T] = _Putter()
        putter.item = item
        if self._putters:
            self._putters.first()  # which drops those that have given up
        if timeout is not None:
            call_unless_done(putter, timeout, lambda: _expire(putter, "the queue was full until the timeout"))
        self._putters.join(putter)
        return putter

    def put_nowait(self, item: T) -> None:
        """Put an item into the queue.

        :raises QueueFull: where there is no room.
        """
        if self._putters:
            self._putters.first()  # which drops those that have given up
        getter: Waiter[T] | None = self._getters.first() if self._getters else None
        if getter is None and self.full():
            raise QueueFull(f"no room for another item: the queue holds {self.qsize()}")
        self._add(item)
        if getter is not None:
            self._getters.popleft()
            getter.set_result(self._get())

    def get(self, timeout: Timeout = None) -> Future[T]:
        """Take an item out of the queue, and wait for one where there is none.

        :param timeout: a time as of :meth:`IOLoop.time`, or a :class:`datetime.timedelta` from now. (For the
            standard library's :class:`queue.Queue` a number is seconds from now.)
        :returns: a future of the item, which is done where there is one.
        :raises TimeoutError: in time, by way of the returned future.
        :raises TypeError: where ``timeout`` is neither.
        """
        if self.empty():  # so nobody waits for room
            return self._wait_for_item(timeout)
        try:
            item = self.get_nowait()
        except QueueEmpty:  # for a reason of a subclass
            return self._wait_for_item(timeout)
        future: Future[T] = Future()
        future.set_result(item)
        return future

    def _wait_for_item(self, timeout: Timeout) -> Future[T]:
        getter: Waiter[T] = Waiter()
        getter.unused = self._put_back
        if self._getters:
            self._getters.first()
        if timeout is not None:
            call_unless_done(getter, timeout, lambda: _expire(getter, "the queue was empty until the timeout"))
        self._getters.join(getter)
        return getter

    def get_nowait(self) -> T:
        """Take an item out of the queue.

        :raises QueueEmpty: where there is none.
        """
        if self._getters:
            self._getters.first()  # which drops those that have given up
        putter: _Putter[T] | None = self._putters.first() if self._putters else None
        # An item that was put back may be one more than there is room for.
        if putter is not None and self.qsize() - 1 < self._maxsize:
            self._putters.popleft()
            self._add(putter.item)
            putter.set_result(None)
        if self.empty():
            raise QueueEmpty("no item in the queue")
        return self._get()

    def task_done(self) -> None:
        """Say that an item that was taken out has been dealt with, for :meth:`join`.

        :raises ValueError: where that was said for every item already.
        """
        if self._unfinished_tasks <= 0:
            raise ValueError("task_done() called too many times")
        self._unfinished_tasks -= 1
        if self._unfinished_tasks == 0:
            self._finished.set()

    def join(self, timeout: Timeout = None) -> Future[None]:
        """Wait until every item that was put has been dealt with.

        :param timeout: a time as of :meth:`IOLoop.time`, or a :class:`datetime.timedelta` from now.
        :raises TimeoutError: in time, by way of the returned future.
        :raises TypeError: where ``timeout`` is neither.
        """
        return self._finished.wait(timeout)

    def __aiter__(self) -> _QueueIterator[T]:
        return _QueueIterator(self)

    def _init(self) -> None:
        """Make the container."""
        self._queue = collections.deque()

    def _get(self) -> T:
        """Take an item out of the container, which is not empty."""
        item: T = self._queue.popleft()
        return item

    def _put(self, item: T) -> None:
        """Put an item into the container."""
        self._queue.append(item)

    def _add(self, item: T) -> None:
        self._put(item)
        self._unfinished_tasks += 1
        self._finished.clear()

    def _put_back(self, getter: Waiter[T]) -> None:
        """Take back the item of a getter that cannot have it, for the next one."""
        if isinstance(self._queue, collections.deque):
            self._queue.appendleft(getter.result())
        else:
            self._put(getter.result())
        following = self._getters.pop_next()
        if following is not None:
            following.set_result(self._get())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {hex(id(self))} {self._format()}>"

    def __str__(self) -> str:
        return f"<{type(self).__name__} {self._format()}>"

    def _format(self) -> str:
        parts = [f"maxsize={self._maxsize!r}"]
        if self._queue:
            parts.append(f"queue={self._queue!r}")
        for name, line in (("getters", self._getters), ("putters", self._putters)):
            if line.waiting():
                parts.append(f"{name}[{line.waiting()}]")
        if self._unfinished_tasks:
            parts.append(f"tasks={self._unfinished_tasks}")
        return " ".join(parts)


class PriorityQueue(Queue[T]):
    """A :class:`Queue` that gives the lowest item first; often they are tuples ``(priority, data)``.

    >>> queue = PriorityQueue()
    >>> queue.put_nowait((1, "later"))
    >>> queue.put_nowait((0, "first"))
    >>> queue.get_nowait()
    (0, 'first')
    """

    def _init(self) -> None:
        self._queue = []

    def _put(self, item: T) -> None:
        heapq.heappush(self._queue, item)

    def _get(self) -> T:
        item: T = heapq.heappop(self._queue)
        return item


class LifoQueue(Queue[T]):
    """A :class:`Queue` that gives the item that was put last.

    >>> queue = LifoQueue()
    >>> queue.put_nowait(1)
    >>> queue.put_nowait(2)
    >>> queue.get_nowait()
    2
    """

    def _init(self) -> None:
        self._queue = []

    def _get(self) -> T:
        item: T = self._queue.pop()
        return item
