"""URLs: what is taken apart, and what is refused because it could be taken apart in two ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.http.client.errors import InvalidURLError
from gustnado.http.client.urls import join_url, parse_url


@pytest.mark.parametrize(
    ("url", "origin", "authority", "target"),
    [
        ("http://a.example", ("http", "a.example", 80), "a.example", "/"),
        ("HTTPS://A.Example:443/b?c#d", ("https", "a.example", 443), "a.example", "/b?c"),
        ("http://a.example:8080?q", ("http", "a.example", 8080), "a.example:8080", "/?q"),
        ("http://a.example:/x", ("http", "a.example", 80), "a.example", "/x"),
        ("http://[::1]:81/", ("http", "::1", 81), "[::1]:81", "/"),
        ("http://[2001:DB8::0:1]/", ("http", "2001:db8::1", 80), "[2001:db8::1]", "/"),
        ("http://127.0.0.1/é?ü", ("http", "127.0.0.1", 80), "127.0.0.1", "/%C3%A9?%C3%BC"),
        ("http://bücher.example/", ("http", "xn--bcher-kva.example", 80), "xn--bcher-kva.example", "/"),
        ("http://a_b.example./", ("http", "a_b.example.", 80), "a_b.example.", "/"),
        ("http://h/%20%zz", ("http", "h", 80), "h", "/%20%zz"),
    ],
)
def test_parts(url, origin, authority, target):
    found = parse_url(url)
    assert (found.origin, found.authority, found.target) == (origin, authority, target)


def test_userinfo_is_decoded_and_shown_nowhere():
    url = parse_url("http://me%40home:s%3Aecret@a.example/b")
    assert (url.username, url.password) == ("me@home", "s:ecret")
    assert url.text == "http://a.example/b"
    assert parse_url("http://me@a.example/").password == ""
    assert parse_url("http://a.example/").username is None


@pytest.mark.parametrize(
    "url",
    [
        "", "a.example", "/a", "//a.example/", "ftp://a.example/", "file:///etc/passwd", "unix:/a", "javascript:x",
        "http:a.example", "http:/a.example", "http://", "http:///a", "http://:80/", "http://?x",
    ],
)  # fmt: skip
def test_what_is_no_url_of_http(url):
    with pytest.raises(InvalidURLError):
        parse_url(url)


@pytest.mark.parametrize("character", ["\r", "\n", "\t", " ", "\0", "\x7f", "\\", "\r\nX: y"])
@pytest.mark.parametrize("place", ["http://a{}b/", "http://a/{}", "http://a/?{}", "http://u{}:p@a/", "{}http://a/"])
def test_characters_that_no_url_has(character, place):
    with pytest.raises(InvalidURLError, match="must be percent-encoded"):
        parse_url(place.format(character))


@pytest.mark.parametrize(
    "host",
    [
        "a@b@c", "-a", "a-", "a..b", ".", "a,b", "a%41", "a" * 64, "a." * 127 + "abc", "<a>", "[::1", "::1", "[::g]",
        "[fe80::1%25eth0]", "[::1]x", "[127.0.0.1]", "\uff41\u3002\u3002",
    ],
)  # fmt: skip
def test_hosts_that_are_none(host):
    with pytest.raises(InvalidURLError):
        parse_url(f"http://{host}/")


@pytest.mark.parametrize(
    "host", ["2130706433", "127.1", "0177.0.0.1", "0x7f.1", "0x7f000001", "1.2.3.4.5", "256.1.1.1", "1.2.3.04"]
)
def test_addresses_in_other_forms(host):
    """Which some read as an address and others as a name."""
    with pytest.raises(InvalidURLError, match="four decimal numbers"):
        parse_url(f"http://{host}/")


@pytest.mark.parametrize("port", ["0", "65536", "99999", "123456", "-1", "+80", "8 0", "x", "\uff18\uff10"])
def test_ports_that_are_none(port):
    with pytest.raises(InvalidURLError):
        parse_url(f"http://a.example:{port}/")


def test_messages_show_no_userinfo():
    for url in ("http://me:secret@a..b/", "http://me:secret@a b/", "ftp://me:secret@a/", "http://x:secret@me:secret@a/"):
        with pytest.raises(InvalidURLError) as caught:
            parse_url(url)
        assert "secret" not in str(caught.value)


def test_urls_with_userinfo_are_not_remembered():
    assert parse_url("http://a.example/x") is parse_url("http://a.example/x")
    assert parse_url("http://me@a.example/x") is not parse_url("http://me@a.example/x")


@pytest.mark.parametrize(
    ("location", "text"),
    [
        ("/b", "http://a.example:81/b"),
        ("b?c", "http://a.example:81/x/b?c"),
        ("?c", "http://a.example:81/x/y?c"),
        ("", "http://a.example:81/x/y"),
        ("//b.example/c", "http://b.example/c"),
        ("https://b.example", "https://b.example/"),
        ("../../../c", "http://a.example:81/c"),
        ("/a b", "http://a.example:81/a%20b"),
        ("/\xc3\xa9", "http://a.example:81/%C3%A9"),
        (" /c ", "http://a.example:81/c"),
        ("#top", "http://a.example:81/x/y"),
        ("http://me:secret@b.example/", "http://b.example/"),
        ("HTTP://B.example/", "http://b.example/"),
    ],
)
def test_where_a_redirect_leads(location, text):
    url = join_url(parse_url("http://a.example:81/x/y"), location)
    assert url.text == text
    assert url.username is None


@pytest.mark.parametrize(
    "location",
    ["ftp://a/", "h:5", "javascript:alert(1)", "http://", "http:b", "http://a:0/", "http://a@b@c/", "data:,x"],
)
def test_where_no_redirect_leads(location):
    with pytest.raises(InvalidURLError):
        join_url(parse_url("http://a.example/"), location)


def test_userinfo_of_another_url():
    plain, other = parse_url("http://a.example/x"), parse_url("http://me:pw@a.example/")
    assert plain.with_userinfo_of(plain) is plain
    both = plain.with_userinfo_of(other)
    assert (both.text, both.username, both.password) == (plain.text, "me", "pw")
    assert parse_url("http://a.example/x").username is None


@given(st.text(max_size=60))
def test_whatever_is_accepted_can_stand_on_the_wire(text):
    try:
        url = parse_url(text if text.startswith("http") else f"http://a.example/{text}")
    except InvalidURLError:
        return
    for part in (url.target, url.authority, url.text):
        assert part.isascii()
        assert part.isprintable()
        assert " " not in part
    assert parse_url(url.text).text == url.text


def test_it_is_linear(assert_linear):
    def refuse(url):
        with pytest.raises(InvalidURLError):
            parse_url(url)

    assert_linear(lambda size: lambda: refuse("http://" + "@" * size + "a/"), 1000)


class TestBackslashes:
    def test_stay_where_they_are_allowed(self):
        url = parse_url("http://a.example/\\b?c\\d", backslashes=True)
        assert (url.origin, url.target) == (("http", "a.example", 80), "/\\b?c\\d")

    def test_and_are_still_refused_elsewhere(self):
        parse_url("http://a.example/\\b", backslashes=True)
        with pytest.raises(InvalidURLError, match="must be percent-encoded"):
            parse_url("http://a.example/\\b")

    @pytest.mark.parametrize("url", ["http://a.example\\@b.example/", "http://a.example\\/", "http:\\\\a.example/"])
    def test_never_before_the_path(self, url):
        """Some see the end of the authority in one: who is asked would be in doubt."""
        with pytest.raises(InvalidURLError):
            parse_url(url, backslashes=True)

    def test_other_characters_are_as_bad_as_ever(self):
        with pytest.raises(InvalidURLError, match="must be percent-encoded"):
            parse_url("http://a.example/\\b c", backslashes=True)
