"""What the tests of sign-ins share: sites and services on loopback, and a browser that keeps cookies."""

from __future__ import annotations

from urllib.parse import parse_qs, urljoin, urlsplit

import pytest

from gustnado.events.sockets import bind_sockets
from gustnado.http import AsyncHTTPClient, HTTPServer
from gustnado.web import Application

SECRET = "as secret as can be"


class Browser:
    """Goes where it is sent to, and takes its cookies along."""

    def __init__(self) -> None:
        self.cookies: dict[str, dict[str, str]] = {}
        self.set_cookie_headers: list[str] = []
        self.visited: list[str] = []

    async def get(self, url, follow=True, headers=None):
        for _ in range(10):
            self.visited.append(url)
            jar = self.cookies.setdefault(urlsplit(url).netloc, {})
            cookie = "; ".join(f"{name}={value}" for name, value in jar.items())
            response = await AsyncHTTPClient().fetch(
                url,
                follow_redirects=False,
                raise_error=False,
                headers={**({"Cookie": cookie} if cookie else {}), **(headers or {})},
            )
            for header in response.headers.get_list("Set-Cookie"):
                self.set_cookie_headers.append(header)
                name, _, value = header.partition(";")[0].partition("=")
                jar.pop(name, None)
                if value not in ("", '""'):
                    jar[name] = value
            if not follow or response.code // 100 != 3:
                return response
            url = urljoin(url, response.headers["Location"])
        raise AssertionError(f"too many redirects: {self.visited}")


class Sites:
    """``async with Sites() as sites``: ``sites.add(handlers, **settings)`` serves, and gives the URL."""

    def __init__(self) -> None:
        self.servers: list[HTTPServer] = []

    async def __aenter__(self):
        return self

    async def __aexit__(self, *args):
        AsyncHTTPClient().close()
        for server in self.servers:
            server.stop()
            await server.close_all_connections()

    def add(self, handlers, **settings):
        server = HTTPServer(Application(handlers, **settings))
        (socket,) = bind_sockets(0, "127.0.0.1")
        port = socket.getsockname()[1]
        server.add_sockets([socket])
        self.servers.append(server)
        return f"http://127.0.0.1:{port}"


@pytest.fixture
def sites(run):
    """``sites(scenario)`` runs ``async def scenario(sites, browser)``."""

    def runner(scenario):
        async def main():
            async with Sites() as sites:
                return await scenario(sites, Browser())

        return run(main())

    return runner


@pytest.fixture
def query_of():
    """``query_of(url)``: its arguments, each once."""
    return lambda url: {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


@pytest.fixture
def secret() -> str:
    """A ``cookie_secret``."""
    return SECRET
