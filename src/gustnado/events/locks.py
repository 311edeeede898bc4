"""Locks and conditions for coroutines of one loop.

They order coroutines, not threads: none of them may be used from two threads. In rules:

- A ``timeout`` is a time as of :meth:`IOLoop.time <gustnado.events.loop.IOLoop.time>`, or a
  :class:`datetime.timedelta` from now. Without one they wait forever.
- Who waits longest comes first, and gets what is released at once: nobody can come in between.
- A waiter that times out or is cancelled takes nothing along. One that is cancelled *after* it was woken, but
  before it could go on, passes on what it was given.
- Making one needs no loop; it belongs to none until something waits.

>>> import asyncio
>>> async def worker(name, semaphore):
...     async with semaphore:
...         print(name, "works")
...         await asyncio.sleep(0)
...     print(name, "is done")
>>> async def main():
...     semaphore = Semaphore(2)
...     await asyncio.gather(*[worker(name, semaphore) for name in "abc"])
>>> asyncio.run(main())
a works
b works
a is done
b is done
c works
c is done
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, NoReturn

from gustnado.events.futures import Future
from gustnado.events.waiters import Line, Timeout, Waiter, call_unless_done

__all__ = ["BoundedSemaphore", "Condition", "Event", "Lock", "Semaphore"]


class _Notified(Waiter[bool]):
    """One who waits for a condition.

    :ivar place: its number among all that ever waited.
    :ivar last: the highest number when it was notified: those up to there may have the notification instead.
    """

    __slots__ = ("last", "place")

    place: int
    last: int


class Condition:
    """Lets coroutines wait until another one notifies them. There is no lock that goes with it.

    ::

        condition = Condition()

        async def consumer():
            await condition.wait()

        condition.notify()
    """

    def __init__(self) -> None:
        self._waiters = Line()
        self._arrivals = 0

    def __repr__(self) -> str:
        waiting = self._waiters.waiting()
        return f"<{type(self).__name__}{f' waiters[{waiting}]' if waiting else ''}>"

    def wait(self, timeout: Timeout = None) -> Future[bool]:
        """Wait for :meth:`notify`.

        :param timeout: a time as of :meth:`IOLoop.time`, or a :class:`datetime.timedelta` from now.
        :returns: a future: ``True``, or ``False`` after the timeout.
        :raises TypeError: where ``timeout`` is neither.
        """
        waiter = _Notified()
        waiter.unused = self._pass_on
        if timeout is not None:
            call_unless_done(waiter, timeout, lambda: self._expire(waiter))
        self._arrivals += 1
        waiter.place = self._arrivals
        self._waiters.join(waiter)
        return waiter

    def _expire(self, waiter: Future[bool]) -> None:
        waiter.set_result(False)
        self._waiters.note_expired()

    def notify(self, n: int = 1) -> None:
        """Wake ``n`` of those that wait now, or all if there are fewer. They run on the next turn of the loop."""
        for _ in range(n):
            waiter = self._waiters.pop_next()
            if waiter is None:
                return
            self._wake(waiter, self._arrivals)

    def notify_all(self) -> None:
        """Wake all that wait now."""
        self.notify(len(self._waiters))

    @staticmethod
    def _wake(waiter: _Notified, last: int) -> None:
        waiter.last = last
        waiter.set_result(True)

    def _pass_on(self, woken: _Notified) -> None:
        """Wake another instead, but none that came only after the notification."""
        waiter = self._waiters.first()
        if woken.result() and waiter is not None and waiter.place <= woken.last:
            self._waiters.popleft()
            self._wake(waiter, woken.last)


class Event:
    """A flag for which coroutines can wait until it is set.

    ::

        ready = Event()

        async def worker():
            await ready.wait()

        ready.set()
    """

    def __init__(self) -> None:
        self._value = False
        self._waiters = Line()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'set' if self._value else 'clear'}>"

    def is_set(self) -> bool:
        """Whether the flag is set."""
        return self._value

    def set(self) -> None:
        """Set the flag, and wake all that wait. Until :meth:`clear`, nobody has to wait."""
        if self._value:
            return
        self._value = True
        waiters, self._waiters = self._waiters, Line()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def clear(self) -> None:
        """Clear the flag: from now on :meth:`wait` waits."""
        self._value = False

    def wait(self, timeout: Timeout = None) -> Future[None]:
        """Wait until the flag is set.

        :param timeout: a time as of :meth:`IOLoop.time`, or a :class:`datetime.timedelta` from now.
        :raises TimeoutError: in time, by way of the returned future.
        :raises TypeError: where ``timeout`` is neither.
        """
        waiter: Future[None] = Future()
        if self._value:
            waiter.set_result(None)
            return waiter
        if timeout is not None:
            call_unless_done(waiter, timeout, lambda: self._expire(waiter))
        self._waiters.join(waiter)
        return waiter

    def _expire(self, waiter: Future[None]) -> None:
        waiter.set_exception(TimeoutError("the event was not set in time"))
        self._waiters.note_expired()


class _ReleasingContextManager:
    """What :meth:`Semaphore.acquire` gives: ``with (await semaphore.acquire()):`` releases at its end."""

    __slots__ = ("_obj",)

    def __init__(self, obj: Any) -> None:
        self._obj = obj

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._obj.release()


class _AsyncWith:
    """``async with`` for what has ``acquire`` and ``release``, and a clear word about ``with``."""

    def acquire(self, timeout: Timeout = None) -> Future[_ReleasingContextManager]:
        raise NotImplementedError

    def release(self) -> None:
        raise NotImplementedError

    def _acquire_now(self) -> bool:
        """Acquire without a future, where nothing has to be waited for."""
        raise NotImplementedError

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # `async with` calls a program's own acquire().
        if "acquire" in vars(cls) and "_acquire_now" not in vars(cls):
            cls._acquire_now = _never_now  # type: ignore[method-assign]

    def __enter__(self) -> NoReturn:
        raise RuntimeError(f"Use 'async with' instead of 'with' for {type(self).__name__}")

    def __exit__(
        self, typ: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__enter__()

    async def __aenter__(self) -> None:
        if not self._acquire_now():
            await self.acquire()

    async def __aexit__(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.release()


def _never_now(self: _AsyncWith) -> bool:
    return False


class Semaphore(_AsyncWith):
    """A number of permits; who finds none waits until one is released.

    ::

        semaphore = Semaphore(2)

        async def worker():
            async with semaphore:            # or: with (await semaphore.acquire()):
                await use_some_resource()

    :param value: how many permits there are at first.
    :raises ValueError: where that is negative.
    """

    def __init__(self, value: int = 1) -> None:
        if value < 0:
            raise ValueError(f"semaphore initial value must be >= 0, not {value!r}")
        self._value = value
        self._waiters = Line()

    def __repr__(self) -> str:
        extra = f"unlocked,value:{self._value}" if self._value else "locked"
        waiting = self._waiters.waiting()
        if waiting:
            extra += f",waiters:{waiting}"
        return f"<{super().__repr__()[1:-1]} [{extra}]>"

    def release(self) -> None:
        """Give one permit back: to who has waited longest, if anyone waits."""
        waiter = self._waiters.pop_next() if self._waiters else None
        if waiter is None:
            self._value += 1
        else:
            waiter.set_result(_ReleasingContextManager(self))

    def acquire(self, timeout: Timeout = None) -> Future[_ReleasingContextManager]:
        """Take one permit, and wait for it where there is none.

        :param timeout: a time as of :meth:`IOLoop.time`, or a :class:`datetime.timedelta` from now.
        :returns: a future of a context manager that releases the permit at its end.
        :raises TimeoutError: in time, by way of the returned future.
        :raises TypeError: where ``timeout`` is neither.
        """
        if self._value > 0:
            self._value -= 1
            future: Future[_ReleasingContextManager] = Future()
            future.set_result(_ReleasingContextManager(self))
            return future
        waiter: Waiter[_ReleasingContextManager] = Waiter()
        waiter.unused = self._give_back
        if timeout is not None:
            call_unless_done(waiter, timeout, lambda: self._expire(waiter))
        self._waiters.join(waiter)
        return waiter

    def _acquire_now(self) -> bool:
        if self._value > 0:
            self._value -= 1
            return True
        return False

    def _give_back(self, waiter: Future[_ReleasingContextManager]) -> None:
        # Through the context manager, as whoever got it would have done.
        waiter.result().__exit__(None, None, None)

    def _expire(self, waiter: Future[_ReleasingContextManager]) -> None:
        waiter.set_exception(TimeoutError(f"{type(self).__name__} was not acquired in time"))
        self._waiters.note_expired()


class BoundedSemaphore(Semaphore):
    """A :class:`Semaphore` that raises :exc:`ValueError` where it is released more often than acquired."""

    def __init__(self, value: int = 1) -> None:
        super().__init__(value)
        self._initial_value = value

    def release(self) -> None:
        """Give one permit back.

        :raises ValueError: where all are there already.
        """
        if self._value >= self._initial_value:
            raise ValueError("Semaphore released too many times")
        super().release()


class Lock(_AsyncWith):
    """A lock that one coroutine holds at a time.

    ::

        lock = Lock()

        async def worker():
            async with lock:                 # or: with (await lock.acquire()):
                ...
    """

    def __init__(self) -> None:
        self._block = BoundedSemaphore()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} _block={self._block}>"

    def acquire(self, timeout: Timeout = None) -> Future[_ReleasingContextManager]:
        """Take the lock, and wait for it where another holds it.

        :param timeout: a time as of :meth:`IOLoop.time`, or a :class:`datetime.timedelta` from now.
        :returns: a future of a context manager that releases the lock at its end.
        :raises TimeoutError: in time, by way of the returned future.
        :raises TypeError: where ``timeout`` is neither.
        """
        return self._block.acquire(timeout)

    def _acquire_now(self) -> bool:
        return self._block._acquire_now()

    def release(self) -> None:
        """Release the lock: who has waited longest has it then.

        :raises RuntimeError: where nobody holds it.
        """
        try:
            self._block.release()
        except ValueError:
            raise RuntimeError("release unlocked lock") from None
