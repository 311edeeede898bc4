"""HTTP messages as a program sees them: start lines and the request.

The same classes serve every version of HTTP. A request is made when its head has arrived; what costs
time (arguments, cookies, host) is worked out when it is first asked for.

>>> from gustnado.http.headers import HTTPHeaders
>>> request = HTTPServerRequest(
...     start_line=RequestStartLine("GET", "/find?q=wind&q=gust", "HTTP/1.1"),
...     headers=HTTPHeaders({"Host": "example.org:8888", "Cookie": "a=1"}),
... )
>>> request.path, request.query_arguments, request.host_name, request.cookies["a"].value
('/find', {'q': [b'wind', b'gust']}, 'example.org', '1')
"""

from __future__ import annotations

import re
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from gustnado.errors import HTTPInputError, UsageError
from gustnado.escape import parse_qs_bytes
from gustnado.http.cookies import parse_cookie
from gustnado.http.forms import HTTPFile, ParseBodyConfig, parse_body_arguments
from gustnado.http.headers import HTTPHeaders
from gustnado.http.limits import Limits
from gustnado.http.request_ids import RequestIds
from gustnado.http.urls import split_host_and_port

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import AsyncIterator, Callable, Coroutine
    from http.cookies import SimpleCookie

    from gustnado.http.body_stream import BodyStream
    from gustnado.http.parts import Form, Part
    from gustnado.http.spooled_form import SpooledBody

__all__ = [
    "HTTPServerRequest",
    "RequestStartLine",
    "ResponseStartLine",
    "parse_request_start_line",
    "parse_response_start_line",
]

_VERSION = re.compile(r"HTTP/[0-9]\.[0-9]")
_TARGET = re.compile(r"[\x21\x22\x24-\x7e]+")  # visible ASCII but "#", RFC 9112 section 3.2
_METHOD = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_STATUS_LINE = re.compile(r"(HTTP/1\.[0-9]) ([1-9][0-9][0-9])(?: ([\t\x20-\x7e\x80-\xff]*))?")
_DEFAULT_LIMITS = Limits()
_UNKNOWN = "unknown"  # remote_ip may be None


class RequestStartLine(NamedTuple):
    """The first line of a request: RFC 9112 section 3. ``path`` is the whole request target."""

    method: str
    path: str
    version: str


class ResponseStartLine(NamedTuple):
    """The first line of a response: RFC 9112 section 4."""

    version: str
    code: int
    reason: str


def parse_request_start_line(line: str) -> RequestStartLine:
    """Split and check a request line.

    >>> parse_request_start_line("GET /foo HTTP/1.1")
    RequestStartLine(method='GET', path='/foo', version='HTTP/1.1')

    :raises gustnado.errors.HTTPInputError: 400 where it is malformed, 505 where its version is a later
        major one.
    """
    parts = line.split(" ")
    if len(parts) != 3:
        raise HTTPInputError(f"malformed request line {line[:80]!r}: method, target and version are wanted")
    method, target, version = parts
    if _METHOD.fullmatch(method) is None:
        raise HTTPInputError(f"malformed method {method[:40]!r}")
    if _TARGET.fullmatch(target) is None:
        raise HTTPInputError(f"malformed request target {target[:80]!r}")
    if _VERSION.fullmatch(version) is None:
        raise HTTPInputError(f"malformed HTTP version {version[:40]!r}")
    if version[5] != "1":
        status = 400 if version[5] == "0" else 505
        raise HTTPInputError(f"HTTP version {version} is not spoken here", status=status)
    return RequestStartLine(method, target, version)


def parse_response_start_line(line: str) -> ResponseStartLine:
    """Split and check a status line; a missing reason is an empty one.

    >>> parse_response_start_line("HTTP/1.1 200 OK")
    ResponseStartLine(version='HTTP/1.1', code=200, reason='OK')

    :raises gustnado.errors.HTTPInputError: where it is malformed.
    """
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise HTTPInputError(f"malformed status line {line[:80]!r}")
    return ResponseStartLine(match[1], int(match[2]), match[3] or "")


def check_query(query: str, limits: Limits) -> None:
    """Refuse a query of too many arguments, before it is split.

    :raises gustnado.errors.HTTPInputError: where there are more than ``Limits.max_query_arguments``.
    """
    limit = limits.max_query_arguments
    if query.count("&") >= limit:
        raise HTTPInputError(f"Max number of fields exceeded: {limit} arguments in a query")


class RequestData:
    """The compiled half of :class:`HTTPServerRequest`: what is set on each request."""

    def __init__(
        self,
        method: str | None = None,
        uri: str | None = None,
        version: str = "HTTP/1.0",
        headers: HTTPHeaders | None = None,
        body: bytes | None = None,
        host: str | None = None,
        files: dict[str, list[HTTPFile]] | None = None,
        connection: Any = None,
        start_line: RequestStartLine | None = None,
        server_connection: object | None = None,
    ) -> None:
        if start_line is not None:
            method, uri, version = start_line
        elif method is None:
            raise ValueError("a request needs a method: give start_line=RequestStartLine(...)")
        self._set_up(method, uri, version, HTTPHeaders() if headers is None else headers, connection, server_connection)
        check_query(self.query, getattr(server_connection, "limits", _DEFAULT_LIMITS))
        self._body: bytes | None = body or b""
        self._files: dict[str, list[HTTPFile]] | None = files
        self._host: str | None = host

    def _set_up(
        self,
        method: str,
        target: str | None,
        version: str,
        headers: HTTPHeaders,
        connection: Any,
        server_connection: object | None,
    ) -> None:
        """Be the request with this head, without a body."""
        self.method = method
        self.uri = target
        self.version = version
        self.headers = headers
        self.connection = connection
        self.server_connection = server_connection
        self._body = b""
        self._spooled: SpooledBody | None = None
        self._start_time = perf_counter()
        self._finish_time: float | None = None
        self._arguments: dict[str, list[bytes]] | None = None
        self._query_arguments: dict[str, list[bytes]] | None = None
        self._body_arguments: dict[str, list[bytes]] | None = None
        self._files = None
        self._host = None
        self._host_name: str | None = None
        self._remote_ip: str | None = _UNKNOWN
        self._protocol: str | None = None
        self._cookies: SimpleCookie | None = None
        self._request_id: str | None = None
        self.path = ""
        self.query = ""
        if target is not None:
            if "?" in target:
                self.path, _, self.query = target.partition("?")
            else:
                self.path = target

    @property
    def body(self) -> bytes:
        """The body as bytes; empty where the handler streams it.

        That of a large multipart form lies on disk and is read when it is first asked for.
        """
        if self._body is None:
            self._body = b"" if self._spooled is None else self._spooled.read()
        return self._body

    @body.setter
    def body(self, value: bytes) -> None:
        self._body = value


class HTTPServerRequest(RequestData):
    """One request.

    :ivar method: ``"GET"``, ``"POST"`` and so on.
    :ivar uri: the request target as it came: path and query.
    :ivar path: the part of ``uri`` before ``?``, not decoded.
    :ivar query: the part after it, not decoded; ``""`` where there is none.
    :ivar version: ``"HTTP/1.1"`` and so on.
    :ivar headers: its :class:`~gustnado.http.headers.HTTPHeaders`.
    :ivar connection: the :class:`~gustnado.http.delegates.HTTPConnection` to answer on.
    :ivar server_connection: stands for the long-lived connection; see the delegates.
    :ivar body_stream: the body as it arrives, a :class:`~gustnado.http.body_stream.BodyStream`, for handlers with
        ``@pull_request_body``; ``None`` for others.
    :ivar trailers: the trailer fields that came after the body (RFC 9110 section 6.5), ``None`` without any.
    """

    trailers: HTTPHeaders | None = None
    body_stream: BodyStream | None = None
    _own_limits: Limits | None = None
    _body_future: Any = None  # of a handler that streams its body and has been wrapped

    @property
    def limits(self) -> Limits:
        """The bounds that hold for this request: its server's, or its handler's own."""
        if self._own_limits is not None:
            return self._own_limits
        limits: Limits = getattr(self.server_connection, "limits", _DEFAULT_LIMITS)
        return limits

    @limits.setter
    def limits(self, value: Limits) -> None:
        self._own_limits = value

    def parts(self) -> AsyncIterator[Part]:
        """The parts of a multipart body, as they arrive: :meth:`BodyStream.parts <gustnado.http.BodyStream.parts>`.

        For handlers with ``@pull_request_body``.

        :raises gustnado.errors.UsageError: for others, whose bodies have been read already.
        """
        return self._need_stream().parts()

    def form(self, spool_size: int | None = None) -> Coroutine[Any, Any, Form]:
        """A multipart form, read whole, with large files on disk; see :func:`gustnado.http.parts.read_form`.

        For handlers with ``@pull_request_body``. It is to be closed.

        :raises gustnado.errors.UsageError: for others, whose bodies have been read already.
        """
        return self._need_stream().form(spool_size)

    @property
    def disconnected(self) -> Future[None]:
        """A future that is done when the client has gone before it has its response, and never otherwise.

        To be awaited beside what the handler waits for anyhow. That a client has gone is seen only while nothing
        else that it has sent waits to be read: not while it has sent further requests already.
        """
        future: Future[None] = self.connection.disconnected
        return future

    def _need_stream(self) -> BodyStream:
        if self.body_stream is None:
            raise UsageError("this handler does not read its body itself: decorate its class with @pull_request_body")
        return self.body_stream

    @property
    def host(self) -> str:
        """Host and port as asked for: the ``Host`` field, ``127.0.0.1`` where there is none."""
        if self._host is None:
            sent: str = self.headers.get("Host") or "127.0.0.1"
            self._host = sent
        return self._host

    @host.setter
    def host(self, value: str) -> None:
        self._host = value

    @property
    def host_name(self) -> str:
        """``host`` without its port, in lower case."""
        if self._host_name is None:
            self._host_name = split_host_and_port(self.host.lower())[0]
        return self._host_name

    @host_name.setter
    def host_name(self, value: str) -> None:
        self._host_name = value

    @property
    def remote_ip(self) -> str | None:
        """Address of the client; with ``xheaders`` what the trusted proxy says it is."""
        if self._remote_ip is _UNKNOWN:
            self._remote_ip = getattr(getattr(self.connection, "context", None), "remote_ip", None)
        return self._remote_ip

    @remote_ip.setter
    def remote_ip(self, value: str | None) -> None:
        self._remote_ip = value

    @property
    def protocol(self) -> str:
        """``"http"`` or ``"https"``."""
        if self._protocol is not None:
            return self._protocol
        protocol: str = getattr(getattr(self.connection, "context", None), "protocol", "http")
        self._protocol = protocol
        return protocol

    @protocol.setter
    def protocol(self, value: str) -> None:
        self._protocol = value

    @property
    def scheme(self) -> str:
        """The same as :attr:`protocol`, by the name that RFC 3986 has for it."""
        return self.protocol

    @scheme.setter
    def scheme(self, value: str) -> None:
        self.protocol = value

    @property
    def query_arguments(self) -> dict[str, list[bytes]]:
        """Arguments of the query: name to values, decoded from percent-encoding, still bytes.

        :raises gustnado.errors.HTTPInputError: where there are more than ``Limits.max_query_arguments``.
        """
        if self._query_arguments is None:
            query = self.query
            check_query(query, self.limits)
            self._query_arguments = parse_qs_bytes(query, keep_blank_values=True) if query else {}
        return self._query_arguments

    @query_arguments.setter
    def query_arguments(self, value: dict[str, list[bytes]]) -> None:
        self._query_arguments = value

    @property
    def body_arguments(self) -> dict[str, list[bytes]]:
        """Arguments of a form body, like :attr:`query_arguments`."""
        if self._body_arguments is None:
            self._body_arguments = {}
        return self._body_arguments

    @body_arguments.setter
    def body_arguments(self, value: dict[str, list[bytes]]) -> None:
        self._body_arguments = value

    @property
    def arguments(self) -> dict[str, list[bytes]]:
        """Arguments of query and body together; those of the query come first."""
        if self._arguments is None:
            self._arguments = {name: list(values) for name, values in self.query_arguments.items()}
            for name, values in self.body_arguments.items():
                self._arguments.setdefault(name, []).extend(values)
        return self._arguments

    @arguments.setter
    def arguments(self, value: dict[str, list[bytes]]) -> None:
        self._arguments = value

    @property
    def files(self) -> dict[str, list[HTTPFile]]:
        """Uploaded files of a multipart body: field name to files."""
        if self._files is None:
            self._files = {}
        return self._files

    @files.setter
    def files(self, value: dict[str, list[HTTPFile]]) -> None:
        self._files = value

    @property
    def cookies(self) -> SimpleCookie:
        """The request's cookies, each an :class:`http.cookies.Morsel`. Bad ones are left out."""
        if self._cookies is None:
            from http.cookies import CookieError, SimpleCookie

            self._cookies = cookies = SimpleCookie()
            sent = self.headers.get("Cookie")
            if sent is not None:
                for name, value in parse_cookie(sent, self.limits.max_cookies).items():
                    try:
                        cookies[name] = value
                    except CookieError:
                        # A name that this class cannot hold is no use to the program either.
                        continue
        return self._cookies

    @property
    def request_id(self) -> str:
        """A name for this request, for logs: 1 to 128 visible ASCII characters.

        Made by the server, unique among its requests and hard to guess; taken from a header field where the
        server was told to trust one (``HTTPServer(request_id_header=...)``).
        """
        if self._request_id is None:
            context = getattr(self.connection, "context", None)
            ids: RequestIds | None = getattr(context, "request_ids", None)
            self._request_id = (RequestIds() if ids is None else ids).id_for(self.headers)
        return self._request_id

    @request_id.setter
    def request_id(self, value: str) -> None:
        self._request_id = value

    def write(self, chunk: bytes, callback: Callable[[], object] | None = None) -> Any:
        """Write a piece of a response that is written as it goes over the wire, as with old Tornados.

        The first piece has the whole head; see :meth:`HTTP1Connection.write`.

        :param callback: called without arguments when it has been handed to the network.
        :returns: a future.
        """
        future = self.connection.write(chunk)
        if callback is not None:
            future.add_done_callback(lambda done: None if done.cancelled() or done.exception() else callback())
        return future

    def finish(self) -> None:
        """End a response that was written by :meth:`write`."""
        self.connection.finish()
        self._finish_time = perf_counter()

    def supports_http_1_1(self) -> bool:
        """Whether the request is HTTP/1.1."""
        return self.version == "HTTP/1.1"

    def full_url(self) -> str:
        """The URL that was asked for: scheme, host, path and query."""
        return f"{self.protocol}://{self.host}{self.uri}"

    def request_time(self) -> float:
        """Seconds from the head's arrival to the response's end, or to now while it is not ended."""
        end = self._finish_time
        return (perf_counter() if end is None else end) - self._start_time

    def get_ssl_certificate(self, binary_form: bool = False) -> dict[str, Any] | bytes | None:
        """The client's certificate, where TLS was asked to want one; else ``None``.

        :param binary_form: the DER bytes instead of the dictionary of :meth:`ssl.SSLSocket.getpeercert`.
        """
        try:
            certificate: dict[str, Any] | bytes | None = self.connection.stream.socket.getpeercert(
                binary_form=binary_form
            )
        except AttributeError:
            return None
        return certificate

    def _parse_body(self) -> None:
        """Take the arguments and files of a form body that has arrived whole, within the server's limits."""
        limits: Limits | None = self._own_limits or getattr(self.server_connection, "limits", None)
        parse_body_arguments(
            self.headers.get("Content-Type", ""),
            self.body,
            self.body_arguments,
            self.files,
            self.headers,
            config=None if limits is None else ParseBodyConfig.from_limits(limits),
        )
        self._arguments = None

    def _take_form(
        self, body: SpooledBody, arguments: dict[str, list[bytes]], files: dict[str, list[HTTPFile]]
    ) -> None:
        """Take a form that has been parsed, and its body, which lies on disk."""
        self._body, self._spooled = None, body
        self._body_arguments, self._files, self._arguments = arguments, files, None

    def __repr__(self) -> str:
        shown = ("protocol", "host", "method", "uri", "version", "remote_ip")
        args = ", ".join([f"{name}={getattr(self, name)!r}" for name in shown])
        return f"{type(self).__name__}({args})"


def has_body(headers: HTTPHeaders) -> bool:
    """Whether a request with this head has a body that is not empty, or may have one."""
    if "Transfer-Encoding" in headers or "X-Consumed-Content-Encoding" in headers:
        return True  # one that is decoded has lost its length
    length: str = headers.get("Content-Length", "0")
    return length.strip("0") != ""


def is_like_tornado(request: HTTPServerRequest) -> bool:
    """Whether the server of this request does as Tornado does; see
    :class:`~gustnado.http.h1.parameters.HTTP1ConnectionParameters`.
    """
    params = getattr(request.connection, "params", None)
    return params is not None and bool(params.like_tornado)


def request_of(
    method: str, target: str, version: str, headers: HTTPHeaders, connection: Any, server_connection: object
) -> HTTPServerRequest:
    """A request of which the head has arrived: the constructor without its choices."""
    request: HTTPServerRequest = HTTPServerRequest.__new__(HTTPServerRequest)
    request._set_up(method, target, version, headers, connection, server_connection)
    return request
