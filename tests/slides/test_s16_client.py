"""S16: the HTTP client, with callbacks, as on the slide; and awaited."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from gustnado.testing.certificate import certificate_files

SIMPLE = """
    from tornado.httpclient import AsyncHTTPClient
    from tornado.ioloop import IOLoop

    def callback(response):
        print(response.code)
        print(response.body)
        IOLoop.instance().stop()

    client = AsyncHTTPClient()
    client.fetch("http://foo.com/some/resource", callback)
    IOLoop.instance().start()
"""

ARGUMENTS = """
    import json
    from tornado.httpclient import AsyncHTTPClient
    from tornado.ioloop import IOLoop

    def fetch_callback(response):
        print(response.headers)
        print(response.body)
        IOLoop.instance().stop()

    client = AsyncHTTPClient()
    client.fetch("https://foo.com/some/resource",
        method="POST", body=json.dumps({"key": "value"}),
        headers={"Content-type": "application/json"},
        auth_username="foo", auth_password="bar",
        validate_cert=False, callback=fetch_callback)
    IOLoop.instance().start()
"""

AWAITED = """
    from tornado.httpclient import AsyncHTTPClient
    from tornado.ioloop import IOLoop

    async def main():
        response = await AsyncHTTPClient().fetch("http://foo.com/some/resource")
        print(response.code)
        print(response.body)

    IOLoop.instance().run_sync(main)
"""


class Foo(BaseHTTPRequestHandler):
    """foo.com, as far as it goes."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer(f"this is {self.path}".encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        seen = {name: self.headers[name] for name in ("Content-Type", "Authorization")}
        self.answer(json.dumps([json.loads(body), seen]).encode())

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Foo", "com")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def foo_com() -> Iterator[dict[str, str]]:
    """Addresses of foo.com by scheme."""
    servers = {scheme: ThreadingHTTPServer(("127.0.0.1", 0), Foo) for scheme in ("http", "https")}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate_files())
    servers["https"].socket = context.wrap_socket(servers["https"].socket, server_side=True)
    threads = [threading.Thread(target=server.serve_forever, args=(0.05,)) for server in servers.values()]
    for thread in threads:
        thread.start()
    yield {scheme: f"{scheme}://localhost:{server.server_address[1]}" for scheme, server in servers.items()}
    for server in servers.values():
        server.shutdown()
        server.server_close()
    for thread in threads:
        thread.join()


def with_addresses(text: str, foo_com: dict[str, str]) -> str:
    for scheme, address in foo_com.items():
        text = text.replace(f"{scheme}://foo.com", address)
    return text


def test_a_callback_by_position(launch, foo_com):
    program = launch(with_addresses(SIMPLE, foo_com))
    assert program.wait() == 0
    assert program.written() == "200\nb'this is /some/resource'\n"


def test_all_arguments(launch, foo_com):
    program = launch(with_addresses(ARGUMENTS, foo_com))
    assert program.wait() == 0
    headers, _, body = program.written().partition("\n\n")
    assert "X-Foo: com" in headers
    data, seen = json.loads(body.strip()[2:-1])
    assert data == {"key": "value"}
    credentials = base64.b64encode(b"foo:bar").decode()
    assert seen == {"Content-Type": "application/json", "Authorization": f"Basic {credentials}"}


def test_awaited(launch, foo_com):
    program = launch(with_addresses(AWAITED, foo_com))
    assert program.wait() == 0
    assert program.written() == "200\nb'this is /some/resource'\n"
