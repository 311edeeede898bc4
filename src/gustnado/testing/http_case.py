"""Test cases that serve an application, and fetch from it.

::

    class HelloTest(AsyncHTTPTestCase):
        def get_app(self):
            return Application([("/", HelloHandler)])

        def test_it_says_hello(self):
            response = self.fetch("/")
            self.assertEqual((response.code, response.body), (200, b"Hello, world"))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gustnado.http.client.api import AsyncHTTPClient
from gustnado.http.client.response import HTTPResponse
from gustnado.http.delegates import HTTPServerConnectionDelegate
from gustnado.http.messages import HTTPServerRequest
from gustnado.http.server import HTTPServer
from gustnado.testing.case import AsyncTestCase
from gustnado.testing.certificate import certificate_files
from gustnado.testing.coroutines import get_async_test_timeout
from gustnado.testing.ports import bind_unused_port
from gustnado.testing.servers import close_server

__all__ = ["AsyncHTTPSTestCase", "AsyncHTTPTestCase"]

App = HTTPServerConnectionDelegate | Callable[[HTTPServerRequest], Any]


class AsyncHTTPTestCase(AsyncTestCase):
    """A test case with a server, on an unused port, and a client; subclasses override :meth:`get_app`.

    :ivar http_server: the server.
    :ivar http_client: the client.
    """

    def setUp(self) -> None:
        super().setUp()
        # First, as get_app may ask for the port.
        sock, self.__port = bind_unused_port()
        self.addCleanup(sock.close)
        self.http_client = self.get_http_client()
        self._app: Any = self.get_app()
        self.http_server = self.get_http_server()
        self.http_server.add_sockets([sock])

    def tearDown(self) -> None:
        """Close client and server; what the server still works on is cut off."""
        self.http_client.close()
        try:
            self.io_loop.run_sync(lambda: close_server(self.http_server), timeout=get_async_test_timeout())
        finally:
            del self.http_server
            del self._app
            super().tearDown()

    def get_app(self) -> App:
        """What is to be served: an application, or whatever else `HTTPServer` takes."""
        raise NotImplementedError(f"{type(self).__name__}.get_app() must return an application")

    def get_http_client(self) -> AsyncHTTPClient:
        """The client; by default one of the test's own."""
        return AsyncHTTPClient(force_instance=True)

    def get_http_server(self) -> HTTPServer:
        """The server of the application."""
        server: HTTPServer = HTTPServer(self._app, **self.get_httpserver_options())
        return server

    def get_httpserver_options(self) -> dict[str, Any]:
        """Keyword arguments of the server; none by default."""
        return {}

    def get_http_port(self) -> int:
        """The port of the server, another one for each test."""
        return self.__port

    def get_protocol(self) -> str:
        """The scheme of the server's URLs."""
        return "http"

    def get_url(self, path: str) -> str:
        """The URL of ``path``, which begins with a slash, on the server."""
        return f"{self.get_protocol()}://127.0.0.1:{self.get_http_port()}{path}"

    def fetch(self, path: str, raise_error: bool = False, **kwargs: Any) -> HTTPResponse:
        """Run the loop until the client has fetched ``path``, and return its response.

        :param path: a path on the server, or a whole URL.
        :param raise_error: whether a status that is no success raises
            :exc:`~gustnado.http.client.errors.HTTPClientError`; anything else that fails is raised anyhow.
        :param kwargs: further arguments of ``AsyncHTTPClient.fetch``: ``method``, ``body``, ``headers``...
        :raises TimeoutError: after :func:`~gustnado.testing.get_async_test_timeout` seconds.
        """
        is_url = path.lower().startswith(("http://", "https://"))
        url = path if is_url else self.get_url(path)
        response: HTTPResponse = self.io_loop.run_sync(
            lambda: self.http_client.fetch(url, raise_error=raise_error, **kwargs),
            timeout=get_async_test_timeout(),
        )
        return response


class AsyncHTTPSTestCase(AsyncHTTPTestCase):
    """The same over TLS, with a certificate for ``localhost`` that the client does not check."""

    def get_http_client(self) -> AsyncHTTPClient:
        return AsyncHTTPClient(force_instance=True, defaults={"validate_cert": False})

    def get_httpserver_options(self) -> dict[str, Any]:
        return {"ssl_options": self.get_ssl_options()}

    def get_ssl_options(self) -> dict[str, Any]:
        """TLS options of the server."""
        return AsyncHTTPSTestCase.default_ssl_options()

    @staticmethod
    def default_ssl_options() -> dict[str, Any]:
        """``certfile`` and ``keyfile`` of :func:`~gustnado.testing.certificate.certificate_files`."""
        certfile, keyfile = certificate_files()
        return {"certfile": certfile, "keyfile": keyfile}

    def get_protocol(self) -> str:
        return "https"
