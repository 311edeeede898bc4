"""A request of the client, as the program writes it.

>>> request = HTTPRequest("http://example.org/", method="POST", body="wind", connect_timeout=5)
>>> request.body, request.connect_timeout, request.request_timeout
(b'wind', 5, None)
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from gustnado.escape import utf8
from gustnado.http.client.bodies import encode_form, encode_json, encode_multipart
from gustnado.http.client.errors import RequestError
from gustnado.http.dates import format_timestamp
from gustnado.http.headers import HTTPHeaders

if TYPE_CHECKING:
    import datetime
    import ssl

__all__ = ["NOT_OPTIONS", "HTTPRequest", "RequestProxy", "headers_from", "plain_request"]

Fields: TypeAlias = "Mapping[str, Any] | Iterable[tuple[str, Any]]"

NOT_OPTIONS = frozenset(
    {"self", "url", "method", "headers", "body", "if_modified_since", "use_gzip", "json", "form", "files"}
)
"""Parameters of a request that say what it is; all others say how to fetch it, and clients have defaults for them."""


def headers_from(given: Mapping[str, Any] | None) -> HTTPHeaders:
    """A map of its own of what a program gave as headers; values may be bytes, which are taken as UTF-8.

    :raises RequestError: where a name or a value could not stand on the wire; the message names it.
    """
    headers = HTTPHeaders()
    if given is None:
        return headers
    pairs = given.get_all() if isinstance(given, HTTPHeaders) else given.items()
    for name, value in pairs:
        try:
            headers.add(name, value.decode() if isinstance(value, bytes) else value)
        except (ValueError, TypeError) as error:
            raise RequestError(str(error)) from None
    return headers


class HTTPRequest:
    """What to fetch, and how. All but ``url`` is optional; what is ``None`` is as the client's ``defaults`` say.

    :param url: http or https. Userinfo in it is used for authentication.
    :param method: ``"GET"``, ``"POST"``, ...
    :param headers: a mapping, or :class:`~gustnado.http.headers.HTTPHeaders`.
    :param body: bytes, or a string that is sent as UTF-8.
    :param auth_username: for authentication, with ``auth_password``.
    :param auth_mode: ``"basic"`` (the default) or ``"digest"``.
    :param connect_timeout: seconds for name look-up, connection and TLS; 0 is no limit (so with all of these).
    :param request_timeout: seconds for all of it.
    :param if_modified_since: a ``datetime`` or a timestamp, for the header of that name.
    :param follow_redirects: whether to follow redirects, ``max_redirects`` of them at most.
    :param user_agent: for the ``User-Agent`` header, whatever ``headers`` say.
    :param use_gzip: the old name of ``decompress_response``.
    :param network_interface: the local IP address to connect from.
    :param streaming_callback: called with each piece of the body as it comes; the response has no body then. It may
        be a coroutine function: the next piece waits until it is done.
    :param header_callback: called with each line of the head, CRLF included, and with a last ``"\\r\\n"``.
    :param prepare_curl_callback: called with the ``pycurl.Curl`` object, by that client only.
    :param proxy_host: a proxy, with ``proxy_port``, ``proxy_username``, ``proxy_password`` and ``proxy_auth_mode``.
    :param allow_nonstandard_methods: whether any method may have any body, or none.
    :param validate_cert: whether to check the server's certificate and name.
    :param ca_certs: a file of authorities to trust instead of the system's.
    :param allow_ipv6: false connects by IPv4 only.
    :param client_key: a file with the key of ``client_cert``, a file with our certificate.
    :param body_producer: called with a function ``write``; writes the body in pieces and may return an awaitable.
        Without a ``Content-Length`` header the body is sent in chunks. Called once for each time that the request is
        sent, so again after a redirect that keeps the body.
    :param expect_100_continue: send the body after the server has asked for it (RFC 9110 section 10.1.1).
    :param decompress_response: whether to ask for a compressed response and to decompress it.
    :param ssl_options: an :class:`ssl.SSLContext`, or a dictionary as of
        :func:`~gustnado.events.tls.ssl_options_to_context`; ``validate_cert``, ``ca_certs``, ``client_key`` and
        ``client_cert`` do not count then.
    :param queue_timeout: seconds to wait for a connection while ``max_clients`` are busy; by default the shorter of
        ``connect_timeout`` and ``request_timeout``.
    :param tls_timeout: seconds for the TLS handshake alone.
    :param first_byte_timeout: seconds from the request to the first byte of the response.
    :param read_timeout: seconds without a byte of a response that is waited for.
    :param allow_downgrade: whether to follow a redirect from https to http.
    :param auth_token: a bearer token (RFC 6750); authentication without a username.
    :param proxy: the URL of a proxy (``http``, ``https``, ``socks5``, ``socks5h``), perhaps with credentials.
    :param unix_socket: the path of a unix socket to connect to; ``url`` says only what to ask for there.
    :param json: a body as JSON, of anything that can be said in it but ``None``.
    :param form: a body as a form: a mapping, whose values may be lists, or pairs.
    :param files: a body as a form with files, by name: bytes, ``(filename, bytes)`` or ``(filename, bytes, content
        type)``; ``form`` has the other fields.
    :raises gustnado.http.client.errors.RequestError: where there is more than one body, or ``files`` are malformed.
    """

    # What a request that does not say otherwise gets from a client that does not, either.
    _DEFAULTS: ClassVar[dict[str, Any]] = {
        "connect_timeout": 20.0,
        "request_timeout": 300.0,
        "read_timeout": 60.0,
        "follow_redirects": True,
        "max_redirects": 10,
        "decompress_response": True,
        "proxy_password": "",
        "allow_nonstandard_methods": False,
        "validate_cert": True,
    }

    # An object has only those attributes that were given: so a plain request is known as one at a glance.
    auth_username: str | None = None
    auth_password: str | None = None
    auth_mode: str | None = None
    connect_timeout: float | None = None
    request_timeout: float | None = None
    follow_redirects: bool | None = None
    max_redirects: int | None = None
    user_agent: str | None = None
    network_interface: str | None = None
    streaming_callback: Callable[[bytes], Awaitable[None] | None] | None = None
    header_callback: Callable[[str], object] | None = None
    prepare_curl_callback: Callable[[Any], object] | None = None
    proxy_host: str | None = None
    proxy_port: int | None = None
    proxy_username: str | None = None
    proxy_password: str | None = None
    proxy_auth_mode: str | None = None
    allow_nonstandard_methods: bool | None = None
    validate_cert: bool | None = None
    ca_certs: str | None = None
    allow_ipv6: bool | None = None
    client_key: str | None = None
    client_cert: str | None = None
    body_producer: Callable[[Callable[[bytes], Any]], Any] | None = None
    expect_100_continue: bool | None = None
    decompress_response: bool | None = None
    ssl_options: dict[str, Any] | ssl.SSLContext | None = None
    queue_timeout: float | None = None
    tls_timeout: float | None = None
    first_byte_timeout: float | None = None
    read_timeout: float | None = None
    allow_downgrade: bool | None = None
    auth_token: str | None = None
    proxy: str | None = None
    unix_socket: str | None = None
    _headers: Any = None
    _body: bytes | None = None

    def __init__(
        self,
        url: str,
        method: str = "GET",
        headers: Mapping[str, Any] | None = None,
        body: bytes | str | None = None,
        auth_username: str | None = None,
        auth_password: str | None = None,
        auth_mode: str | None = None,
        connect_timeout: float | None = None,
        request_timeout: float | None = None,
        if_modified_since: float | datetime.datetime | None = None,
        follow_redirects: bool | None = None,
        max_redirects: int | None = None,
        user_agent: str | None = None,
        use_gzip: bool | None = None,
        network_interface: str | None = None,
        streaming_callback: Callable[[bytes], Awaitable[None] | None] | None = None,
        header_callback: Callable[[str], object] | None = None,
        prepare_curl_callback: Callable[[Any], object] | None = None,
        proxy_host: str | None = None,
        proxy_port: int | None = None,
        proxy_username: str | None = None,
        proxy_password: str | None = None,
        proxy_auth_mode: str | None = None,
        allow_nonstandard_methods: bool | None = None,
        validate_cert: bool | None = None,
        ca_certs: str | None = None,
        allow_ipv6: bool | None = None,
        client_key: str | None = None,
        client_cert: str | None = None,
        body_producer: Callable[[Callable[[bytes], Any]], Any] | None = None,
        expect_100_continue: bool | None = None,
        decompress_response: bool | None = None,
        ssl_options: dict[str, Any] | ssl.SSLContext | None = None,
        *,
        queue_timeout: float | None = None,
        tls_timeout: float | None = None,
        first_byte_timeout: float | None = None,
        read_timeout: float | None = None,
        allow_downgrade: bool | None = None,
        auth_token: str | None = None,
        proxy: str | None = None,
        unix_socket: str | None = None,
        json: Any = None,
        form: Fields | None = None,
        files: Fields | None = None,
    ) -> None:
        given = locals()
        for name in NOT_OPTIONS - {"url", "method"}:
            del given[name]
        self.__dict__.update({name: value for name, value in given.items() if value is not None})
        if method == "GET":
            del self.__dict__["method"]
        self.start_time = time.time()
        if headers is not None:
            self.headers = headers
        if body is not None:
            self.body = body
        if decompress_response is None and use_gzip is not None:
            self.decompress_response = use_gzip
        if json is not None or form is not None or files is not None:
            self._encode(json, form, files)
        if if_modified_since:
            self.headers["If-Modified-Since"] = format_timestamp(if_modified_since)

    url: str
    method: str = "GET"

    def _encode(self, json: Any, form: Fields | None, files: Fields | None) -> None:
        """Make the body of data."""
        if self._body is not None or (json is not None and (form is not None or files is not None)):
            raise RequestError("a request has one body: body, json, or form and files")
        if json is not None:
            self._body, content_type = encode_json(json)
        elif files is not None:
            self._body, content_type = encode_multipart(form, files)
        else:
            self._body, content_type = encode_form(form or ())
        headers = self._headers = headers_from(self._headers)
        if files is not None or "Content-Type" not in headers:
            headers["Content-Type"] = content_type

    @property
    def headers(self) -> HTTPHeaders:
        """The header fields: what was given, which need not be ``HTTPHeaders`` before it is fetched."""
        if self._headers is None:
            self._headers = HTTPHeaders()
        headers: HTTPHeaders = self._headers
        return headers

    @headers.setter
    def headers(self, value: Mapping[str, Any] | None) -> None:
        self._headers = value

    @property
    def body(self) -> bytes | None:
        """The body, as bytes whatever was given; ``None`` without one."""
        return self._body

    @body.setter
    def body(self, value: bytes | str | None) -> None:
        self._body = utf8(value)


def plain_request(url: str) -> HTTPRequest:
    """A GET of ``url``, of which nothing else is said: as ``HTTPRequest(url)``, in a tenth of the time."""
    request = HTTPRequest.__new__(HTTPRequest)
    request.url = url
    request.start_time = time.time()
    return request


class RequestProxy:
    """A request, and what its client says about all that it leaves open: for other implementations of clients.

    :param request: the request.
    :param defaults: values by attribute; ``None`` for none.
    """

    def __init__(self, request: HTTPRequest, defaults: Mapping[str, Any] | None) -> None:
        self.request = request
        self.defaults = defaults

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.request, name)
        if value is None and self.defaults is not None:
            return self.defaults.get(name)
        return value
