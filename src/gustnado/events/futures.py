"""Futures: one name for asyncio's, and the few helpers that Tornado's programs know.

:data:`Future` is :class:`asyncio.Future`. Beside it lives :class:`concurrent.futures.Future`, which
threads complete. Functions here take either, and none of them needs a running loop except to carry a
result from a thread to an asyncio future.

>>> import concurrent.futures
>>> future = concurrent.futures.Future()
>>> future_set_result_unless_cancelled(future, 42)
>>> future_add_done_callback(future, lambda done: print(done.result()))
42
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeAlias, TypeGuard, TypeVar, overload

from gustnado.errors import UsageError
from gustnado.events.callbacks import accepts_callback, deliver, require_callable
from gustnado.log import app_log

__all__ = [
    "FUTURES",
    "AnyFuture",
    "DummyExecutor",
    "Future",
    "ReturnValueIgnoredError",
    "TracebackFuture",
    "chain_future",
    "dummy_executor",
    "future_add_done_callback",
    "future_set_exc_info",
    "future_set_exception_unless_cancelled",
    "future_set_result_unless_cancelled",
    "is_future",
    "run_on_executor",
]

T = TypeVar("T")

Future = asyncio.Future
"""The future of this package, to be awaited on one loop."""

TracebackFuture = Future
"""Another name of :data:`Future`, from before futures had tracebacks."""

FUTURES = (concurrent.futures.Future, Future)
"""Both kinds, for ``isinstance``."""

AnyFuture: TypeAlias = "concurrent.futures.Future[T] | asyncio.Future[T]"
ExcInfo: TypeAlias = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


class ReturnValueIgnoredError(UsageError):
    """A function of a callback style returned a value, which nobody would get."""


def is_future(x: object) -> TypeGuard[AnyFuture[Any]]:
    """Whether ``x`` is an asyncio future or a ``concurrent.futures`` one."""
    return isinstance(x, FUTURES)


class DummyExecutor(concurrent.futures.Executor):
    """An executor that runs each function at once, in the thread that submits it."""

    def submit(  # type: ignore[override]  # typeshed makes ``fn`` positional-only by ParamSpec
        self, fn: Callable[..., T], *args: Any, **kwargs: Any
    ) -> concurrent.futures.Future[T]:
        """Call ``fn(*args, **kwargs)`` and return a future that is done already."""
        future: concurrent.futures.Future[T] = concurrent.futures.Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as exc:
            future.set_exception(exc)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Do nothing: nothing is ever left to run."""


dummy_executor = DummyExecutor()
"""A shared :class:`DummyExecutor`; it has no state."""


def run_on_executor(*args: Any, **kwargs: Any) -> Callable[..., Any]:
    """Make a method run on the executor that is its object's attribute ``executor``.

    The decorated method returns a :data:`Future` of the current loop. Another attribute can be named::

        @run_on_executor(executor="_thread_pool")
        def resize(self, image): ...

    A ``callback=`` of the call is called with the result (:mod:`gustnado.events.callbacks`), where the method has
    no parameter of that name itself.

    :raises ValueError: where it is given both positional and keyword arguments, or several positional ones.
    """
    if args and kwargs:
        raise ValueError("cannot combine positional and keyword args")
    if len(args) > 1:
        raise ValueError(f"expected 1 argument, got {len(args)}")
    attribute: str = kwargs.get("executor", "executor")

    def decorate(method: Callable[..., T]) -> Callable[..., asyncio.Future[T]]:
        own_callback = accepts_callback(method)

        @functools.wraps(method)
        def submit(self: Any, *args: Any, **kwargs: Any) -> asyncio.Future[T]:
            callback = None if own_callback else kwargs.pop("callback", None)
            require_callable(callback)
            future: asyncio.Future[T] = Future()
            chain_future(getattr(self, attribute).submit(method, self, *args, **kwargs), future)
            return deliver(future, callback)

        return submit

    return decorate(args[0]) if args else decorate


def chain_future(a: AnyFuture[T], b: AnyFuture[T]) -> None:
    """Complete ``b`` as ``a`` completes: with its result, its exception, or cancelled.

    Nothing happens where ``b`` is done by then. ``b`` completes on its own loop, whichever thread
    completes ``a``; where that loop is closed by then, ``b`` stays as it is.
    """
    if isinstance(a, Future) or not isinstance(b, Future):
        future_add_done_callback(a, functools.partial(_copy_outcome, b))
        return
    loop = b.get_loop()

    def carry(done: concurrent.futures.Future[T]) -> None:
        try:
            loop.call_soon_threadsafe(_copy_outcome, b, done)
        except RuntimeError:
            if not loop.is_closed():
                raise

    a.add_done_callback(carry)


def _copy_outcome(target: AnyFuture[T], source: AnyFuture[T]) -> None:
    if target.done():
        return
    if source.cancelled():
        target.cancel()
        return
    exc = source.exception()
    if exc is not None:
        target.set_exception(exc)
    else:
        target.set_result(source.result())


def future_set_result_unless_cancelled(future: AnyFuture[T], value: T) -> None:
    """Set the result, or do nothing where ``future`` is cancelled."""
    if not future.cancelled():
        future.set_result(value)


def future_set_exception_unless_cancelled(future: AnyFuture[Any], exc: BaseException) -> None:
    """Set the exception, or log it where ``future`` is cancelled and so nobody can see it."""
    if not future.cancelled():
        future.set_exception(exc)
    else:
        app_log.error("Exception after Future was cancelled", exc_info=exc)


def future_set_exc_info(future: AnyFuture[Any], exc_info: ExcInfo) -> None:
    """Set the exception of a :func:`sys.exc_info` triple, or log it where ``future`` is cancelled.

    :raises ValueError: where the triple holds no exception.
    """
    if exc_info[1] is None:
        raise ValueError("future_set_exc_info called with no exception")
    future_set_exception_unless_cancelled(future, exc_info[1])


@overload
def future_add_done_callback(
    future: concurrent.futures.Future[T], callback: Callable[[concurrent.futures.Future[T]], object]
) -> None: ...
@overload
def future_add_done_callback(
    future: asyncio.Future[T], callback: Callable[[asyncio.Future[T]], object]
) -> None: ...
@overload
def future_add_done_callback(future: AnyFuture[T], callback: Callable[[Any], object]) -> None: ...
def future_add_done_callback(future: AnyFuture[T], callback: Callable[[Any], object]) -> None:
    """Call ``callback(future)`` when ``future`` is done: *at once* where it is done already."""
    if future.done():
        callback(future)
    else:
        future.add_done_callback(callback)
