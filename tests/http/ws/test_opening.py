"""Tests for gustnado.http.ws.opening; what servers answer is tested in test_client.py."""

from __future__ import annotations

import asyncio

import pytest

from gustnado.events.tcp_client import TCPClient
from gustnado.http.client.errors import ConnectTimeoutError, RequestError
from gustnado.http.client.request import HTTPRequest
from gustnado.http.ws.opening import open_websocket, parse_websocket_url


@pytest.mark.parametrize(
    ("url", "origin", "target"),
    [
        ("ws://example.org", ("http", "example.org", 80), "/"),
        ("WSS://Example.org/a?b=c", ("https", "example.org", 443), "/a?b=c"),
        ("ws://[::1]:8080/", ("http", "::1", 8080), "/"),
    ],
)
def test_urls(url, origin, target):
    parsed = parse_websocket_url(url)
    assert (parsed.origin, parsed.target) == (origin, target)


@pytest.mark.parametrize("url", ["", "ws", "http://x/", "wss//x", "ws://x/#", "ws://a b/", "ws://x:0/"])
def test_what_is_no_url_of_a_websocket(url):
    with pytest.raises(RequestError):
        parse_websocket_url(url)


def test_fields_of_the_handshake_win_and_others_are_sent(run):
    async def main():
        heads = []

        async def serve(reader, writer):
            heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(b"HTTP/1.1 101 X\r\nX-Answer: 1\r\n\r\nunread")
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            url = f"ws://user:secret@127.0.0.1:{server.sockets[0].getsockname()[1]}/a?b"
            client = TCPClient()
            request = HTTPRequest(url, headers={"Upgrade": "x", "Cookie": "a=b"})
            opened = await open_websocket(request, {"Upgrade": "websocket"}, client)
            assert (opened.headers["X-Answer"], opened.unread) == ("1", b"unread")
            opened.stream.close()
            client.close()
        lines = heads[0].split("\r\n")
        assert lines[0] == "GET /a?b HTTP/1.1"
        assert {"Upgrade: websocket", "Cookie: a=b", "Authorization: Basic dXNlcjpzZWNyZXQ="} <= set(lines)
        assert "Upgrade: x" not in lines

    run(main())


def test_connecting_takes_too_long(run):
    class Stuck(TCPClient):
        async def connect(self, host, port, *args, timeout=None, **options):
            raise TimeoutError(f"Timeout while connecting to {host}")

    async def main():
        client = Stuck()
        with pytest.raises(ConnectTimeoutError, match="while connecting"):
            await open_websocket(HTTPRequest("ws://127.0.0.1:1/", connect_timeout=1), {}, client)
        client.close()

    run(main())
