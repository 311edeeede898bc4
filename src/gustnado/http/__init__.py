"""Ring 2, HTTP on the wire. It knows nothing of applications."""

from __future__ import annotations

from gustnado.errors import HTTPInputError, HTTPOutputError
from gustnado.http.body_limits import BodyLimits
from gustnado.http.body_stream import BodyStream
from gustnado.http.client.api import AsyncHTTPClient
from gustnado.http.client.blocking import HTTPClient
from gustnado.http.client.cookies import CookieJar
from gustnado.http.client.curl import CurlAsyncHTTPClient
from gustnado.http.client.errors import HTTPClientError, HTTPStreamClosedError, HTTPTimeoutError
from gustnado.http.client.request import HTTPRequest
from gustnado.http.client.response import HTTPResponse
from gustnado.http.client.simple import SimpleAsyncHTTPClient
from gustnado.http.client.tracing import ClientTrace
from gustnado.http.cookies import format_set_cookie, parse_cookie
from gustnado.http.dates import format_timestamp, parse_http_date
from gustnado.http.delegates import HTTPConnection, HTTPMessageDelegate, HTTPServerConnectionDelegate
from gustnado.http.forms import HTTPFile, ParseBodyConfig, ParseMultipartConfig, parse_body_arguments
from gustnado.http.h1.connection import HTTP1Connection
from gustnado.http.h1.parameters import HTTP1ConnectionParameters
from gustnado.http.h1.server_connection import HTTP1ServerConnection
from gustnado.http.headers import HTTPHeaders
from gustnado.http.limits import Limits
from gustnado.http.messages import HTTPServerRequest, RequestStartLine, ResponseStartLine
from gustnado.http.multipart import MultipartParser
from gustnado.http.parts import Form, Part, SpooledFile
from gustnado.http.running import run_until_signal, wait_for_signal
from gustnado.http.server import HTTPServer
from gustnado.http.shutdown import ShutdownEvent
from gustnado.http.urls import split_host_and_port, url_concat
from gustnado.http.ws.client import WebSocketClientConnection, websocket_connect
from gustnado.http.ws.codes import CloseCode
from gustnado.http.ws.errors import (
    WebSocketClosedError,
    WebSocketError,
    WebSocketHandshakeError,
    WebSocketProtocolError,
)
from gustnado.http.ws.prepared import PreparedMessage
from gustnado.http.ws.reconnect import Backoff, ReconnectingWebSocket
from gustnado.http.ws.rooms import Room, Rooms

__all__ = [
    # the server
    "HTTPServer",
    "Limits",
    "ShutdownEvent",
    "run_until_signal",
    "wait_for_signal",
    # the client
    "AsyncHTTPClient",
    "ClientTrace",
    "CookieJar",
    "CurlAsyncHTTPClient",
    "HTTPClient",
    "HTTPRequest",
    "HTTPResponse",
    "SimpleAsyncHTTPClient",
    # messages
    "HTTPHeaders",
    "HTTPServerRequest",
    "RequestStartLine",
    "ResponseStartLine",
    # the seam between wire and program
    "HTTPConnection",
    "HTTPMessageDelegate",
    "HTTPServerConnectionDelegate",
    # HTTP/1, for those who speak it themselves
    "HTTP1Connection",
    "HTTP1ConnectionParameters",
    "HTTP1ServerConnection",
    # bodies that are read as they arrive
    "BodyLimits",
    "BodyStream",
    "Form",
    "Part",
    "SpooledFile",
    # WebSockets
    "Backoff",
    "CloseCode",
    "PreparedMessage",
    "ReconnectingWebSocket",
    "Room",
    "Rooms",
    "WebSocketClientConnection",
    "WebSocketClosedError",
    "WebSocketError",
    "WebSocketHandshakeError",
    "WebSocketProtocolError",
    "websocket_connect",
    # forms
    "HTTPFile",
    "MultipartParser",
    "ParseBodyConfig",
    "ParseMultipartConfig",
    "parse_body_arguments",
    # cookies, dates, URLs
    "format_set_cookie",
    "format_timestamp",
    "parse_cookie",
    "parse_http_date",
    "split_host_and_port",
    "url_concat",
    # errors
    "HTTPClientError",
    "HTTPInputError",
    "HTTPOutputError",
    "HTTPStreamClosedError",
    "HTTPTimeoutError",
]
