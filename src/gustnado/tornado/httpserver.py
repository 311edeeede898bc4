"""``tornado.httpserver``: the HTTP server."""

from __future__ import annotations

from gustnado.http.messages import HTTPServerRequest as HTTPRequest
from gustnado.http.server import HTTPServer

__all__ = [
    "HTTPRequest",
    "HTTPServer",
]
