"""Sign-in with Twitter, by OAuth 1.0a, with its names and addresses of version 1.1 of its API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from gustnado.escape import json_decode
from gustnado.http.urls import url_concat
from gustnado.web.auth.oauth1 import OAuthMixin
from gustnado.web.auth.running import AuthFuture, handler_of, start, start_redirect

__all__ = ["TwitterMixin"]


class TwitterMixin(OAuthMixin):
    """OAuth 1.0a with Twitter.

    The settings ``twitter_consumer_key`` and ``twitter_consumer_secret`` are what Twitter gave to the program::

        class TwitterLogin(RequestHandler, TwitterMixin):
            async def get(self):
                if self.get_argument("oauth_token", None):
                    user = await self.get_authenticated_user()
                    ...  # user["username"], user["access_token"]
                else:
                    await self.authorize_redirect()
    """

    _OAUTH_REQUEST_TOKEN_URL = "https://api.twitter.com/oauth/request_token"
    _OAUTH_ACCESS_TOKEN_URL = "https://api.twitter.com/oauth/access_token"
    _OAUTH_AUTHORIZE_URL = "https://api.twitter.com/oauth/authorize"
    _OAUTH_AUTHENTICATE_URL = "https://api.twitter.com/oauth/authenticate"
    _OAUTH_NO_CALLBACKS = False
    _TWITTER_BASE_URL = "https://api.twitter.com/1.1"

    def authenticate_redirect(
        self, callback_uri: str | None = None, callback: Callable[[None], object] | None = None
    ) -> AuthFuture[None]:
        """As ``authorize_redirect``, but a user who has authorized this program before is not asked again.

        :param callback: called when the redirect has been sent.
        """
        return start_redirect(self, self._authenticate(callback_uri), callback)

    async def _authenticate(self, callback_uri: str | None) -> None:
        response = await self.get_auth_http_client().fetch(
            self._oauth_request_token_url(callback_uri=callback_uri)
        )
        self._on_request_token(self._OAUTH_AUTHENTICATE_URL, None, response)

    def twitter_request(
        self,
        path: str,
        access_token: dict[str, Any] | None = None,
        post_args: dict[str, Any] | None = None,
        callback: Callable[[Any], object] | None = None,
        **args: Any,
    ) -> AuthFuture[Any]:
        """Call Twitter's API; the result is the JSON that it answers with.

        :param path: such as ``"/statuses/user_timeline/btaylor"``, to which ``.json`` is added; or a URL.
        :param access_token: that of ``get_authenticated_user``; without one the request is not signed.
        :param post_args: makes it a POST with these in its form.
        :param args: the query.
        :raises gustnado.http.client.errors.HTTPClientError: for an answer that is not 2xx.
        """
        return start(self, self._call(path, access_token, post_args, args), callback)

    async def _call(
        self,
        path: str,
        access_token: dict[str, Any] | None,
        post_args: dict[str, Any] | None,
        args: dict[str, Any],
    ) -> Any:
        is_url = path.startswith(("http:", "https:"))
        url = path if is_url else f"{self._TWITTER_BASE_URL}{path}.json"
        method = "GET" if post_args is None else "POST"
        if access_token:
            signed = {**args, **(post_args or {})}
            args = {**args, **self._oauth_request_parameters(url, access_token, signed, method=method)}
        body = None if post_args is None else urlencode(post_args)
        client = self.get_auth_http_client()
        response = await client.fetch(url_concat(url, args), method=method, body=body)
        return json_decode(response.body)

    def _oauth_consumer_token(self) -> dict[str, Any]:
        handler = handler_of(self)
        handler.require_setting("twitter_consumer_key", "Twitter OAuth")
        handler.require_setting("twitter_consumer_secret", "Twitter OAuth")
        settings = handler.settings
        return {"key": settings["twitter_consumer_key"], "secret": settings["twitter_consumer_secret"]}

    async def _oauth_get_user_future(self, access_token: dict[str, Any]) -> dict[str, Any]:
        user: dict[str, Any] = await self.twitter_request(
            "/account/verify_credentials", access_token=access_token
        )
        if user:
            user["username"] = user["screen_name"]
        return user
