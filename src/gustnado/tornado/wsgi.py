"""``tornado.wsgi``: WSGI applications on this server, and the other way round."""

from __future__ import annotations

from gustnado.http.messages import HTTPServerRequest as HTTPRequest
from gustnado.web.wsgi import WSGIAdapter, WSGIApplication, WSGIContainer, from_wsgi_str, to_wsgi_str

__all__ = ["HTTPRequest", "WSGIAdapter", "WSGIApplication", "WSGIContainer", "from_wsgi_str", "to_wsgi_str"]
