from __future__ import annotations

import base64
import hmac
from urllib.parse import quote

import pytest

from gustnado.errors import UsageError
from gustnado.http.urls import url_concat
from gustnado.web import HTTPError, RequestHandler
from gustnado.web.auth import OAuthMixin

CONSUMER = {"key": "app", "secret": "app's secret"}
REQUEST_TOKEN = ("request", "1234&")
ACCESS_TOKEN = ("access", "5678/")
GENERAL = "gustnado.general"


def escape(text):
    return quote(text, safe="~")


class Service(RequestHandler):
    """The three addresses of a service, which believes only what is signed."""

    def initialize(self, log):
        self.log = log

    def get(self, what):
        getattr(self, what)()

    def check(self, token_secret):
        sent = {name: self.get_argument(name) for name in self.request.arguments}
        signature = sent.pop("oauth_signature")
        pairs = sorted((escape(name), escape(value)) for name, value in sent.items())
        normalized = "&".join(f"{name}={value}" for name, value in pairs)
        url = self.request.full_url().partition("?")[0]
        base = "&".join(map(escape, ("GET", url, normalized)))
        key = f"{escape(CONSUMER['secret'])}&{escape(token_secret)}".encode()
        if not hmac.compare_digest(signature, base64.b64encode(hmac.digest(key, base.encode(), "sha1")).decode()):
            raise HTTPError(401)
        self.log.append((self.path_args[0], sent))
        return sent

    def request_token(self):
        self.check("")
        self.write(f"oauth_token={REQUEST_TOKEN[0]}&oauth_token_secret={escape(REQUEST_TOKEN[1])}")

    def authorize(self):
        token, callback = self.get_argument("oauth_token"), self.settings["callback"]
        self.redirect(url_concat(callback, {"oauth_token": token, "oauth_verifier": "v"}))

    def access_token(self):
        sent = self.check(REQUEST_TOKEN[1])
        if sent["oauth_token"] != REQUEST_TOKEN[0]:
            raise HTTPError(401)
        self.write(f"oauth_token={ACCESS_TOKEN[0]}&oauth_token_secret={escape(ACCESS_TOKEN[1])}")


class ServiceMixin(OAuthMixin):
    def _oauth_consumer_token(self):
        return CONSUMER


class Login(RequestHandler, ServiceMixin):
    def initialize(self, url):
        self._OAUTH_REQUEST_TOKEN_URL = f"{url}/request_token"
        self._OAUTH_AUTHORIZE_URL = f"{url}/authorize"
        self._OAUTH_ACCESS_TOKEN_URL = f"{url}/access_token"

    async def get(self):
        if self.get_argument("oauth_token", None) or self.get_argument("denied", None):
            self.write(await self.get_authenticated_user())
        else:
            await self.authorize_redirect(**self.settings.get("redirect", {}))

    async def _oauth_get_user_future(self, access_token):
        return {"name": "ann"}


class Callbacks(Login):
    """In the style of older Tornados."""

    async def get(self):
        self._auto_finish = False
        if self.get_argument("oauth_token", None):
            self.get_authenticated_user(self.on_user)
        else:
            self.authorize_redirect("/login?back")

    def on_user(self, user):
        self.finish({"user": user})

    def _oauth_get_user(self, access_token, callback):
        callback({"key": access_token["key"]})


class Version1(Login):
    _OAUTH_VERSION = "1.0"


class Nobody(Login):
    async def _oauth_get_user_future(self, access_token):
        return {}


class WithoutCallbacks(Login):
    _OAUTH_NO_CALLBACKS = True


async def world(sites, handler=Login, **settings):
    """``(URL of the login page, what the service has seen)``."""
    log = []
    service = sites.add([("/(request_token|authorize|access_token)", Service, {"log": log})])
    site = sites.add([("/login", handler, {"url": service})], **settings)
    sites.servers[0].request_callback.settings["callback"] = f"{site}/login"
    return f"{site}/login", log


@pytest.mark.parametrize("handler", [Login, Version1])
@pytest.mark.parametrize("signed", [True, False])
def test_from_the_login_page_to_the_user(sites, secret, handler, signed):
    async def scenario(sites, browser):
        url, log = await world(sites, handler, **({"cookie_secret": secret} if signed else {}))
        response = await browser.get(url)
        assert response.code == 200
        assert response.body == (
            b'{"name":"ann","access_token":{"key":"access","secret":"5678/"}}'
        )
        assert [name for name, _ in log] == ["request_token", "access_token"]
        assert log[1][1]["oauth_verifier"] == "v"
        assert not browser.cookies[url.split("/")[2]]

    sites(scenario)


def test_in_the_callback_style(sites, secret):
    async def scenario(sites, browser):
        url, log = await world(sites, Callbacks, cookie_secret=secret)
        response = await browser.get(url)
        assert response.body.startswith(b'{"user":{"key":"access"')
        assert log[0][1]["oauth_callback"] == f"{url}?back"

    sites(scenario)


def test_the_cookie_is_out_of_reach_and_its_secret_signed(sites, secret):
    async def scenario(sites, browser):
        url, _ = await world(sites, cookie_secret=secret)
        await browser.get(url, follow=False)
        (header,) = browser.set_cookie_headers
        assert header.startswith("_oauth_request_token=2|1:0|")
        assert "HttpOnly" in header
        assert "SameSite=Lax" in header

    sites(scenario)


def test_extra_parameters_and_the_pin_way(sites):
    async def scenario(sites, browser):
        redirect = {"callback_uri": "oob", "extra_params": {"x_access": "read"}}
        url, log = await world(sites, redirect=redirect)
        response = await browser.get(url)
        assert response.body.endswith(b"/authorize?oauth_token=request")
        assert (log[0][1]["oauth_callback"], log[0][1]["x_access"]) == ("oob", "read")

    sites(scenario)


@pytest.mark.parametrize(
    ("cookie", "message"),
    [
        ("", "Missing OAuth request token cookie"),
        ("_oauth_request_token=cmVxdWVzdA==", "malformed"),
        ("_oauth_request_token=cmVxdWVzdA==|!|", "malformed"),
        ("_oauth_request_token=b3RoZXI=|MTIzNA==", "does not match"),
    ],
)
def test_160_another_browsers_token_is_refused(sites, expect_log, cookie, message):
    async def scenario(sites, browser):
        url, log = await world(sites)
        with expect_log(GENERAL, message):
            response = await browser.get(f"{url}?oauth_token=request", headers={"Cookie": cookie} if cookie else {})
        assert response.code == 403
        assert not log

    sites(scenario)


def test_160_a_cookie_that_is_not_signed_is_refused(sites, secret, expect_log):
    async def scenario(sites, browser):
        url, _ = await world(sites, cookie_secret=secret)
        with expect_log(GENERAL, "Missing OAuth request token cookie"):
            response = await browser.get(
                f"{url}?oauth_token=request", headers={"Cookie": "_oauth_request_token=cmVxdWVzdA==|MTIzNA=="}
            )
        assert response.code == 403

    sites(scenario)


def test_a_user_that_says_no(sites, expect_log):
    async def scenario(sites, browser):
        url, _ = await world(sites)
        with expect_log(GENERAL, "the user has said no"):
            assert (await browser.get(f"{url}?denied=request")).code == 403

    sites(scenario)


def test_no_user_is_an_error(sites, expect_log):
    async def scenario(sites, browser):
        url, _ = await world(sites, Nobody)
        with expect_log(GENERAL, "told no user"):
            assert (await browser.get(url)).code == 403

    sites(scenario)


def test_a_callback_for_a_service_without(sites, expect_log):
    async def scenario(sites, browser):
        url, _ = await world(sites, WithoutCallbacks, redirect={"callback_uri": "/x"})
        with expect_log("gustnado.application", "Uncaught exception"):
            assert (await browser.get(url)).code == 500

    sites(scenario)


def test_the_hooks_are_to_be_overridden(run):
    async def main():
        mixin = OAuthMixin()
        for call in (mixin._oauth_consumer_token, lambda: mixin._oauth_get_user({}, print)):
            with pytest.raises(NotImplementedError):
                call()
        with pytest.raises(NotImplementedError):
            await mixin._oauth_get_user_future({})
        mixin._OAUTH_NO_CALLBACKS = True
        with pytest.raises(UsageError):
            mixin.authorize_redirect("/x")

    run(main())
