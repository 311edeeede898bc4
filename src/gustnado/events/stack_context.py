"""Stack contexts: a ``with`` block that also holds for the callbacks that are scheduled in it.

::

    def on_error(typ, value, tb):
        log.error("the import failed", exc_info=value)
        return True  # it goes no further

    with ExceptionStackContext(on_error):
        http_client.fetch(url, callback=self.on_page)   # what on_page raises goes to on_error

Tornado dropped them with version 6. Here they stand on :mod:`contextvars`, for programs that have them; new code
has ``await`` and ``try``, and :class:`contextvars.ContextVar` for values that follow a request.

What holds:

- Contexts follow each ``callback=``, and on the loop that is current where they are entered each callback,
  timer, future and descriptor of :class:`~gustnado.events.loop.IOLoop`, as well as what these schedule.
- They hold in generator coroutines that are called inside the block, each time that these go on, and in
  functions made by :func:`wrap`, wherever they are called.
- An exception of a callback passes the contexts from the innermost on. Only where none of
  :class:`ExceptionStackContext` took it, it is logged.

What does not:

- An ``async def`` is entered once, as a task: its steps do not enter contexts again, and its exception is its
  future's. The same goes for what asyncio or another library calls itself; give it ``wrap(function)``.
- Callbacks on another loop than the current one see the contexts only where they are wrapped.
- A block that is left in another task than it was entered in raises :exc:`StackContextInconsistentError`.

>>> from gustnado.events.loop import IOLoop
>>> loop = IOLoop(make_current=False)
>>> def fail(): raise OSError("disk full")
>>> def main():
...     with ExceptionStackContext(lambda typ, value, tb: print("caught:", value) or loop.stop() or True):
...         loop.add_callback(fail)
>>> loop.add_callback(main)
>>> loop.start()
caught: disk full
>>> loop.close()
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, TypeVar, overload

from gustnado.errors import UsageError
from gustnado.events.callback_contexts import Frame, frames, run_in_contexts
from gustnado.events.loop import IOLoop

__all__ = [
    "ExceptionStackContext",
    "NullContext",
    "StackContext",
    "StackContextInconsistentError",
    "run_with_stack_context",
    "wrap",
]

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

ExceptionHandler = Callable[[type[BaseException], BaseException, TracebackType | None], object]


class StackContextInconsistentError(UsageError):
    """A block was left in another task or callback than it was entered in."""


class _Block:
    """A ``with`` block that puts other contexts in force."""

    def __init__(self) -> None:
        self._token: contextvars.Token[tuple[Frame, ...]] | None = None
        self._inside: tuple[Frame, ...] = ()

    def _begin(self, inside: tuple[Frame, ...]) -> None:
        self._inside = inside
        self._token = frames.set(inside)

    def _end(self) -> None:
        token, self._token = self._token, None
        consistent = frames.get() is self._inside
        self._inside = ()  # which holds this object, and so would wait for the garbage collector
        try:
            if token is not None:
                frames.reset(token)
        except ValueError:  # it is of another context
            consistent = False
        if not consistent:
            raise StackContextInconsistentError(
                f"the block of {self!r} was not left where it was entered: is there a yield or an await in it?"
            )


class _Context(_Block):
    active = True

    def enter(self) -> AbstractContextManager[Any]:
        """A context manager around one callback."""
        raise NotImplementedError

    def deactivate(self) -> None:
        """Enter it no more."""
        self.active = False

    def put_in_force(self) -> None:
        """Let it hold from here on, to the end of the block or of the context variables' context."""
        # Without those that are over, which a chain of callbacks would otherwise gather.
        self._begin((*(frame for frame in frames.get() if frame.active), self))
        IOLoop.current().enter_contexts()


class StackContext(_Context):
    """Enters ``context_factory()`` here, and again around each callback that is scheduled in the block.

    ``with`` gives a function: after ``deactivate()`` later callbacks do without.

    :param context_factory: a function that makes a context manager, such as one with
        :func:`contextlib.contextmanager`. That may look at exceptions, but cannot swallow them.
    """

    def __init__(self, context_factory: Callable[[], AbstractContextManager[Any]]) -> None:
        super().__init__()
        self.context_factory = context_factory
        self._entered: list[AbstractContextManager[Any]] = []

    @contextlib.contextmanager
    def enter(self) -> Iterator[None]:
        """Around one callback."""
        context = self.context_factory()
        context.__enter__()
        try:
            yield
        except BaseException as error:
            context.__exit__(type(error), error, error.__traceback__)
            raise
        else:
            context.__exit__(None, None, None)

    def __enter__(self) -> Callable[[], None]:
        context = self.context_factory()
        context.__enter__()
        self._entered.append(context)
        self.put_in_force()
        return self.deactivate

    def __exit__(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        try:
            self._entered.pop().__exit__(typ, value, tb)
        finally:
            self._end()


class ExceptionStackContext(_Context):
    """Gives exceptions to ``exception_handler``: those of the block, and of callbacks scheduled in it.

    ``with`` gives a function: after ``deactivate()`` exceptions of later callbacks pass by.

    :param exception_handler: called with type, value and traceback; returns true where the exception is to go
        no further.
    :param delay_warning: taken for old programs, and not used.
    """

    def __init__(self, exception_handler: ExceptionHandler, delay_warning: bool = False) -> None:
        super().__init__()
        self.exception_handler = exception_handler

    def enter(self) -> AbstractContextManager[Any]:
        """Around one callback."""
        stack = contextlib.ExitStack()
        stack.push(self._handle)
        return stack

    def _handle(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> bool:
        # Ctrl-C and cancellation are not for handlers of errors.
        return isinstance(value, Exception) and bool(self.exception_handler(type(value), value, tb))

    def __enter__(self) -> Callable[[], None]:
        self.put_in_force()
        return self.deactivate

    def __exit__(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> bool:
        try:
            return self._handle(typ, value, tb)
        finally:
            self._end()


class NullContext(_Block):
    """No contexts hold for what is scheduled in the block: for things that outlive the request which makes them."""

    def __enter__(self) -> None:
        self._begin(())

    def __exit__(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._end()


@overload
def wrap(fn: None) -> None: ...
@overload
def wrap(fn: F) -> F: ...
def wrap(fn: Callable[..., Any] | None) -> Callable[..., Any] | None:
    """A function that calls ``fn`` in the contexts that are in force now, wherever it is called.

    ``None`` and what was wrapped already are returned as they are.
    """
    if fn is None or hasattr(fn, "_wrapped"):
        return fn
    captured = frames.get()

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        token = frames.set(captured)
        try:
            return run_in_contexts(functools.partial(fn, *args, **kwargs))
        finally:
            frames.reset(token)

    # A partial or an object with __call__ has no name to be copied.
    functools.update_wrapper(wrapped, fn)
    wrapped._wrapped = True  # type: ignore[attr-defined]
    return wrapped


def run_with_stack_context(context: AbstractContextManager[Any], func: Callable[[], T]) -> T | None:
    """``func()`` inside of ``context``, or ``None`` where that swallowed its exception."""
    with context:
        return func()
    return None
