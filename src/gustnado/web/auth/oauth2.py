"""OAuth 2.0 (RFC 6749): the redirect to a service, and requests with the access token that it gives.

What happens in between differs from service to service: see the modules of Google and Facebook, and that of
OpenID Connect, which is the same everywhere.

**State.** Where the application has a ``cookie_secret``, ``authorize_redirect`` sends a random ``state`` along (or
remembers the one that the program gives), and the methods that take a ``code`` want it back: otherwise anybody could
sign a user in with a code of his own (RFC 6749 section 10.12). Programs that get codes by another way than
``authorize_redirect``, such as from an app, set ``_OAUTH_CHECK_STATE = False`` in their handler.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from gustnado.escape import json_decode
from gustnado.http.urls import url_concat
from gustnado.web.auth.client import AuthClientMixin, fetch_answer, json_object
from gustnado.web.auth.errors import ProviderError
from gustnado.web.auth.running import AuthFuture, announce, handler_of, start
from gustnado.web.auth.sign_in import SignIn, resume, token

__all__ = ["OAuth2Mixin", "OAuth2RequestMixin"]


class OAuth2RequestMixin(AuthClientMixin):
    """Requests with an access token."""

    def oauth2_request(
        self,
        url: str,
        access_token: str | None = None,
        post_args: dict[str, Any] | None = None,
        callback: Callable[[Any], object] | None = None,
        **args: Any,
    ) -> AuthFuture[Any]:
        """Fetch ``url``; the result is the JSON that it answers with.

        :param access_token: goes into the query, together with ``args``. (Without one ``args`` are not sent, as in
            Tornado.)
        :param post_args: makes it a POST with these in its form.
        :param callback: called with the result.
        :raises gustnado.http.client.errors.HTTPClientError: for an answer that is not 2xx.
        """
        if access_token:
            url = url_concat(url, {"access_token": access_token, **args})
        return start(self, self._fetch_json(url, post_args), callback)

    async def _fetch_json(self, url: str, post_args: Mapping[str, Any] | None) -> Any:
        client = self.get_auth_http_client()
        if post_args is None:
            response = await client.fetch(url)
        else:
            response = await client.fetch(url, method="POST", body=urlencode(post_args))
        return json_decode(response.body)

    async def _fetch_token(self, url: str, form: Mapping[str, str] | None, **options: Any) -> dict[str, Any]:
        """The answer of a token endpoint (RFC 6749 section 5).

        :raises AuthDeniedError: where it is an error.
        :raises ProviderError: where it holds no access token.
        """
        if form is not None:
            options.update(method="POST", body=urlencode(form))
        answer = json_object(await fetch_answer(self.get_auth_http_client(), url, **options))
        if not isinstance(answer.get("access_token"), str):
            raise ProviderError(f"{url.partition('?')[0]} answered without an access_token")
        return answer


class OAuth2Mixin(OAuth2RequestMixin):
    """Sign-in by OAuth 2. See the subclasses for Google and Facebook, or make one for another service."""

    _OAUTH_AUTHORIZE_URL: str
    _OAUTH_ACCESS_TOKEN_URL: str
    _OAUTH_CHECK_STATE: bool = True
    """Whether a code is taken only with the ``state`` that this browser was sent away with; see the module."""
    _OAUTH_PKCE: bool = False
    """Whether the code is bound to this browser by PKCE (RFC 7636), too; where state is checked."""

    def authorize_redirect(
        self,
        redirect_uri: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        extra_params: dict[str, Any] | None = None,
        scope: Iterable[str] | None = None,
        response_type: str = "code",
        callback: Callable[[None], object] | None = None,
    ) -> None:
        """Redirect to the service's page for authorization.

        :param redirect_uri: where the service sends the browser after that; it has to know this URL beforehand.
        :param client_id: what the service calls this program.
        :param client_secret: not needed here, and deprecated.
        :param extra_params: more arguments for that page.
        :param scope: what the program wants to do.
        :param callback: called with ``None`` after this.
        """
        if client_secret is not None:
            warnings.warn("client_secret argument is deprecated", DeprecationWarning, stacklevel=2)
        given = {"redirect_uri": redirect_uri, "client_id": client_id}
        arguments = {"response_type": response_type}
        arguments |= {name: value for name, value in given.items() if value is not None}
        arguments |= extra_params or {}
        if scope:
            arguments["scope"] = " ".join(scope)
        self._remember(arguments)
        handler_of(self).redirect(url_concat(self._OAUTH_AUTHORIZE_URL, arguments))
        announce(self, callback)

    @property
    def _checks_state(self) -> bool:
        return self._OAUTH_CHECK_STATE and bool(handler_of(self).settings.get("cookie_secret"))

    def _remember(self, arguments: dict[str, Any]) -> None:
        """Keep the state of a sign-in that begins, and add it to the arguments."""
        if not self._checks_state:
            return
        sign_in = SignIn(state=str(arguments.get("state") or token()))
        arguments["state"] = sign_in.state
        if self._OAUTH_PKCE and "code_challenge" not in arguments:
            sign_in.verifier = token()
            arguments |= {"code_challenge": sign_in.challenge, "code_challenge_method": "S256"}
        sign_in.remember(handler_of(self))

    def _resume(self) -> dict[str, str]:
        """Arguments of the exchange of a code for a token that come from the sign-in that this request ends.

        :raises AuthStateError: where it ends none.
        """
        if not self._checks_state:
            return {}
        sign_in = resume(handler_of(self))
        return {"code_verifier": sign_in.verifier} if sign_in.verifier else {}

    def _oauth_request_token_url(
        self,
        redirect_uri: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        code: str | None = None,
        extra_params: dict[str, Any] | None = None,
    ) -> str:
        """The URL of the token endpoint with these arguments in its query."""
        given = {
            "redirect_uri": redirect_uri,
            "code": code,
            "client_id": client_id,
            "client_secret": client_secret,
        }
        arguments = {name: value for name, value in given.items() if value is not None}
        return url_concat(self._OAUTH_ACCESS_TOKEN_URL, {**arguments, **(extra_params or {})})
