"""The cookie jar: who gets which cookie, and who may not set one (RFC 6265)."""

from __future__ import annotations

import json
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.http.client.cookies import CookieJar
from gustnado.http.client.urls import parse_url

NOW = 1_800_000_000.0
HOME = "https://www.example.org/a/b"


def jar_with(*values, url=HOME, now=NOW):
    jar = CookieJar()
    jar.store(parse_url(url), values, now)
    return jar


def sent(jar, url=HOME, now=NOW):
    return jar.header_for(parse_url(url), now)


def test_a_cookie_goes_back():
    assert sent(jar_with("a=1")) == "a=1"
    assert sent(jar_with("a=1; HttpOnly; SameSite=Lax; Wind=9")) == "a=1"
    assert sent(jar_with('a="x y"')) == 'a="x y"'
    assert sent(jar_with("a=b=c")) == "a=b=c"
    assert sent(jar_with("a=")) == "a="


@pytest.mark.parametrize("value", ["", "=x", "novalue", ";", "a=1\0", "a=1\x1f; Path=/", "a=" + "x" * 4096])
def test_what_is_no_cookie(value):
    assert len(jar_with(value)) == 0


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://www.example.org/a/", True), ("https://www.example.org/a/b/c?d", True),
        ("https://www.example.org/a", True), ("https://www.example.org/", False), ("https://www.example.org/ab", False),
        ("https://example.org/a/", False), ("https://x.www.example.org/a/", False),
        ("https://wwww.example.org/a/", False),
        ("https://www.example.org:444/a/", True), ("http://www.example.org/a/", True),
    ],
)  # fmt: skip
def test_host_only_and_default_path(url, expected):
    assert (sent(jar_with("c=1"), url) is not None) == expected


@pytest.mark.parametrize(
    ("domain", "url", "expected"),
    [
        ("example.org", "https://example.org/a/", True),
        (".example.org", "https://x.example.org/a/", True),
        ("EXAMPLE.org", "https://x.y.example.org/a/", True),
        ("example.org", "https://badexample.org/a/", False),
        ("www.example.org", "https://example.org/a/", False),
    ],
)
def test_domains(domain, url, expected):
    assert (sent(jar_with(f"c=1; Domain={domain}"), url) is not None) == expected


@pytest.mark.parametrize("domain", ["org", ".org", "other.example", "x.www.example.org", "ww.example.org", "com."])
def test_domains_that_are_not_ones_own(domain):
    assert len(jar_with(f"c=1; Domain={domain}")) == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_addresses_and_single_names_are_for_themselves(host):
    bare = host.strip("[]")
    jar = jar_with(f"c=1; Domain={bare}", "d=1", "e=1; Domain=0.0.1", url=f"http://{host}/")
    assert sent(jar, f"http://{host}/") == "c=1; d=1"
    assert all(cookie.host_only for cookie in jar.cookies())


def test_paths():
    jar = jar_with("root=1; Path=/", "deep=1; Path=/a/b", "odd=1; Path=x")
    assert sent(jar) == "deep=1; odd=1; root=1"
    assert sent(jar, "https://www.example.org/ab") == "root=1"


def test_secure_is_for_https():
    jar = jar_with("s=1; Secure; Path=/", "p=1; Path=/")
    assert sent(jar, "http://www.example.org/") == "p=1"
    assert len(jar_with("s=1; Secure", url="http://www.example.org/")) == 0
    assert len(jar_with("s=1; Secure", url="http://localhost/")) == 1


@pytest.mark.parametrize(
    ("value", "url", "kept"),
    [
        ("__Secure-a=1; Secure", HOME, True),
        ("__Secure-a=1", HOME, False),
        ("__secure-a=1", HOME, False),
        ("__Host-a=1; Secure; Path=/", HOME, True),
        ("__Host-a=1; Secure", HOME, False),
        ("__Host-a=1; Path=/", HOME, False),
        ("__Host-a=1; Secure; Path=/; Domain=example.org", HOME, False),
        ("__Secure-a=1; Secure", "http://www.example.org/", False),
    ],
)
def test_prefixes(value, url, kept):
    assert len(jar_with(value, url=url)) == kept


@pytest.mark.parametrize(
    ("attributes", "seconds"),
    [
        ("Max-Age=10", 10), ("max-age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 10), ("Max-Age=0", None),
        ("Max-Age=-1", None), ("Expires=Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("Max-Age=99999999999999999999", 400 * 86400), ("Expires=Fri, 01 Jan 2100 00:00:00 GMT", 400 * 86400),
    ],
)  # fmt: skip
def test_expiry(attributes, seconds):
    jar = jar_with(f"c=1; {attributes}")
    if seconds is None:
        assert len(jar) == 0
    else:
        assert sent(jar, now=NOW + seconds - 1) == "c=1"
        assert sent(jar, now=NOW + seconds + 1) is None


def test_expiry_that_cannot_be_read_is_none():
    assert jar_with("c=1; Max-Age=soon; Expires=later").cookies()[0].expires is None


def test_a_new_value_replaces_and_an_old_date_deletes():
    jar = jar_with("c=1; Path=/", "c=2; Path=/")
    assert sent(jar) == "c=2"
    jar.store(parse_url(HOME), ["c=; Path=/; Max-Age=0"], NOW)
    assert len(jar) == 0
    assert sent(jar) is None


def test_the_same_name_may_be_there_by_path():
    assert sent(jar_with("c=1; Path=/", "c=2; Path=/a")) == "c=2; c=1"


def test_how_many_there_are():
    jar = CookieJar(max_per_domain=3, max_cookies=5)
    for number in range(10):
        jar.store(parse_url("http://a.example/"), [f"c{number}=1"], NOW + number)
    assert sorted(cookie.name for cookie in jar.cookies()) == ["c7", "c8", "c9"]
    for host in range(10):
        jar.store(parse_url(f"http://h{host}.example/"), ["c=1"], NOW + 100)
    assert len(jar) == 5


def test_what_has_expired_goes_first():
    jar = CookieJar(max_per_domain=2)
    url = parse_url("http://a.example/")
    jar.store(url, ["old=1"], NOW)
    jar.store(url, ["short=1; Max-Age=1"], NOW + 1)
    jar.store(url, ["new=1"], NOW + 10)
    assert sent(jar, "http://a.example/", NOW + 10) == "old=1; new=1"


def test_it_can_be_kept_in_a_file(tmp_path):
    jar = jar_with("a=1; Domain=example.org; Path=/", "b=2; Secure", "c=3; Max-Age=10")
    file = tmp_path / "jar"
    file.touch(0o644)
    jar.save(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    other = CookieJar()
    other.load(file, NOW)
    assert sorted(map(str, other.cookies())) == sorted(map(str, jar.cookies()))
    assert [cookie.host_only for cookie in other.cookies() if cookie.name == "b"] == [True]
    later = CookieJar()
    later.load(file, NOW + 60)
    assert {cookie.name for cookie in later.cookies()} == {"a", "b"}


@pytest.mark.parametrize("data", [[{"name": "a"}], [{"wind": 1}], [1], 5])
def test_a_file_of_something_else(tmp_path, data):
    file = tmp_path / "jar"
    file.write_text(json.dumps(data))
    with pytest.raises(ValueError, match="does not hold the cookies"):
        CookieJar().load(file, NOW)


def test_it_can_be_emptied():
    jar = jar_with("a=1")
    jar.clear()
    assert sent(jar) is None


@given(st.text(max_size=80))
def test_no_field_breaks_it(text):
    jar = jar_with(text, f"a=1; {text}")
    value = sent(jar)
    assert value is None or not any(ord(character) < 32 and character != "\t" for character in value)
