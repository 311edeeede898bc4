"""Handlers that need no writing: an error, a redirect, another application."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any, cast

from gustnado.http.messages import HTTPServerRequest
from gustnado.http.urls import qs_to_qsl, url_concat
from gustnado.web.errors import HTTPError
from gustnado.web.handler import RequestHandler
from gustnado.web.redirects import has_control_characters, scheme_and_netloc

__all__ = ["ErrorHandler", "FallbackHandler", "RedirectHandler"]


class ErrorHandler(RequestHandler):
    """Answers every request with one status. It changes nothing, so it needs no XSRF check."""

    def initialize(self, status_code: int) -> None:
        """Take the argument of the route."""
        self.set_status(status_code)

    def prepare(self) -> None:
        raise HTTPError(self._status_code)

    def check_xsrf_cookie(self) -> None:
        """Let everybody in: a request to a wrong URL is told so, with 404 and not 403."""

    def check_trusted_origin(self, origin: str) -> bool:
        """Let everybody in, as :meth:`check_xsrf_cookie`."""
        return True


class RedirectHandler(RequestHandler):
    """Redirects GET and HEAD requests.

    ``url`` may hold places, in the syntax of :meth:`str.format`, for what the route's groups took::

        (r"/old/(.*)", RedirectHandler, {"url": "/new/{0}"})
        (r"/pictures/(?P<name>[a-z]+)", RedirectHandler, {"url": "/photos/{name}", "permanent": False})

    Arguments of the request's query are added to its own. What a group took cannot lead to another host:
    scheme, user, host and port are those that ``url`` has before its first place, else the answer is 400.
    """

    def initialize(self, url: str, permanent: bool = True) -> None:
        """Take the arguments of the route.

        :param permanent: 301, which clients may remember, instead of 302.
        """
        self._url = url
        self._permanent = permanent

    def get(self, *args: Any, **kwargs: Any) -> None:
        """Redirect.

        :raises HTTPError: (400) where the URL would lead to another host, or could not be sent.
        """
        url = self._url.format(*args, **kwargs)
        try:
            if self.request.query_arguments:
                # Their values are bytes, which may be no text, and which it encodes as they are.
                arguments = cast("list[tuple[str, str]]", list(qs_to_qsl(self.request.query_arguments)))
                url = url_concat(url, arguments)
            stays = self._stays_on_host(url)
        except ValueError:  # the URL cannot be parsed
            stays = False
        if not stays:
            raise HTTPError(400, "Redirect URL cannot change the scheme or netloc")
        if has_control_characters(url):
            raise HTTPError(400, "Redirect URL contains invalid characters")
        self.redirect(url, permanent=self._permanent)

    def head(self, *args: Any, **kwargs: Any) -> None:
        """Redirect as :meth:`get` does."""
        self.get(*args, **kwargs)

    def _stays_on_host(self, url: str) -> bool:
        fixed, has_places = _fixed_part(self._url)
        scheme, netloc = scheme_and_netloc(fixed)
        if has_places and scheme in ("http", "https") and not netloc:
            return False  # the host would come from the request
        return scheme_and_netloc(url) == (scheme, netloc)


class FallbackHandler(RequestHandler):
    """Passes requests on to a callable that answers them: a WSGI container, another application."""

    def initialize(self, fallback: Callable[[HTTPServerRequest], Any]) -> None:
        """Take the argument of the route.

        :param fallback: is called with the request, and answers on its connection.
        """
        self.fallback = fallback

    def prepare(self) -> None:
        self.fallback(self.request)
        self._finished = True
        self.on_finish()


def _fixed_part(url: str) -> tuple[str, bool]:
    """What of ``url`` comes before its first place, and whether it has any."""
    fixed = ""
    for text, field, _, _ in string.Formatter().parse(url):
        fixed += text
        if field is not None:
            return fixed, True
    return fixed, False
