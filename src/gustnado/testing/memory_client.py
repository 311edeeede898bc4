"""A client that runs an application without a socket.

Client and server are the real ones, and speak HTTP/1.1 with each other; only the connection between them is one
within the process (:mod:`gustnado.testing.memory_transport`). So limits, headers, framing, streaming, timeouts and
errors are those of a program that is served, and no port is taken.

>>> import asyncio
>>> from gustnado.web import Application, RequestHandler
>>> class Hello(RequestHandler):
...     def get(self, name):
...         self.write(f"Hello, {name}")
>>> async def talk():
...     async with InMemoryClient(Application([(r"/hello/(\\w+)", Hello)])) as client:
...         response = await client.get("/hello/you")
...         return response.code, response.body
>>> asyncio.run(talk())
(200, b'Hello, you')
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from gustnado.errors import UsageError
from gustnado.http.client.cookies import CookieJar
from gustnado.http.client.simple import SimpleAsyncHTTPClient
from gustnado.http.delegates import HTTPServerConnectionDelegate
from gustnado.http.messages import HTTPServerRequest
from gustnado.http.server import HTTPServer
from gustnado.testing.memory_transport import MemoryStream, memory_streams
from gustnado.testing.servers import close_server

if TYPE_CHECKING:
    from gustnado.events.stream import IOStream
    from gustnado.http.client.response import HTTPResponse
    from gustnado.http.client.settings import Settings
    from gustnado.http.client.urls import ClientURL

__all__ = ["InMemoryClient"]


class InMemoryClient:
    """Requests to an application in this process, within an ``async with`` block.

    Methods return the response whatever its status is, unless ``raise_error`` is true, and take what
    :class:`~gustnado.http.client.request.HTTPRequest` takes: ``headers``, ``body``, ``streaming_callback``,
    ``follow_redirects``, timeouts...

    :param app: an :class:`~gustnado.web.Application`, or whatever else
        :class:`~gustnado.http.server.HTTPServer` takes.
    :param base_url: scheme, host and port that requests are for; with ``https`` the application sees that scheme,
        but no TLS is spoken.
    :param cookies: whether to keep cookies and send them back, in a jar that is empty at first.
    :param remote_ip: the address that requests seem to come from.
    :param server_options: further arguments of the server: ``limits``, ``max_body_size``...
    :param client_options: further arguments of the client: ``max_clients``, ``defaults``...
    :raises gustnado.errors.UsageError: where ``base_url`` is not a URL of http or https without a path.
    """

    def __init__(
        self,
        app: HTTPServerConnectionDelegate | Callable[[HTTPServerRequest], Any],
        *,
        base_url: str = "http://localhost",
        cookies: bool = False,
        remote_ip: str = "127.0.0.1",
        server_options: Mapping[str, Any] | None = None,
        client_options: Mapping[str, Any] | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query:
            raise UsageError(f"base_url must be like http://localhost:8888, not {base_url!r}")
        self._app = app
        self._base_url = base_url
        self._server_options = {"protocol": parts.scheme, **(server_options or {})}
        self._client_options = {"cookie_jar": CookieJar() if cookies else None, **(client_options or {})}
        self._remote_ip = remote_ip
        self._server: HTTPServer | None = None
        self._client: SimpleAsyncHTTPClient | None = None

    async def __aenter__(self) -> InMemoryClient:
        server: Any = HTTPServer(self._app, **self._server_options)
        connector = _MemoryConnector(server, self._remote_ip)
        client: Any = _MemoryHTTPClient(connector=connector, force_instance=True, **self._client_options)
        self._server, self._client = server, client
        return self

    async def __aexit__(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        client, server = self.http_client, self._server
        self._client = self._server = None
        client.close()
        await close_server(cast(HTTPServer, server))

    @property
    def http_client(self) -> SimpleAsyncHTTPClient:
        """The client underneath, for what else it can do; it takes whole URLs.

        :raises gustnado.errors.UsageError: outside of the ``async with`` block.
        """
        if self._client is None:
            raise UsageError("InMemoryClient works within its block: async with InMemoryClient(app) as client")
        return self._client

    @property
    def cookies(self) -> CookieJar | None:
        """The cookies that were set; ``None`` where none are kept."""
        jar: CookieJar | None = self._client_options["cookie_jar"]
        return jar

    async def fetch(self, path: str, *, raise_error: bool = False, **kwargs: Any) -> HTTPResponse:
        """Send a request, and return the response.

        :param path: begins with a slash, and may have a query; or a whole URL, of any host: the application answers.
        :param raise_error: whether a status other than 2xx raises
            :exc:`~gustnado.http.client.errors.HTTPClientError`.
        :param kwargs: as of :class:`~gustnado.http.client.request.HTTPRequest`: ``method``, ``body``...
        :raises gustnado.errors.UsageError: where ``path`` is neither, or outside of the ``async with`` block.
        """
        is_url = path.lower().startswith(("http://", "https://"))
        if not is_url and not path.startswith("/"):
            raise UsageError(f"a path begins with a slash, not as {path!r}")
        url = path if is_url else self._base_url + path
        return await self.http_client.fetch(url, raise_error=raise_error, **kwargs)

    async def get(self, path: str, **kwargs: Any) -> HTTPResponse:
        """:meth:`fetch` by GET."""
        return await self.fetch(path, method="GET", **kwargs)

    async def head(self, path: str, **kwargs: Any) -> HTTPResponse:
        """:meth:`fetch` by HEAD."""
        return await self.fetch(path, method="HEAD", **kwargs)

    async def options(self, path: str, **kwargs: Any) -> HTTPResponse:
        """:meth:`fetch` by OPTIONS."""
        return await self.fetch(path, method="OPTIONS", **kwargs)

    async def delete(self, path: str, **kwargs: Any) -> HTTPResponse:
        """:meth:`fetch` by DELETE."""
        return await self.fetch(path, method="DELETE", **kwargs)

    async def post(self, path: str, body: bytes | str | None = b"", **kwargs: Any) -> HTTPResponse:
        """:meth:`fetch` by POST.

        :param body: ``None`` where there is a ``body_producer``.
        """
        return await self.fetch(path, method="POST", body=body, **kwargs)

    async def put(self, path: str, body: bytes | str | None = b"", **kwargs: Any) -> HTTPResponse:
        """:meth:`fetch` by PUT; see :meth:`post`."""
        return await self.fetch(path, method="PUT", body=body, **kwargs)

    async def patch(self, path: str, body: bytes | str | None = b"", **kwargs: Any) -> HTTPResponse:
        """:meth:`fetch` by PATCH; see :meth:`post`."""
        return await self.fetch(path, method="PATCH", body=body, **kwargs)


class _MemoryConnector:
    """Makes connections to a server of this process, wherever a URL points."""

    def __init__(self, server: HTTPServer, remote_ip: str) -> None:
        self._server = server
        self._remote_ip = remote_ip
        self._ports = itertools.count(49152)

    async def connect(self, url: ClientURL, settings: Settings, proxy: object) -> MemoryStream:
        address = (self._remote_ip, next(self._ports))
        here, there = memory_streams(address, (url.host, url.port))
        self._server.handle_stream(cast("IOStream", there), address)
        return here


class _MemoryHTTPClient(SimpleAsyncHTTPClient):
    """The client, over connections of another kind."""

    def initialize(self, connector: _MemoryConnector, **kwargs: Any) -> None:  # type: ignore[override]
        super().initialize(**kwargs)
        self._connector = connector  # type: ignore[assignment]
