from __future__ import annotations

import binascii
import urllib.parse
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.http.headers import HTTPHeaders
from gustnado.http.messages import HTTPServerRequest
from gustnado.web import Application, RequestHandler
from gustnado.web.handler.xsrf import _decode


class Page(RequestHandler):
    def prepare(self):
        self._cross_origin_protection()

    def get(self):
        self.write(self.xsrf_token)

    def post(self):
        self.write("ok")

    put = delete = patch = post
    head = options = get


def app(**options: Any) -> Application:
    return Application([("/", Page)], **options)


TOKENS = app(xsrf_cookies=True, xsrf_origin_first=False)  # as under as_tornado


def make(cookie: str | None = None, **options: Any) -> RequestHandler:
    headers = HTTPHeaders() if cookie is None else HTTPHeaders({"Cookie": "_xsrf=" + cookie})
    return Page(Application(**options), HTTPServerRequest("GET", "/", headers=headers))


def token_of(cookie: str | None = None, **options: Any) -> str:
    return make(cookie, **options).xsrf_token.decode()


def form(token: str) -> bytes:
    return urllib.parse.urlencode({"_xsrf": token}).encode()


class TestToken:
    def test_version_2_is_what_tornado_reads(self):
        from tornado.web import RequestHandler as Theirs  # type: ignore[import-untyped,unused-ignore]

        for token in (token_of(), token_of(xsrf_cookie_version=1)):
            ours = _decode(token)
            assert ours is not None
            assert Theirs._decode_xsrf_token(None, token)[:2] == (ours.version, ours.secret)

    def test_t6_each_page_has_another_mask(self):
        first = token_of()
        tokens = {token_of(first) for _ in range(5)}
        assert len(tokens) == 5
        secrets = {_decode(token).secret for token in (first, *tokens)}
        assert len(secrets) == 1

    def test_a_page_has_one_token(self):
        handler = make()
        assert handler.xsrf_token == handler.xsrf_token

    def test_a_new_token_sets_the_cookie(self):
        handler = make()
        token = handler.xsrf_token.decode()
        assert handler._new_cookie == {"_xsrf": f"_xsrf={token}; Path=/; SameSite=Lax"}
        again = make(token)
        assert again.xsrf_token
        assert again._new_cookie is None

    def test_version_1_is_hex_and_stays_the_same(self):
        first = token_of(xsrf_cookie_version=1)
        assert len(binascii.a2b_hex(first)) == 16
        assert token_of(first, xsrf_cookie_version=1) == first
        assert token_of(first) != first

    def test_other_versions_are_refused(self):
        with pytest.raises(ValueError, match="version 3"):
            token_of(xsrf_cookie_version=3)

    def test_the_cookie_has_its_settings(self):
        handler = make(xsrf_cookie_name="__Host-xsrf", xsrf_cookie_kwargs={"secure": True, "expires_days": 2})
        assert handler.xsrf_token
        assert handler._new_cookie is not None
        cookie = handler._new_cookie["__Host-xsrf"]
        assert cookie.endswith("; Secure") and "expires=" in cookie
        assert handler.settings["xsrf_cookie_kwargs"] == {"secure": True, "expires_days": 2}

    def test_a_logged_in_user_keeps_it_for_longer(self):
        handler = make()
        handler.current_user = "ada"
        assert handler.xsrf_token
        assert handler._new_cookie is not None
        assert "expires=" in handler._new_cookie["_xsrf"]
        assert "xsrf_cookie_kwargs" not in handler.settings

    def test_scripts_may_read_it_whatever_the_defaults(self):
        handler = make(cookie_defaults={"httponly": True, "samesite": "Lax"})
        assert handler.xsrf_token
        assert handler._new_cookie is not None
        assert "HttpOnly" not in handler._new_cookie["_xsrf"]
        assert "SameSite=Lax" in handler._new_cookie["_xsrf"]

    def test_a_form_has_it_hidden(self):
        handler = make()
        token = handler.xsrf_token.decode()
        assert handler.xsrf_form_html() == f'<input type="hidden" name="_xsrf" value="{token}"/>'

    @pytest.mark.parametrize(
        "cookie",
        ["", "3|x", "2|", "2|zz|aa|1", "2|aabb|aa|1", "2|aabbccdd|aa|x", "2|aabbccdd||5", "2|a|b|c|d"],
    )
    def test_146_what_cannot_be_read_is_no_token(self, cookie):
        assert _decode(cookie) is None
        handler = make(cookie)
        assert handler.xsrf_token
        assert handler._new_cookie is not None

    @settings(deadline=None, max_examples=200)
    @given(st.text(max_size=40) | st.text(alphabet="2|0af9", max_size=40))
    def test_no_token_is_too_odd(self, cookie):
        token = _decode(cookie)
        assert token is None or token.secret

    @settings(deadline=None, max_examples=100)
    @given(st.binary(min_size=1, max_size=40))
    def test_any_secret_makes_the_round_trip(self, secret):
        handler = make(binascii.b2a_hex(secret).decode())
        token = _decode(handler.xsrf_token.decode())
        assert token is not None
        assert (token.version, token.secret) == (2, secret)

    def test_tornados_names_stay(self):
        assert make()._decode_xsrf_token("3|") == (None, None, None)
        assert make()._decode_xsrf_token("aabb")[:2] == (1, b"\xaa\xbb")


class TestTokenCheck:
    """``xsrf_cookies=True, xsrf_origin_first=False``: none passes without a token."""

    def post(self, fetch, token=None, cookie=None, application=TOKENS, method="POST", **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if cookie is not None:
            fields["Cookie"] = "_xsrf=" + cookie
        return fetch(
            application, "/", method=method, headers=fields, body=b"" if token is None else form(token)
        )

    def test_the_right_token_passes_however_it_comes(self, fetch):
        token = token_of()
        assert self.post(fetch, token, token).code == 200
        assert self.post(fetch, None, token, X_Xsrftoken=token).code == 200
        assert self.post(fetch, None, token, X_CSRFToken=token).code == 200
        query = "/?" + urllib.parse.urlencode({"_xsrf": token})
        assert fetch(TOKENS, query, method="POST", headers={"Cookie": "_xsrf=" + token}).code == 200
        assert self.post(fetch, token_of(token), token_of(token)).code == 200
        assert self.post(fetch, "xoxo", "xoxo").code == 200  # no hex, as Tornado allows

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
    def test_t1_147_none_passes_without(self, fetch, expect_log, method):
        with expect_log("gustnado.general", "'_xsrf' argument missing"):
            response = self.post(fetch, None, token_of(), method=method, X_Requested_With="XMLHttpRequest")
        assert response.code == 403

    @pytest.mark.parametrize("headers", [{"Sec_Fetch_Site": "same-origin"}, {"Origin": "http://example.org"}])
    def test_the_browsers_word_does_not_replace_the_token(self, fetch, expect_log, headers):
        with expect_log("gustnado.general", "'_xsrf' argument missing"):
            assert self.post(fetch, None, token_of(), **headers).code == 403

    @pytest.mark.parametrize(
        ("token", "cookie", "complaint"),
        [
            (token_of(), None, "does not match"),
            (token_of(), token_of(), "does not match"),
            (token_of(), "3|", "does not match"),
            ("3|", token_of(), "invalid format"),
            ("2|aabbccdd||5", "2|aabbccdd||5", "invalid format"),
        ],
    )
    def test_147_a_wrong_token_does_not_pass(self, fetch, expect_log, token, cookie, complaint):
        with expect_log("gustnado.general", complaint):
            assert self.post(fetch, token, cookie).code == 403

    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
    def test_safe_methods_need_none(self, fetch, method):
        assert fetch(TOKENS, "/", method=method, headers={"Sec-Fetch-Site": "cross-site"}).code == 200

    def test_147_another_site_is_refused_even_with_a_token(self, fetch, expect_log):
        token = token_of()
        with expect_log("gustnado.general", "cross-site"):
            response = self.post(
                fetch, token, token, Sec_Fetch_Site="cross-site", Origin="https://evil.example"
            )
        assert response.code == 403

    def test_a_trusted_site_still_needs_the_token(self, fetch, expect_log):
        application = app(xsrf_cookies=True, xsrf_origin_first=False, trusted_origins=["https://good.example"])
        token = token_of()
        headers = {"Sec_Fetch_Site": "cross-site", "Origin": "https://good.example"}
        assert self.post(fetch, token, token, application, **headers).code == 200
        with expect_log("gustnado.general", "missing"):
            assert self.post(fetch, None, token, application, **headers).code == 403

    def test_another_host_of_the_site_may_have_a_token(self, fetch):
        token = token_of()
        assert self.post(fetch, token, token, Sec_Fetch_Site="same-site").code == 200


class TestOriginFirst:
    """``xsrf_cookies=True``."""

    APP = app(xsrf_cookies=True)

    def post(self, fetch, body: bytes = b"", protocol="http", **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return fetch(self.APP, "/", method="POST", headers=fields, body=body, protocol=protocol)

    def test_our_own_pages_need_no_token(self, fetch):
        assert self.post(fetch, Sec_Fetch_Site="same-origin").code == 200
        assert self.post(fetch, Origin="http://example.org").code == 200
        assert self.post(fetch, Origin="https://example.org", protocol="https").code == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Sec_Fetch_Site": "none"},
            {"Sec_Fetch_Site": "same-site", "Origin": "http://example.org"},
            {"Sec_Fetch_Site": "same-origin, cross-site"},
            {"Origin": "https://example.org"},
            {"Origin": "http://example.org:8888"},
            {"Origin": "http://example.org.evil.example"},
            {"Origin": "null"},
            {"Origin": ""},
            {"Referer": "http://example.org/"},
        ],
    )
    def test_all_others_do(self, fetch, expect_log, headers):
        with expect_log("gustnado.general", "'_xsrf' argument missing"):
            assert self.post(fetch, **headers).code == 403
        token = token_of()
        assert self.post(fetch, form(token), Cookie="_xsrf=" + token, **headers).code == 200

    def test_another_site_is_refused(self, fetch, expect_log):
        token = token_of()
        headers = {"Cookie": "_xsrf=" + token, "Sec_Fetch_Site": "cross-site", "Origin": "http://example.org"}
        with expect_log("gustnado.general", "cross-site"):
            assert self.post(fetch, form(token), **headers).code == 403


class TestHostCookie:
    """Over TLS the cookie is one that no other host can set."""

    def make(self, protocol="https", cookie=None, **options):
        headers = HTTPHeaders({} if cookie is None else {"Cookie": cookie})
        handler = make(**options)
        handler.request = HTTPServerRequest("GET", "/", headers=headers)
        handler.request.protocol = protocol
        return handler

    def test_has_the_prefix_over_tls_only(self):
        handler = self.make()
        token = handler.xsrf_token.decode()
        assert handler._new_cookie == {"__Host-_xsrf": f"__Host-_xsrf={token}; Path=/; SameSite=Lax; Secure"}
        plain = self.make("http")
        assert plain.xsrf_token
        assert list(plain._new_cookie) == ["_xsrf"]

    def test_147_one_that_another_host_may_have_set_is_not_taken(self):
        token = token_of()
        handler = self.make(cookie=f"_xsrf={token}")
        assert _decode(handler.xsrf_token.decode()).secret != _decode(token).secret
        known = self.make(cookie=f"_xsrf={token_of()}; __Host-_xsrf={token}")
        assert _decode(known.xsrf_token.decode()).secret == _decode(token).secret

    @pytest.mark.parametrize(
        "options",
        [
            {"xsrf_cookie_kwargs": {"domain": "example.org"}},
            {"xsrf_cookie_kwargs": {"path": "/app"}},
            {"xsrf_cookie_kwargs": {"secure": False}},
            {"xsrf_cookie_name": "_xsrf"},
        ],
    )
    def test_not_where_it_would_not_fit(self, options):
        handler = self.make(**options)
        assert handler.xsrf_token
        assert list(handler._new_cookie) == ["_xsrf"]

    def test_whole_way(self, fetch):
        application = app(xsrf_cookies=True)
        page = fetch(application, "/", protocol="https")
        cookie = page.headers["Set-Cookie"].partition(";")[0]
        sent = {"Cookie": cookie, "X-Xsrftoken": page.text}
        assert fetch(application, "/", method="POST", protocol="https", headers=sent).code == 200


class TestSwitch:
    """A handler's ``xsrf_cookies``."""

    @pytest.mark.parametrize("setting", [False, True])
    @pytest.mark.parametrize("switch", [None, False, True])
    def test_wins_over_the_setting(self, fetch, expect_log, setting, switch):
        handler = type("Switched", (Page,), {"xsrf_cookies": switch})
        application = Application([("/", handler)], xsrf_cookies=setting)
        if setting if switch is None else switch:
            with expect_log("gustnado.general", "'_xsrf' argument missing"):
                assert fetch(application, "/", method="POST").code == 403
        else:
            assert fetch(application, "/", method="POST").code == 200

    def test_147_neither_type_nor_method_of_a_form_get_around_it(self, fetch, expect_log):
        application = app(xsrf_cookies=True)
        for content_type in ("text/plain", "application/json", "multipart/form-data; boundary=x"):
            headers = {"Content-Type": content_type, "X-HTTP-Method-Override": "GET"}
            with expect_log("gustnado.general", "'_xsrf' argument missing"):
                response = fetch(application, "/?_method=GET", method="POST", headers=headers, body=b"--x--\r\n")
            assert response.code == 403


class TestCrossOriginProtection:
    """``cross_origin_protection=True``."""

    APP = app(cross_origin_protection=True, trusted_origins=["https://trusted.example"])

    def post(self, fetch, headers, application=APP, method="POST"):
        return fetch(application, "/", method=method, headers=headers)

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Sec-Fetch-Site": "same-origin"},
            {"Sec-Fetch-Site": "none"},
            {"Origin": "http://example.org"},
            {"Origin": "https://EXAMPLE.org"},
            {"Origin": "http://example.org/foo"},
            {"Origin": "https://trusted.example"},
            {"Sec-Fetch-Site": "cross-site", "Origin": "https://trusted.example"},
        ],
    )
    def test_passes(self, fetch, headers):
        assert self.post(fetch, headers).code == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site", "Origin": "https://other.example.org"},
            {"Sec-Fetch-Site": "cross-site", "Origin": "http://example.org"},
            {"Sec-Fetch-Site": "something-new"},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": ""},
            {"Origin": "http://["},
            {"Origin": "https://trusted.example/"},
            {"Origin": "http://trusted.example"},
            {"Origin": "https://evil.example", "Referer": "http://example.org/"},
        ],
    )
    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
    def test_147_is_refused(self, fetch, expect_log, headers, method):
        with expect_log("gustnado.general", "not allowed"):
            assert self.post(fetch, headers, method=method).code == 403

    def test_both_checks_may_be_on(self, fetch, expect_log):
        application = app(cross_origin_protection=True, xsrf_cookies=True, xsrf_origin_first=False)
        token = token_of()
        right = {"Cookie": "_xsrf=" + token, "X-Xsrftoken": token}
        assert self.post(fetch, {**right, "Sec-Fetch-Site": "same-origin"}, application).code == 200
        with expect_log("gustnado.general", "missing"):
            assert self.post(fetch, {"Sec-Fetch-Site": "same-origin"}, application).code == 403
        with expect_log("gustnado.general", "not allowed"):
            assert self.post(fetch, {**right, "Origin": "https://evil.example"}, application).code == 403

    def test_a_handler_may_trust_others(self, fetch, expect_log):
        class Open(Page):
            def check_trusted_origin(self, origin):
                return origin.endswith(".example.com")

        application = Application([("/", Open)], cross_origin_protection=True)
        assert self.post(fetch, {"Origin": "https://app.example.com"}, application).code == 200
        with expect_log("gustnado.general", "not allowed"):
            assert self.post(fetch, {"Origin": "https://evil.com"}, application).code == 403

    def test_off_by_default(self, fetch):
        assert self.post(fetch, {"Sec-Fetch-Site": "cross-site"}, app()).code == 200
