"""The life of a handler: made for one request, prepared, called, finished.

The order is ``__init__``, ``initialize(**kwargs)``, ``before_body`` (if there is a body, which arrives now), the XSRF
check, ``prepare``, the method of the verb, ``finish``, ``on_finish``. A handler that does not await runs within the
callback that delivered its request; as soon as one of its methods returns an awaitable the rest runs in a task of its
own.
"""

from __future__ import annotations

from collections.abc import Awaitable
from inspect import isawaitable
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from gustnado.web.errors import HTTPError
from gustnado.web.handler.arguments import ArgumentsMixin
from gustnado.web.handler.state import HandlerState
from gustnado.web.handler.tasks import start_task

if TYPE_CHECKING:
    import asyncio

    from gustnado.http.messages import HTTPServerRequest
    from gustnado.web.application import Application

__all__ = ["LifecycleMixin"]

_COROUTINE = CoroutineType
_SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
_DECODE_ARGUMENT = ArgumentsMixin.decode_argument  # before anybody wraps or overrides it
_METHOD_NAMES = {verb: verb.lower() for verb in ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS")}


class LifecycleMixin(HandlerState):
    """Making, preparing, calling and ending a handler."""

    SUPPORTED_METHODS = ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS")

    def __init__(self, application: Application, request: HTTPServerRequest, **kwargs: Any) -> None:
        self.application = application
        self.request = request
        self.path_args = []
        self.path_kwargs = {}
        self._headers_written = False
        self._finished = False
        self._auto_finish = True
        self._cookies_count = False
        self._new_cookie = None
        self._transforms = None
        self.clear()
        if kwargs:
            self.initialize(**kwargs)
        else:
            self.initialize()

    def _initialize(self) -> None:
        """What ``initialize`` is where it is not overridden."""

    def before_body(self) -> Awaitable[None] | None:
        """Called where a request has a body, when its head has arrived and before any of the body is read.

        For what can be told from the head alone, so that a large upload is refused before it is sent: who asks, of
        what type and how large it is to be. May be ``async def``. To refuse, raise an
        :class:`~gustnado.web.HTTPError` or finish the request; the connection closes then, where much of the body
        would have to be read for nothing. ``raise HTTPError(417)`` declines ``Expect: 100-continue``; a client that
        expects that is told to go on after this has returned, and not before. Nothing of the body is there yet, nor of
        its arguments. :meth:`prepare` comes later, with the body, as do the XSRF check and a ``current_user`` that has
        to be awaited.
        """
        return None

    def prepare(self) -> Awaitable[None] | None:
        """Called before the method of the verb, whichever that is; may be ``async def``.

        Finish the request here and the method is not called.
        """
        return None

    def on_finish(self) -> None:
        """Called once, after the response has been sent: for clean-up and logging. Cannot answer any more."""

    def on_connection_close(self) -> None:
        """Called where the client closes the connection before the response has ended.

        Not called for each client that goes: only where that can be told while the handler still works.
        """

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Called with each piece of the body of a handler with ``@stream_request_body``.

        Reading waits for what it returns, if anything.
        """
        raise NotImplementedError("a handler with @stream_request_body overrides data_received()")

    def _begin(
        self, path_args: list[Any] | None, path_kwargs: dict[str, Any] | None
    ) -> Awaitable[None] | None:
        """All that comes before the method of the verb. The awaitable, if any, is what is left of it."""
        return _prepare(self, path_args, path_kwargs)

    def _invoke(self) -> Awaitable[Any] | None:
        """Call the method of the verb."""
        verb = self.request.method
        method = getattr(self, _METHOD_NAMES.get(verb) or verb.lower())
        args, kwargs = self.path_args, self.path_kwargs
        result: Awaitable[Any] | None = method(*args, **kwargs) if args or kwargs else method()
        return result

    def _take_result(self, result: Any) -> asyncio.Task[None] | None:
        """Go on with what the method of the verb returned: await it in a task, or take it for the response."""
        if isawaitable(result):
            return start_task(self._complete(result))
        self._respond_with(result)
        return None

    def _run(
        self, path_args: list[Any] | None, path_kwargs: dict[str, Any] | None
    ) -> asyncio.Task[None] | None:
        """Handle the request; the task in which the rest of it runs, if it has to await something."""
        try:
            pending = _prepare(self, path_args, path_kwargs)
            if pending is not None:
                return start_task(self._run_async(pending))
            if self._finished:
                return None
            result = self._invoke()
            if type(result) is _COROUTINE:
                return start_task(self._complete(result))
            if result is not None:
                return self._take_result(result)
            if self._auto_finish and not self._finished:
                self.finish()
        except Exception as error:
            self._handle_request_exception(error)
        return None

    def _ended(self) -> None:
        """After the response: the log, and :meth:`on_finish`, once."""
        try:
            self._log()
        finally:
            self.on_finish()
            if self._ui is not None:
                self._release_ui()

    def _log(self) -> None:
        self.application.log_request(self)  # type: ignore[arg-type]

    def _request_summary(self) -> str:
        request = self.request
        return f"{request.method} {request.uri} ({request.remote_ip})"

    def require_setting(self, name: str, feature: str = "this feature") -> None:
        """Raise unless the application has the setting ``name``.

        :raises Exception: with a message that names setting and feature.
        """
        if not self.application.settings.get(name):
            raise Exception(f"You must define the '{name}' setting in your application to use {feature}")

    def reverse_url(self, name: str, *args: Any) -> str:
        """The URL of the route called ``name``; see :meth:`Application.reverse_url`."""
        return self.application.reverse_url(name, *args)


def _prepare(
    handler: LifecycleMixin, path_args: list[Any] | None, path_kwargs: dict[str, Any] | None
) -> Awaitable[None] | None:
    method = handler.request.method
    if method not in handler.SUPPORTED_METHODS:
        raise HTTPError(405)
    if path_args:
        handler.path_args = _decode_all(handler, path_args)
    if path_kwargs:
        handler.path_kwargs = {
            name: handler.decode_argument(arg, name=name) for name, arg in path_kwargs.items()
        }
    if method not in _SAFE_METHODS:
        handler._cross_origin_protection()
    if handler.current_user_is_async:
        return handler._begin_async()
    return handler.prepare()


def _decode_all(handler: LifecycleMixin, path_args: list[Any]) -> list[Any]:
    """What groups of a route took, without a detour where it is ASCII and ``decode_argument`` not overridden."""
    is_usual = type(handler).decode_argument is _DECODE_ARGUMENT
    decoded = []
    for arg in path_args:
        if is_usual and type(arg) is bytes and arg.isascii():
            decoded.append(arg.decode("ascii"))
        else:
            decoded.append(handler.decode_argument(arg))
    return decoded
