"""From a request to the bytes of its head: checks, and the fields that the client adds.

>>> from gustnado.http.client.request import HTTPRequest
>>> settings = Settings(HTTPRequest._DEFAULTS)
>>> print(head_for("GET", parse_url("http://example.org/a"), HTTPHeaders(), None, settings, "x/1").decode())
GET /a HTTP/1.1
Host: example.org
User-Agent: x/1
Accept-Encoding: gzip, deflate
<BLANKLINE>
<BLANKLINE>
"""

from __future__ import annotations

from gustnado.errors import HTTPOutputError
from gustnado.http.client.auth import basic
from gustnado.http.client.decompression import ACCEPTED_CODINGS
from gustnado.http.client.errors import RequestError, UnknownMethodError
from gustnado.http.client.settings import Settings
from gustnado.http.client.urls import ClientURL, parse_url
from gustnado.http.h1.request_writer import request_head
from gustnado.http.headers import HTTPHeaders

__all__ = ["check_body", "head_for", "parse_url"]

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
_WITH_BODY = frozenset({"POST", "PATCH", "PUT"})
_FORM = "application/x-www-form-urlencoded"


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
    method: str, url: ClientURL, headers: HTTPHeaders, size: int | None, settings: Settings, user_agent: str
) -> bytes:
    """The head of a request.

    :param headers: the fields that the program has set.
    :param size: of the body; ``None`` where there is none, or where it is written in pieces.
    :param user_agent: where neither ``headers`` nor ``settings`` name one.
    :raises gustnado.http.client.errors.RequestError: where it could not be sent as it is.
    """
    fields = headers._fields
    more = ""
    if fields or settings.user_agent:
        headers, more = _own_fields(headers, settings, user_agent)
        fields = headers._fields
    else:
        more = f"User-Agent: {user_agent}\r\n"
    if settings.decompress_response and "Accept-Encoding" not in fields:
        more += f"Accept-Encoding: {ACCEPTED_CODINGS}\r\n"
    if size is not None:
        more += f"Content-Length: {size}\r\n"
    if method == "POST" and "Content-Type" not in fields:
        more += f"Content-Type: {_FORM}\r\n"
    authorization = _credentials(url, settings)
    if authorization is not None:
        headers = headers.copy()
        headers["Authorization"] = authorization
    try:
        return request_head(method, url.target, url.authority, headers, more)
    except HTTPOutputError as error:
        raise RequestError(str(error)) from None


def _own_fields(headers: HTTPHeaders, settings: Settings, user_agent: str) -> tuple[HTTPHeaders, str]:
    """The program's fields without those that are not its affair, and a ``User-Agent`` line where it is needed."""
    if "Transfer-Encoding" in headers:
        raise RequestError("headers: Transfer-Encoding is the client's own affair; use body_producer for chunks")
    if settings.user_agent:
        user_agent = settings.user_agent
        HTTPHeaders({"User-Agent": user_agent})
        if "User-Agent" in headers:
            headers = headers.copy()
            del headers["User-Agent"]
    if "User-Agent" in headers:
        return headers, ""
    return headers, f"User-Agent: {user_agent}\r\n"


def _credentials(url: ClientURL, settings: Settings) -> str | None:
    username, password = url.username, url.password
    if username is None:
        username, password = settings.auth_username, settings.auth_password
    if username is None:
        return None
    if settings.auth_mode not in (None, "basic"):
        raise RequestError(f"auth_mode {settings.auth_mode!r} is not one of basic")
    return basic(username, password or "")
