"""Echoes WebSocket messages. Usage: ``websocket_server.py PORT KIND``.

The kind is one of ``gustnado`` (a plain ``on_message``), ``gustnado_async``, ``gustnado_pull`` (``async for``),
``aiohttp``, ``picows``, ``socketify``, ``tornado``, ``uvicorn``, ``websockets``. All but socketify, which brings its
own, run on uvloop; all without compression.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import uvloop

ADDRESS = "127.0.0.1"


def gustnado(port: int, kind: str) -> None:
    from gustnado.events import IOLoop
    from gustnado.web import Application, WebSocketHandler

    class Plain(WebSocketHandler):
        def on_message(self, message):
            self.write_message(message, isinstance(message, bytes))

    class Async(WebSocketHandler):
        async def on_message(self, message):
            await self.write_message(message, isinstance(message, bytes))

    class Pull(WebSocketHandler):
        async def open(self):
            async for message in self:
                await self.write_message(message, isinstance(message, bytes))

    handler = {"gustnado": Plain, "gustnado_async": Async, "gustnado_pull": Pull}[kind]
    Application([("/", handler)], log_function=None).listen(port, ADDRESS)
    IOLoop.instance().start()


def tornado(port: int, kind: str) -> None:
    from tornado.web import Application
    from tornado.websocket import WebSocketHandler

    class Plain(WebSocketHandler):
        def on_message(self, message):
            self.write_message(message, isinstance(message, bytes))

    async def main() -> None:
        Application([("/", Plain)], log_function=lambda handler: None).listen(port, ADDRESS)
        await asyncio.Event().wait()

    uvloop.run(main())


def aiohttp(port: int, kind: str) -> None:
    from aiohttp import WSMsgType, web

    async def echo(request):
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        async for message in ws:
            if message.type is WSMsgType.TEXT:
                await ws.send_str(message.data)
            elif message.type is WSMsgType.BINARY:
                await ws.send_bytes(message.data)
        return ws

    app = web.Application()
    app.add_routes([web.get("/", echo)])
    web.run_app(app, host=ADDRESS, port=port, loop=uvloop.new_event_loop(), access_log=None, print=None)


def picows(port: int, kind: str) -> None:
    from picows import WSListener, WSMsgType, ws_create_server

    class Echo(WSListener):
        def on_ws_frame(self, transport, frame):
            if frame.msg_type == WSMsgType.CLOSE:
                transport.send_close(frame.get_close_code())
                transport.disconnect()
            else:
                transport.send(frame.msg_type, frame.get_payload_as_bytes())

    async def main() -> None:
        server = await ws_create_server(lambda request: Echo(), ADDRESS, port)
        await server.serve_forever()

    uvloop.run(main())


def socketify(port: int, kind: str) -> None:
    from socketify import App, AppListenOptions, CompressOptions

    app = App()
    options = {"compression": CompressOptions.DISABLED, "max_payload_length": 1 << 20}
    app.ws("/", options | {"message": lambda ws, message, opcode: ws.send(message, opcode)})
    app.listen(AppListenOptions(port=port, host=ADDRESS))
    app.run()


def websockets(port: int, kind: str) -> None:
    from websockets.asyncio.server import serve

    async def echo(ws):
        async for message in ws:
            await ws.send(message)

    async def main() -> None:
        async with serve(echo, ADDRESS, port, compression=None, ping_interval=None) as server:
            await server.serve_forever()

    uvloop.run(main())


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    """What uvicorn serves."""
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": event.get("text"), "bytes": event.get("bytes")})


def uvicorn(port: int, kind: str) -> None:
    import uvicorn as server

    quiet = {"log_level": "critical", "ws_per_message_deflate": False}
    server.run(asgi, host=ADDRESS, port=port, loop="uvloop", ws="websockets", **quiet)


SERVERS = {
    **dict.fromkeys(("gustnado", "gustnado_async", "gustnado_pull"), gustnado),
    "aiohttp": aiohttp,
    "picows": picows,
    "socketify": socketify,
    "tornado": tornado,
    "uvicorn": uvicorn,
    "websockets": websockets,
}

if __name__ == "__main__":
    SERVERS[sys.argv[2]](int(sys.argv[1]), sys.argv[2])
