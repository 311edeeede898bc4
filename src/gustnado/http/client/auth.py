"""Authentication of requests: what goes into their ``Authorization`` field (RFC 9110 section 11).

``Basic`` (RFC 7617) and ``Bearer`` (RFC 6750) are sent at once, ``Digest`` (RFC 7616) in answer to a challenge.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Iterable
from typing import NamedTuple

from gustnado.http.client.errors import RequestError
from gustnado.http.urls import encode_username_password

__all__ = ["AUTH_MODES", "Challenge", "basic", "bearer", "digest", "digest_challenge", "parse_challenges"]

AUTH_MODES = ("basic", "digest")
"""What ``auth_mode`` may be; ``None`` is basic."""

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_B64TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
_SCHEME = re.compile(rf"[ \t,]*({_TOKEN})(?:[ \t]+|$|(?=,))")
_PARAMETER = re.compile(rf'[ \t,]*({_TOKEN})[ \t]*=[ \t]*(?:({_TOKEN})|"((?:[^"\\]|\\.)*)")[ \t]*(?=,|$)')
_TOKEN68 = re.compile(r"[A-Za-z0-9\-._~+/]+=*[ \t]*(?=,|$)")
_HASHES: dict[str, Callable[[bytes], hashlib._Hash]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False),
    "SHA-256": hashlib.sha256,
    "SHA-512-256": lambda data: hashlib.new("sha512_256", data),
}
_STRENGTH = ("SHA-512-256", "SHA-256", "MD5")


def basic(username: str, password: str) -> str:
    """The credentials of the ``Basic`` scheme (RFC 7617).

    :raises gustnado.http.client.errors.RequestError: where the username has a colon.

    >>> basic("Aladdin", "open sesame")
    'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='
    """
    try:
        credentials = encode_username_password(username, password)
    except ValueError as error:
        raise RequestError(f"auth_username: {error}") from None
    return "Basic " + base64.b64encode(credentials).decode("ascii")


def bearer(token: str) -> str:
    """The credentials of the ``Bearer`` scheme (RFC 6750 section 2.1).

    :raises gustnado.http.client.errors.RequestError: where ``token`` has a character that it cannot have.
    """
    if _B64TOKEN.fullmatch(token) is None:
        raise RequestError("auth_token has a character that a bearer token cannot have (RFC 6750 section 2.1)")
    return f"Bearer {token}"


class Challenge(NamedTuple):
    """One way to authenticate that a server offers: a scheme in lower case, and its parameters by lower-case name."""

    scheme: str
    parameters: dict[str, str]


def parse_challenges(values: Iterable[str]) -> list[Challenge]:
    """The challenges in ``WWW-Authenticate`` fields; what comes after something malformed is left out.

    >>> parse_challenges(['Basic realm="a, b", Digest realm="c", nonce=d'])[1]
    Challenge(scheme='digest', parameters={'realm': 'c', 'nonce': 'd'})
    """
    return [challenge for value in values for challenge in _parse_value(value)]


def _parse_value(value: str) -> list[Challenge]:
    challenges: list[Challenge] = []
    position = 0
    while position < len(value):
        parameter = _PARAMETER.match(value, position)
        if parameter is not None and challenges:
            quoted = parameter[3]
            text = parameter[2] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            challenges[-1].parameters.setdefault(parameter[1].lower(), text)
            position = parameter.end()
            continue
        scheme = _SCHEME.match(value, position)
        if scheme is None:
            break
        challenges.append(Challenge(scheme[1].lower(), {}))
        position = scheme.end()
        token = None if _PARAMETER.match(value, position) else _TOKEN68.match(value, position)
        position = position if token is None else token.end()
    return challenges


def digest_challenge(values: Iterable[str]) -> Challenge | None:
    """The strongest of the ``Digest`` challenges that can be answered; ``None`` without any."""
    found = [one for one in parse_challenges(values) if one.scheme == "digest" and _is_answerable(one.parameters)]
    return min(found, key=lambda one: _STRENGTH.index(_algorithm(one.parameters)[0]), default=None)


def _algorithm(parameters: dict[str, str]) -> tuple[str, bool]:
    """The name of the hash, and whether it is the variant for sessions."""
    name = parameters.get("algorithm", "MD5").upper()
    return name.removesuffix("-SESS"), name.endswith("-SESS")


def _is_answerable(parameters: dict[str, str]) -> bool:
    if "realm" not in parameters or "nonce" not in parameters or _algorithm(parameters)[0] not in _HASHES:
        return False
    qop = parameters.get("qop")
    return qop is None or "auth" in [one.strip() for one in qop.lower().split(",")]


def digest(
    challenge: Challenge, username: str, password: str, method: str, target: str, cnonce: str | None = None
) -> str:
    """The answer to a challenge of the ``Digest`` scheme (RFC 7616 section 3.4).

    :param target: of the request line.
    :param cnonce: the client's nonce; by default a random one.
    """
    parameters = challenge.parameters
    name, is_session = _algorithm(parameters)
    make = _HASHES[name]

    def hashed(*parts: str) -> str:
        return make(":".join(parts).encode()).hexdigest()

    realm, nonce = parameters["realm"], parameters["nonce"]
    cnonce = cnonce or secrets.token_hex(16)
    secret = hashed(username, realm, password)
    if is_session:
        secret = hashed(secret, nonce, cnonce)
    asked = hashed(method, target)
    fields = {"username": username, "realm": realm, "nonce": nonce, "uri": target}
    if "qop" in parameters:
        fields["response"] = hashed(secret, nonce, "00000001", cnonce, "auth", asked)
        fields["cnonce"] = cnonce
    else:
        fields["response"] = hashed(secret, nonce, asked)
        if is_session:
            fields["cnonce"] = cnonce
    if "opaque" in parameters:
        fields["opaque"] = parameters["opaque"]
    line = ", ".join(f'{key}="{_escaped(key, value)}"' for key, value in fields.items())
    if "qop" in parameters:
        line += ", qop=auth, nc=00000001"
    if "algorithm" in parameters:
        line += f", algorithm={parameters['algorithm']}"
    return f"Digest {line}"


def _escaped(name: str, value: str) -> str:
    """A value within quotes, in which it can end nothing."""
    if re.search(r"[\x00-\x1f\x7f]", value) is not None:
        raise RequestError(f"{name} of the digest authentication has a control character")
    text = value.replace("\\", "\\\\").replace('"', '\\"')
    return text if text.isascii() else text.encode().decode("latin-1")
