"""The client's side of an opening handshake: from a request to a stream that speaks WebSocket.

Redirects are not followed (RFC 6455 section 4.1 leaves it open): what is asked for, with its cookies, must not
end up elsewhere.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from io import BytesIO

from gustnado.errors import HTTPInputError, StreamClosedError
from gustnado.events.stream import IOStream
from gustnado.events.tcp_client import TCPClient
from gustnado.http.client.connector import Connector
from gustnado.http.client.errors import (
    EmptyResponseError,
    HTTPClientError,
    IncompleteResponseError,
    MalformedResponseError,
    RequestError,
    RequestTimeoutError,
)
from gustnado.http.client.prepare import credentials, head_for
from gustnado.http.client.request import HTTPRequest, headers_from
from gustnado.http.client.response import HTTPResponse
from gustnado.http.client.settings import OPTIONS, Settings
from gustnado.http.client.simple import SimpleAsyncHTTPClient
from gustnado.http.client.urls import ClientURL, parse_url
from gustnado.http.h1.response_parser import ResponseParser
from gustnado.http.headers import HTTPHeaders
from gustnado.http.limits import Limits
from gustnado.http.ws.errors import WebSocketError

__all__ = ["Opened", "open_websocket", "parse_websocket_url"]

_SCHEMES = {"ws": "http", "wss": "https"}
_CHUNK = 65536
_MAX_BODY = 65536  # bytes kept of the answer of a server that refuses


@dataclasses.dataclass
class Opened:
    """What a handshake comes to.

    :ivar headers: of the response.
    :ivar unread: what the server has sent behind it.
    """

    stream: IOStream
    headers: HTTPHeaders
    unread: bytes


def parse_websocket_url(url: str) -> ClientURL:
    """Take a URL of ``ws`` or ``wss`` apart, as one of http or https.

    :raises gustnado.http.client.errors.RequestError: where it is another, or malformed.
    """
    scheme, colon, rest = url.partition(":")
    http = _SCHEMES.get(scheme.lower())
    if http is None or not colon:
        raise RequestError(f"url {url[:80]!r} is not one of ws or wss")
    if "#" in rest:
        raise RequestError(f"url {url[:80]!r} has a fragment, which a WebSocket has none of (RFC 6455 section 3)")
    return parse_url(f"{http}:{rest}")


async def open_websocket(request: HTTPRequest, fields: Mapping[str, str], tcp_client: TCPClient) -> Opened:
    """Connect, send the handshake, and read its answer.

    :param request: ``url``, ``headers``, authentication, timeouts, TLS and proxy count; an HTTP proxy is asked for a
        tunnel, for ``ws`` as for ``wss`` (RFC 6455 section 4.1).
    :param fields: of the handshake; they win over those of ``request``.
    :raises HTTPClientError: where the server answers otherwise than with 101 or 2xx; ``response`` is what it says.
    :raises gustnado.http.client.errors.HTTPStreamClosedError: where it closes the connection without a whole answer.
    :raises gustnado.http.ws.errors.WebSocketError: where it answers with 2xx.
    :raises gustnado.http.client.errors.HTTPTimeoutError: in time.
    :raises gustnado.http.client.errors.RequestError: where the request could not be sent as it is.
    :raises OSError: where there is no connection.
    """
    url = parse_websocket_url(request.url)
    settings = _settings(request)
    headers = headers_from(request.headers)
    for name, value in fields.items():
        headers[name] = value
    authorization = credentials(url, settings)
    if authorization is not None:
        headers["Authorization"] = authorization
    head = head_for(
        "GET", url.target, url.authority, headers, None, settings, SimpleAsyncHTTPClient.user_agent
    )
    proxy = settings.given_proxy
    stream = None
    timer = asyncio.timeout(settings.request_timeout or None)
    try:
        async with timer:
            stream = await Connector(tcp_client, Limits()).connect(url, settings, proxy, tunnel=True)
            await stream.write(head)
            return await _read_answer(request, stream)
    except BaseException as error:
        if stream is not None:
            stream.close()
        if timer.expired() and isinstance(error, TimeoutError):
            raise RequestTimeoutError("Timeout during the WebSocket handshake") from None
        raise


def _settings(request: HTTPRequest) -> Settings:
    own = {name: value for name in OPTIONS if (value := getattr(request, name, None)) is not None}
    return Settings({**HTTPRequest._DEFAULTS, **own, "decompress_response": False})


async def _read_answer(request: HTTPRequest, stream: IOStream) -> Opened:
    parser = ResponseParser(Limits())
    parser.begin("GET")
    parser.max_body_size = -1  # no more is read than is kept
    try:
        await _read_head(parser, stream)
        if parser.code == 101:
            return Opened(stream, parser.headers or HTTPHeaders(), parser.take_rest())
        body = await _read_body(parser, stream)
    except HTTPInputError as error:
        raise MalformedResponseError(f"malformed answer to a WebSocket handshake: {error}") from None
    stream.close()
    response = HTTPResponse(request, parser.code, parser.headers, BytesIO(body), reason=parser.reason)
    if 200 <= parser.code < 300:
        raise WebSocketError(f"Non-websocket response: {parser.code} {parser.reason}")
    raise HTTPClientError(parser.code, parser.reason, response)


async def _read_head(parser: ResponseParser, stream: IOStream) -> None:
    """Read up to the head that counts: those of 100 or 103 may come before."""
    while True:
        if not parser.parse_head():
            try:
                parser.feed(await stream.read_bytes(_CHUNK, partial=True))
            except StreamClosedError as error:
                if error.real_error is not None:
                    raise error.real_error from None
                kind, where = (IncompleteResponseError, "within") if parser.started else (EmptyResponseError, "before")
                raise kind(f"the server closed {where} its answer to a WebSocket handshake") from None
        elif parser.code >= 200 or parser.code == 101:
            return


async def _read_body(parser: ResponseParser, stream: IOStream) -> bytes:
    """The body of a refusal, or as much of it as is kept."""
    body = bytearray()
    while not parser.complete and len(body) < _MAX_BODY:
        chunk = parser.read_body(_CHUNK)
        body += chunk
        if chunk or parser.complete:
            continue
        try:
            parser.feed(await stream.read_bytes(_CHUNK, partial=True))
        except StreamClosedError:
            if not parser.end_of_input():
                raise IncompleteResponseError("the server closed within its answer to a WebSocket handshake") from None
    return bytes(body[:_MAX_BODY])
