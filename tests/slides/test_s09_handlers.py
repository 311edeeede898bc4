"""S9: groups of the route are arguments of the method, the request is at hand, a template makes the page."""

from __future__ import annotations

import pytest

CONTROLLER = r"""
    from tornado.web import RequestHandler, Application
    from tornado.ioloop import IOLoop

    class Controller(RequestHandler):
        # regex groups in route passed to method
        def get(self, username):
            ip = self.request.remote_ip # request on handler
            # tornado includes its own templating system
            self.render(
                "template.html", ip=ip, username=username)

    app = Application([
        # routes are regex passed into Application
        (r"/(\w+)", Controller)
    ])
    app.listen(8080)
    IOLoop.instance().start()
"""

TEMPLATE = {"template.html": "<p>{{ username }} from {{ ip }}</p>\n"}


def test_a_page_for_a_name(serve):
    program = serve(CONTROLLER, TEMPLATE)
    response = program.fetch("/ada?x=y")
    assert (response.code, response.text) == (200, "<p>ada from 127.0.0.1</p>\n")
    assert response.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert [program.fetch(path).code for path in ("/", "/ada/x", "/ada!")] == [404, 404, 404]


@pytest.mark.parametrize("style", ["own"])
def test_a_named_group_is_a_keyword_and_what_comes_from_outside_is_escaped(serve):
    program = serve(CONTROLLER.replace(r"/(\w+)", "/(?P<username>.*)"), TEMPLATE)
    assert program.fetch("/%3Cb%3E%26%C3%A9").text == "<p>&lt;b&gt;&amp;\u00e9 from 127.0.0.1</p>\n"
