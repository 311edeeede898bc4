"""From a request to the bytes of its head: checks, and the fields that the client adds.

>>> from gustnado.http.client.request import HTTPRequest
>>> settings = Settings({**HTTPRequest._DEFAULTS, "decompress_response": False})
>>> url = parse_url("http://example.org/a")
>>> print(head_for("GET", url.target, url.authority, HTTPHeaders(), None, settings, "x/1").decode())
GET /a HTTP/1.1
Host: example.org
User-Agent: x/1
<BLANKLINE>
<BLANKLINE>
"""

from __future__ import annotations

import re

from gustnado.errors import HTTPOutputError
from gustnado.http.client.auth import basic, bearer
from gustnado.http.client.errors import RequestError, UnknownMethodError
from gustnado.http.client.settings import Settings
from gustnado.http.client.urls import ClientURL, parse_url
from gustnado.http.content_decoding import accepted_codings
from gustnado.http.h1.request_writer import request_head
from gustnado.http.headers import HTTPHeaders

__all__ = ["IN_PIECES", "check_body", "credentials", "head_for", "parse_url", "username_password"]

IN_PIECES = -1
"""The size of a body that is written in pieces, when nobody knows yet how long it is."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
_WITH_BODY = frozenset({"POST", "PATCH", "PUT"})
_FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
_LENGTH = re.compile(r"[0-9]{1,18}")


def check_body(method: str, has_body: bool, settings: Settings) -> None:
    """Refuse a method that is not known, and one without the body that it usually has, or with one that it never has.

    :raises gustnado.http.client.errors.RequestError: unless ``allow_nonstandard_methods`` is set.
    """
    if settings.allow_nonstandard_methods:
        return
    if method not in _METHODS:
        raise UnknownMethodError(f"unknown method {method[:40]!r} (unless allow_nonstandard_methods is true)")
    if has_body != (method in _WITH_BODY):
        wanted = "must be None" if has_body else "must not be None"
        raise RequestError(f"Body {wanted} for method {method} (unless allow_nonstandard_methods is true)")


def head_for(
    method: str, target: str, host: str, headers: HTTPHeaders, size: int | None, settings: Settings, user_agent: str
) -> bytes:
    """The head of a request.

    :param target: for the request line, ``host`` for the ``Host`` field.
    :param headers: the fields that the program has set, and those that belong to this request alone.
    :param size: of the body; ``None`` where there is none, :data:`IN_PIECES` where it is written in pieces.
    :param user_agent: where neither ``headers`` nor ``settings`` name one.
    :raises gustnado.http.client.errors.RequestError: where it could not be sent as it is.
    """
    more = ""
    if headers._fields or settings.user_agent:
        headers, user_agent = _own_fields(headers, size, settings, user_agent)
    fields = headers._fields
    if user_agent:
        more = f"User-Agent: {user_agent}\r\n"
    if settings.decompress_response and "Accept-Encoding" not in fields:
        more += _ACCEPT_ENCODING
    if size is not None:
        more += _framing(size, headers)
        if settings.expect_100_continue:
            more += "Expect: 100-continue\r\n"
    if method == "POST" and "Content-Type" not in fields:
        more += _FORM
    try:
        return request_head(method, target, host, headers, more)
    except HTTPOutputError as error:
        raise RequestError(str(error)) from None


_ACCEPT_ENCODING = f"Accept-Encoding: {accepted_codings()}\r\n"


def _framing(size: int, headers: HTTPHeaders) -> str:
    if size >= 0:
        return f"Content-Length: {size}\r\n"
    return "" if "Content-Length" in headers else "Transfer-Encoding: chunked\r\n"


def _own_fields(
    headers: HTTPHeaders, size: int | None, settings: Settings, user_agent: str
) -> tuple[HTTPHeaders, str]:
    """The program's fields without those that are the client's affair, and what to call ourselves beside them."""
    if "Transfer-Encoding" in headers:
        raise RequestError("headers: Transfer-Encoding is the client's own affair; use body_producer for chunks")
    dropped = []
    if "Content-Length" in headers:
        length = headers["Content-Length"]
        if _LENGTH.fullmatch(length) is None:
            raise RequestError(f"headers: malformed Content-Length {length[:40]!r}")
        if size is None and int(length):
            raise RequestError(f"headers: Content-Length {length} without a body")
        if size != IN_PIECES:
            dropped.append("Content-Length")
    if settings.user_agent:
        try:
            user_agent = HTTPHeaders({"User-Agent": settings.user_agent})["User-Agent"]
        except (ValueError, TypeError) as error:
            raise RequestError(f"user_agent: {error}") from None
        dropped.append("User-Agent")
    elif "User-Agent" in headers:
        user_agent = ""
    if dropped:
        headers = headers.copy()
        for name in dropped:
            headers.pop(name, None)
    return headers, user_agent


def username_password(url: ClientURL, settings: Settings) -> tuple[str, str] | None:
    """Username and password of a request: those in its URL, else those of its options; ``None`` without any."""
    if url.username is not None:
        return url.username, url.password or ""
    if settings.auth_username is not None:
        return settings.auth_username, settings.auth_password or ""
    return None


def credentials(url: ClientURL, settings: Settings) -> str | None:
    """The value of the ``Authorization`` field that is sent without being asked for; ``None`` without one.

    :raises gustnado.http.client.errors.RequestError: where it would be malformed.
    """
    known = username_password(url, settings)
    if known is None:
        return None if settings.auth_token is None else bearer(settings.auth_token)
    return basic(*known) if settings.auth_mode in (None, "basic") else None
