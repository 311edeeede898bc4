from __future__ import annotations

import hashlib
import hmac
import json

import pytest

from gustnado.http.urls import url_concat
from gustnado.web import RequestHandler
from gustnado.web.auth import FacebookGraphMixin, FacebookMixin

SETTINGS = {"facebook_api_key": "app", "facebook_secret": "s"}
PROOF = hmac.new(b"s", b"t0", hashlib.sha256).hexdigest()


class Authorize(RequestHandler):
    def get(self):
        self.settings["seen"].append(self.request.query_arguments)
        state = self.get_argument("state", None)
        back = {"code": "c0de"} | ({"state": state} if state else {})
        self.redirect(url_concat(self.get_argument("redirect_uri"), back))


class Token(RequestHandler):
    def get(self):
        if self.get_argument("code") != "c0de":
            self.set_status(400)
            self.write({"error": {"message": "no"}})
            return
        self.write({"access_token": "t0", "expires_in": 3600})


class Me(RequestHandler):
    def get(self):
        if self.get_argument("appsecret_proof") != PROOF:
            self.set_status(403)
            return
        self.settings["seen"].append(self.get_argument("fields"))
        self.write(self.settings.get("me", '{"id":"7","name":"Ann"}'))


class Feed(RequestHandler):
    def post(self):
        self.write({"token": self.get_argument("access_token"), "message": self.get_argument("message")})


def add_facebook(sites, seen, **settings):
    handlers = [("/dialog", Authorize), ("/token", Token), ("/me", Me), ("/me/feed", Feed)]
    return sites.add(handlers, seen=seen, **settings)


class Addresses:
    def initialize(self, url):
        self._OAUTH_AUTHORIZE_URL = f"{url}/dialog?"
        self._OAUTH_ACCESS_TOKEN_URL = f"{url}/token?"
        self._FACEBOOK_BASE_URL = url


class Login(Addresses, RequestHandler, FacebookGraphMixin):
    more: tuple = ()

    async def get(self):
        here = self.request.full_url().partition("?")[0]
        code = self.get_argument("code", None)
        if code is None:
            self.authorize_redirect(here, "app", extra_params={"scope": "read_stream"})
        else:
            self.finish(json.dumps(await self.get_authenticated_user(here, "app", "s", code, *self.more)))


class MoreFields(Login):
    more = (["email", "id"],)


class Old(Addresses, RequestHandler, FacebookMixin):
    async def get(self):
        self._auto_finish = False
        if self.get_argument("code", None):
            self.get_authenticated_user(self.finish)
        else:
            self.authenticate_redirect(extended_permissions="read_stream")


def log_in(sites, handler, settings=None, **facebook):
    seen: list = []

    async def scenario(sites, browser):
        url = add_facebook(sites, seen, **facebook)
        site = sites.add([("/login", handler, {"url": url})], **SETTINGS, **(settings or {}))
        return await browser.get(f"{site}/login")

    return json.loads(sites(scenario).body), seen


@pytest.mark.parametrize("signed", [True, False])
def test_from_the_login_page_to_the_user(sites, secret, signed):
    user, seen = log_in(sites, Login, {"cookie_secret": secret} if signed else {})
    assert (user["id"], user["name"], user["link"]) == ("7", "Ann", None)
    assert (user["access_token"], user["session_expires"]) == ("t0", "3600")
    assert seen[0]["scope"] == [b"read_stream"]
    assert ("state" in seen[0]) is signed
    assert seen[1].split(",")[0] == "id"


def test_more_fields_each_once(sites):
    user, seen = log_in(sites, MoreFields)
    assert seen[1].split(",").count("id") == 1
    assert seen[1].endswith(",email")
    assert user["email"] is None


def test_facebook_may_know_no_user(sites):
    assert log_in(sites, Login, me="null")[0] is None


def test_the_old_mixins_user(sites, secret):
    user, seen = log_in(sites, Old, {"cookie_secret": secret})
    assert (user["uid"], user["session_key"]) == ("7", "t0")
    assert seen[0]["scope"] == [b"read_stream"]


def test_160_a_code_that_came_by_a_link_is_refused(sites, secret, expect_log):
    async def scenario(sites, browser):
        url = add_facebook(sites, [])
        site = sites.add([("/login", Login, {"url": url})], cookie_secret=secret)
        with expect_log("gustnado.general", "none that this browser has begun"):
            assert (await browser.get(f"{site}/login?code=c0de")).code == 403

    sites(scenario)


@pytest.mark.parametrize("order", ["callback first", "fields first"])
def test_a_callback_in_either_place(sites, order):
    class Calling(Login):
        async def get(self):
            self._auto_finish = False
            last = (self.finish, ["email"]) if order == "callback first" else (["email"], self.finish)
            self.get_authenticated_user("https://here/", "app", "s", "c0de", *last)

    user, seen = log_in(sites, Calling)
    assert user["id"] == "7"
    assert seen[0].endswith(",email")


def test_posting(sites):
    class Post(Login):
        async def get(self):
            self.write(await self.facebook_request("/me/feed", "t0", post_args={"message": "a b"}))

    assert log_in(sites, Post)[0] == {"token": "t0", "message": "a b"}


def test_the_old_mixin_needs_its_settings(sites, expect_log):
    async def scenario(sites, browser):
        site = sites.add([("/", Old, {"url": "https://x"})])
        with expect_log("gustnado.application", "Uncaught exception"):
            return await browser.get(site)

    assert sites(scenario).code == 500
