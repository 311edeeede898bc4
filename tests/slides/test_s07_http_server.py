"""S7: HTTP/1.1 by an HTTPServer, which ``listen`` makes, or the program itself."""

from __future__ import annotations

import os
import socket

import pytest

PROGRAM = """
    import os
    from tornado.httpserver import HTTPServer
    from tornado.ioloop import IOLoop
    from tornado.netutil import bind_sockets
    from tornado.web import Application, RequestHandler

    class Handler(RequestHandler):
        def get(self):
            self.write(str(os.getpid()))

        def post(self):
            self.write(self.request.body)

    app = Application([("/", Handler)])
    {start}
    IOLoop.instance().start()
"""

IMPLICIT = "app.listen(8080)"


def server(*calls):
    return "\n    ".join(["server = HTTPServer(app)", *calls])


@pytest.mark.parametrize("style", ["own"])
@pytest.mark.parametrize(
    "start",
    [
        server("server.listen(8080)"),
        server("server.bind(8080)", "server.start(1)"),
        server("server.add_sockets(bind_sockets(8080))"),
    ],
)
def test_every_way_to_start_it(serve, start):
    program = serve(PROGRAM.format(start=start))
    assert program.fetch().text == str(program.process.pid)


@pytest.mark.parametrize("style", ["as_tornado"])
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot fork here")
def test_several_processes(serve):
    program = serve(PROGRAM.format(start=server("server.bind(8080)", "server.start(2)")))
    workers = {int(program.fetch().text) for _ in range(4)}
    assert workers
    assert program.process.pid not in workers


def test_http_1_1(serve):
    program = serve(PROGRAM.format(start=IMPLICIT))
    connection = program.connect()
    try:
        answers = []
        for _ in range(3):
            connection.request("POST", "/", iter([b"wind ", b"and ", b"rain"]), encode_chunked=True,
                               headers={"Transfer-Encoding": "chunked"})  # fmt: skip
            sock = connection.sock
            response = connection.getresponse()
            answers.append((response.version, response.status, response.read(), connection.sock is sock))
        assert answers == [(11, 200, b"wind and rain", True)] * 3
    finally:
        connection.close()
    with socket.create_connection(("127.0.0.1", program.port)) as raw:
        raw.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
        assert raw.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        raw.sendall(b"ok")
        answer = b""
        while piece := raw.recv(1000):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nok")
