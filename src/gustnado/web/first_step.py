"""Running a coroutine up to where it first waits, before anything else is decided.

>>> import asyncio
>>> async def greet():
...     print("hello")
...     await asyncio.sleep(0)
...     return "bye"
>>> async def main():
...     step = FirstStep(greet())
...     print("done" if step.done else "waiting")
...     print(await step.rest())
>>> asyncio.run(main())
hello
waiting
bye
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

__all__ = ["FirstStep"]

T = TypeVar("T")


class FirstStep(Generic[T]):
    """Runs ``coroutine``, in the current task, until it waits for something or ends.

    What it raises until then is raised here; otherwise :meth:`rest` has to be awaited, by the same task.

    :ivar done: it has ended.
    """

    __slots__ = ("_coroutine", "_result", "_waits_for", "done")

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine
        self._result: Any = None
        self._waits_for: Any = None
        self.done = False
        try:
            self._waits_for = coroutine.send(None)
        except StopIteration as stop:
            self.done = True
            self._result = stop.value

    async def rest(self) -> T:
        """Run the rest of it; returns what it returns."""
        result: T = self._result if self.done else await _Rest(self._coroutine, self._waits_for)
        return result


class _Rest:
    """What the task of a coroutine awaits in its place, from its first wait on."""

    __slots__ = ("_coroutine", "_waits_for")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], waits_for: Any) -> None:
        self._coroutine = coroutine
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, Any]:
        waits_for = self._waits_for
        try:
            while True:
                try:
                    sent = yield waits_for
                except BaseException as error:
                    waits_for = self._coroutine.throw(error)
                else:
                    waits_for = self._coroutine.send(sent)
        except StopIteration as stop:
            return stop.value
