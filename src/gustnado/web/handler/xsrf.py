"""Cross-site request forgery: telling our own pages' requests from those of others.

Two checks, each with a setting of its own; requests of ``GET``, ``HEAD`` and ``OPTIONS`` pass both.

``xsrf_cookies`` - where it comes from, else a token. A request that its browser proves to come from our own pages
(``Sec-Fetch-Site: same-origin``, or an ``Origin`` that is ours to the letter) passes. One that its browser calls
``cross-site`` is refused, even with the right token, unless :meth:`XSRFMixin.check_trusted_origin` allows its
origin. All others need the token. (With the setting ``xsrf_origin_first=False``, which ``as_tornado`` has, all
need it.) A handler's attribute ``xsrf_cookies`` turns the check on or off for its class.

The token: a page gets a random token both as a cookie and within its forms (or its
script sends it as ``X-XSRFToken``); another site can make a browser send the cookie, but cannot read it.
Tornado's formats are kept byte for byte: version 1 is the token in hex; version 2 is
``2|mask|token XOR mask|time``, with a new mask each time, so that a compressed page does not give it away
(BREACH). Over TLS the cookie is called ``__Host-_xsrf``, which no other host of the domain can set.

``cross_origin_protection`` - the origin alone. Browsers say where a request comes from; one from another
origin is refused unless :meth:`XSRFMixin.check_trusted_origin` allows it, by default for those in the
setting ``trusted_origins``. What says nothing is no browser, and passes.
"""

from __future__ import annotations

import binascii
import hmac
import os
import re
import time
import urllib.parse
from collections.abc import Callable
from typing import NamedTuple

from gustnado.escape import to_unicode, utf8, xhtml_escape
from gustnado.log import gen_log
from gustnado.web.errors import HTTPError
from gustnado.web.handler.arguments import ArgumentsMixin
from gustnado.web.handler.auth import CurrentUserMixin
from gustnado.web.handler.cookies import CookiesMixin

__all__ = ["XSRFMixin"]

_NAME, _HOST_NAME = "_xsrf", "__Host-_xsrf"
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_VERSION = re.compile(r"([1-9][0-9]*)\|")
_MASK_SIZE = 4  # bytes
_TOKEN_SIZE = 16  # bytes


class _Token(NamedTuple):
    """``version`` of the cookie that it came with, ``None`` where it is new; ``timestamp`` in seconds."""

    version: int | None
    secret: bytes
    timestamp: float


class XSRFMixin(ArgumentsMixin, CookiesMixin, CurrentUserMixin):
    """``xsrf_token``, ``check_xsrf_cookie`` and ``check_trusted_origin``."""

    xsrf_cookies: bool | None = None
    """Whether this class's requests are checked; ``None`` leaves that to the setting ``xsrf_cookies``."""
    xsrf_origin_first: bool = True
    """Whether the browser's word does without a token, where the setting ``xsrf_origin_first`` is not there."""
    xsrf_host_cookie: bool = True
    """Whether the cookie's name begins with ``__Host-`` over TLS, where no setting names it."""
    _xsrf_token: bytes | None = None
    _raw_xsrf_token: _Token | None = None

    @property
    def xsrf_token(self) -> bytes:
        """The token for this user's forms, in ASCII. Reading it sets the cookie where there is none yet.

        The setting ``xsrf_cookie_kwargs`` holds arguments for :meth:`set_cookie`, ``xsrf_cookie_name`` its
        name (``_xsrf``, over TLS ``__Host-_xsrf``), ``xsrf_cookie_version`` its format (2).

        :raises ValueError: where ``xsrf_cookie_version`` is neither 1 nor 2.
        """
        if self._xsrf_token is None:
            token = self._get_raw_xsrf_token()
            self._xsrf_token = encoded = _encode(token, self.settings.get("xsrf_cookie_version", 2))
            if token.version is None:
                self._set_xsrf_cookie(encoded)
        return self._xsrf_token

    def renew_xsrf_token(self) -> None:
        """Set a new token in place of the one that the browser has: to be called when somebody signs in or out.

        Whoever knew the old one, or planted it, then has nothing. Pages that are open need to be loaded again.
        """
        self._raw_xsrf_token = _Token(None, os.urandom(_TOKEN_SIZE), time.time())
        self._xsrf_token = None
        self.xsrf_token  # noqa: B018  # sets the cookie

    def xsrf_form_html(self) -> str:
        """The hidden ``<input/>`` with the token: ``{% module xsrf_form_html() %}`` in each form."""
        return f'<input type="hidden" name="_xsrf" value="{xhtml_escape(to_unicode(self.xsrf_token))}"/>'

    def check_xsrf_cookie(self) -> None:
        """Check that our own page sent the request, by the browser's word or else by the token.

        That is an argument ``_xsrf``, or a header ``X-XSRFToken`` or ``X-CSRFToken``.

        Called for each unsafe method where ``xsrf_cookies`` is set.

        :raises HTTPError: (403) where token and cookie are not the same, or either is missing, or the
            request came from another site.
        """
        headers = self.request.headers
        if headers.get("Sec-Fetch-Site") == "cross-site":
            origin = headers.get("Origin")
            if not origin or not self.check_trusted_origin(origin):
                raise HTTPError(403, "Sec-Fetch-Site cross-site & origin %r not allowed", origin)
        if self.settings.get("xsrf_origin_first", self.xsrf_origin_first) and self._is_surely_same_origin():
            return
        given = self.get_argument("_xsrf", None) or headers.get("X-Xsrftoken") or headers.get("X-Csrftoken")
        if not given:
            raise HTTPError(403, "'_xsrf' argument missing from POST")
        token = _decode(given)
        if token is None:
            raise HTTPError(403, "'_xsrf' argument has invalid format")
        if not hmac.compare_digest(token.secret, self._get_raw_xsrf_token().secret):
            raise HTTPError(403, "XSRF cookie does not match POST argument")

    def check_trusted_origin(self, origin: str) -> bool:
        """Whether requests from another origin are welcome: by default if ``trusted_origins`` has it.

        Called before ``prepare``, for requests of unsafe methods only, and not for those of our own origin.
        Where an override lets an origin in, that origin's pages can act for the user who visits them.

        :param origin: as sent, such as ``"https://example.org"``, or ``"null"``.
        """
        return origin in self.settings.get("trusted_origins", ())

    def _cross_origin_protection(self) -> None:
        """All checks that the settings ask for, of a request of any method."""
        if self.request.method in _SAFE_METHODS:
            return
        wanted = self.xsrf_cookies
        if self.settings.get("xsrf_cookies") if wanted is None else wanted:
            self.check_xsrf_cookie()
        if self.settings.get("cross_origin_protection"):
            refusal = self._check_cross_origin(self.check_trusted_origin)
            if refusal is not None:
                raise HTTPError(403, "%s", refusal)

    def _check_cross_origin(self, check: Callable[[str], bool]) -> str | None:
        """Say why this request is refused, or ``None``. ``check`` is asked about foreign origins."""
        headers = self.request.headers
        site = headers.get("Sec-Fetch-Site")
        if site in ("same-origin", "none"):
            return None
        origin = headers.get("Origin")
        if site is not None:
            # The browser has compared the origins itself; ours to the letter does not outweigh that.
            welcome = origin and check(origin)
            return None if welcome else f"Sec-Fetch-Site {site} & origin {origin!r} not allowed"
        if origin is None or self._origin_matches_host(origin) or check(origin):
            return None
        return f"Origin {origin!r} not allowed"

    def _origin_matches_host(self, origin: str) -> bool:
        # Not the scheme: behind a proxy that ends TLS it may not be known here.
        try:
            netloc = urllib.parse.urlsplit(origin).netloc
        except ValueError:
            return False
        return bool(netloc) and netloc.lower() == self.request.headers.get("Host", "").lower()

    def _is_surely_same_origin(self) -> bool:
        headers = self.request.headers
        site = headers.get("Sec-Fetch-Site")
        if site is not None:
            return bool(site == "same-origin")
        request = self.request
        return bool(headers.get("Origin") == f"{request.protocol}://{request.host}".lower())

    def _set_xsrf_cookie(self, token: bytes) -> None:
        # Scripts are meant to read it, whatever other cookies are by default.
        options = {"httponly": False, **self.settings.get("xsrf_cookie_kwargs", {})}
        if self.current_user and "expires_days" not in options:
            options["expires_days"] = 30
        name = self._xsrf_cookie_name()
        if name == _HOST_NAME:
            options["secure"] = True
        self.set_cookie(name, token, **options)

    def _xsrf_cookie_name(self) -> str:
        name: str | None = self.settings.get("xsrf_cookie_name")
        if name is not None:
            return name
        if not self.xsrf_host_cookie or self.request.protocol != "https":
            return _NAME
        options = {keyword.lower(): value for keyword, value in self.settings.get("xsrf_cookie_kwargs", {}).items()}
        fits = options.get("path", "/") == "/" and not options.get("domain") and options.get("secure", True)
        return _HOST_NAME if fits else _NAME

    def _get_raw_xsrf_token(self) -> _Token:
        """The token of the cookie, or a new one where there is none that can be read."""
        if self._raw_xsrf_token is None:
            cookie = self.get_cookie(self._xsrf_cookie_name())
            token = _decode(cookie) if cookie else None
            self._raw_xsrf_token = token or _Token(None, os.urandom(_TOKEN_SIZE), time.time())
        return self._raw_xsrf_token

    def _decode_xsrf_token(self, cookie: str) -> tuple[int | None, bytes | None, float | None]:
        """Version, token and time that ``cookie`` holds; ``None`` thrice where it cannot be read."""
        return _decode(cookie) or (None, None, None)


def _encode(token: _Token, version: int) -> bytes:
    if version == 1:
        return binascii.b2a_hex(token.secret)
    if version != 2:
        raise ValueError(f"unknown xsrf cookie version {version}")
    mask = os.urandom(_MASK_SIZE)
    masked = _mask(mask, token.secret)
    return f"2|{mask.hex()}|{masked.hex()}|{int(token.timestamp)}".encode("ascii")


def _decode(cookie: str) -> _Token | None:
    """Read a token of either version; an empty one is none, since it would match every empty one."""
    try:
        token = _decode_v2(cookie) if _VERSION.match(cookie) else _decode_v1(cookie)
    except ValueError as error:
        gen_log.debug("Unreadable XSRF token: %s", error)
        return None
    return token if token.secret else None


def _decode_v1(cookie: str) -> _Token:
    try:
        secret = binascii.a2b_hex(cookie)
    except ValueError:
        secret = utf8(cookie)  # Tornado took any text for a token once, and still does
    return _Token(1, secret, time.time())


def _decode_v2(cookie: str) -> _Token:
    version, mask_hex, masked_hex, timestamp = cookie.split("|")
    if version != "2":
        raise ValueError(f"version {version} is unknown")
    mask = binascii.a2b_hex(mask_hex)
    if len(mask) != _MASK_SIZE:
        raise ValueError(f"a mask has {_MASK_SIZE} bytes, not {len(mask)}")
    return _Token(2, _mask(mask, binascii.a2b_hex(masked_hex)), int(timestamp))


def _mask(mask: bytes, data: bytes) -> bytes:
    """XOR of ``data`` and ``mask`` over and over."""
    repeated = mask * (len(data) // _MASK_SIZE + 1)
    return bytes([byte ^ key for byte, key in zip(data, repeated, strict=False)])
