from __future__ import annotations

import datetime
import http.cookies
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.errors import UsageError
from gustnado.http.cookies import CookieError, format_set_cookie, parse_cookie
from gustnado.http.dates import format_timestamp

NAME_CHARS = "!#$%&'*+-.^_`|~:0123456789ABCXYZabcxyz"
PATH_CHARS = "/!#$%&'()*+-.:<=>?@[]^_`{|}~019AZaz"
RESERVED = {*http.cookies.Morsel().keys(), "partitioned"}

names = st.text(NAME_CHARS, min_size=1).filter(
    lambda name: name.lower() not in RESERVED and not name.lower().startswith(("__host-", "__secure-"))
)
values = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f"))


def attribute(keyword: str, value: object) -> dict[str, Any]:
    """An attribute under a keyword that the test chooses, whatever its type."""
    return {keyword: value}


class TestParseCookie:
    @pytest.mark.parametrize(
        ("sent", "expected"),
        [
            ("", {}),
            ("a=b", {"a": "b"}),
            ("chips=ahoy; vienna=finger", {"chips": "ahoy", "vienna": "finger"}),
            ("a=b;c=d", {"a": "b", "c": "d"}),
            ("a=b;  c=d\t;\te = f ", {"a": "b", "c": "d", "e": "f"}),
            ("keebler=E=mc2", {"keebler": "E=mc2"}),
            ("key:term=value:term", {"key:term": "value:term"}),
            ("a=b; Domain=example.com", {"a": "b", "Domain": "example.com"}),
            ("a=b; c=[; d=r; f=h", {"a": "b", "c": "[", "d": "r", "f": "h"}),
            ("a b c=d e = f; gh=i", {"a b c": "d e = f", "gh": "i"}),
            ("saint=Andr\u00e9 Bessette", {"saint": "Andr\u00e9 Bessette"}),
            ("  =  b  ;  ;  =  ;   c  =  ;  ", {"": "b", "c": ""}),
            ('a=""', {"a": ""}),
            ('a="', {"a": '"'}),
            ('a="b', {"a": '"b'}),
            ('a=b"', {"a": 'b"'}),
        ],
    )
    def test_reads_what_browsers_send(self, sent, expected):
        assert parse_cookie(sent) == expected

    @pytest.mark.parametrize(
        ("sent", "expected"),
        [
            (
                'keebler="E=mc2; L=\\"Loves\\"; fudge=x"',
                {"keebler": '"E=mc2', "L": '\\"Loves\\"', "fudge": 'x"'},
            ),
            ('a="; xsrf=real', {"a": '"', "xsrf": "real"}),
            ('a=b; "; c=d', {"a": "b", "": '"', "c": "d"}),
            ("a=b, c=d; e=f", {"a": "b, c=d", "e": "f"}),
            ("$Version=1; a=b", {"$Version": "1", "a": "b"}),
        ],
    )
    def test_T9_splits_at_semicolons_only(self, sent, expected):
        assert parse_cookie(sent) == expected

    @pytest.mark.parametrize(
        ("quoted", "expected"),
        [
            (r'"b=\""', 'b="'),
            (r'"b=\\"', "b=\\"),
            (r'"b=\="', "b=="),
            (r'"b=\n"', "b=n"),
            (r'"b=\042"', 'b="'),
            (r'"b=\134"', "b=\\"),
            (r'"b=\377"', "b=\xff"),
            (r'"b=\400"', "b=400"),
            (r'"b=\42"', "b=42"),
            (r'"b=\\042"', "b=\\042"),
            (r'"b=\\\042"', 'b=\\"'),
            (r'"b=\134\042"', 'b=\\"'),
            (r"b=\042", r"b=\042"),
        ],
    )
    def test_T16_decodes_escapes_within_quotes_once(self, quoted, expected):
        assert parse_cookie(f"a={quoted}") == {"a": expected}

    @pytest.mark.parametrize("escape", [r"\\", r"\134"])
    def test_T16_decodes_in_linear_time(self, escape, assert_linear):
        assert_linear(lambda size: lambda: parse_cookie('a="' + escape * size + '"'), 1000)
        assert parse_cookie('a="' + escape * 100_000 + '"') == {"a": "\\" * 100_000}

    @pytest.mark.parametrize(
        "sent",
        [
            "=__Host-x=y",
            "__Host-x",
            " =__Host-x",
            "\u2000__Host-x=y",
            " \u2000__Host-x\u2000 = y",
            "a=1;\t\x85__Host-x\xa0=y",
            "\x85__Host-x=y",
            "\xa0__Host-x=y",
            "\x1f__Host-x=y",
            "\x00__Host-x=y",
            '"__Host-x"=y',
            "__host-x=y",
            "a=b,__Host-x=y",
            'a="b; =__Host-x=y"',
        ],
    )
    def test_144_nothing_is_promoted_to_a_prefixed_name(self, sent):
        assert "__Host-x" not in parse_cookie(sent)

    def test_144_a_pair_without_equals_is_a_nameless_value(self):
        assert parse_cookie("abc=def; unnamed; lang=en") == {"abc": "def", "": "unnamed", "lang": "en"}

    def test_144_the_last_of_a_name_wins(self):
        assert parse_cookie("a=b; h=i; a=c") == {"a": "c", "h": "i"}

    @pytest.mark.parametrize("control", [*map(chr, [*range(9), *range(10, 32), 127])], ids=ascii)
    def test_144_pairs_with_control_characters_are_left_out(self, control):
        assert parse_cookie(f"a=1; b{control}=2; c=3{control}; {control}d=4; e=\t5; f") == {
            "a": "1",
            "e": "5",
            "": "f",
        }

    def test_144_pairs_beyond_the_limit_are_ignored(self):
        sent = "; ".join(f"c{number}={number}" for number in range(10_000))
        assert list(parse_cookie(sent)) == [f"c{number}" for number in range(100)]
        assert parse_cookie("a=1; b=2; c=3", max_cookies=2) == {"a": "1", "b": "2"}
        assert parse_cookie("a=1; b=2", max_cookies=2) == {"a": "1", "b": "2"}
        assert parse_cookie("a=1", max_cookies=0) == {}

    def test_144_empty_pairs_count_against_the_limit(self):
        assert parse_cookie(";" * 100 + "a=1") == {}

    def test_144_takes_linear_time(self, assert_linear):
        assert_linear(lambda size: lambda: parse_cookie("a=\x01; " * size, size), 500)

    @given(st.text())
    @settings(deadline=None)
    def test_never_raises(self, sent):
        for name, value in parse_cookie(sent).items():
            assert isinstance(name, str)
            assert isinstance(value, str)

    @given(st.lists(st.sampled_from([*'ab=;; "\\012,\u00e9$\t']), max_size=30).map("".join))
    @settings(deadline=None, max_examples=300)
    def test_agrees_with_tornado_on_printable_input(self, sent):
        httputil = pytest.importorskip("tornado.httputil")
        assert parse_cookie(sent) == httputil.parse_cookie(sent)


class TestFormatSetCookie:
    def test_defaults(self):
        assert format_set_cookie("a", "b") == "a=b; Path=/"
        assert format_set_cookie("a", "b", path=None) == "a=b"
        assert format_set_cookie("a", "b", path="") == "a=b"

    def test_all_attributes_in_the_order_of_the_standard_library(self):
        assert (
            format_set_cookie(
                "a",
                "b",
                domain="example.com",
                expires=1359312200,
                path="/p",
                max_age=3600,
                httponly=True,
                secure=True,
                samesite="Lax",
                partitioned=True,
            )
            == "a=b; Domain=example.com; expires=Sun, 27 Jan 2013 18:43:20 GMT; HttpOnly; Max-Age=3600;"
            " Partitioned; Path=/p; SameSite=Lax; Secure"
        )

    @pytest.mark.parametrize(
        "expires",
        [1359312200.5, datetime.datetime(2013, 1, 27, 18, 43, 20, tzinfo=UTC), (2013, 1, 27, 18, 43, 20)],
    )
    def test_expires_may_be_any_timestamp(self, expires):
        assert format_set_cookie("a", "b", expires=expires, path=None).endswith(
            "=Sun, 27 Jan 2013 18:43:20 GMT"
        )

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("", '""'),
            ("a=b", '"a=b"'),
            ("a;b", '"a\\073b"'),
            ("a,b", '"a\\054b"'),
            ('a"b', '"a\\"b"'),
            ("a\\b", '"a\\\\b"'),
            ("\u00e9", '"\\351"'),
            ("a:b|c", "a:b|c"),
        ],
    )
    def test_values_are_quoted_where_they_must_be(self, value, expected):
        assert format_set_cookie("a", value, path=None) == f"a={expected}"

    @pytest.mark.parametrize("keyword", ["max_age", "expires", "domain", "samesite", "httponly", "secure"])
    @pytest.mark.parametrize("value", [None, 0, ""])
    def test_empty_attributes_are_left_out(self, keyword, value):
        assert format_set_cookie("a", "b", **{keyword: value}) == "a=b; Path=/"

    @given(names, values)
    @settings(deadline=None)
    def test_what_is_written_can_be_read(self, name, value):
        pair = format_set_cookie(name, value, httponly=True).partition("; ")[0]
        assert parse_cookie(pair) == {name: value}
        assert parse_cookie(f"(x)=1; {pair}; (y)=2") == {"(x)": "1", name: value, "(y)": "2"}

    @given(
        name=names,
        value=values,
        domain=st.none() | st.text("abz019.-", min_size=1),
        expires=st.none() | st.integers(1, 10**10),
        path=st.none() | st.text(PATH_CHARS, min_size=1),
        max_age=st.none() | st.integers(),
        httponly=st.booleans(),
        secure=st.booleans(),
        samesite=st.sampled_from([None, "Strict", "Lax", "lax"]),
    )
    @settings(deadline=None)
    def test_agrees_with_the_standard_library(
        self, name, value, domain, expires, path, max_age, httponly, secure, samesite
    ):
        jar = http.cookies.SimpleCookie()
        jar[name] = value
        jar[name].update(
            {
                "domain": domain or "",
                "expires": format_timestamp(expires) if expires else "",
                "path": path or "",
                "max-age": str(max_age) if max_age else "",
                "httponly": httponly,
                "secure": secure,
                "samesite": samesite or "",
            }
        )
        assert jar[name].OutputString() == format_set_cookie(
            name,
            value,
            domain=domain,
            expires=expires,
            path=path,
            max_age=max_age,
            httponly=httponly,
            secure=secure,
            samesite=samesite,
        )

    @given(
        st.text(),
        st.text(),
        st.fixed_dictionaries(
            {},
            optional={
                "domain": st.text(),
                "path": st.text(),
                "samesite": st.text(),
                "max_age": st.text() | st.floats() | st.integers(),
                "Path": st.text(),
                "Max-Age": st.text(),
                "secure": st.booleans(),
            },
        ),
    )
    @settings(deadline=None)
    def test_no_input_starts_another_attribute_or_line(self, name, value, options):
        try:
            written = format_set_cookie(name, value, **options)
        except ValueError:
            return
        keywords = [field.partition("=")[0] for field in written.split("; ")][1:]
        assert len(set(keywords)) == len(keywords)
        assert {*keywords} <= {"Domain", "Max-Age", "Path", "SameSite", "Secure"}
        assert written.isascii()
        assert written.isprintable()

    def test_errors_are_of_every_family_that_callers_catch(self):
        assert issubclass(CookieError, (UsageError))
        assert issubclass(CookieError, http.cookies.CookieError)
        assert issubclass(CookieError, ValueError)


BAD_CHARACTERS = [*map(chr, range(0x21)), "\x7f", ";", ",", '"', "\\", "\u00e9", "\u2603", "\r\nX: y"]


class TestRefusals:
    @pytest.mark.parametrize("bad", BAD_CHARACTERS, ids=ascii)
    @pytest.mark.parametrize("keyword", ["domain", "path", "samesite", "DoMaIn", "PATH", "SameSite"])
    def test_T26_T35_145_attributes(self, keyword, bad):
        with pytest.raises(CookieError, match=f"Invalid cookie attribute {keyword.lower()}=|{keyword}="):
            format_set_cookie("a", "b", **attribute(keyword, f"/x{bad}y"))

    @pytest.mark.parametrize("bad", [*BAD_CHARACTERS, "=", "(", "@", "[", "{", "/", "<", "?"], ids=ascii)
    def test_145_names(self, bad):
        with pytest.raises(CookieError, match="Invalid cookie attribute name="):
            format_set_cookie(f"a{bad}b", "c")

    def test_145_a_cookie_without_a_name(self):
        with pytest.raises(CookieError):
            format_set_cookie("", "__Host-a=b")

    @pytest.mark.parametrize("bad", [*map(chr, range(0x21)), "\x7f", "\u0100", "\ud800"], ids=ascii)
    def test_145_values(self, bad):
        with pytest.raises(CookieError) as caught:
            format_set_cookie("a", f"secret{bad}")
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize(
        "max_age", ["1; Path=/x", "10", "x", True, 1.5, float("nan"), float("inf"), b"1", [1], "\u0661"]
    )
    @pytest.mark.parametrize("keyword", ["max_age", "Max_Age", "max-age", "Max-Age"])
    def test_T47_max_age_is_an_integer(self, keyword, max_age):
        with pytest.raises(ValueError):
            format_set_cookie("a", "b", **attribute(keyword, max_age))

    def test_T47_max_age_may_be_a_whole_float(self):
        seconds = datetime.timedelta(days=1).total_seconds()
        assert format_set_cookie("a", "b", max_age=seconds) == "a=b; Max-Age=86400; Path=/"
        assert format_set_cookie("a", "b", max_age=-1) == "a=b; Max-Age=-1; Path=/"

    def test_T35_other_spellings_take_the_same_path(self):
        assert format_set_cookie("a", "b", HttpOnly=True, pATH="/foo") == "a=b; HttpOnly; Path=/foo"
        assert (
            format_set_cookie("a", "b", **attribute("Max-Age", 5), Secure=True)
            == "a=b; Max-Age=5; Path=/; Secure"
        )
        with pytest.raises(CookieError):
            format_set_cookie("a", "b", Expires="x; Domain=evil.example")
        with pytest.raises(CookieError):
            format_set_cookie("__Host-a", "b", secure=True, Path="/foo")

    @pytest.mark.parametrize("keyword", ["version", "comment", "Domian", "max age", "x; Path"])
    def test_T35_unknown_attributes(self, keyword):
        with pytest.raises(CookieError, match="unknown"):
            format_set_cookie("a", "b", **attribute(keyword, "1"))

    @pytest.mark.parametrize("samesite", ["a", "Strict;", "LaxLax", " Lax", "No", "1"])
    def test_145_samesite_is_one_of_three(self, samesite):
        with pytest.raises(CookieError):
            format_set_cookie("a", "b", samesite=samesite, secure=True)

    @pytest.mark.parametrize("samesite", ["Strict", "strict", "LAX", "None", "none"])
    def test_145_samesite_of_any_case(self, samesite):
        written = format_set_cookie("a", "b", samesite=samesite, secure=True)
        assert written == f"a=b; Path=/; SameSite={samesite}; Secure"

    @pytest.mark.parametrize(
        ("name", "options"),
        [
            ("__Host-a", {}),
            ("__Host-a", {"secure": True, "domain": "example.com"}),
            ("__Host-a", {"secure": True, "path": "/x"}),
            ("__Host-a", {"secure": True, "path": None}),
            ("__host-a", {}),
            ("__Secure-a", {}),
            ("__SECURE-a", {"httponly": True}),
            ("a", {"samesite": "None"}),
            ("a", {"samesite": "none", "httponly": True}),
            ("a", {"partitioned": True}),
        ],
    )
    def test_145_rules_that_browsers_enforce(self, name, options):
        with pytest.raises(CookieError, match="must be"):
            format_set_cookie(name, "b", **options)

    @pytest.mark.parametrize(
        ("name", "options"),
        [
            ("__Host-a", {}),
            ("__Secure-a", {"domain": "example.com", "path": "/x"}),
            ("__Hosta", {"path": "/x"}),
            ("a", {"samesite": "None", "partitioned": True}),
        ],
    )
    def test_145_rules_kept(self, name, options):
        assert format_set_cookie(name, "b", secure=True, **options).startswith(f"{name}=b; ")

    @pytest.mark.parametrize("expires", [10**20, float("inf"), float("nan")])
    def test_145_dates_out_of_range(self, expires):
        with pytest.raises(ValueError):
            format_set_cookie("a", "b", expires=expires)
