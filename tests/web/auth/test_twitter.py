from __future__ import annotations

import pytest

from gustnado.http import HTTPClientError
from gustnado.web import HTTPError, RequestHandler
from gustnado.web.auth import TwitterMixin

SETTINGS = {"twitter_consumer_key": "app", "twitter_consumer_secret": "s"}
TOKEN = {"key": "access", "secret": "5678"}


class Tokens(RequestHandler):
    def get(self, what):
        self.write(f"oauth_token={what}&oauth_token_secret=1234")


class Authorize(RequestHandler):
    def get(self, what):
        self.redirect(f"{self.settings['site']}/login?oauth_token={self.get_argument('oauth_token')}")


class API(RequestHandler):
    def get(self, path):
        if path == "/fail":
            raise HTTPError(503)
        arguments = {name: self.get_argument(name) for name in self.request.arguments}
        self.write({"screen_name": "ann", "path": path, "method": self.request.method, "sent": arguments})

    post = get


class Login(RequestHandler, TwitterMixin):
    def initialize(self, url, method):
        self._OAUTH_REQUEST_TOKEN_URL = f"{url}/token/request"
        self._OAUTH_ACCESS_TOKEN_URL = f"{url}/token/access"
        self._OAUTH_AUTHORIZE_URL = f"{url}/page/authorize"
        self._OAUTH_AUTHENTICATE_URL = f"{url}/page/authenticate"
        self._TWITTER_BASE_URL = f"{url}/api"
        self.method = method

    async def get(self):
        if self.get_argument("oauth_token", None):
            self.write(await self.get_authenticated_user())
        else:
            await getattr(self, self.method)()


class Requests(Login):
    async def get(self):
        self.write(await self.settings["ask"](self))


def add_twitter(sites):
    return sites.add(
        [("/token/(.*)", Tokens), ("/page/(.*)", Authorize), (r"/api(/.*?)(?:\.json)?", API)]
    )


@pytest.mark.parametrize("method", ["authorize", "authenticate"])
def test_from_the_login_page_to_the_user(sites, method):
    async def scenario(sites, browser):
        twitter = add_twitter(sites)
        site = sites.add([("/login", Login, {"url": twitter, "method": f"{method}_redirect"})], **SETTINGS)
        sites.servers[0].request_callback.settings["site"] = site
        response = await browser.get(f"{site}/login")
        assert response.code == 200
        assert f"/page/{method}?oauth_token=request" in browser.visited[1]
        assert b'"username":"ann"' in response.body
        assert b'"path":"/account/verify_credentials"' in response.body

    sites(scenario)


def ask(sites, question, **settings):
    async def scenario(sites, browser):
        twitter = add_twitter(sites)
        arguments = {"url": twitter, "method": "authorize_redirect"}
        site = sites.add([("/", Requests, arguments)], ask=question, **{**SETTINGS, **settings})
        return await browser.get(site)

    return sites(scenario)


def test_a_request_is_signed_with_all_its_arguments(sites):
    async def question(handler):
        return await handler.twitter_request("/statuses/update", TOKEN, {"status": "a b"}, trim=1)

    body = ask(sites, question).body
    assert b'"method":"POST"' in body
    assert b'"status":"a b"' in body
    assert b'"trim":"1"' in body
    assert b'"oauth_token":"access"' in body


def test_a_url_and_no_token(sites):
    async def question(handler):
        return await handler.twitter_request(f"{handler._TWITTER_BASE_URL}/x", count=2)

    body = ask(sites, question).body
    assert b'"path":"/x"' in body
    assert b'"sent":{"count":"2"}' in body


def test_a_failure_is_the_clients(sites):
    async def question(handler):
        with pytest.raises(HTTPClientError):
            await handler.twitter_request("/fail", TOKEN)
        return "failed"

    assert ask(sites, question).body == b"failed"


def test_without_its_settings_it_says_so(sites, expect_log):
    async def question(handler):
        return await handler.twitter_request("/x", TOKEN)

    with expect_log("gustnado.application", "Uncaught exception"):
        assert ask(sites, question, twitter_consumer_key=None).code == 500
