from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from wsgiref.validate import validator

import pytest

from gustnado.events.sockets import bind_sockets
from gustnado.http import AsyncHTTPClient, HTTPServer
from gustnado.http.client.errors import IncompleteResponseError
from gustnado.web import Application, FallbackHandler, RequestHandler
from gustnado.web.wsgi import WSGIContainer

APPLICATION = "gustnado.application"
HEAD = ("200 OK", [("Content-Type", "text/plain")])


@pytest.fixture(params=["loop", "threads"])
def executor(request):
    if request.param == "loop":
        yield None
        return
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.fixture
def serve(run, executor):
    """``serve(wsgi_application, scenario)`` runs ``async def scenario(fetch)``, and gives its result."""

    def runner(application, scenario, wrap=WSGIContainer):
        async def main():
            server = HTTPServer(wrap(application, executor))
            (socket,) = bind_sockets(0, "127.0.0.1")
            url = f"http://127.0.0.1:{socket.getsockname()[1]}"
            server.add_sockets([socket])

            async def fetch(path="/", **options):
                return await AsyncHTTPClient().fetch(url + path, raise_error=False, **options)

            fetch.port = socket.getsockname()[1]
            try:
                return await scenario(fetch)
            finally:
                AsyncHTTPClient().close()
                server.stop()
                await server.close_all_connections()

        return run(main())

    return runner


async def get(fetch):
    return await fetch()


def echo(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Path", environ["PATH_INFO"])])
    return [environ["REQUEST_METHOD"].encode(), b" ", environ["wsgi.input"].read()]


def test_a_request_goes_in_and_an_answer_out(serve):
    async def scenario(fetch):
        response = await fetch("/a%20b", method="POST", body=b"wind")
        assert response.headers["X-Path"] == "/a b"
        assert response.headers["Content-Length"] == "9"
        return response.body

    assert serve(echo, scenario) == b"POST wind"


def test_the_standards_own_validator_is_content(serve):
    def application(environ, start_response):
        start_response(*HEAD)
        return [b"fine"]

    assert serve(validator(application), get).body == b"fine"


def test_a_body_leaves_piece_by_piece(serve, executor):
    """The client has the first piece while the application still makes the second."""
    may_go_on = threading.Event()

    def application(environ, start_response):
        start_response(*HEAD)
        yield b"first"
        if executor is not None:
            assert may_go_on.wait(30)
        yield b"second"

    async def scenario(fetch):
        pieces = []

        def got(piece):
            pieces.append(piece)
            may_go_on.set()

        response = await fetch(streaming_callback=got)
        assert "Content-Length" not in response.headers
        return b"".join(pieces)

    assert serve(application, scenario) == b"firstsecond"


def test_a_slow_client_slows_the_application_down(serve):
    made = []

    def application(environ, start_response):
        start_response(*HEAD)
        for number in range(1000):
            made.append(number)
            yield b"x" * 65536

    async def scenario(fetch):
        reader, writer = await asyncio.open_connection("127.0.0.1", fetch.port, limit=1024)
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        await reader.readline()
        seen = -1
        while seen != len(made):  # until it stands still
            seen = len(made)
            for _ in range(100):
                await asyncio.sleep(0.002)
        writer.transport.abort()
        return seen

    assert serve(application, scenario) < 900


def test_close_is_called_where_the_client_goes_away(serve):
    closed = threading.Event()

    class Endless:
        def __iter__(self):
            while True:
                yield b"x" * 65536

        def close(self):
            closed.set()

    def application(environ, start_response):
        start_response(*HEAD)
        return Endless()

    async def scenario(fetch):
        reader, writer = await asyncio.open_connection("127.0.0.1", fetch.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        await reader.readline()
        writer.transport.abort()
        while not closed.is_set():
            await asyncio.sleep(0.001)

    serve(application, scenario)


@pytest.mark.parametrize("fails", [False, True])
def test_close_is_called_in_the_applications_thread(serve, executor, expect_log, fails):
    closed = []

    class Body:
        def __iter__(self):
            yield b""
            if fails:
                raise ValueError("on purpose")

        def close(self):
            closed.append(threading.current_thread() is threading.main_thread())

    def application(environ, start_response):
        start_response(*HEAD)
        return Body()

    if fails:
        with expect_log(APPLICATION, "Exception in a WSGI application, GET /"):
            assert serve(application, get).code == 500
    else:
        assert serve(application, get).code == 200
    assert closed == [executor is None]


@pytest.mark.parametrize("where", ["call", "iteration"])
def test_an_exception_is_a_500(serve, expect_log, where):
    def call(environ, start_response):
        raise ValueError("on purpose")

    def iteration(environ, start_response):
        start_response(*HEAD)
        raise ValueError("on purpose")
        yield b""

    with expect_log(APPLICATION, "Exception in a WSGI application"):
        response = serve({"call": call, "iteration": iteration}[where], get)
    assert (response.code, response.body) == (500, b"Internal Server Error\n")


def test_an_exception_after_the_head_cuts_the_answer_short(serve, expect_log):
    def application(environ, start_response):
        start_response(*HEAD)
        yield b"half"
        raise ValueError("on purpose")

    async def scenario(fetch):
        with pytest.raises(IncompleteResponseError):
            await fetch()

    with expect_log(APPLICATION, "Exception in a WSGI application"):
        serve(application, scenario)


def test_an_application_may_answer_with_its_own_error_page(serve):
    def application(environ, start_response):
        import sys

        start_response(*HEAD)
        try:
            raise ValueError("on purpose")
        except ValueError:
            start_response("503 Sorry", [("Content-Type", "text/plain")], sys.exc_info())
        return [b"sorry"]

    response = serve(application, get)
    assert (response.code, response.reason, response.body) == (503, "Sorry", b"sorry")


def test_write_and_an_iterable_together(serve):
    def application(environ, start_response):
        write = start_response(*HEAD)
        write(b"a")
        write(b"b")
        return [b"c"]

    assert serve(application, get).body == b"abc"


@pytest.mark.parametrize(
    "application",
    [
        lambda environ, start_response: [b"no head"],
        lambda environ, start_response: start_response("nonsense", []) and [b"x"],
        lambda environ, start_response: start_response(*HEAD) and ["text"],
        lambda environ, start_response: start_response(*HEAD) and None,
        lambda environ, start_response: start_response("200 OK", [("Connection", "close")]) and [],
        lambda environ, start_response: start_response("200 OK", [("Content-Length", "5")]) and [b"toolong"],
    ],
)
def test_nonsense_is_a_500_and_in_the_log(serve, expect_log, application):
    with expect_log(APPLICATION, "Exception in a WSGI application"):
        assert serve(application, get).code == 500


def test_a_head_request_has_the_length_alone(serve):
    async def scenario(fetch):
        return await fetch(method="HEAD")

    response = serve(echo, scenario)
    assert (response.body, response.headers["Content-Length"]) == (b"", "5")


def test_beside_handlers(serve):
    class Home(RequestHandler):
        def get(self):
            self.write("handler")

    def wrap(application, executor):
        fallback = {"fallback": WSGIContainer(application, executor)}
        return Application([("/", Home), ("/wsgi/.*", FallbackHandler, fallback)])

    async def scenario(fetch):
        return (await fetch("/")).body, (await fetch("/wsgi/x")).body

    assert serve(echo, scenario, wrap) == (b"handler", b"GET ")


def test_the_access_log(serve):
    import logging

    lines = []
    handler = logging.Handler(logging.INFO)
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("gustnado.access")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        serve(echo, get)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
    assert len([line for line in lines if line.startswith("200 GET / (127.0.0.1)")]) == 1
