"""What a generator coroutine may yield, and what a callback may return, as a future.

:func:`convert_yielded` is the one place where awaitables, futures, lists and dicts of them, ``None``
and whatever a program registers become something with ``done`` and ``result``. It stands below the
:class:`~gustnado.events.loop.IOLoop` and below :mod:`~gustnado.events.coroutines`, which both need it.

>>> convert_yielded(None) is moment
True
>>> convert_yielded(42)
Traceback (most recent call last):
    ...
gustnado.events.yieldables.BadYieldError: yielded unknown object 42
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from inspect import isawaitable
from typing import Any, TypeAlias, cast, overload

from gustnado.events.futures import (
    AnyFuture,
    Future,
    future_add_done_callback,
    future_set_result_unless_cancelled,
    is_future,
)
from gustnado.log import app_log

__all__ = [
    "BadYieldError",
    "Multi",
    "Yieldable",
    "convert_yielded",
    "maybe_future",
    "moment",
    "multi",
    "multi_future",
    "null_future",
]

Yieldable: TypeAlias = "Awaitable[Any] | Sequence[Any] | Mapping[Any, Any] | AnyFuture[Any] | None"
QuietExceptions: TypeAlias = type[BaseException] | tuple[type[BaseException], ...]


class BadYieldError(Exception):
    """A generator coroutine yielded something that cannot be waited for."""


class _DoneFuture:
    """Stands for a future that is done with ``None``, and belongs to no loop."""

    def result(self) -> None:
        return None

    def done(self) -> bool:
        return True


moment = cast("Future[None]", _DoneFuture())
"""Yielded by a generator coroutine, lets the loop run once. In ``async def``: ``await asyncio.sleep(0)``."""

null_future = cast("Future[None]", _DoneFuture())
"""Done at once, without a turn of the loop."""

# The loop holds its tasks weakly only, so a task that nobody awaits could be collected half-way.
_tasks_in_flight: set[Future[Any]] = set()


@functools.singledispatch
def convert_yielded(yielded: Any) -> Future[Any]:
    """Return a future for ``yielded``; coroutines are started as tasks of the running loop.

    More types can be taught with ``convert_yielded.register``, as to any
    :func:`functools.singledispatch` function.

    :raises BadYieldError: for anything that cannot be waited for.
    """
    if is_future(yielded):
        # Generator coroutines wait for concurrent futures as well, so the type tells half the truth.
        return cast("Future[Any]", cast(Any, yielded))
    if yielded is None:
        return moment
    if isinstance(yielded, _DoneFuture):
        return cast("Future[None]", yielded)
    if isinstance(yielded, (list, dict)):
        return multi(yielded)
    if isawaitable(yielded):
        return _start(yielded)
    raise BadYieldError(f"yielded unknown object {yielded!r}")


def _start(awaitable: Awaitable[Any]) -> Future[Any]:
    task = asyncio.ensure_future(awaitable)
    _tasks_in_flight.add(task)
    task.add_done_callback(_tasks_in_flight.discard)
    return task


@overload
def multi(
    children: Mapping[Any, Yieldable], quiet_exceptions: QuietExceptions = ()
) -> Future[dict[Any, Any]]: ...
@overload
def multi(children: Iterable[Yieldable], quiet_exceptions: QuietExceptions = ()) -> Future[list[Any]]: ...
def multi(
    children: Iterable[Yieldable] | Mapping[Any, Yieldable], quiet_exceptions: QuietExceptions = ()
) -> Future[list[Any]] | Future[dict[Any, Any]]:
    """Wait for several yieldables at once; the result is a list in the same order, or a dict.

    The future is done when *all* children are. It raises the first child's exception, in the order of
    the children; further ones are logged, except cancellations and those of ``quiet_exceptions``.
    Cancelling it leaves the children alone (:func:`asyncio.gather` cancels them).
    """
    keys = list(children) if isinstance(children, Mapping) else None
    values: Iterable[Yieldable] = children.values() if isinstance(children, Mapping) else children
    futures = [convert_yielded(child) for child in values]
    result: Future[Any] = Future()
    waiting = set(futures)

    def child_done(child: Future[Any]) -> None:
        waiting.discard(child)
        if not waiting:
            _combine(result, keys, futures, quiet_exceptions)

    if not futures:
        result.set_result([] if keys is None else {})
    for future in set(futures):
        future_add_done_callback(future, child_done)
    return result


def _combine(
    result: Future[Any], keys: list[Any] | None, futures: list[Future[Any]], quiet: QuietExceptions
) -> None:
    values = []
    for future in futures:
        try:
            values.append(future.result())
        except (Exception, asyncio.CancelledError) as exc:
            if not result.done():
                result.set_exception(exc)
            elif not isinstance(exc, asyncio.CancelledError) and not isinstance(exc, quiet):
                app_log.error("Multiple exceptions in yield list", exc_info=True)
    if not result.done():
        result.set_result(values if keys is None else dict(zip(keys, values, strict=True)))


Multi = multi
"""Another name of :func:`multi`."""

multi_future = multi
"""Another name of :func:`multi`."""


def maybe_future(x: Any) -> Future[Any]:
    """Return ``x`` if it is a future, else a future that is done with ``x``."""
    if is_future(x):
        return cast("Future[Any]", x)
    future: Future[Any] = Future()
    future_set_result_unless_cancelled(future, x)
    return future
