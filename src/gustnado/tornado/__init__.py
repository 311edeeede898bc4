"""Tornado's module names, for programs that were written for Tornado.

Each module bears the name of one of Tornado's and holds what that one holds: a docstring, imports and
``__all__``. A module of Tornado's for which there is nothing yet is not there, so that a program which
looks for it learns so at once. As with Tornado, the modules are imported when they are first asked for:

>>> import gustnado.tornado
>>> gustnado.tornado.web.RequestHandler.__name__
'RequestHandler'

The classes are those of the rings, under another name, so that both names may be used in one program.
Importing from here changes nothing. What Tornado does otherwise by default, process-wide, is the business of
:mod:`gustnado.as_tornado`.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gustnado.tornado import auth as auth
    from gustnado.tornado import autoreload as autoreload
    from gustnado.tornado import concurrent as concurrent
    from gustnado.tornado import curl_httpclient as curl_httpclient
    from gustnado.tornado import escape as escape
    from gustnado.tornado import gen as gen
    from gustnado.tornado import http1connection as http1connection
    from gustnado.tornado import httpclient as httpclient
    from gustnado.tornado import httpserver as httpserver
    from gustnado.tornado import httputil as httputil
    from gustnado.tornado import ioloop as ioloop
    from gustnado.tornado import iostream as iostream
    from gustnado.tornado import locale as locale
    from gustnado.tornado import locks as locks
    from gustnado.tornado import log as log
    from gustnado.tornado import netutil as netutil
    from gustnado.tornado import options as options
    from gustnado.tornado import platform as platform
    from gustnado.tornado import process as process
    from gustnado.tornado import queues as queues
    from gustnado.tornado import routing as routing
    from gustnado.tornado import simple_httpclient as simple_httpclient
    from gustnado.tornado import stack_context as stack_context
    from gustnado.tornado import tcpclient as tcpclient
    from gustnado.tornado import tcpserver as tcpserver
    from gustnado.tornado import template as template
    from gustnado.tornado import testing as testing
    from gustnado.tornado import util as util
    from gustnado.tornado import web as web
    from gustnado.tornado import websocket as websocket
    from gustnado.tornado import wsgi as wsgi

# The release whose names and behaviour these modules have. Programs compare it.
version = "6.6.1"
version_info = (6, 6, 1, 0)

__all__ = [
    "auth",
    "autoreload",
    "concurrent",
    "curl_httpclient",
    "escape",
    "gen",
    "http1connection",
    "httpclient",
    "httpserver",
    "httputil",
    "ioloop",
    "iostream",
    "locale",
    "locks",
    "log",
    "netutil",
    "options",
    "platform",
    "process",
    "queues",
    "routing",
    "simple_httpclient",
    "stack_context",
    "tcpclient",
    "tcpserver",
    "template",
    "testing",
    "util",
    "web",
    "websocket",
    "wsgi",
]


def __getattr__(name: str) -> ModuleType:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Where `import tornado` means this package, its modules are to be found in sys.modules under that name.
    is_tornado = sys.modules.get("tornado") is sys.modules[__name__]
    return importlib.import_module(f"{'tornado' if is_tornado else __name__}.{name}")
