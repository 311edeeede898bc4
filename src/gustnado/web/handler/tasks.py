"""The part of a handler's life that awaits: it runs in a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from types import CoroutineType
from typing import Any

from gustnado.events.tasks import start_task
from gustnado.http.shutdown import ShutdownEvent
from gustnado.web.handler.auth import resolve_current_user
from gustnado.web.handler.state import HandlerState

__all__ = ["TasksMixin", "and_then", "body_futures", "fail_body", "guard", "start_task"]


async def guard(pending: Awaitable[Any], failed: Callable[[BaseException], object]) -> None:
    """Await ``pending``; give the exception that it raises, if any, to ``failed``, but the end of this task."""
    try:
        await pending
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        failed(error)  # what it awaited was cancelled, which is an error as others are
    except Exception as error:
        failed(error)


async def and_then(pending: Awaitable[Any], function: Callable[[], Awaitable[Any] | None]) -> None:
    """Await ``pending``, call ``function``, and await what that returns, if anything."""
    await pending
    rest = function()
    if rest is not None:
        await rest


def body_futures() -> tuple[asyncio.Future[None], asyncio.Future[None]]:
    """For a handler that streams its body: one that is done when it is prepared, one when the body has ended."""
    loop = asyncio.get_running_loop()
    return loop.create_future(), loop.create_future()


def fail_body(future: asyncio.Future[None], error: Exception) -> None:
    """Say that the body does not come whole; a handler that does not wait for it need not hear of it."""
    if not future.done():
        future.set_exception(error)
        future.exception()


class TasksMixin(HandlerState):
    """Preparing and calling a handler whose methods are coroutines."""

    _prepared_future: asyncio.Future[None] | None = None  # of one that streams its body and has been wrapped

    @property
    def shutting_down(self) -> ShutdownEvent:
        """The event that is set when the server of this request begins to shut down.

        It leaves the handler the time that the server was given for it (30 s, if not told otherwise), after
        which the handler is cancelled. Needed only where an answer has no end of its own.
        """
        context = getattr(self.request.connection, "context", None)
        event: ShutdownEvent | None = getattr(context, "shutting_down", None)
        return ShutdownEvent() if event is None else event  # one that nobody sets

    async def _begin_async(self) -> None:
        await resolve_current_user(self)  # type: ignore[arg-type]
        pending = self.prepare()
        if pending is not None:
            await pending

    async def _run_async(self, pending: Awaitable[None]) -> None:
        try:
            await pending
            if self._finished:
                return
            result = self._invoke()
        except asyncio.CancelledError as error:
            self._cancelled(error)
            return
        except Exception as error:
            self._handle_request_exception(error)
            return
        await self._complete(result)

    async def _complete(self, result: Any) -> None:
        """Await what the method of the verb returned, take its value for the response, and finish."""
        try:
            if result is not None:
                if type(result) is CoroutineType or isawaitable(result):
                    result = await result
                    if result is not None and self.returns_responses:
                        await self._answer(result)
                else:
                    self._respond_with(result)
            if self._auto_finish and not self._finished:
                self.finish()
        except asyncio.CancelledError as error:
            self._cancelled(error)
        except Exception as error:
            self._handle_request_exception(error)

    async def _execute(self, transforms: list[Any], *args: Any, **kwargs: Any) -> None:
        """What tracing tools wrap: all of a request. Called only where it has been wrapped or overridden."""
        self._transforms = transforms or None
        if self._prepared_future is not None:
            await self._execute_streaming(self._prepared_future, list(args), dict(kwargs))
            return
        task = self._run(list(args), dict(kwargs))
        if task is not None:
            await task

    async def _execute_streaming(
        self, prepared: asyncio.Future[None], path_args: list[Any], path_kwargs: dict[str, Any]
    ) -> None:
        """Prepare, let the body come, and call the method of the verb when it has arrived."""
        try:
            pending = self._begin(path_args, path_kwargs)
            if pending is not None:
                await pending
            if not prepared.done():
                prepared.set_result(None)
            if self._finished:
                return
            await self.request._body_future
            result = None if self._finished else self._invoke()
        except asyncio.CancelledError as error:
            self._cancelled(error)
            return
        except Exception as error:
            self._handle_request_exception(error)
            return
        finally:
            if not prepared.done():
                prepared.set_result(None)  # where preparing failed: the connection drops the body
        await self._complete(result)

    def _cancelled(self, error: asyncio.CancelledError) -> None:
        """Something was cancelled: what the handler awaited, which is an error as others are, or its task.

        Where it is the task the client is told so, without a record in the log: it must not wait.
        """
        task = asyncio.current_task()
        if task is not None and not task.cancelling():
            self._handle_request_exception(error)
            return
        self._send_error_for(error)
        raise error
