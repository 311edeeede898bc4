"""Functions with a ``callback`` argument as futures, and coroutines for those who want no future.

They are for programs of older Tornados, and stand on the coroutines of today.

>>> from gustnado.events.loop import IOLoop
>>> def add_later(a, b, callback):
...     IOLoop.current().add_callback(callback, a + b)
>>> @engine
... def main():
...     print((yield Task(add_later, 40, 2)))
...     loop.stop()
>>> loop = IOLoop(make_current=False)
>>> loop.add_callback(main)
>>> loop.start()
42
>>> loop.close()
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import TracebackType
from typing import Any

from gustnado.events.callbacks import deliver, require_callable
from gustnado.events.coroutines import coroutine
from gustnado.events.futures import Future, ReturnValueIgnoredError
from gustnado.events.loop import IOLoop
from gustnado.events.stack_context import ExceptionStackContext
from gustnado.events.yield_points import result_of
from gustnado.util import ArgReplacer

__all__ = ["Task", "engine", "return_future"]


def Task(func: Callable[..., object], *args: Any, **kwargs: Any) -> Future[Any]:
    """Call ``func(*args, callback=..., **kwargs)``, and return a future of what it calls that with.

    That is one argument, ``None`` where there is none, or :class:`~gustnado.events.yield_points.Arguments`. An
    exception of ``func``, or of a callback that it schedules on the current loop, is the future's.
    """
    future: Future[Any] = Future()

    def callback(*args: Any, **kwargs: Any) -> None:
        if not future.done():
            future.set_result(result_of(*args, **kwargs))

    with ExceptionStackContext(_into(future)):
        func(*args, callback=callback, **kwargs)
    return future


def _into(
    future: Future[Any],
) -> Callable[[type[BaseException], BaseException, TracebackType | None], bool]:
    """A handler that hands an exception to ``future``, unless that is done."""

    def handle(typ: type[BaseException], value: BaseException, tb: TracebackType | None) -> bool:
        if future.done():
            return False
        future.set_exception(value)
        return True

    return handle


def engine(func: Callable[..., Any]) -> Callable[..., None]:
    """Make a generator function one that runs by itself: a call starts it, and returns ``None``.

    It may yield what a :func:`~gustnado.events.coroutines.coroutine` may, and cannot return a value. What it
    raises goes to the stack contexts of its caller, or is logged.
    """
    inner = coroutine(func)

    @functools.wraps(func)
    def start(*args: Any, **kwargs: Any) -> None:
        def finish(future: Future[Any]) -> None:
            if future.result() is not None:
                raise ReturnValueIgnoredError(
                    f"@gen.engine functions cannot return values: {func!r} returned {future.result()!r}"
                )

        IOLoop.current().add_future(inner(*args, **kwargs), functools.wraps(func)(finish))

    return start


def return_future(f: Callable[..., None]) -> Callable[..., Future[Any]]:
    """Make a function that calls its argument ``callback`` return a future of what it calls that with.

    ::

        @return_future
        def add_later(a, b, callback):
            IOLoop.current().add_callback(callback, a + b)

    The caller may give a callback too, which is called with the result when the future is done. What the
    function raises itself is raised to the caller; an exception of a callback that it schedules on the
    current loop is the future's.

    :raises ReturnValueIgnoredError: where the function returns a value.
    """
    replacer = ArgReplacer(f, "callback")

    @functools.wraps(f)
    def start(*args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        given: list[Any] = []

        def callback(*value: Any) -> None:
            if len(value) > 1:
                raise TypeError(f"the callback of {f!r} takes one argument at most, not {len(value)}")
            if not future.done():
                given.extend(value)
                future.set_result(value[0] if value else None)

        user_callback, positional, named = replacer.replace(callback, args, kwargs)
        require_callable(user_callback)
        _call_guarded(future, functools.partial(f, *positional, **named))
        if user_callback is not None:
            deliver(future, lambda _: user_callback(*given))
        return future

    return start


def _call_guarded(future: Future[Any], function: functools.partial[None]) -> None:
    """Call it so that what its callbacks raise goes to ``future``, and what it raises itself to the caller."""
    raised: Exception | None = None
    with ExceptionStackContext(_into(future)):
        try:
            result: object = function()
            if result is not None:
                raise ReturnValueIgnoredError(
                    f"@return_future functions give their result to the callback: {function.func!r} returned {result!r}"
                )
        except Exception as error:
            raised = error
    if raised is not None:
        raise raised
