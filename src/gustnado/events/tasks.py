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
import inspect
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

from gustnado.errors import UsageError
from gustnado.events.yieldables import convert_yielded

__all__ = ["start", "start_task"]

T = TypeVar("T")

_EAGER = sys.version_info >= (3, 12)
_NO_LOOP = (
    "no event loop runs here, so that nothing can be awaited: under a WSGI server, serve the application with "
    "listen(), or by an ASGI server, or have plain methods that do not wait"
)


def start_task(coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Run ``coroutine`` as a task of the running loop: at once where Python can (3.12), else when it comes up.

    :raises gustnado.errors.UsageError: where no loop runs, as under a WSGI server.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        _discard(coroutine)
        raise UsageError(_NO_LOOP) from None
    if _EAGER:
        return asyncio.Task(coroutine, loop=loop, eager_start=True)  # type: ignore[call-arg,unused-ignore]
    return loop.create_task(coroutine)


def _discard(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Close a coroutine that has not begun, and those that it was to await."""
    for waiting in inspect.getcoroutinelocals(coroutine).values():
        if inspect.iscoroutine(waiting):
            waiting.close()
    coroutine.close()


def start(result: Any) -> asyncio.Future[Any]:
    """Have run what a program's method returned: a coroutine, at once; or whatever else can be awaited or yielded.

    :raises gustnado.events.yieldables.BadYieldError: where it can be neither.
    """
    if isinstance(result, Coroutine):
        return start_task(result)
    future = convert_yielded(result)
    return asyncio.wrap_future(future) if isinstance(future, concurrent.futures.Future) else future
