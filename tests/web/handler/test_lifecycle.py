from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from gustnado.http.messages import HTTPServerRequest
from gustnado.tornado import gen
from gustnado.web import Application, Finish, HTTPError, RequestHandler

APPLICATION = "gustnado.application"


class Recorded(RequestHandler):
    """Notes what it is called with, in ``calls``."""

    calls: list[str]

    def initialize(self) -> None:
        self.calls.append("initialize")

    def prepare(self) -> Any:
        self.calls.append("prepare")

    def get(self) -> Any:
        self.calls.append("get")
        self.write("wind")

    def set_default_headers(self) -> None:
        self.calls.append("set_default_headers")

    def compute_etag(self) -> str | None:
        self.calls.append("compute_etag")
        return None

    def _log(self) -> None:
        self.calls.append("_log")

    def on_finish(self) -> None:
        self.calls.append("on_finish")


ORDER = ["set_default_headers", "initialize", "prepare", "get", "compute_etag", "_log", "on_finish"]


def recorded(**members: Any) -> tuple[Application, list[str]]:
    calls: list[str] = []
    handler = type("Handler", (Recorded,), {"calls": calls, **members})
    return Application([("/(?:.*)", handler)]), calls


async def prepare_later(self):
    await asyncio.sleep(0)
    self.calls.append("prepare")


async def get_later(self):
    await asyncio.sleep(0)
    self.calls.append("get")
    self.write("wi")
    await asyncio.sleep(0)
    self.write("nd")


@gen.coroutine
def get_by_generator(self):
    yield gen.moment
    self.calls.append("get")
    yield asyncio.sleep(0)
    self.write("wind")


def get_with_future(self):
    self.calls.append("get")
    future = asyncio.get_running_loop().create_future()
    future.get_loop().call_soon(future.set_result, None)
    self.write("wind")
    return future


PREPARES = [Recorded.prepare, prepare_later]
GETS = [Recorded.get, get_later, get_by_generator, get_with_future]


class TestOrder:
    @pytest.mark.parametrize("prepare", PREPARES)
    @pytest.mark.parametrize("get", GETS)
    def test_is_the_same_for_all_styles(self, fetch, prepare, get):
        app, calls = recorded(prepare=prepare, get=get)
        assert fetch(app, "/").body == b"wind"
        assert calls == ORDER

    @pytest.mark.parametrize("get", GETS)
    def test_prepare_may_end_it(self, fetch, get):
        async def later(self):
            await prepare_later(self)
            self.finish("early")

        def now(self):
            self.calls.append("prepare")
            self.finish("early")

        for prepare in (now, later):
            app, calls = recorded(prepare=prepare, get=get)
            assert fetch(app, "/").body == b"early"
            assert calls == [name for name in ORDER if name != "get"]

    @pytest.mark.parametrize("error", [HTTPError(403), Finish("early"), ValueError()])
    @pytest.mark.parametrize("asynchronous", [False, True])
    def test_prepare_may_fail(self, fetch, expect_log, error, asynchronous):
        def now(self):
            raise error

        async def later(self):
            raise error

        app, calls = recorded(prepare=later if asynchronous else now)
        with expect_log(APPLICATION, "Uncaught", count=isinstance(error, ValueError)):
            response = fetch(app, "/")
        assert response.code == {HTTPError: 403, Finish: 200, ValueError: 500}[type(error)]
        assert "get" not in calls
        assert calls.count("on_finish") == calls.count("_log") == 1

    def test_the_user_is_known_before_prepare(self, fetch):
        async def get_current_user(self):
            await asyncio.sleep(0)
            self.calls.append("user")

        for prepare in PREPARES:
            app, calls = recorded(prepare=prepare, get_current_user=get_current_user)
            fetch(app, "/")
            assert calls[1:4] == ["initialize", "user", "prepare"]


class TestOnFinish:
    """It is called exactly once, whatever happens."""

    @pytest.mark.parametrize(
        "get",
        [
            lambda self: None,
            lambda self: self.finish("x"),
            lambda self: self.redirect("/"),
            lambda self: self.send_error(500),
            lambda self: self.set_status(204),
            lambda self: self.flush() and None,
        ],
    )
    def test_after_each_kind_of_end(self, fetch, get):
        app, calls = recorded(get=get)
        fetch(app, "/")
        assert calls.count("on_finish") == calls.count("_log") == 1

    @pytest.mark.parametrize(("method", "code"), [("POST", 405), ("BREW", 405), ("get", 405)])
    def test_after_a_method_that_is_not_there(self, fetch, method, code):
        app, calls = recorded()
        assert fetch(app, "/", method=method).code == code
        assert calls.count("on_finish") == 1
        assert ("prepare" in calls) == (method == "POST")

    @pytest.mark.parametrize("get", GETS)
    def test_where_it_fails_the_response_is_sent_already(self, fetch, expect_log, get):
        def on_finish(self):
            self.calls.append("on_finish")
            raise ZeroDivisionError

        app, calls = recorded(on_finish=on_finish, get=get)
        with expect_log(APPLICATION, "Uncaught exception GET", level=logging.ERROR):
            assert fetch(app, "/").body == b"wind"
        assert calls.count("on_finish") == 1

    def test_where_the_log_fails_it_is_called_nevertheless(self, fetch, expect_log):
        def _log(self):
            raise ZeroDivisionError

        app, calls = recorded(_log=_log)
        with expect_log(APPLICATION, "Uncaught exception GET"):
            assert fetch(app, "/").body == b"wind"
        assert calls.count("on_finish") == 1

    def test_it_sees_the_response(self, fetch):
        seen = []

        def on_finish(self):
            seen.append((self.get_status(), self._finished, self.request.request_time() >= 0))

        app, _ = recorded(on_finish=on_finish, get=lambda self: self.set_status(201))
        fetch(app, "/")
        assert seen == [(201, True, True)]


class TestInitialize:
    def test_gets_the_arguments_of_the_route(self, fetch):
        class Handler(RequestHandler):
            def initialize(self, speed, unit="m/s"):
                self.text = f"{speed} {unit}"

            def get(self):
                self.write(self.text)

        app = Application([("/a", Handler, {"speed": 3}), ("/b()", Handler, {"speed": 4, "unit": "kn"})])
        app.settings["speed"] = 5
        assert fetch(app, "/a").text == "3 m/s"

        class Other(Handler):
            def get(self, empty):
                self.write(self.text + empty)

        app = Application([("/b()", Other, {"speed": 4, "unit": "kn"})])
        assert fetch(app, "/b").text == "4 kn"

    def test_finds_application_request_and_settings(self):
        class Handler(RequestHandler):
            def initialize(self):
                self.seen = self.application, self.request, self.settings

        app, request = Application(gust=1), HTTPServerRequest("GET", "/")
        assert Handler(app, request).seen == (app, request, {"gust": 1})

    def test_arguments_that_it_does_not_take_are_an_error(self):
        with pytest.raises(TypeError):
            RequestHandler(Application(), HTTPServerRequest("GET", "/"), speed=3)


class TestArguments:
    class Echo(RequestHandler):
        def get(self, *args: Any, **kwargs: Any) -> None:
            same = (self.path_args, self.path_kwargs) == (list(args), kwargs)
            self.write({"args": args, "kwargs": kwargs, "same": same})

        post = get

    @pytest.mark.parametrize(
        ("pattern", "path", "args", "kwargs"),
        [
            ("/a", "/a", "[]", "{}"),
            ("/(.*)/(.*)", "/a/%20%C3%A9", '["a"," \u00e9"]', "{}"),
            ("/(?P<x>.*)", "/a", "[]", '{"x":"a"}'),
            ("/a(b)?", "/a", "[null]", "{}"),
            ("/(?P<x>a)(?P<y>b)?", "/a", "[]", '{"x":"a","y":null}'),
        ],
    )
    def test_are_decoded(self, fetch, pattern, path, args, kwargs):
        response = fetch(Application([(pattern, self.Echo)]), path)
        assert response.text == f'{{"args":{args},"kwargs":{kwargs},"same":true}}'

    @pytest.mark.parametrize("pattern", ["/(.*)", "/(?P<x>.*)"])
    def test_that_are_no_utf_8_are_400(self, fetch, expect_log, pattern):
        with expect_log("gustnado.general", "Invalid unicode in (url|x)"):
            assert fetch(Application([(pattern, self.Echo)]), "/%ff").code == 400

    def test_may_be_decoded_otherwise(self, fetch):
        class Latin(self.Echo):  # type: ignore[name-defined,misc]
            def decode_argument(self, value, name=None):
                return f"{name}:{value.decode('latin-1')}"

        assert '["None:\u00ff"]' in fetch(Application([("/(.*)", Latin)]), "/%ff").text
        assert '{"x":"x:\u00ff"}' in fetch(Application([("/(?P<x>.*)", Latin)]), "/%ff").text


class TestMethods:
    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS"])
    def test_each_has_its_own(self, fetch, method):
        def answer(self):
            self.set_header("X-Method", self.request.method)

        handler = type("Handler", (RequestHandler,), {method.lower(): answer})
        app = Application([("/", handler)])
        for asked in RequestHandler.SUPPORTED_METHODS:
            response = fetch(app, "/", method=asked)
            if asked == method:
                assert (response.code, response.headers["X-Method"]) == (200, method)
            else:
                assert response.code == 405

    def test_there_may_be_more(self, fetch):
        class Dav(RequestHandler):
            SUPPORTED_METHODS = (*RequestHandler.SUPPORTED_METHODS, "PROPFIND")

            def propfind(self):
                self.write("found")

        app = Application([("/", Dav)])
        assert fetch(app, "/", method="PROPFIND").text == "found"
        assert fetch(app, "/", method="MKCOL").code == 405

    def test_or_fewer(self, fetch):
        class Less(Recorded):
            SUPPORTED_METHODS = ("POST",)

        Less.calls = []
        assert fetch(Application([("/", Less)]), "/").code == 405
        assert "prepare" not in Less.calls


class TestTools:
    def test_require_setting(self):
        handler = RequestHandler(Application(a=1), HTTPServerRequest("GET", "/"))
        handler.require_setting("a", "wind")
        with pytest.raises(Exception, match="'b' setting in your application to use wind"):
            handler.require_setting("b", "wind")

    def test_the_body_in_pieces_needs_a_method(self):
        handler = RequestHandler(Application(), HTTPServerRequest("POST", "/"))
        with pytest.raises(NotImplementedError, match="data_received"):
            handler.data_received(b"x")


class TestPatching:
    """Tools that trace and test programs replace methods of ``RequestHandler`` itself."""

    @pytest.mark.parametrize("name", ["prepare", "on_finish", "finish", "write", "log_exception", "initialize"])
    def test_of_a_method(self, fetch, expect_log, monkeypatch, name):
        class Handler(RequestHandler):
            def get(self):
                self.write("wind")
                if name == "log_exception":
                    raise ValueError

        calls = []
        original = getattr(RequestHandler, name)

        def patched(self, *args, **kwargs):
            calls.append(type(self).__name__)
            return original(self, *args, **kwargs)

        app = Application([("/", Handler)])
        for expected in ([], ["Handler"]):  # a tool may come late: when a request has been served
            with expect_log(APPLICATION, "Uncaught", count=name == "log_exception"):
                fetch(app, "/")
            assert calls == expected
            monkeypatch.setattr(RequestHandler, name, patched)

    @pytest.mark.parametrize("on_base", [False, True])
    @pytest.mark.parametrize("kind", ["plain", "coroutine"])
    def test_of_execute(self, fetch, monkeypatch, on_base, kind):
        class Plain(RequestHandler):
            def get(self, name):
                spans.append(f"get {name}")
                self.write(name)

        class Coroutine(RequestHandler):
            async def get(self, name):
                await asyncio.sleep(0)
                spans.append(f"get {name}")
                self.write(name)

        handler = Plain if kind == "plain" else Coroutine
        spans: list[str] = []
        target = RequestHandler if on_base else handler
        original = target._execute

        async def traced(self, transforms, *args, **kwargs):
            spans.append("begin")
            await original(self, transforms, *args, **kwargs)
            spans.append("end")

        monkeypatch.setattr(target, "_execute", traced)
        assert fetch(Application([("/(.*)", handler)]), "/wind").text == "wind"
        assert spans == ["begin", "get wind", "end"]

    def test_of_execute_by_a_generator(self, fetch):
        """As sockjs-tornado does: what comes back is a future."""
        spans: list[str] = []

        class Handler(RequestHandler):
            async def get(self, name):
                await asyncio.sleep(0)
                self.write(name)

            @gen.coroutine
            def _execute(self, transforms, *args, **kwargs):
                if self.request.path == "/none":
                    self.set_status(400)
                    self.finish("nothing")
                    return
                yield super()._execute(transforms, *args, **kwargs)
                spans.append("end")

        app = Application([("/(.*)", Handler)])
        assert fetch(app, "/wind").text == "wind"
        assert spans == ["end"]
        assert (fetch(app, "/none").code, spans) == (400, ["end"])
