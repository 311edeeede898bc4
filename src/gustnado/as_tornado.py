"""Makes ``import tornado`` mean ``gustnado.tornado``, for a whole program and the libraries that it uses.

On the command line, in place of ``python``::

    python -m gustnado.as_tornado program.py --port=8888
    python -m gustnado.as_tornado -m package.module --port=8888

or in the program, before anything imports Tornado::

    import gustnado.as_tornado
    gustnado.as_tornado.install()

**Imports.** ``tornado`` and :mod:`gustnado.tornado` are one module then, in ``sys.modules`` under both names,
and so is each of its submodules. A module of Tornado's that has no counterpart is not found. The exception is
``tornado.test``: Tornado's own tests, which are loaded from the installed Tornado, and test Gustnado.

**Defaults.** What programs may rely on is as in Tornado, for the whole process:

* JSON is spelled as the standard library spells it, byte for byte (`gustnado.escape.set_default_json`);
* the loggers are called ``tornado.access``, ``tornado.application`` and ``tornado.general``: the same objects
  as before, under new names, and with what was configured for these;
* error pages are HTML, what a coroutine of a handler returns is dropped, cookies have no attributes but those that
  are given and add no ``Vary``, and the XSRF check always wants a token, of a cookie ``_xsrf``;
* static files whose names begin with a dot are served, and responses compressed with gzip only;
* bodies may have 100 MiB (``HTTPServer.configure``); an argument of the server, or a handler, says otherwise;
* a redirect to what is not ASCII is sent as UTF-8; a handler may set ``Transfer-Encoding``; one that does not keep the
  ``Content-Length`` that it set has its connection closed;
* the HTTP client has 10 connections and calls itself Tornado, a request may take 20 seconds in all and has 5
  redirects (``AsyncHTTPClient.configure`` and the arguments of a request say otherwise); it goes on when its future is
  cancelled, and a backslash in a URL is sent;
* WebSockets are not pinged unless the setting ``websocket_ping_interval`` says so;
* a test of ``tornado.testing.AsyncTestCase`` that is ``async def`` and not decorated fails;
* a part of a multipart form may be as long as the body, its head may have 10 KiB, and ``filename*`` wins over
  ``filename`` (`gustnado.http.forms.set_parse_body_config`).

All else stays as it is without: see ``docs/tornado-differences.md``. Python processes that a program starts
afresh, rather than by forking, import what is installed under the name of Tornado.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import logging
import os
import pkgutil
import runpy
import sys
from collections.abc import Sequence
from importlib.abc import SourceLoader
from importlib.machinery import ModuleSpec, PathFinder
from types import CodeType, ModuleType
from typing import Any

import gustnado.tornado
from gustnado.errors import UsageError
from gustnado.escape import STANDARD_JSON, set_default_json
from gustnado.http.client.request import HTTPRequest
from gustnado.http.client.simple import SimpleAsyncHTTPClient
from gustnado.http.forms import ParseBodyConfig, ParseMultipartConfig, set_parse_body_config
from gustnado.http.server import HTTPServer
from gustnado.log import access_log, app_log, gen_log
from gustnado.web.handler import RequestHandler
from gustnado.web.static import StaticFileHandler
from gustnado.web.transforms import ContentEncoding
from gustnado.web.websocket import WebSocketHandler

__all__ = ["CLIENT_DEFAULTS", "HANDLER_DEFAULTS", "MAX_BODY_SIZE", "install", "main"]

MAX_BODY_SIZE = 100 * 1024 * 1024
"""Bytes of a request's body, streamed or not, where nothing else is said (Tornado: 104,857,600)."""

CLIENT_DEFAULTS = {"request_timeout": 20.0, "read_timeout": 0.0, "max_redirects": 5}
"""Of requests of the HTTP client, where they are not our own."""

HANDLER_DEFAULTS: dict[str, Any] = {
    "default_cookie_options": {},
    "encodes_locations": False,
    "negotiates_errors": False,
    "returns_responses": False,
    "varies_by_cookies": False,
    "xsrf_host_cookie": False,
    "xsrf_origin_first": False,
}
"""Attributes of all handlers, where their classes do not set them."""

HELP = """\
usage: python -m gustnado.as_tornado FILE [ARGUMENT ...]
       python -m gustnado.as_tornado -m MODULE [ARGUMENT ...]

Run a Tornado program on Gustnado: `import tornado` means `gustnado.tornado`, in the program and in
every library that it imports. Nothing else changes: FILE (a script, or a directory or zip file with
a __main__.py) or MODULE runs as it would with `python`, and gets the arguments after it; only
sys.argv[0] is always a full path.

  -m MODULE   run a module or package by its name, as `python -m MODULE` does
  -h, --help  show this text

examples:
  python -m gustnado.as_tornado server.py --port=8888
  python -m gustnado.as_tornado -m jupyterlab
  python -m gustnado.as_tornado -m unittest tornado.test.escape_test

exit status: the program's; 2 if there is no program to run.
"""


def install() -> None:
    """Make ``import tornado`` mean ``gustnado.tornado``, from now on. Doing it again changes nothing.

    :raises gustnado.errors.UsageError: where the real Tornado has been imported already.
    """
    found = sys.modules.get("tornado")
    if found is gustnado.tornado:
        return
    if found is not None:
        raise UsageError(
            f"the real tornado has been imported already, from {getattr(found, '__file__', None)}: call "
            "gustnado.as_tornado.install() before the first import of tornado or of a library that uses it, "
            "or start the program with `python -m gustnado.as_tornado`"
        )
    sys.modules["tornado"] = gustnado.tornado
    sys.meta_path.insert(0, _Finder())
    set_default_json(STANDARD_JSON)
    HTTPServer.configure(None, max_body_size=MAX_BODY_SIZE, like_tornado=True)
    for name, value in HANDLER_DEFAULTS.items():
        setattr(RequestHandler, name, value)
    StaticFileHandler.serves_hidden_files = True
    ContentEncoding.CODINGS = ("gzip",)
    HTTPRequest._DEFAULTS.update(CLIENT_DEFAULTS)
    SimpleAsyncHTTPClient.default_max_clients = 10
    SimpleAsyncHTTPClient.cancels_requests = False
    SimpleAsyncHTTPClient.sends_backslashes = True
    WebSocketHandler.default_ping_interval = None
    SimpleAsyncHTTPClient.user_agent = f"Tornado/{gustnado.tornado.version}"
    set_parse_body_config(
        ParseBodyConfig(
            multipart=ParseMultipartConfig(
                max_part_header_size=10 * 1024, max_value_size=MAX_BODY_SIZE, extended_filenames=True
            )
        )
    )
    for logger in (logging.getLogger("gustnado"), access_log, app_log, gen_log):
        _rename(logger, logger.name.replace("gustnado", "tornado", 1))


def _rename(logger: logging.Logger, name: str) -> None:
    """Make ``logging.getLogger(name)`` return ``logger``.

    The old name is given up: a logger with two would be disabled under the one by `logging.config` where only
    the other is configured.
    """
    namesake = logging.getLogger(name)  # new, or that of a program that has configured it already
    loggers = logger.manager.loggerDict
    logger.parent = namesake.parent
    for other in loggers.values():
        if isinstance(other, logging.Logger) and other.parent is namesake:
            other.parent = logger
    for handler in namesake.handlers:
        logger.addHandler(handler)
    for condition in namesake.filters:
        logger.addFilter(condition)
    logger.propagate = logger.propagate and namesake.propagate
    del loggers[logger.name]
    loggers[name] = logger
    logger.name = name
    logger.setLevel(namesake.level or logger.level)  # forgets, too, what all loggers know of their parents


class _Finder(importlib.abc.MetaPathFinder):
    """Finds ``tornado`` and what is below it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == "tornado.test":
            return _installed_tests()
        if fullname.split(".")[0] != "tornado" or fullname.startswith("tornado.test."):
            return None
        name = f"gustnado.{fullname}"
        return None if importlib.util.find_spec(name) is None else ModuleSpec(fullname, _Alias(name))


class _Alias(importlib.abc.Loader):
    """Loads the module called ``name`` under whatever name was asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def exec_module(self, module: ModuleType) -> None:
        # Python returns from an import what is in sys.modules at its end, and drops the new, empty module.
        sys.modules[module.__name__] = found = importlib.import_module(self._name)
        if self._name == "gustnado.tornado.testing":  # not before, as it imports unittest
            found.AsyncTestCase.runs_coroutines = False

    def get_code(self, fullname: str) -> CodeType | None:
        """For ``-m``. The module itself is loaded, too, as programs look for it."""
        importlib.import_module(fullname)
        return self.program()

    def program(self) -> CodeType | None:
        """What ``python -m gustnado.autoreload`` runs, for ``tornado.autoreload``; ``None`` where there is none."""
        name = self._name.replace("gustnado.tornado.", "gustnado.", 1) + ".__main__"
        try:
            spec = importlib.util.find_spec(name)
        except ModuleNotFoundError:  # no such module, or no package
            return None
        return spec.loader.get_code(name) if spec and isinstance(spec.loader, SourceLoader) else None


def _installed_tests() -> ModuleSpec:
    """Where the installed Tornado, which is not imported, has its tests."""
    for finder in sys.meta_path:
        spec = None if isinstance(finder, _Finder) else finder.find_spec("tornado", None)
        if spec is not None and spec.submodule_search_locations:
            tests = PathFinder.find_spec("tornado.test", spec.submodule_search_locations)
            if tests is not None:
                return tests
    raise ModuleNotFoundError(
        "tornado.test is loaded from Tornado itself, which is not installed: pip install tornado==6.6.1",
        name="tornado.test",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a program on the face; this is what ``python -m gustnado.as_tornado`` does.

    :param arguments: those of the command line; ``None``: ``sys.argv[1:]``.
    :returns: the exit status, where the program itself does not exit.
    """
    match list(sys.argv[1:] if arguments is None else arguments):
        case ["-h" | "--help", *_]:
            sys.stdout.write(HELP)
            return 0
        case ["-m", name, *rest]:
            return _run_module(name, rest)
        case ["-m"]:
            return _refuse("-m needs the name of a module")
        case [option, *_] if option.startswith("-"):
            return _refuse(f"no such option: {option}")
        case [file, *rest]:
            return _run_file(file, rest)
        case _:
            return _refuse("which program?")


def _refuse(message: str) -> int:
    sys.stderr.write(f"python -m gustnado.as_tornado: {message}; --help says more\n")
    return 2


def _run_module(name: str, arguments: list[str]) -> int:
    install()
    if not _is_runnable(name):
        return _refuse(f"no module named {name} that can be run")
    sys.argv[:] = [name, *arguments]
    runpy.run_module(name, run_name="__main__", alter_sys=True)
    return 0


def _is_runnable(name: str) -> bool:
    """Whether there is a module of that name, or a package with a ``__main__``."""
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
        if spec is not None and isinstance(spec.loader, _Alias):
            return spec.loader.program() is not None
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # a package above it is there, and lacks something else
        return False
    return spec is not None


def _run_file(file: str, arguments: list[str]) -> int:
    if not os.path.exists(file):
        return _refuse(f"no file {file}")
    if os.path.isdir(file) and not os.path.exists(os.path.join(file, "__main__.py")):
        return _refuse(f"no __main__.py in {file}")
    install()
    path = os.path.join(os.getcwd(), file)  # as Python makes __file__; runpy makes it sys.argv[0], too
    sys.argv[:] = [path, *arguments]
    if not sys.flags.safe_path:
        # What stands there is the current directory, because of `python -m`.
        is_script = pkgutil.get_importer(path) is None
        sys.path[:1] = [os.path.dirname(os.path.realpath(path))] if is_script else []
    runpy.run_path(path, run_name="__main__")
    return 0


if __name__ == "__main__":
    # By its name, so that a program which calls install() itself finds that it has been done.
    from gustnado import as_tornado

    sys.exit(as_tornado.main())
