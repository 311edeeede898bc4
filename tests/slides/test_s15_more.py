"""S15: "websockets, error helpers, etc."."""

from __future__ import annotations

import contextlib

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

PROGRAM = """
    import sys
    import tornado.web
    import tornado.websocket
    from tornado.ioloop import IOLoop
    from tornado.web import Application, ErrorHandler, HTTPError, RequestHandler
    from tornado.websocket import WebSocketHandler

    class Base(RequestHandler):
        def write_error(self, status_code, **kwargs):
            error = kwargs.get("exc_info", (None, None, None))[1]
            self.finish("page %d %s" % (status_code, type(error).__name__ if error else "-"))

        def log_exception(self, typ, value, tb):
            sys.stdout.write("logged %s: %s\\n" % (typ.__name__, value))
            sys.stdout.flush()

    class Raises(Base):
        def get(self):
            raise ValueError("on purpose")

    class Refuses(Base):
        def get(self):
            raise HTTPError(404, "no %s here", "wind")

    class Sends(Base):
        def get(self):
            self.write("what is dropped")
            self.send_error(503)

    class Missing(Base):
        def prepare(self):
            raise HTTPError(404)

    class Echo(WebSocketHandler):
        def open(self):
            self.write_message("welcome")

        def on_message(self, message):
            self.write_message(message, binary=isinstance(message, bytes))

        def on_close(self):
            sys.stdout.write("closed %s\\n" % self.close_code)
            sys.stdout.flush()

    app = Application([
        ("/raises", Raises),
        ("/refuses", Refuses),
        ("/sends", Sends),
        ("/gone", ErrorHandler, {"status_code": 410}),
        ("/echo", Echo),
    ], default_handler_class=Missing)
    app.listen(8080)
    IOLoop.instance().start()
"""


@pytest.fixture
def program(serve):
    return serve(PROGRAM)


@pytest.mark.parametrize(
    ("path", "code", "body", "logged"),
    [
        ("/raises", 500, "page 500 ValueError", "logged ValueError: on purpose"),
        ("/refuses", 404, "page 404 HTTPError", "logged HTTPError: HTTP 404: Not Found (no wind here)"),
        ("/sends", 503, "page 503 -", ""),
        ("/nowhere", 404, "page 404 HTTPError", "logged HTTPError"),
    ],
)
def test_error_helpers(program, path, code, body, logged):
    response = program.fetch(path)
    assert (response.code, response.text) == (code, body)
    assert logged in program.written()


def test_a_handler_that_is_only_an_error(program):
    assert program.fetch("/gone").code == 410


def test_websockets(program):
    with connect(f"ws://127.0.0.1:{program.port}/echo") as socket:
        assert socket.recv(30) == "welcome"
        for message in ("wind", b"\x00\xff", "x" * 100_000):
            socket.send(message)
            assert socket.recv(30) == message
    program.until(lambda: "closed 1000" in program.written())


def test_a_websocket_of_another_site_is_refused(program):
    with pytest.raises((InvalidStatus, ConnectionClosed)):
        with contextlib.ExitStack() as stack:
            stack.enter_context(connect(f"ws://127.0.0.1:{program.port}/echo", origin="http://evil.example"))
