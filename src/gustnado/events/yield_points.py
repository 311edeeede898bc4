"""Yield points: how generators waited for callbacks before there were futures.

::

    @gen.engine
    def get(self):
        client.fetch(first, callback=(yield gen.Callback("first")))
        client.fetch(second, callback=(yield gen.Callback("second")))
        one, other = yield gen.WaitAll(["first", "second"])

A generator names each callback that it makes by a key, and later waits for the key. The book of one generator,
:class:`CallbackBook`, says which keys are promised and which have a result. Coroutines of either decorator may
yield what is here, also in lists and dicts together with futures. New code waits for futures.

>>> book = CallbackBook(lambda: None)
>>> book.register("key")
>>> book.result_callback("key")("done")
>>> book.pop_result("key")
'done'
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from types import TracebackType
from typing import Any, NamedTuple

from gustnado.errors import UsageError
from gustnado.events.futures import (
    Future,
    future_set_exception_unless_cancelled,
    future_set_result_unless_cancelled,
)
from gustnado.events.loop import IOLoop
from gustnado.events.stack_context import ExceptionStackContext
from gustnado.events.yieldables import QuietExceptions, Yieldable, convert_yielded, multi

__all__ = [
    "Arguments",
    "Callback",
    "CallbackBook",
    "KeyReuseError",
    "LeakedCallbackError",
    "MultiYieldPoint",
    "PointRunner",
    "UnknownKeyError",
    "Wait",
    "WaitAll",
    "YieldFuture",
    "YieldPoint",
    "as_yield_point",
    "has_yield_point",
    "result_of",
]


class KeyReuseError(UsageError):
    """Two callbacks of one coroutine have the same key."""


class UnknownKeyError(UsageError):
    """A coroutine waits for a callback that it never made."""


class LeakedCallbackError(UsageError):
    """A coroutine ended without having waited for a callback that it made."""


class Arguments(NamedTuple):
    """What a callback was called with, where that is not one positional argument or none."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def result_of(*args: Any, **kwargs: Any) -> Any:
    """What a callback was called with, as one value: nothing, one argument, or :class:`Arguments`."""
    if kwargs or len(args) > 1:
        return Arguments(args, kwargs)
    return args[0] if args else None


class CallbackBook:
    """The keys of one generator.

    :param changed: called when a key has got its result.
    """

    def __init__(self, changed: Callable[[], object]) -> None:
        self._changed = changed
        self._pending: dict[Hashable, None] = {}
        self._results: dict[Hashable, Any] = {}

    def register(self, key: Hashable) -> None:
        """Promise a result.

        :raises KeyReuseError: where the key is in the book.
        """
        if key in self._pending:
            raise KeyReuseError(f"key {key!r} is already pending")
        self._pending[key] = None

    def is_ready(self, key: Hashable) -> bool:
        """Whether a key has its result.

        :raises UnknownKeyError: where it was never registered.
        """
        if key not in self._pending:
            raise UnknownKeyError(f"key {key!r} is not pending")
        return key in self._results

    def set_result(self, key: Hashable, result: Any) -> None:
        """Give a key its result."""
        self._results[key] = result
        self._changed()

    def pop_result(self, key: Hashable) -> Any:
        """Take the result of a key, which may be registered again then; ``None`` where there is none."""
        self._pending.pop(key, None)
        return self._results.pop(key, None)

    def result_callback(self, key: Hashable) -> Callable[..., None]:
        """A function that gives a key its result: its argument, or :class:`Arguments`."""
        return lambda *args, **kwargs: self.set_result(key, result_of(*args, **kwargs))

    def check_leaks(self) -> None:
        """:raises LeakedCallbackError: where nobody waited for a key."""
        if self._pending:
            raise LeakedCallbackError(f"finished without waiting for callbacks {list(self._pending)!r}")


class PointRunner:
    """What a yield point is given: the part of a generator's runner that knows of callbacks.

    A runner that never meets a yield point has no book, and pays nothing for the possibility.
    """

    _book: CallbackBook | None = None
    _waiting: tuple[YieldPoint, Future[Any]] | None = None
    _guard: ExceptionStackContext | None = None
    _had_exception = False

    def handle_exception(
        self, typ: type[BaseException], value: BaseException, tb: TracebackType | None
    ) -> bool:
        """Throw an exception into the generator, from outside; whether it was still there to get it."""
        raise NotImplementedError

    def register_callback(self, key: Hashable) -> None:
        """See :meth:`CallbackBook.register`."""
        self._open_book().register(key)

    def is_ready(self, key: Hashable) -> bool:
        """See :meth:`CallbackBook.is_ready`."""
        return self._open_book().is_ready(key)

    def set_result(self, key: Hashable, result: Any) -> None:
        """See :meth:`CallbackBook.set_result`."""
        self._open_book().set_result(key, result)

    def pop_result(self, key: Hashable) -> Any:
        """See :meth:`CallbackBook.pop_result`."""
        return self._open_book().pop_result(key)

    def result_callback(self, key: Hashable) -> Callable[..., None]:
        """See :meth:`CallbackBook.result_callback`."""
        return self._open_book().result_callback(key)

    def _open_book(self) -> CallbackBook:
        if self._book is None:
            self._book = CallbackBook(self._check_point)
        return self._book

    def _start_point(self, point: YieldPoint) -> Future[Any]:
        """A future for what ``point`` gives."""
        if self._guard is None:
            # From here on, what callbacks of this generator raise is thrown into it.
            self._guard = ExceptionStackContext(self.handle_exception)
            self._guard.put_in_force()
        future: Future[Any] = Future()
        try:
            point.start(self)
        except Exception as error:
            future.set_exception(error)
        else:
            self._waiting = point, future
            self._check_point()
        return future

    def _check_point(self) -> None:
        if self._waiting is None:
            return
        point, future = self._waiting
        try:
            if not point.is_ready():
                return
            future_set_result_unless_cancelled(future, point.get_result())
        except Exception as error:
            future_set_exception_unless_cancelled(future, error)
        self._waiting = None

    def _check_leaks(self) -> None:
        """The generator has ended well.

        :raises LeakedCallbackError: where it never waited for a callback, unless an exception kept it from it.
        """
        if self._book is not None and not self._had_exception:
            self._book.check_leaks()


class YieldPoint:
    """What a generator may yield to wait for in its own way; a program can have subclasses.

    ``start`` is called once. Then ``is_ready`` is asked, at first and whenever a key has got its result;
    when it says so, ``get_result`` gives what the ``yield`` gives, or raises. All three may raise.
    """

    def start(self, runner: PointRunner) -> None:
        """Begin, for the generator that ``runner`` runs."""
        raise NotImplementedError

    def is_ready(self) -> bool:
        """Whether there is a result."""
        raise NotImplementedError

    def get_result(self) -> Any:
        """The result."""
        raise NotImplementedError


class Callback(YieldPoint):
    """Gives a function at once; what it is called with is what :class:`Wait` for the same key gives.

    :raises KeyReuseError: where the generator has a callback of that key.
    """

    def __init__(self, key: Hashable) -> None:
        self.key = key

    def start(self, runner: PointRunner) -> None:
        self.runner = runner
        runner.register_callback(self.key)

    def is_ready(self) -> bool:
        return True

    def get_result(self) -> Callable[..., None]:
        return self.runner.result_callback(self.key)


class Wait(YieldPoint):
    """Waits until the :class:`Callback` of ``key`` was called, and gives its argument.

    :raises UnknownKeyError: where the generator has no callback of that key.
    """

    def __init__(self, key: Hashable) -> None:
        self.key = key

    def start(self, runner: PointRunner) -> None:
        self.runner = runner

    def is_ready(self) -> bool:
        return self.runner.is_ready(self.key)

    def get_result(self) -> Any:
        return self.runner.pop_result(self.key)


class WaitAll(YieldPoint):
    """Waits for the callbacks of several ``keys``, and gives a list of their arguments in that order."""

    def __init__(self, keys: Iterable[Hashable]) -> None:
        self.keys = list(keys)

    def start(self, runner: PointRunner) -> None:
        self.runner = runner

    def is_ready(self) -> bool:
        return all(self.runner.is_ready(key) for key in self.keys)

    def get_result(self) -> list[Any]:
        return [self.runner.pop_result(key) for key in self.keys]


class YieldFuture(YieldPoint):
    """A future, or another yieldable, as a yield point.

    :param io_loop: taken for old programs, and not used.
    """

    def __init__(self, future: Yieldable, io_loop: object = None) -> None:
        self.future: Future[Any] = convert_yielded(future)

    def start(self, runner: PointRunner) -> None:
        self.runner = runner
        if not self.future.done():
            runner.register_callback(self)
            IOLoop.current().add_future(self.future, lambda _: runner.set_result(self, None))

    def is_ready(self) -> bool:
        return self.future.done()

    def get_result(self) -> Any:
        self.runner.pop_result(self)
        return self.future.result()


class MultiYieldPoint(YieldPoint):
    """Several yield points and futures at once; gives a list of their results, or a dict as it was given.

    :param quiet_exceptions: types of further exceptions that are not logged; the first is raised.
    """

    def __init__(
        self, children: Iterable[Any] | Mapping[Any, Any], quiet_exceptions: QuietExceptions = ()
    ) -> None:
        self.keys = list(children) if isinstance(children, Mapping) else None
        values = children.values() if isinstance(children, Mapping) else children
        self.children = [as_yield_point(child) for child in values]
        self.quiet_exceptions = quiet_exceptions

    def start(self, runner: PointRunner) -> None:
        for child in self.children:
            child.start(runner)

    def is_ready(self) -> bool:
        return all(child.is_ready() for child in self.children)

    def get_result(self) -> list[Any] | dict[Any, Any]:
        results = [_result_future(child) for child in self.children]
        keyed = results if self.keys is None else dict(zip(self.keys, results, strict=True))
        return multi(keyed, self.quiet_exceptions).result()


def has_yield_point(yielded: object) -> bool:
    """Whether it is a yield point, or a list or dict with one in it, however deep."""
    if isinstance(yielded, dict):
        yielded = list(yielded.values())
    if isinstance(yielded, list):
        return any(map(has_yield_point, yielded))
    return isinstance(yielded, YieldPoint)


def as_yield_point(yielded: Any) -> YieldPoint:
    """A yield point for whatever can be yielded."""
    if isinstance(yielded, YieldPoint):
        return yielded
    return MultiYieldPoint(yielded) if has_yield_point(yielded) else YieldFuture(yielded)


def _result_future(point: YieldPoint) -> Future[Any]:
    future: Future[Any] = Future()
    try:
        future.set_result(point.get_result())
    except Exception as error:
        future.set_exception(error)
    return future
