from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.errors import UsageError
from gustnado.http.urls import url_concat
from gustnado.web import RequestHandler
from gustnado.web.auth import OpenIdMixin
from gustnado.web.auth.openid import parse_key_values

GENERAL = "gustnado.general"
AX = "http://openid.net/srv/ax/1.0"
VALUES = {
    "http://axschema.org/namePerson/first": "Ann",
    "http://axschema.org/namePerson/last": "B",
    "http://axschema.org/contact/email": "ann@example.org",
    "http://axschema.org/pref/language": "EN",
    "http://axschema.org/namePerson/friendly": "annb",
}


class Service(RequestHandler):
    """Signs what it says, and knows again what it has signed."""

    def get(self):
        sent = {name: self.get_argument(name) for name in self.request.arguments}
        self.settings["seen"].append(sent)
        answer = {
            "ns": sent["openid.ns"],
            "mode": "id_res",
            "return_to": sent["openid.return_to"],
            "claimed_id": "https://service/ann",
            "ns.ext1": AX,
        }
        for name, uri in sent.items():
            if name.startswith("openid.ax.type.") and uri in VALUES:
                short = name.removeprefix("openid.ax.type.")
                answer |= {f"ext1.type.{short}": uri, f"ext1.value.{short}": VALUES[uri]}
        answer["signed"] = ",".join(answer)
        answer = {f"openid.{name}": value for name, value in answer.items()}
        self.settings["signed"].append(answer)
        added = self.settings.get("added", {})
        self.redirect(url_concat(sent["openid.return_to"], {**answer, **added}))

    def post(self):
        sent = {name: self.get_argument(name) for name in self.request.arguments}
        assert sent.pop("openid.mode") == "check_authentication"
        known = [{k: v for k, v in answer.items() if k != "openid.mode"} for answer in self.settings["signed"]]
        is_valid = any(answer.items() <= sent.items() for answer in known)
        self.write(self.settings.get("answer") or f"ns:http://specs.openid.net/auth/2.0\nis_valid:{str(is_valid).lower()}\n")


class Login(RequestHandler, OpenIdMixin):
    def initialize(self, url):
        self._OPENID_ENDPOINT = f"{url}/openid"

    async def get(self):
        if self.get_argument("openid.mode", None):
            self.write(await self.get_authenticated_user())
        else:
            self.authenticate_redirect()


class Callbacks(Login):
    async def get(self):
        self._auto_finish = False
        if self.get_argument("openid.mode", None):
            self.get_authenticated_user(lambda user: self.finish({"user": user}))
        else:
            self.authenticate_redirect("/login?back=1", ax_attrs=["email"], callback=lambda result: None)


def world(sites, handler=Login, secret=None, **settings):
    seen: list = []
    service = sites.add([("/openid", Service)], seen=seen, signed=[], **settings)
    own = {"cookie_secret": secret} if secret else {}
    return f"{sites.add([('/login', handler, {'url': service})], **own)}/login", seen


@pytest.mark.parametrize("signed", [True, False])
def test_from_the_login_page_to_the_user(sites, secret, signed):
    async def scenario(sites, browser):
        url, seen = world(sites, secret=secret if signed else None)
        response = await browser.get(url)
        assert json.loads(response.body) == {
            "first_name": "Ann",
            "last_name": "B",
            "name": "Ann B",
            "email": "ann@example.org",
            "locale": "en",
            "username": "annb",
            "claimed_id": "https://service/ann",
        }
        assert seen[0]["openid.ax.required"] == "firstname,fullname,lastname,email,language,username"
        assert seen[0]["openid.realm"] == url.removesuffix("login")
        assert ("state=" in seen[0]["openid.return_to"]) is signed

    sites(scenario)


def test_with_callbacks(sites, secret):
    async def scenario(sites, browser):
        url, seen = world(sites, Callbacks, secret)
        assert (await browser.get(url)).body.startswith(b'{"user":{"name":"ann","email":"ann@example.org"')
        assert seen[0]["openid.return_to"].startswith(f"{url}?back=1&state=")

    sites(scenario)


def refused(sites, expect_log, message, code, secret=None, **settings):
    async def scenario(sites, browser):
        url, _ = world(sites, secret=secret, **settings)
        with expect_log(GENERAL, message):
            assert (await browser.get(url)).code == code

    sites(scenario)


@pytest.mark.parametrize(
    ("answer", "message", "code"),
    [
        ("is_valid:false\n", "not its own", 403),
        ("ns:http://specs.openid.net/auth/2.0\n", "not its own", 403),
        ("ns:http://evil/\nis_valid:true\n", "not its own", 403),
        ("x:is_valid:true\n", "not its own", 403),
        ("is_valid:true \n", "not its own", 403),
        ("is_valid:false\nis_valid:true\n", "Key-Value", 502),
        ("error\nis_valid:true\n", "Key-Value", 502),
        ("<html>is_valid:true\r\nis_valid:true</html>\n", "not its own", 403),
        ("\n\nis_valid:true\n", "Key-Value", 502),
    ],
)
def test_t31_the_answer_is_read_strictly(sites, expect_log, answer, message, code):
    refused(sites, expect_log, message, code, answer=answer)


def test_t31_what_is_not_signed_is_not_believed(sites):
    """An attacker adds fields to an answer that the service knows."""

    async def scenario(sites, browser):
        added = {"openid.ext1.value.x": "root@example.org", "openid.ext1.type.x": "http://axschema.org/namePerson"}
        url, _ = world(sites, added=added)
        return json.loads((await browser.get(url)).body)["name"]

    assert sites(scenario) == "Ann B"


def test_t31_the_answer_for_another_site_is_refused(sites, expect_log):
    async def scenario(sites, browser):
        first, _ = world(sites)
        page = (await browser.get(first, follow=False)).headers["Location"]
        back = (await browser.get(page, follow=False)).headers["Location"]
        other = sites.add([("/login", Login, {"url": page.partition("/openid")[0]})])
        with expect_log(GENERAL, "is for"):
            response = await browser.get(f"{other}/login?{back.partition('?')[2]}")
        assert response.code == 403

    sites(scenario)


def test_160_an_answer_of_another_browser_is_refused(sites, secret, expect_log):
    async def scenario(sites, browser):
        url, _ = world(sites, secret=secret)
        page = (await browser.get(url, follow=False)).headers["Location"]
        back = (await browser.get(page, follow=False)).headers["Location"]
        with expect_log(GENERAL, "none that this browser has begun"):
            assert (await type(browser)().get(back)).code == 403

    sites(scenario)


@pytest.mark.parametrize("mode", ["cancel", "error", "setup_needed"])
def test_a_refusal(sites, expect_log, mode):
    async def scenario(sites, browser):
        url, _ = world(sites)
        query = urlencode({"openid.mode": mode, "openid.error": "not today"})
        with expect_log(GENERAL, f"{mode} \\(not today\\)"):
            assert (await browser.get(f"{url}?{query}")).code == 403

    sites(scenario)


def test_an_answer_that_does_not_sign_its_address(sites, expect_log):
    async def scenario(sites, browser):
        url, _ = world(sites, answer="is_valid:true\n")
        with expect_log(GENERAL, "which address"):
            assert (await browser.get(f"{url}?openid.mode=id_res&openid.signed=claimed_id")).code == 403

    sites(scenario)


def test_a_scope_of_oauth_at_the_same_time(sites):
    class Asking(Login):
        def get(self):
            self.write(self._openid_args("/back", oauth_scope="calendar"))

    async def scenario(sites, browser):
        url, _ = world(sites, Asking)
        return json.loads((await browser.get(url)).body)

    arguments = sites(scenario)
    assert arguments["openid.oauth.scope"] == "calendar"
    assert arguments["openid.oauth.consumer"] == "127.0.0.1"
    assert "openid.ns.ax" not in arguments


def test_an_attribute_that_nobody_knows(sites):
    class Asking(Login):
        def get(self):
            with pytest.raises(UsageError, match="no attribute 'shoe_size'"):
                self.authenticate_redirect(ax_attrs=["shoe_size"])
            self.write("refused")

    async def scenario(sites, browser):
        return (await browser.get(world(sites, Asking)[0])).body

    assert sites(scenario) == b"refused"


PAIRS = st.dictionaries(
    st.text(st.characters(exclude_characters=":\n", codec="utf-8"), min_size=1),
    st.text(st.characters(exclude_characters="\n", codec="utf-8")),
    min_size=1,
)


@given(PAIRS)
def test_key_values_round_trip(pairs):
    body = "".join(f"{key}:{value}\n" for key, value in pairs.items()).encode()
    assert parse_key_values(body) == pairs


@given(st.binary())
def test_any_bytes_are_pairs_or_an_error(body):
    try:
        pairs = parse_key_values(body)
    except ValueError:
        return
    assert all(pairs)


@pytest.mark.parametrize("path", ["//evil.example/x", "/%5cevil.example", "///evil.example"])
def test_151_whatever_was_asked_for_the_browser_comes_back_to_this_host(sites, path):
    async def scenario(sites, browser):
        seen: list = []
        service = sites.add([("/openid", Service)], seen=seen, signed=[])
        site = sites.add([(r"/.*", Login, {"url": service})])
        page = (await browser.get(site + path, follow=False)).headers["Location"]
        await browser.get(page, follow=False)
        assert seen[0]["openid.return_to"].startswith(f"{site}/")
        assert seen[0]["openid.realm"] == f"{site}/"

    sites(scenario)
