"""Tasks that begin at once, where Python can do that.

>>> async def add(a, b):
...     return a + b
>>> async def main():
...     task = start_task(add(1, 2))
...     return await task
>>> asyncio.run(main())
3
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import sys
from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar, cast

from gustnado.errors import UsageError
from gustnado.events.yieldables import convert_yielded

__all__ = ["explain_missing_loop", "start", "start_task"]

T = TypeVar("T")

_EAGER = sys.version_info >= (3, 12)
_NO_LOOP = (
    "no event loop runs here, so that nothing can be waited for: under a WSGI server, serve the application with "
    "listen(), or by an ASGI server, or have methods that do not wait"
)


def start_task(coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Run ``coroutine`` as a task of the running loop: at once where Python can (3.12), else when it comes up.

    Where no loop runs, as under a WSGI server, it is run to its end: it may be a coroutine, but must not wait.

    :raises gustnado.errors.UsageError: where it does wait.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return cast("asyncio.Task[T]", _Done(_run_now(coroutine)))
    if _EAGER:
        return asyncio.Task(coroutine, loop=loop, eager_start=True)  # type: ignore[call-arg,unused-ignore]
    return loop.create_task(coroutine)


def explain_missing_loop(error: BaseException) -> None:
    """Add to what asyncio says where something wants a loop and none runs, as ``asyncio.sleep(1)`` under a WSGI server.

    >>> error = RuntimeError("no running event loop")
    >>> explain_missing_loop(error)
    >>> error.__notes__[0][:23]
    'no event loop runs here'
    """
    if type(error) is RuntimeError and error.args == ("no running event loop",) and asyncio._get_running_loop() is None:
        error.add_note(_NO_LOOP)


def _run_now(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run to its end what never waits.

    :raises gustnado.errors.UsageError: where it does; it is closed then.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        return cast(T, end.value)
    coroutine.close()
    raise UsageError(_NO_LOOP)


class _Done(Generic[T]):
    """Stands for a task that is done, where there is no loop that it could be of."""

    def __init__(self, value: T) -> None:
        self._value = value

    def __await__(self) -> Generator[Any, Any, T]:
        return self._value
        yield  # which makes it a generator

    def cancel(self) -> bool:
        """Too late."""
        return False


def start(result: Any) -> asyncio.Future[Any]:
    """Have run what a program's method returned: a coroutine, at once; or whatever else can be awaited or yielded.

    :raises gustnado.events.yieldables.BadYieldError: where it can be neither.
    """
    if isinstance(result, Coroutine):
        return start_task(result)
    future = convert_yielded(result)
    return asyncio.wrap_future(future) if isinstance(future, concurrent.futures.Future) else future
