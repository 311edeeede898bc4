from __future__ import annotations

import asyncio
import io
import os
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from gustnado.events.file_sender import FileShrunkError
from gustnado.http.limits import Limits
from gustnado.tornado import gen
from gustnado.web import (
    Application,
    HTTPError,
    RequestHandler,
    StaticFileHandler,
    authenticated,
    stream_request_body,
)
from gustnado.web.wsgi import WSGIAdapter, WSGIApplication

APPLICATION = "gustnado.application"
GENERAL = "gustnado.general"


class Answer:
    def __init__(self, status, headers, body):
        self.code, self.reason = int(status[:3]), status[4:]
        self.headers, self.body = headers, body

    def header(self, name):
        (value,) = [value for key, value in self.headers if key == name]
        return value


def call(application, path="/", method="GET", body=b"", **environ):
    """A request to a WSGI application, under the eyes of the standard's validator."""
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "wsgi.input": io.BytesIO(body),
        "HTTP_HOST": "example.org",
        "REMOTE_ADDR": "10.0.0.1",
        **({"CONTENT_LENGTH": str(len(body))} if body else {}),
        **environ,
    }
    setup_testing_defaults(environ)
    kept = []

    def start_response(status, headers, exc_info=None):
        kept[:] = [status, headers]
        return lambda data: None

    pieces = validator(application)(environ, start_response)
    content = b"".join(pieces)
    pieces.close()
    return Answer(*kept, content)


def handler(**methods):
    return type("Handler", (RequestHandler,), methods)


def adapter(handler_class, limits=None, **settings):
    return WSGIAdapter(Application([("/(.*)", handler_class)], **settings), limits)


def test_a_handler_answers():
    def post(self, path):
        self.set_status(201)
        self.write(
            {
                "path": path,
                "a": self.get_arguments("a"),
                "ip": self.request.remote_ip,
                "url": self.request.full_url(),
                "version": self.request.version,
            }
        )

    answer = call(
        adapter(handler(post=post)),
        "/w\u00c3\u00af",
        "POST",
        b"a=2",
        QUERY_STRING="a=1",
        CONTENT_TYPE="application/x-www-form-urlencoded",
        SERVER_PROTOCOL="HTTP/1.1",
        **{"wsgi.url_scheme": "https"},
    )
    assert (answer.code, answer.reason) == (201, "Created")
    assert answer.body == (
        b'{"path":"w\xc3\xaf","a":["1","2"],"ip":"10.0.0.1","url":"https://example.org/w%C3%AF?a=1","version":"HTTP/1.1"}'
    )
    assert answer.header("Content-Length") == str(len(answer.body))


def test_cookies_etags_and_error_pages_are_as_ever():
    def get(self, path):
        if path:
            raise HTTPError(403)
        self.set_cookie("a", "1")
        self.set_cookie("b", "2")
        self.write("x")

    application = adapter(handler(get=get))
    answer = call(application)
    cookies = sorted(value.partition(";")[0] for name, value in answer.headers if name == "Set-Cookie")
    assert cookies == ["a=1", "b=2"]
    etag = answer.header("Etag")
    assert call(application, HTTP_IF_NONE_MATCH=etag).code == 304
    assert call(application, "/x").code == 403
    assert call(application, method="DELETE").code == 405


def test_a_head_request_has_no_body():
    def head(self, path):
        self.write("x")

    answer = call(adapter(handler(head=head)), method="HEAD")
    assert answer.body == b""
    assert answer.header("Content-Length") == "1"


def test_flushing_is_harmless():
    def get(self, path):
        self.write("a")
        self.flush()
        self.write("b")

    assert call(adapter(handler(get=get))).body == b"ab"


def test_a_body_that_is_streamed():
    @stream_request_body
    class Stream(RequestHandler):
        def prepare(self):
            self.got = []

        def data_received(self, chunk):
            self.got.append(chunk)

        def post(self, path):
            self.write(b"|".join(self.got))

    assert call(adapter(Stream), method="POST", body=b"wind").body == b"wind"


def test_an_exception_is_the_error_page(expect_log):
    def get(self, path):
        raise ValueError("on purpose")

    with expect_log(APPLICATION, "Uncaught exception GET /"):
        assert call(adapter(handler(get=get))).code == 500


async def pause(self, *args):
    await asyncio.sleep(0)


def test_a_generator_is_an_error_that_names_the_way_out(expect_log):
    with expect_log(APPLICATION, r"GET /: Handler\.get is a generator .* with listen\(\), or by an ASGI server"):
        answer = call(adapter(handler(get=gen.coroutine(pause))))
    assert (answer.code, answer.body) == (500, b"500: Internal Server Error\n")


@pytest.mark.parametrize(
    "methods",
    [
        {"get": pause},
        {"prepare": pause},
        {"get_current_user": pause},
        {"get": authenticated(pause), "get_current_user": lambda self: "ann"},
    ],
    ids=["get", "prepare", "user", "wrapped"],
)
def test_so_is_what_waits(expect_log, methods):
    with expect_log(APPLICATION, "Uncaught exception") as seen:
        assert call(adapter(handler(**methods))).code == 500
    (record,) = seen.records
    assert "serve the application with listen(), or by an ASGI server" in str(record.exc_info[1])


def test_what_asyncio_says_of_a_missing_loop_is_explained(expect_log):
    async def get(self, path):
        await asyncio.sleep(1)

    with expect_log(APPLICATION, "Uncaught exception") as seen:
        assert call(adapter(handler(get=get))).code == 500
    (record,) = seen.records
    assert "serve the application with listen(), or by an ASGI server" in record.exc_info[1].__notes__[0]


def test_a_coroutine_may_be_one_as_long_as_it_does_not_wait():
    async def prepare(self):
        self.seen = [await self.helper()]

    async def helper(self):
        return "prepared"

    async def get_current_user(self):
        return "ann"

    async def get(self, path):
        self.write({"seen": [*self.seen, self.current_user]})
        await self.flush()

    answer = call(adapter(handler(get=get, prepare=prepare, helper=helper, get_current_user=get_current_user)))
    assert (answer.code, answer.body) == (200, b'{"seen":["prepared","ann"]}')


class TestFiles:
    LARGE = bytes(range(256)) * 4096

    @pytest.fixture
    def root(self, tmp_path):
        (tmp_path / "large.bin").write_bytes(self.LARGE)
        (tmp_path / "small.txt").write_bytes(b"small")
        return tmp_path

    @pytest.fixture
    def application(self, root):
        StaticFileHandler.reset()
        return WSGIAdapter(Application([], static_path=str(root)))

    def test_static_files(self, application):
        for _ in range(2):
            answer = call(application, "/static/small.txt")
            assert (answer.code, answer.body) == (200, b"small")
            assert answer.header("Content-Type") == "text/plain"
            large = call(application, "/static/large.bin")
            assert large.body == self.LARGE
            assert large.header("Content-Length") == str(len(self.LARGE))
        assert call(application, "/static/large.bin", "HEAD").body == b""
        assert call(application, "/static/large.bin", HTTP_IF_NONE_MATCH=large.header("Etag")).code == 304

    def test_ranges(self, application):
        answer = call(application, "/static/large.bin", HTTP_RANGE="bytes=300000-700000")
        assert (answer.code, answer.body) == (206, self.LARGE[300_000:700_001])
        answer = call(application, "/static/large.bin", HTTP_RANGE="bytes=1-2,100000-200000")
        assert answer.code == 206
        assert self.LARGE[100_000:200_001] in answer.body
        assert answer.header("Content-Length") == str(len(answer.body))

    def test_what_is_not_there(self, application, expect_log):
        assert call(application, "/static/nothing").code == 404
        with expect_log(GENERAL, "is not a file"):
            assert call(application, "/static/").code == 403

    def test_a_large_one_is_read_as_it_is_sent(self, application):
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/static/large.bin"}
        setup_testing_defaults(environ)
        body = application(environ, lambda status, headers: None)
        assert len(next(iter(body))) < len(self.LARGE)
        before = len(os.listdir("/proc/self/fd"))
        body.close()
        assert len(os.listdir("/proc/self/fd")) == before - 1

    def test_one_that_shrinks_meanwhile_is_cut_short(self, application, root):
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/static/large.bin"}
        setup_testing_defaults(environ)
        body = application(environ, lambda status, headers: None)
        os.truncate(root / "large.bin", 300_000)
        with pytest.raises(FileShrunkError):
            b"".join(body)
        body.close()

    def test_a_handler_sends_a_part_of_one(self, root):
        async def get(self, path):
            self.write(b"<")
            await self.send_file(root / "large.bin", 10, 300_000)
            self.finish()

        answer = call(adapter(handler(get=get)))
        assert answer.body == b"<" + self.LARGE[10:300_000]
        assert answer.header("Content-Length") == str(len(answer.body))
        assert answer.header("Content-Type") == "application/octet-stream"


def test_what_is_left_open_is_an_error_that_names_the_way_out(expect_log):
    def get(self, path):
        self._auto_finish = False  # as @asynchronous does

    with expect_log(APPLICATION, r"GET /: the handler has returned without finishing.* by an ASGI server"):
        answer = call(adapter(handler(get=get)))
    assert (answer.code, answer.body) == (500, b"500: Internal Server Error\n")


@pytest.mark.parametrize(
    ("environ", "body", "code", "log"),
    [
        ({"CONTENT_LENGTH": "x"}, b"", 400, "malformed Content-Length"),
        ({"CONTENT_LENGTH": "-1"}, b"", 400, "malformed Content-Length"),
        ({"CONTENT_LENGTH": "11"}, b"", 413, "11 bytes; 10 are taken"),
        ({"CONTENT_LENGTH": "9" * 5000}, b"", 413, "10 are taken"),
        ({"CONTENT_LENGTH": "5"}, b"abc", 400, "ended after 3 of 5 bytes"),
    ],
)
def test_bodies_that_are_refused(expect_log, environ, body, code, log):
    application = adapter(handler(post=lambda self, path: self.write("taken")), Limits(max_body_size=10))
    with expect_log(GENERAL, log):
        environ = {"wsgi.input": io.BytesIO(body), **environ}
        answer = Plain(application, method="POST", **environ)
    assert answer.code == code


def Plain(application, **environ):
    """Without the validator, which refuses such a request before we do."""
    method = environ.pop("method")
    full = {"REQUEST_METHOD": method, **environ}
    setup_testing_defaults(full)
    kept = []
    body = application(full, lambda status, headers: kept.extend([status, headers]))
    return Answer(*kept, b"".join(body))


def test_a_malformed_form_is_a_400(expect_log):
    application = adapter(handler(post=lambda self, path: self.write("taken")))
    with expect_log(GENERAL, "multipart"):
        answer = call(application, method="POST", body=b"x", CONTENT_TYPE="multipart/form-data")
    assert answer.code == 400


def test_no_route_is_a_404():
    assert call(WSGIAdapter(Application([("/x", handler())]))).code == 404


def test_an_application_of_its_own_kind():
    application = WSGIApplication([("/", handler(get=lambda self: self.write("x")))], debug=True)
    assert call(application).body == b"x"
    assert application.settings["autoreload"] is False


def test_it_makes_no_event_loop():
    def get(self, path):
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        self.write("x")

    assert call(adapter(handler(get=get))).body == b"x"
