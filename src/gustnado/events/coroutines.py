"""Coroutines as generators: the style of programs that are older than ``async def``.

::

    @coroutine
    def fetch_json(url):
        response = yield client.fetch(url)
        return json_decode(response.body)

The body of such a function runs at once, up to the first yield of something that is not done; a
:class:`Runner` goes on with it, each time in the context in which it was called. It may yield awaitables,
futures of either kind, lists and dicts of them, ``None``, and what is registered with
:func:`~gustnado.events.yieldables.convert_yielded`. It is no asyncio task: what asyncio asks of the
current task (``asyncio.timeout``, cancellation) is for ``async def``. Both styles await each other.

>>> from gustnado.events.loop import IOLoop
>>> @coroutine
... def double(x):
...     yield sleep(0)
...     return 2 * x
>>> loop = IOLoop(make_current=False)
>>> loop.run_sync(lambda: double(21))
42
>>> loop.close()
"""

from __future__ import annotations

import asyncio
import collections
import contextvars
import datetime
import functools
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, cast, overload

from gustnado.events.callbacks import accepts_callback, deliver, require_callable
from gustnado.events.futures import (
    Future,
    chain_future,
    future_add_done_callback,
    future_set_exception_unless_cancelled,
    future_set_result_unless_cancelled,
)
from gustnado.events.loop import IOLoop
from gustnado.events.yield_points import LeakedCallbackError, PointRunner, as_yield_point, has_yield_point
from gustnado.events.yieldables import (
    BadYieldError,
    QuietExceptions,
    Yieldable,
    convert_yielded,
    moment,
    null_future,
)
from gustnado.log import app_log

__all__ = [
    "Return",
    "Runner",
    "WaitIterator",
    "coroutine",
    "is_coroutine_function",
    "sleep",
    "with_timeout",
]

T = TypeVar("T")
P = ParamSpec("P")


class Return(Exception):
    """Raised by a generator coroutine to return ``value``, where ``return value`` cannot be written."""

    def __init__(self, value: Any = None) -> None:
        super().__init__(value)
        self.value = value


@overload
def coroutine(func: Callable[P, Generator[Any, Any, T]]) -> Callable[P, Future[T]]: ...
@overload
def coroutine(func: Callable[P, T]) -> Callable[P, Future[T]]: ...
def coroutine(func: Callable[P, Any]) -> Callable[P, Future[Any]]:
    """Make a generator function a coroutine: a call starts it, and returns a :class:`Future`.

    A function that is no generator function may be decorated too; its result becomes the future's. An
    exception of the body is the future's, and goes unnoticed if nobody waits for that. Raising
    :exc:`asyncio.CancelledError` cancels the future.

    A ``callback=`` of the call is called with the result (:mod:`gustnado.events.callbacks`), where the function
    has no parameter of that name itself.
    """
    own_callback = accepts_callback(func)

    @functools.wraps(func)
    def start(*args: P.args, **kwargs: P.kwargs) -> Future[Any]:
        if not own_callback and "callback" in kwargs:
            callback = cast("Callable[..., object] | None", kwargs.pop("callback"))
            require_callable(callback)
            return deliver(start(*args, **kwargs), callback)
        future = _new_future()
        run_in_context = contextvars.copy_context().run
        try:
            result = run_in_context(func, *args, **kwargs)
            if isinstance(result, Generator):
                runner = Runner(run_in_context, result, future, run_in_context(next, result))
                # The future keeps the runner alive, as whoever waits for the future keeps that.
                future.add_done_callback(functools.partial(_keep, runner))
            else:
                future_set_result_unless_cancelled(future, result)
        except (Return, StopIteration) as exc:
            future_set_result_unless_cancelled(future, exc.value)
        except asyncio.CancelledError:
            future.cancel()
        except Exception as exc:
            future_set_exception_unless_cancelled(future, exc)
        try:
            return future
        finally:
            # The exception's traceback refers to this frame, and must not find the future here: such a
            # cycle would wait for the garbage collector.
            del future

    start.__tornado_coroutine__ = True  # type: ignore[attr-defined]
    return start


def _new_future() -> Future[Any]:
    """A future whose debugging information names the caller of the coroutine, and not this file."""
    future: Future[Any] = Future()
    created: list[Any] = getattr(future, "_source_traceback", None) or []
    while created and created[-1].filename == __file__:
        del created[-1]
    return future


def _keep(runner: Runner, future: Future[Any]) -> None:
    """A callback that only holds ``runner``."""


def is_coroutine_function(func: Any) -> bool:
    """Whether ``func`` was made by :func:`coroutine`."""
    return getattr(func, "__tornado_coroutine__", False) is True


class Runner(PointRunner):
    """Runs the generator of one coroutine, from its first yield to its end.

    :param ctx_run: ``run`` of the context that it runs in.
    :param gen: the generator.
    :param result_future: gets its result.
    :param first_yielded: what it has yielded already.
    """

    def __init__(
        self,
        ctx_run: Callable[..., Any],
        gen: Generator[Any, Any, Any],
        result_future: Future[Any],
        first_yielded: Yieldable,
    ) -> None:
        self.ctx_run = ctx_run
        self.gen = gen
        self.result_future: Future[Any] | None = result_future
        self.future: Future[Any] | None = null_future
        self.running = False
        self.finished = False
        self.io_loop = IOLoop.current()
        ready = ctx_run(self.handle_yield, first_yielded)
        del gen, result_future, first_yielded  # not to be held by the frame of a long run
        if ready:
            ctx_run(self.run)

    def run(self) -> None:
        """Go on until the generator waits for something that is not done, or ends."""
        if self.running or self.finished:
            return
        self.running = True
        try:
            while self._step():
                pass
        finally:
            self.running = False

    def _step(self) -> bool:
        """Hand the generator one result; whether its next is there already."""
        future, self.future = self.future, None
        if future is None or not future.done():
            self.future = future
            return False
        value, error = _outcome(future)
        del future
        try:
            # Not inside of an "except": the generator would see that exception in its own handlers.
            yielded = self.gen.send(value) if error is None else self._throw(error)
        except (StopIteration, Return) as exc:
            self._succeed(exc.value)
        except asyncio.CancelledError:
            self._finish(_cancel)
        except Exception as exc:
            self._finish(functools.partial(_set_exception, exc))
        else:
            return self.handle_yield(yielded)
        finally:
            del error  # whose traceback refers to this frame
        return False

    def _throw(self, error: BaseException) -> Any:
        self._had_exception = True
        try:
            return self.gen.throw(error)
        finally:
            del error  # whose traceback refers to this frame

    def _succeed(self, value: Any) -> None:
        try:
            self._check_leaks()
        except LeakedCallbackError as exc:
            self._finish(functools.partial(_set_exception, exc))
        else:
            self._finish(functools.partial(_set_result, value))

    def _finish(self, complete: Callable[[Future[Any]], object]) -> None:
        self.finished = True
        self.future = null_future
        if self._guard is not None:
            self._guard.deactivate()
        future, self.result_future = self.result_future, None
        if future is not None:
            complete(future)

    def handle_yield(self, yielded: Yieldable) -> bool:
        """Set up the wait for what was yielded; whether it is there already."""
        try:
            self.future = yielded if type(yielded) is Future else self._convert(yielded)
        except BadYieldError as exc:
            self.future = Future()
            self.future.set_exception(exc)
        if self.future is moment:
            self.io_loop.add_callback(self.ctx_run, self.run)
            return False
        if self.future.done():
            return True
        self.io_loop.add_future(self.future, self._resume)
        return False

    def _convert(self, yielded: Yieldable) -> Future[Any]:
        return (
            self._start_point(as_yield_point(yielded))
            if has_yield_point(yielded)
            else convert_yielded(yielded)
        )

    def _resume(self, future: Future[Any]) -> None:
        del future
        self.ctx_run(self.run)

    def handle_exception(
        self, typ: type[BaseException], value: BaseException, tb: TracebackType | None
    ) -> bool:
        """Throw an exception into the generator, from outside; whether it was still there to get it."""
        if self.running or self.finished:
            return False
        self._waiting = None
        self.future = Future()
        self.future.set_exception(value.with_traceback(tb))
        self.ctx_run(self.run)
        return True


def _outcome(future: Future[Any]) -> tuple[Any, BaseException | None]:
    try:
        return future.result(), None
    except (Exception, asyncio.CancelledError) as exc:
        return None, exc
    finally:
        del future  # which holds the exception, whose traceback refers to this frame


def _set_result(value: Any, future: Future[Any]) -> None:
    future_set_result_unless_cancelled(future, value)


def _set_exception(exc: BaseException, future: Future[Any]) -> None:
    future_set_exception_unless_cancelled(future, exc)


def _cancel(future: Future[Any]) -> None:
    future.cancel()


class WaitIterator:
    """Gives the results of several futures in the order in which they are done.

    ::

        results = WaitIterator(first, second)        # or by names: WaitIterator(a=first, b=second)
        while not results.done():
            try:
                print(results.current_index, await results.next())
            except OSError as exc:
                print(results.current_future, "failed", exc)

    or ``async for result in results``, which ends with the first exception.

    :ivar current_index: position, or name, of the future that gave the last result.
    :ivar current_future: that future.
    :raises ValueError: where both positional and keyword arguments are given.
    """

    def __init__(self, *args: Future[Any], **kwargs: Future[Any]) -> None:
        if args and kwargs:
            raise ValueError("You must provide args or kwargs, not both")
        self.current_index: int | str | None = None
        self.current_future: Future[Any] | None = None
        self._finished: collections.deque[Future[Any]] = collections.deque()
        self._running_future: Future[Any] | None = None
        # One future may be given several times, and then gives as many results.
        self._unfinished: dict[Future[Any], collections.deque[int | str]] = {}
        named: list[tuple[int | str, Future[Any]]] = [*enumerate(args), *kwargs.items()]
        for key, future in named:
            self._unfinished.setdefault(future, collections.deque()).append(key)
        for _, future in named:
            future_add_done_callback(future, self._done_callback)

    def done(self) -> bool:
        """Whether there are no more results."""
        if self._finished or self._unfinished:
            return False
        self.current_index = self.current_future = None
        return True

    def next(self) -> Future[Any]:
        """A new future for the next result."""
        future: Future[Any] = Future()
        self._running_future = future
        if self._finished:
            self._return_result(self._finished.popleft())
        return future

    def _done_callback(self, done: Future[Any]) -> None:
        if self._running_future is not None and not self._running_future.done():
            self._return_result(done)
        else:
            self._finished.append(done)

    def _return_result(self, done: Future[Any]) -> None:
        waiting, self._running_future = self._running_future, None
        if waiting is not None:
            chain_future(done, waiting)
        keys = self._unfinished[done]
        self.current_future = done
        self.current_index = keys.popleft()
        if not keys:
            del self._unfinished[done]

    def __aiter__(self) -> WaitIterator:
        return self

    def __anext__(self) -> Future[Any]:
        if self.done():
            raise StopAsyncIteration
        return self.next()


def with_timeout(
    timeout: float | datetime.timedelta,
    future: Yieldable,
    quiet_exceptions: QuietExceptions = (),
    *,
    io_loop: IOLoop | None = None,
    message: str | Callable[[], str] | None = None,
) -> Future[Any]:
    """Wait for ``future``, a yieldable, but not beyond ``timeout``.

    What is waited for is *not* cancelled by the timeout, nor by cancelling the result
    (:func:`asyncio.wait_for` does that). Where it fails after the timeout, that is logged.

    :param timeout: as of :meth:`IOLoop.add_timeout`: a :class:`datetime.timedelta`, or an absolute time.
    :param quiet_exceptions: types that are not logged; cancellation never is.
    :param io_loop: the loop of the timer; by default the current one.
    :param message: of the :exc:`TimeoutError`; a function is called only when it is needed.
    :raises TimeoutError: in time, by way of the returned future.
    """
    source = convert_yielded(future)
    result: Future[Any] = Future()
    chain_future(source, result)
    io_loop = io_loop or IOLoop.current()

    def expire() -> None:
        if not result.done():
            text = message() if callable(message) else message
            result.set_exception(TimeoutError("Timeout" if text is None else text))
        future_add_done_callback(source, functools.partial(_log_late_failure, quiet_exceptions))

    timer = io_loop.add_timeout(timeout, expire)

    def disarm(_: Any) -> None:
        io_loop.remove_timeout(timer)

    if isinstance(source, Future) or source.done():
        future_add_done_callback(source, disarm)
    else:
        io_loop.add_future(source, disarm)  # a thread completes it; timers belong to the loop's
    return result


def _log_late_failure(quiet_exceptions: QuietExceptions, future: Future[Any]) -> None:
    if future.cancelled():
        return
    exc = future.exception()
    if exc is not None and not isinstance(exc, quiet_exceptions):
        app_log.error("Exception in Future %r after timeout", future, exc_info=exc)


def sleep(duration: float) -> Future[None]:
    """A future that is done after ``duration`` seconds; ``yield sleep(1)`` pauses a coroutine."""
    future: Future[None] = Future()
    IOLoop.current().call_later(duration, cast("Any", future_set_result_unless_cancelled), future, None)
    return future
