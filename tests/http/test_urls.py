from __future__ import annotations

import unicodedata
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.http.urls import encode_username_password, qs_to_qsl, split_host_and_port, url_concat


@pytest.mark.parametrize(
    ("url", "args", "expected"),
    [
        ("https://h/p", [("y", "y"), ("z", "z")], "https://h/p?y=y&z=z"),
        ("https://h/p", (("y", "/y"), ("z", "&")), "https://h/p?y=%2Fy&z=%26"),
        ("https://h/p", {"y": "y"}, "https://h/p?y=y"),
        ("https://h/p?", [("y", "y")], "https://h/p?y=y"),
        ("https://h/p?x", [("y", "y")], "https://h/p?x=&y=y"),
        ("https://h/p?x&", [("y", "y")], "https://h/p?x=&y=y"),
        ("https://h/p?a=1&b=2", [("a", "3")], "https://h/p?a=1&b=2&a=3"),
        ("https://h/p?r=1&t=2", [], "https://h/p?r=1&t=2"),
        ("https://h/p?r=1&t=2", None, "https://h/p?r=1&t=2"),
        ("https://h/p#tab", {"y": "y"}, "https://h/p?y=y#tab"),
        ("/p;v=1?a=1", {"y": "y"}, "/p;v=1?a=1&y=y"),
        ("//h/p", {"y": "y"}, "//h/p?y=y"),
    ],
)
def test_url_concat(url, args, expected):
    assert url_concat(url, args) == expected


def test_T10_url_concat_keeps_a_semicolon_within_its_value():
    assert url_concat("/p?a=1;b=2", {"c": "3"}) == "/p?a=1%3Bb%3D2&c=3"


@pytest.mark.parametrize("args", ["a=b", 1, {("a", "b")}, iter([("a", "b")])])
def test_url_concat_refuses_other_types(args):
    with pytest.raises(TypeError):
        url_concat("/p", args)


@given(
    st.lists(st.tuples(st.text(), st.text()), max_size=5),
    st.lists(st.tuples(st.text(), st.text()), max_size=5),
)
@settings(deadline=None)
def test_url_concat_adds_and_keeps_arguments(before, added):
    url = url_concat(url_concat("https://h/p", before), added)
    assert parse_qsl(urlsplit(url).query, keep_blank_values=True) == before + added


@pytest.mark.parametrize(
    ("netloc", "expected"),
    [
        ("example.org", ("example.org", None)),
        ("example.org:80", ("example.org", 80)),
        ("127.0.0.1:8888", ("127.0.0.1", 8888)),
        ("[::1]", ("[::1]", None)),
        ("[::1]:8888", ("[::1]", 8888)),
        ("::1", ("::1", None)),
        ("example.org:", ("example.org:", None)),
        (":80", (":80", None)),
        ("example.org:http", ("example.org:http", None)),
        ("example.org:+80", ("example.org:+80", None)),
        ("example.org:\u0668\u0660", ("example.org:\u0668\u0660", None)),
        ("example.org:80\n", ("example.org:80\n", None)),
        ("example.org:99999", ("example.org", 99999)),
        ("example.org:" + "9" * 5000, ("example.org:" + "9" * 5000, None)),
        ("", ("", None)),
    ],
)
def test_split_host_and_port(netloc, expected):
    assert split_host_and_port(netloc) == expected


@given(st.text())
@settings(deadline=None)
def test_split_host_and_port_never_raises_and_loses_nothing_but_zeros(netloc):
    host, port = split_host_and_port(netloc)
    if port is None:
        assert host == netloc
    else:
        assert netloc.startswith(f"{host}:")
        assert int(netloc[len(host) + 1 :]) == port


def test_qs_to_qsl():
    assert sorted(qs_to_qsl(parse_qs("a=1&b=2&a=3"))) == [("a", "1"), ("a", "3"), ("b", "2")]
    assert list(qs_to_qsl({"a": [b"1", b"2"], "b": []})) == [("a", b"1"), ("a", b"2")]


@pytest.mark.parametrize(
    ("username", "password", "expected"),
    [
        ("ana", "secret", b"ana:secret"),
        (b"ana", b"\xff:x", b"ana:\xff:x"),
        ("", "", b":"),
        ("jos\u00e9", "p", b"jos\xc3\xa9:p"),
    ],
)
def test_encode_username_password(username, password, expected):
    assert encode_username_password(username, password) == expected


def test_usernames_and_passwords_are_normalised():
    decomposed = unicodedata.normalize("NFD", "jos\u00e9")
    assert encode_username_password(decomposed, decomposed) == encode_username_password(
        "jos\u00e9", "jos\u00e9"
    )


@pytest.mark.parametrize("username", ["a:b", b":"])
def test_a_username_with_a_colon_is_refused(username):
    with pytest.raises(ValueError):
        encode_username_password(username, "p")
