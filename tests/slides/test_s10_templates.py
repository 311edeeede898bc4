"""S10: the template of the slides, letter by letter."""

from __future__ import annotations

import sys

BASE = "<html>{% block content %}nothing{% end %}</html>"

TEMPLATE = """\
{% extends "base.html" %}
{% block content %}
<h1>Hello, {{ username.uppercase() }}.</h1>
{# it's mostly just python. #}
{% if ip == "127.0.0.1" %}
<p>You must still be working on this.</p>
{% else %}
<p>You are accessing us from {{ ip }}.</p>
{% end if %}
{% end block %}
"""

IMPORTS = """\
{# You can even... #}
{% import requests %}
{{ requests.get("http://www.google.com").text }}
{# ...but don't. That's really, really stupid. #}
"""

# A name that can do what the slide asks of it: Python's own say upper().
PROGRAM = """
    from tornado.web import Application, RequestHandler
    from tornado.ioloop import IOLoop

    class Name(str):
        def uppercase(self):
            return self.upper()

    class Controller(RequestHandler):
        def get(self, username):
            self.render("template.html", ip=self.request.remote_ip, username=Name(username))

    class Page(RequestHandler):
        def get(self, name):
            self.render(name, username="ada", ip="127.0.0.1")

    app = Application([("/page/(.*)", Page), ("/(.*)", Controller)])
    app.listen(8080)
    IOLoop.instance().start()
"""

FILES = {
    "base.html": BASE,
    "template.html": TEMPLATE,
    "import.html": IMPORTS,
    "requests.py": """
        class get:
            def __init__(self, url):
                self.text = f"<{url}>"
    """,
    "nameless.html": "{% if True %}{% block a %}x{% end %}{% end %}",
    "wrong.html": "a\n{% if True %}\nb\n{% end block %}\n",
}


def lines(response):
    return [line for line in response.text.splitlines() if line]


def test_the_page(serve):
    program = serve(PROGRAM, FILES)
    assert lines(program.fetch("/ada")) == [
        "<html>",
        "<h1>Hello, ADA.</h1>",
        "<p>You must still be working on this.</p>",
        "</html>",
    ]
    assert "<h1>Hello, &lt;ADA&gt;.</h1>" in lines(program.fetch("/%3Cada%3E"))
    assert program.fetch("/page/import.html").text.strip() == "&lt;http://www.google.com&gt;"
    assert program.fetch("/page/nameless.html").text == "x"

    if sys.platform == "linux":  # which has all of 127.0.0.0/8
        assert "<p>You are accessing us from 127.0.0.2.</p>" in lines(program.fetch("/ada", source="127.0.0.2"))

    # Errors name file and line.
    assert program.fetch("/page/wrong.html").code == 500
    wrong = program.written()
    assert "wrong.html:4" in wrong
    assert program.fetch("/page/template.html").code == 500  # a str has no uppercase()
    failed = program.written()[len(wrong) :]
    assert "AttributeError: 'str' object has no attribute 'uppercase'" in failed
    assert 'template.html", line 3' in failed or "template.html:3" in failed
