"""How the methods of sign-ins run: at once, awaited or not, with a callback or without.

Each public method that waits for a provider starts a task and returns an :class:`AuthFuture`. So what it does
happens whether or not it is awaited, as programs in the callback style expect. Its failure is never lost:

- who awaits it gets the exception;
- with a ``callback=``, a failed sign-in is logged, and the callback gets ``None`` in place of a user, as in older
  Tornados; one that is to be called after a redirect is not called where there was none;
- where nobody listens, it becomes the error page of the handler's request.

Cancelling the future stops what it stands for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar, cast

from gustnado.events.callbacks import deliver, require_callable, run_callback
from gustnado.http.client.errors import HTTPClientError
from gustnado.log import gen_log
from gustnado.web.auth.errors import AuthError

if TYPE_CHECKING:
    import contextvars
    from collections.abc import Generator

    from gustnado.web.handler import RequestHandler

__all__ = ["AuthFuture", "announce", "handler_of", "start", "start_redirect"]

T = TypeVar("T")


class AuthFuture(asyncio.Future[T]):
    """A future that knows whether anybody wants its result."""

    watched = False
    task: asyncio.Task[T] | None = None  # held here, since a loop holds tasks only weakly

    def __await__(self) -> Generator[Any, None, T]:
        self.watched = True
        return super().__await__()

    def add_done_callback(
        self, fn: Callable[..., object], /, *, context: contextvars.Context | None = None
    ) -> None:
        self.watched = True
        super().add_done_callback(fn, context=context)

    def result(self) -> T:
        self.watched = True
        return super().result()

    def cancel(self, msg: Any | None = None) -> bool:
        if self.task is not None:
            self.task.cancel(msg)
        return super().cancel(msg)


def handler_of(mixin: object) -> RequestHandler:
    """The handler that a mixin is part of, as which type checkers do not know it."""
    return cast("RequestHandler", mixin)


def start(
    mixin: object, coroutine: Coroutine[Any, Any, T], callback: Callable[[T | None], object] | None = None
) -> AuthFuture[T]:
    """Run ``coroutine`` for the handler of ``mixin``, by the rules above.

    :raises gustnado.events.callbacks.CallbackTypeError: where ``callback`` cannot be called.
    """
    future = _start(mixin, coroutine, callback, callback is not None)
    if callback is not None:
        deliver(cast("asyncio.Future[T | None]", future), callback)
    return future


def start_redirect(
    mixin: object, coroutine: Coroutine[Any, Any, None], callback: Callable[[None], object] | None
) -> AuthFuture[None]:
    """As :func:`start`, for what ends in a redirect.

    :raises gustnado.events.callbacks.CallbackTypeError: where ``callback`` cannot be called.
    """
    future = _start(mixin, coroutine, callback, False)
    if future.task is not None and callback is not None:
        future.task.add_done_callback(lambda task: _after_redirect(task, callback))
    return future


def _after_redirect(task: asyncio.Task[None], callback: Callable[[None], object]) -> None:
    if not task.cancelled() and task.exception() is None:
        run_callback(callback, None)


def _start(
    mixin: object, coroutine: Coroutine[Any, Any, T], callback: object, has_callback: bool
) -> AuthFuture[T]:
    try:
        require_callable(callback)
    except TypeError:
        coroutine.close()
        raise
    loop = asyncio.get_running_loop()
    future: AuthFuture[T] = AuthFuture(loop=loop)
    future.task = task = loop.create_task(coroutine)
    task.add_done_callback(lambda done: _settle(future, done, handler_of(mixin), has_callback))
    return future


def announce(mixin: object, callback: Callable[[None], object] | None) -> None:
    """Call ``callback``, if there is one, with ``None``: what was to be done is done already."""
    if callback is not None:
        start_redirect(mixin, _nothing(), callback)


async def _nothing() -> None:
    """What has been done."""


def _settle(
    future: AuthFuture[T], task: asyncio.Task[T], handler: RequestHandler, has_callback: bool
) -> None:
    future.task = None
    if future.cancelled():
        return
    if task.cancelled():
        future.cancel()
        return
    error = task.exception()
    if error is None:
        future.set_result(task.result())
    elif has_callback and isinstance(error, (AuthError, HTTPClientError)):
        gen_log.warning("Sign-in failed, %s: %s", handler._request_summary(), error)
        future.set_result(cast(T, None))
    else:
        future.set_exception(error)
        # Not at once: who is about to await it has the rest of this turn of the loop to do so.
        future.get_loop().call_soon(_report, future, handler)


def _report(future: AuthFuture[Any], handler: RequestHandler) -> None:
    if not future.watched and (error := future.exception()) is not None:
        handler._handle_request_exception(error)
