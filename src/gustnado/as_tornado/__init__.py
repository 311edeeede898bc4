"""Makes ``import tornado`` mean ``gustnado.tornado``, for a whole program and the libraries that it uses.

On the command line, in place of ``python``::

    python -m gustnado.as_tornado program.py --port=8888
    python -m gustnado.as_tornado -m package.module --port=8888
    python -m gustnado.as_tornado -c "import tornado.web; ..."

or in the program, before anything imports Tornado::

    import gustnado.as_tornado
    gustnado.as_tornado.install()

or in the environment of a program that something else starts (`environment`)::

    eval "$(python -m gustnado.as_tornado --environment) jupyter lab"

**Imports.** ``tornado`` and :mod:`gustnado.tornado` are one module then, in ``sys.modules`` under both names,
and so is each of its submodules. A module of Tornado's that has no counterpart is not found. The exception is
``tornado.test``: Tornado's own tests, which are loaded from the installed Tornado, and test Gustnado.

**Child processes.** What is forked is as its parent. A Python that is started afresh reads two variables of its
environment: `PYTHONPATH`, which leads it to a ``sitecustomize`` of ours, and ``GUSTNADO_AS_TORNADO``, which says
``1``. The command line sets both, for kernels, workers and whatever else the program starts; ``--no-children`` does
not. A program that calls ``install()`` says ``install(children=True)``, and where it makes up an environment,
``environment(...)``. A ``sitecustomize`` that was there before is run, too, and ``sys.path`` is as without us.
Nothing of Gustnado is loaded until something imports Tornado. Out of reach are interpreters that ignore their
environment (``python -E``, ``-I``) or have no ``site`` (``-S``), and those in which Gustnado is not installed: they
run as ever.

**Defaults.** What programs may rely on is as in Tornado, for the whole process:

* JSON is spelled as the standard library spells it, byte for byte (`gustnado.escape.set_default_json`);
* the loggers are called ``tornado.access``, ``tornado.application`` and ``tornado.general``: the same objects
  as before, under new names, and with what was configured for these;
* error pages are HTML, what a coroutine of a handler returns is dropped, cookies have no attributes but those that
  are given and add no ``Vary``, and the XSRF check always wants a token, of a cookie ``_xsrf``;
* static files whose names begin with a dot are served, and responses compressed with gzip only;
* heads may have 64 KiB, bodies 100 MiB (``HTTPServer.configure``); an argument of the server, or a handler, says
  otherwise;
* a redirect to what is not ASCII is sent as UTF-8; a handler may set ``Transfer-Encoding``; one that does not keep the
  ``Content-Length`` that it set has its connection closed; a reason phrase that cannot be sent is ``Unknown``;
* the HTTP client has 10 connections and calls itself Tornado, a request may take 20 seconds in all and has 5
  redirects (``AsyncHTTPClient.configure`` and the arguments of a request say otherwise); it goes on when its future is
  cancelled, and a backslash in a URL is sent;
* WebSockets are not pinged unless the setting ``websocket_ping_interval`` says so;
* a test of ``tornado.testing.AsyncTestCase`` that is ``async def`` and not decorated fails;
* a part of a multipart form may be as long as the body, its head may have 10 KiB, ``filename*`` wins over
  ``filename``, and the first part needs no delimiter (`gustnado.http.forms.set_parse_body_config`); forms of any size
  are kept in memory.

All else stays as it is without: see ``docs/tornado-differences.md``.
"""

from __future__ import annotations

from gustnado.as_tornado.command import main
from gustnado.as_tornado.defaults import CLIENT_DEFAULTS, HANDLER_DEFAULTS, MAX_BODY_SIZE, MAX_HEADER_SIZE
from gustnado.as_tornado.process import environment, install

__all__ = [
    "CLIENT_DEFAULTS",
    "HANDLER_DEFAULTS",
    "MAX_BODY_SIZE",
    "MAX_HEADER_SIZE",
    "environment",
    "install",
    "main",
]
