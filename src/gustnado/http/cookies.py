"""Cookies on the wire: the ``Cookie`` field of a request, the ``Set-Cookie`` field of a response.

What browsers send is not what the RFCs ask for, so reading is lenient and writing is strict.

Reading: a ``Cookie`` value is split at ``;`` and nothing else (RFC 6265 section 5.4), so that one
malformed pair cannot hide or swallow another. A pair without ``=`` is a value without a name, as in
browsers; a nameless value that looks like ``__Host-a=b`` stays nameless. Only space and tab are
trimmed: trimming what Unicode calls space would turn ``\\u2000__Host-a``, which any subdomain may set,
into ``__Host-a``. Of two cookies of one name the last wins, as in Tornado. Neither order is safe where
another host of the domain may set cookies; the prefix ``__Host-`` is (a browser then keeps one only).

Writing: each attribute is checked against the characters that it may have, whatever the spelling of
its keyword, so no value can start another attribute.

>>> parse_cookie('a=1; b="x\\\\073y"; c')
{'a': '1', 'b': 'x;y', '': 'c'}
>>> format_set_cookie("__Host-id", "42", secure=True, httponly=True, samesite="Lax")
'__Host-id=42; HttpOnly; Path=/; SameSite=Lax; Secure'
"""

from __future__ import annotations

import http.cookies
import re
from typing import TYPE_CHECKING, Any

from gustnado.errors import UsageError
from gustnado.http.dates import format_timestamp
from gustnado.http.limits import Limits

if TYPE_CHECKING:
    import time
    from datetime import datetime

__all__ = ["CookieError", "format_set_cookie", "parse_cookie"]

_MAX_COOKIES = Limits().max_cookies

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_ESCAPE = re.compile(r"\\(?:([0-3][0-7]{2})|(.))")

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~:0-9A-Za-z]+")  # a token, and the colon as http.cookies has it
_VALUE = re.compile(r"[\x21-\x7e\x80-\xff]*")
_DOMAIN = re.compile(r"[0-9A-Za-z.\-_:\[\]]+")
_PATH = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+")  # cookie-octet: RFC 6265 section 4.1.1
_SAMESITE = re.compile(r"strict|lax|none", re.IGNORECASE)
_KEYWORD_VALUE = re.compile(r"[^\x00-\x20\",;\\\x7f]*")

# As http.cookies has it: within quotes, all but these become octal escapes.
_ESCAPES = {code: f"\\{code:03o}" for code in (*b",;", *range(0x80, 0x100))} | {0x22: '\\"', 0x5C: "\\\\"}


class CookieError(UsageError, http.cookies.CookieError, ValueError):
    """A program asked for a cookie that no ``Set-Cookie`` field can carry, or no browser would keep."""


def parse_cookie(cookie: str, max_cookies: int = _MAX_COOKIES) -> dict[str, str]:
    """Read the value of a ``Cookie`` field into names and values. Never raises.

    Quotes around a value are removed, and escapes within them are decoded. Pairs with a control
    character are left out. Takes time linear in the length.

    :param max_cookies: pairs that are looked at; those beyond are ignored.
    """
    compact = cookie.replace("; ", ";")
    pairs = compact.split(";", max_cookies)
    del pairs[max_cookies:]
    if not cookie.isprintable() and _CONTROL.search(cookie):
        pairs = [pair for pair in pairs if _CONTROL.search(pair) is None]
    # Browsers send neither other spaces nor quotes, mostly: look once for all pairs.
    spaced = " " in compact or "\t" in compact
    quoted = '"' in cookie
    cookies: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            name, value = "", name
        if spaced:
            name, value = name.strip(" \t"), value.strip(" \t")
        if not name and not value:
            continue
        cookies[name] = _unquote(value) if quoted and value[:1] == '"' else value
    return cookies


def format_set_cookie(
    name: str,
    value: str,
    *,
    domain: str | None = None,
    expires: float | tuple[int, ...] | time.struct_time | datetime | None = None,
    path: str | None = "/",
    max_age: float | None = None,
    httponly: bool = False,
    secure: bool = False,
    samesite: str | None = None,
    partitioned: bool = False,
    **attributes: Any,
) -> str:
    """Write the value of one ``Set-Cookie`` field (RFC 6265 section 4.1).

    A value with characters that a cookie cannot hold as they are is quoted and escaped as
    :mod:`http.cookies` does. An attribute that is ``None``, empty, false or zero is left out, as in
    Tornado; so delete a cookie by an ``expires`` in the past, not by a ``max_age`` of zero.

    :param domain: host name, in ASCII.
    :param expires: when the browser forgets it, as :func:`~gustnado.http.dates.format_timestamp` takes it.
    :param max_age: after how many seconds; an integer (or a float that is one).
    :param samesite: ``Strict``, ``Lax`` or ``None``, in any case; ``"None"`` needs ``secure``.
    :param partitioned: a jar of its own for each top-level site; needs ``secure``.
    :param attributes: the same keywords in other spellings (``Path=``, ``HttpOnly=``), which win.
    :raises CookieError: a :exc:`ValueError`, where anything is malformed, an attribute is unknown, or a
        rule of the prefixes ``__Host-`` and ``__Secure-`` is broken.
    :raises TypeError: where ``expires`` is not a time.

    >>> format_set_cookie("a", "1; Domain=evil.example", max_age=3600)
    Traceback (most recent call last):
    gustnado.http.cookies.CookieError: Invalid value of cookie 'a': control characters, spaces and ...
    >>> format_set_cookie("a", "x;y", max_age=3600)
    'a="x\\\\073y"; Max-Age=3600; Path=/'
    """
    if attributes:
        options = {
            "domain": domain,
            "expires": expires,
            "path": path,
            "max_age": max_age,
            "httponly": httponly,
            "secure": secure,
            "samesite": samesite,
            "partitioned": partitioned,
        }
        return format_set_cookie(name, value, **_respelled(options, attributes))
    _check(_NAME, "name", name)
    _check_rules(name, domain=domain, path=path, secure=secure, samesite=samesite, partitioned=partitioned)
    # In the order of http.cookies, which sorts attributes by their names.
    fields = [f"{name}={_quote(name, value)}"]
    if domain:
        fields.append("Domain=" + _check(_DOMAIN, "domain", domain))
    if expires:
        fields.append("expires=" + format_timestamp(expires))
    if httponly:
        fields.append("HttpOnly")
    if max_age:
        fields.append(f"Max-Age={_whole_seconds(max_age)}")
    if partitioned:
        fields.append("Partitioned")
    if path:
        fields.append("Path=" + _check(_PATH, "path", path))
    if samesite:
        fields.append("SameSite=" + _check(_SAMESITE, "samesite", samesite))
    if secure:
        fields.append("Secure")
    return "; ".join(fields)


def _unquote(value: str) -> str:
    if len(value) < 2 or value[-1] != '"':
        return value
    value = value[1:-1]
    return _ESCAPE.sub(_unescape, value) if "\\" in value else value


def _unescape(match: re.Match[str]) -> str:
    octal = match[1]
    return chr(int(octal, 8)) if octal else match[2]


def _quote(name: str, value: str) -> str:
    if _NAME.fullmatch(value) is not None:
        return value
    if _VALUE.fullmatch(value) is None:
        raise CookieError(
            f"Invalid value of cookie {name!r}: control characters, spaces and characters beyond Latin-1"
            " cannot be sent; encode it first"
        )
    return f'"{value.translate(_ESCAPES)}"'


def _check(allowed: re.Pattern[str], what: str, value: str) -> str:
    if allowed.fullmatch(value) is None:
        raise CookieError(f"Invalid cookie attribute {what}={value!r}")
    return value


def _check_rules(
    name: str, *, domain: str | None, path: str | None, secure: bool, samesite: str | None, partitioned: bool
) -> None:
    """Refuse what browsers would drop in silence (RFC 6265bis sections 4.1.2.7 and 4.1.3)."""
    prefix = name[:9].lower()
    if prefix.startswith("__host-") and (not secure or domain or path != "/"):
        raise CookieError(f"cookie {name!r} must be secure, of path '/' and of no domain")
    if prefix == "__secure-" and not secure:
        raise CookieError(f"cookie {name!r} must be secure")
    if not secure and samesite and samesite.lower() == "none":
        raise CookieError(f"cookie {name!r} of samesite='None' must be secure")
    if not secure and partitioned:
        raise CookieError(f"partitioned cookie {name!r} must be secure")


def _whole_seconds(max_age: object) -> int:
    """``max_age`` as an integer; a string could bring further attributes along."""
    if isinstance(max_age, float) and max_age.is_integer():
        return int(max_age)
    if isinstance(max_age, int) and not isinstance(max_age, bool):
        return max_age
    raise CookieError(f"Invalid cookie attribute max_age={max_age!r}: must be an integer")


def _respelled(options: dict[str, Any], attributes: dict[str, Any]) -> dict[str, Any]:
    """``options``, overridden by the keywords of ``attributes`` once they are spelled alike."""
    for spelling, value in attributes.items():
        keyword = spelling.lower().replace("-", "_")
        if keyword not in options:
            raise CookieError(f"Invalid cookie attribute {spelling}: unknown")
        if isinstance(value, str):
            _check(_KEYWORD_VALUE, spelling, value)
        options[keyword] = value
    return options
