"""Talking to providers: the client, and answers that are checked before anything in them is believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gustnado.errors import UsageError
from gustnado.escape import json_decode
from gustnado.http.client.api import AsyncHTTPClient
from gustnado.http.client.errors import HTTPClientError
from gustnado.web.auth.errors import AuthDeniedError, ProviderError

if TYPE_CHECKING:
    from gustnado.http.client.response import HTTPResponse

__all__ = ["MAX_ANSWER", "AuthClientMixin", "fetch_answer", "json_object", "missing_extra"]

MAX_ANSWER = 1 << 20
"""Bytes of a provider's answer that are looked at. Google's keys have 1 KiB, Azure's 20."""

_TOKEN_ERRORS = (400, 401)  # RFC 6749 section 5.2: an error of the token endpoint is JSON with these


class AuthClientMixin:
    """The client with which a mixin asks its provider."""

    def get_auth_http_client(self) -> AsyncHTTPClient:
        """The client for all requests of this mixin. Override to use another one, or other limits."""
        return AsyncHTTPClient()


async def fetch_answer(client: AsyncHTTPClient, url: str, **options: Any) -> HTTPResponse:
    """The answer of a provider, where it is 2xx. It is not followed to another address.

    :param options: as ``fetch`` takes them.
    :raises AuthDeniedError: where it is an error of OAuth 2.
    :raises gustnado.http.client.errors.HTTPClientError: for all other failures.
    """
    try:
        return await client.fetch(url, follow_redirects=False, **options)
    except HTTPClientError as error:
        if error.code in _TOKEN_ERRORS and error.response is not None:
            _refuse(error.response)
        raise


def _refuse(response: HTTPResponse) -> None:
    """:raises AuthDeniedError: where ``response`` is an error of OAuth 2 (RFC 6749 section 5.2)."""
    try:
        answer = json_object(response)
    except ProviderError:
        return
    if isinstance(code := answer.get("error"), str):
        description = answer.get("error_description")
        raise AuthDeniedError(code[:200], str(description)[:500] if description else None)


def json_object(response: HTTPResponse) -> dict[str, Any]:
    """The JSON object that is the body of ``response``.

    :raises ProviderError: where it is something else, or over ``MAX_ANSWER``.
    """
    url = response.request.url.partition("?")[0]
    if len(response.body) > MAX_ANSWER:
        raise ProviderError(f"{url} answered with {len(response.body)} bytes; {MAX_ANSWER} are looked at")
    try:
        answer = json_decode(response.body)
    except ValueError as error:
        raise ProviderError(f"{url} answered with no JSON: {error}") from error
    if not isinstance(answer, dict):
        raise ProviderError(f"{url} answered with a JSON {type(answer).__name__}, not with an object")
    return answer


def missing_extra(what: str, error: ImportError) -> UsageError:
    """The error for what needs a package that is not installed."""
    return UsageError(f"{what} needs {error.name}, which is not installed: pip install 'gustnado[auth]'")
