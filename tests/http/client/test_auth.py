"""Credentials, and challenges: the examples of the RFCs, and what is malformed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.http.client.auth import Challenge, basic, bearer, digest, digest_challenge, parse_challenges
from gustnado.http.client.errors import RequestError


def test_basic_of_rfc_7617():
    assert basic("Aladdin", "open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert basic("test", "123£") == "Basic dGVzdDoxMjPCow=="


def test_a_username_with_a_colon():
    with pytest.raises(RequestError, match="auth_username"):
        basic("a:b", "c")


def test_bearer():
    assert bearer("mF_9.B5f-4.1JqM") == "Bearer mF_9.B5f-4.1JqM"
    for token in ("", "s3cret b", "s3cret\r\nX: y", "s3crét", "s3cret=b"):
        with pytest.raises(RequestError, match="auth_token") as caught:
            bearer(token)
        assert "s3cr" not in str(caught.value)


RFC_7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_digest_of_rfc_7616(algorithm, response):
    challenge = digest_challenge([RFC_7616.format(algorithm)])
    answer = digest(challenge, "Mufasa", "Circle of Life", "GET", "/dir/index.html", CNONCE)
    assert f'response="{response}"' in answer
    assert f"algorithm={algorithm}" in answer
    assert "qop=auth, nc=00000001" in answer
    assert 'uri="/dir/index.html"' in answer
    assert 'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"' in answer


def test_digest_of_rfc_2617_without_qop():
    challenge = digest_challenge(['Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'])
    answer = digest(challenge, "Mufasa", "CircleOfLife", "GET", "/dir/index.html")
    assert 'response="1949323746fe6a43ef61f9606e7febea"' in answer
    assert "qop" not in answer
    assert "cnonce" not in answer


def test_digest_of_a_session():
    challenge = digest_challenge(['Digest realm="r", nonce="n", algorithm=MD5-sess, qop=auth'])
    answer = digest(challenge, "u", "p", "GET", "/", "c")
    assert 'cnonce="c"' in answer
    assert re.search(r'response="[0-9a-f]{32}"', answer)
    assert answer != digest(challenge, "u", "p", "GET", "/", "d")


def test_nonces_of_ours_are_random():
    challenge = digest_challenge(['Digest realm="r", nonce="n", qop=auth'])
    assert digest(challenge, "u", "p", "GET", "/") != digest(challenge, "u", "p", "GET", "/")


def test_values_cannot_break_out():
    challenge = Challenge("digest", {"realm": 'a"b\\', "nonce": "n"})
    answer = digest(challenge, 'u", response="x', "p", "GET", "/")
    assert 'username="u\\", response=\\"x"' in answer
    assert 'realm="a\\"b\\\\"' in answer
    with pytest.raises(RequestError, match="username"):
        digest(challenge, "u\r\n", "p", "GET", "/")


def test_names_beyond_ascii_go_as_utf8():
    challenge = Challenge("digest", {"realm": "r", "nonce": "n"})
    answer = digest(challenge, "jürgen", "p", "GET", "/")
    assert "jürgen".encode() in answer.encode("latin-1")


def test_the_strongest_is_taken():
    values = [
        'Digest realm="a", nonce="1", algorithm=MD5',
        'Basic realm="b", Digest realm="c", nonce="2", algorithm=SHA-256',
    ]
    assert digest_challenge(values).parameters["realm"] == "c"


@pytest.mark.parametrize(
    "value",
    [
        "", "Basic", 'Basic realm="x"', "Digest", 'Digest realm="x"', 'Digest nonce="x"',
        'Digest realm="x", nonce="y", algorithm=WHIRL', 'Digest realm="x", nonce="y", qop="auth-int"', 'realm="x"',
    ],
)  # fmt: skip
def test_what_cannot_be_answered(value):
    assert digest_challenge([value]) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Negotiate", [("negotiate", {})]),
        ("Negotiate YWJj==", [("negotiate", {})]),
        ('Basic realm="a", charset="UTF-8"', [("basic", {"realm": "a", "charset": "UTF-8"})]),
        ('A x=1, y="2, z=3" , B , C w="\\"q\\""', [("a", {"x": "1", "y": "2, z=3"}), ("b", {}), ("c", {"w": '"q"'})]),
        ('A x=1, x=2', [("a", {"x": "1"})]),
        ('A x="1', [("a", {})]),
        (", ,A", [("a", {})]),
        ("=", []),
    ],
)
def test_challenges(value, expected):
    assert [tuple(one) for one in parse_challenges([value])] == expected


@given(st.text(max_size=80))
def test_no_challenge_breaks_it(text):
    for challenge in parse_challenges([text]):
        assert challenge.scheme == challenge.scheme.lower()
    digest_challenge([text, f"Digest {text}"])


def test_it_is_linear(assert_linear):
    for unit in ("A x=1, ", "a, ", 'x="', ",", "A "):
        assert_linear(lambda size, unit=unit: lambda: parse_challenges([unit * size]), 200)
