"""``tornado.simple_httpclient``: the client that needs nothing else."""

from __future__ import annotations

from gustnado.http.client.errors import HTTPStreamClosedError, HTTPTimeoutError
from gustnado.http.client.simple import SimpleAsyncHTTPClient

__all__ = ["HTTPStreamClosedError", "HTTPTimeoutError", "SimpleAsyncHTTPClient"]
