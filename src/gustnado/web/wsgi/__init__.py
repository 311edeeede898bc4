"""WSGI, both ways (PEP 3333): WSGI applications on this server, and applications of this package on WSGI servers.

::

    HTTPServer(WSGIContainer(django_application, executor)).listen(8888)

    waitress.serve(WSGIAdapter(Application([("/", Home)])), port=8080)
"""

from __future__ import annotations

from gustnado.web.wsgi.adapter import WSGIAdapter, WSGIApplication
from gustnado.web.wsgi.container import WSGIContainer
from gustnado.web.wsgi.environ import from_wsgi_str, to_wsgi_str
from gustnado.web.wsgi.response import WSGIError

__all__ = [
    "WSGIAdapter",
    "WSGIApplication",
    "WSGIContainer",
    "WSGIError",
    "from_wsgi_str",
    "to_wsgi_str",
]
