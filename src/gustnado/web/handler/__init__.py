"""``RequestHandler``, composed of its topics: one file each in this folder."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from gustnado.http.body_limits import BodyLimits
from gustnado.web.errors import HTTPError
from gustnado.web.handler.arguments import ArgumentsMixin
from gustnado.web.handler.auth import CurrentUserMixin
from gustnado.web.handler.caching import CachingMixin
from gustnado.web.handler.callbacks import CallbacksMixin
from gustnado.web.handler.cookies import CookiesMixin
from gustnado.web.handler.failures import FailuresMixin
from gustnado.web.handler.files import FilesMixin
from gustnado.web.handler.lifecycle import LifecycleMixin
from gustnado.web.handler.links import LinksMixin
from gustnado.web.handler.localization import LocalizationMixin
from gustnado.web.handler.output import OutputMixin
from gustnado.web.handler.rendering import RenderingMixin
from gustnado.web.handler.results import ResultsMixin
from gustnado.web.handler.tasks import TasksMixin
from gustnado.web.handler.xsrf import XSRFMixin

__all__ = ["RequestHandler"]


class RequestHandler(
    LifecycleMixin,
    TasksMixin,
    OutputMixin,
    FilesMixin,
    CachingMixin,
    ResultsMixin,
    CallbacksMixin,
    FailuresMixin,
    XSRFMixin,
    ArgumentsMixin,
    CookiesMixin,
    CurrentUserMixin,
    LinksMixin,
    RenderingMixin,
    LocalizationMixin,
):
    """Answers HTTP requests. Subclass it, and define ``get``, ``post`` and so on.

    One is made for each request::

        class Hello(RequestHandler):
            def get(self):
                self.write("Hello, world!")

    A method may be plain, ``async def``, or a generator under ``@gen.coroutine``. What it returns, a dict, list,
    str or bytes, is the response; ``None`` is what it has written. Within the loop's thread only:
    nothing here is safe to call from another.
    """

    body_limits: BodyLimits | None = None
    """Bounds of the bodies of this handler's requests, where they are not the server's; known before they are read."""

    cancel_on_disconnect: bool = False
    """Whether a handler that is awaiting something is cancelled when its client goes before it has its response.

    It gets :exc:`asyncio.CancelledError` where it awaits, after :meth:`on_connection_close`; ``on_finish`` is called
    then as usual. Not for handlers that must not stop half way.
    """

    _stream_request_body: bool = False
    _pulls_request_body: bool = False
    _looks_before_body: bool = False
    _acts_on_head: bool = False  # something is to be done before the body is read

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._flush_is_overridden = cls.flush is not OutputMixin.flush
        cls._looks_before_body = cls.before_body is not LifecycleMixin.before_body
        cls._acts_on_head = (
            cls._stream_request_body
            or cls._pulls_request_body
            or cls._looks_before_body
            or cls.body_limits is not None
        )

    initialize: Callable[..., None] = LifecycleMixin._initialize
    """Override to take the keyword arguments of the route."""

    def _unimplemented_method(self, *args: str, **kwargs: str) -> Awaitable[None] | None:
        raise HTTPError(405)

    head: Callable[..., Awaitable[None] | None] = _unimplemented_method
    get: Callable[..., Awaitable[None] | None] = _unimplemented_method
    post: Callable[..., Awaitable[None] | None] = _unimplemented_method
    delete: Callable[..., Awaitable[None] | None] = _unimplemented_method
    patch: Callable[..., Awaitable[None] | None] = _unimplemented_method
    put: Callable[..., Awaitable[None] | None] = _unimplemented_method
    options: Callable[..., Awaitable[None] | None] = _unimplemented_method
