"""OAuth 1 (RFC 5849): requests signed with HMAC-SHA1, by oauthlib; and the answers of its two token endpoints.

>>> credentials = Credentials({"key": "app", "secret": "s1"}, {"key": "user", "secret": "s2"})
>>> parameters = credentials.parameters("http://example.org/photos", {"size": "original"})
>>> sorted(parameters)[0], parameters["oauth_token"]
('oauth_consumer_key', 'user')
>>> parse_token(b"oauth_token=a&oauth_token_secret=b&screen_name=gust")
{'key': 'a', 'secret': 'b', 'screen_name': 'gust'}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from gustnado.escape import to_unicode
from gustnado.web.auth.client import missing_extra
from gustnado.web.auth.errors import ProviderError

if TYPE_CHECKING:
    from oauthlib.oauth1 import Client

__all__ = ["Credentials", "parse_token"]


class Credentials:
    """Who signs.

    :param consumer: ``key`` and ``secret`` of the program.
    :param token: ``key`` and ``secret`` of a request token or an access token; ``verifier`` of the former.
    :param callback: URL for the request of a request token, or ``"oob"``.
    """

    def __init__(
        self,
        consumer: Mapping[str, Any],
        token: Mapping[str, Any] | None = None,
        callback: str | None = None,
    ) -> None:
        self.consumer = consumer
        self.token = token
        self.callback = callback

    def url(self, url: str, arguments: Mapping[str, Any] | None = None, method: str = "GET") -> str:
        """``url`` with ``arguments`` and all that signs it in its query.

        :raises gustnado.errors.UsageError: where oauthlib is not installed.
        """
        if arguments:
            url += ("&" if urlsplit(url).query else "?") + urlencode(_as_text(arguments))
        signed: str = self._client().sign(url, http_method=cast(Any, method))[0]
        return signed

    def parameters(
        self, url: str, arguments: Mapping[str, Any] | None = None, method: str = "GET"
    ) -> dict[str, str]:
        """The ``oauth_`` parameters of a request that has ``arguments`` in its query or its form."""
        query = urlsplit(self.url(url, arguments, method)).query
        given = {*_as_text(arguments or {}), *(name for name, _ in parse_qsl(urlsplit(url).query))}
        return {name: value for name, value in parse_qsl(query) if name not in given}

    def _client(self) -> Client:
        try:
            from oauthlib.oauth1 import SIGNATURE_TYPE_QUERY, Client
        except ImportError as error:
            raise missing_extra("OAuth 1", error) from error
        token = self.token or {}
        verifier = token.get("verifier")
        return Client(
            to_unicode(self.consumer["key"]),
            client_secret=to_unicode(self.consumer["secret"]),
            resource_owner_key=to_unicode(token["key"]) if token else None,
            resource_owner_secret=to_unicode(token["secret"]) if token else None,
            callback_uri=self.callback,
            verifier=to_unicode(verifier) if verifier else None,
            signature_type=SIGNATURE_TYPE_QUERY,
        )


def _as_text(arguments: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: to_unicode(value) if isinstance(value, bytes) else str(value) for name, value in arguments.items()
    }


def parse_token(body: bytes) -> dict[str, Any]:
    """The token in the answer of a token endpoint: ``key``, ``secret``, and what else is there (RFC 5849 section 2.1).

    :raises gustnado.web.auth.errors.ProviderError: where it is not one.
    """
    try:
        answer = {name: values[0] for name, values in parse_qs(body.decode(), strict_parsing=True).items()}
        key, secret = answer.pop("oauth_token"), answer.pop("oauth_token_secret")
    except (ValueError, KeyError) as error:
        raise ProviderError(f"the provider answered with no OAuth 1 token: {error!r}") from error
    return {"key": key, "secret": secret, **answer}
