"""``tornado.httputil``: messages of HTTP, their parts, and the contracts between server and program."""

from __future__ import annotations

from http.client import responses

from gustnado.errors import HTTPInputError, HTTPOutputError
from gustnado.http.abnf import ABNF as _ABNF  # noqa: F401  # Tornado's tests make messages with it
from gustnado.http.cookies import parse_cookie
from gustnado.http.dates import format_timestamp
from gustnado.http.delegates import HTTPConnection, HTTPMessageDelegate, HTTPServerConnectionDelegate
from gustnado.http.forms import (
    HTTPFile,
    ParseBodyConfig,
    ParseMultipartConfig,
    ParseUrlEncodedConfig,
    parse_body_arguments,
    parse_multipart_form_data,
    set_parse_body_config,
)
from gustnado.http.forms import _default_config as _DEFAULT_PARSE_BODY_CONFIG  # noqa: F401
from gustnado.http.h1.values import HTTP_WHITESPACE
from gustnado.http.headers import HTTPHeaders
from gustnado.http.messages import (
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
    parse_request_start_line,
    parse_response_start_line,
)
from gustnado.http.multipart import parse_parameters as _parse_header  # noqa: F401
from gustnado.http.urls import encode_username_password, qs_to_qsl, split_host_and_port, url_concat

__all__ = [
    "HTTP_WHITESPACE",
    "HTTPConnection",
    "HTTPFile",
    "HTTPHeaders",
    "HTTPInputError",
    "HTTPMessageDelegate",
    "HTTPOutputError",
    "HTTPServerConnectionDelegate",
    "HTTPServerRequest",
    "ParseBodyConfig",
    "ParseMultipartConfig",
    "ParseUrlEncodedConfig",
    "RequestStartLine",
    "ResponseStartLine",
    "encode_username_password",
    "format_timestamp",
    "parse_body_arguments",
    "parse_cookie",
    "parse_multipart_form_data",
    "parse_request_start_line",
    "parse_response_start_line",
    "qs_to_qsl",
    "responses",
    "set_parse_body_config",
    "split_host_and_port",
    "url_concat",
]
