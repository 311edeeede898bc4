"""Each test runs a program of its own, after a call of ``install``."""

from __future__ import annotations

import pytest


class TestImports:
    def test_a_module_is_one_under_both_names(self, run_program):
        assert run_program("""
            import sys, tornado, tornado.web, gustnado.tornado.web, gustnado.web
            from tornado.platform.asyncio import AsyncIOLoop
            from tornado import gen
            print(tornado is gustnado.tornado is sys.modules["tornado"])
            print(tornado.web is gustnado.tornado.web is sys.modules["tornado.web"])
            print(tornado.web.RequestHandler is gustnado.web.RequestHandler)
            print(gen is gustnado.tornado.gen, AsyncIOLoop.__module__)
            print(tornado.web.__spec__.name)
        """) == ["True", "True", "True", "True gustnado.events.loop", "gustnado.tornado.web"]

    def test_a_module_that_was_imported_before_is_the_same(self, run_program):
        assert run_program("""
            import sys, gustnado.tornado.ioloop
            import tornado.ioloop
            print(sys.modules["tornado.ioloop"] is gustnado.tornado.ioloop)
        """) == ["True"]

    def test_modules_are_imported_when_they_are_asked_for(self, run_program):
        assert run_program("""
            import sys, tornado
            print("tornado.template" in sys.modules)
            tornado.template.Template
            print("tornado.template" in sys.modules)
        """) == ["False", "True"]

    def test_versions_are_tornados(self, run_program):
        assert run_program("import tornado; print(tornado.version, tornado.version_info >= (6, 6))") == ["6.6.1 True"]

    @pytest.mark.parametrize("name", ["tornado.s3server", "tornado.web.nothing", "tornado.platform.nothing"])
    def test_what_is_not_there_is_not_found(self, name, run_program):
        assert run_program(f"""
            import importlib.util
            try:
                import {name}
            except ModuleNotFoundError as error:
                print(error.name)
            print(importlib.util.find_spec("tornado.s3server"))
        """) == [name, "None"]

    def test_other_modules_are_found_as_before(self, tmp_path, run_program):
        (tmp_path / "tornado_tools.py").write_text("import tornado.util as util")
        found = run_program(
            "import sys; sys.path.insert(0, '.'); import tornado_tools; print(tornado_tools.util)", tmp_path
        )
        assert found[0].startswith("<module 'gustnado.tornado.util'")

    def test_again_is_no_change(self, run_program):
        assert run_program("""
            import sys, logging
            before = list(sys.meta_path), logging.getLogger("tornado.access")
            gustnado.as_tornado.install()
            print((list(sys.meta_path), logging.getLogger("tornado.access")) == before)
        """) == ["True"]

    def test_importing_the_face_alone_changes_nothing(self, python):
        done = python(
            "-c",
            "import gustnado.tornado.web, gustnado.tornado.log as log, sys\n"
            "from gustnado.tornado.escape import json_encode\n"
            "print('tornado' in sys.modules, json_encode([1, 2]), log.access_log.name)",
        )
        assert done.stdout == "False [1,2] gustnado.access\n"


class TestTornadosTests:
    def test_they_are_those_of_the_installed_tornado(self, run_program):
        assert run_program("""
            import importlib.util, os, tornado.test
            data = os.path.join(tornado.test.__path__[0], "options_test.cfg")
            print(tornado.test.__name__, os.path.exists(data))
            print(importlib.util.find_spec("tornado.test.escape_test").origin.endswith("escape_test.py"))
        """) == ["tornado.test True", "True"]

    def test_they_test_this(self, run_program):
        """A module that needs only what there is."""
        assert run_program("""
            import tornado.test.resolve_test_helper
            print(tornado.test.resolve_test_helper.ThreadedResolver.__module__)
        """) == ["gustnado.events.resolver"]

    def test_where_it_is_not_installed_the_error_says_so(self, run_program):
        assert run_program("""
            import sys
            sys.path[:] = [path for path in sys.path if "site-packages" not in path]
            sys.path_importer_cache.clear()
            try:
                import tornado.test
            except ModuleNotFoundError as error:
                print(error.name)
                print(error)
        """) == [
            "tornado.test",
            "tornado.test is loaded from Tornado itself, which is not installed: pip install tornado==6.6.1",
        ]


# What is pickled by the installed Tornado and read here, or the other way round: how it is made, and what it is like.
PICKLED = """
import pickle, sys
from tornado import gen, httpclient, httputil, iostream, options, queues, util, web, websocket

headers = httputil.HTTPHeaders({"A": "b"})
headers.add("Set-Cookie", "x")
headers.add("Set-Cookie", "y")
things = [
    headers,
    httputil.HTTPFile(filename="f", body=b"b", content_type="t"),
    httputil.RequestStartLine("GET", "/", "HTTP/1.1"),
    util.ObjectDict(a=1),
    web.HTTPError(404, "no %s", "x", reason="r"),
    web.Finish("x"),
    web.RequestHandler,
    websocket.WebSocketClosedError("x"),
    httpclient.HTTPClientError(599, "m"),
    httpclient.HTTPRequest("http://a/", method="PUT"),
    iostream.StreamClosedError(OSError(5)),
    queues.QueueFull(),
    gen.Return(5),
    options.Error("x"),
]

def describe(thing):
    if isinstance(thing, httputil.HTTPHeaders):
        return ["headers", *thing.get_all()]
    shown = [getattr(thing, name) for name in "status_code reason code message value method".split()
             if isinstance(getattr(thing, name, None), (int, str))]
    items = thing.items() if isinstance(thing, dict) else ()
    return [getattr(thing, "__name__", type(thing).__name__), *shown, *items]

if sys.argv[2] == "dump":
    with open(sys.argv[1], "wb") as file:
        pickle.dump(things, file)
with open(sys.argv[1], "rb") as file:
    print([describe(thing) for thing in pickle.load(file)], issubclass(web.RequestHandler, object))
"""


class TestPickles:
    def test_what_tornado_has_pickled_is_read(self, python, tmp_path):
        (tmp_path / "program.py").write_text(PICKLED)
        dumped = python("program.py", "things", "dump", cwd=tmp_path)
        loaded = python("-m", "gustnado.as_tornado", "program.py", "things", "load", cwd=tmp_path)
        assert loaded.stdout == dumped.stdout != "", loaded.stderr + dumped.stderr

    def test_and_the_other_way_round_where_gustnado_is_installed(self, python, tmp_path):
        (tmp_path / "program.py").write_text(
            PICKLED.replace("isinstance(thing, httputil.HTTPHeaders)", "hasattr(thing, 'get_all')")
        )
        dumped = python("-m", "gustnado.as_tornado", "program.py", "things", "dump", cwd=tmp_path)
        loaded = python("program.py", "things", "load", cwd=tmp_path)
        assert loaded.stdout == dumped.stdout != "", loaded.stderr + dumped.stderr


class TestTools:
    """What looks at modules and classes, rather than using them."""

    def test_modules_can_be_reloaded(self, run_program):
        assert (
            run_program("""
            import importlib, tornado, tornado.web, tornado.platform.asyncio
            handler = tornado.web.RequestHandler
            for module in tornado, tornado.web, tornado.platform.asyncio:
                print(importlib.reload(module) is module)
            print(tornado.web.RequestHandler is handler)
        """)
            == ["True"] * 4
        )

    def test_inspect(self, run_program):
        assert run_program("""
            import inspect, tornado.web, tornado.gen
            handler = tornado.web.RequestHandler
            print(inspect.getmodule(tornado.web) is tornado.web, inspect.getmodule(handler).__name__)
            print(inspect.getsource(handler).splitlines()[0].split("(")[0])
            for function in handler.set_header, tornado.gen.sleep:
                print(*inspect.signature(function).parameters)
            print(inspect.getdoc(tornado.web).split(":")[0], len(inspect.getmembers(tornado.web)) > 10)
        """) == [
            "True gustnado.web.handler",
            "class RequestHandler",
            "self name value",
            "duration",
            "``tornado.web`` True",
        ]

    def test_packages_can_be_walked(self, run_program):
        assert run_program("""
            import importlib.resources, pkgutil, tornado
            found = {module.name for module in pkgutil.walk_packages(tornado.__path__, "tornado.")}
            print({"tornado.web", "tornado.platform.asyncio"} <= found)
            print(pkgutil.resolve_name("tornado.web:RequestHandler.get_cookie").__name__)
            print(importlib.resources.files("tornado").joinpath("web.py").is_file())
            print(importlib.resources.files("tornado.test").joinpath("test.crt").is_file())
        """) == ["True", "get_cookie", "True", "True"]

    def test_methods_of_classes_can_be_patched(self, run_program):
        """The class is one under all its names, so that the framework itself meets the patch."""
        assert run_program("""
            import asyncio, unittest.mock
            from gustnado.testing import InMemoryClient
            import tornado.web

            class Handler(tornado.web.RequestHandler):
                def get(self):
                    self.write(str(self.current_user))

            async def main():
                app = tornado.web.Application([("/", Handler)], log_function=lambda handler: None)
                async with InMemoryClient(app) as client:
                    with unittest.mock.patch("tornado.web.RequestHandler.get_current_user", return_value="ann"):
                        print((await client.get("/")).body)
                    print((await client.get("/")).body)

            asyncio.run(main())
        """) == ["b'ann'", "b'None'"]

    def test_names_of_doors_can_be_patched_for_those_who_look_there(self, run_program):
        assert run_program("""
            import unittest.mock, tornado.escape, tornado.httpclient
            with unittest.mock.patch("tornado.escape.json_encode", return_value="patched"):
                print(tornado.escape.json_encode(1))
            print(tornado.escape.json_encode(1))
            with unittest.mock.patch("tornado.httpclient.AsyncHTTPClient", autospec=True) as client:
                print(tornado.httpclient.AsyncHTTPClient() is client.return_value)
            print(tornado.httpclient.AsyncHTTPClient.__name__)
        """) == ["patched", "1", "True", "AsyncHTTPClient"]

    def test_warnings_name_the_module_that_caused_them(self, python, tmp_path):
        (tmp_path / "program.py").write_text(
            "import tornado.util, warnings\n"
            "with warnings.catch_warnings(record=True) as caught:\n"
            "    warnings.simplefilter('always')\n"
            "    tornado.util.GzipDecompressor().decompress(b'')\n"
            "print(caught[0].category.__name__, caught[0].filename == __file__, caught[0].lineno)\n"
        )
        done = python("-m", "gustnado.as_tornado", "program.py", cwd=tmp_path)
        assert done.stdout == "DeprecationWarning True 4\n", done.stderr
