"""What a fetch gives: the response, or why there is none.

>>> from gustnado.http.client.request import HTTPRequest
>>> response = HTTPResponse(HTTPRequest("http://example.org/"), 404)
>>> response.code, response.reason, response.error
(404, 'Not Found', HTTP 404: Not Found)
"""

from __future__ import annotations

from http.client import responses
from io import BytesIO

from gustnado.http.client.errors import HTTPClientError
from gustnado.http.client.request import HTTPRequest, RequestProxy
from gustnado.http.headers import HTTPHeaders

__all__ = ["HTTPResponse"]


class HTTPResponse:
    """A response.

    :param request: the request that was fetched, before any redirect.
    :param code: the status code; 599 where there was no response, and ``error`` says why.
    :param buffer: the body; ``None`` without one.
    :param effective_url: where the response came from, after redirects; by default the URL of ``request``.
    :param error: by default an :exc:`HTTPClientError` for codes other than 2xx, else ``None``.
    :param request_time: seconds from the start of the request to its end, without waiting for a connection.
    :param time_info: seconds since the start: ``queue``, ``namelookup`` (the connection was begun), ``connect``
        (it was made), ``pretransfer`` (the request left), ``starttransfer`` (the head came) and ``total``.
    :param reason: the reason phrase; by default the usual one.
    :param start_time: when it began, as of :func:`time.time`.
    """

    def __init__(
        self,
        request: HTTPRequest | RequestProxy,
        code: int,
        headers: HTTPHeaders | None = None,
        buffer: BytesIO | None = None,
        effective_url: str | None = None,
        error: BaseException | None = None,
        request_time: float | None = None,
        time_info: dict[str, float] | None = None,
        reason: str | None = None,
        start_time: float | None = None,
    ) -> None:
        self.request: HTTPRequest = request.request if isinstance(request, RequestProxy) else request
        self.code = code
        self.reason: str = reason or responses.get(code, "Unknown")
        self.headers = HTTPHeaders() if headers is None else headers
        self._buffer = buffer
        self._body: bytes | None = None
        self.effective_url: str = request.url if effective_url is None else effective_url
        self._error_is_response_code = False
        self.error: BaseException | None = error
        if error is None and not 200 <= code < 300:
            self._error_is_response_code = True
            self.error = HTTPClientError(code, message=self.reason, response=self)
        self.start_time = start_time
        self.request_time = request_time
        self.time_info: dict[str, float] = time_info or {}

    @property
    def buffer(self) -> BytesIO | None:
        """The body as a file; ``None`` where it was given to a callback, or there was no response."""
        if self._buffer is None and self._body is not None:
            self._buffer = BytesIO(self._body)
        return self._buffer

    @buffer.setter
    def buffer(self, value: BytesIO | None) -> None:
        self._buffer, self._body = value, None

    @property
    def body(self) -> bytes:
        """The body; empty where it was given to a callback, or there was no response."""
        if self._body is None:
            if self._buffer is None:
                return b""
            self._body = self._buffer.getvalue()
        return self._body

    def rethrow(self) -> None:
        """Raise :attr:`error`, if there is one."""
        if self.error is not None:
            raise self.error

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name}={getattr(self, name)!r}"
            for name in ("code", "reason", "effective_url", "error", "request_time", "headers")
        )
        return f"{type(self).__name__}({shown}, body={len(self.body)} bytes)"
