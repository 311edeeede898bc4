"""Futures for those who prefer callbacks: the one helper behind every ``callback=``.

A method that offers both styles computes a future and ends with ``return deliver(future, callback)``.
Rules:

- Without a callback the future is returned as it is.
- With one, it is called on the loop, never from within the call that starts the operation, with the
  future's result as its one argument (or none: ``with_result=False``), in the context of the caller.
- A cancelled future calls nobody. Neither does one that failed: its exception is logged, unless it is one
  of those named ``quiet``, which the program learns about in another way (a close callback).
- What a callback raises is logged with its traceback on ``gustnado.application`` and goes no further:
  the loop lives on. ``on_error`` may then clean up.
- Stack contexts (:mod:`gustnado.events.stack_context`) that were in force there are in force for it.
- A callback may be an ``async def`` function; it runs as a task, by the same rules.

>>> loop = asyncio.new_event_loop()
>>> future = deliver(loop.create_future(), print)
>>> future.set_result(b"hello")
>>> loop.call_soon(loop.stop) and loop.run_forever()
b'hello'
>>> loop.close()
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from gustnado.errors import UsageError
from gustnado.events.callback_contexts import frames, handle, run_in_contexts
from gustnado.log import app_log

if TYPE_CHECKING:
    from gustnado.events.loop import IOLoop

__all__ = ["CallbackTypeError", "accepts_callback", "deliver", "refuse_callback", "require_callable", "run_callback"]

T = TypeVar("T")

ErrorHook = Callable[[Exception], object]


class CallbackTypeError(UsageError, TypeError):
    """What was given as a callback cannot be called."""


def require_callable(callback: object) -> None:
    """:raises CallbackTypeError: where ``callback`` is neither ``None`` nor callable."""
    if callback is not None and not callable(callback):
        refuse_callback(callback)


def refuse_callback(callback: object) -> NoReturn:
    """:raises CallbackTypeError: always, as ``callback`` cannot be called."""
    raise CallbackTypeError(f"a callback must be callable, not {callback!r}")


def accepts_callback(function: Callable[..., object]) -> bool:
    """Whether ``function`` itself can be called with ``callback=``, or that cannot be told."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return True
    named = parameters.get("callback")
    if named is not None and named.kind is not named.POSITIONAL_ONLY:
        return True
    return any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())


def run_callback(callback: Callable[..., object], *args: object, on_error: ErrorHook | None = None) -> None:
    """Call ``callback(*args)`` now; log what it raises, and hand it to ``on_error``."""
    has_contexts = bool(frames.get())
    try:
        outcome = (
            run_in_contexts(_call_with_hook, callback, args, on_error) if has_contexts else callback(*args)
        )
    except Exception as error:
        _report(callback, error, None if has_contexts else on_error)
        return
    if inspect.iscoroutine(outcome):
        task = asyncio.get_running_loop().create_task(outcome)
        task.add_done_callback(lambda done: _check_task(callback, done, on_error))


def deliver(
    future: asyncio.Future[T],
    callback: Callable[..., object] | None,
    *,
    io_loop: IOLoop | None = None,
    quiet: tuple[type[BaseException], ...] = (),
    with_result: bool = True,
    on_error: ErrorHook | None = None,
) -> asyncio.Future[T]:
    """Call ``callback`` with the result of ``future`` when it is done.

    :param callback: what to call, or ``None`` to do nothing.
    :param io_loop: the loop on which to call it; by default that of ``future``.
    :param quiet: exception classes of the future that are not logged.
    :param with_result: false calls it without arguments.
    :param on_error: called with what the callback raised, after that was logged.
    :returns: ``future``.
    :raises CallbackTypeError: where ``callback`` cannot be called.
    """
    if callback is None:
        return future
    require_callable(callback)

    def done(settled: asyncio.Future[T]) -> None:
        if settled.cancelled():
            return
        error = settled.exception()
        if error is None:
            run_callback(callback, *((settled.result(),) if with_result else ()), on_error=on_error)
        elif not isinstance(error, quiet) and (error := handle(error)) is not None:
            app_log.error("Nobody was told about the failure of %r", future, exc_info=error)

    if io_loop is None or io_loop.asyncio_loop is future.get_loop():
        future.add_done_callback(done)
    else:
        future.add_done_callback(lambda settled: io_loop.add_callback(done, settled))
    return future


def _call_with_hook(
    callback: Callable[..., object], args: tuple[object, ...], on_error: ErrorHook | None
) -> object:
    """The hook learns of an exception here, since a stack context may swallow it on its way."""
    try:
        return callback(*args)
    except Exception as error:
        if on_error is not None:
            on_error(error)
        raise


def _check_task(callback: Callable[..., object], task: asyncio.Task[Any], on_error: ErrorHook | None) -> None:
    error = None if task.cancelled() else task.exception()
    if isinstance(error, Exception):
        remaining = handle(error)
        if remaining is not None:
            _report(callback, remaining, None)
        if on_error is not None:
            on_error(error)


def _report(
    callback: Callable[..., object], error: BaseException, on_error: Callable[..., object] | None
) -> None:
    app_log.error("Exception in callback %r", callback, exc_info=error)
    if on_error is not None:
        on_error(error)
