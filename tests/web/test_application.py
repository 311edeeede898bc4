from __future__ import annotations

import asyncio
import socket
import sys
import types
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gustnado
from gustnado.http.messages import HTTPServerRequest
from gustnado.http.server import HTTPServer
from gustnado.web import (
    Application,
    ContentEncoding,
    HostMatches,
    OutputTransform,
    RequestHandler,
    Rule,
    StaticFileHandler,
    TemplateModule,
    UIModule,
    URLSpec,
)


class Say(RequestHandler):
    """Says its word, and what the route took from the path."""

    def initialize(self, word: str = "") -> None:
        self.word = word

    def get(self, *args: str, **kwargs: str) -> None:
        self.write({"word": self.word, "args": args, "kwargs": kwargs})


def say(pattern: Any, word: str, *name: str) -> tuple[Any, ...]:
    return (pattern, Say, {"word": word}, *name)


def word(response: Any) -> str | int:
    """Which route has answered; the status where none has."""
    if response.code != 200:
        return int(response.code)
    return response.text.partition('"word":"')[2].partition('"')[0]


class TestDebug:
    NAMES = ("autoreload", "compiled_template_cache", "static_hash_cache", "serve_traceback")

    @pytest.fixture
    def reloader(self, monkeypatch):
        """Stands for the module that reloads the program; counts how often it was started."""
        module: Any = types.ModuleType("gustnado.autoreload")
        module.started = 0

        def start(*args, **kwargs):
            module.started += 1

        module.start = start
        monkeypatch.setitem(sys.modules, "gustnado.autoreload", module)
        monkeypatch.setattr(gustnado, "autoreload", module, raising=False)
        return module

    def test_is_short_for_four_settings(self, reloader):
        app = Application(debug=True)
        assert [app.settings[name] for name in self.NAMES] == [True, False, False, True]
        assert reloader.started == 1

    def test_each_may_be_set_apart(self, reloader):
        app = Application(debug=True, autoreload=False, serve_traceback=False, compiled_template_cache=True)
        assert [app.settings[name] for name in self.NAMES] == [False, True, False, False]
        assert reloader.started == 0

    def test_reloading_may_be_had_without(self, reloader):
        app = Application(autoreload=True)
        assert set(app.settings) == {"autoreload"}
        assert reloader.started == 1

    def test_is_off_by_default(self, reloader):
        assert Application().settings == {}
        assert Application(debug=False).settings == {"debug": False}
        assert reloader.started == 0

    def test_templates_and_static_files_are_read_anew(self, fetch, tmp_path):
        class Page(RequestHandler):
            def get(self):
                self.render("page.html")

        def page(text):
            (tmp_path / "page.html").write_text(text + ' {{ static_url("page.html") }}')
            return fetch(app, "/").text

        app = Application(
            [("/", Page)],
            debug=True,
            autoreload=False,
            template_path=str(tmp_path),
            static_path=str(tmp_path),
        )
        first, second = page("breeze"), page("gale..")
        assert first.startswith("breeze /static/page.html?v=")
        assert second.startswith("gale..")
        assert first[6:] != second[6:]


class TestStaticPath:
    def test_its_files_come_before_all_routes(self, fetch, tmp_path):
        for name in ("a.txt", "favicon.ico", "robots.txt"):
            (tmp_path / name).write_text(name)
        app = Application([say("/.*", "route")], static_path=str(tmp_path))
        for path in ("/static/a.txt", "/favicon.ico", "/robots.txt"):
            assert fetch(app, path).text == path.rpartition("/")[2]
        assert fetch(app, "/static/b.txt").code == 404
        assert word(fetch(app, "/staticc")) == word(fetch(app, "/a.txt")) == "route"

    def test_the_prefix_is_text_and_no_pattern(self, fetch, tmp_path):
        (tmp_path / "a.txt").write_text("a")
        app = Application(static_path=str(tmp_path), static_url_prefix="/v1.0+(x)/")
        assert fetch(app, "/v1.0+(x)/a.txt").text == "a"
        assert fetch(app, "/v1.00x/a.txt").code == 404
        assert fetch(app, "/static/a.txt").code == 404

    def test_the_handler_may_be_another(self, fetch, tmp_path):
        class Files(StaticFileHandler):
            def initialize(self, path, suffix):
                super().initialize(path)
                self.suffix = suffix

            def set_extra_headers(self, path):
                self.set_header("X-Path", path + self.suffix)

        (tmp_path / "a.txt").write_text("a")
        arguments = {"suffix": "!"}
        app = Application(static_path=str(tmp_path), static_handler_class=Files, static_handler_args=arguments)
        assert fetch(app, "/static/a.txt").headers["X-Path"] == "a.txt!"
        assert arguments == {"suffix": "!"}

    def test_there_are_none_without_it(self, fetch):
        assert fetch(Application(), "/static/a.txt").code == 404


class TestLog:
    def test_a_function_may_log(self, fetch):
        logged = []
        app = Application([say("/a", "a")], log_function=lambda h: logged.append((h.get_status(), h.request.path)))
        fetch(app, "/a")
        fetch(app, "/b")
        assert logged == [(200, "/a"), (404, "/b")]

    def test_nothing_need_be_logged(self, fetch, caplog):
        caplog.set_level("DEBUG", "gustnado.access")
        assert fetch(Application([say("/", "a")], log_function=None), "/").code == 200
        assert caplog.records == []

    @pytest.mark.parametrize(("path", "level", "code"), [("/", "INFO", 200), ("/x", "WARNING", 404)])
    def test_by_default_the_access_log_has_a_line(self, fetch, caplog, path, level, code):
        caplog.set_level("DEBUG", "gustnado.access")
        fetch(Application([say("/", "a")]), path)
        (record,) = caplog.records
        assert record.levelname == level
        assert record.getMessage().startswith(f"{code} GET {path} (127.0.0.1) ")

    def test_a_subclass_may_log(self, fetch, caplog):
        class Quiet(Application):
            def log_request(self, handler):
                handler.application.settings["seen"].append(handler.request.path)

        seen: list[str] = []
        fetch(Quiet([say("/", "a")], seen=seen), "/")
        assert (seen, caplog.records) == (["/"], [])


class TestDefaultHandler:
    def test_answers_where_no_route_does(self, fetch):
        class Lost(RequestHandler):
            def initialize(self, hint):
                self.hint = hint

            def prepare(self):
                self.set_status(404)
                self.finish("try " + self.hint)

        app = Application([say("/", "a")], default_handler_class=Lost, default_handler_args={"hint": "harder"})
        assert word(fetch(app, "/")) == "a"
        for method in ("GET", "POST"):
            response = fetch(app, "/x", method=method)
            assert (response.code, response.text) == (404, "try harder")

    def test_needs_no_arguments(self, fetch):
        assert word(fetch(Application(default_handler_class=Say), "/x")) == ""

    def test_is_a_plain_404_by_default(self, fetch):
        response = fetch(Application(), "/<x>")
        assert (response.code, response.reason) == (404, "Not Found")
        assert response.text == "404: Not Found\n"


class Wind(UIModule):
    def render(self, speed):
        return f"<b>{speed} m/s</b>"


class Rain(UIModule):
    def render(self):
        return "<b>rain</b>"


def knots(handler, speed):
    return f"{speed * 2} kn at {handler.request.path}"


class TestUi:
    @staticmethod
    def module(**names: Any) -> types.ModuleType:
        module = types.ModuleType("ui")
        vars(module).update(names)
        return module

    @pytest.mark.parametrize("kind", ["dict", "module", "list"])
    def test_modules_and_methods(self, fetch, kind, tmp_path):
        (tmp_path / "page.html").write_text("{% module Wind(3) %}{% module Rain() %} {{ knots(3) }}")
        modules: Any = {"Wind": Wind, "Rain": Rain}
        methods: Any = {"knots": knots}
        if kind == "module":
            modules = methods = self.module(Wind=Wind, Rain=Rain, knots=knots)
        elif kind == "list":
            modules = [{"Wind": Wind}, [self.module(Rain=Rain)]]
            methods = [methods, self.module()]

        class Page(RequestHandler):
            def get(self):
                self.render("page.html")

        app = Application([("/x", Page)], template_path=str(tmp_path), ui_modules=modules, ui_methods=methods)
        assert fetch(app, "/x").text == "<b>3 m/s</b><b>rain</b> 6 kn at /x"

    @pytest.mark.parametrize("as_module", [False, True])
    def test_what_is_neither_is_left_out(self, as_module):
        names: dict[str, Any] = {
            "Wind": Wind,
            "Other": RequestHandler,
            "knots": knots,
            "_hidden": knots,
            "Upper": knots,
            "number": 7,
        }
        source = self.module(**names) if as_module else names
        app = Application(ui_modules=source, ui_methods=source)
        assert set(app.ui_modules) - set(Application().ui_modules) == {"Wind"}
        assert app.ui_methods == {"knots": knots}

    def test_of_one_name_the_last_counts(self):
        app = Application(ui_modules=[{"Wind": Wind}, {"Wind": Rain}], ui_methods=[{"f": len}, {"f": knots}])
        assert app.ui_modules["Wind"] is Rain
        assert app.ui_methods == {"f": knots}

    def test_some_are_always_there(self):
        assert Application().ui_modules["Template"] is TemplateModule
        assert set(Application().ui_modules) == {"linkify", "xsrf_form_html", "Template"}


class TestHosts:
    def app(self, **options: Any) -> Application:
        app = Application([say("/a", "any"), say("/b", "any")], **options)
        app.add_handlers(r"www\.example\.org", [say("/a", "www")])
        app.add_handlers(r".*\.example\.org", [say("/a", "sub"), say("/c", "sub")])
        return app

    @pytest.mark.parametrize(
        ("host", "path", "expected"),
        [
            ("www.example.org", "/a", "www"),
            ("WWW.Example.ORG:8080", "/a", "www"),
            ("mail.example.org", "/a", "sub"),
            ("www.example.org", "/c", "sub"),
            ("example.org", "/a", "any"),
            ("www.example.org", "/b", "any"),
            ("www.example.org.evil", "/a", "any"),
            ("example.org", "/c", 404),
        ],
    )
    def test_rules_of_a_host_come_first(self, fetch, host, path, expected):
        assert word(fetch(self.app(), path, headers={"Host": host})) == expected

    def test_they_count_from_when_they_are_added(self, fetch):
        app = Application([say("/a", "any")])
        assert word(fetch(app, "/a")) == "any"
        app.add_handlers("example.org", [say("/a", "host")])
        assert word(fetch(app, "/a")) == "host"
        assert word(fetch(app, "/a", headers={"Host": "x"})) == "any"

    def test_the_default_host_stands_for_unknown_ones(self, fetch):
        app = self.app(default_host="www.example.org")
        assert word(fetch(app, "/c", headers={"Host": "127.0.0.1"})) == "sub"
        assert word(fetch(app, "/c", headers={"Host": "127.0.0.1", "X-Real-Ip": "192.0.2.1"})) == 404
        assert word(fetch(app, "/a", headers={"Host": "127.0.0.1"})) == "any"

    def test_a_route_may_be_a_rule_with_a_list(self, fetch):
        app = Application([Rule(HostMatches("h"), [say("/a", "inner", "in")]), say("/a", "outer")])
        assert word(fetch(app, "/a", headers={"Host": "h"})) == "inner"
        assert word(fetch(app, "/a")) == "outer"
        assert app.reverse_url("in") == "/a"

    def test_its_routes_have_names_too(self):
        app = Application([say("/a", "a", "first")])
        app.add_handlers("h", [say("/b/(.*)", "b", "second")])
        assert app.reverse_url("first") == "/a"
        assert app.reverse_url("second", "c d") == "/b/c%20d"


class TestNames:
    APP = Application(
        [
            URLSpec(r"/user/([0-9]+)/(\w+)", Say, name="user"),
            say("/", "root", "root"),
            say(r"/(?P<x>a|b)", "choice", "choice"),
        ]
    )

    def test_urls_are_made_of_them(self):
        assert self.APP.reverse_url("root") == "/"
        assert self.APP.reverse_url("user", 7, "n") == "/user/7/n"

    def test_a_handler_makes_them(self, fetch):
        class Link(RequestHandler):
            def get(self):
                self.write(self.reverse_url("user", 1, "x"))

        app = Application([("/link", Link), (r"/user/(\d+)/(\w+)", Say, {}, "user")])
        assert fetch(app, "/link").text == "/user/1/x"

    def test_an_unknown_one_is_an_error(self):
        with pytest.raises(KeyError, match="nobody not found in named urls"):
            self.APP.reverse_url("nobody")

    def test_so_are_too_few_arguments(self):
        with pytest.raises((ValueError, AssertionError)):
            self.APP.reverse_url("user", 1)


class TestHandlers:
    def test_one_may_be_named_by_a_string(self, fetch):
        app = Application([("/(.*)", "gustnado.web.simple_handlers.ErrorHandler", {"status_code": 418})])
        assert fetch(app, "/").code == 418

    def test_a_name_of_nothing_is_an_error(self):
        with pytest.raises(ImportError):
            Application([("/", "gustnado.web.nothing")])

    @pytest.mark.parametrize("pattern", [r"/(?P<n>\d+)", URLSpec(r"/(?P<n>\d+)", Say)])
    def test_named_groups_are_keywords(self, fetch, pattern):
        route = pattern if isinstance(pattern, URLSpec) else (pattern, Say)
        assert fetch(Application([route]), "/7").text == '{"word":"","args":[],"kwargs":{"n":"7"}}'

    def test_a_bare_path_is_a_route(self, fetch):
        assert word(fetch(Application([say("/", "root")]), "/?a=b")) == "root"
        assert fetch(Application([say("/", "root")]), "/x").code == 404

    def test_rules_may_be_changed_while_it_serves(self, fetch):
        app = Application([say("/a", "one")])
        assert word(fetch(app, "/a")) == "one"
        app.wildcard_router.rules.insert(0, URLSpec("/a", Say, {"word": "two"}))
        assert word(fetch(app, "/a")) == "two"
        app.wildcard_router.rules.clear()
        assert fetch(app, "/a").code == 404


class Patterns(Application):
    """An application that always tries its patterns."""

    def find_handler(self, request, **kwargs):
        return super().find_handler(request, **kwargs)


PATTERNS = [
    "/",
    "/a",
    "/a/b",
    "/a/?",
    "/(a|b)",
    "/a/(.*)",
    "/.*",
    "/(?P<x>[ab]+)",
    "/a.b",
    "/a%20b",
    "/b$",
    "a",
]
PATHS = ["/", "/a", "/a/", "/a/b", "/b", "/ab", "/axb", "/a.b", "/a%20b", "/a b", "/c", "//", "/a?b=c"]


class TestDirectRoutes:
    """The short way leads to where trying the patterns leads."""

    @given(st.lists(st.sampled_from(PATTERNS), max_size=6))
    @settings(deadline=None, max_examples=60)
    def test_both_ways_agree(self, patterns):
        routes = [say(pattern, f"{n}") for n, pattern in enumerate(patterns)]
        fast, slow = Application(routes), Patterns(routes)
        for path in PATHS:
            for _ in range(2):  # the second time it is remembered
                answers = []
                for app in (fast, slow):
                    request = HTTPServerRequest("GET", path)
                    route = app.direct_routes().find(request.path)
                    if route is None:
                        delegate: Any = app.find_handler(request)
                        route = delegate.handler_class, delegate.handler_kwargs
                        route += delegate.path_args, delegate.path_kwargs
                    answers.append((*route[:2], route[2] or [], route[3] or {}))
                assert answers[0] == answers[1], path
        assert slow.direct_routes().find("/a") is None

    def test_a_subclass_finds_all_requests_itself(self, fetch):
        class Maintenance(Application):
            def find_handler(self, request, **kwargs):
                return self.get_handler_delegate(request, Say, {"word": "later"}, path_args=[b"x"])

        response = fetch(Maintenance([say("/a", "a")]), "/a")
        assert (word(response), '"args":["x"]' in response.text) == ("later", True)

    def test_or_makes_all_delegates_itself(self, fetch):
        made = []

        class Counting(Application):
            def get_handler_delegate(self, request, target_class, *args, **kwargs):
                made.append((request.path, target_class.__name__))
                return super().get_handler_delegate(request, target_class, *args, **kwargs)

        app = Counting([say("/a", "a"), say("/b(.*)", "b")])
        assert [word(fetch(app, path)) for path in ("/a", "/a", "/bc", "/x")] == ["a", "a", "b", 404]
        assert made == [("/a", "Say"), ("/a", "Say"), ("/bc", "Say"), ("/x", "ErrorHandler")]


class TestListen:
    def test_a_port_in_use_is_an_error_at_the_call(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            with pytest.raises(OSError, match=r"(?i)in use"):
                Application().listen(taken.getsockname()[1], "127.0.0.1")

    def test_it_gives_the_server(self, run):
        async def main() -> bytes:
            server = Application([say("/", "root")]).listen(0, "127.0.0.1", no_keep_alive=True)
            assert isinstance(server, HTTPServer)
            (sock,) = server._sockets.values()
            reader, writer = await asyncio.open_connection(*sock.getsockname())
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
            server.stop()
            await server.close_all_connections()
            return answer

        answer = run(main())
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"Connection: close" in answer

    def test_what_the_server_does_not_know_is_an_error(self):
        with pytest.raises(TypeError, match="gusts"):
            Application().listen(0, "127.0.0.1", gusts=True)


class TestCall:
    """An application is a function of a request, for servers that want one."""

    @staticmethod
    def call(memory, app: Application, path: str) -> Any:
        async def main() -> Any:
            connection = memory.Connection("http")
            task = app(HTTPServerRequest("GET", path, connection=connection))
            if task is not None:
                await task
            await connection.ended
            return task, connection.head[0].code, b"".join(connection.chunks)

        return asyncio.run(main())

    def test_it_answers(self, memory):
        task, code, body = self.call(memory, Application([say("/a", "a")]), "/a")
        assert (task, code) == (None, 200)
        assert b'"word":"a"' in body
        assert self.call(memory, Application(), "/a")[1] == 404

    def test_what_awaits_gives_its_task(self, memory):
        class Later(RequestHandler):
            async def get(self):
                await asyncio.sleep(0)
                self.write("later")

        task, _, body = self.call(memory, Application([("/", Later)]), "/")
        assert isinstance(task, asyncio.Task)
        assert body == b"later"

    def test_a_target_that_is_no_handler_is_told_too(self, memory):
        def answer(request):
            Say(Application(), request, word="function").get()
            request.connection.finish()

        async def main() -> bool:
            connection = memory.Connection("http")
            assert Application([("/", answer)])(HTTPServerRequest("GET", "/", connection=connection)) is None
            return await connection.ended

        assert asyncio.run(main())


class Mark(OutputTransform):
    def __init__(self, request):
        self.mark = request.path.encode()

    def transform_first_chunk(self, status_code, headers, chunk, finishing):
        headers["X-Mark"] = "yes"
        headers.pop("Content-Length", None)
        return status_code, headers, chunk + self.mark


class Twice(OutputTransform):
    def transform_first_chunk(self, status_code, headers, chunk, finishing):
        headers.pop("Content-Length", None)
        return status_code, headers, chunk * 2


class TestTransforms:
    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({}, []),
            ({"compress_response": True}, [ContentEncoding]),
            ({"gzip": True}, [ContentEncoding]),
            ({"compress_response": True, "transforms": []}, []),
            ({"transforms": [Mark]}, [Mark]),
        ],
    )
    def test_what_there_is(self, options, expected):
        assert Application(**options).transforms == expected

    def test_they_apply_in_order(self, fetch):
        class Text(RequestHandler):
            def get(self):
                self.write("ab")

        app = Application([("/x", Text)], transforms=[Mark])
        app.add_transform(Twice)
        response = fetch(app, "/x")
        assert (response.text, response.headers["X-Mark"]) == ("ab/xab/x", "yes")
        assert len(app.make_transforms(HTTPServerRequest("GET", "/"))) == 2


def test_settings_are_keywords(fetch):
    class Show(RequestHandler):
        def get(self):
            self.write({"same": self.settings is self.application.settings, "gust": self.settings["gust"]})

    assert fetch(Application([("/", Show)], gust=7), "/").text == '{"same":true,"gust":7}'
