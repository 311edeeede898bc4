from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from gustnado.errors import UsageError
from gustnado.web.auth import IDTokenError
from gustnado.web.auth.id_token import LEEWAY, MAX_TOKEN, Expected, UnknownKeyError, verify

NOW = 1_800_000_000
KEY = ECKey.generate_key("P-256", {"kid": "one", "use": "sig"})
OTHER = ECKey.generate_key("P-256", {"kid": "two"})
KEYS = [KEY.as_dict(private=False), OTHER.as_dict(private=False)]
EXPECTED = Expected("https://issuer", "app", "n0nce", "t0", ("ES256", "RS256"))
CLAIMS = {"iss": "https://issuer", "aud": "app", "sub": "7", "exp": NOW + 300, "iat": NOW, "nonce": "n0nce"}


def token(claims=None, key=KEY, header=None, **changes):
    header = {"alg": "ES256", "kid": key.kid, **(header or {})}
    merged = {**CLAIMS, **(claims or {}), **changes}
    payload = {name: value for name, value in merged.items() if value is not ...}
    return jwt.encode({n: v for n, v in header.items() if v is not None}, payload, key, algorithms=[header["alg"]])


def check(value, keys=KEYS, expected=EXPECTED, now=NOW):
    return verify(value, keys, expected, now)


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_valid_one_gives_its_claims():
    assert check(token()) == CLAIMS


def test_without_a_key_id_all_keys_that_fit_are_tried():
    assert check(token(key=OTHER, header={"kid": None})) == CLAIMS


def test_rsa():
    key = RSAKey.generate_key(2048, {"kid": "r"})
    assert check(token(key=key, header={"alg": "RS256"}), [key.as_dict(private=False)]) == CLAIMS


def test_the_hash_of_the_access_token():
    right = base64.urlsafe_b64encode(hashlib.sha256(b"t0").digest()[:16]).rstrip(b"=").decode()
    assert check(token(at_hash=right))["at_hash"] == right
    for wrong in ("x", "", 5, "\u00fc"):
        with pytest.raises(IDTokenError, match="at_hash"):
            check(token(at_hash=wrong))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"iss": "https://evil"}, "is of 'https://evil'"),
        ({"iss": ...}, "is of None"),
        ({"iss": "https://issuer/"}, "is of"),
        ({"aud": "other"}, "is for 'other'"),
        ({"aud": []}, "is for"),
        ({"aud": ...}, "is for"),
        ({"aud": ["app", "other"]}, "authorized party"),
        ({"aud": "app", "azp": "other"}, "authorized party"),
        ({"sub": ...}, "subject"),
        ({"sub": ""}, "subject"),
        ({"sub": 7}, "subject"),
        ({"exp": NOW - LEEWAY}, "expired"),
        ({"exp": ...}, "exp"),
        ({"exp": "tomorrow"}, "exp"),
        ({"exp": True}, "exp"),
        ({"iat": NOW + LEEWAY + 1}, "future"),
        ({"iat": ...}, "iat"),
        ({"nbf": NOW + LEEWAY + 1}, "future"),
        ({"nonce": "other"}, "nonce"),
        ({"nonce": ...}, "nonce"),
        ({"nonce": 5}, "nonce"),
    ],
)
def test_160_each_claim_is_checked(changes, message):
    with pytest.raises(IDTokenError, match=message):
        check(token(changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["app"]},
        {"aud": ["app", "other"], "azp": "app"},
        {"exp": NOW - LEEWAY + 1},
        {"iat": NOW + LEEWAY},
        {"nbf": NOW},
    ],
)
def test_what_is_just_right_is_taken(changes):
    assert check(token(changes))["sub"] == "7"


def test_160_a_token_without_a_signature_is_refused():
    for algorithm in ("none", "None", "NONE", ""):
        with pytest.raises(IDTokenError, match="signed by"):
            check(f"{part({'alg': algorithm})}.{part(CLAIMS)}.")


def test_160_a_public_key_is_no_shared_secret():
    """The signature is right, with the provider's public key for a secret (CVE-2016-5431 and many others)."""
    signed = f"{part({'alg': 'HS256'})}.{part(CLAIMS)}"
    mac = hmac.digest(KEY.as_pem(private=False), signed.encode(), "sha256")
    forged = f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    with pytest.raises(IDTokenError, match="HS256"):
        check(forged, expected=Expected("https://issuer", "app", "n0nce", "t0", ("HS256", "ES256")))


def test_an_algorithm_that_the_provider_does_not_use():
    with pytest.raises(IDTokenError, match="the provider's are RS256"):
        check(token(), expected=Expected("https://issuer", "app", "n0nce", "t0"))


def test_160_another_signature_is_refused():
    value = token()
    head, payload, _ = value.split(".")
    with pytest.raises(UnknownKeyError):
        check(f"{head}.{payload}.{token(sub='8').split('.')[2]}")
    with pytest.raises(UnknownKeyError):
        check(f"{head}.{part({**CLAIMS, 'sub': '8'})}.{value.split('.')[2]}")


@pytest.mark.parametrize(
    "keys",
    [
        [],
        [{**KEYS[0], "kid": "three"}],
        [{**KEYS[0], "use": "enc"}],
        [{**KEYS[0], "alg": "ES384"}],
        [{"kty": "EC", "kid": "one"}],
        [{"kty": "EC", "kid": "one", "crv": "P-256", "x": "!", "y": 5}],
        [{"kty": "oct", "kid": "one", "k": "AAAA"}],
    ],
)
def test_a_key_that_is_not_there_or_does_not_fit(keys):
    with pytest.raises(UnknownKeyError, match="none of the provider's keys"):
        check(token(), keys)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "1 parts"),
        ("a.b", "2 parts"),
        ("a.b.c.d.e", "5 parts"),
        ("!.b.c", "malformed"),
        (f"{part([])}.b.c", "no algorithm"),
        (f"{part({})}.b.c", "no algorithm"),
        (f"{part({'alg': 5})}.b.c", "no algorithm"),
        ("x" * (MAX_TOKEN + 1), "characters"),
    ],
)
def test_what_is_no_token(value, message):
    with pytest.raises(IDTokenError, match=message):
        check(value)


def test_claims_that_are_no_object():
    parts = token().split(".")
    with pytest.raises(IDTokenError):
        check(f"{parts[0]}.{part([1])}.{parts[2]}")


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda b: b.decode("latin-1")))
def test_any_text_is_refused_as_a_token(value):
    with pytest.raises(IDTokenError):
        check(value)


HEADERS = st.dictionaries(
    st.sampled_from(["alg", "kid", "crit", "b64", "typ"]),
    st.none() | st.text() | st.integers() | st.lists(st.text(max_size=3), max_size=2),
)


@given(header=HEADERS)
def test_any_header_is_refused_without_a_signature(header):
    with pytest.raises(IDTokenError):
        check(f"{part(header)}.{part(CLAIMS)}.AAAA")


def test_without_joserfc_the_extra_is_named(monkeypatch):
    value = token()
    monkeypatch.setitem(sys.modules, "joserfc", None)
    with pytest.raises(UsageError, match=r"gustnado\[auth\]"):
        check(value)
