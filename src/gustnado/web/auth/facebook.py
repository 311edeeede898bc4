"""Sign-in with Facebook: the Graph API, by its own name and by that of the old API before it."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from typing import Any, cast
from urllib.parse import urljoin

from gustnado.web.auth.oauth2 import OAuth2Mixin
from gustnado.web.auth.running import AuthFuture, handler_of, start

__all__ = ["FacebookGraphMixin", "FacebookMixin"]

_FIELDS = ("id", "name", "first_name", "last_name", "locale", "picture", "link")

UserCallback = Callable[[dict[str, Any] | None], object]


class _GraphMixin(OAuth2Mixin):
    """What both names share."""

    _OAUTH_ACCESS_TOKEN_URL = "https://graph.facebook.com/oauth/access_token?"
    _OAUTH_AUTHORIZE_URL = "https://www.facebook.com/dialog/oauth?"
    _OAUTH_NO_CALLBACKS = False
    _FACEBOOK_BASE_URL = "https://graph.facebook.com"

    def facebook_request(
        self,
        path: str,
        access_token: str | None = None,
        post_args: dict[str, Any] | None = None,
        callback: Callable[[Any], object] | None = None,
        **args: Any,
    ) -> AuthFuture[Any]:
        """Call the Graph API; the result is the JSON that it answers with.

        :param path: such as ``"/me/feed"``.
        :param access_token: that of ``get_authenticated_user``.
        :param post_args: makes it a POST with these in its form.
        :param args: the query.
        :raises gustnado.http.client.errors.HTTPClientError: for an answer that is not 2xx.
        """
        url = self._FACEBOOK_BASE_URL + path
        return self.oauth2_request(url, access_token, post_args, callback, **args)

    async def _user(
        self,
        redirect_uri: str,
        client_id: str,
        client_secret: str,
        code: str,
        extra_fields: Iterable[str] | None,
    ) -> dict[str, Any] | None:
        url = self._oauth_request_token_url(redirect_uri, client_id, client_secret, code, self._resume())
        session = await self._fetch_token(url, None)
        access_token = session["access_token"]
        fields = list(dict.fromkeys((*_FIELDS, *(extra_fields or ()))))
        proof = hmac.digest(client_secret.encode(), access_token.encode(), "sha256").hex()
        user = await self.facebook_request(
            "/me", access_token, appsecret_proof=proof, fields=",".join(fields)
        )
        if user is None:
            return None
        found = {field: user.get(field) for field in fields}
        return {**found, "access_token": access_token, "session_expires": str(session.get("expires_in"))}


class FacebookGraphMixin(_GraphMixin):
    """OAuth 2 with Facebook.

    ::

        class FacebookLogin(RequestHandler, FacebookGraphMixin):
            async def get(self):
                redirect_uri = "https://example.org/login"   # as Facebook knows it
                key, secret = self.settings["facebook_api_key"], self.settings["facebook_secret"]
                code = self.get_argument("code", None)
                if code is None:
                    self.authorize_redirect(redirect_uri, key, scope=["email"])
                else:
                    user = await self.get_authenticated_user(redirect_uri, key, secret, code)
    """

    def get_authenticated_user(
        self,
        redirect_uri: str,
        client_id: str,
        client_secret: str,
        code: str,
        extra_fields: Iterable[str] | UserCallback | None = None,
        callback: UserCallback | None = None,
    ) -> AuthFuture[dict[str, Any] | None]:
        """The user, for the code that Facebook sent the browser back with.

        :param redirect_uri: that of ``authorize_redirect``.
        :param extra_fields: names of fields of the user beside ``id``, ``name``, ``first_name``, ``last_name``,
            ``locale``, ``picture`` and ``link``.
        :param callback: called with the user, or with ``None`` where this failed. It may come before ``extra_fields``.
        :returns: a future with all these, ``None`` where Facebook does not tell one; with ``access_token``, and
            ``session_expires``, in how many seconds it does.
        :raises AuthStateError: where this browser has not begun this sign-in.
        :raises AuthDeniedError: where Facebook refuses.
        :raises ProviderError: where it answers with no token.
        """
        if callable(extra_fields):
            extra_fields, callback = callback, extra_fields
        user = self._user(redirect_uri, client_id, client_secret, code, cast("Iterable[str] | None", extra_fields))
        return start(self, user, callback)


class FacebookMixin(_GraphMixin):
    """Facebook's users by the interface of older Tornados, on the Graph API: the API below it then is gone.

    The settings ``facebook_api_key`` and ``facebook_secret`` are what Facebook gave to the program::

        class FacebookLogin(RequestHandler, FacebookMixin):
            async def get(self):
                if self.get_argument("code", None):
                    user = await self.get_authenticated_user()
                else:
                    self.authenticate_redirect()
    """

    def authenticate_redirect(
        self,
        callback_uri: str | None = None,
        cancel_uri: str | None = None,
        extended_permissions: str | Iterable[str] | None = None,
        callback: Callable[[None], object] | None = None,
    ) -> None:
        """Redirect to Facebook.

        :param callback_uri: where Facebook sends the browser after that, also if the user says no; by default this
            request's URL.
        :param cancel_uri: has no meaning any more.
        :param extended_permissions: what more the program wants to do.
        """
        scope = [extended_permissions] if isinstance(extended_permissions, str) else extended_permissions
        key = self._key("facebook_api_key")
        self.authorize_redirect(self._redirect_uri(callback_uri), key, scope=scope, callback=callback)

    def get_authenticated_user(
        self,
        callback: UserCallback | None = None,
        callback_uri: str | None = None,
    ) -> AuthFuture[dict[str, Any] | None]:
        """The user, once the browser is back; as of :class:`FacebookGraphMixin`, with ``uid`` and ``session_key`` for
        ``id`` and ``access_token`` as well.

        :param callback: called with the user, or with ``None`` where this failed.
        :param callback_uri: that of ``authenticate_redirect``.
        :raises MissingArgumentError: where the request has no ``code``.
        """
        return start(self, self._old_user(callback_uri), callback)

    async def _old_user(self, callback_uri: str | None) -> dict[str, Any] | None:
        code = handler_of(self).get_argument("code")
        key, secret = self._key("facebook_api_key"), self._key("facebook_secret")
        user = await self._user(self._redirect_uri(callback_uri), key, secret, code, None)
        if user is None:
            return None
        return {**user, "uid": user["id"], "session_key": user["access_token"]}

    def _key(self, name: str) -> str:
        handler = handler_of(self)
        handler.require_setting(name, "FacebookMixin")
        key: str = handler.settings[name]
        return key

    def _redirect_uri(self, given: str | None) -> str:
        """Without the query, which is another one when the browser is back."""
        here = handler_of(self).request.full_url().partition("?")[0]
        return urljoin(here, given) if given else here
