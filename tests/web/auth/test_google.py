from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode

import pytest

from gustnado.http.urls import url_concat
from gustnado.web import HTTPError, RequestHandler
from gustnado.web.auth import GoogleMixin, GoogleOAuth2Mixin, OpenIDConnectMixin

SETTINGS = {"google_oauth": {"key": "app", "secret": "s"}}


class Authorize(RequestHandler):
    def get(self):
        kept = self.settings["kept"]
        kept.update({name: self.get_argument(name) for name in self.request.arguments})
        back = {"code": "c0de"} | ({"state": kept["state"]} if "state" in kept else {})
        self.redirect(url_concat(kept["redirect_uri"], back))


class Token(RequestHandler):
    def post(self):
        kept = self.settings["kept"]
        if "code_challenge" in kept:
            digest = hashlib.sha256(self.get_argument("code_verifier").encode()).digest()
            if urlsafe_b64encode(digest).rstrip(b"=").decode() != kept["code_challenge"]:
                raise HTTPError(401)
        if self.get_argument("code") != "c0de" or self.get_argument("client_secret") != "s":
            self.set_status(400)
            self.write({"error": "invalid_grant"})
            return
        self.write({"access_token": "t0", "redirect_uri": self.get_argument("redirect_uri")})


class Login(RequestHandler, GoogleOAuth2Mixin):
    def initialize(self, url):
        self._OAUTH_AUTHORIZE_URL = f"{url}/authorize"
        self._OAUTH_ACCESS_TOKEN_URL = f"{url}/token"

    async def get(self):
        here = self.request.full_url().partition("?")[0]
        code = self.get_argument("code", None)
        if code is None:
            self.authorize_redirect(here, self.get_google_oauth_settings()["key"], scope=["email"])
        else:
            self.write(await self.get_authenticated_user(here, code))


class WithCallback(Login):
    def got(self, user):
        self.finish({"user": user})

    async def get(self):
        self._auto_finish = False
        here = self.request.full_url().partition("?")[0]
        self.get_authenticated_user(here, self.get_argument("code"), "app", "wrong", callback=self.got)


def world(sites, handler=Login, **settings):
    kept: dict[str, str] = {}
    google = sites.add([("/authorize", Authorize), ("/token", Token)], kept=kept)
    return sites.add([("/login", handler, {"url": google})], **SETTINGS, **settings) + "/login", kept


@pytest.mark.parametrize("signed", [True, False])
def test_from_the_login_page_to_the_token(sites, secret, signed):
    async def scenario(sites, browser):
        url, kept = world(sites, **({"cookie_secret": secret} if signed else {}))
        response = await browser.get(url)
        assert json.loads(response.body) == {"access_token": "t0", "redirect_uri": url}
        assert (kept["client_id"], kept["scope"]) == ("app", "email")
        assert ("state" in kept, "code_challenge" in kept) == (signed, signed)

    sites(scenario)


def test_160_a_code_that_came_by_a_link_is_refused(sites, secret, expect_log):
    async def scenario(sites, browser):
        url, _ = world(sites, cookie_secret=secret)
        with expect_log("gustnado.general", "none that this browser has begun"):
            assert (await browser.get(f"{url}?code=c0de&state=x")).code == 403

    sites(scenario)


def test_a_refusal_gives_a_callback_nobody(sites, expect_log):
    async def scenario(sites, browser):
        url, _ = world(sites, WithCallback)
        with expect_log("gustnado.general", "invalid_grant"):
            assert (await browser.get(f"{url}?code=x")).body == b'{"user":null}'

    sites(scenario)


def test_the_old_mixin_asks_for_what_it_was_told_to():
    asked = {}

    class Old(GoogleMixin):
        def authorize_redirect(self, redirect_uri=None, **kwargs):
            asked.update(kwargs, redirect_uri=redirect_uri)

    Old().authenticate_redirect("/back", ax_attrs=["name"])
    assert asked == {"redirect_uri": "/back", "scope": ["openid", "profile"], "callback": None}
    Old().authenticate_redirect()
    assert asked["scope"] == ["openid", "profile", "email"]
    assert issubclass(GoogleMixin, OpenIDConnectMixin)
    assert GoogleMixin._OPENID_CONNECT_ISSUER == "https://accounts.google.com"


@pytest.mark.parametrize("first", [True, False])
def test_the_old_mixins_user(sites, first):
    claims = {"sub": "7", "email": "a@b", "name": "Ann B", "given_name": "Ann", "family_name": "B", "access_token": "t"}

    class Old(RequestHandler, GoogleMixin):
        async def _authenticated_user(self, *args):
            assert args == (None, None, None, None)
            return claims

        async def get(self):
            self._auto_finish = False
            if first:
                self.get_authenticated_user(self.finish)
            else:
                self.get_authenticated_user(callback=self.finish)

    async def scenario(sites, browser):
        return await browser.get(sites.add([("/", Old)]))

    assert json.loads(sites(scenario).body) == {
        "claimed_id": "7",
        "email": "a@b",
        "name": "Ann B",
        "first_name": "Ann",
        "last_name": "B",
        "access_token": "t",
    }
