"""Handlers in the callback style: the request stays open until ``finish()``.

::

    class Front(RequestHandler):
        @asynchronous
        def get(self):
            AsyncHTTPClient().fetch("http://backend/", callback=self.on_page)

        def on_page(self, response):
            if response.error:
                raise HTTPError(502)    # becomes the error page of this request
            self.write(response.body)
            self.finish()

Callbacks that are scheduled in the method, and those that these schedule, belong to the request by a stack
context (:mod:`gustnado.events.stack_context`). New code has ``async def``.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from gustnado.errors import StreamClosedError
from gustnado.events.callbacks import deliver
from gustnado.events.stack_context import ExceptionStackContext
from gustnado.web.handler.state import HandlerState

if TYPE_CHECKING:
    from asyncio import Future

__all__ = ["CallbacksMixin", "asynchronous", "deliver_flush"]

MethodT = TypeVar("MethodT", bound=Callable[..., Any])
T = TypeVar("T")


class CallbacksMixin(HandlerState):
    """``async_callback``, and what the decorator needs."""

    def async_callback(
        self, callback: Callable[..., T] | None, *args: Any, **kwargs: Any
    ) -> Callable[..., T | None] | None:
        """A callback whose exceptions become the error page of this request.

        Needed only for what does not keep stack contexts, such as a thread or a foreign event loop.

        :param args: come before those that it is called with.
        :returns: ``None`` where ``callback`` is ``None``.
        """
        if callback is None:
            return None
        bound = functools.partial(callback, *args, **kwargs)

        def wrapper(*more: Any, **named: Any) -> T | None:
            try:
                return bound(*more, **named)
            except Exception as error:
                self._handle_request_exception(error)
                return None

        return wrapper

    def _stack_context_handle_exception(
        self, typ: type[BaseException], value: BaseException, tb: TracebackType | None
    ) -> bool:
        self._handle_request_exception(value)
        return True

    async def _follow_result(self, result: Any, finish: bool) -> None:
        """Await what a method of the callback style returned."""
        try:
            await result
            if finish and not self._finished:
                self.finish()
        except Exception as error:
            self._handle_request_exception(error)


def asynchronous(method: MethodT) -> MethodT:
    """Leave the request open when ``method`` returns; the handler ends it by ``finish()``.

    An exception of the method, or of a callback that was scheduled in it, becomes the request's error page.
    Where the method is a coroutine, the request ends with it.
    """
    is_coroutine = inspect.iscoroutinefunction(method) or bool(getattr(method, "__tornado_coroutine__", False))

    @functools.wraps(method)
    def wrapper(self: CallbacksMixin, *args: Any, **kwargs: Any) -> Any:
        self._auto_finish = False
        with ExceptionStackContext(self._stack_context_handle_exception):
            result = method(self, *args, **kwargs)
            if result is not None and not inspect.isawaitable(result):
                raise TypeError(f"{method.__qualname__}() returned {result!r:.80}: None or an awaitable is wanted")
            return None if result is None else self._follow_result(result, is_coroutine)
        return None

    return wrapper  # type: ignore[return-value]


def deliver_flush(future: Future[None], callback: Callable[[], object]) -> Future[None]:
    """Call ``callback`` when ``future`` is done. It is not called for a client that is gone."""
    return deliver(future, callback, with_result=False, quiet=(StreamClosedError,))
