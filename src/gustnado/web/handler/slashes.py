"""Decorators for handler methods that want a path with, or without, a slash at its end.

The redirect goes to the path that was asked for, so it is checked by :mod:`gustnado.web.redirects`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from gustnado.web.errors import HTTPError
from gustnado.web.handler.state import HandlerState
from gustnado.web.redirects import safe_local_redirect

__all__ = ["addslash", "removeslash"]

MethodT = TypeVar("MethodT", bound=Callable[..., Any])


def removeslash(method: MethodT) -> MethodT:
    """Redirect (301) to the path without slashes at its end; other methods than GET and HEAD get 404.

    The route must match both, as ``r"/wind/*"`` does.

    :raises HTTPError: (403) where the path has the form of one on another host.
    """

    @functools.wraps(method)
    def wrapper(self: HandlerState, *args: Any, **kwargs: Any) -> Any:
        path = self.request.path
        if path.endswith("/") and path.strip("/"):
            _redirect(self, path.rstrip("/"))
            return None
        return method(self, *args, **kwargs)

    return wrapper  # type: ignore[return-value]


def addslash(method: MethodT) -> MethodT:
    """Redirect (301) to the path with a slash at its end; other methods than GET and HEAD get 404.

    The route must match both, as ``r"/wind/?"`` does.

    :raises HTTPError: (403) where the path has the form of one on another host.
    """

    @functools.wraps(method)
    def wrapper(self: HandlerState, *args: Any, **kwargs: Any) -> Any:
        path = self.request.path
        if not path.endswith("/"):
            _redirect(self, path + "/")
            return None
        return method(self, *args, **kwargs)

    return wrapper  # type: ignore[return-value]


def _redirect(handler: HandlerState, path: str) -> None:
    if handler.request.method not in ("GET", "HEAD"):
        raise HTTPError(404)
    if not safe_local_redirect(path):
        raise HTTPError(403, "cannot redirect path with two initial slashes")
    query = handler.request.query
    handler.redirect(f"{path}?{query}" if query else path, permanent=True)
