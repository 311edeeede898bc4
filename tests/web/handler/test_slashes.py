from __future__ import annotations

import pytest

from gustnado.web import Application, RequestHandler, addslash, removeslash


class Remove(RequestHandler):
    @removeslash
    def get(self):
        self.write("got")

    @removeslash
    def post(self):
        self.write("posted")

    head = get


class Add(RequestHandler):
    @addslash
    def get(self):
        self.write("got")

    @addslash
    async def post(self):
        self.write("posted")

    head = get


APP = Application([("/+rem.*", Remove), ("/+add.*", Add), ("/+", Remove)])


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/rem/", "/rem"),
        ("/rem///", "/rem"),
        ("/rem/?foo=bar", "/rem?foo=bar"),
        ("/add", "/add/"),
        ("/add?foo=bar", "/add/?foo=bar"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_redirects_for_good(fetch, path, location, method):
    response = fetch(APP, path, method=method)
    assert response.code == 301
    assert response.headers["Location"] == location


@pytest.mark.parametrize("path", ["/rem", "/add/", "/", "//"])
def test_the_right_path_is_served(fetch, path):
    assert fetch(APP, path).body == b"got"
    assert fetch(APP, path, method="POST").body == b"posted"


@pytest.mark.parametrize("path", ["/rem/", "/add"])
def test_other_methods_cannot_be_redirected(fetch, path):
    assert fetch(APP, path, method="POST").code == 404


@pytest.mark.parametrize(
    "path",
    [
        "//add.example.com",
        "///add.example.com",
        "//rem.example.com/",
        "//rem.example.com//",
        "///rem.example.com/x/",
    ],
)
def test_t45_another_host_is_not_redirected_to(fetch, expect_log, path):
    with expect_log("gustnado.general", "cannot redirect path with two initial slashes"):
        response = fetch(APP, path)
    assert response.code == 403
    assert "Location" not in response.headers
