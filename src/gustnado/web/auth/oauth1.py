"""OAuth 1.0 and 1.0a (RFC 5849), as services like Twitter had it.

A subclass names its service, and says who its users are::

    class ServiceMixin(OAuthMixin):
        _OAUTH_REQUEST_TOKEN_URL = "https://service.example/oauth/request_token"
        _OAUTH_AUTHORIZE_URL = "https://service.example/oauth/authorize"
        _OAUTH_ACCESS_TOKEN_URL = "https://service.example/oauth/access_token"

        def _oauth_consumer_token(self):
            return {"key": ..., "secret": ...}

        async def _oauth_get_user_future(self, access_token):
            return {"name": ...}
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import functools
import hmac
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin

from gustnado.errors import UsageError
from gustnado.escape import utf8
from gustnado.events.futures import future_set_result_unless_cancelled
from gustnado.http.client.api import AsyncHTTPClient
from gustnado.http.urls import url_concat
from gustnado.web.auth.client import AuthClientMixin
from gustnado.web.auth.errors import AuthDeniedError, AuthError, AuthStateError
from gustnado.web.auth.oauth1_signing import Credentials, parse_token
from gustnado.web.auth.running import AuthFuture, handler_of, start, start_redirect
from gustnado.web.auth.sign_in import MAX_AGE, cookie_options

if TYPE_CHECKING:
    from gustnado.http.client.response import HTTPResponse

__all__ = ["OAuthMixin"]

_COOKIE = "_oauth_request_token"
_DAY = 86400

UserCallback = Callable[[dict[str, Any] | None], object]
ClientOrCallback = AsyncHTTPClient | UserCallback


class OAuthMixin(AuthClientMixin):
    """Sign-in by OAuth 1. A handler redirects to the service, and asks for the user when the browser is back.

    The request token waits in a cookie meanwhile: signed where the application has a ``cookie_secret``, otherwise
    in Tornado's plain format.
    """

    _OAUTH_REQUEST_TOKEN_URL: str
    _OAUTH_AUTHORIZE_URL: str
    _OAUTH_ACCESS_TOKEN_URL: str
    _OAUTH_VERSION: str = "1.0a"
    """Or ``"1.0"``, which tells the callback to the authorization page, and knows no verifier."""
    _OAUTH_NO_CALLBACKS: bool = False
    """Whether the service takes no callback URL."""

    def authorize_redirect(
        self,
        callback_uri: str | None = None,
        extra_params: dict[str, Any] | None = None,
        http_client: AsyncHTTPClient | None = None,
        callback: Callable[[None], object] | None = None,
    ) -> AuthFuture[None]:
        """Fetch a request token, and redirect to the service's page for authorization.

        :param callback_uri: where the service sends the browser after that; may be relative to this request. With
            ``"oob"`` nothing is redirected: the response is the URL of the page, for a user that types a PIN.
        :param extra_params: for the request of the token, with version 1.0a.
        :param callback: called when the redirect has been sent.
        :raises gustnado.errors.UsageError: where there is a callback URL and the service takes none.
        :raises ProviderError: where the service answers with no token.
        """
        if callback_uri and self._OAUTH_NO_CALLBACKS:
            raise UsageError("This service does not support oauth_callback")
        return start_redirect(self, self._redirect(callback_uri, extra_params, http_client), callback)

    async def _redirect(
        self,
        callback_uri: str | None,
        extra_params: dict[str, Any] | None,
        http_client: AsyncHTTPClient | None,
    ) -> None:
        if self._OAUTH_VERSION == "1.0a":
            url = self._oauth_request_token_url(callback_uri=callback_uri, extra_params=extra_params)
        else:
            url = self._oauth_request_token_url()
        response = await (http_client or self.get_auth_http_client()).fetch(url)
        self._on_request_token(self._OAUTH_AUTHORIZE_URL, callback_uri, response)

    def get_authenticated_user(
        self, http_client: ClientOrCallback | None = None, callback: UserCallback | None = None
    ) -> AuthFuture[dict[str, Any]]:
        """The user, once the browser is back from the service: what the access token stands for.

        :param callback: called with the user, or with ``None`` where this failed. It may stand first.
        :returns: a future with the user; ``access_token`` is added to it.
        :raises AuthStateError: where this browser has not begun this sign-in.
        :raises AuthDeniedError: where the user has said no.
        :raises AuthError: where there is no user.
        :raises MissingArgumentError: where the request has no ``oauth_token``.
        """
        if callable(http_client) and not hasattr(http_client, "fetch"):
            http_client, callback = None, http_client
        return start(self, self._authenticated_user(http_client), callback)

    async def _authenticated_user(self, http_client: Any) -> dict[str, Any]:
        token = self._resume()
        client = http_client or self.get_auth_http_client()
        response = await client.fetch(self._oauth_access_token_url(token))
        access_token = parse_token(response.body)
        user = await self._user_of(access_token)
        if not user:
            raise AuthError("the service told no user for the access token")
        user["access_token"] = access_token
        return user

    def _resume(self) -> dict[str, Any]:
        """The request token that this browser has been sent away with."""
        handler = handler_of(self)
        if handler.get_argument("denied", None) is not None:
            raise AuthDeniedError("denied", "the user has said no")
        key = utf8(handler.get_argument("oauth_token"))
        kept = self._kept_token()
        handler.clear_cookie(_COOKIE, **cookie_options(handler))
        try:
            cookie_key, secret = (base64.b64decode(part, validate=True) for part in kept.split(b"|"))
        except (ValueError, binascii.Error) as error:
            raise AuthStateError(f"the cookie {_COOKIE} is malformed") from error
        if not hmac.compare_digest(cookie_key, key):
            raise AuthStateError("Request token does not match cookie")
        token: dict[str, Any] = {"key": cookie_key, "secret": secret}
        verifier = handler.get_argument("oauth_verifier", None)
        return {**token, "verifier": verifier} if verifier else token

    def _kept_token(self) -> bytes:
        handler = handler_of(self)
        if handler.settings.get("cookie_secret"):
            kept = handler.get_signed_cookie(_COOKIE, max_age_days=MAX_AGE / _DAY, min_version=2)
        else:
            kept = utf8(handler.get_cookie(_COOKIE))
        if not kept:
            raise AuthStateError("Missing OAuth request token cookie")
        return kept

    def _on_request_token(self, authorize_url: str, callback_uri: str | None, response: HTTPResponse) -> None:
        """Keep the token that the service has answered with, and send the browser there."""
        handler = handler_of(self)
        token = parse_token(response.body)
        kept = b"|".join(base64.b64encode(utf8(token[part])) for part in ("key", "secret"))
        if handler.settings.get("cookie_secret"):
            handler.set_signed_cookie(_COOKIE, kept, expires_days=None, **cookie_options(handler))
        else:
            handler.set_cookie(_COOKIE, kept, **cookie_options(handler))
        arguments = {"oauth_token": token["key"]}
        if callback_uri == "oob":
            handler.finish(f"{authorize_url}?{urlencode(arguments)}")
            return
        if callback_uri:
            arguments["oauth_callback"] = self._absolute(callback_uri)
        handler.redirect(url_concat(authorize_url, arguments))

    def _absolute(self, uri: str) -> str:
        return urljoin(handler_of(self).request.full_url(), uri)

    def _oauth_request_token_url(
        self, callback_uri: str | None = None, extra_params: dict[str, Any] | None = None
    ) -> str:
        """The signed URL that a request token is fetched from."""
        modern = self._OAUTH_VERSION == "1.0a"
        callback = None
        if modern and callback_uri:
            callback = "oob" if callback_uri == "oob" else self._absolute(callback_uri)
        credentials = Credentials(self._oauth_consumer_token(), callback=callback)
        return credentials.url(self._OAUTH_REQUEST_TOKEN_URL, extra_params if modern else None)

    def _oauth_access_token_url(self, request_token: dict[str, Any]) -> str:
        """The signed URL that an access token is fetched from."""
        return Credentials(self._oauth_consumer_token(), request_token).url(self._OAUTH_ACCESS_TOKEN_URL)

    def _oauth_request_parameters(
        self,
        url: str,
        access_token: Mapping[str, Any],
        parameters: Mapping[str, Any] | None = None,
        method: str = "GET",
    ) -> dict[str, Any]:
        """The ``oauth_`` parameters of a request on behalf of a user; add them to its query.

        :param parameters: all that the request has in its query and in its form.
        """
        return Credentials(self._oauth_consumer_token(), access_token).parameters(url, parameters, method)

    def _oauth_consumer_token(self) -> dict[str, Any]:
        """Override to tell ``key`` and ``secret`` that the service has given to this program."""
        raise NotImplementedError

    async def _oauth_get_user_future(self, access_token: dict[str, Any]) -> dict[str, Any]:
        """Override to tell the user of an access token, a dictionary, as by asking the service."""
        raise NotImplementedError

    def _oauth_get_user(self, access_token: dict[str, Any], callback: Callable[..., object]) -> None:
        """The same in the style of older Tornados: gives the user to ``callback``. One of the two is overridden."""
        raise NotImplementedError

    async def _user_of(self, access_token: dict[str, Any]) -> dict[str, Any]:
        if type(self)._oauth_get_user is OAuthMixin._oauth_get_user:
            user = self._oauth_get_user_future(access_token)
            return (await user) if inspect.isawaitable(user) else user
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._oauth_get_user(access_token, functools.partial(future_set_result_unless_cancelled, future))
        return await future
