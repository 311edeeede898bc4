"""Who asks: the current user, and a decorator for methods that need one.

``current_user`` is what :meth:`CurrentUserMixin.get_current_user` returns, asked once a request and only
when it is first wanted; or what a program has set it to, usually in ``prepare``. Where
``get_current_user`` is a coroutine it cannot be asked so late: then it is awaited for every request,
before ``prepare``.
"""

from __future__ import annotations

import functools
import inspect
import urllib.parse
from collections.abc import Callable
from typing import Any, TypeVar

from gustnado.errors import UsageError
from gustnado.web.errors import HTTPError
from gustnado.web.handler.state import HandlerState
from gustnado.web.redirects import safe_local_redirect

__all__ = ["CurrentUserMixin", "authenticated", "resolve_current_user"]

MethodT = TypeVar("MethodT", bound=Callable[..., Any])
_UNKNOWN = object()


class CurrentUserMixin(HandlerState):
    """``current_user`` and where to log in.

    :cvar current_user_is_async: whether ``get_current_user`` is a coroutine function, so that
        :func:`resolve_current_user` has to be awaited before ``prepare``.
    """

    current_user_is_async: bool = False
    _current_user: Any = _UNKNOWN

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.current_user_is_async = _is_coroutine_function(cls.get_current_user)

    @property
    def current_user(self) -> Any:
        """The user that asks, of whatever type the program likes; false where nobody is logged in.

        :raises gustnado.errors.UsageError: where ``get_current_user`` returned an awaitable but is no
            coroutine function, so that nobody awaited it.
        """
        if self._current_user is _UNKNOWN:
            user = self.get_current_user()
            if inspect.isawaitable(user):
                if inspect.iscoroutine(user):
                    user.close()
                raise UsageError("get_current_user must be an 'async def' of the class to be awaited")
            self._current_user = user
        return self._current_user

    @current_user.setter
    def current_user(self, value: Any) -> None:
        self._current_user = value

    def get_current_user(self) -> Any:
        """Override to tell the user, as by a signed cookie. May be ``async def``; see the module."""
        return None

    def get_login_url(self) -> str:
        """Where :func:`authenticated` sends those who are not logged in: the setting ``login_url``."""
        self.require_setting("login_url", "@gustnado.web.authenticated")
        url: str = self.settings["login_url"]
        return url


async def resolve_current_user(handler: CurrentUserMixin) -> None:
    """Await ``get_current_user`` of a handler whose ``current_user_is_async``, unless the user is known."""
    if handler._current_user is _UNKNOWN:
        handler._current_user = await handler.get_current_user()


def authenticated(method: MethodT) -> MethodT:
    """Let only those in who are logged in.

    Others are redirected to :meth:`~CurrentUserMixin.get_login_url` with the place they came from in an
    argument ``next`` (left out where the login URL has a query of its own); other methods than GET and
    HEAD get 403.
    """

    @functools.wraps(method)
    def wrapper(self: CurrentUserMixin, *args: Any, **kwargs: Any) -> Any:
        if self.current_user:
            return method(self, *args, **kwargs)
        if self.request.method not in ("GET", "HEAD"):
            raise HTTPError(403)
        url = self.get_login_url()
        if "?" not in url:
            url += "?" + urllib.parse.urlencode({"next": _next_url(self, url)})
        self.redirect(url)
        return None

    return wrapper  # type: ignore[return-value]


def _next_url(handler: CurrentUserMixin, login_url: str) -> str:
    if urllib.parse.urlsplit(login_url).scheme:
        return handler.request.full_url()  # the login page is elsewhere, so it needs to know our host
    uri = handler.request.uri or "/"
    # Login pages redirect to what they find here. "//evil/" came from a link, and must not go out as one.
    return uri if safe_local_redirect(uri) else "/"


def _is_coroutine_function(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or bool(getattr(function, "__tornado_coroutine__", False))
