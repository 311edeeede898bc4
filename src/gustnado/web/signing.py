"""Signed values: what the outside world may keep and read, but not change. Signed cookies hold them.

>>> signed = create_signed_value("secret", "user", "alice", clock=lambda: 1300000000)
>>> signed[:38]
b'2|1:0|10:1300000000|4:user|8:YWxpY2U=|'
>>> decode_signed_value("secret", "user", signed, clock=lambda: 1300000001)
b'alice'
>>> decode_signed_value("secret", "admin", signed, clock=lambda: 1300000001) is None
True

The formats are Tornado's, byte for byte, so that values signed by one are accepted by the other. (But for
names that are not ASCII: Tornado counts them in characters when it writes and in bytes when it reads.)

**Version 2**, the default, is five fields that end in ``|``, and an HMAC-SHA256 of them in hexadecimal::

    2|1:0|10:1300000000|4:user|8:YWxpY2U=|6b1f...
    |  |        |         |        |        `- signature
    |  |        |         |        `- the value in Base64
    |  |        |         `- the name that the value is for
    |  |        `- time of signing, in seconds
    |  `- key version: which of several secrets was used
    `- version of the format

All fields but the first begin with their length, so that no byte can move from one to the next.

**Version 1** is ``value|time|signature``, with an HMAC-SHA1 of name, value and time *without* anything
between them. Digits at the end of the value may thus be taken for the beginning of the time, and the end of
a name for the beginning of a value. It is read for the sake of values that are still out there; pass
``min_version=2`` where there are none.

Whatever is wrong with a value, `decode_signed_value` returns ``None``: forged, malformed, for another name,
expired, or signed more than 31 days in the future (which a clock that was wrong explains, or in version 1
an attack). Signatures are compared in constant time, and before anything else of a value is believed.
"""

from __future__ import annotations

import binascii
import hmac
import re
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from gustnado.escape import utf8
from gustnado.log import gen_log

__all__ = [
    "DEFAULT_SIGNED_VALUE_MIN_VERSION",
    "DEFAULT_SIGNED_VALUE_VERSION",
    "MAX_SUPPORTED_SIGNED_VALUE_VERSION",
    "MIN_SUPPORTED_SIGNED_VALUE_VERSION",
    "CookieSecret",
    "create_signed_value",
    "decode_signed_value",
    "get_signature_key_version",
]

CookieSecret: TypeAlias = str | bytes | Mapping[int, str | bytes]
"""A secret, or several by key version: add a new one and sign with it, and drop the old one a month later."""

MIN_SUPPORTED_SIGNED_VALUE_VERSION = 1
"""The oldest format that can be read."""

MAX_SUPPORTED_SIGNED_VALUE_VERSION = 2
"""The newest format that can be read."""

DEFAULT_SIGNED_VALUE_VERSION = 2
"""The format that is written unless another is asked for."""

DEFAULT_SIGNED_VALUE_MIN_VERSION = 1
"""The oldest format that is accepted unless another is asked for."""

_DAY = 86400
_MAX_FUTURE = 31 * _DAY


def create_signed_value(
    secret: CookieSecret,
    name: str,
    value: str | bytes,
    version: int | None = None,
    clock: Callable[[], float] | None = None,
    key_version: int | None = None,
) -> bytes:
    """Signs ``value`` for ``name``.

    :param version: of the format, default 2.
    :param clock: returns the time in seconds, default `time.time`.
    :param key_version: which secret of a mapping to use.
    :raises ValueError: if the format is unknown, or if a mapping of secrets comes without a key version or
        for version 1.
    :raises KeyError: if the mapping has no such key version.
    """
    if version is None:
        version = DEFAULT_SIGNED_VALUE_VERSION
    timestamp = b"%d" % int((clock or time.time)())
    encoded = binascii.b2a_base64(utf8(value), newline=False)
    if version == 1:
        if not isinstance(secret, (str, bytes)):
            raise ValueError("signed values of version 1 have no key versions: they need a single secret")
        return b"|".join((encoded, timestamp, _create_signature_v1(secret, name, encoded, timestamp)))
    if version != 2:
        raise ValueError(f"unsupported version of signed values: {version}")
    fields = (b"%d" % (key_version or 0), timestamp, utf8(name), encoded)
    signed = b"2|" + b"".join([b"%d:%s|" % (len(field), field) for field in fields])
    if not isinstance(secret, (str, bytes)):
        if key_version is None:
            raise ValueError("several secrets need a key_version to choose one")
        secret = secret[key_version]
    return signed + _create_signature_v2(secret, signed)


def decode_signed_value(
    secret: CookieSecret,
    name: str,
    value: str | bytes | None,
    max_age_days: float = 31,
    clock: Callable[[], float] | None = None,
    min_version: int | None = None,
) -> bytes | None:
    """The value that was signed for ``name``, or ``None`` if this is not one, or too old.

    :param max_age_days: how many days ago it may have been signed.
    :param clock: returns the time in seconds, default `time.time`.
    :param min_version: of the format, default 1.
    :raises ValueError: if no known format is as new as ``min_version``.
    """
    if min_version is None:
        min_version = DEFAULT_SIGNED_VALUE_MIN_VERSION
    if min_version > MAX_SUPPORTED_SIGNED_VALUE_VERSION:
        raise ValueError(f"unsupported min_version of signed values: {min_version}")
    if not value:
        return None
    value = utf8(value)
    version = _get_version(value)
    if version < min_version:
        return None
    now = (clock or time.time)()
    if version == 2:
        return _decode_v2(secret, name, value, now, max_age_days)
    # A secret with key versions never signed a value of version 1.
    if version == 1 and isinstance(secret, (str, bytes)):
        return _decode_v1(secret, name, value, now, max_age_days)
    return None


def get_signature_key_version(value: str | bytes) -> int | None:
    """The key version that a signed value names, or ``None``. The signature is not checked."""
    value = utf8(value)
    if _get_version(value) < 2:
        return None
    fields = _split_v2(value)
    return None if fields is None else fields.key_version


_VERSION_PREFIX = re.compile(rb"([1-9][0-9]{0,2})\|")


def _get_version(value: bytes) -> int:
    """The version that a value begins with. Version 1 has no such prefix, but begins with Base64.

    Base64 comes in fours, so what looks like a number of up to three digits can only be a version.
    """
    if value.startswith(b"2|"):
        return 2
    prefix = _VERSION_PREFIX.match(value)
    return 1 if prefix is None else int(prefix[1])


# A time: digits as `%d` writes them, few enough to be cheap to convert.
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]{0,18})")


def _number(digits: bytes) -> int | None:
    return int(digits) if _NUMBER.fullmatch(digits) else None


def _decode_v1(secret: str | bytes, name: str, value: bytes, now: float, max_age_days: float) -> bytes | None:
    if value.count(b"|") != 2:
        return None
    encoded, timestamp, signature = value.split(b"|")
    if not hmac.compare_digest(signature, _create_signature_v1(secret, name, encoded, timestamp)):
        gen_log.warning("Invalid cookie signature: %.100r", value)
        return None
    if timestamp.startswith(b"0"):
        gen_log.warning("Tampered cookie: %.100r", value)
        return None
    signed_at = _number(timestamp)
    if signed_at is None:
        return None
    if signed_at < now - max_age_days * _DAY:
        gen_log.warning("Expired cookie: %.100r", value)
        return None
    if signed_at > now + _MAX_FUTURE:
        # Perhaps digits of the value were moved here, which the signature does not tell.
        gen_log.warning("Cookie timestamp in future (forged, or the clock was wrong): %.100r", value)
        return None
    return _from_base64(encoded)


class _FieldsV2(NamedTuple):
    key_version: int
    timestamp: bytes
    name: bytes
    value: bytes
    signed: bytes
    signature: bytes


# The name may hold anything, so what is before and after it is matched apart. Lengths are compared below.
_BEFORE_NAME_V2 = re.compile(rb"2\|([0-9]{1,9}):(-?[0-9]{1,19})\|([0-9]{1,9}):([^|]*)\|([0-9]{1,9}):")
_AFTER_NAME_V2 = re.compile(rb"\|([0-9]{1,9}):([^|]*)\|")


def _split_v2(value: bytes) -> _FieldsV2 | None:
    before = _BEFORE_NAME_V2.match(value)
    if before is None:
        return None
    key_length, key_version, time_length, timestamp, name_length = before.groups()
    name_start = before.end()
    name_end = name_start + int(name_length)
    after = _AFTER_NAME_V2.match(value, name_end)
    if after is None:
        return None
    value_length, encoded = after.groups()
    if int(key_length) != len(key_version) or int(time_length) != len(timestamp):
        return None
    if int(value_length) != len(encoded):
        return None
    end = after.end()
    return _FieldsV2(
        int(key_version), timestamp, value[name_start:name_end], encoded, value[:end], value[end:]
    )


def _decode_v2(
    secret: CookieSecret, name: str, value: bytes, now: float, max_age_days: float
) -> bytes | None:
    fields = _split_v2(value)
    if fields is None:
        return None
    if not isinstance(secret, (str, bytes)):
        if fields.key_version not in secret:
            return None
        secret = secret[fields.key_version]
    if not hmac.compare_digest(fields.signature, _create_signature_v2(secret, fields.signed)):
        return None
    if fields.name != utf8(name):
        return None
    signed_at = _number(fields.timestamp)
    if signed_at is None or not now - max_age_days * _DAY <= signed_at <= now + _MAX_FUTURE:
        return None
    return _from_base64(fields.value)


def _from_base64(encoded: bytes) -> bytes | None:
    try:
        return binascii.a2b_base64(encoded)
    except binascii.Error:
        return None


def _create_signature_v1(secret: str | bytes, *parts: str | bytes) -> bytes:
    return hmac.digest(utf8(secret), b"".join(map(utf8, parts)), "sha1").hex().encode("ascii")


def _create_signature_v2(secret: str | bytes, s: bytes) -> bytes:
    return hmac.digest(utf8(secret), s, "sha256").hex().encode("ascii")
