"""The IOLoop's callbacks, timers and futures: what runs when, and what becomes of its errors.

Every callback runs through :class:`~gustnado.events.callback_runner.CallbackRunner`. What it raises is logged,
what it returns is waited for, if that can be waited for; the log names the callback either way.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import datetime
import functools
import numbers
import time
from asyncio import _get_running_loop as running_loop
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar, cast

from gustnado.events.callback_contexts import frames, handle, run_in_contexts
from gustnado.events.callback_runner import CallbackRunner
from gustnado.events.callbacks import refuse_callback
from gustnado.events.futures import AnyFuture, Future, is_future
from gustnado.events.transport import is_uvloop
from gustnado.events.yieldables import BadYieldError, convert_yielded, moment
from gustnado.log import app_log

__all__ = ["LoopCallbacks"]

T = TypeVar("T")


class LoopCallbacks(CallbackRunner):
    """The part of :class:`~gustnado.events.loop.IOLoop` that calls functions.

    :ivar asyncio_loop: the loop underneath.
    :ivar closing: whether it has been closed, or is being closed.
    """

    closing: bool

    def _bind(self, asyncio_loop: asyncio.AbstractEventLoop) -> None:
        self._bind_runner(asyncio_loop, running_loop, is_uvloop(asyncio_loop))
        self.closing = False
        if frames.get():
            self.enter_contexts()

    def time(self) -> float:
        """Now, on the clock of :meth:`add_timeout` and :meth:`call_at`: :func:`time.time`, in seconds."""
        return time.time()

    def add_timeout(
        self, deadline: float | datetime.timedelta, callback: Callable[..., object], *args: Any, **kwargs: Any
    ) -> object:
        """Call ``callback(*args, **kwargs)`` at ``deadline``, or soon after.

        :param deadline: a time as of :meth:`time`, or a :class:`datetime.timedelta` from now.
        :returns: a handle for :meth:`remove_timeout`.
        :raises TypeError: where ``deadline`` is neither, or ``callback`` cannot be called.
        """
        if isinstance(deadline, datetime.timedelta):
            return self.call_later(deadline.total_seconds(), callback, *args, **kwargs)
        if isinstance(deadline, numbers.Real):
            return self.call_at(deadline, callback, *args, **kwargs)
        raise TypeError(f"Unsupported deadline {deadline!r}")

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any, **kwargs: Any) -> object:
        """Call ``callback(*args, **kwargs)`` after ``delay`` seconds.

        :returns: a handle for :meth:`remove_timeout`.
        :raises gustnado.events.callbacks.CallbackTypeError: where ``callback`` cannot be called.
        """
        if not callable(callback):
            self._refuse(callback)
        if args or kwargs:
            callback = functools.partial(callback, *args, **kwargs)
        return self.asyncio_loop.call_later(max(0, delay), self._run, callback)

    def call_at(self, when: float, callback: Callable[..., object], *args: Any, **kwargs: Any) -> object:
        """Call ``callback(*args, **kwargs)`` at ``when``, a time as of :meth:`time`.

        :returns: a handle for :meth:`remove_timeout`.
        """
        # asyncio's clock is monotonic and starts anywhere, so only the distance carries over.
        return self.call_later(when - self.time(), callback, *args, **kwargs)

    def remove_timeout(self, timeout: object) -> None:
        """Cancel a timer by its handle; nothing happens where it has run."""
        cast(asyncio.TimerHandle, timeout).cancel()

    def _refuse(self, callback: object) -> NoReturn:
        refuse_callback(callback)

    def _wake_with(self, callback: Callable[[], object]) -> None:
        try:
            self.asyncio_loop.call_soon_threadsafe(self._run, callback)
        except (RuntimeError, AttributeError):
            # Another thread may close the loop in the middle of this; the proactor then lacks its socket.
            if not self.closing and not self.asyncio_loop.is_closed():
                raise

    def add_callback_from_signal(self, callback: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        """Like :meth:`add_callback`, for a handler set with :func:`signal.signal`.

        :meth:`~gustnado.events.IOLoop.start` sees to it that such a handler runs at once. Under :func:`asyncio.run`
        asyncio's own loops may sleep on until something else happens; there, ``loop.add_signal_handler`` is surer.
        """
        if not callable(callback):
            self._refuse(callback)
        # Python runs such handlers in the main thread, between two of its instructions, so the loop may be
        # asleep although it is this thread's: it must always be woken.
        if not self.closing and not self.asyncio_loop.is_closed():
            self.asyncio_loop.call_soon_threadsafe(self._run, functools.partial(callback, *args, **kwargs))

    def spawn_callback(self, callback: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        """The same as :meth:`add_callback`; says that nobody waits for the result."""
        self.add_callback(callback, *args, **kwargs)

    def add_future(self, future: AnyFuture[T], callback: Callable[[Any], object]) -> None:
        """Call ``callback(future)`` on this loop when ``future`` is done, never before this returns.

        :param future: an asyncio future, or a concurrent one of any thread; no other awaitable.
        :raises TypeError: where it is not a future, or ``callback`` cannot be called.
        """
        if not callable(callback):
            self._refuse(callback)
        if isinstance(future, Future) and future.get_loop() is self.asyncio_loop:
            future.add_done_callback(functools.partial(self._run_with, callback))
        elif is_future(future):
            future.add_done_callback(functools.partial(self.add_callback, callback))
        else:
            raise TypeError(f"add_future takes futures, not {future!r}")

    def run_in_executor(
        self, executor: concurrent.futures.Executor | None, func: Callable[..., T], *args: Any
    ) -> Future[T]:
        """Call ``func(*args)`` in a thread or process of ``executor`` (``None``: the default one)."""
        return self.asyncio_loop.run_in_executor(executor, func, *args)

    def set_default_executor(self, executor: concurrent.futures.ThreadPoolExecutor) -> None:
        """Set the executor that :meth:`run_in_executor` takes for ``None``."""
        self.asyncio_loop.set_default_executor(executor)

    def _run_with(self, callback: Callable[..., object], *args: Any) -> None:
        self._run(functools.partial(callback, *args))

    def handle_callback_exception(self, callback: Callable[..., object]) -> None:
        """Called where a callback, or what it returned, has failed; the exception is in :func:`sys.exc_info`.

        Override it to do something else than logging it. What it raises itself goes to the event loop.
        """
        app_log.error("Exception in callback %r", callback, exc_info=True)

    def _absorb(self, callback: Callable[[], object], error: BaseException) -> bool:
        if isinstance(error, Exception):
            self.handle_callback_exception(callback)
        elif not isinstance(error, asyncio.CancelledError):
            return False
        return True

    def show_callbacks(self, shown: bool) -> None:
        """Have a frame of Python below each callback from now on, or no longer.

        Whoever looks at this thread's stack then sees which callback runs, also one that is written in C.
        """
        if self._run != self._run_in_contexts:  # which has one
            self._run_through(self._run_shown if shown else None)

    def _run_shown(self, callback: Callable[[], object]) -> None:
        self._run_callback(callback)

    def enter_contexts(self) -> None:
        """Look from now on for stack contexts (:mod:`gustnado.events.stack_context`) around each callback.

        Until a program uses them, no callback pays for that.
        """
        self._run_through(self._run_in_contexts)

    def _run_in_contexts(self, callback: Callable[[], object]) -> None:
        inner: Any = callback
        while isinstance(inner, functools.partial):
            inner = inner.func
        if frames.get() and not hasattr(inner, "_wrapped"):
            callback = functools.partial(run_in_contexts, callback)
        self._run_callback(callback)

    def _follow(self, callback: Callable[..., object], result: object) -> None:
        """Wait for what a callback returned, so that its exception is logged in the callback's name."""
        try:
            future = convert_yielded(result)
        except BadYieldError:
            return  # returning something is not unusual: ``add_callback(list.pop, ...)``
        if future is not moment:
            self.add_future(future, functools.partial(self._log_failure, callback))

    def _log_failure(self, callback: Callable[..., object], future: Future[Any]) -> None:
        error = None if future.cancelled() else future.exception()
        error = error and handle(error)
        if error is not None:
            try:
                raise error
            except BaseException:
                self.handle_callback_exception(callback)
