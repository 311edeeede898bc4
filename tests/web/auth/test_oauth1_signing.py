from __future__ import annotations

import base64
import hmac
import sys
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.errors import UsageError
from gustnado.web.auth import ProviderError
from gustnado.web.auth.oauth1_signing import Credentials, parse_token

CONSUMER = {"key": "app", "secret": "kd94hf93k423kf44"}
TOKEN = {"key": "nnch734d00sl2jdf", "secret": "pfkkdhi9sl3r4s00"}
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


def escape(text):
    return quote(text, safe="~")


def signature_of(method, url, pairs, consumer_secret, token_secret):
    """By hand, from RFC 5849 section 3.4."""
    parameters = sorted((escape(name), escape(value)) for name, value in pairs if name != "oauth_signature")
    normalized = "&".join(f"{name}={value}" for name, value in parameters)
    base = "&".join(map(escape, (method, url, normalized)))
    key = f"{escape(consumer_secret)}&{escape(token_secret)}"
    return base64.b64encode(hmac.digest(key.encode(), base.encode(), "sha1")).decode()


def split(url):
    return url.partition("?")[0], parse_qsl(urlsplit(url).query, keep_blank_values=True)


def test_the_helper_signs_as_the_rfc_does():
    """RFC 5849 section 1.2, the request for a photo."""
    pairs = [
        ("file", "vacation.jpg"),
        ("size", "original"),
        ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
        ("oauth_token", "nnch734d00sl2jdk"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "137131202"),
        ("oauth_nonce", "chapoH"),
    ]
    signature = signature_of(
        "GET", "http://photos.example.net/photos", pairs, "kd94hf93k423kf44", "pfkkdhi9sl3r4s00"
    )
    assert signature == "MdpQcU8iPSUjWoN/UDMsK2sui9I="


@given(arguments=st.dictionaries(TEXT.filter(lambda t: not t.startswith("oauth_")), TEXT, max_size=4))
def test_what_is_sent_is_what_is_signed(arguments):
    url = "http://example.org/photos"
    base, pairs = split(Credentials(CONSUMER, TOKEN).url(url, arguments))
    assert base == url
    assert arguments.items() <= dict(pairs).items()
    signature = signature_of("GET", url, pairs, CONSUMER["secret"], TOKEN["secret"])
    assert dict(pairs)["oauth_signature"] == signature


def test_secrets_are_escaped():
    consumer = {"key": b"app", "secret": b"a&b"}
    _, pairs = split(Credentials(consumer).url("http://example.org/"))
    assert dict(pairs)["oauth_signature"] == signature_of("GET", "http://example.org/", pairs, "a&b", "")


def test_verifier_and_callback_are_sent():
    token = {**TOKEN, "verifier": "v"}
    _, pairs = split(Credentials(CONSUMER, token, callback="http://here/").url("http://example.org/"))
    sent = dict(pairs)
    assert (sent["oauth_verifier"], sent["oauth_callback"]) == ("v", "http://here/")
    assert sent["oauth_signature_method"] == "HMAC-SHA1"


def test_parameters_are_those_of_oauth_alone():
    url, arguments = "http://example.org/photos?page=2", {"size": 5, "name": "a b"}
    parameters = Credentials(CONSUMER, TOKEN).parameters(url, arguments, "POST")
    assert {name[:6] for name in parameters} == {"oauth_"}
    pairs = [("page", "2"), ("size", "5"), ("name", "a b"), *parameters.items()]
    signature = signature_of("POST", "http://example.org/photos", pairs, CONSUMER["secret"], TOKEN["secret"])
    assert parameters["oauth_signature"] == signature


def test_without_oauthlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "oauthlib.oauth1", None)
    with pytest.raises(UsageError, match=r"gustnado\[auth\]"):
        Credentials(CONSUMER).url("http://example.org/")


def test_a_token_is_read():
    assert parse_token(b"oauth_token=a%20b&oauth_token_secret=c&user_id=5") == {
        "key": "a b",
        "secret": "c",
        "user_id": "5",
    }


@pytest.mark.parametrize(
    "body", [b"", b"oauth_token=a", b"oauth_token_secret=b", b"<html>", b"\xff", b"oauth_token=&oauth_token_secret=b"]
)
def test_what_is_no_token_is_the_providers_error(body):
    with pytest.raises(ProviderError, match="no OAuth 1 token"):
        parse_token(body)
