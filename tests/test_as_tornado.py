"""Each test runs a program of its own: what ``install`` does is for a whole process and cannot be undone."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import zipfile

import pytest

RUN = ["-m", "gustnado.as_tornado"]
INSTALL = "import gustnado.as_tornado\ngustnado.as_tornado.install()\n"

SHOW = """
import json, sys
shown = {"name": __name__, "file": __file__, "package": __package__ or "", "argv": sys.argv}
shown |= {"path": sys.path[0], "is main": vars(sys.modules["__main__"]) is globals()}
print(json.dumps(shown))
"""


def python(*arguments, cwd=None):
    """Runs Python, in which any warning is an error."""
    command = [sys.executable, "-W", "error", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def run_program(text, cwd=None):
    """What a program prints, after a call of ``install``."""
    done = python("-c", INSTALL + textwrap.dedent(text), cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


class TestImports:
    def test_a_module_is_one_under_both_names(self):
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

    def test_a_module_that_was_imported_before_is_the_same(self):
        assert run_program("""
            import sys, gustnado.tornado.ioloop
            import tornado.ioloop
            print(sys.modules["tornado.ioloop"] is gustnado.tornado.ioloop)
        """) == ["True"]

    def test_modules_are_imported_when_they_are_asked_for(self):
        assert run_program("""
            import sys, tornado
            print("tornado.template" in sys.modules)
            tornado.template.Template
            print("tornado.template" in sys.modules)
        """) == ["False", "True"]

    def test_versions_are_tornados(self):
        assert run_program("import tornado; print(tornado.version, tornado.version_info >= (6, 6))") == [
            "6.6.1 True"
        ]

    @pytest.mark.parametrize("name", ["tornado.s3server", "tornado.web.nothing", "tornado.platform.nothing"])
    def test_what_is_not_there_is_not_found(self, name):
        assert run_program(f"""
            import importlib.util
            try:
                import {name}
            except ModuleNotFoundError as error:
                print(error.name)
            print(importlib.util.find_spec("tornado.s3server"))
        """) == [name, "None"]

    def test_other_modules_are_found_as_before(self, tmp_path):
        (tmp_path / "tornado_tools.py").write_text("import tornado.util as util")
        found = run_program(
            "import sys; sys.path.insert(0, '.'); import tornado_tools; print(tornado_tools.util)", tmp_path
        )
        assert found[0].startswith("<module 'gustnado.tornado.util'")

    def test_again_is_no_change(self):
        assert run_program("""
            import sys, logging
            before = list(sys.meta_path), logging.getLogger("tornado.access")
            gustnado.as_tornado.install()
            print((list(sys.meta_path), logging.getLogger("tornado.access")) == before)
        """) == ["True"]

    def test_the_real_one_in_use_is_refused(self):
        done = python("-c", "import tornado\n" + INSTALL)
        assert done.returncode == 1
        assert "the real tornado has been imported already, from " in done.stderr
        assert "before the first import of tornado" in done.stderr

    def test_importing_the_face_alone_changes_nothing(self):
        done = python(
            "-c",
            "import gustnado.tornado.web, gustnado.tornado.log as log, sys\n"
            "from gustnado.tornado.escape import json_encode\n"
            "print('tornado' in sys.modules, json_encode([1, 2]), log.access_log.name)",
        )
        assert done.stdout == "False [1,2] gustnado.access\n"


class TestTornadosTests:
    def test_they_are_those_of_the_installed_tornado(self):
        assert run_program("""
            import importlib.util, os, tornado.test
            data = os.path.join(tornado.test.__path__[0], "options_test.cfg")
            print(tornado.test.__name__, os.path.exists(data))
            print(importlib.util.find_spec("tornado.test.escape_test").origin.endswith("escape_test.py"))
        """) == ["tornado.test True", "True"]

    def test_they_test_this(self):
        """A module that needs only what there is."""
        assert run_program("""
            import tornado.test.resolve_test_helper
            print(tornado.test.resolve_test_helper.ThreadedResolver.__module__)
        """) == ["gustnado.events.resolver"]

    def test_where_it_is_not_installed_the_error_says_so(self):
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


class TestDefaults:
    def test_json_is_spelled_as_by_the_standard_library(self):
        assert run_program("""
            import json, tornado.escape
            value = {"a": [1, "\\u20ac"]}
            print(tornado.escape.json_encode(value) == json.dumps(value))
        """) == ["True"]

    def test_bodies_may_have_100_mib(self):
        assert run_program("""
            from tornado.web import Application
            from tornado.httpserver import HTTPServer
            for server in HTTPServer(Application()), HTTPServer(Application(), max_body_size=5):
                print(server.conn_params.limits.max_body_size)
        """) == [str(100 * 1024 * 1024), "5"]

    def test_websockets_are_not_pinged_unless_a_setting_says_so(self):
        assert run_program("""
            from tornado.httputil import HTTPServerRequest
            from tornado.web import Application
            from tornado.websocket import WebSocketHandler
            for settings in {}, {"websocket_ping_interval": 7}:
                request = HTTPServerRequest(method="GET", uri="/")
                print(WebSocketHandler(Application(**settings), request).ping_interval)
        """) == ["None", "7"]

    def test_coroutines_are_no_tests_unless_they_are_decorated(self):
        assert run_program("""
            import sys
            print("unittest" in sys.modules)
            from tornado.testing import AsyncTestCase
            from gustnado.testing import AsyncTestCase as ours
            print(AsyncTestCase.runs_coroutines, ours is AsyncTestCase)
        """) == ["False", "False True"]

    def test_redirects_and_clients_do_as_tornados(self):
        assert run_program("""
            from tornado.simple_httpclient import SimpleAsyncHTTPClient
            from tornado.web import RequestHandler
            print(RequestHandler.encodes_locations)
            print(SimpleAsyncHTTPClient.cancels_requests, SimpleAsyncHTTPClient.sends_backslashes)
        """) == ["False", "False True"]

    def test_forms_are_as_wide_as_tornados(self):
        assert run_program("""
            from tornado.httputil import parse_multipart_form_data
            def part(parameters, value=b""):
                head = b"Content-Disposition: form-data; " + parameters
                return b"\\r\\n".join([b"--x", head, b"", value, b""])
            value = b"v" * (2 << 20)
            field = part(b"name=a; pad=" + b"p" * 9000, value)
            file = part(b"name=f; filename=a; filename*=utf-8''b")
            arguments, files = {}, {}
            parse_multipart_form_data(b"x", field + file + b"--x--\\r\\n", arguments, files)
            print(arguments == {"a": [value]}, files["f"][0].filename)
        """) == ["True b"]


class TestLoggers:
    def test_they_have_tornados_names(self):
        assert run_program("""
            import logging, tornado.log
            from tornado.log import access_log, app_log, gen_log
            for log in access_log, app_log, gen_log:
                print(log.name, logging.getLogger(log.name) is log, log.parent.name, log.parent.parent.name)
        """) == [f"tornado.{name} True tornado root" for name in ("access", "application", "general")]

    def test_handlers_of_the_family_get_their_records(self):
        assert run_program("""
            import logging, sys
            from gustnado.log import gen_log
            logging.getLogger("tornado").addHandler(logging.StreamHandler(sys.stdout))
            logging.getLogger("tornado").handlers[0].setFormatter(logging.Formatter("%(name)s %(message)s"))
            gen_log.warning("wind")
        """) == ["tornado.general wind"]

    def test_what_was_configured_before_holds(self):
        done = python(
            "-c",
            "import logging, sys\n"
            "logging.getLogger('tornado').setLevel('ERROR')\n"
            "access = logging.getLogger('tornado.access')\n"
            "access.addHandler(logging.StreamHandler(sys.stdout))\n"
            "access.addFilter(lambda record: 'secret' not in record.msg)\n"
            "access.propagate = False\n"
            "from gustnado.log import access_log, gen_log\n"
            "print(gen_log.isEnabledFor(30))\n" + INSTALL + "access_log.error('wind')\n"
            "access_log.error('secret')\n"
            "print(access_log.propagate, gen_log.isEnabledFor(30))\n"
            "print(logging.getLogger('tornado.access.mine').parent is access_log)\n",
        )
        # The handler writes as print does, but each has a place of its own in what is printed.
        assert done.stdout.splitlines() == ["True", "wind", "False False", "True"]
        assert not done.stderr

    def test_configuring_one_does_not_switch_it_off(self):
        """`logging.config` switches off what it finds and is not told of."""
        assert run_program("""
            import logging.config
            from gustnado.log import access_log, gen_log
            logging.config.dictConfig({"version": 1, "loggers": {"tornado.access": {"level": "INFO"}}})
            print(access_log.disabled, gen_log.disabled)
        """) == ["False True"]


class TestCommand:
    @pytest.fixture
    def programs(self, tmp_path):
        """One program in all the forms that Python can run, and the directory from which it is run."""
        here = tmp_path.resolve() / "here"
        (here / "package").mkdir(parents=True)
        (tmp_path / "there").mkdir()
        (here / "module.py").write_text(SHOW)
        (here / "package/__init__.py").write_text("")
        (here / "package/__main__.py").write_text(SHOW)
        (tmp_path / "there/script.py").write_text(SHOW)
        (tmp_path / "there/__main__.py").write_text(SHOW)
        (tmp_path / "link.py").symlink_to(tmp_path / "there/script.py")
        with zipfile.ZipFile(tmp_path / "program.zip", "w") as archive:
            archive.writestr("__main__.py", SHOW)
        return here

    @pytest.mark.parametrize(
        "program",
        [
            "module.py",
            "../there/script.py",
            "../link.py",
            "../there",
            "../program.zip",
            "-m module",
            "-m package",
        ],
    )
    def test_a_program_sees_what_it_sees_under_python(self, programs, program):
        arguments = [*program.split(), "-m", "--help", "x y"]
        plain = python(*arguments, cwd=programs)
        shown = python(*RUN, *arguments, cwd=programs)
        assert plain.returncode == shown.returncode == 0, shown.stderr
        expected = json.loads(plain.stdout)
        expected["argv"][0] = str(programs / expected["argv"][0])
        assert json.loads(shown.stdout) == expected

    def test_tornado_is_gustnado(self, tmp_path):
        (tmp_path / "a.py").write_text("import tornado.web; print(tornado.web.RequestHandler.__module__)")
        assert python(*RUN, "a.py", cwd=tmp_path).stdout.startswith("gustnado.web.")

    def test_a_program_that_installs_it_too(self, tmp_path):
        (tmp_path / "a.py").write_text(INSTALL + "import sys, tornado\nprint(len(sys.meta_path))")
        (tmp_path / "b.py").write_text("import sys; print(len(sys.meta_path))")
        counts = [int(python(*RUN, name, cwd=tmp_path).stdout) for name in ("a.py", "b.py")]
        assert counts[0] == counts[1]

    def test_the_exit_status_is_the_programs(self, tmp_path):
        (tmp_path / "a.py").write_text("raise SystemExit(7)")
        assert python(*RUN, "a.py", cwd=tmp_path).returncode == 7
        assert python(*RUN, "-m", "a", cwd=tmp_path).returncode == 7

    def test_an_exception_is_shown(self, tmp_path):
        (tmp_path / "a.py").write_text("1 / 0")
        done = python(*RUN, "a.py", cwd=tmp_path)
        assert done.returncode == 1
        assert done.stderr.endswith("ZeroDivisionError: division by zero\n")

    def test_a_package_that_fails_says_why(self, tmp_path):
        (tmp_path / "broken").mkdir()
        (tmp_path / "broken/__init__.py").write_text("import nothing_of_that_name")
        done = python(*RUN, "-m", "broken.module", cwd=tmp_path)
        assert done.returncode == 1
        assert "No module named 'nothing_of_that_name'" in done.stderr

    def test_tornados_programs_are_ours(self, tmp_path):
        done = python("-m", "gustnado.as_tornado", "-m", "tornado.autoreload", "--help")
        assert done.returncode == 0, done.stderr
        assert "usage: python -m gustnado.autoreload" in done.stdout
        program = tmp_path / "program.py"
        program.write_text("import sys\nprint(sys.argv[1:], 'tornado.autoreload' in sys.modules)\n")
        arguments = ["-m", "tornado.autoreload", "--until-success", str(program), "--port=1"]
        assert python("-m", "gustnado.as_tornado", *arguments).stdout == "['--port=1'] True\n"
        installed = f"{INSTALL}import runpy, sys; sys.argv[1:] = {arguments[2:]}\n"
        done = python("-c", installed + "runpy.run_module('tornado.autoreload', run_name='__main__')")
        assert (done.stdout, done.stderr) == ("['--port=1'] True\n", "")

    def test_unittest_runs_under_it(self, tmp_path):
        (tmp_path / "test_it.py").write_text(
            "import unittest, tornado.util\n"
            "class Test(unittest.TestCase):\n"
            "    def test(self):\n"
            "        self.assertEqual(tornado.util.ObjectDict.__module__, 'gustnado.util')\n"
        )
        done = python(*RUN, "-m", "unittest", "-q", "test_it", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "Ran 1 test" in done.stderr

    @pytest.mark.parametrize("option", ["-h", "--help"])
    def test_help(self, option):
        done = python(*RUN, option)
        assert done.returncode == 0
        assert "-m MODULE" in done.stdout
        assert max(map(len, done.stdout.splitlines())) <= 100

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ([], "which program?"),
            (["-m"], "-m needs the name of a module"),
            (["--port=1"], "no such option: --port=1"),
            (["nothing.py"], "no file nothing.py"),
            (["."], "no __main__.py in ."),
            (["-m", "nothing"], "no module named nothing that can be run"),
            (["-m", "nothing.at.all"], "no module named nothing.at.all that can be run"),
            (["-m", "json.nothing"], "no module named json.nothing that can be run"),
            (["-m", "json"], "no module named json that can be run"),
            (["-m", "tornado.web"], "no module named tornado.web that can be run"),
            (["-m", "tornado.util"], "no module named tornado.util that can be run"),
        ],
    )
    def test_wrong_usage(self, arguments, message, tmp_path):
        done = python(*RUN, *arguments, cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr == f"python -m gustnado.as_tornado: {message}; --help says more\n"
        assert not done.stdout


class TestHandlers:
    def test_have_tornados_defaults(self):
        assert run_program("""
            import asyncio
            from gustnado.testing import InMemoryClient
            from tornado.web import Application, RequestHandler

            class Handler(RequestHandler):
                async def get(self):
                    self.set_cookie("a", "b")
                    self.xsrf_token
                    return "dropped"

                post = get

            async def main():
                app = Application([("/", Handler)], xsrf_cookies=True, log_function=None)
                async with InMemoryClient(app, base_url="https://example.org") as client:
                    got = await client.get("/")
                    print(got.body, [c.partition("=")[0] for c in got.headers.get_list("Set-Cookie")])
                    print(got.headers.get_list("Set-Cookie")[0])
                    refused = await client.post("/", body="", headers={"Sec-Fetch-Site": "same-origin"})
                    missing = await client.get("/none", headers={"Accept": "application/json"})
                    print(refused.code, missing.body.decode())

            asyncio.run(main())
        """) == [
            "b'' ['a', '_xsrf']",
            "a=b; Path=/",
            "403 <html><title>404: Not Found</title><body>404: Not Found</body></html>",
        ]
