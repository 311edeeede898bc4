"""Sends each WebSocket message to all connections. Usage: ``broadcast_server.py PORT KIND``.

The kind is one of ``protocol`` (a bare ``asyncio.Protocol``, for which ``broadcast_load`` alone is a client),
``gustnado`` (a room), ``aiohttp``, ``picows``, ``tornado``, ``websockets``. All run on uvloop, without compression.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop

ADDRESS = "127.0.0.1"
ANSWER = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


def protocol(port: int) -> None:
    members = set()

    class Member(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport
            self.received = b""
            self.open = False

        def data_received(self, data):
            self.received += data
            if not self.open:
                self.open = True
                self.received = b""
                members.add(self.transport)
                self.transport.write(ANSWER)
                return
            length = int.from_bytes(self.received[2:4], "big")
            if len(self.received) < 8 or len(self.received) < length + 8:
                return
            frame = self.received[:1] + b"\x7e" + self.received[2:4] + self.received[8:]
            self.received = b""
            for transport in members:
                transport.write(frame)

        def connection_lost(self, error):
            members.discard(self.transport)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Member, ADDRESS, port, backlog=1024)
        await server.serve_forever()

    uvloop.run(main())


def gustnado(port: int) -> None:
    from gustnado.events import IOLoop
    from gustnado.http import Room
    from gustnado.web import Application, WebSocketHandler

    room = Room()

    class Member(WebSocketHandler):
        def open(self):
            room.add(self)

        def on_message(self, message):
            room.broadcast(message, isinstance(message, bytes))

        def on_close(self):
            room.discard(self)

    # The load answers no pings while it still opens connections, which may take longer than the usual timeout.
    Application([("/", Member)], log_function=None, websocket_ping_timeout=0).listen(port, ADDRESS)
    IOLoop.instance().start()


def aiohttp(port: int) -> None:
    from aiohttp import WSMsgType, web

    members = set()

    async def serve(request):
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        members.add(ws)
        async for message in ws:
            if message.type is WSMsgType.BINARY:
                for member in members:
                    await member.send_bytes(message.data)
        members.discard(ws)
        return ws

    app = web.Application()
    app.add_routes([web.get("/", serve)])
    web.run_app(app, host=ADDRESS, port=port, loop=uvloop.new_event_loop(), access_log=None, print=None)


def picows(port: int) -> None:
    from picows import WSListener, WSMsgType, ws_create_server

    members = set()

    class Member(WSListener):
        def on_ws_connected(self, transport):
            members.add(transport)

        def on_ws_disconnected(self, transport):
            members.discard(transport)

        def on_ws_frame(self, transport, frame):
            if frame.msg_type == WSMsgType.CLOSE:
                transport.disconnect()
                return
            payload = frame.get_payload_as_bytes()
            for member in members:
                member.send(WSMsgType.BINARY, payload)

    async def main() -> None:
        server = await ws_create_server(lambda request: Member(), ADDRESS, port)
        await server.serve_forever()

    uvloop.run(main())


def tornado(port: int) -> None:
    from tornado.web import Application
    from tornado.websocket import WebSocketHandler

    members = set()

    class Member(WebSocketHandler):
        def open(self):
            members.add(self)

        def on_message(self, message):
            for member in members:
                member.write_message(message, isinstance(message, bytes))

        def on_close(self):
            members.discard(self)

    async def main() -> None:
        Application([("/", Member)], log_function=lambda handler: None).listen(port, ADDRESS)
        await asyncio.Event().wait()

    uvloop.run(main())


def websockets(port: int) -> None:
    from websockets.asyncio.server import broadcast, serve

    members = set()

    async def handle(ws):
        members.add(ws)
        async for message in ws:
            broadcast(members, message)
        members.discard(ws)

    async def main() -> None:
        async with serve(handle, ADDRESS, port, compression=None, ping_interval=None) as server:
            await server.serve_forever()

    uvloop.run(main())


SERVERS = {
    "protocol": protocol,
    "gustnado": gustnado,
    "aiohttp": aiohttp,
    "picows": picows,
    "tornado": tornado,
    "websockets": websockets,
}

if __name__ == "__main__":
    SERVERS[sys.argv[2]](int(sys.argv[1]))
