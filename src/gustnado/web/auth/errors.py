"""What a sign-in can fail with, by whose fault it is.

::

    AuthError                    403: nobody is signed in
    |-- AuthStateError             the answer belongs to no sign-in that this browser has begun, or it is too old
    |-- AuthDeniedError            the provider says no, or the user has said no to it
    `-- ProviderError              502: what the provider answered cannot be used
        `-- IDTokenError             its ID token is not valid, or not for us

Where a handler catches none of them, they become its error page, and one line of the log. What an HTTP client
raises (:exc:`~gustnado.http.client.errors.HTTPClientError` for a status other than 2xx, :exc:`OSError`) is passed
on as it is, as in Tornado.

>>> AuthDeniedError("access_denied", "the user said no").status
403
>>> str(AuthDeniedError("access_denied"))
'the provider refused: access_denied'
"""

from __future__ import annotations

from gustnado.errors import ProtocolError

__all__ = ["AuthDeniedError", "AuthError", "AuthStateError", "IDTokenError", "ProviderError"]


class AuthError(ProtocolError):
    """A sign-in has failed.

    :param status: the HTTP status code of the error page.
    """

    def __init__(self, *args: object, status: int = 403) -> None:
        super().__init__(*args, status=status)


class AuthStateError(AuthError):
    """What came back from a provider is not the answer to what this browser was sent there for.

    Somebody may have given a user a link with a code of his own (RFC 6749 section 10.12), or the user has taken
    more time than a sign-in may, or has cookies switched off.
    """


class AuthDeniedError(AuthError):
    """The provider answered with an error (RFC 6749 section 4.1.2.1, OpenID 2.0 section 10.2).

    :param code: such as ``access_denied``.
    :param description: its explanation for developers, where it gave one.
    """

    def __init__(self, code: str, description: str | None = None) -> None:
        super().__init__(f"the provider refused: {code}" + (f" ({description})" if description else ""))
        self.code = code
        self.description = description


class ProviderError(AuthError):
    """A provider's answer is malformed, lacks what it must have, or is not from whom it should be."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args, status=502)


class IDTokenError(ProviderError):
    """An ID token is malformed, not signed by its issuer, for somebody else, or expired.

    The rules are those of OpenID Connect Core 1.0 section 3.1.3.7.
    """
