"""WebSockets with what others have written at the other end, over TLS and through proxies.

The codec is tested against them in tests/http/ws/, a browser is in tests/demo/.
"""

from __future__ import annotations

import contextlib

import pytest
import websockets

from gustnado.http.client.errors import ProxyError
from gustnado.http.client.request import HTTPRequest
from gustnado.http.ws.client import websocket_connect
from gustnado.web.websocket import WebSocketHandler

MESSAGES = ["text \N{SNOWMAN}", b"bytes \xff", "", "x" * 300_000]


class Echo(WebSocketHandler):
    def get_compression_options(self):
        return {}

    async def on_message(self, message):
        await self.write_message(message, isinstance(message, bytes))


@contextlib.asynccontextmanager
async def their_echo(**options):
    """An echo server of the websockets library; its port."""

    async def echo(connection):
        async for message in connection:
            await connection.send(message)

    async with websockets.serve(echo, "127.0.0.1", 0, max_size=None, **options) as server:
        yield next(iter(server.sockets)).getsockname()[1]


async def talk(request, compressed=False):
    options = {} if compressed else None
    async with websocket_connect(request, compression_options=options) as connection:
        for message in MESSAGES:
            await connection.write_message(message, binary=isinstance(message, bytes))
            assert await connection.read_message() == message
        connection.close(4000, "done")
        assert await connection.read_message() is None
        assert (connection.close_code, connection.close_reason) == (4000, "done")


@pytest.mark.parametrize("compressed", [False, True])
def test_our_client_over_tls(run, server_tls, client_tls, compressed):
    async def main():
        async with their_echo(ssl=server_tls) as port:
            request = HTTPRequest(f"wss://127.0.0.1:{port}/", ssl_options=client_tls)
            client_tls.check_hostname = False  # the certificate is for another name
            await talk(request, compressed)

    run(main())


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_our_server_over_tls(run, serve, server_tls, client_tls, compression):
    async def main():
        async with serve([("/", Echo)], ssl_options=server_tls) as server:
            url = f"wss://127.0.0.1:{server.port}/"
            options = {"ssl": client_tls, "server_hostname": "foo.example.com", "proxy": None}
            async with websockets.connect(url, compression=compression, **options) as connection:
                for message in MESSAGES:
                    await connection.send(message)
                    assert await connection.recv() == message
                await connection.close(4000, "done")
                assert connection.close_code == 4000  # in our answer, which gives no reason

    run(main())


@pytest.fixture(params=["http", "socks5", "socks5h"])
def proxy(request):
    """Its kind and its port; it asks for a name and a password."""
    fixture = "tinyproxy" if request.param == "http" else "microsocks"
    return request.param, request.getfixturevalue(fixture)


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_our_client_through_a_proxy(run, proxy, scheme, server_tls, client_tls):
    """An HTTP proxy makes a tunnel, for ``ws``, too (RFC 6455 section 4.1)."""
    kind, proxy_port = proxy
    client_tls.check_hostname = False

    async def main():
        async with their_echo(ssl=server_tls if scheme == "wss" else None) as port:
            await talk(
                HTTPRequest(
                    f"{scheme}://127.0.0.1:{port}/",
                    proxy=f"{kind}://me:secret@127.0.0.1:{proxy_port}",
                    ssl_options=client_tls,
                )
            )

    run(main())


def test_a_proxy_that_refuses(run, proxy):
    kind, proxy_port = proxy

    async def main():
        async with their_echo() as port:
            proxy = f"{kind}://me:wrong@127.0.0.1:{proxy_port}"
            with pytest.raises(ProxyError):
                await websocket_connect(HTTPRequest(f"ws://127.0.0.1:{port}/", proxy=proxy))

    run(main())
