"""The services that SockJS asks of a server to be tested with, and a chat."""

import sys

import tornado.ioloop
import tornado.web
from sockjs.tornado import SockJSConnection, SockJSRouter


class Echo(SockJSConnection):
    def on_message(self, message):
        self.send(message)


class Close(SockJSConnection):
    def on_open(self, info):
        self.close()


members = set()


class Chat(SockJSConnection):
    def on_open(self, info):
        self.broadcast(members, "someone has come")
        members.add(self)

    def on_message(self, message):
        self.broadcast(members, message)

    def on_close(self):
        members.remove(self)
        self.broadcast(members, "someone has gone")


def main():
    routers = [
        SockJSRouter(Echo, "/echo", {"response_limit": 4096}),
        SockJSRouter(Echo, "/quiet", {"disabled_transports": ["websocket"]}),
        SockJSRouter(Close, "/close"),
        SockJSRouter(Chat, "/chat", {"heartbeat_delay": 1}),
    ]
    app = tornado.web.Application([rule for router in routers for rule in router.urls])
    app.listen(int(sys.argv[1]), "127.0.0.1")
    tornado.ioloop.IOLoop.current().start()


main()
