"""A jar of cookies for a client (RFC 6265), opt-in: ``AsyncHTTPClient(force_instance=True, cookie_jar=CookieJar())``.

A cookie goes back to the host that set it, and to hosts below a ``Domain`` that it named; not to a domain that only
has one label (``com``), not to an address's neighbours. ``Secure`` ones are set and sent by https only (and to
loopback), the prefixes ``__Host-`` and ``__Secure-`` mean what they say (RFC 6265bis section 4.1.3). How many there are
is bounded, for each domain and in all.

>>> from gustnado.http.client.urls import parse_url
>>> jar = CookieJar()
>>> jar.store(parse_url("http://www.example.org/a/b"), ["id=7; Path=/a; Domain=example.org", "x=1; Domain=com"], 0.0)
>>> jar.header_for(parse_url("http://example.org/a/c"), 0.0), jar.header_for(parse_url("http://example.org/"), 0.0)
('id=7', None)
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from gustnado.http.client.urls import ClientURL
from gustnado.http.dates import parse_http_date

__all__ = ["Cookie", "CookieJar"]

_BAD = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_MAX_PAIR = 4096  # bytes of name and value, as in RFC 6265bis section 5.6
_MAX_ATTRIBUTE = 1024
_LONGEST = 400 * 86400.0  # seconds that a cookie is kept (RFC 6265bis section 5.5)


@dataclass
class Cookie:
    """One cookie.

    :ivar domain: the host that set it, or with ``host_only`` false, the domain for whose hosts it is.
    :ivar expires: as of :func:`time.time`; ``None`` while the jar lives.
    :ivar created: when it was set first; older ones are sent first.
    """

    name: str
    value: str
    domain: str
    path: str
    host_only: bool
    secure: bool
    http_only: bool
    expires: float | None
    created: float

    def matches(self, url: ClientURL) -> bool:
        """Whether it is to be sent to ``url``."""
        if self.secure and not _is_secure(url):
            return False
        if url.host != self.domain and (self.host_only or not _is_below(url.host, self.domain)):
            return False
        return _covers_path(self.path, _path_of(url))


class CookieJar:
    """Keeps cookies.

    :param max_per_domain: the oldest go first when there are more.
    :param max_cookies: likewise, in all.
    """

    def __init__(self, max_per_domain: int = 50, max_cookies: int = 3000) -> None:
        self._max_per_domain = max_per_domain
        self._max_cookies = max_cookies
        self._cookies: dict[str, dict[tuple[str, str], Cookie]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._cookies.values()))

    def cookies(self) -> list[Cookie]:
        """All of them, those that have expired included."""
        return [cookie for ours in self._cookies.values() for cookie in ours.values()]

    def clear(self) -> None:
        """Forget all."""
        self._cookies.clear()

    def store(self, url: ClientURL, values: Iterable[str], now: float) -> None:
        """Take the ``Set-Cookie`` fields of a response from ``url``; those that may not be set are left out.

        :param now: as of :func:`time.time`.
        """
        for value in values:
            cookie = _parse(value, url, now)
            if cookie is not None:
                self._put(cookie, now)

    def _put(self, cookie: Cookie, now: float) -> None:
        ours = self._cookies.setdefault(cookie.domain, {})
        old = ours.pop((cookie.path, cookie.name), None)
        if old is not None:
            cookie.created = old.created
        if cookie.expires is None or cookie.expires > now:
            ours[cookie.path, cookie.name] = cookie
            self._make_room(ours, now)
        if not ours:
            del self._cookies[cookie.domain]

    def _make_room(self, ours: dict[tuple[str, str], Cookie], now: float) -> None:
        if len(ours) > self._max_per_domain:
            _remove(ours, now)
        if len(self) > self._max_cookies:
            fullest = max(self._cookies.values(), key=len)
            _remove(fullest, now)

    def header_for(self, url: ClientURL, now: float) -> str | None:
        """The value of a ``Cookie`` field for a request of ``url``; ``None`` where no cookie is for it."""
        found = []
        for domain in _domains(url.host):
            for cookie in self._cookies.get(domain, {}).values():
                if (cookie.expires is None or cookie.expires > now) and cookie.matches(url):
                    found.append(cookie)
        found.sort(key=lambda cookie: (-len(cookie.path), cookie.created))
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in found) or None

    def save(self, file: str | os.PathLike[str]) -> None:
        """Write all cookies to a file that only its owner can read, as JSON."""
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.fchmod(descriptor, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump([asdict(cookie) for cookie in self.cookies()], stream)

    def load(self, file: str | os.PathLike[str], now: float) -> None:
        """Add the cookies that :meth:`save` has written.

        :raises ValueError: where the file does not hold such.
        """
        with open(file, encoding="utf-8") as stream:
            data: Any = json.load(stream)
        try:
            cookies = [Cookie(**fields) for fields in data]
        except TypeError as error:
            raise ValueError(f"{os.fspath(file)} does not hold the cookies of a jar: {error}") from None
        for cookie in cookies:
            self._put(cookie, now)


def _remove(ours: dict[tuple[str, str], Cookie], now: float) -> None:
    """Make room for one: what has expired goes first, else the oldest."""
    expired = [key for key, cookie in ours.items() if cookie.expires is not None and cookie.expires <= now]
    for key in expired or [min(ours, key=lambda key: ours[key].created)]:
        del ours[key]


def _parse(text: str, url: ClientURL, now: float) -> Cookie | None:
    """The cookie of a ``Set-Cookie`` field; ``None`` where it is none, or may not be set from ``url``."""
    if _BAD.search(text) is not None:
        return None
    pair, *rest = text.split(";")
    name, equals, value = pair.partition("=")
    name, value = (name.strip(" \t"), value.strip(" \t")) if equals else ("", name.strip(" \t"))
    if not name or len(name) + len(value) > _MAX_PAIR:
        return None
    attributes: dict[str, str] = {}
    for attribute in rest:
        key, _, given = attribute.partition("=")
        if len(given) <= _MAX_ATTRIBUTE:
            attributes[key.strip(" \t").lower()] = given.strip(" \t")
    domain = _domain(attributes.get("domain", ""), url)
    if domain is None:
        return None
    path = attributes.get("path", "")
    cookie = Cookie(
        name=name,
        value=value,
        domain=domain or url.host,
        path=path if path.startswith("/") else _default_path(url),
        host_only=not domain,
        secure="secure" in attributes,
        http_only="httponly" in attributes,
        expires=_expiry(attributes, now),
        created=now,
    )
    return cookie if _keeps_promises(cookie, url, path) else None


def _domain(given: str, url: ClientURL) -> str | None:
    """The domain for whose hosts a cookie is; empty for this host only; ``None`` where it may not be set."""
    domain = given.lower().removeprefix(".")
    if not domain or (domain == url.host and ("." not in domain or _is_address(domain))):
        return ""
    if "." not in domain or _is_address(url.host):
        return None
    return domain if url.host == domain or _is_below(url.host, domain) else None


def _keeps_promises(cookie: Cookie, url: ClientURL, path: str) -> bool:
    """Whether ``Secure`` and the prefixes of names are kept."""
    if cookie.secure and not _is_secure(url):
        return False
    name = cookie.name.lower()
    if name.startswith("__secure-"):
        return cookie.secure
    if name.startswith("__host-"):
        return cookie.secure and cookie.host_only and path == "/"
    return True


def _expiry(attributes: dict[str, str], now: float) -> float | None:
    age = attributes.get("max-age", "")
    if re.fullmatch(r"-?[0-9]+", age) is not None:
        seconds = float(age) if len(age) < 18 else float("inf")
        return now + min(seconds, _LONGEST) if seconds > 0 and age[0] != "-" else 0.0
    date = parse_http_date(attributes.get("expires", ""))
    return None if date is None else min(date.timestamp(), now + _LONGEST)


def _path_of(url: ClientURL) -> str:
    return url.target.partition("?")[0]


def _default_path(url: ClientURL) -> str:
    return _path_of(url).rpartition("/")[0] or "/"


def _covers_path(cookie_path: str, path: str) -> bool:
    if path == cookie_path:
        return True
    return path.startswith(cookie_path) and (cookie_path.endswith("/") or path[len(cookie_path)] == "/")


def _is_below(host: str, domain: str) -> bool:
    return host.endswith("." + domain) and not _is_address(host)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_secure(url: ClientURL) -> bool:
    return url.scheme == "https" or url.host in ("localhost", "127.0.0.1", "::1")


def _domains(host: str) -> list[str]:
    """``host``, and the domains above it."""
    if _is_address(host):
        return [host]
    labels = host.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]
