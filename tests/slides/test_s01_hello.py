"""S1: an application in ten lines, made before any event loop exists."""

from __future__ import annotations

import signal

import pytest

HELLO = """
    from tornado.web import Application, RequestHandler
    from tornado.ioloop import IOLoop

    class HomeHandler(RequestHandler):
        def get(self):
            self.set_header("Content-type", "text/plain")
            self.write("Hello, world!")

    if __name__ == "__main__":
        app = Application([("/", HomeHandler)])
        app.listen(8080)
        IOLoop.instance().start()
"""


@pytest.mark.parametrize("style", ["as_tornado", "own", "face"])
def test_hello(serve):
    program = serve(HELLO)
    response = program.fetch("/")
    assert (response.version, response.code, response.reason) == ("HTTP/1.1", 200, "OK")
    assert response.headers["Content-Type"] == "text/plain"
    assert response.headers["Content-Length"] == "13"
    assert response.headers["Date"].endswith(" GMT")
    assert response.body == b"Hello, world!"

    # A bare slash is one path, not all.
    assert [program.fetch(path).code for path in ("/?a=b", "/x", "//")] == [200, 404, 404]
    assert program.fetch("/", "POST").code == 405
    head = program.fetch("/", "HEAD")
    assert (head.code, head.body) == (405, b"")

    # Ctrl-C ends it.
    program.process.send_signal(signal.SIGINT)
    assert program.wait() in (-signal.SIGINT, 130)
    assert "\nKeyboardInterrupt" in program.written()


@pytest.mark.parametrize("style", ["own"])
def test_a_second_one_on_the_port_is_told_so(serve, launch):
    first = serve(HELLO)
    second = launch(HELLO.replace("8080", str(first.port)))
    assert second.wait() == 1
    assert "already in use" in second.written().lower().splitlines()[-1]
