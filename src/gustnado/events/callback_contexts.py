"""Which stack contexts a callback runs in: the part that the event loop itself knows.

:mod:`gustnado.events.stack_context` is the public side. The contexts in force are a tuple in a context variable,
so that whatever asyncio calls later finds those in which it was scheduled. They are entered again around each
callback, the outermost first, and an exception passes them from the innermost on.

>>> class Quiet:
...     active = True
...     def enter(self): return contextlib.suppress(KeyError)
>>> with contextlib.ExitStack() as stack:
...     token = frames.set((Quiet(),))
...     print(run_in_contexts({}.pop, "missing"), handle(KeyError()), handle(OSError("disk")))
...     frames.reset(token)
None None disk
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

__all__ = ["Frame", "frames", "handle", "run_in_contexts"]

T = TypeVar("T")


class Frame(Protocol):
    """One context in force."""

    active: bool
    """Whether it still is to be entered."""

    def enter(self) -> AbstractContextManager[Any]:
        """A context manager around one callback."""
        ...


frames: contextvars.ContextVar[tuple[Frame, ...]] = contextvars.ContextVar("stack_context", default=())
"""The contexts in force here, the outermost first."""


def run_in_contexts(function: Callable[..., T], *args: Any) -> T | None:
    """``function(*args)`` in the contexts in force; ``None`` where one of them swallowed its exception."""
    current = frames.get()
    if not current:
        return function(*args)
    with contextlib.ExitStack() as stack:
        for frame in current:
            if frame.active:
                stack.enter_context(frame.enter())
        return function(*args)
    return None


def handle(error: BaseException) -> BaseException | None:
    """Let an exception pass through the contexts in force; what comes out, if anything does."""
    if not frames.get():
        return error
    try:
        run_in_contexts(_raise, error)
    except BaseException as remaining:
        return remaining
    return None


def _raise(error: BaseException) -> None:
    raise error
