"""S14: a handler that stays open until its callback finishes it."""

from __future__ import annotations

import pytest

PROGRAM = """
    import tornado.web
    from tornado.httpclient import AsyncHTTPClient
    from tornado.ioloop import IOLoop
    from tornado.web import Application, HTTPError, RequestHandler


    class Service:
        def fetch(self, path, callback):
            def on_response(response):
                callback(response.body if response.code == 200 else None)

            AsyncHTTPClient().fetch("http://127.0.0.1:8080" + path, callback=on_response)


    service = Service()


    class AsyncHandler(RequestHandler):
        @tornado.web.asynchronous
        def get(self):
            service.fetch("/other/" + self.get_argument("name"), callback=self._callback)
            # request stays open...

        def _callback(self, response):
            if response:
                self.write(response)
            else:
                raise HTTPError(500, "We couldn't find it.")
            # without finish, the request never closes
            self.finish()


    class Other(RequestHandler):
        def get(self):
            self.write("the other thing")


    if __name__ == "__main__":
        app = Application([("/", AsyncHandler), ("/other/thing", Other)])
        app.listen(8080)
        IOLoop.instance().start()
"""


def test_the_callback_answers(serve):
    program = serve(PROGRAM)
    answer = program.fetch("/?name=thing")
    assert (answer.code, answer.text) == (200, "the other thing")


def test_its_exception_is_the_error_page_of_that_request(serve):
    program = serve(PROGRAM)
    failed = program.fetch("/?name=nothing")
    assert failed.code == 500
    assert "We couldn't find it." not in failed.text
    assert program.fetch("/?name=thing").code == 200
    assert "500 GET /?name=nothing (127.0.0.1): We couldn't find it." in program.written()


@pytest.mark.parametrize("name", ["thing", "nothing"])
def test_head_is_405(serve, name):
    assert serve(PROGRAM).fetch(f"/?name={name}", "HEAD").code == 405
