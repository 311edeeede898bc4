"""S12: an application under gevent's server, or any other that speaks WSGI."""

from __future__ import annotations

import concurrent.futures

import pytest

HANDLER = """
    import asyncio
    import os
    import time
    from tornado.web import RequestHandler
    from tornado.wsgi import WSGIApplication

    class Handler(RequestHandler):
        def get(self):
            self.set_secure_cookie("seen", "yes")
            self.write({"hello": self.get_argument("name", "world"), "ip": self.request.remote_ip})

        def post(self):
            self.write(self.request.body)

    class Waiting(RequestHandler):
        async def get(self):
            await asyncio.sleep(0)

    os.makedirs("files")
    with open("files/wind.bin", "wb") as file:
        file.write(bytes(range(256)) * 4000)
    app = WSGIApplication(
        [("/", Handler), ("/waiting", Waiting)], cookie_secret="as secret as can be", static_path="files"
    )
"""

GEVENT = (
    "from gevent import monkey\nmonkey.patch_all()\n"
    + HANDLER.replace("\n    ", "\n")
    + """
import gevent.pywsgi
server = gevent.pywsgi.WSGIServer(('', 8080), app)
server.serve_forever()
"""
)

WAITRESS = (
    HANDLER.replace("\n    ", "\n")
    + """
import waitress
waitress.serve(app, host="127.0.0.1", port=8080)
"""
)

WSGIREF = (
    HANDLER.replace("\n    ", "\n")
    + """
from wsgiref.simple_server import make_server
make_server("127.0.0.1", 8080, app).serve_forever()
"""
)

SERVERS = {"gevent": GEVENT, "waitress": WAITRESS, "wsgiref": WSGIREF}


@pytest.fixture(params=list(SERVERS))
def program(request, serve):
    return serve(SERVERS[request.param])


def test_a_handler_answers(program):
    response = program.fetch("/?name=gust")
    assert response.json["hello"] == "gust"
    assert response.json["ip"].removeprefix("::ffff:") == "127.0.0.1"  # as gevent has it
    assert response.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert response.cookie("seen").startswith("seen=2|1:0|")
    assert program.fetch("/", "POST", "wind").text == "wind"
    assert program.fetch("/nowhere").code == 404


def test_static_files(program):
    content = bytes(range(256)) * 4000
    for _ in range(2):
        response = program.fetch("/static/wind.bin")
        assert (response.code, response.body) == (200, content)
    assert response.headers["Content-Length"] == str(len(content))
    part = program.fetch("/static/wind.bin", headers={"Range": "bytes=1000-900000"})
    assert (part.code, part.body) == (206, content[1000:900_001])
    known = program.fetch("/static/wind.bin", headers={"If-None-Match": response.headers["Etag"]})
    assert (known.code, known.body) == (304, b"")


def test_a_handler_that_waits_gets_an_error_that_names_the_way_out(program):
    assert program.fetch("/waiting").code == 500
    assert "ASGI" in program.until(lambda: "ASGI" in program.written() and program.written())


def test_several_at_once(program):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        bodies = [str(number) for number in range(40)]
        assert [r.text for r in pool.map(lambda body: program.fetch("/", "POST", body), bodies)] == bodies
