"""ID tokens: what a provider of OpenID Connect says of a user, signed (OpenID Connect Core 1.0 section 3.1.3.7).

Nothing here does I/O. A token is believed only where all of this holds:

- it is signed with one of the keys that its issuer has published, by an algorithm of ``ALGORITHMS`` that the
  provider uses (never ``none``, and never one where the key is a shared secret);
- ``iss`` is the issuer, ``aud`` holds this program and ``azp``, where there is one, is this program;
- ``exp`` is to come; ``iat``, and ``nbf`` where there is one, are not; clocks may differ by ``LEEWAY`` seconds;
- ``nonce`` is that of the sign-in, and ``at_hash``, where there is one, fits the access token.

Signatures are checked by joserfc.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gustnado.escape import utf8
from gustnado.web.auth.client import missing_extra
from gustnado.web.auth.errors import IDTokenError

__all__ = ["ALGORITHMS", "LEEWAY", "MAX_TOKEN", "Expected", "UnknownKeyError", "verify"]

ALGORITHMS: Final = frozenset("RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512".split())
"""Algorithms (RFC 7518 section 3) that are taken, all of which have a public key."""

LEEWAY: Final = 60
"""Seconds that the provider's clock and ours may differ by."""

MAX_TOKEN: Final = 64 * 1024
"""Characters of a token. Some providers put all of a user's groups into it."""


class UnknownKeyError(IDTokenError):
    """None of the keys fits: the provider may have new ones."""


@dataclass(frozen=True)
class Expected:
    """What has to be in a token.

    :param issuer: who has to have made it.
    :param client_id: whom it has to be for.
    :param nonce: of the sign-in that it belongs to.
    :param access_token: came together with it.
    :param algorithms: those that the provider uses.
    """

    issuer: str
    client_id: str
    nonce: str
    access_token: str
    algorithms: Collection[str] = ("RS256",)


def verify(token: str, keys: Iterable[Mapping[str, Any]], expected: Expected, now: float) -> dict[str, Any]:
    """The claims of ``token``.

    :param keys: the JSON Web Keys (RFC 7517) of the issuer.
    :param now: seconds since 1970.
    :raises UnknownKeyError: where it is signed with none of them.
    :raises IDTokenError: where it is not valid; the message says which of the rules is broken.
    :raises gustnado.errors.UsageError: where joserfc is not installed.
    """
    header = _header(token)
    algorithm = header["alg"]
    if algorithm not in ALGORITHMS or algorithm not in expected.algorithms:
        wanted = ", ".join(sorted(ALGORITHMS.intersection(expected.algorithms)))
        raise IDTokenError(f"the ID token is signed by {algorithm!r:.40}, and the provider's are {wanted or 'unknown'}")
    claims = _checked_claims(token, header, _candidates(keys, header))
    _check_people(claims, expected)
    _check_times(claims, now)
    _check_binding(claims, expected, algorithm)
    return claims


def _header(token: str) -> dict[str, Any]:
    """The header, which nobody has checked yet."""
    if len(token) > MAX_TOKEN:
        raise IDTokenError(f"the ID token has {len(token)} characters; {MAX_TOKEN} are taken")
    parts = token.split(".")
    try:
        if len(parts) != 3:
            raise ValueError(f"it has {len(parts)} parts, not 3")
        header = json.loads(base64.urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4)))
        if not isinstance(header, dict) or not isinstance(header.get("alg"), str):
            raise ValueError("its header names no algorithm")
    except (ValueError, RecursionError, binascii.Error) as error:
        raise IDTokenError(f"the ID token is malformed: {error}") from error
    return header


def _candidates(keys: Iterable[Mapping[str, Any]], header: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The keys that the token may have been signed with."""
    kid, algorithm = header.get("kid"), header["alg"]
    kind = "EC" if algorithm.startswith("ES") else "RSA"
    return [
        key
        for key in keys
        if key.get("kty") == kind
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (kid is None or key.get("kid") == kid)
    ]


def _checked_claims(token: str, header: Mapping[str, Any], keys: list[Mapping[str, Any]]) -> dict[str, Any]:
    try:
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import JWKRegistry
    except ImportError as error:
        raise missing_extra("OpenID Connect", error) from error
    for key in keys:
        try:
            public = JWKRegistry.import_key(dict(key))
            return dict(jwt.decode(token, public, algorithms=[header["alg"]]).claims)
        except (JoseError, ValueError):
            continue  # a key that is broken, or another one than it was signed with
    raise UnknownKeyError(
        f"the ID token is signed by none of the provider's keys (kid {header.get('kid')!r:.80}, {len(keys)} fit)"
    )


def _check_people(claims: Mapping[str, Any], expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise IDTokenError(f"the ID token is of {claims.get('iss')!r:.200}, not of {expected.issuer!r}")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if expected.client_id not in audiences:
        raise IDTokenError(f"the ID token is for {audience!r:.200}, not for {expected.client_id!r}")
    party = claims.get("azp")
    if party != expected.client_id and (party is not None or len(audiences) > 1):
        raise IDTokenError(f"the ID token's authorized party is {party!r:.200}, not {expected.client_id!r}")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject:
        raise IDTokenError(f"the ID token's subject is {subject!r:.80}, not a text")


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    if _time(claims, "exp") <= now - LEEWAY:
        raise IDTokenError("the ID token has expired")
    for name in ("iat", *(["nbf"] if "nbf" in claims else [])):
        if _time(claims, name) > now + LEEWAY:
            raise IDTokenError(f"the ID token is of the future ({name}): one of the two clocks is wrong")


def _time(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise IDTokenError(f"the ID token's {name} is {value!r:.80}, not a time")
    return value


def _check_binding(claims: Mapping[str, Any], expected: Expected, algorithm: str) -> None:
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(utf8(nonce), utf8(expected.nonce)):
        raise IDTokenError("the ID token's nonce is not that of this sign-in")
    stated = claims.get("at_hash")
    if stated is None:
        return
    digest = hashlib.new(f"sha{algorithm[2:]}", expected.access_token.encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    if not isinstance(stated, str) or not hmac.compare_digest(utf8(stated), half):
        raise IDTokenError("the ID token's at_hash does not fit the access token")
