"""The whole way, with a provider that believes nothing either."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from gustnado.http.urls import url_concat
from gustnado.web import HTTPError, RequestHandler
from gustnado.web.auth import AuthError, OpenIDConnectMixin

GENERAL = "gustnado.general"
KEY = ECKey.generate_key("P-256", {"kid": "k1"})
SECRET = "s3cret:with %"


class Provider:
    """What it knows, and how it is to misbehave."""

    def __init__(self):
        self.metadata, self.claims, self.answer, self.back = {}, {}, {}, {}
        self.key = KEY
        self.codes = {}
        self.denies = False


class Base(RequestHandler):
    @property
    def provider(self):
        return self.settings["provider"]

    @property
    def url(self):
        return f"http://{self.request.host}"


class Configuration(Base):
    def get(self):
        names = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
        endpoints = {f"{name}_endpoint": f"{self.url}/{path}" for name, path in names.items()}
        self.write(
            {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/keys",
                "id_token_signing_alg_values_supported": ["RS256", "ES256"],
                "code_challenge_methods_supported": ["S256"],
                **endpoints,
                **self.provider.metadata,
            }
        )


class Keys(Base):
    def get(self):
        self.write({"keys": [self.provider.key.as_dict(private=False)]})


class Authorize(Base):
    def get(self):
        sent = {name: self.get_argument(name) for name in self.request.arguments}
        code = secrets.token_hex(8)
        self.provider.codes[code] = sent
        back = {"error": "access_denied"} if self.provider.denies else {"code": code}
        back |= {"state": sent["state"], "iss": self.url, **self.provider.back}
        self.redirect(
            url_concat(sent["redirect_uri"], {name: value for name, value in back.items() if value is not None})
        )


class Token(Base):
    def post(self):
        asked = self.provider.codes.pop(self.get_argument("code"), None)
        if asked is None or not self.is_right(asked):
            self.set_status(400)
            self.write({"error": "invalid_grant", "error_description": "no such code"})
            return
        now = int(time.time())
        claims = {"iss": self.url, "aud": "app", "sub": "7", "exp": now + 300, "iat": now, "nonce": asked["nonce"]}
        claims |= {"email": "ann@example.org", **self.provider.claims}
        header = {"alg": "ES256", "kid": self.provider.key.kid}
        token = jwt.encode(header, claims, self.provider.key, algorithms=["ES256"])
        self.write({"access_token": "t0", "id_token": token, "expires_in": 3600, **self.provider.answer})

    def is_right(self, asked):
        challenge = hashlib.sha256(self.get_argument("code_verifier").encode()).digest()
        return (
            base64.urlsafe_b64encode(challenge).rstrip(b"=").decode() == asked["code_challenge"]
            and asked["code_challenge_method"] == "S256"
            and self.get_argument("redirect_uri") == asked["redirect_uri"]
            and self.get_argument("grant_type") == "authorization_code"
            and self.client() == asked["client_id"] == "app"
        )

    def client(self):
        authorization = self.request.headers.get("Authorization", "")
        if authorization:
            expected = base64.b64encode(b"app:s3cret%3Awith+%25").decode()
            return "app" if authorization == f"Basic {expected}" else None
        if self.provider.metadata.get("token_endpoint_auth_methods_supported") == ["client_secret_post"]:
            return self.get_argument("client_id") if self.get_argument("client_secret") == SECRET else None
        return self.get_argument("client_id")


class UserInfo(Base):
    def get(self):
        if self.request.headers.get("Authorization") != "Bearer t0":
            raise HTTPError(401)
        self.write({"sub": self.settings.get("userinfo_sub", "7"), "name": "Ann"})


HANDLERS = [
    ("/.well-known/openid-configuration", Configuration),
    ("/keys", Keys),
    ("/authorize", Authorize),
    ("/token", Token),
    ("/userinfo", UserInfo),
]


class Login(RequestHandler, OpenIDConnectMixin):
    async def get(self):
        if self.get_argument("state", None):
            self.write(await self.get_authenticated_user())
        else:
            await self.authorize_redirect()


async def world(sites, handler=Login, secret="as secret as can be", client_secret=SECRET):
    provider = Provider()
    issuer = sites.add(HANDLERS, provider=provider)
    registered = {"issuer": issuer, "key": "app", **({"secret": client_secret} if client_secret else {})}
    settings = {"openid_connect": registered, **({"cookie_secret": secret} if secret else {})}
    return f"{sites.add([('/login', handler)], **settings)}/login", provider


def refused(sites, expect_log, message, code, change):
    """Sign in after ``change(provider)``; it must fail with one line in the log."""

    async def scenario(sites, browser):
        url, provider = await world(sites)
        change(provider)
        with expect_log(GENERAL, message):
            response = await browser.get(url)
        assert response.code == code

    sites(scenario)


@pytest.mark.parametrize("client", ["basic", "post", "public"])
def test_from_the_login_page_to_the_user(sites, query_of, client):
    async def scenario(sites, browser):
        url, provider = await world(sites, client_secret=None if client == "public" else SECRET)
        if client == "post":
            provider.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
        response = await browser.get(url)
        user = json.loads(response.body)
        assert (user["sub"], user["email"], user["access_token"]) == ("7", "ann@example.org", "t0")
        assert user["expires_in"] == 3600
        sent = query_of(browser.visited[1])
        assert (sent["scope"], sent["redirect_uri"]) == ("openid profile email", url)
        assert len({sent["state"], sent["nonce"], sent["code_challenge"]}) == 3
        assert not browser.cookies[url.split("/")[2]]
        return response

    assert sites(scenario).code == 200


def test_several_tabs_and_several_times(sites):
    async def scenario(sites, browser):
        url, _ = await world(sites)
        pages = [(await browser.get(url, follow=False)).headers["Location"] for _ in range(3)]
        for page in reversed(pages):
            assert (await browser.get(page)).code == 200

    sites(scenario)


def test_keys_may_change_between_two_sign_ins(sites):
    async def scenario(sites, browser):
        url, provider = await world(sites)
        assert (await browser.get(url)).code == 200
        provider.key = ECKey.generate_key("P-256", {"kid": "k2"})
        assert (await browser.get(url)).code == 200

    sites(scenario)


def test_160_an_answer_works_once(sites, expect_log):
    async def scenario(sites, browser):
        url, _ = await world(sites)
        await browser.get(url)
        with expect_log(GENERAL, "none that this browser has begun"):
            assert (await browser.get(browser.visited[-1])).code == 403

    sites(scenario)


def test_160_an_answer_of_another_browser_is_refused(sites, expect_log):
    async def scenario(sites, browser):
        url, _ = await world(sites)
        page = (await browser.get(url, follow=False)).headers["Location"]
        back = (await browser.get(page, follow=False)).headers["Location"]
        with expect_log(GENERAL, "none that this browser has begun"):
            assert (await type(browser)().get(back)).code == 403

    sites(scenario)


@pytest.mark.parametrize("back", [{"state": "other"}, {"state": "x" * 43}])
def test_160_another_state_is_refused(sites, expect_log, back):
    refused(sites, expect_log, "none that this browser has begun", 403, lambda p: p.back.update(back))


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"nonce": "other"}, "nonce"),
        ({"aud": "other"}, "is for 'other'"),
        ({"iss": "https://evil"}, "is of 'https://evil'"),
        ({"exp": 1}, "expired"),
        ({"at_hash": "x"}, "at_hash"),
    ],
)
def test_160_the_id_token_is_checked(sites, expect_log, claims, message):
    refused(sites, expect_log, message, 502, lambda p: p.claims.update(claims))


@pytest.mark.parametrize(
    ("answer", "message"),
    [({"id_token": None}, "without an id_token"), ({"access_token": 5}, "without an access_token")],
)
def test_an_answer_that_lacks_something(sites, expect_log, answer, message):
    refused(sites, expect_log, message, 502, lambda p: p.answer.update(answer))


def test_160_a_mix_up_of_providers_is_refused(sites, expect_log):
    refused(sites, expect_log, "was asked", 403, lambda p: p.back.update(iss="https://evil"))


def test_160_an_issuer_that_is_promised_must_come(sites, expect_log):
    def change(provider):
        provider.back["iss"] = None
        provider.metadata["authorization_response_iss_parameter_supported"] = True

    refused(sites, expect_log, "the answer is of None", 403, change)


def test_a_user_that_says_no(sites, expect_log):
    refused(sites, expect_log, "access_denied", 403, lambda p: setattr(p, "denies", True))


def test_a_code_that_is_refused(sites, expect_log):
    refused(sites, expect_log, "invalid_grant", 403, lambda p: p.back.update(code="x"))


def test_a_way_of_authenticating_that_is_not_ours(sites, expect_log):
    def change(provider):
        provider.metadata["token_endpoint_auth_methods_supported"] = ["private_key_jwt"]

    refused(sites, expect_log, "private_key_jwt", 502, change)


def test_a_provider_that_says_to_be_another(sites, expect_log):
    refused(sites, expect_log, "says to be", 502, lambda p: p.metadata.update(issuer="https://other"))


def test_160_what_a_program_adds_weakens_nothing(sites, query_of):
    class Weak(Login):
        async def get(self):
            await self.authorize_redirect(
                extra_params={"state": "x", "code_challenge_method": "plain", "prompt": "login"}, scope=["email"]
            )

    async def scenario(sites, browser):
        url, _ = await world(sites, Weak)
        return query_of((await browser.get(url, follow=False)).headers["Location"])

    sent = sites(scenario)
    assert sent["state"] != "x"
    assert (sent["code_challenge_method"], sent["prompt"], sent["scope"]) == ("S256", "login", "openid email")


@pytest.mark.parametrize(("sub", "found"), [("7", True), ("8", False)])
def test_more_of_the_user(sites, sub, found):
    class More(Login):
        async def get(self):
            if not self.get_argument("state", None):
                await self.authorize_redirect()
                return
            user = await self.get_authenticated_user()
            try:
                self.write(await self.get_openid_connect_userinfo(user))
            except AuthError as error:
                self.write(str(error))

    async def scenario(sites, browser):
        url, _ = await world(sites, More)
        sites.servers[0].request_callback.settings["userinfo_sub"] = sub
        return (await browser.get(url)).body

    wanted = b'{"sub":"7","name":"Ann"}' if found else b"the provider told of another user than was asked about"
    assert sites(scenario) == wanted


def test_a_provider_without_userinfo(sites, expect_log):
    class More(Login):
        async def get(self):
            await self.get_openid_connect_userinfo({"sub": "7", "access_token": "t0"})

    async def scenario(sites, browser):
        url, provider = await world(sites, More)
        provider.metadata["userinfo_endpoint"] = None
        with expect_log(GENERAL, "userinfo_endpoint"):
            assert (await browser.get(url)).code == 502

    sites(scenario)


def test_with_callbacks(sites, expect_log):
    class Callbacks(Login):
        async def get(self):
            self._auto_finish = False
            if self.get_argument("state", None):
                self.get_authenticated_user(callback=lambda user: self.finish({"user": user and user["sub"]}))
            else:
                self.authorize_redirect(callback=lambda result: None)

    async def scenario(sites, browser):
        url, _ = await world(sites, Callbacks)
        assert (await browser.get(url)).body == b'{"user":"7"}'
        with expect_log(GENERAL, "Sign-in failed"):
            assert (await browser.get(f"{url}?state=x")).body == b'{"user":null}'

    sites(scenario)


@pytest.mark.parametrize("lacking", ["cookie_secret", "openid_connect", "issuer"])
def test_what_is_not_set_up_is_said(sites, expect_log, lacking):
    async def scenario(sites, browser):
        settings = {"cookie_secret": "s", "openid_connect": {"issuer": "", "key": "app"}}
        if lacking != "issuer":
            del settings[lacking]
        url = sites.add([("/", Login)], **settings)
        with expect_log("gustnado.application", "Uncaught exception") as seen:
            assert (await browser.get(url)).code == 500
        assert lacking in str(seen.records[0].exc_info[1])

    sites(scenario)


@pytest.mark.parametrize("path", ["//evil.example/x", "/%5cevil.example", "///evil.example"])
def test_151_whatever_was_asked_for_the_browser_comes_back_to_this_host(sites, query_of, path):
    async def scenario(sites, browser):
        issuer = sites.add(HANDLERS, provider=Provider())
        settings = {"cookie_secret": "s", "openid_connect": {"issuer": issuer, "key": "app"}}
        site = sites.add([(r"/.*", Login)], **settings)
        page = (await browser.get(f"{site}{path}?next=//evil.example", follow=False)).headers["Location"]
        assert page.startswith(f"{issuer}/authorize?")
        assert query_of(page)["redirect_uri"].startswith(f"{site}/")
        assert "?" not in query_of(page)["redirect_uri"]

    sites(scenario)
