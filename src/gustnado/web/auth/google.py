"""Sign-in with Google: by OAuth 2 under Tornado's present name, by OpenID Connect under its old one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gustnado.web.auth.oauth2 import OAuth2Mixin
from gustnado.web.auth.openid_connect import OpenIDConnectMixin
from gustnado.web.auth.running import AuthFuture, handler_of, start

__all__ = ["GoogleMixin", "GoogleOAuth2Mixin"]

_USER_FIELDS = {"given_name": "first_name", "family_name": "last_name", "sub": "claimed_id"}
_SAME_FIELDS = ("email", "name", "locale")


class GoogleOAuth2Mixin(OAuth2Mixin):
    """OAuth 2 with Google.

    The setting ``google_oauth`` is ``{"key": CLIENT_ID, "secret": CLIENT_SECRET}``::

        class GoogleLogin(RequestHandler, GoogleOAuth2Mixin):
            async def get(self):
                redirect_uri = "https://example.org/login"   # as Google knows it
                code = self.get_argument("code", None)
                if code is None:
                    key = self.get_google_oauth_settings()["key"]
                    self.authorize_redirect(redirect_uri, key, scope=["profile", "email"])
                else:
                    access = await self.get_authenticated_user(redirect_uri, code)
                    user = await self.oauth2_request(self._OAUTH_USERINFO_URL, access["access_token"])
    """

    _OAUTH_AUTHORIZE_URL = "https://accounts.google.com/o/oauth2/v2/auth"
    _OAUTH_ACCESS_TOKEN_URL = "https://www.googleapis.com/oauth2/v4/token"
    _OAUTH_USERINFO_URL = "https://www.googleapis.com/oauth2/v1/userinfo"
    _OAUTH_NO_CALLBACKS = False
    _OAUTH_SETTINGS_KEY = "google_oauth"
    _OAUTH_PKCE = True

    def get_google_oauth_settings(self) -> dict[str, str]:
        """``key`` and ``secret`` of this program: the setting ``google_oauth``. Override where they are elsewhere.

        :raises KeyError: where there is no such setting.
        """
        settings: dict[str, str] = handler_of(self).settings[self._OAUTH_SETTINGS_KEY]
        return settings

    def get_authenticated_user(
        self,
        redirect_uri: str,
        code: str,
        client_id: str | None = None,
        client_secret: str | None = None,
        callback: Callable[[dict[str, Any] | None], object] | None = None,
    ) -> AuthFuture[dict[str, Any]]:
        """Exchange the code that Google sent the browser back with for tokens.

        :param redirect_uri: that of ``authorize_redirect``.
        :param client_id: by default that of the settings, as is ``client_secret``.
        :param callback: called with the result, or with ``None`` where this failed.
        :returns: a future with Google's answer: ``access_token``, ``expires_in``, ``id_token`` and others.
        :raises AuthStateError: where this browser has not begun this sign-in.
        :raises AuthDeniedError: where Google refuses.
        :raises ProviderError: where it answers with no token.
        """
        return start(self, self._exchange(redirect_uri, code, client_id, client_secret), callback)

    async def _exchange(
        self, redirect_uri: str, code: str, client_id: str | None, client_secret: str | None
    ) -> dict[str, Any]:
        if client_id is None or client_secret is None:
            settings = self.get_google_oauth_settings()
            client_id = settings["key"] if client_id is None else client_id
            client_secret = settings["secret"] if client_secret is None else client_secret
        form = {
            "redirect_uri": redirect_uri,
            "code": code,
            "client_id": client_id,
            "client_secret": client_secret,
            "grant_type": "authorization_code",
            **self._resume(),
        }
        return await self._fetch_token(self._OAUTH_ACCESS_TOKEN_URL, form)


class GoogleMixin(OpenIDConnectMixin):
    """Google's users by the interface of older Tornados: a redirect, and a user with ``email`` and ``name``.

    Google switched off what was below it then (OpenID 2.0 with OAuth 1); this is OpenID Connect. It needs a
    registration with Google, ``{"key": CLIENT_ID, "secret": CLIENT_SECRET}`` in the setting ``google_oauth``, and the
    settings that :class:`OpenIDConnectMixin` needs.
    """

    _OPENID_CONNECT_ISSUER = "https://accounts.google.com"
    _OPENID_CONNECT_SETTINGS_KEY = "google_oauth"

    def authenticate_redirect(
        self,
        callback_uri: str | None = None,
        ax_attrs: Sequence[str] = ("name", "email", "language", "username"),
        callback: Callable[[None], object] | None = None,
    ) -> AuthFuture[None]:
        """Redirect to Google.

        :param callback_uri: where Google sends the browser after that; by default this request's URL.
        :param ax_attrs: what to ask for; Google tells the email address if ``email`` is among it.
        """
        scope = ["openid", "profile", *(["email"] if "email" in ax_attrs else [])]
        return self.authorize_redirect(callback_uri, scope=scope, callback=callback)

    def get_authenticated_user(
        self,
        redirect_uri: Any = None,
        code: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        callback: Callable[[dict[str, Any] | None], object] | None = None,
    ) -> AuthFuture[dict[str, Any]]:
        """The user, once the browser is back: ``email``, ``name``, ``first_name``, ``last_name``, ``locale``,
        ``claimed_id`` (which is Google's number of the user now), and ``access_token``.

        :param callback: may stand first. The other parameters are those of :class:`OpenIDConnectMixin`.
        """
        if callable(redirect_uri):
            redirect_uri, callback = None, redirect_uri
        return start(self, self._old_user(redirect_uri, code, client_id, client_secret), callback)

    async def _old_user(
        self, redirect_uri: str | None, code: str | None, client_id: str | None, client_secret: str | None
    ) -> dict[str, Any]:
        claims = await self._authenticated_user(redirect_uri, code, client_id, client_secret)
        user = {name: claims[name] for name in _SAME_FIELDS if name in claims}
        user |= {ours: claims[theirs] for theirs, ours in _USER_FIELDS.items() if theirs in claims}
        return {**user, "access_token": claims["access_token"]}
