"""What a fetch can fail with, by whose fault it is.

::

    HTTPClientError                  no success: ``code`` is the response's status, or 599 without a response
    |-- TooManyRedirectsError          there would have been one more
    |-- HTTPTimeoutError               599: something took too long
    |   |-- QueueTimeoutError            all connections were busy
    |   |-- ConnectTimeoutError          name look-up, connection, proxy
    |   |-- TLSTimeoutError              TLS handshake
    |   |-- FirstByteTimeoutError        request sent, no byte of a response
    |   |-- ReadTimeoutError             between two pieces of a response
    |   `-- RequestTimeoutError          all of it
    |-- HTTPStreamClosedError          599: the connection ended, or had to be ended
    |   |-- EmptyResponseError           before the first byte of a response
    |   |-- IncompleteResponseError      within a response
    |   |-- MalformedResponseError       what came is no HTTP, or could be read in two ways
    |   |-- ExcessDataError              more came than the response said
    |   |-- ResponseHeadTooLargeError    over a limit of the head
    |   |-- ResponseTooLargeError        over a limit of the body, decoded or not
    |   |-- DecodingError                the body is not what its Content-Encoding says
    |   |-- CallbackFailedError          one of the program's own callbacks raised
    |   `-- ClientClosedError            the client was closed meanwhile
    |-- ProxyError                     599: the proxy did not do what was asked of it
    `-- UnsafeRedirectError            a redirect from https to http

    RequestError                     (a ``ValueError``) the request itself cannot be sent
    |-- InvalidURLError
    `-- UnknownMethodError             (also a ``KeyError``)

What the system says of a connection that cannot be made (:exc:`ConnectionRefusedError`, :exc:`ssl.SSLError`,
:exc:`socket.gaierror`...) is passed on as it is.
"""

from __future__ import annotations

from http.client import responses
from typing import TYPE_CHECKING

from gustnado.errors import GustnadoError, UnsatisfiableReadError, UsageError

if TYPE_CHECKING:
    from gustnado.http.client.response import HTTPResponse

__all__ = [
    "CallbackFailedError",
    "ClientClosedError",
    "ConnectTimeoutError",
    "DecodingError",
    "EmptyResponseError",
    "ExcessDataError",
    "FirstByteTimeoutError",
    "HTTPClientError",
    "HTTPStreamClosedError",
    "HTTPTimeoutError",
    "IncompleteResponseError",
    "InvalidURLError",
    "MalformedResponseError",
    "ProxyError",
    "QueueTimeoutError",
    "ReadTimeoutError",
    "RequestError",
    "RequestTimeoutError",
    "ResponseHeadTooLargeError",
    "ResponseTooLargeError",
    "TLSTimeoutError",
    "TooManyRedirectsError",
    "UnknownMethodError",
    "UnsafeRedirectError",
]


class HTTPClientError(GustnadoError):
    """A fetch without success.

    :param code: the status of the response; 599 where there is none.
    :param message: by default the usual reason phrase of ``code``.
    :param response: the :class:`~gustnado.http.client.response.HTTPResponse`, where there is one.
    """

    def __init__(self, code: int, message: str | None = None, response: HTTPResponse | None = None) -> None:
        self.code = code
        self.message = message or responses.get(code, "Unknown")
        self.response = response
        super().__init__(code, message, response)

    def __str__(self) -> str:
        return f"HTTP {self.code}: {self.message}"

    # The error holds its response and the response its error: the usual repr would not come to an end.
    __repr__ = __str__


class TooManyRedirectsError(HTTPClientError):
    """The response is one more redirect than ``max_redirects`` allows; it is in ``response``."""


class _NoResponseError(HTTPClientError):
    """There is no response, so that ``code`` is 599.

    :param message: what happened.
    """

    default_message = "no response"

    def __init__(self, message: str) -> None:
        super().__init__(599, message)
        self.args = (message,)

    def __str__(self) -> str:
        return self.message or self.default_message


class HTTPTimeoutError(_NoResponseError):
    """Something took too long; the subclasses say what."""


class QueueTimeoutError(HTTPTimeoutError):
    """The request has waited too long for one of ``max_clients`` connections."""


class ConnectTimeoutError(HTTPTimeoutError):
    """Looking up the name, connecting, or the talk with a proxy took too long."""


class TLSTimeoutError(HTTPTimeoutError):
    """The TLS handshake took too long."""


class FirstByteTimeoutError(HTTPTimeoutError):
    """The request was sent, and not one byte of a response came in time."""


class ReadTimeoutError(HTTPTimeoutError):
    """The response has begun, and its next piece did not come in time."""


class RequestTimeoutError(HTTPTimeoutError):
    """All of it, redirects included, took longer than ``request_timeout``."""


class HTTPStreamClosedError(_NoResponseError):
    """The connection ended before there was a whole response, or had to be ended; the subclasses say why."""


class EmptyResponseError(HTTPStreamClosedError):
    """The connection ended before the first byte of a response."""


class IncompleteResponseError(HTTPStreamClosedError):
    """The connection ended within a response."""


class MalformedResponseError(HTTPStreamClosedError):
    """What came is no HTTP, or could be read in two ways."""


class ExcessDataError(HTTPStreamClosedError):
    """More bytes came than the response said: they could pass for the next one."""


class ResponseHeadTooLargeError(HTTPStreamClosedError, UnsatisfiableReadError):
    """The head of the response is over a limit."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.status = 431


class ResponseTooLargeError(HTTPStreamClosedError):
    """The body of the response, as it comes or decoded, is over ``max_body_size``."""


class DecodingError(HTTPStreamClosedError):
    """The body is not what its Content-Encoding says."""


class CallbackFailedError(HTTPStreamClosedError):
    """One of the program's callbacks raised while the response arrived; what it raised is the cause."""


class ClientClosedError(HTTPStreamClosedError):
    """The client was closed before the response was complete."""


class ProxyError(_NoResponseError):
    """The proxy did not do what was asked of it."""


class UnsafeRedirectError(_NoResponseError):
    """A redirect from https to http was not followed; see ``allow_downgrade`` of a request."""


class RequestError(UsageError, ValueError):
    """The request cannot be sent as it is; the message names what is wrong with which field."""


class InvalidURLError(RequestError):
    """The URL is malformed, or not one of http or https."""


class UnknownMethodError(RequestError, KeyError):
    """The method is none of the usual ones, and ``allow_nonstandard_methods`` is not set."""

    __str__ = Exception.__str__  # that of KeyError shows the repr
