"""``tornado.httpclient``: the HTTP client, its requests and responses."""

from __future__ import annotations

from gustnado.http.client.api import AsyncHTTPClient
from gustnado.http.client.blocking import HTTPClient
from gustnado.http.client.command import main
from gustnado.http.client.errors import HTTPClientError
from gustnado.http.client.errors import HTTPClientError as HTTPError
from gustnado.http.client.request import HTTPRequest
from gustnado.http.client.request import RequestProxy as _RequestProxy  # noqa: F401  # other clients import it
from gustnado.http.client.response import HTTPResponse

__all__ = [
    "AsyncHTTPClient",
    "HTTPClient",
    "HTTPClientError",
    "HTTPError",
    "HTTPRequest",
    "HTTPResponse",
    "main",
]
