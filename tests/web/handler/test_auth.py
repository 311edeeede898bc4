from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gustnado.errors import UsageError
from gustnado.http.messages import HTTPServerRequest
from gustnado.web import Application, RequestHandler, authenticated


class Counting(RequestHandler):
    asked = 0

    def get_current_user(self):
        type(self).asked += 1
        return self.get_cookie("user")


def make(cls: type[RequestHandler], **settings: Any) -> RequestHandler:
    return cls(Application(**settings), HTTPServerRequest("GET", "/"))


def test_the_user_is_asked_for_once_and_only_when_wanted():
    class Handler(Counting):
        pass

    handler = make(Handler)
    assert Handler.asked == 0
    assert handler.current_user is None
    assert handler.current_user is None
    assert Handler.asked == 1


def test_what_the_program_sets_is_the_user():
    class Handler(Counting):
        pass

    handler = make(Handler)
    handler.current_user = "ada"
    assert handler.current_user == "ada"
    assert Handler.asked == 0


def test_nobody_is_the_user_by_default():
    assert make(RequestHandler).current_user is None


def test_an_async_user_is_there_before_prepare(fetch):
    seen: list[str] = []

    class Handler(RequestHandler):
        async def get_current_user(self):
            await asyncio.sleep(0)
            return "ada"

        def prepare(self):
            seen.append(self.current_user)

        @authenticated
        async def get(self):
            await asyncio.sleep(0)
            self.write(self.current_user)

    assert Handler.current_user_is_async
    assert fetch(Application([("/", Handler)]), "/").body == b"ada"
    assert seen == ["ada"]


def test_an_async_user_may_fail(fetch, expect_log):
    class Handler(RequestHandler):
        async def get_current_user(self):
            raise ZeroDivisionError

        def get(self):
            self.write("never")

    with expect_log("gustnado.application", "Uncaught exception"):
        assert fetch(Application([("/", Handler)]), "/").code == 500


def test_an_async_user_that_is_known_is_not_asked_for(fetch):
    class Handler(RequestHandler):
        def initialize(self):
            self.current_user = "eve"

        async def get_current_user(self):
            return "ada"

        def get(self):
            self.write(self.current_user)

    assert fetch(Application([("/", Handler)]), "/").body == b"eve"


def test_an_awaitable_that_nobody_awaits_is_an_error():
    async def user():
        return "ada"

    class Handler(RequestHandler):
        def get_current_user(self):
            return user()

    assert not Handler.current_user_is_async
    with pytest.raises(UsageError, match="async def"):
        _ = make(Handler).current_user


def test_login_url_is_a_setting():
    assert make(RequestHandler, login_url="/login").get_login_url() == "/login"
    with pytest.raises(Exception, match="'login_url' setting"):
        make(RequestHandler).get_login_url()


class Private(RequestHandler):
    def get_current_user(self):
        return self.get_cookie("user")

    @authenticated
    def get(self):
        """Say hello."""
        self.write("hello " + self.current_user)

    @authenticated
    def post(self):
        self.write("posted")


@pytest.mark.parametrize(
    ("path", "login_url", "location"),
    [
        ("/private", "/login", "/login?next=%2Fprivate"),
        ("/private?a=b&c", "/login", "/login?next=%2Fprivate%3Fa%3Db%26c"),
        (
            "/private",
            "http://login.example/x",
            "http://login.example/x?next=http%3A%2F%2Fexample.org%2Fprivate",
        ),
        ("/private", "/login?to=here", "/login?to=here"),
        ("//evil.example/private", "/login", "/login?next=%2F"),
        ("/\\evil.example/private", "/login", "/login?next=%2F"),
    ],
)
def test_strangers_are_sent_to_log_in(fetch, path, login_url, location):
    app = Application([("/.*", Private)], login_url=login_url)
    response = fetch(app, path)
    assert response.code == 302
    assert response.headers["Location"] == location


def test_strangers_get_403_for_other_methods(fetch):
    app = Application([("/", Private)], login_url="/login")
    assert fetch(app, "/", method="POST").code == 403


def test_friends_get_in(fetch):
    app = Application([("/", Private)], login_url="/login")
    headers = {"Cookie": "user=ada"}
    assert fetch(app, "/", headers=headers).body == b"hello ada"
    assert fetch(app, "/", method="POST", headers=headers).body == b"posted"


def test_the_method_stays_itself():
    assert (Private.get.__name__, Private.get.__doc__) == ("get", "Say hello.")
