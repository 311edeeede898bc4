"""OpenID Connect: sign-in with any provider that speaks it, and they all do (OpenID Connect Core 1.0).

It is the code flow with all that makes it safe: discovery, a ``state`` and a ``nonce`` for each sign-in in a signed
cookie, PKCE (RFC 7636), the issuer in the answer (RFC 9207) where the provider sends it, and an ID token that is
checked by all rules (:mod:`gustnado.web.auth.id_token`).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote_plus

from gustnado.errors import UsageError
from gustnado.http.urls import url_concat
from gustnado.web.auth.client import fetch_answer, json_object
from gustnado.web.auth.errors import AuthStateError, ProviderError
from gustnado.web.auth.id_token import Expected
from gustnado.web.auth.oauth2 import OAuth2RequestMixin
from gustnado.web.auth.openid_provider import OpenIDProvider, is_secure_url, openid_provider
from gustnado.web.auth.running import AuthFuture, handler_of, start, start_redirect
from gustnado.web.auth.sign_in import SignIn, resume, token

__all__ = ["OpenIDConnectMixin"]

_SCOPE = ("openid", "profile", "email")
_TOKENS = ("access_token", "id_token", "refresh_token", "expires_in", "scope")

UserCallback = Callable[[dict[str, Any] | None], object]


class OpenIDConnectMixin(OAuth2RequestMixin):
    """Sign-in by OpenID Connect.

    The setting ``openid_connect`` is what the program and the provider know of each other; ``cookie_secret`` is
    needed, too::

        Application(..., openid_connect={
            "issuer": "https://accounts.example.org", "key": CLIENT_ID, "secret": CLIENT_SECRET,
        })

        class Login(RequestHandler, OpenIDConnectMixin):
            async def get(self):
                if self.get_argument("state", None):
                    user = await self.get_authenticated_user()
                    self.set_signed_cookie("user", user["sub"])
                    self.redirect("/")
                else:
                    await self.authorize_redirect()

    A program with several providers has a handler for each, which says ``_OPENID_CONNECT_ISSUER`` and
    ``_OPENID_CONNECT_SETTINGS_KEY``. A user is the pair of ``iss`` and ``sub``; an email address may change hands.
    """

    _OPENID_CONNECT_ISSUER: str = ""
    """The issuer, where the settings do not say it."""
    _OPENID_CONNECT_SETTINGS_KEY: str = "openid_connect"

    def get_openid_connect_settings(self) -> dict[str, str]:
        """``issuer``, ``key``, ``secret`` (none for a public client) and perhaps ``redirect_uri``.

        Override where they are elsewhere than in the setting ``openid_connect``.
        """
        handler = handler_of(self)
        handler.require_setting(self._OPENID_CONNECT_SETTINGS_KEY, type(self).__name__)
        settings: dict[str, str] = handler.settings[self._OPENID_CONNECT_SETTINGS_KEY]
        return settings

    def authorize_redirect(
        self,
        redirect_uri: str | None = None,
        client_id: str | None = None,
        *,
        extra_params: dict[str, str] | None = None,
        scope: Iterable[str] = _SCOPE,
        callback: Callable[[None], object] | None = None,
    ) -> AuthFuture[None]:
        """Redirect to the provider's page for signing in.

        :param redirect_uri: where the provider sends the browser after that; it has to know this URL beforehand. By
            default that of the settings, else this request's without its query.
        :param client_id: what the provider calls this program; by default that of the settings.
        :param extra_params: more arguments for that page, such as ``prompt`` or ``login_hint``.
        :param scope: what to ask for.
        :raises ProviderError: where the provider cannot be used.
        """
        return start_redirect(self, self._redirect(redirect_uri, client_id, extra_params, scope), callback)

    async def _redirect(
        self,
        redirect_uri: str | None,
        client_id: str | None,
        extra_params: dict[str, str] | None,
        scope: Iterable[str],
    ) -> None:
        handler = handler_of(self)
        handler.require_setting("cookie_secret", "OpenID Connect")
        settings = self.get_openid_connect_settings()
        metadata = await self._provider().metadata(self.get_auth_http_client())
        sign_in = SignIn(token(), token(), token(), self._redirect_uri(redirect_uri, settings))
        sign_in.remember(handler)
        arguments = {
            **(extra_params or {}),
            "response_type": "code",
            "client_id": client_id or settings["key"],
            "redirect_uri": sign_in.redirect_uri,
            "scope": " ".join(dict.fromkeys(("openid", *scope))),
            "state": sign_in.state,
            "nonce": sign_in.nonce,
            "code_challenge": sign_in.challenge,
            "code_challenge_method": "S256",
        }
        handler.redirect(url_concat(metadata["authorization_endpoint"], arguments))

    def get_authenticated_user(
        self,
        redirect_uri: str | None = None,
        code: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        callback: UserCallback | None = None,
    ) -> AuthFuture[dict[str, Any]]:
        """The user, once the browser is back from the provider.

        :param redirect_uri: by default that of the redirect.
        :param code: by default the request's argument of that name.
        :param client_id: by default that of the settings, as is ``client_secret``.
        :param callback: called with the user, or with ``None`` where this failed.
        :returns: a future with the claims of the ID token (``sub``, ``email``...), and with ``access_token``,
            ``id_token``, ``expires_in`` and, where there is one, ``refresh_token``.
        :raises AuthStateError: where this browser has not begun this sign-in.
        :raises AuthDeniedError: where the provider refuses, or the user said no.
        :raises IDTokenError: where the ID token is not valid.
        :raises ProviderError: where the provider's answer cannot be used.
        """
        return start(self, self._authenticated_user(redirect_uri, code, client_id, client_secret), callback)

    async def _authenticated_user(
        self, redirect_uri: str | None, code: str | None, client_id: str | None, client_secret: str | None
    ) -> dict[str, Any]:
        handler = handler_of(self)
        settings = self.get_openid_connect_settings()
        client_id = client_id or settings["key"]
        sign_in = resume(handler)
        provider, client = self._provider(), self.get_auth_http_client()
        metadata = await provider.metadata(client)
        self._check_issuer(metadata)
        form = {
            "grant_type": "authorization_code",
            "code": code or handler.get_query_argument("code"),
            "redirect_uri": redirect_uri or sign_in.redirect_uri,
            "code_verifier": sign_in.verifier,
        }
        secret = client_secret or settings.get("secret")
        answer = await self._redeem(metadata, form, client_id, secret)
        expected = Expected(
            provider.issuer,
            client_id,
            sign_in.nonce,
            answer["access_token"],
            metadata.get("id_token_signing_alg_values_supported") or ("RS256",),
        )
        claims = await provider.claims(client, answer.get("id_token"), expected)
        return {**claims, **{name: answer[name] for name in _TOKENS if name in answer}}

    def _check_issuer(self, metadata: dict[str, Any]) -> None:
        """Whether the answer is of the provider that was asked (RFC 9207): a mix-up is an attack."""
        issuer = handler_of(self).get_query_argument("iss", None)
        required = metadata.get("authorization_response_iss_parameter_supported") is True
        if issuer != metadata["issuer"] and (issuer is not None or required):
            raise AuthStateError(f"the answer is of {issuer!r:.200}, and {metadata['issuer']!r} was asked")

    async def _redeem(
        self, metadata: dict[str, Any], form: dict[str, str], client_id: str, secret: str | None
    ) -> dict[str, Any]:
        """Exchange the code for tokens, as whom the provider wants it (OpenID Connect Core section 9)."""
        methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        options: dict[str, Any] = {}
        if secret is None:
            form["client_id"] = client_id
        elif "client_secret_basic" in methods:
            pair = f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()  # RFC 6749 section 2.3.1
            options["headers"] = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        elif "client_secret_post" in methods:
            form |= {"client_id": client_id, "client_secret": secret}
        else:
            raise ProviderError(f"the provider wants its clients to authenticate by {methods!r:.200}")
        return await self._fetch_token(metadata["token_endpoint"], form, **options)

    def get_openid_connect_userinfo(
        self, user: dict[str, Any], callback: UserCallback | None = None
    ) -> AuthFuture[dict[str, Any]]:
        """More of a user, where the provider has it (OpenID Connect Core section 5.3).

        :param user: as of :meth:`get_authenticated_user`.
        :raises ProviderError: where it tells of somebody else, or has no such address.
        """
        return start(self, self._userinfo(user), callback)

    async def _userinfo(self, user: dict[str, Any]) -> dict[str, Any]:
        client = self.get_auth_http_client()
        url = (await self._provider().metadata(client)).get("userinfo_endpoint")
        if not isinstance(url, str) or not is_secure_url(url):
            raise ProviderError(f"the provider's userinfo_endpoint is {url!r:.200}, not an https URL")
        headers = {"Authorization": f"Bearer {user['access_token']}"}
        answer = json_object(await fetch_answer(client, url, headers=headers))
        if answer.get("sub") != user["sub"]:
            raise ProviderError("the provider told of another user than was asked about")
        return answer

    def _provider(self) -> OpenIDProvider:
        issuer = self._OPENID_CONNECT_ISSUER or self.get_openid_connect_settings().get("issuer")
        if not issuer:
            raise UsageError(f"the setting {self._OPENID_CONNECT_SETTINGS_KEY!r} says no issuer")
        return openid_provider(handler_of(self).application, issuer)

    def _redirect_uri(self, given: str | None, settings: dict[str, str]) -> str:
        return given or settings.get("redirect_uri") or handler_of(self).request.full_url().partition("?")[0]
