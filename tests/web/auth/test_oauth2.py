from __future__ import annotations

import pytest

from gustnado.web import RequestHandler
from gustnado.web.auth import AuthStateError, OAuth2Mixin, ProviderError

AUTHORIZE = "https://service.example/authorize?theme=dark"


class Service(OAuth2Mixin):
    _OAUTH_AUTHORIZE_URL = AUTHORIZE
    _OAUTH_ACCESS_TOKEN_URL = "https://service.example/token"


def redirect(sites, query_of, mixin=Service, settings=None, **arguments):
    """The arguments with which the browser is sent to the service."""

    class Login(RequestHandler, mixin):
        def get(self):
            self.authorize_redirect(**arguments)

    async def scenario(sites, browser):
        response = await browser.get(sites.add([("/", Login)], **(settings or {})), follow=False)
        assert response.code == 302
        location = response.headers["Location"]
        assert location.startswith("https://service.example/authorize?")
        return query_of(location), browser.set_cookie_headers

    return sites(scenario)


def test_the_redirect_carries_what_was_given(sites, query_of):
    query, cookies = redirect(
        sites,
        query_of,
        redirect_uri="https://here/",
        client_id="app",
        scope=["email", "profile"],
        extra_params={"prompt": "login"},
    )
    assert query == {
        "theme": "dark",
        "response_type": "code",
        "redirect_uri": "https://here/",
        "client_id": "app",
        "scope": "email profile",
        "prompt": "login",
    }
    assert not cookies


def test_160_with_a_cookie_secret_there_is_a_state(sites, query_of, secret):
    query, cookies = redirect(sites, query_of, settings={"cookie_secret": secret})
    assert len(query["state"]) == 43
    assert len(cookies) == 1
    assert query["state"] not in redirect(sites, query_of, settings={"cookie_secret": secret})[0]["state"]


def test_the_programs_own_state_is_kept(sites, query_of, secret):
    query, cookies = redirect(
        sites, query_of, settings={"cookie_secret": secret}, extra_params={"state": "mine"}
    )
    assert query["state"] == "mine"
    assert len(cookies) == 1


def test_160_pkce_where_it_is_asked_for(sites, query_of, secret):
    mixin = type("PKCE", (Service,), {"_OAUTH_PKCE": True})
    query, _ = redirect(sites, query_of, mixin, {"cookie_secret": secret})
    assert query["code_challenge_method"] == "S256"
    assert len(query["code_challenge"]) == 43


def test_the_programs_own_challenge_is_kept(sites, query_of, secret):
    mixin = type("PKCE", (Service,), {"_OAUTH_PKCE": True})
    query, _ = redirect(
        sites, query_of, mixin, {"cookie_secret": secret}, extra_params={"code_challenge": "mine"}
    )
    assert query["code_challenge"] == "mine"
    assert "code_challenge_method" not in query


def test_the_check_can_be_switched_off(sites, query_of, secret):
    mixin = type("Free", (Service,), {"_OAUTH_CHECK_STATE": False})
    query, cookies = redirect(sites, query_of, mixin, {"cookie_secret": secret})
    assert "state" not in query
    assert not cookies


def test_a_callback_is_called_after_the_redirect(sites):
    called = []

    class Login(RequestHandler, Service):
        async def get(self):
            self.authorize_redirect(callback=called.append)

    async def scenario(sites, browser):
        await browser.get(sites.add([("/", Login)]), follow=False)

    sites(scenario)
    assert called == [None]


def test_the_client_secret_is_deprecated_there(sites):
    class Login(RequestHandler, Service):
        def get(self):
            with pytest.warns(DeprecationWarning, match="client_secret"):
                self.authorize_redirect(client_secret="s")

    async def scenario(sites, browser):
        return await browser.get(sites.add([("/", Login)]), follow=False)

    assert sites(scenario).code == 302


def test_160_an_answer_without_its_sign_in_is_refused(sites, secret):
    class Back(RequestHandler, Service):
        def get(self):
            with pytest.raises(AuthStateError):
                self._resume()
            self.write("refused")

    async def scenario(sites, browser):
        return await browser.get(sites.add([("/", Back)], cookie_secret=secret) + "/?code=1&state=x")

    assert sites(scenario).body == b"refused"


def test_the_token_url_has_what_is_known():
    url = Service()._oauth_request_token_url("https://here/", "app", code="1", extra_params={"x": "y"})
    assert url == "https://service.example/token?redirect_uri=https%3A%2F%2Fhere%2F&code=1&client_id=app&x=y"


class Echo(RequestHandler):
    def get(self):
        self.write({"method": self.request.method, "query": self.request.query, "body": self.request.body.decode()})

    post = get


def test_requests_carry_the_token(sites):
    class Asking(RequestHandler, Service):
        async def get(self):
            url = self.settings["service"]
            self.write(
                {
                    "get": await self.oauth2_request(url, "t0", fields="id"),
                    "post": await self.oauth2_request(url, "t0", {"message": "a b"}),
                    "without": await self.oauth2_request(url),
                }
            )

    async def scenario(sites, browser):
        service = sites.add([("/", Echo)])
        return await browser.get(sites.add([("/", Asking)], service=service))

    body = sites(scenario).body
    assert b'"get":{"method":"GET","query":"access_token=t0&fields=id","body":""}' in body
    assert b'"post":{"method":"POST","query":"access_token=t0","body":"message=a+b"}' in body
    assert b'"without":{"method":"GET","query":"","body":""}' in body


def test_a_token_endpoint_without_a_token(sites):
    class Asking(RequestHandler, Service):
        async def get(self):
            with pytest.raises(ProviderError, match="without an access_token"):
                await self._fetch_token(self.settings["service"], {})
            self.write("failed")

    async def scenario(sites, browser):
        return await browser.get(sites.add([("/", Asking)], service=sites.add([("/", Echo)])))

    assert sites(scenario).body == b"failed"
