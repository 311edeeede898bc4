from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import Any

import pytest

from gustnado.errors import HTTPInputError, HTTPOutputError, ProtocolError, StreamClosedError
from gustnado.http.headers import HTTPHeaders
from gustnado.http.messages import RequestStartLine
from gustnado.web import Application, Finish, HTTPError, OutputTransform, RequestHandler
from gustnado.web.error_pages import ErrorPage

GENERAL, APPLICATION = "gustnado.general", "gustnado.application"


def failing(error: Any, kind: str = "plain", **members: Any) -> type[RequestHandler]:
    """A handler that writes something and raises ``error``, at once or (``coroutine``) later.

    ``ended`` counts the calls of ``on_finish``.
    """

    class Fails(RequestHandler):
        ended = 0

        def on_finish(self):
            type(self).ended += 1

        def now(self):
            self.write("half")
            raise error

        async def later(self):
            self.write("half")
            await asyncio.sleep(0)
            raise error

        get = post = head = now if kind == "plain" else later

    for name, member in members.items():
        setattr(Fails, name, member)
    return Fails


def app(handler: type[RequestHandler], **settings: Any) -> Application:
    return Application([("/.*", handler)], **settings)


@pytest.fixture(params=["plain", "coroutine"])
def kind(request):
    return request.param


class TestPages:
    def test_an_exception_is_a_500_that_tells_nothing(self, fetch, expect_log, kind):
        handler = failing(ValueError("secret"), kind)
        with expect_log(APPLICATION, r"Uncaught exception GET /x \(127.0.0.1\)", level=logging.ERROR) as watch:
            response = fetch(app(handler), "/x")
        assert (response.code, response.reason) == (500, "Internal Server Error")
        assert response.text == "500: Internal Server Error\n"
        assert response.headers["Content-Type"] == "text/plain; charset=UTF-8"
        assert watch.records[0].exc_info[0] is ValueError
        assert handler.ended == 1

    @pytest.mark.parametrize(
        ("error", "code", "reason"),
        [
            (HTTPError(404), 404, "Not Found"),
            (HTTPError(402, reason="Pay <me>"), 402, "Unknown"),
            (HTTPError(402, reason="Pay & go"), 402, "Pay & go"),
            (HTTPError(), 500, "Internal Server Error"),
            (HTTPError(599), 599, "Unknown"),
        ],
    )
    def test_an_http_error_has_its_status_and_no_log(self, fetch, kind, error, code, reason):
        handler = failing(error, kind)
        response = fetch(app(handler), "/", headers={"Accept": "text/html"})
        assert (response.code, response.reason) == (code, reason)
        assert f"{code}: {reason}".replace("&", "&amp;") in response.text
        assert handler.ended == 1

    def test_its_message_is_logged_and_not_sent(self, fetch, expect_log, kind):
        with expect_log(GENERAL, r"403 GET / \(127\.0\.0\.1\): no entry for 'ada'"):
            response = fetch(app(failing(HTTPError(403, "no entry for %r", "ada"), kind)), "/")
        assert (response.code, b"ada" in response.body) == (403, False)

    @pytest.mark.parametrize("code", [0, 99, 1000, -1])
    def test_a_status_that_cannot_be_is_500(self, fetch, expect_log, code):
        with expect_log(GENERAL, f"Bad HTTP status code: {code}"):
            assert fetch(app(failing(HTTPError(code))), "/").code == 500

    @pytest.mark.parametrize("code", [204, 304])
    def test_some_have_no_page(self, fetch, kind, code):
        response = fetch(app(failing(HTTPError(code), kind)), "/")
        assert (response.code, response.body) == (code, b"")
        assert not {"Content-Length", "Content-Type"} & set(response.headers)

    def test_head_gets_no_page(self, fetch):
        class Head(failing(HTTPError(404))):  # type: ignore[misc]
            pass

        response = fetch(app(Head), "/", method="HEAD")
        assert response.code == 404
        assert int(response.headers["Content-Length"]) > 0

    def test_what_was_set_before_is_forgotten_but_for_the_defaults(self, fetch):
        class Handler(RequestHandler):
            def set_default_headers(self):
                self.set_header("X-Default", "1")

            def get(self):
                self.set_header("X-Set", "1")
                self.set_header("Content-Type", "image/png")
                self.set_status(201)
                raise HTTPError(404)

        headers = fetch(app(Handler), "/", headers={"Accept": "text/html"}).headers
        assert headers["X-Default"] == "1"
        assert "X-Set" not in headers
        assert headers["Content-Type"].startswith("text/html")

    @pytest.mark.parametrize("status", [400, 413, 431])
    def test_the_clients_fault_has_its_status(self, fetch, expect_log, kind, status):
        with expect_log(GENERAL, rf"{status} GET / .*too much wind"):
            response = fetch(app(failing(HTTPInputError("too much wind", status=status), kind)), "/")
        assert (response.code, b"wind" in response.body) == (status, False)

    def test_so_has_an_error_of_the_programs_own(self, fetch, expect_log):
        class Odd(ProtocolError):
            pass

        with expect_log(GENERAL, "422 GET"):
            assert fetch(app(failing(Odd(status=422))), "/").code == 422

    def test_serve_traceback_shows_it(self, fetch, expect_log):
        application = app(failing(ValueError("<secret>")), serve_traceback=True)
        with expect_log(APPLICATION, "Uncaught exception"):
            response = fetch(application, "/")
        assert (response.code, response.headers["Content-Type"]) == (500, "text/plain; charset=UTF-8")
        assert response.text.startswith("500: Internal Server Error\n\nTraceback (most recent call last):")
        assert "ValueError: <secret>" in response.text
        assert "test_failures.py" in response.text

    def test_without_an_exception_there_is_none_to_show(self, fetch):
        class Handler(RequestHandler):
            def get(self):
                self.send_error(503)

        assert fetch(app(Handler, serve_traceback=True), "/").text == "503: Service Unavailable\n"


class TestForms:
    """Which page a client gets."""

    @pytest.mark.parametrize(
        ("headers", "content_type"),
        [
            ({"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}, "text/html; charset=UTF-8"),
            ({"Accept": "application/json"}, "application/problem+json"),
            ({"Accept": "*/*"}, "text/plain; charset=UTF-8"),
            ({}, "text/plain; charset=UTF-8"),
        ],
    )
    def test_are_asked_for(self, fetch, kind, headers, content_type):
        response = fetch(app(failing(HTTPError(404), kind)), "/", headers=headers)
        assert (response.code, response.headers["Content-Type"]) == (404, content_type)
        assert response.headers["Vary"] == "Accept"

    def test_a_detail_is_told_and_escaped(self, fetch):
        application = app(failing(HTTPError(400, detail="a < b & c")))
        assert "<p>a &lt; b &amp; c</p>" in fetch(application, "/", headers={"Accept": "text/html"}).text
        problem = json.loads(fetch(application, "/", headers={"Accept": "application/json"}).body)
        assert problem == {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "a < b & c"}

    def test_78_nothing_of_the_request_is_on_it(self, fetch, expect_log):
        application = Application([("/", RequestHandler)])
        for accept in ("text/html", "application/json", "*/*"):
            response = fetch(application, "/evil<script>?<script>", headers={"Accept": accept, "X-Evil": "<script>"})
            assert (response.code, "script" in response.text, "evil" in response.text) == (404, False, False)

    def test_the_setting_makes_all_pages(self, fetch, kind):
        def page(report):
            return ErrorPage("text/x-mine", f"{report.status} {report.reason} {report.form} {report.request.path}")

        application = app(failing(HTTPError(404), kind), error_page=page)
        response = fetch(application, "/x", headers={"Accept": "text/html"})
        assert (response.headers["Content-Type"], response.text) == ("text/x-mine", "404 Not Found html /x")

    def test_a_setting_that_fails_ends_the_request(self, fetch, expect_log):
        def page(report):
            raise KeyError("x")

        with expect_log(APPLICATION, "Uncaught exception in write_error"):
            response = fetch(app(failing(HTTPError(404)), error_page=page), "/")
        assert (response.code, response.body) == (404, b"")

    def test_write_error_wins(self, fetch):
        def write_error(self, status_code, **kwargs):
            self.finish("mine")

        application = app(failing(HTTPError(404), write_error=write_error), error_page=None, debug_hosts=())
        assert fetch(application, "/", headers={"Accept": "text/html"}).text == "mine"

    def test_tornados_where_nothing_is_asked(self, fetch, expect_log):
        handler = failing(HTTPError(402, reason="Pay & go"), negotiates_errors=False)
        assert fetch(app(handler), "/", headers={"Accept": "application/json"}).text == (
            "<html><title>402: Pay &amp; go</title><body>402: Pay &amp; go</body></html>"
        )
        handler = failing(ValueError("x"), negotiates_errors=False)
        with expect_log(APPLICATION, "Uncaught exception"):
            response = fetch(app(handler, serve_traceback=True), "/", headers={"Accept": "text/html"})
        assert response.text.startswith("Traceback (most recent call last):")


class TestDebug:
    """The page of debug mode."""

    settings = {"debug": True, "autoreload": False, "cookie_secret": "the-cookie-secret"}  # noqa: RUF012
    browser = {"Accept": "text/html", "Host": "localhost:8888", "Cookie": "id=1234"}  # noqa: RUF012

    def test_shows_what_is_around(self, fetch, expect_log, kind):
        with expect_log(APPLICATION, "Uncaught exception"):
            response = fetch(app(failing(ValueError("<b>"), kind), **self.settings), "/?q=1", headers=self.browser)
        assert response.code == 500
        for shown in ("ValueError: &lt;b&gt;", "raise error", "<details>", "Settings", "Cookie"):
            assert shown in response.text
        for hidden in ("the-cookie-secret", "id=1234", "<b>", "<script"):
            assert hidden not in response.text
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert response.headers["Cache-Control"] == "no-store"

    @pytest.mark.parametrize(
        ("settings", "headers"),
        [
            ({"debug": False}, {}),
            ({"debug": False, "serve_traceback": True}, {}),
            ({"serve_traceback": False}, {}),
            ({}, {"Host": "evil.example"}),
            ({}, {"Accept": "application/json"}),
        ],
    )
    def test_159_nobody_else_sees_the_inside(self, fetch, expect_log, settings, headers):
        application = app(failing(ValueError("x")), **{**self.settings, **settings})
        with expect_log(APPLICATION, "Uncaught exception"):
            response = fetch(application, "/", headers={**self.browser, **headers})
        assert response.code == 500
        assert "Settings" not in response.text
        assert "locals" not in response.text

    def test_159_not_from_elsewhere_but_for_hosts_that_are_named(self, fetch, memory, run, expect_log):
        application = app(failing(ValueError("x")), **self.settings)

        async def ask(settings):
            connection = memory.Connection("http")
            connection.context.remote_ip = "192.0.2.7"
            application.settings.update(settings)
            headers = {**self.browser, "Host": "dev.example"}
            return (await memory.request(application, "/", headers=headers, connection=connection)).text

        with expect_log(APPLICATION, "Uncaught exception", count=2):
            assert "Settings" not in run(ask({}))
            assert "Settings" in run(ask({"debug_hosts": ["dev.example"]}))


class TestGetErrorHTML:
    def test_of_older_programs_is_used(self, fetch, expect_log):
        def get_error_html(self, status_code, **kwargs):
            return f"{status_code} {kwargs['exception']!r} {sys.exc_info()[1]!r}"

        with expect_log(APPLICATION, "Uncaught exception"):
            response = fetch(app(failing(ValueError("x"), get_error_html=get_error_html)), "/")
        assert (response.code, response.text) == (500, "500 ValueError('x') ValueError('x')")

    def test_without_an_exception(self, fetch):
        class Handler(RequestHandler):
            def get(self):
                self.send_error(503, hint="later")

            def get_error_html(self, status_code, **kwargs):
                return f"{status_code} {kwargs}"

        assert fetch(app(Handler), "/").text == "503 {'hint': 'later'}"


class TestSendError:
    def test_replaces_what_was_written(self, fetch):
        class Handler(RequestHandler):
            def get(self):
                self.write("half")
                self.send_error(409, reason="Storm")

        response = fetch(app(Handler), "/")
        assert (response.code, response.reason) == (409, "Storm")
        assert b"half" not in response.body

    def test_after_the_head_the_response_is_cut_short(self, fetch, expect_log, kind):
        async def flushed(self):
            self.write("half")
            await self.flush()
            raise HTTPError(404)

        handler = failing(None, get=flushed)
        with expect_log(GENERAL, "Cannot send error response after headers written"):
            with pytest.raises(ConnectionAbortedError):
                fetch(app(handler), "/")
        assert handler.ended == 1

    def test_what_write_error_is_told(self, fetch, expect_log):
        seen = []

        def write_error(self, status_code, **kwargs):
            seen.append((status_code, set(kwargs)))
            self.finish({"error": kwargs["exc_info"][0].__name__ if "exc_info" in kwargs else kwargs["why"]})

        class Handler(failing(KeyError("x"))):  # type: ignore[misc]
            def post(self):
                self.send_error(418, why="tea")

        Handler.write_error = write_error
        with expect_log(APPLICATION, "Uncaught exception"):
            assert fetch(app(Handler), "/").text == '{"error":"KeyError"}'
        assert fetch(app(Handler), "/", method="POST").text == '{"error":"tea"}'
        assert seen == [(500, {"exc_info"}), (418, {"why"})]

    def test_write_error_need_not_finish(self, fetch):
        handler = failing(HTTPError(404), write_error=lambda self, code, **kwargs: self.write(f"{code}!"))
        assert fetch(app(handler), "/").text == "404!"
        assert handler.ended == 1

    def test_write_error_may_fail(self, fetch, expect_log, kind):
        def write_error(self, status_code, **kwargs):
            self.write("a part of it ")
            raise ZeroDivisionError

        handler = failing(HTTPError(404), kind, write_error=write_error)
        with expect_log(APPLICATION, "Uncaught exception in write_error", level=logging.ERROR):
            response = fetch(app(handler), "/")
        assert (response.code, response.text) == (404, "a part of it ")
        assert handler.ended == 1

    def test_write_error_may_fail_after_finish(self, fetch, expect_log):
        def write_error(self, status_code, **kwargs):
            self.finish("page")
            raise ZeroDivisionError

        handler = failing(HTTPError(404), write_error=write_error)
        with expect_log(APPLICATION, "Uncaught exception in write_error"):
            assert fetch(app(handler), "/").text == "page"
        assert handler.ended == 1


class TestFinishException:
    def test_ends_the_request_with_what_there_is(self, fetch, kind):
        handler = failing(Finish(), kind)
        response = fetch(app(handler), "/")
        assert (response.code, response.text, handler.ended) == (200, "half", 1)

    def test_its_argument_is_written(self, fetch, kind):
        response = fetch(app(failing(Finish("+rest"), kind)), "/")
        assert response.text == "half+rest"

    def test_the_status_stays(self, fetch):
        class Handler(RequestHandler):
            def prepare(self):
                self.set_status(401)
                self.set_header("WWW-Authenticate", "Basic")
                raise Finish({"who": "are you"})

            def get(self):
                self.write("never")

        response = fetch(app(Handler), "/")
        assert (response.code, response.text) == (401, '{"who":"are you"}')
        assert response.headers["WWW-Authenticate"] == "Basic"

    def test_after_the_end_it_means_nothing(self, fetch):
        class Handler(RequestHandler):
            def get(self):
                self.finish("all")
                raise Finish("more")

        assert fetch(app(Handler), "/").text == "all"


class TestLogException:
    def test_may_be_overridden(self, fetch, kind):
        logged = []

        def log_exception(self, typ, value, tb):
            logged.append((typ, value, tb.tb_frame.f_code.co_name != ""))

        error = ValueError("x")
        assert fetch(app(failing(error, kind, log_exception=log_exception)), "/").code == 500
        assert logged == [(ValueError, error, True)]

    def test_may_fail(self, fetch, expect_log):
        def log_exception(self, typ, value, tb):
            raise ZeroDivisionError

        handler = failing(HTTPError(404), log_exception=log_exception)
        with expect_log(APPLICATION, "Error in exception logger", level=logging.ERROR):
            assert fetch(app(handler), "/").code == 404
        assert handler.ended == 1

    def test_what_fails_after_the_end_is_logged(self, fetch, expect_log, kind):
        async def later(self):
            await self.finish("all")
            raise ValueError

        def now(self):
            self.finish("all")
            raise ValueError

        handler = failing(None, get=now if kind == "plain" else later)

        with expect_log(APPLICATION, "Uncaught exception GET /"):
            assert fetch(app(handler), "/").text == "all"
        assert handler.ended == 1


class TestConnections:
    def test_a_client_that_is_gone_is_no_error(self, memory):
        class Gone(memory.Connection):
            def write(self, chunk):
                self.stream.closed = lambda: True
                raise StreamClosedError

        handler = failing(None, get=lambda self: self.write("wind"))
        closed = []

        async def main() -> None:
            connection = Gone("http")
            delegate = app(handler).start_request(object(), connection)
            delegate.headers_received(RequestStartLine("GET", "/", "HTTP/1.1"), HTTPHeaders({"Host": "x"}))
            delegate.finish()
            closed.append(connection.ended.done())

        asyncio.run(main())
        assert (closed, handler.ended) == ([False], 1)

    def test_a_stream_of_another_that_closed_is(self, fetch, expect_log):
        with expect_log(APPLICATION, "Uncaught exception"):
            assert fetch(app(failing(StreamClosedError())), "/").code == 500

    def test_a_page_that_cannot_be_sent_ends_the_connection(self, memory, expect_log):
        class Broken(memory.Connection):
            def write_headers(self, start_line, headers, chunk=None):
                raise HTTPOutputError("never")

        handler = failing(HTTPError(404))

        async def main() -> None:
            with expect_log(APPLICATION, "in write_error|Cannot send the error page", count=2):
                with pytest.raises(ConnectionAbortedError):
                    await memory.request(app(handler), "/", connection=Broken("http"))

        asyncio.run(main())
        assert handler.ended == 1

    def test_so_do_default_headers_that_fail(self, fetch, expect_log, kind):
        def set_default_headers(self):
            if "X-Seen" in self.request.headers:
                raise ZeroDivisionError
            self.request.headers["X-Seen"] = "1"

        handler = failing(ValueError(), kind, set_default_headers=set_default_headers)
        with expect_log(APPLICATION, "Uncaught exception GET|Cannot send the error page", count=2):
            with pytest.raises(ConnectionAbortedError):
                fetch(app(handler), "/")
        assert handler.ended == 1

    def test_so_do_transforms_that_fail(self, fetch, expect_log, kind):
        class Fails(OutputTransform):
            def transform_first_chunk(self, status_code, headers, chunk, finishing):
                raise ZeroDivisionError

        handler = failing(ValueError(), kind)
        application = app(handler)
        application.add_transform(Fails)
        with expect_log(APPLICATION, "exception (GET|in write_error)|Cannot send the error", count=3):
            with pytest.raises(ConnectionAbortedError):
                fetch(application, "/")
        assert handler.ended == 1
