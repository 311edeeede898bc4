"""From a request to the options of a curl handle.

A handle is new for each request. What the simple client refuses is refused here too, before libcurl sees it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from io import BytesIO
from typing import Any

from gustnado.events.coroutines import is_coroutine_function
from gustnado.http.client.auth import bearer
from gustnado.http.client.errors import RequestError, UnknownMethodError
from gustnado.http.client.prepare import check_body
from gustnado.http.client.request import HTTPRequest
from gustnado.http.client.urls import parse_url
from gustnado.http.urls import encode_username_password

__all__ = ["set_up"]

_STANDARD = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")


def set_up(
    pycurl: Any,
    curl: Any,
    request: HTTPRequest,
    header_function: Callable[[bytes], int | None],
    write_function: Callable[[bytes], int],
) -> None:
    """Set all options of a new handle.

    :param request: one that knows its client's defaults.
    :raises gustnado.http.client.errors.RequestError: where the request cannot be sent.
    :raises TypeError: where ``streaming_callback`` is a coroutine function: libcurl cannot wait for it.
    """
    _refuse(request)
    url = parse_url(request.url)
    schemes = pycurl.PROTO_HTTPS | (0 if url.scheme == "https" and not request.allow_downgrade else pycurl.PROTO_HTTP)
    curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
    curl.setopt(pycurl.REDIR_PROTOCOLS, schemes)
    curl.setopt(pycurl.URL, request.url)
    curl.setopt(pycurl.HTTPHEADER, _header_lines(request))
    curl.setopt(pycurl.HEADERFUNCTION, header_function)
    curl.setopt(pycurl.WRITEFUNCTION, write_function)
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(pycurl.FOLLOWLOCATION, bool(request.follow_redirects))
    curl.setopt(pycurl.MAXREDIRS, request.max_redirects or 0)
    curl.setopt(pycurl.CONNECTTIMEOUT_MS, int(1000 * (request.connect_timeout or 0)))
    curl.setopt(pycurl.TIMEOUT_MS, int(1000 * (request.request_timeout or 0)))
    curl.setopt(pycurl.USERAGENT, request.user_agent or "Mozilla/5.0 (compatible; pycurl)")
    if request.network_interface:
        curl.setopt(pycurl.INTERFACE, request.network_interface)
    if request.decompress_response:
        curl.setopt(pycurl.ENCODING, "gzip,deflate")
    if request.unix_socket is not None:
        curl.setopt(pycurl.UNIX_SOCKET_PATH, request.unix_socket)
    ipv4 = pycurl.IPRESOLVE_V4 if request.allow_ipv6 is False else pycurl.IPRESOLVE_WHATEVER
    curl.setopt(pycurl.IPRESOLVE, ipv4)
    _set_method(pycurl, curl, request)
    _set_tls(pycurl, curl, request)
    _set_proxy(pycurl, curl, request)
    _set_credentials(pycurl, curl, request)


def _refuse(request: HTTPRequest) -> None:
    callback = request.streaming_callback
    if inspect.iscoroutinefunction(callback) or is_coroutine_function(callback):
        raise TypeError("'CurlAsyncHTTPClient' does not support async streaming_callbacks.")
    if request.body_producer is not None:
        raise RequestError("body_producer is not supported by CurlAsyncHTTPClient")
    if request.ssl_options is not None:
        raise RequestError("ssl_options is not supported by CurlAsyncHTTPClient")
    if request.method not in _STANDARD and not request.allow_nonstandard_methods:
        raise UnknownMethodError(f"unknown method {request.method[:40]!r}")
    check_body(request.method, request.body is not None, request)  # type: ignore[arg-type]  # it has that option
    if request.method == "GET" and request.body is not None:
        raise RequestError("Body must be None for GET request")


def _header_lines(request: HTTPRequest) -> list[bytes]:
    """The program's fields; what libcurl would add and nobody wants is taken out by an empty one."""
    headers = request.headers
    lines = [f"{name}: {value}" if value else f"{name};" for name, value in headers.get_all()]
    lines += [f"{name}:" for name in ("Expect", "Pragma") if name not in headers]
    if request.method == "POST" and "Content-Type" not in headers:
        lines.append("Content-Type: application/x-www-form-urlencoded")
    if request.auth_token is not None:
        lines.append(f"Authorization: {bearer(request.auth_token)}")
    return [line.encode("latin-1") for line in lines]


def _set_method(pycurl: Any, curl: Any, request: HTTPRequest) -> None:
    """The method by the option that it has, so that libcurl changes it as it should at a redirect."""
    method, body = request.method, request.body
    if method == "HEAD":
        curl.setopt(pycurl.NOBODY, 1)
    elif method == "PUT":
        curl.setopt(pycurl.UPLOAD, 1)
        body = body or b""
        source = BytesIO(body)
        curl.setopt(pycurl.READFUNCTION, source.read)
        curl.setopt(pycurl.SEEKFUNCTION, lambda offset, origin: _seek(pycurl, source, offset, origin))
        curl.setopt(pycurl.INFILESIZE_LARGE, len(body))
    elif method == "POST":
        curl.setopt(pycurl.POST, 1)
        curl.setopt(pycurl.POSTFIELDS, body or b"")
    elif method == "GET":
        curl.setopt(pycurl.HTTPGET, 1)
    else:
        if body is not None or method == "PATCH":
            curl.setopt(pycurl.POSTFIELDS, body or b"")
        curl.setopt(pycurl.CUSTOMREQUEST, method)


def _seek(pycurl: Any, source: BytesIO, offset: int, origin: int) -> int:
    source.seek(offset, origin)
    done: int = pycurl.SEEKFUNC_OK
    return done


def _set_tls(pycurl: Any, curl: Any, request: HTTPRequest) -> None:
    curl.setopt(pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2)
    curl.setopt(pycurl.SSL_VERIFYPEER, 1 if request.validate_cert else 0)
    curl.setopt(pycurl.SSL_VERIFYHOST, 2 if request.validate_cert else 0)
    for option, value in (
        (pycurl.CAINFO, request.ca_certs),
        (pycurl.SSLCERT, request.client_cert),
        (pycurl.SSLKEY, request.client_key),
    ):
        if value is not None:
            curl.setopt(option, value)


def _set_proxy(pycurl: Any, curl: Any, request: HTTPRequest) -> None:
    if request.proxy is not None:
        curl.setopt(pycurl.PROXY, request.proxy)
        return
    if not request.proxy_host or not request.proxy_port:
        curl.setopt(pycurl.PROXY, "")  # not that of the environment, which libcurl would look at
        return
    modes = {None: pycurl.HTTPAUTH_BASIC, "basic": pycurl.HTTPAUTH_BASIC, "digest": pycurl.HTTPAUTH_DIGEST}
    if request.proxy_auth_mode not in modes:
        raise RequestError(f"Unsupported proxy_auth_mode {request.proxy_auth_mode}")
    curl.setopt(pycurl.PROXY, request.proxy_host)
    curl.setopt(pycurl.PROXYPORT, request.proxy_port)
    curl.setopt(pycurl.PROXYAUTH, modes[request.proxy_auth_mode])
    if request.proxy_username:
        curl.setopt(
            pycurl.PROXYUSERPWD, encode_username_password(request.proxy_username, request.proxy_password or "")
        )


def _set_credentials(pycurl: Any, curl: Any, request: HTTPRequest) -> None:
    if request.auth_username is None:
        return
    modes = {None: pycurl.HTTPAUTH_BASIC, "basic": pycurl.HTTPAUTH_BASIC, "digest": pycurl.HTTPAUTH_DIGEST}
    if request.auth_mode not in modes:
        raise RequestError(f"Unsupported auth_mode {request.auth_mode}")
    curl.setopt(pycurl.HTTPAUTH, modes[request.auth_mode])
    curl.setopt(pycurl.USERPWD, encode_username_password(request.auth_username, request.auth_password or ""))
