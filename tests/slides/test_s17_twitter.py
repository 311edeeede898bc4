"""S17: sign-in with Twitter, in the callback style."""

from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

import gustnado.tornado.web

PROGRAM = """
    import tornado.web
    from tornado.ioloop import IOLoop
    from tornado.web import Application, HTTPError, RequestHandler
    from tornado.auth import TwitterMixin
    from database import DB

    class TwitterAuthHandler(RequestHandler, TwitterMixin):
        @property
        def db(self):
            return self.application.settings["db"]

        @tornado.web.asynchronous
        def get(self):
            if self.get_argument("oauth_token", None):
                return self.get_authenticated_user(self._on_auth)
            self.authorize_redirect()

        def _on_auth(self, user):
            if not user:
                raise HTTPError(500, "Couldn't auth.")
            user = self.db.create({"username": user["username"]})
            self.set_secure_cookie("token", user.token)
            self.redirect("/dashboard")

    TWITTER = "http://127.0.0.1:TWITTER_PORT"
    TwitterMixin._OAUTH_REQUEST_TOKEN_URL = TWITTER + "/oauth/request_token"
    TwitterMixin._OAUTH_ACCESS_TOKEN_URL = TWITTER + "/oauth/access_token"
    TwitterMixin._OAUTH_AUTHORIZE_URL = TWITTER + "/oauth/authorize"
    TwitterMixin._TWITTER_BASE_URL = TWITTER + "/1.1"

    app = Application(
        [("/login", TwitterAuthHandler)],
        db=DB(),
        cookie_secret="as secret as can be",
        twitter_consumer_key="app",
        twitter_consumer_secret="app's secret",
    )
    app.listen(8080)
    IOLoop.instance().start()
"""

FILES = {
    "database.py": """
        class User:
            def __init__(self, fields):
                self.token = "token of " + fields["username"]

        class DB:
            def create(self, fields):
                return User(fields)
    """
}

pytestmark = pytest.mark.skipif(
    not hasattr(gustnado.tornado.web, "asynchronous"), reason="@asynchronous is not there"
)


class Twitter(BaseHTTPRequestHandler):
    """What of Twitter the program meets."""

    def do_GET(self):
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        answers = {
            "/oauth/request_token": b"oauth_token=request&oauth_token_secret=1234",
            "/oauth/access_token": b"oauth_token=access&oauth_token_secret=5678",
            "/1.1/account/verify_credentials.json": b'{"screen_name": "joshmarshall"}',
        }
        is_signed = "oauth_signature" in query and query["oauth_consumer_key"] == "app"
        fails = self.server.fails and url.path == "/oauth/access_token"
        self.send_response(200 if is_signed and not fails else 401)
        self.end_headers()
        self.wfile.write(answers[url.path])

    def log_message(self, *args):
        pass


@pytest.fixture
def twitter():
    with ThreadingHTTPServer(("127.0.0.1", 0), Twitter) as server:
        server.fails = False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        with contextlib.ExitStack() as stack:
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            yield server


@pytest.fixture
def program(serve, twitter):
    return serve(PROGRAM.replace("TWITTER_PORT", str(twitter.server_address[1])), FILES)


def test_from_the_login_page_to_the_dashboard(program, twitter):
    first = program.fetch("/login")
    assert first.code == 302
    assert first.headers["Location"] == (
        f"http://127.0.0.1:{twitter.server_address[1]}/oauth/authorize?oauth_token=request"
    )
    cookie = first.cookie("_oauth_request_token")
    second = program.fetch("/login?oauth_token=request&oauth_verifier=v", headers={"Cookie": cookie})
    assert (second.code, second.headers["Location"]) == (302, "/dashboard")
    assert second.cookie("token").startswith("token=")


def test_a_failure_reaches_the_callback(program, twitter):
    cookie = program.fetch("/login").cookie("_oauth_request_token")
    twitter.fails = True
    response = program.fetch("/login?oauth_token=request", headers={"Cookie": cookie})
    assert response.code == 500
    assert "Couldn't auth." in program.written()


def test_a_forged_answer_reaches_the_callback(program):
    assert program.fetch("/login?oauth_token=request").code == 500
    assert "Missing OAuth request token cookie" in program.written()
