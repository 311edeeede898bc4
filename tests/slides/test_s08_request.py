"""S8: what a request tells."""

from __future__ import annotations

SHOW = """
    from tornado.ioloop import IOLoop
    from tornado.web import Application, RequestHandler

    class Show(RequestHandler):
        def post(self):
            request = self.request
            self.write({
                "body": request.body.decode(),  # the request body string, if present
                "headers": request.headers["X-Wind"] + request.headers["x-wind"],  # dictionary of headers
                "cookies": {name: cookie.value for name, cookie in request.cookies.items()},
                "path": request.path,  # /foobar/path
                "query": request.query,  # ?key=value
                "remote_ip": request.remote_ip,  # actual request ip
                "scheme": request.scheme,  # actual request scheme (http[s])
                "protocol": request.protocol,
                "arguments": {name: [v.decode() for v in found] for name, found in request.arguments.items()},
                "files": {name: [[f.filename, f.body.decode()] for f in files]
                          for name, files in request.files.items()},
                "method": request.method,
                "uri": request.uri,
                "version": request.version,
                "host": request.host,
                "full_url": request.full_url(),
                "took time": 0 < request.request_time() < 30,
            })

    app = Application([("/.*", Show)])
    app.listen(8080)
    IOLoop.instance().start()
"""

FORM = (
    "--b\r\nContent-Disposition: form-data; name=\"speed\"\r\n\r\n3\r\n"
    "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"wind.txt\"\r\n\r\ngust\r\n--b--\r\n"
)  # fmt: skip


def test_all_of_it(serve):
    program = serve(SHOW)
    host = f"127.0.0.1:{program.port}"
    headers = {"X-Wind": "3", "Cookie": "a=b; c=d"}
    told = program.fetch("/foobar/path?key=value&key=2", "POST", "wind", headers).json
    assert told == {
        "body": "wind",
        "headers": "33",
        "cookies": {"a": "b", "c": "d"},
        "path": "/foobar/path",
        "query": "key=value&key=2",
        "remote_ip": "127.0.0.1",
        "scheme": "http",
        "protocol": "http",
        "arguments": {"key": ["value", "2"]},
        "files": {},
        "method": "POST",
        "uri": "/foobar/path?key=value&key=2",
        "version": "HTTP/1.1",
        "host": host,
        "full_url": f"http://{host}/foobar/path?key=value&key=2",
        "took time": True,
    }
    told = program.fetch(
        "/x?speed=1", "POST", FORM, {"X-Wind": "", "Content-Type": "multipart/form-data; boundary=b"}
    ).json
    assert told["arguments"] == {"speed": ["1", "3"]}
    assert told["files"] == {"f": [["wind.txt", "gust"]]}
