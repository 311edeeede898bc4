"""Calling a function again and again, on a schedule that does not drift.

Calls are due at multiples of the period from the start, whatever a single call took. One that takes
longer than a period makes the following ones drop out until the next multiple; two calls of a schedule
never overlap, not even those of a coroutine.
"""

from __future__ import annotations

import datetime
import math
import random
from collections.abc import Awaitable, Callable
from inspect import isawaitable

from gustnado.events.callbacks import refuse_callback
from gustnado.events.loop import IOLoop
from gustnado.log import app_log

__all__ = ["PeriodicCallback"]


class PeriodicCallback:
    """Calls ``callback`` every ``callback_time``, from :meth:`start` until :meth:`stop`.

    :param callback: a function or a coroutine function without arguments. What it raises is logged.
    :param callback_time: **milliseconds**, or a :class:`datetime.timedelta`.
    :param jitter: the part of ``callback_time`` by which each period varies at random, half of it each way,
        so that many programs of one start do not call in step. ``0.1`` is ten percent.
    :param io_loop: the loop to run on; by default that which is current at :meth:`start`.
    :raises ValueError: where ``callback_time`` is not positive.
    :raises gustnado.events.callbacks.CallbackTypeError: where ``callback`` cannot be called.

    >>> from gustnado.events.loop import IOLoop
    >>> loop = IOLoop(make_current=False)
    >>> ticks = []
    >>> def tick():
    ...     ticks.append(len(ticks))
    ...     if len(ticks) == 3:
    ...         clock.stop()
    ...         loop.stop()
    >>> clock = PeriodicCallback(tick, 1, io_loop=loop)
    >>> clock.start()
    >>> loop.start()
    >>> ticks
    [0, 1, 2]
    >>> loop.close()
    """

    def __init__(
        self,
        callback: Callable[[], Awaitable[object] | object],
        callback_time: datetime.timedelta | float,
        jitter: float = 0,
        io_loop: IOLoop | None = None,
    ) -> None:
        if isinstance(callback_time, datetime.timedelta):
            callback_time = callback_time / datetime.timedelta(milliseconds=1)
        if not callback_time > 0:
            raise ValueError("Periodic callback must have a positive callback_time")
        if not callable(callback):
            refuse_callback(callback)
        self.callback = callback
        self.callback_time: float = callback_time
        self.jitter = jitter
        self.io_loop = io_loop
        self._given_loop = io_loop
        self._schedule: object | None = None
        self._timeout: object | None = None
        self._next_timeout = 0.0

    def start(self) -> None:
        """Start, with the first call one period from now. Starting again begins a new schedule."""
        self.stop()
        # Asked for here, so that a callback made in one thread can be started in another.
        self.io_loop = self._given_loop or IOLoop.current()
        self._schedule = object()
        self._next_timeout = self.io_loop.time()
        self._schedule_next(self._schedule)

    def stop(self) -> None:
        """Stop. A call that is under way is not interrupted."""
        self._schedule = None
        if self._timeout is not None and self.io_loop is not None:
            self.io_loop.remove_timeout(self._timeout)
        self._timeout = None

    def is_running(self) -> bool:
        """Whether it was started and not stopped since."""
        return self._schedule is not None

    def _run(self, schedule: object) -> Awaitable[None] | None:
        waiting = None
        try:
            result = self.callback()
            if isawaitable(result):
                waiting = self._finish(result, schedule)
        except Exception:
            self._log_exception()
        finally:
            if waiting is None:
                self._schedule_next(schedule)
        return waiting

    async def _finish(self, result: Awaitable[object], schedule: object) -> None:
        try:
            await result
        except Exception:
            self._log_exception()
        finally:
            self._schedule_next(schedule)

    def _log_exception(self) -> None:
        app_log.error("Exception in callback %r", self.callback, exc_info=True)

    def _schedule_next(self, schedule: object) -> None:
        """Set the timer, unless ``schedule`` was stopped, or replaced by another start."""
        if self.io_loop is not None and schedule is self._schedule:
            self._update_next(self.io_loop.time())
            self._timeout = self.io_loop.add_timeout(self._next_timeout, self._run, schedule)

    def _update_next(self, current_time: float) -> None:
        """Advance the schedule beyond ``current_time``, by whole periods."""
        period = self.callback_time / 1000
        if self.jitter:
            period *= 1 + self.jitter * (random.random() - 0.5)
        behind = current_time - self._next_timeout
        if behind >= 0:
            self._next_timeout += (math.floor(behind / period) + 1) * period
        else:
            # The clock went back, or the timer fired a little early: go on by one period, lest the same
            # call come twice.
            self._next_timeout += period
