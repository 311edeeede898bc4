"""OpenID 2.0, for old programs and the few services that still have it: it was given up in 2014.

New programs use OpenID Connect, :mod:`gustnado.web.auth.openid_connect`, which is another protocol.

What the browser brings back from the service is not believed but sent to the service, which says whether it is its own
(OpenID 2.0 section 11.4.2). Its answer is read strictly, line by line (section 4.1.1). The service vouches for the
fields that ``openid.signed`` names, so that others are not looked at, and for one address to come back to, which has
to be the one at which they arrive. Where the application has a ``cookie_secret``, this address has a random ``state``
in it, which only the browser that began this sign-in has a cookie for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin, urlsplit

from gustnado.errors import UsageError
from gustnado.http.urls import url_concat
from gustnado.web.auth.client import MAX_ANSWER, AuthClientMixin
from gustnado.web.auth.errors import AuthDeniedError, AuthError, AuthStateError, ProviderError
from gustnado.web.auth.running import AuthFuture, announce, handler_of, start
from gustnado.web.auth.sign_in import SignIn, resume, token

if TYPE_CHECKING:
    from gustnado.http.client.api import AsyncHTTPClient
    from gustnado.http.client.response import HTTPResponse

__all__ = ["OpenIdMixin", "parse_key_values"]

_NAMESPACE = "http://specs.openid.net/auth/2.0"
_AX = "http://openid.net/srv/ax/1.0"
_IDENTIFIER_SELECT = f"{_NAMESPACE}/identifier_select"
_NAMES = {
    "firstname": "http://axschema.org/namePerson/first",
    "fullname": "http://axschema.org/namePerson",
    "lastname": "http://axschema.org/namePerson/last",
}
_ATTRIBUTES = {
    "email": "http://axschema.org/contact/email",
    "language": "http://axschema.org/pref/language",
    "username": "http://axschema.org/namePerson/friendly",
}
_REFUSALS = ("cancel", "setup_needed", "error")

UserCallback = Callable[[dict[str, Any] | None], object]


def parse_key_values(body: bytes) -> dict[str, str]:
    """A message in Key-Value form (OpenID 2.0 section 4.1.1).

    >>> parse_key_values(b"ns:http://specs.openid.net/auth/2.0\\nis_valid:true\\n")["is_valid"]
    'true'

    :raises ValueError: where a line is malformed, or a key comes twice.
    """
    pairs = {}
    for line in body.decode().removesuffix("\n").split("\n"):
        key, colon, value = line.partition(":")
        if not colon or not key or key in pairs:
            raise ValueError(f"line {line[:80]!r} is no pair of a key, once, and a value")
        pairs[key] = value
    return pairs


class OpenIdMixin(AuthClientMixin):
    """Sign-in by OpenID 2.0, with attribute exchange. A subclass says ``_OPENID_ENDPOINT``, the service's URL."""

    _OPENID_ENDPOINT: str

    def authenticate_redirect(
        self,
        callback_uri: str | None = None,
        ax_attrs: Sequence[str] = ("name", "email", "language", "username"),
        callback: Callable[[None], object] | None = None,
    ) -> None:
        """Redirect to the service.

        :param callback_uri: where the service sends the browser after that; by default this request's URL.
        :param ax_attrs: what to ask for: ``name``, ``email``, ``language``, ``username``.
        :param callback: called with ``None`` after this.
        """
        handler = handler_of(self)
        here = handler.request.full_url()
        return_to = urljoin(here, callback_uri) if callback_uri else here
        if handler.settings.get("cookie_secret"):
            sign_in = SignIn(token())
            sign_in.remember(handler)
            return_to = url_concat(return_to, {"state": sign_in.state})
        arguments = self._openid_args(return_to, ax_attrs=ax_attrs)
        handler.redirect(url_concat(self._OPENID_ENDPOINT, arguments))
        announce(self, callback)

    def get_authenticated_user(
        self, http_client: AsyncHTTPClient | UserCallback | None = None, callback: UserCallback | None = None
    ) -> AuthFuture[dict[str, Any]]:
        """The user, once the browser is back from the service.

        :param callback: called with the user, or with ``None`` where this failed. It may stand first.
        :returns: a future with ``name``, ``first_name``, ``last_name``, ``email``, ``locale``, ``username`` and
            ``claimed_id``, as far as the service vouches for them.
        :raises AuthDeniedError: where the service or the user has said no.
        :raises AuthStateError: where this browser has not begun this sign-in, or the answer is for another address.
        :raises AuthError: where the service does not know the answer.
        :raises ProviderError: where it does not speak the protocol.
        """
        if callable(http_client) and not hasattr(http_client, "fetch"):
            http_client, callback = None, http_client
        return start(self, self._authenticated_user(http_client), callback)

    async def _authenticated_user(self, http_client: Any) -> dict[str, Any]:
        handler = handler_of(self)
        if handler.settings.get("cookie_secret"):
            resume(handler)
        arguments = {name: values[-1] for name, values in handler.request.arguments.items()}
        mode = arguments.get("openid.mode", b"").decode("utf-8", "replace")
        if mode in _REFUSALS:
            reason = arguments.get("openid.error", b"").decode("utf-8", "replace")
            raise AuthDeniedError(mode, reason[:500])
        form = urlencode({**arguments, "openid.mode": "check_authentication"})
        client = http_client or self.get_auth_http_client()
        response = await client.fetch(self._OPENID_ENDPOINT, method="POST", body=form)
        return self._on_authentication_verified(response)

    def _openid_args(
        self, callback_uri: str, ax_attrs: Sequence[str] = (), oauth_scope: str | None = None
    ) -> dict[str, str]:
        """The arguments of the service's URL.

        :param oauth_scope: what to ask for by OAuth at the same time, where the service does that.
        """
        request = handler_of(self).request
        url = urljoin(request.full_url(), callback_uri)
        arguments = {
            "openid.ns": _NAMESPACE,
            "openid.claimed_id": _IDENTIFIER_SELECT,
            "openid.identity": _IDENTIFIER_SELECT,
            "openid.return_to": url,
            "openid.realm": urljoin(url, "/"),
            "openid.mode": "checkid_setup",
        }
        if ax_attrs:
            arguments |= _exchange_args(ax_attrs)
        if oauth_scope:
            arguments |= {
                "openid.ns.oauth": "http://specs.openid.net/extensions/oauth/1.0",
                "openid.oauth.consumer": request.host_name,
                "openid.oauth.scope": oauth_scope,
            }
        return arguments

    def _on_authentication_verified(self, response: HTTPResponse) -> dict[str, Any]:
        """The user, where the service has said that the answer is its own."""
        try:
            answer = parse_key_values(response.body[:MAX_ANSWER])
        except ValueError as error:
            raise ProviderError(f"the service's answer is not in Key-Value form: {error}") from error
        if answer.get("ns", _NAMESPACE) != _NAMESPACE or answer.get("is_valid") != "true":
            raise AuthError("the service says that this OpenID response is not its own, or has been used before")
        return _user_of(self._vouched_for())

    def _vouched_for(self) -> dict[str, str]:
        """The fields that are signed. (Where none is said to be, the service has taken the answer without it.)"""
        handler = handler_of(self)
        fields = {name: handler.get_argument(name) for name in handler.request.arguments}
        signed = fields.get("openid.signed")
        if signed is not None:
            names = {f"openid.{name}" for name in signed.split(",")}
            fields = {name: value for name, value in fields.items() if name in names}
            if "openid.return_to" not in fields:
                raise AuthStateError("the OpenID response does not say which address it is for")
        if "openid.return_to" in fields and not _is_here(fields["openid.return_to"], handler.request.full_url()):
            raise AuthStateError(f"the OpenID response is for {fields['openid.return_to']!r:.200}")
        return fields


def _is_here(return_to: str, url: str) -> bool:
    try:
        wanted, found = urlsplit(return_to), urlsplit(url)
    except ValueError:
        return False
    return wanted[:3] == found[:3]


def _exchange_args(attributes: Sequence[str]) -> dict[str, str]:
    types: dict[str, str] = {}
    for name in dict.fromkeys(attributes):
        if name == "name":
            types |= _NAMES
        elif name in _ATTRIBUTES:
            types[name] = _ATTRIBUTES[name]
        elif name not in _NAMES:
            raise UsageError(f"no attribute {name!r}: there are name, {', '.join(_ATTRIBUTES)}")
    arguments = {f"openid.ax.type.{name}": uri for name, uri in types.items()}
    return {
        "openid.ns.ax": _AX,
        "openid.ax.mode": "fetch_request",
        **arguments,
        "openid.ax.required": ",".join(types),
    }


def _user_of(fields: Mapping[str, str]) -> dict[str, Any]:
    """The user in an answer with attribute exchange (OpenID Attribute Exchange 1.0 section 5.2)."""
    prefix = next(
        (name[len("openid.ns.") :] for name, uri in fields.items() if name.startswith("openid.ns.") and uri == _AX), ""
    )
    start_of_type = f"openid.{prefix}.type."
    exchanged = {
        uri: fields.get(f"openid.{prefix}.value.{name[len(start_of_type) :]}", "")
        for name, uri in fields.items()
        if prefix and name.startswith(start_of_type)
    }
    first, last = exchanged.get(_NAMES["firstname"], ""), exchanged.get(_NAMES["lastname"], "")
    email = exchanged.get(_ATTRIBUTES["email"], "")
    full = exchanged.get(_NAMES["fullname"], "") or " ".join(filter(None, (first, last))) or email.split("@")[0]
    user = {
        "first_name": first,
        "last_name": last,
        "name": full,
        "email": email,
        "locale": exchanged.get(_ATTRIBUTES["language"], "").lower(),
        "username": exchanged.get(_ATTRIBUTES["username"], ""),
        "claimed_id": fields.get("openid.claimed_id", ""),
    }
    return {name: value for name, value in user.items() if value}
