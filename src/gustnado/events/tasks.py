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
from collections.abc import Coroutine
from typing import Any, TypeVar

from gustnado.events.yieldables import convert_yielded

__all__ = ["start", "start_task"]

T = TypeVar("T")

_EAGER = sys.version_info >= (3, 12)


def start_task(coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Run ``coroutine`` as a task of the running loop: at once where Python can (3.12), else when it comes up."""
    loop = asyncio.get_running_loop()
    if _EAGER:
        return asyncio.Task(coroutine, loop=loop, eager_start=True)  # type: ignore[call-arg,unused-ignore]
    return loop.create_task(coroutine)


def start(result: Any) -> asyncio.Future[Any]:
    """Have run what a program's method returned: a coroutine, at once; or whatever else can be awaited or yielded.

    :raises gustnado.events.yieldables.BadYieldError: where it can be neither.
    """
    if isinstance(result, Coroutine):
        return start_task(result)
    future = convert_yielded(result)
    return asyncio.wrap_future(future) if isinstance(future, concurrent.futures.Future) else future
