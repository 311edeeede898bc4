"""Tests for gustnado.http.ws.client, with the websockets library as the server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import ssl

import pytest
import websockets

from gustnado.errors import UsageError
from gustnado.events.loop import IOLoop
from gustnado.events.sockets import bind_sockets
from gustnado.http.client.errors import (
    EmptyResponseError,
    HTTPClientError,
    IncompleteResponseError,
    RequestTimeoutError,
)
from gustnado.http.client.request import HTTPRequest
from gustnado.http.headers import HTTPHeaders
from gustnado.http.ws.client import ConnectFuture, WebSocketClientConnection, websocket_connect
from gustnado.http.ws.errors import WebSocketClosedError, WebSocketError, WebSocketHandshakeError
from gustnado.http.ws.extensions import OptionsError
from gustnado.http.ws.handshake import accept_key
from gustnado.testing.certificate import certificate_files


async def echo(ws):
    async for message in ws:
        if message == "close":
            await ws.close(4000, "as you wish")
        elif message == "headers":
            await ws.send(json.dumps(dict(ws.request.headers)))
        elif message == "ping":
            await (await ws.ping(b"from the server"))
            await ws.send("answered")
        else:
            await ws.send(message)


@contextlib.asynccontextmanager
async def echo_server(handler=echo, **options):
    """A server of the websockets library; gives its URL."""
    logger = logging.getLogger("websockets.test")
    logger.setLevel(logging.CRITICAL)
    asyncio.get_running_loop().set_debug(False)  # in which asyncio reports each handshake that fails
    async with websockets.serve(handler, "127.0.0.1", 0, logger=logger, **options) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"{'wss' if options.get('ssl') else 'ws'}://127.0.0.1:{port}/"


@contextlib.asynccontextmanager
async def raw_server(answer):
    """A server that reads the head of a request, and then does what ``answer(key, reader, writer)`` does."""

    tasks = []

    async def serve(reader, writer):
        tasks.append(asyncio.current_task())
        with contextlib.suppress(ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.decode().split("\r\n")
            keys = [line[19:] for line in lines if line.lower().startswith("sec-websocket-key: ")]
            await answer(keys[0], reader, writer)
            await writer.drain()
        writer.close()

    sock = bind_sockets(0, "127.0.0.1")[0]
    async with await asyncio.start_server(serve, sock=sock) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        await asyncio.gather(*tasks)


def switching(key, *more):
    fields = ["Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept_key(key)}", *more]
    return "\r\n".join(["HTTP/1.1 101 Switching Protocols", *fields, "", ""]).encode()


class TestMessages:
    def test_asked_for(self, run):
        async def main():
            async with echo_server() as url:
                ws = await websocket_connect(url)
                await ws.write_message("text \xe9")
                await ws.write_message(b"\xff", binary=True)
                await ws.write_message({"a": 1})
                assert [await ws.read_message() for _ in range(3)] == ["text \xe9", b"\xff", '{"a":1}']
                ws.close(4001, "bye")
                assert await ws.read_message() is None
                assert await ws.read_message() is None
                assert ws.close_code == 4001

        run(main())

    def test_iterated_over(self, run):
        async def main():
            async with echo_server() as url:
                async with websocket_connect(url) as ws:
                    for message in ("a", "b", "close"):
                        await ws.write_message(message)
                    assert [message async for message in ws] == ["a", "b"]
                    assert (ws.close_code, ws.close_reason) == (4000, "as you wish")
                    with pytest.raises(WebSocketClosedError):
                        ws.write_message("late")
                    with pytest.raises(WebSocketClosedError):
                        ws.ping()

        run(main())

    def test_the_end_is_known_before_the_server_has_closed_the_stream(self, run, frame):
        async def answer(key, reader, writer):
            writer.write(switching(key) + frame(1, b"last") + frame(8, b"\x0f\xa0"))
            assert await reader.read() != b""  # until the client has closed the stream: our close frame is answered

        async def main():
            async with raw_server(answer) as url:
                ws = await websocket_connect(url)
                assert [await ws.read_message(), await ws.read_message()] == ["last", None]
                assert (ws.close_code, ws.protocol, ws.stream.closed()) == (4000, None, False)
                ws.stream.close()
                await ws.wait_closed()

        run(main())

    def test_what_was_not_asked_for_does_not_hold_up_the_end(self, run):
        async def talk(ws):
            for number in range(100):
                await ws.send(str(number))
            await ws.wait_closed()

        async def main():
            async with echo_server(talk) as url:
                async with websocket_connect(url) as ws:
                    assert await ws.read_message() == "0"
                    ws.close(3000, "enough")
                assert ws.close_code == 3000  # it was not cut off in the end

        run(main())

    def test_given_to_a_callback(self, run):
        async def main():
            async with echo_server() as url:
                received = []
                ws = await websocket_connect(url, on_message_callback=received.append)
                with pytest.raises(UsageError, match="on_message_callback"):
                    ws.read_message()
                await ws.write_message("a")
                await ws.write_message("close")
                await ws.wait_closed()
                assert received == ["a", None]

        run(main())

    def test_given_to_a_coroutine_one_at_a_time(self, run):
        async def main():
            async with echo_server() as url:
                received, at_work = [], []

                async def on_message(message):
                    assert not at_work
                    at_work.append(message)
                    await asyncio.sleep(0.001)
                    at_work.clear()
                    received.append(message)

                ws = await websocket_connect(url, on_message_callback=on_message)
                for message in ("a", "b", "c"):
                    await ws.write_message(message)
                while len(received) < 3:
                    await asyncio.sleep(0.001)
                ws.close()
                await ws.wait_closed()
                await asyncio.sleep(0.01)
                assert received == ["a", "b", "c", None]

        run(main())

    def test_a_callback_that_raises(self, run, expect_log):
        async def main():
            async with echo_server() as url:
                received = []

                def on_message(message):
                    received.append(message)
                    if message == "a":
                        raise KeyError(message)

                with expect_log("gustnado.application", "Uncaught exception 'a'"):
                    ws = await websocket_connect(url, on_message_callback=on_message)
                    await ws.write_message("a")
                    await ws.wait_closed()
                assert received == ["a", None]

        run(main())

    def test_callbacks_for_the_connection_and_for_one_message(self, run):
        async def main():
            async with echo_server() as url:
                connected = asyncio.get_running_loop().create_future()
                websocket_connect(url, callback=connected.set_result)
                ws = (await connected).result()
                assert isinstance(ws, WebSocketClientConnection)
                heard = asyncio.get_running_loop().create_future()
                ws.write_message("a")
                ws.read_message(heard.set_result)
                assert (await heard).result() == "a"
                ws.close()
                await ws.wait_closed()

        run(main())

    def test_pings(self, run):
        async def main():
            async with echo_server() as url:
                async with websocket_connect(url) as ws:
                    pongs, pings = [], []
                    ws.on_pong, ws.on_ping = pongs.append, pings.append
                    ws.ping("ours")
                    await ws.write_message("ping")
                    assert await ws.read_message() == "answered"
                    assert (pongs, pings) == ([b"ours"], [b"from the server"])

        run(main())

    def test_compression(self, run):
        async def main():
            async with echo_server() as url:
                for options in ({}, {"client_no_context_takeover": True, "client_max_window_bits": 9}):
                    async with websocket_connect(url, compression_options=options) as ws:
                        for _ in range(3):
                            await ws.write_message("again and again " * 1000)
                            assert await ws.read_message() == "again and again " * 1000
                        assert ws.protocol.codec.bytes_out < 2000
                        assert "permessage-deflate" in ws.headers["Sec-WebSocket-Extensions"]

        run(main())

    def test_a_message_over_the_limit(self, run):
        """182."""

        async def main():
            async with echo_server() as url:
                async with websocket_connect(url, max_message_size=100) as ws:
                    await ws.write_message("x" * 100)
                    assert len(await ws.read_message()) == 100
                    await ws.write_message("x" * 101)
                    assert await ws.read_message() is None

        run(main())

    def test_what_comes_with_the_handshake(self, run):
        async def answer(key, reader, writer):
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" + switching(key) + b"\x81\x05hello\x88\x02\x0f\xa0")
            await reader.read(8)

        async def main():
            async with raw_server(answer) as url:
                async with websocket_connect(url) as ws:
                    assert [message async for message in ws] == ["hello"]
                    assert ws.close_code == 4000

        run(main())


class TestHandshake:
    def test_what_is_sent(self, run):
        async def main():
            async with echo_server(subprotocols=["v2"]) as url:
                request = HTTPRequest(url, headers={"X-Extra": "1", "Upgrade": "nothing"})
                async with websocket_connect(request, subprotocols=["v1", "v2"]) as ws:
                    await ws.write_message("headers")
                    headers = HTTPHeaders(json.loads(await ws.read_message()))
                    assert headers["X-Extra"] == "1"
                    assert headers["Upgrade"] == "websocket"
                    assert headers["Sec-WebSocket-Protocol"] == "v1, v2"
                    assert "Sec-WebSocket-Extensions" not in headers
                    assert "Accept-Encoding" not in headers
                    assert ws.selected_subprotocol == "v2"

        run(main())

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            (["Sec-WebSocket-Protocol: mine"], "subprotocol that was not proposed"),
            (["Sec-WebSocket-Extensions: permessage-deflate"], "extension that was not offered"),
            (["Sec-WebSocket-Extensions: ;"], "malformed Sec-WebSocket-Extensions"),
        ],
    )
    def test_a_server_that_chose_what_was_not_offered(self, run, more, words):
        """113."""

        async def answer(key, reader, writer):
            writer.write(switching(key, *more))

        async def main():
            async with raw_server(answer) as url:
                with pytest.raises(WebSocketHandshakeError, match=words):
                    await websocket_connect(url)

        run(main())

    def test_a_wrong_answer_to_the_key(self, run):
        """113."""

        async def answer(key, reader, writer):
            writer.write(switching(key[::-1]))

        async def main():
            async with raw_server(answer) as url:
                with pytest.raises(WebSocketHandshakeError, match="Accept"):
                    await websocket_connect(url)

        run(main())

    @pytest.mark.parametrize("status", [302, 404, 503])
    def test_a_server_that_refuses(self, run, status):
        """182: redirects are not followed."""

        async def answer(key, reader, writer):
            writer.write(f"HTTP/1.1 {status} No\r\nLocation: /x\r\nContent-Length: 4\r\n\r\nbody".encode())

        async def main():
            async with raw_server(answer) as url:
                with pytest.raises(HTTPClientError) as caught:
                    await websocket_connect(url)
                assert (caught.value.code, caught.value.response.body) == (status, b"body")

        run(main())

    def test_a_server_that_is_none(self, run):
        async def answer(key, reader, writer):
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000)

        async def main():
            async with raw_server(answer) as url:
                with pytest.raises(WebSocketError, match="Non-websocket response: 200 OK"):
                    await websocket_connect(url)

        run(main())

    @pytest.mark.parametrize(
        ("data", "error"),
        [
            (b"", EmptyResponseError),
            (b"HTTP/1.1 101 Sw", IncompleteResponseError),
            (b"SSH-2.0-OpenSSH\r\n\r\n", HTTPClientError),
            (b"HTTP/1.1 404 No\r\nContent-Length: 10\r\n\r\nbody", HTTPClientError),
            (b"HTTP/1.1 100 Continue\r\n\r\n" * 100, HTTPClientError),
            (b"HTTP/1.1 101 X\r\n" + b"X-Long: " + b"x" * 100_000, HTTPClientError),
        ],
    )
    def test_a_server_that_speaks_no_http_or_not_to_the_end(self, run, data, error):
        """129, 182."""

        async def answer(key, reader, writer):
            writer.write(data)

        async def main():
            async with raw_server(answer) as url:
                with pytest.raises(error):
                    await websocket_connect(url)

        run(main())

    def test_nobody_listens(self, run):
        async def main():
            sock = bind_sockets(0, "127.0.0.1")[0]
            port = sock.getsockname()[1]
            sock.close()
            with pytest.raises(ConnectionRefusedError):
                await websocket_connect(f"ws://127.0.0.1:{port}/", connect_timeout=60)

        run(main())

    def test_a_server_that_does_not_answer(self, run):
        async def answer(key, reader, writer):
            await reader.read()

        async def main():
            async with raw_server(answer) as url:
                with pytest.raises(RequestTimeoutError, match="handshake"):
                    await websocket_connect(HTTPRequest(url, request_timeout=0.05))

        run(main())

    @pytest.mark.parametrize(
        ("url", "words"),
        [
            ("http://example.org/", "not one of ws or wss"),
            ("example.org", "not one of ws or wss"),
            ("ws://example.org/#part", "fragment"),
            ("ws:///path", "no host"),
            ("ws://example.org:99999/", "port"),
        ],
    )
    def test_urls_that_are_none(self, run, url, words):
        async def main():
            with pytest.raises(ValueError, match=words):
                await websocket_connect(url)

        run(main())

    def test_arguments_that_cannot_be(self, run):
        async def main():
            with pytest.raises(UsageError, match="connect_timeout with the request"):
                websocket_connect(HTTPRequest("ws://x/"), connect_timeout=1)
            with pytest.raises(OptionsError, match="wbits"):
                websocket_connect("ws://x/", compression_options={"wbits": 1})
            with pytest.raises(WebSocketHandshakeError, match="subprotocols"):
                websocket_connect("ws://x/", subprotocols=["a b"])

        run(main())

    def test_over_tls(self, run, expect_log):
        cert, key = certificate_files()
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(cert, key)

        async def main():
            async with echo_server(ssl=server) as url:
                request = HTTPRequest(url.replace("127.0.0.1", "localhost"), ca_certs=str(cert))
                async with websocket_connect(request) as ws:
                    await ws.write_message("secret" * 10_000)
                    assert await ws.read_message() == "secret" * 10_000
                with expect_log("gustnado.general", "CERTIFICATE_VERIFY_FAILED"):
                    with pytest.raises(ssl.SSLError):
                        await websocket_connect(url)

        run(main())


class TestLife:
    def test_giving_up(self, run):
        async def main():
            asked = asyncio.Event()

            async def answer(key, reader, writer):
                asked.set()
                await reader.read()

            async with raw_server(answer) as url:
                future = websocket_connect(url)
                assert isinstance(future, ConnectFuture)
                await asked.wait()
                future.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await future

        run(main())

    def test_before_the_connection_is_there(self, run):
        async def main():
            connection = WebSocketClientConnection(HTTPRequest("ws://127.0.0.1:1/"))
            for call in (connection.read_message, connection.ping, lambda: connection.write_message("x")):
                with pytest.raises(WebSocketClosedError):
                    call()
            with pytest.raises(WebSocketClosedError):
                connection.selected_subprotocol  # noqa: B018
            connection.close()
            connection.tcp_client.close()

        run(main())

    def test_closing_twice_and_leaving(self, run):
        async def main():
            async with echo_server() as url:
                async with await websocket_connect(url) as ws:
                    ws.close(1000)
                    ws.close(1000)
                assert ws.close_code == 1000
                await ws.wait_closed()

        run(main())

    def test_the_server_vanishes(self, run):
        async def answer(key, reader, writer):
            writer.write(switching(key) + b"\x81\x01a")
            await writer.drain()
            await reader.read(1)
            writer.transport.abort()

        async def main():
            async with raw_server(answer) as url:
                async with websocket_connect(url) as ws:
                    assert await ws.read_message() == "a"
                    await ws.write_message("go")
                    assert await ws.read_message() is None
                    assert (ws.close_code, ws.close_reason) == (None, None)

        run(main())

    def test_a_masked_frame_of_the_server(self, run):
        """114, 182."""
        heard = []

        async def answer(key, reader, writer):
            writer.write(switching(key) + b"\x81\x81\x00\x00\x00\x00a")
            heard.append(await reader.read())

        async def main():
            async with raw_server(answer) as url:
                async with websocket_connect(url) as ws:
                    assert await ws.read_message() is None
                await asyncio.sleep(0.01)
                frame = heard[0]
                code = bytes(a ^ b for a, b in zip(frame[6:8], frame[2:4], strict=True))
                assert (frame[0], code) == (0x88, b"\x03\xea")

        run(main())

    def test_pings_keep_the_connection(self, run):
        async def main():
            async with echo_server() as url:
                async with websocket_connect(url, ping_interval=0.01) as ws:
                    pongs = []
                    ws.on_pong = pongs.append
                    while len(pongs) < 3:
                        await asyncio.sleep(0.001)

        run(main())

    def test_outside_of_the_loop(self):
        """As the slides do it: begun before the loop runs, on a loop that is passed in."""
        loop = IOLoop(make_current=False)
        received = []

        async def serve():
            return await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)

        server = loop.run_sync(serve)
        port = server.sockets[0].getsockname()[1]

        def connected(future):
            received.append(type(future.exception()))
            loop.stop()

        websocket_connect(f"ws://127.0.0.1:{port}/", callback=connected, io_loop=loop)
        loop.start()
        server.close()
        loop.close(all_fds=True)
        assert issubclass(received[0], OSError)
