"""A handler's cookies, plain and signed.

Reading sees what the request brought, never what this handler sets. What is set is kept, one
``Set-Cookie`` value a name, until the head of the response is written.

The application setting ``cookie_defaults`` holds arguments for each :meth:`CookiesMixin.set_cookie` that
does not say otherwise. Without it they are :data:`SAFE_COOKIE_DEFAULTS`, or none under ``as_tornado``. A program
whose cookies all belong into the jar of the site that embeds it says::

    Application(..., cookie_defaults={"secure": True, "samesite": "None", "partitioned": True})

A response for which cookies were read or set is one visitor's: it gets ``Vary: Cookie``, so that no cache on the way
hands it to another (RFC 9111 section 4.1). A handler for which that is not so says ``varies_by_cookies = False``.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http.cookies import Morsel
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, overload

from gustnado.errors import UsageError
from gustnado.escape import native_str
from gustnado.http.cookies import format_set_cookie
from gustnado.web.handler.state import HandlerState
from gustnado.web.signing import create_signed_value, decode_signed_value, get_signature_key_version

if TYPE_CHECKING:
    import time

__all__ = ["SAFE_COOKIE_DEFAULTS", "CookiesMixin"]

SAFE_COOKIE_DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {"httponly": True, "samesite": "Lax", "secure": "auto"}
)
"""Out of reach of scripts, not sent along from other sites, and over TLS only where this request came so."""

_PREFIXES = ("__host-", "__secure-")


class CookiesMixin(HandlerState):
    """``get_cookie``, ``set_cookie`` and their signed kin."""

    default_cookie_options: Mapping[str, Any] = SAFE_COOKIE_DEFAULTS
    """What cookies have that do not say otherwise, where the setting ``cookie_defaults`` is not there."""

    varies_by_cookies: bool = True
    """Whether responses say ``Vary: Cookie`` for which cookies were read or set. Not noticed: what is read of
    ``self.request.cookies`` and of the header."""

    @property
    def cookies(self) -> Mapping[str, Morsel[str]]:
        """The request's cookies: the same as ``self.request.cookies``."""
        self._cookies_count = self.varies_by_cookies
        return self.request.cookies

    @overload
    def get_cookie(self, name: str, default: str) -> str: ...
    @overload
    def get_cookie(self, name: str, default: None = None) -> str | None: ...
    def get_cookie(self, name: str, default: str | None = None) -> str | None:
        """The value of the request's cookie ``name``, or ``default``."""
        self._cookies_count = self.varies_by_cookies
        morsel = self.request.cookies.get(name)
        return default if morsel is None else morsel.value

    def set_cookie(
        self,
        name: str,
        value: str | bytes,
        domain: str | None = None,
        expires: float | tuple[int, ...] | time.struct_time | datetime | None = None,
        path: str | None = "/",
        expires_days: float | None = None,
        *,
        max_age: int | None = None,
        httponly: bool | None = None,
        secure: bool | None = None,
        samesite: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Set a cookie; a second call of the same name takes the place of the first.

        :param value: what a cookie cannot hold is quoted and escaped, but control characters and spaces.
        :param domain: host name; without it the cookie is for this host alone.
        :param expires: a point in time, as :func:`~gustnado.http.dates.format_timestamp` takes it.
        :param path: where it is sent to; ``None`` for the directory of this request's path.
        :param expires_days: days from now, where ``expires`` is not given.
        :param max_age: seconds.
        :param httponly: out of reach of scripts.
        :param secure: over TLS only.
        :param samesite: ``"Strict"``, ``"Lax"`` or ``"None"``.
        :param kwargs: ``partitioned``; and the other names spelled otherwise (``Path``), which is deprecated.
        :raises gustnado.http.cookies.CookieError: a :exc:`ValueError`, where anything is malformed.
        """
        if not expires and expires_days is not None:
            expires = datetime.now(UTC) + timedelta(days=expires_days)
        options: dict[str, Any] = {
            "domain": domain,
            "expires": expires,
            "path": path,
            "max_age": max_age,
            "httponly": httponly,
            "secure": secure,
            "samesite": samesite,
            **kwargs,
        }
        self._apply_cookie_defaults(options)
        name = native_str(name)
        header = format_set_cookie(name, native_str(value), **options)
        if self._new_cookie is None:
            self._new_cookie = {}
        self._new_cookie[name] = header
        self._cookies_count = self.varies_by_cookies
        if any(keyword != keyword.lower() for keyword in kwargs):
            warnings.warn(
                f"set_cookie arguments should be lowercase: {', '.join(kwargs)}",
                DeprecationWarning,
                stacklevel=2,
            )

    def clear_cookie(self, name: str, **kwargs: Any) -> None:
        """Have the browser forget a cookie.

        ``domain`` and ``path`` must be those it was set with, and in places ``samesite`` and ``secure`` too.

        :param kwargs: as :meth:`set_cookie` takes them, but ``expires`` and ``max_age``.
        """
        for keyword in ("expires", "max_age"):
            if keyword in kwargs:
                raise TypeError(f"clear_cookie() got an unexpected keyword argument {keyword!r}")
        if name.lower().startswith(_PREFIXES):
            kwargs.setdefault("secure", True)
        self.set_cookie(name, value="", expires=datetime.now(UTC) - timedelta(days=365), **kwargs)

    def clear_all_cookies(self, **kwargs: Any) -> None:
        """:meth:`clear_cookie` for each cookie of the request.

        A request does not tell ``domain`` and ``path`` of its cookies, so only those go that were set with
        the same arguments.
        """
        for name in self.request.cookies:
            self.clear_cookie(name, **kwargs)

    def set_signed_cookie(
        self,
        name: str,
        value: str | bytes,
        expires_days: float | None = 30,
        version: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Set a cookie with time and signature, which nobody without the setting ``cookie_secret`` can make.

        It can be read by whoever has it; only :meth:`get_signed_cookie` tells whether it is ours.

        :param value: text, or any bytes.
        :param expires_days: for the browser; ``None`` until it ends. What counts here is the ``max_age_days``
            with which it is read.
        :param version: of the format: 2, or 1 for very old readers.
        :param kwargs: as :meth:`set_cookie` takes them.
        """
        signed = self.create_signed_value(name, value, version=version)
        self.set_cookie(name, signed, expires_days=expires_days, **kwargs)

    def create_signed_value(self, name: str, value: str | bytes, version: int | None = None) -> bytes:
        """Sign ``value`` with time and ``name``, to be read by :meth:`get_signed_cookie` with ``value=``.

        :raises gustnado.errors.UsageError: where the setting ``cookie_secret`` holds several keys and
            ``key_version`` does not say which one to sign with.
        """
        self.require_setting("cookie_secret", "signed cookies")
        secret = self.settings["cookie_secret"]
        key_version = None
        if isinstance(secret, dict):
            key_version = self.settings.get("key_version")
            if key_version is None:
                raise UsageError("a cookie_secret of several keys needs the setting key_version")
        return create_signed_value(secret, name, value, version=version, key_version=key_version)

    def get_signed_cookie(
        self,
        name: str,
        value: str | None = None,
        max_age_days: float = 31,
        min_version: int | None = None,
    ) -> bytes | None:
        """The value of a signed cookie, or ``None`` where there is none that is ours and young enough.

        :param value: read this instead of the request's cookie.
        :param min_version: refuse formats before this one; both are read otherwise.
        """
        self.require_setting("cookie_secret", "signed cookies")
        if value is None:
            value = self.get_cookie(name)
        return decode_signed_value(
            self.settings["cookie_secret"], name, value, max_age_days=max_age_days, min_version=min_version
        )

    def get_signed_cookie_key_version(self, name: str, value: str | None = None) -> int | None:
        """Which key of ``cookie_secret`` a signed cookie says that it was signed with."""
        self.require_setting("cookie_secret", "signed cookies")
        if value is None:
            value = self.get_cookie(name)
        return None if value is None else get_signature_key_version(value)

    set_secure_cookie = set_signed_cookie
    get_secure_cookie = get_signed_cookie
    get_secure_cookie_key_version = get_signed_cookie_key_version

    def _apply_cookie_defaults(self, options: dict[str, Any]) -> None:
        defaults = self.settings.get("cookie_defaults")
        if defaults is None:
            defaults = self.default_cookie_options
        if defaults:
            given = {keyword.lower() for keyword, value in options.items() if value is not None}
            options.update({keyword: value for keyword, value in defaults.items() if keyword not in given})
        if options["secure"] == "auto":
            options["secure"] = self.request.protocol == "https"
