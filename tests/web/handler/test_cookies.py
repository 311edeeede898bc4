from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from gustnado.errors import UsageError
from gustnado.http.cookies import CookieError
from gustnado.http.headers import HTTPHeaders
from gustnado.http.messages import HTTPServerRequest
from gustnado.web import Application, RequestHandler
from gustnado.web.handler.cookies import SAFE_COOKIE_DEFAULTS


def make(cookie: str | None = None, protocol: str = "http", **settings: Any) -> RequestHandler:
    settings.setdefault("cookie_defaults", {})
    headers = HTTPHeaders() if cookie is None else HTTPHeaders({"Cookie": cookie})
    request = HTTPServerRequest("GET", "/", headers=headers)
    request.protocol = protocol
    return RequestHandler(Application(**settings), request)


def sent(handler: RequestHandler) -> list[str]:
    return list((handler._new_cookie or {}).values())


def set_and_sent(*args: Any, **kwargs: Any) -> str:
    handler = make()
    handler.set_cookie(*args, **kwargs)
    (cookie,) = sent(handler)
    return cookie


def assert_expires(cookie: str, days: float) -> None:
    match = re.search("expires=([^;]+)", cookie)
    assert match is not None
    expected = datetime.now(UTC) + timedelta(days=days)
    assert abs((parsedate_to_datetime(match[1]) - expected).total_seconds()) < 60


class TestReading:
    def test_the_value_or_a_default(self):
        handler = make('a=1; b="x y"')
        assert handler.get_cookie("a") == "1"
        assert handler.get_cookie("b") == "x y"
        assert handler.get_cookie("c") is None
        assert handler.get_cookie("c", "default") == "default"
        assert handler.cookies["a"].value == "1"
        assert make().get_cookie("a") is None

    def test_what_is_set_is_not_seen(self):
        handler = make("a=1")
        handler.set_cookie("a", "2")
        assert handler.get_cookie("a") == "1"


class TestWriting:
    @pytest.mark.parametrize(
        ("args", "kwargs", "cookie"),
        [
            (("a", "b"), {}, "a=b; Path=/"),
            (("a", b"b"), {}, "a=b; Path=/"),
            (("a", "b", "foo.com"), {"path": "/foo"}, "a=b; Domain=foo.com; Path=/foo"),
            (("a", "b"), {"path": None}, "a=b"),
            (("a", "b=c"), {}, 'a="b=c"; Path=/'),
            (("a", "b"), {"max_age": 10}, "a=b; Max-Age=10; Path=/"),
            (("a", "b"), {"secure": True, "httponly": True}, "a=b; HttpOnly; Path=/; Secure"),
            (("a", "b"), {"secure": False, "httponly": False}, "a=b; Path=/"),
            (("a", "b"), {"samesite": "Lax"}, "a=b; Path=/; SameSite=Lax"),
            (("a", "b"), {"expires": 0.5}, "a=b; expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/"),
            (("a", "b"), {"partitioned": True, "secure": True}, "a=b; Partitioned; Path=/; Secure"),
        ],
    )
    def test_attributes(self, args, kwargs, cookie):
        assert set_and_sent(*args, **kwargs) == cookie

    def test_days_from_now(self):
        assert_expires(set_and_sent("a", "b", expires_days=10), 10)
        assert "1970" in set_and_sent("a", "b", expires=1, expires_days=10)

    def test_a_second_one_takes_its_place(self):
        handler = make()
        handler.set_cookie("a", "b", domain="example.com")
        handler.set_cookie("c", "d")
        handler.set_cookie("a", "e")
        assert sent(handler) == ["a=e; Path=/", "c=d; Path=/"]

    @pytest.mark.parametrize("char", [";", "\r", "\n", "\0", "\x7f"])
    @pytest.mark.parametrize("attribute", ["domain", "path", "samesite", "DoMaIn", "PATH"])
    @pytest.mark.filterwarnings("ignore::DeprecationWarning")
    def test_t26_t35_attributes_carry_no_other_attribute(self, attribute, char):
        with pytest.raises(CookieError, match=f"Invalid cookie attribute {attribute}"):
            make().set_cookie("a", "b", **{attribute: f"x{char}y"})

    def test_145_names_and_values_are_checked(self):
        for name in ("a b", "a;b", "a\r\nb", "", "a,b"):
            with pytest.raises(ValueError):
                make().set_cookie(name, "b")
        with pytest.raises(ValueError):
            make().set_cookie("a", "b\r\nSet-Cookie: c=d")

    def test_t47_max_age_is_a_number(self):
        with pytest.raises(ValueError):
            make().set_cookie("a", "b", max_age="1; Domain=evil")

    def test_145_prefixes_hold_what_they_promise(self):
        with pytest.raises(CookieError, match="must be secure"):
            make().set_cookie("__Host-a", "b")
        with pytest.raises(CookieError, match="samesite='None' must be secure"):
            make().set_cookie("a", "b", samesite="None")

    def test_other_spellings_are_deprecated(self):
        with pytest.warns(DeprecationWarning, match="lowercase"):
            cookie = set_and_sent("a", "b", HttpOnly=True, pATH="/foo")
        assert cookie == "a=b; HttpOnly; Path=/foo"

    def test_they_leave_with_the_response(self, fetch):
        class Handler(RequestHandler):
            def get(self):
                self.set_cookie("a", "1")
                self.set_cookie("b", "2")

        assert fetch(Application([("/", Handler)], cookie_defaults={}), "/").headers.get_list("Set-Cookie") == [
            "a=1; Path=/",
            "b=2; Path=/",
        ]


class TestDefaults:
    @pytest.mark.parametrize(
        ("protocol", "kwargs", "cookie"),
        [
            ("https", {}, "a=b; HttpOnly; Path=/; SameSite=Lax; Secure"),
            ("http", {}, "a=b; HttpOnly; Path=/; SameSite=Lax"),
            (
                "https",
                {"httponly": False, "secure": False, "samesite": "Strict"},
                "a=b; Path=/; SameSite=Strict",
            ),
        ],
    )
    @pytest.mark.parametrize("defaults", [None, SAFE_COOKIE_DEFAULTS])
    def test_145_safe_ones(self, protocol, kwargs, cookie, defaults):
        handler = make(protocol=protocol, cookie_defaults=defaults)
        handler.set_cookie("a", "b", **kwargs)
        assert sent(handler) == [cookie]

    def test_a_class_may_have_its_own(self):
        handler = make(cookie_defaults=None)
        handler.default_cookie_options = {"samesite": "Strict"}
        handler.set_cookie("a", "b")
        assert sent(handler) == ["a=b; Path=/; SameSite=Strict"]

    def test_145_a_jar_for_each_embedding_site(self):
        handler = make(cookie_defaults={"secure": True, "samesite": "None", "partitioned": True})
        handler.set_cookie("__Host-a", "b")
        handler.clear_cookie("__Host-c")
        assert sent(handler)[0] == "__Host-a=b; Partitioned; Path=/; SameSite=None; Secure"
        assert "; Partitioned; Path=/; SameSite=None; Secure" in sent(handler)[1]

    @pytest.mark.parametrize("kwargs", [{"partitioned": True}, {"samesite": "None"}])
    def test_145_what_needs_tls_is_an_error_without(self, kwargs):
        with pytest.raises(ValueError, match="must be secure"):
            make(cookie_defaults=None).set_cookie("a", "b", **kwargs)

    @pytest.mark.filterwarnings("ignore::DeprecationWarning")
    def test_another_spelling_counts_as_given(self):
        handler = make(cookie_defaults={"httponly": True, "domain": "example.org"})
        handler.set_cookie("a", "b", HttpOnly=False)
        assert sent(handler) == ["a=b; Domain=example.org; Path=/"]


class TestClearing:
    def test_a_cookie_is_cleared_by_an_expiry_in_the_past(self):
        handler = make()
        handler.clear_cookie("a", path="/x", domain="example.org")
        (cookie,) = sent(handler)
        assert cookie.startswith('a=""; Domain=example.org; expires=')
        assert cookie.endswith("; Path=/x")
        assert_expires(cookie, -365)

    @pytest.mark.parametrize("keyword", ["expires", "max_age"])
    def test_the_expiry_is_ours(self, keyword):
        with pytest.raises(TypeError, match=keyword):
            make().clear_cookie("a", **{keyword: 1})

    def test_all_that_the_request_has(self):
        handler = make("a=1; b=2; __Host-c=3")
        handler.clear_all_cookies()
        assert [cookie.partition("=")[0] for cookie in sent(handler)] == ["a", "b", "__Host-c"]
        assert sent(handler)[2].endswith("; Secure")


class TestSigned:
    def signed(self, value: str | bytes = "value", **settings: Any) -> str:
        handler = make(**settings)
        handler.set_signed_cookie("a", value)
        (cookie,) = sent(handler)
        assert_expires(cookie, 30)
        return cookie.partition(";")[0]

    def test_round_trip(self):
        settings = {"cookie_secret": "0123456789"}
        cookie = self.signed(b"\xe9\x00", **settings)
        assert make(cookie, **settings).get_signed_cookie("a") == b"\xe9\x00"
        assert make(cookie, cookie_secret="other").get_signed_cookie("a") is None
        assert make(**settings).get_signed_cookie("a") is None

    def test_a_value_need_not_be_a_cookie(self):
        handler = make(cookie_secret="x")
        value = handler.create_signed_value("a", "b").decode()
        assert handler.get_signed_cookie("a", value=value) == b"b"
        assert handler.get_signed_cookie("a", value=value, min_version=2) == b"b"
        assert handler.get_signed_cookie("other", value=value) is None
        old = handler.create_signed_value("a", "b", version=1).decode()
        assert handler.get_signed_cookie("a", value=old) == b"b"
        assert handler.get_signed_cookie("a", value=old, min_version=2) is None

    def test_keys_rotate(self):
        secrets = {0: "old", 1: "new"}
        cookie = self.signed(cookie_secret=secrets, key_version=0)
        later = make(cookie, cookie_secret=secrets, key_version=1)
        assert later.get_signed_cookie("a") == b"value"
        assert later.get_signed_cookie_key_version("a") == 0
        assert later.get_signed_cookie_key_version("b") is None
        assert make(cookie, cookie_secret={1: "new"}, key_version=1).get_signed_cookie("a") is None

    def test_several_keys_need_to_know_the_one(self):
        with pytest.raises(UsageError, match="key_version"):
            make(cookie_secret={0: "a"}).create_signed_value("a", "b")

    @pytest.mark.parametrize("name", ["create_signed_value", "set_signed_cookie"])
    def test_without_a_secret_there_is_no_signing(self, name):
        with pytest.raises(Exception, match="'cookie_secret' setting"):
            getattr(make(), name)("a", "b")
        with pytest.raises(Exception, match="'cookie_secret' setting"):
            make().get_signed_cookie("a")

    def test_the_old_names_stay(self):
        for old, new in (
            ("set_secure_cookie", "set_signed_cookie"),
            ("get_secure_cookie", "get_signed_cookie"),
            ("get_secure_cookie_key_version", "get_signed_cookie_key_version"),
        ):
            assert getattr(RequestHandler, old) is getattr(RequestHandler, new)
