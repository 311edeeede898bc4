"""Tests for gustnado.web.websocket: handlers, with the websockets library and raw sockets as clients."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import dataclasses
import gc
import json
import logging
import socket
import weakref

import pytest
import websockets
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from gustnado.events.sockets import bind_sockets
from gustnado.http.server import HTTPServer
from gustnado.http.ws.extensions import OptionsError
from gustnado.http.ws.protocol import WebSocketCodec
from gustnado.web import Application, HTTPError, RequestHandler
from gustnado.web.errors import Finish
from gustnado.web.websocket import NotForWebSocketsError, WebSocketHandler

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
HANDSHAKE = {
    "Host": "example.org",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
}


class Echo(WebSocketHandler):
    """Echoes, and notes what happens to it in a list that the route gives."""

    def initialize(self, seen=None):
        self.seen = [] if seen is None else seen
        self.seen.append(self)

    def on_message(self, message):
        self.write_message(message, isinstance(message, bytes))

    def on_close(self):
        self.seen.append((self.close_code, self.close_reason))


class Site:
    """A server under test."""

    def __init__(self, server, port):
        self.server = server
        self.port = port

    def connect(self, path="/", **options):
        return websockets.connect(f"ws://127.0.0.1:{self.port}{path}", proxy=None, **options)

    async def ask(self, changes=None, method="GET", version="HTTP/1.1", more=(), path="/", body=b""):
        """A handshake by hand; the head of the response, and what follows until the end."""
        fields = {**HANDSHAKE, **(changes or {})}
        lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
        lines += [f"{name}: {value}" for name, value in more]
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = "\r\n".join([f"{method} {path} {version}", *lines, "", ""])
        writer.write(head.encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        writer.close()
        return answer


@contextlib.asynccontextmanager
async def site_of(routes, **settings):
    server = HTTPServer(Application(routes, log_function=None, **settings))
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    try:
        yield Site(server, sockets[0].getsockname()[1])
    finally:
        await server.shutdown(grace=5)


@pytest.fixture
def site():
    """``async with site(routes, **settings) as it``: ``it.connect(path)`` and ``it.ask(changes)``."""
    return site_of


class TestMessages:
    def test_texts_and_bytes_both_ways(self, run, site, until):
        async def main():
            seen = []
            async with site([("/", Echo, {"seen": seen})]) as it:
                async with it.connect() as ws:
                    for message in ("text \xe9", b"bytes \xff", "", "x" * 100_000, [b"in ", b"parts"]):
                        await ws.send(message)
                        assert await ws.recv() == (b"in parts" if isinstance(message, list) else message)
                    await ws.close(4001, "done")
                await until(lambda: len(seen) == 2)
                assert seen[1] == (4001, "done")

        run(main())

    def test_arguments_of_the_route_and_json(self, run, site):
        class Greet(WebSocketHandler):
            def open(self, name, number="none"):
                self.write_message({"name": name, "number": number})

        async def main():
            async with site([(r"/(\w+)", Greet), (r"/(?P<name>\w+)/(?P<number>\d+)", Greet)]) as it:
                async with it.connect("/ada") as ws:
                    assert json.loads(await ws.recv()) == {"name": "ada", "number": "none"}
                async with it.connect("/bob/7") as ws:
                    assert json.loads(await ws.recv()) == {"name": "bob", "number": "7"}

        run(main())

    def test_asked_for_in_open(self, run, site, until):
        seen = []

        class Sum(WebSocketHandler):
            async def open(self):
                total = 0
                async for message in self:
                    if message == "end":
                        break
                    total += int(message)
                await self.write_message(str(total))

            def on_close(self):
                seen.append(self.close_code)

        async def main():
            async with site([("/", Sum)]) as it:
                async with it.connect() as ws:
                    for message in ("1", "2", "3", "end"):
                        await ws.send(message)
                    assert await ws.recv() == "6"
                    with pytest.raises(ConnectionClosed):
                        await ws.recv()
                    assert ws.close_code == 1005
                async with it.connect() as ws:
                    await ws.send("1")
                await until(lambda: len(seen) == 2)

        run(main())

    def test_they_are_told_in_the_context_that_open_has_left(self, run, site, until):
        who = contextvars.ContextVar("who", default="nobody")
        seen = []

        class Known(WebSocketHandler):
            async def open(self):
                await asyncio.sleep(0)
                who.set("wind")

            def on_message(self, message):
                seen.append(who.get())

            def on_close(self):
                seen.append(who.get())

        async def main():
            async with site([("/", Known)]) as it:
                async with it.connect() as ws:
                    await ws.send("in")
                await until(lambda: len(seen) == 2)
                assert seen == ["wind", "wind"]

        run(main())

    def test_what_is_not_asked_for_does_not_hold_up_the_end(self, run, site, until):
        seen = []

        class First(WebSocketHandler):
            async def open(self):
                async for message in self:
                    seen.append(message)
                    break

            def get_websocket_protocol(self):
                connection = super().get_websocket_protocol()
                connection.params = dataclasses.replace(connection.params, close_timeout=3600.0)
                return connection

            def on_close(self):
                seen.append(self.close_code)

        async def main():
            async with site([("/", First)]) as it:
                client = WebSocketCodec(is_client=True)
                said = b"".join(client.message(b"%d" % number, False) for number in range(100)) + client.close(3000)
                assert (await it.ask(body=said)).startswith("HTTP/1.1 101 ")
                await until(lambda: len(seen) == 2)
                assert seen == ["0", 3000]

        run(main())

    def test_what_they_read_is_none_after_the_end(self, run, site):
        seen = []

        class Read(WebSocketHandler):
            async def open(self):
                seen.append(await self.read_message())
                self.close(1000)
                seen.append(await self.read_message())

        async def main():
            async with site([("/", Read)]) as it:
                async with it.connect() as ws:
                    await ws.send("only")
                    await ws.wait_closed()
                assert seen == ["only", None]

        run(main())

    def test_pings_both_ways(self, run, site):
        class Pinging(Echo):
            def open(self):
                self.ping("ours")

            def on_ping(self, data):
                self.write_message(b"ping " + data, True)

            def on_pong(self, data):
                self.write_message(b"pong " + data, True)

        async def main():
            async with site([("/", Pinging)]) as it:
                async with it.connect() as ws:
                    assert await ws.recv() == b"pong ours"
                    await (await ws.ping("theirs"))
                    assert await ws.recv() == b"ping theirs"

        run(main())

    def test_after_the_end_nothing_can_be_sent(self, run, site, until):
        async def main():
            seen = []
            async with site([("/", Echo, {"seen": seen})]) as it:
                async with it.connect():
                    pass
                await until(lambda: len(seen) == 2)
                handler = seen[0]
                for call in (lambda: handler.write_message("x"), handler.ping, lambda: handler.selected_subprotocol):
                    with pytest.raises(Exception, match="the connection is closed"):
                        call()
                handler.close(1000)
                assert await handler.read_message() is None

        run(main())

    def test_without_on_message_it_says_what_is_missing(self, run, site, expect_log):
        async def main():
            async with site([("/", WebSocketHandler)]) as it:
                async with it.connect() as ws:
                    with expect_log("gustnado.application", "Uncaught exception") as log:
                        await ws.send("x")
                        with pytest.raises(ConnectionClosed):
                            await ws.recv()
                    assert "overrides on_message" in str(log.records[0].exc_info[1])
                    assert ws.close_code == 1011

        run(main())


class TestHandshake:
    def test_the_answer(self, run, site):
        async def main():
            async with site([("/", Echo)]) as it:
                status, *lines = (await it.ask()).split("\r\n")
                assert status == "HTTP/1.1 101 Switching Protocols"
                fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                assert fields["upgrade"] == "websocket"
                assert fields["connection"] == "Upgrade"
                assert fields["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
                assert "content-type" not in fields
                assert "content-length" not in fields
                assert "sec-websocket-protocol" not in fields

        run(main())

    def test_fields_and_cookies_of_the_program_are_in_it(self, run, site):
        class Extra(Echo):
            def set_default_headers(self):
                self.set_header("X-Default", "1")

            def prepare(self):
                self.set_cookie("who", "me")
                self.set_header("X-Prepared", "2")

        async def main():
            async with site([("/", Extra)]) as it:
                answer = await it.ask()
                for line in ("X-Default: 1", "X-Prepared: 2", "Set-Cookie: who=me"):
                    assert line in answer

        run(main())

    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({"Upgrade": None}, 400),
            ({"Upgrade": "websocketx"}, 400),
            ({"Upgrade": "h2c"}, 400),
            ({"Connection": "keep-alive"}, 400),
            ({"Sec-WebSocket-Key": None}, 400),
            ({"Sec-WebSocket-Key": "short"}, 400),
            ({"Sec-WebSocket-Key": "A" * 24}, 400),
            ({"Sec-WebSocket-Version": None}, 426),
            ({"Sec-WebSocket-Version": "8"}, 426),
            ({"Sec-WebSocket-Version": "14"}, 426),
            ({"Sec-WebSocket-Protocol": "a,,b"}, 400),
            ({"Sec-WebSocket-Protocol": "a, a"}, 400),
            ({"Sec-WebSocket-Extensions": "permessage-deflate;;"}, 400),
            ({"Content-Length": "1"}, 400),
            ({"Origin": "http://evil.example"}, 403),
            ({"Origin": "null"}, 403),
            ({"Origin": "http://example.org", "Sec-Fetch-Site": "cross-site"}, 403),
        ],
    )
    def test_what_is_refused(self, run, site, changes, status):
        """110, 111, 112, 38: with an answer of HTTP, and nothing else."""

        async def main():
            async with site([("/", Echo)]) as it:
                answer = await it.ask(changes, body=b"x" if "Content-Length" in changes else b"")
                assert answer.startswith(f"HTTP/1.1 {status} ")
                assert ("Sec-Websocket-Version: 13" in answer) == (status == 426)

        run(main())

    def test_two_keys_another_method_another_version_of_http(self, run, site):
        """110."""

        async def main():
            async with site([("/", Echo)]) as it:
                assert " 400 " in await it.ask(more=[("Sec-WebSocket-Key", KEY)])
                assert " 405 " in await it.ask(method="POST", changes={"Content-Length": "0"})
                assert " 400 " in await it.ask(version="HTTP/1.0")

        run(main())

    def test_after_a_refusal_the_connection_speaks_http(self, run, site):
        """38: bytes that follow are a request, not frames."""

        async def main():
            async with site([("/", Echo)]) as it:
                reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
                refused = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
                writer.write(refused.encode() + b"GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                answers = await reader.read()
                assert [answers.count(b"HTTP/1.1 426 "), answers.count(b"HTTP/1.1 404 ")] == [1, 1]
                writer.close()

        run(main())

    def test_a_head_without_end_is_no_handshake(self, run, site, expect_log):
        """129."""

        async def main():
            async with site([("/", Echo)]) as it:
                with expect_log("gustnado.general", "over 32768", level=logging.INFO):
                    assert " 431 " in await it.ask(more=[(f"X-{number}", "x" * 1000) for number in range(50)])

        run(main())

    def test_messages_may_come_with_the_handshake(self, run, site):
        async def main():
            async with site([("/", Echo)]) as it:
                reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
                head = "\r\n".join(["GET / HTTP/1.1", *(f"{n}: {v}" for n, v in HANDSHAKE.items()), "", ""])
                writer.write(head.encode() + b"\x81\x82\x00\x00\x00\x00hi")
                await reader.readuntil(b"\r\n\r\n")
                assert await reader.readexactly(4) == b"\x81\x02hi"
                writer.close()

        run(main())


class TestOrigin:
    @pytest.mark.parametrize(
        ("changes", "settings"),
        [
            ({"Origin": "http://example.org"}, {}),
            ({"Origin": "https://EXAMPLE.org/path"}, {}),
            ({"Origin": "http://other.example", "Sec-Fetch-Site": "same-origin"}, {}),
            ({}, {}),
            ({"Origin": "http://other.example"}, {"trusted_origins": ["http://other.example"]}),
            ({"Origin": "http://other.example", "Sec-Fetch-Site": "cross-site"}, {"trusted_origins": ["http://other.example"]}),
            ({"Origin": "http://example.org"}, {"xsrf_cookies": True}),
        ],
    )  # fmt: skip
    def test_who_may_connect(self, run, site, changes, settings):
        """111."""

        async def main():
            async with site([("/", Echo)], **settings) as it:
                assert " 101 " in await it.ask(changes)

        run(main())

    def test_a_handler_may_know_better(self, run, site):
        class Partner(Echo):
            def check_origin(self, origin):
                return origin == "http://partner.example"

        async def main():
            async with site([("/", Partner)]) as it:
                assert " 101 " in await it.ask({"Origin": "http://partner.example"})
                assert " 403 " in await it.ask({"Origin": "http://partner.example.evil"})

        run(main())


class TestRefusals:
    def test_prepare_may_answer(self, run, site):
        class Guarded(Echo):
            async def prepare(self):
                await asyncio.sleep(0)
                if not self.get_argument("token", None):
                    raise HTTPError(401)

        async def main():
            async with site([("/", Guarded)]) as it:
                with pytest.raises(InvalidStatus) as caught:
                    await it.connect()
                assert caught.value.response.status_code == 401
                async with it.connect("/?token=1") as ws:
                    await ws.send("in")
                    assert await ws.recv() == "in"

        run(main())

    @pytest.mark.parametrize("kind", ["plain", "coroutine"])
    def test_open_may_answer_before_it_has_waited(self, run, site, kind):
        seen = []

        class Full(Echo):
            def open(self):
                self.write_message("never seen")
                raise HTTPError(503, reason="Full")

        class FullLater(Full):
            async def open(self):
                raise HTTPError(503, reason="Full")

        async def main():
            handler = Full if kind == "plain" else FullLater
            async with site([("/", handler, {"seen": seen})]) as it:
                with pytest.raises(InvalidStatus) as caught:
                    await it.connect()
                assert caught.value.response.status_code == 503
                assert caught.value.response.reason_phrase == "Full"
                assert b"503: Full" in caught.value.response.body
                assert len(seen) == 1, "on_close is for connections that were open"

        run(main())

    def test_open_may_finish_the_request(self, run, site):
        class Elsewhere(WebSocketHandler):
            def open(self):
                raise Finish("look elsewhere")

        async def main():
            async with site([("/", Elsewhere)]) as it:
                with pytest.raises(InvalidStatus) as caught:
                    await it.connect()
                assert caught.value.response.status_code == 200

        run(main())

    @pytest.mark.parametrize("wait", [True, False])
    def test_any_other_failure_of_open_closes_the_connection(self, run, site, expect_log, wait, until):
        seen = []

        class Broken(Echo):
            async def open(self):
                if wait:
                    await asyncio.sleep(0)
                raise KeyError("broken")

        async def main():
            async with site([("/", Broken, {"seen": seen})]) as it:
                with expect_log("gustnado.application", "Uncaught exception", level=logging.ERROR):
                    async with it.connect() as ws:
                        with pytest.raises(ConnectionClosed):
                            await ws.recv()
                        assert ws.close_code == 1011
                await until(lambda: len(seen) == 2)

        run(main())

    def test_an_http_error_comes_too_late_where_open_has_waited(self, run, site, expect_log):
        class Late(WebSocketHandler):
            async def open(self):
                await asyncio.sleep(0)
                raise HTTPError(403, "too late")

        async def main():
            async with site([("/", Late)]) as it:
                with expect_log("gustnado.general", "too late"):
                    async with it.connect() as ws:
                        with pytest.raises(ConnectionClosed):
                            await ws.recv()
                        assert ws.close_code == 1011

        run(main())


class TestHandlerMethods:
    def test_those_of_http_are_refused_and_say_so(self, run, site):
        refused = []

        class Confused(WebSocketHandler):
            def open(self):
                calls = {
                    "write": lambda: self.write("x"),
                    "redirect": lambda: self.redirect("/"),
                    "set_header": lambda: self.set_header("X", "y"),
                    "set_cookie": lambda: self.set_cookie("a", "b"),
                    "set_status": lambda: self.set_status(500),
                    "flush": self.flush,
                    "finish": self.finish,
                }
                for name, call in calls.items():
                    try:
                        call()
                    except NotForWebSocketsError:
                        refused.append(name)
                self.close(1000)

        async def main():
            async with site([("/", Confused)]) as it:
                async with it.connect() as ws:
                    await ws.wait_closed()
                assert len(refused) == 7

        run(main())

    def test_nodelay_can_be_set_before_and_after_the_answer(self, run, site, until):
        seen = []

        class Quick(Echo):
            def open(self):
                self.set_nodelay(False)

            def on_message(self, message):
                self.set_nodelay(True)
                sock = self.ws_connection.stream.socket
                seen.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

        async def main():
            async with site([("/", Quick)]) as it:
                async with it.connect() as ws:
                    await ws.send("x")
                    await until(lambda: seen)
                assert seen == [1]

        run(main())

    def test_the_stream_is_there_when_it_opens(self, run, site):
        class Quick(Echo):
            def open(self):
                self.ws_connection.stream.set_nodelay(False)  # as old programs do
                self.write_message("first")

        async def main():
            async with site([("/", Quick)]) as it, it.connect() as ws:
                assert await ws.recv() == "first"

        run(main())

    def test_much_can_be_written_when_it_opens(self, run, site):
        """More than is gathered before it is sent: none of it may leave before the answer, or be lost."""
        texts = [str(number) * 50_000 for number in range(4)]

        class Talker(Echo):
            def open(self):
                for text in texts:
                    self.write_message(text)

        async def main():
            async with site([("/", Talker)]) as it, it.connect() as ws:
                assert [await ws.recv() for _ in texts] == texts

        run(main())

    @pytest.mark.parametrize("when", ["open", "on_message"])
    def test_old_programs_abort_by_tornados_private_name(self, run, site, when, until):
        closed = []

        class Cut(Echo):
            def open(self):
                if when == "open":
                    self.ws_connection._abort()

            def on_message(self, message):
                self.ws_connection._abort()

            def on_close(self):
                closed.append(self.close_code)

        async def main():
            async with site([("/", Cut)]) as it:
                with pytest.raises((ConnectionClosed, InvalidHandshake)):
                    async with it.connect() as ws:
                        await ws.send("x")
                        await ws.recv()
                await until(lambda: closed)
            assert closed == [None]

        run(main())

    def test_subprotocols(self, run, site):
        asked = []

        class Choosing(Echo):
            def select_subprotocol(self, subprotocols):
                asked.append(subprotocols)
                return "v2" if "v2" in subprotocols else None

            def open(self):
                self.write_message(str(self.selected_subprotocol))

        async def main():
            async with site([("/", Choosing)]) as it:
                async with it.connect(subprotocols=["v1", "v2"]) as ws:
                    assert (ws.subprotocol, await ws.recv()) == ("v2", "v2")
                async with it.connect() as ws:
                    assert (ws.subprotocol, await ws.recv()) == (None, "None")
                assert asked == [["v1", "v2"], []]

        run(main())

    def test_a_subprotocol_that_was_not_proposed(self, run, site, expect_log):
        class Wrong(Echo):
            def select_subprotocol(self, subprotocols):
                return "mine"

        async def main():
            async with site([("/", Wrong)]) as it:
                with expect_log("gustnado.application", "Uncaught exception") as log:
                    assert " 500 " in await it.ask({"Sec-WebSocket-Protocol": "theirs"})
                assert "'mine', which is none of ['theirs']" in str(log.records[0].exc_info[1])

        run(main())

    def test_settings(self, run, site):
        seen = []
        settings = {
            "websocket_ping_interval": 7,
            "websocket_ping_timeout": 5,
            "websocket_max_message_size": 1000,
            "websocket_slow_reader": "drop",
            "websocket_write_buffer": 5000,
        }

        async def main():
            async with site([("/", Echo, {"seen": seen})], **settings) as it:
                async with it.connect() as ws:
                    await ws.send("x")
                    params = seen[0].ws_connection.params
                    found = (params.ping_interval, params.ping_timeout, params.max_message_size)
                    assert (*found, params.slow_reader, params.write_buffer) == tuple(settings.values())
            async with site([("/", Echo, {"seen": seen})]) as it:
                async with it.connect():
                    assert seen[-1].ws_connection.params.ping_interval == 30

        run(main())

    def test_a_message_over_the_limit(self, run, site):
        """121."""

        async def main():
            async with site([("/", Echo)], websocket_max_message_size=1000) as it:
                async with it.connect() as ws:
                    await ws.send("x" * 1000)
                    assert len(await ws.recv()) == 1000
                    await ws.send(["x" * 600, "x" * 600])
                    with pytest.raises(ConnectionClosed):
                        await ws.recv()
                    assert (ws.close_code, ws.close_reason) == (1009, "message too big")

        run(main())


class TestCompression:
    @pytest.mark.parametrize("options", [{}, {"server_no_context_takeover": True, "client_no_context_takeover": True}])
    def test_where_both_want_it(self, run, site, options):
        seen = []

        class Compressed(Echo):
            def get_compression_options(self):
                return {"compression_level": 9, **options}

        async def main():
            async with site([("/", Compressed, {"seen": seen})]) as it:
                async with it.connect(compression="deflate") as ws:
                    for _ in range(3):
                        await ws.send("over and over again " * 1000)
                        assert await ws.recv() == "over and over again " * 1000
                    assert seen[0].ws_connection.codec.bytes_out < 1000
                    assert seen[0].ws_connection.codec.bytes_in < 1000
                async with it.connect(compression=None) as ws:
                    await ws.send("plain")
                    assert await ws.recv() == "plain"

        run(main())

    def test_it_is_off_by_default(self, run, site):
        async def main():
            async with site([("/", Echo)]) as it:
                assert "Sec-Websocket-Extensions" not in await it.ask(
                    {"Sec-WebSocket-Extensions": "permessage-deflate"}
                )

        run(main())

    def test_options_that_do_not_exist(self, run, site, expect_log):
        class Wrong(Echo):
            def get_compression_options(self):
                return {"wbits": 9}

        async def main():
            async with site([("/", Wrong)]) as it:
                with expect_log("gustnado.application", "Uncaught exception") as log:
                    assert " 500 " in await it.ask()
                assert isinstance(log.records[0].exc_info[1], OptionsError)

        run(main())


class TestTheEnd:
    def test_the_program_closes(self, run, site, until):
        seen = []

        class Brief(Echo):
            def open(self):
                self.close(4321, "enough")
                self.close(4322, "again")

        async def main():
            async with site([("/", Brief, {"seen": seen})]) as it:
                async with it.connect() as ws:
                    with pytest.raises(ConnectionClosed):
                        await ws.recv()
                    assert (ws.close_code, ws.close_reason) == (4321, "enough")
                await until(lambda: len(seen) == 2)
                assert seen[1][0] == 4321

        run(main())

    def test_the_client_vanishes(self, run, site, until):
        seen = []

        async def main():
            async with site([("/", Echo, {"seen": seen})]) as it:
                ws = await it.connect()
                ws.transport.abort()
                await until(lambda: len(seen) == 2)
                assert seen[1] == (None, None)
                assert seen[0].ws_connection is None

        run(main())

    def test_the_client_vanishes_during_the_handshake(self, run, site, until):
        seen = []
        door = asyncio.Event()

        class Slow(Echo):
            async def prepare(self):
                await door.wait()

        async def main():
            async with site([("/", Slow, {"seen": seen})]) as it:
                _reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
                head = "\r\n".join(["GET / HTTP/1.1", *(f"{n}: {v}" for n, v in HANDSHAKE.items()), "", ""])
                writer.write(head.encode())
                await until(lambda: seen)
                writer.transport.abort()
                await until(lambda: len(seen) == 2)
                door.set()
                await asyncio.sleep(0.01)
                assert seen[1:] == [(None, None)]

        run(main())

    @pytest.mark.parametrize("wrapped", [False, True])
    def test_a_get_of_ones_own_goes_on_when_it_is_over(self, run, site, monkeypatch, wrapped, until):
        seen = []
        original = WebSocketHandler.get

        async def get(self, *args):
            try:
                await original(self, *args)
            finally:
                seen.append("get")

        async def main():
            handler = Echo
            if wrapped:
                monkeypatch.setattr(WebSocketHandler, "get", get)
            else:
                handler = type("Own", (Echo,), {"get": get})
            async with site([("/", handler, {"seen": seen})]) as it:
                async with it.connect() as ws:
                    await ws.send("in")
                    assert await ws.recv() == "in"
                    assert len(seen) == 1
                await until(lambda: len(seen) == 3)
                assert seen[1:] == [(1000, None), "get"]
                await it.connect()
                assert await it.server.shutdown(grace=10) == 0
                assert seen[-1] == "get"

        run(main())

    def test_it_returns_where_open_fails(self, run, site, expect_log, until):
        seen = []

        class Own(Echo):
            async def get(self):
                await super().get()
                seen.append("get")

            def open(self):
                raise KeyError("broken")

        async def main():
            async with site([("/", Own, {"seen": seen})]) as it:
                with expect_log("gustnado.application", "Uncaught exception", level=logging.ERROR):
                    async with it.connect() as ws:
                        await ws.wait_closed()
                await until(lambda: "get" in seen)

        run(main())

    def test_a_server_that_shuts_down_says_so(self, run, site):
        """1001, and the connections end in good order."""
        seen = []

        async def main():
            async with site([("/", Echo, {"seen": seen})]) as it:
                clients = [await it.connect() for _ in range(3)]
                cut = await it.server.shutdown(grace=10)
                assert cut == 0
                for ws in clients:
                    with pytest.raises(ConnectionClosed):
                        await ws.recv()
                    assert ws.close_code == 1001
                assert [entry[0] for entry in seen if isinstance(entry, tuple)] == [1001] * 3

        run(main())

    def test_a_client_that_does_not_answer_is_cut_off_in_the_end(self, run, site, expect_log, until):
        seen = []

        async def main():
            async with site([("/", Echo, {"seen": seen})]) as it:
                reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
                head = "\r\n".join(["GET / HTTP/1.1", *(f"{n}: {v}" for n, v in HANDSHAKE.items()), "", ""])
                writer.write(head.encode())
                await reader.readuntil(b"\r\n\r\n")
                with expect_log("gustnado.general", "1 connections cut off"):
                    assert await it.server.shutdown(grace=0.05) == 1
                await until(lambda: len(seen) == 2)
                writer.close()

        run(main())

    def test_nothing_of_it_is_kept(self, run, site, until):
        seen = []

        async def main():
            async with site([("/", Echo, {"seen": seen})]) as it:
                async with it.connect() as ws:
                    await ws.send("x" * 1000)
                    await ws.recv()
                await until(lambda: len(seen) == 2)
                handler, connection = weakref.ref(seen[0]), weakref.ref(seen[0].request)
                seen.clear()
                await asyncio.sleep(0)
                gc.collect()
                assert (handler(), connection()) == (None, None)
                assert not it.server.shutting_down._callbacks

        run(main())

    def test_other_handlers_are_as_before(self, run, site):
        class Page(RequestHandler):
            def get(self):
                self.write("page")

        async def main():
            async with site([("/", Echo), ("/page", Page)]) as it:
                assert " 200 " in await it.ask(path="/page")

        run(main())
