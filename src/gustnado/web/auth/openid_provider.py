"""A provider of OpenID Connect: what it says of itself, and its keys (OpenID Connect Discovery 1.0).

Both are fetched when they are first needed, and kept for ``KEEP`` seconds. Keys are fetched again, too, where a
token is signed with one that is not among them: so a provider may change its keys at any time. A key that it has taken
back is refused ``KEEP`` seconds later at the latest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from gustnado.errors import UsageError
from gustnado.web.auth.client import fetch_answer, json_object
from gustnado.web.auth.errors import ProviderError
from gustnado.web.auth.id_token import Expected, UnknownKeyError, verify

if TYPE_CHECKING:
    from gustnado.http.client.api import AsyncHTTPClient
    from gustnado.web.application import Application

__all__ = ["KEEP", "OpenIDProvider", "is_secure_url", "openid_provider"]

KEEP: Final = 3600
"""Seconds. Google's keys are good for five hours and more, Microsoft asks to look once a day at least."""

_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))


def is_secure_url(url: object) -> bool:
    """Whether ``url`` is an ``https`` URL, or an ``http`` one of this machine.

    >>> is_secure_url("https://example.org/"), is_secure_url("http://example.org/"), is_secure_url("http://[::1]:8888")
    (True, False, True)
    """
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK))


class OpenIDProvider:
    """One provider.

    :param issuer: its name, which is a URL; ``/.well-known/openid-configuration`` below it has the rest.
    :param clock: tells seconds since 1970.
    :raises gustnado.errors.UsageError: where ``issuer`` is not an ``https`` URL.
    """

    def __init__(self, issuer: str, clock: Callable[[], float] = time.time) -> None:
        if not is_secure_url(issuer):
            raise UsageError(f"an issuer is an https URL (http for this machine alone), not {issuer!r}")
        self.issuer = issuer
        self._clock = clock
        self._metadata: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, list[Mapping[str, Any]]] | None = None

    async def metadata(self, client: AsyncHTTPClient) -> dict[str, Any]:
        """What the provider says of itself.

        :raises ProviderError: where it is not what it should be, above all where it says to be somebody else.
        """
        if self._metadata is None or self._clock() - self._metadata[0] > KEEP:
            url = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
            metadata = json_object(await fetch_answer(client, url))
            self._check(metadata)
            self._metadata = self._clock(), metadata
        return self._metadata[1]

    def _check(self, metadata: Mapping[str, Any]) -> None:
        if metadata.get("issuer") != self.issuer:
            raise ProviderError(f"the provider {self.issuer!r} says to be {metadata.get('issuer')!r:.200}")
        for name in _ENDPOINTS:
            if not is_secure_url(metadata.get(name)):
                raise ProviderError(
                    f"the {name} of {self.issuer!r} is {metadata.get(name)!r:.200}, not an https URL"
                )
        methods = metadata.get("code_challenge_methods_supported")
        if isinstance(methods, list) and "S256" not in methods:
            raise ProviderError(f"the provider {self.issuer!r} does not know PKCE's method S256")

    async def keys(self, client: AsyncHTTPClient, refresh: bool = False) -> list[Mapping[str, Any]]:
        """The provider's JSON Web Keys (RFC 7517 section 5).

        :param refresh: fetch them in any case.
        :raises ProviderError: where what it answers are no keys.
        """
        if refresh or self._keys is None or self._clock() - self._keys[0] > KEEP:
            url = (await self.metadata(client))["jwks_uri"]
            keys = json_object(await fetch_answer(client, url)).get("keys")
            if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
                raise ProviderError(f"{url} answered with no list of keys")
            self._keys = self._clock(), keys
        return self._keys[1]

    async def claims(self, client: AsyncHTTPClient, token: object, expected: Expected) -> dict[str, Any]:
        """The claims of an ID token of this provider; see :func:`gustnado.web.auth.id_token.verify`.

        :raises ProviderError: where there is no token, or it is not valid.
        """
        if not isinstance(token, str):
            raise ProviderError(f"the provider {self.issuer!r} answered without an id_token")
        try:
            return verify(token, await self.keys(client), expected, self._clock())
        except UnknownKeyError:
            return verify(token, await self.keys(client, refresh=True), expected, self._clock())


def openid_provider(application: Application, issuer: str) -> OpenIDProvider:
    """The provider ``issuer`` of an application, which keeps what it has said."""
    providers: dict[str, OpenIDProvider] = vars(application).setdefault("_openid_providers", {})
    if issuer not in providers:
        providers[issuer] = OpenIDProvider(issuer)
    return providers[issuer]
