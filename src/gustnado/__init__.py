"""Gustnado: a simple web framework, around a fast HTTP server, around a low-level event system.

Three rings, each a package that never imports the next one, and a face::

    gustnado.events     sockets, time, tasks: IOLoop, IOStream, TCPServer
    gustnado.http       HTTP on the wire: HTTPServer, HTTPHeaders
    gustnado.web        applications: Application, RequestHandler, templates
    gustnado.tornado    Tornado's module names; gustnado.as_tornado makes `import tornado` mean them

The names most programs need can be imported from here as well; each loads its ring when it is asked for.

>>> from gustnado import Application, IOLoop, RequestHandler
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from gustnado.errors import GustnadoError as GustnadoError
    from gustnado.events import IOLoop as IOLoop
    from gustnado.events import IOStream as IOStream
    from gustnado.events import PeriodicCallback as PeriodicCallback
    from gustnado.events import TCPClient as TCPClient
    from gustnado.events import TCPServer as TCPServer
    from gustnado.http import HTTPHeaders as HTTPHeaders
    from gustnado.http import HTTPServer as HTTPServer
    from gustnado.http import HTTPServerRequest as HTTPServerRequest
    from gustnado.http import Limits as Limits
    from gustnado.web import Application as Application
    from gustnado.web import HTTPError as HTTPError
    from gustnado.web import RequestHandler as RequestHandler
    from gustnado.web import StaticFileHandler as StaticFileHandler
    from gustnado.web import URLSpec as URLSpec
    from gustnado.web import authenticated as authenticated

_RINGS = {
    "gustnado.errors": ("GustnadoError",),
    "gustnado.events": ("IOLoop", "IOStream", "PeriodicCallback", "TCPClient", "TCPServer"),
    "gustnado.http": ("HTTPHeaders", "HTTPServer", "HTTPServerRequest", "Limits"),
    "gustnado.web": (
        "Application",
        "HTTPError",
        "RequestHandler",
        "StaticFileHandler",
        "URLSpec",
        "authenticated",
    ),
}
_HOMES = {name: ring for ring, names in _RINGS.items() for name in names}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)
