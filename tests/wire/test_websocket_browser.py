"""WebSockets with a browser at the other end."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest

from gustnado.events.sockets import bind_sockets
from gustnado.http.server import HTTPServer
from gustnado.web import Application, RequestHandler
from gustnado.web.websocket import WebSocketHandler

SCRIPT = """
new Promise((resolve, reject) => {
    const messages = ["text \u2603", "", "x".repeat(300000), new Uint8Array([0, 255, 128])], got = [];
    const socket = new WebSocket(location.href.replace("http", "ws") + "echo", ["storm", "wind"]);
    socket.binaryType = "arraybuffer";
    const next = () => got.length < messages.length ? socket.send(messages[got.length]) : socket.close(4000, "done");
    socket.onopen = next;
    socket.onmessage = event => {
        got.push(typeof event.data === "string" ? event.data.length : [...new Uint8Array(event.data)]);
        next();
    };
    socket.onclose = event => resolve(JSON.stringify(
        {got, protocol: socket.protocol, extensions: socket.extensions, code: event.code, clean: event.wasClean}));
})
"""


class Page(RequestHandler):
    def get(self):
        self.write("<!doctype html><link rel=icon href=data:,><title>WebSocket</title>")


class Echo(WebSocketHandler):
    compression = None

    def initialize(self, compression, closed):
        self.compression = compression
        self.closed = closed

    def get_compression_options(self):
        return self.compression

    def select_subprotocol(self, subprotocols):
        return subprotocols[1]

    def on_message(self, message):
        return self.write_message(message, isinstance(message, bytes))

    def on_close(self):
        self.closed.append((self.close_code, self.close_reason))


@pytest.fixture
def page(chromium):
    return chromium.new_page()


@pytest.mark.parametrize(
    ("compression", "extensions"),
    [
        (None, ""),
        ({}, "permessage-deflate"),
        ({"server_no_context_takeover": True, "client_no_context_takeover": True}, "no_context_takeover"),
    ],
)
def test_messages_subprotocol_compression_and_close(page, compression, extensions):
    closed = []
    ready = threading.Event()
    where = {}

    async def serve():
        arguments = {"compression": compression, "closed": closed}
        server = HTTPServer(Application([("/", Page), ("/echo", Echo, arguments)], log_function=None))
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        over = asyncio.Event()
        where["end"] = (asyncio.get_running_loop(), over)
        where["url"] = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/"
        ready.set()
        await over.wait()
        await server.shutdown(grace=5)

    thread = threading.Thread(target=asyncio.run, args=[serve()])
    thread.start()
    try:
        assert ready.wait(30)
        page.open(where["url"])
        seen = page.call("Runtime.evaluate", expression=SCRIPT, awaitPromise=True, returnByValue=True)["result"]
        outcome = json.loads(seen["value"])
    finally:
        loop, over = where["end"]
        loop.call_soon_threadsafe(over.set)
        thread.join()
    assert outcome["got"] == [6, 0, 300000, [0, 255, 128]]
    assert (outcome["protocol"], outcome["code"], outcome["clean"]) == ("wind", 4000, True)
    assert extensions in outcome["extensions"]
    assert bool(extensions) == bool(outcome["extensions"])
    assert closed == [(4000, "done")]
    assert page.complaints == []
