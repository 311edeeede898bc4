from __future__ import annotations

import hashlib
from typing import Any

import pytest

from gustnado.http.headers import HTTPHeaders
from gustnado.http.messages import HTTPServerRequest
from gustnado.web import Application, StaticFileHandler
from gustnado.web.handler import RequestHandler


def make(cls: type[RequestHandler] = RequestHandler, **settings: Any) -> RequestHandler:
    request = HTTPServerRequest("GET", "/", headers=HTTPHeaders({"Host": "example.org:8888"}))
    return cls(Application(**settings), request)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "robots.txt").write_bytes(b"wind")
    return str(tmp_path)


VERSIONED = "/static/robots.txt?v=" + hashlib.sha512(b"wind").hexdigest()


def test_the_url_has_a_version(root):
    handler = make(static_path=root)
    assert handler.static_url("robots.txt") == VERSIONED
    assert handler.static_url("robots.txt", include_version=False) == "/static/robots.txt"


def test_the_url_may_have_a_host(root):
    class Absolute(RequestHandler):
        include_host = True

    absolute = "http://example.org:8888" + VERSIONED
    assert make(static_path=root).static_url("robots.txt", include_host=True) == absolute
    assert make(Absolute, static_path=root).static_url("robots.txt") == absolute
    assert make(Absolute, static_path=root).static_url("robots.txt", include_host=False) == VERSIONED


def test_the_prefix_and_the_class_are_settings(root):
    class Other(StaticFileHandler):
        @classmethod
        def make_static_url(cls, settings, path, include_version=True):
            return "other:" + path

    assert (
        make(static_path=root, static_url_prefix="/s/")
        .static_url("robots.txt")
        .startswith("/s/robots.txt?v=")
    )
    assert make(static_path=root, static_handler_class=Other).static_url("x") == "other:x"


def test_there_must_be_a_static_path():
    with pytest.raises(Exception, match="'static_path' setting"):
        make().static_url("robots.txt")
