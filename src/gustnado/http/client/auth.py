"""Authentication of requests: what goes into their ``Authorization`` field (RFC 9110 section 11)."""

from __future__ import annotations

import base64

from gustnado.http.client.errors import RequestError
from gustnado.http.urls import encode_username_password

__all__ = ["basic"]


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
