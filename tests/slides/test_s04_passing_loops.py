"""S4: singletons by default, but an IOLoop can be passed in, to everything."""

from __future__ import annotations

import pytest

DEFAULT = """
    from tornado.ioloop import IOLoop

    class TCPServer(object):

        def __init__(self, ioloop=None):
            self._ioloop = ioloop or IOLoop.instance()

        def send(self, message):
            self._ioloop.add_callback(print, message)
            self._ioloop.add_callback(self._ioloop.stop)

    TCPServer().send("to the singleton")
    IOLoop.instance().start()

    other = IOLoop(make_current=False)
    TCPServer(ioloop=other).send("to another")
    other.start()
    print(other is IOLoop.instance())
    other.close()
"""

# A loop of another thread: while it runs, this thread's own loop does not.
EVERYWHERE = """
    import os
    import socket
    import sys
    import threading
    from tornado.httpclient import AsyncHTTPClient
    from tornado.httpserver import HTTPServer
    from tornado.httputil import HTTPHeaders, ResponseStartLine
    from tornado.ioloop import IOLoop, PeriodicCallback
    from tornado.iostream import IOStream, PipeIOStream
    from tornado.netutil import BlockingResolver, ThreadedResolver, add_accept_handler, bind_sockets
    from tornado.process import Subprocess
    from tornado.tcpclient import TCPClient
    from tornado.tcpserver import TCPServer

    singleton = IOLoop.instance()
    ioloop = IOLoop(make_current=False)
    left = {"tick", "echo", "accepted", "pipe", "child", "client", "http", "fetch"}

    def done(name):
        print(name, IOLoop.current() is ioloop, threading.current_thread() is thread)
        left.discard(name)
        if not left:
            ioloop.add_callback(ioloop.stop)

    def connected(stream, words, name):
        stream.connect(words[0], lambda: stream.write(words[1]))
        stream.read_until("\\n", lambda answer: (done(name), stream.close()))

    # periodic callbacks
    def tick():
        clock.stop()
        done("tick")
    clock = PeriodicCallback(tick, 10, io_loop=ioloop)
    clock.start()

    # servers and streams
    class Echo(TCPServer):
        def handle_stream(self, stream, address):
            assert stream.io_loop is ioloop
            stream.read_until("\\n", stream.write)

    def listen():
        return bind_sockets(0, "127.0.0.1")

    sockets = listen()
    echo = Echo(io_loop=ioloop)
    echo.add_sockets(sockets)
    stream = IOStream(socket.socket(), io_loop=ioloop)
    connected(stream, (sockets[0].getsockname(), "hello\\n"), "echo")

    # accepting by hand
    def on_connection(connection, address):
        accepted = IOStream(connection, io_loop=ioloop)
        accepted.write("welcome\\n", accepted.close)
    waiting = listen()
    add_accept_handler(waiting[0], on_connection, io_loop=ioloop)
    guest = IOStream(socket.socket(), io_loop=ioloop)
    connected(guest, (waiting[0].getsockname(), "let me in\\n"), "accepted")

    # pipes
    readable, writable = os.pipe()
    source = PipeIOStream(readable, io_loop=ioloop)
    sink = PipeIOStream(writable, io_loop=ioloop)
    source.read_until_close(lambda data: done("pipe"))
    sink.write("through the pipe", sink.close)

    # clients, whose resolvers take a loop too
    client = TCPClient(resolver=ThreadedResolver(io_loop=ioloop), io_loop=ioloop)
    BlockingResolver(io_loop=ioloop)

    async def visit():
        stream = await client.connect("localhost", sockets[0].getsockname()[1])
        assert stream.io_loop is ioloop
        await stream.write("by name\\n")
        await stream.read_until("\\n")
        stream.close()
        done("client")
    ioloop.add_callback(visit)

    # processes
    child = Subprocess([sys.executable, "-c", "pass"], io_loop=ioloop)
    child.set_exit_callback(lambda status: done("child"))

    # HTTP
    def on_request(request):
        assert IOLoop.current() is ioloop
        request.connection.write_headers(start_line, headers, b"")
        request.connection.finish()

    start_line = ResponseStartLine("HTTP/1.1", 204, "No Content")
    headers = HTTPHeaders()
    web = HTTPServer(on_request, io_loop=ioloop)
    web.listen(8080, "127.0.0.1")
    visitor = IOStream(socket.socket(), io_loop=ioloop)
    connected(visitor, (("127.0.0.1", 8080), "GET / HTTP/1.1\\nHost: x\\n\\n".replace("\\n", "\\r\\n")), "http")

    def on_response(response):
        assert response.code == 204
        done("fetch")
        fetcher.close()

    fetcher = AsyncHTTPClient(force_instance=True, io_loop=ioloop)
    ioloop.add_callback(lambda: fetcher.fetch("http://127.0.0.1:8080/", callback=on_response) and None)

    thread = threading.Thread(target=ioloop.start)
    thread.start()
    thread.join(30)
    print("still to come:", sorted(left), singleton is IOLoop.instance())
    for server in (echo, web):
        server.stop()
    ioloop.close(all_fds=True)
"""


def test_the_singleton_unless_another_is_given(launch):
    program = launch(DEFAULT)
    assert program.wait() == 0, program.written()
    assert program.written().splitlines() == ["to the singleton", "to another", "False"]


@pytest.mark.parametrize("style", ["as_tornado", "own", "face"])
def test_everything_takes_one(launch):
    program = launch(EVERYWHERE)
    assert program.wait() == 0, program.written()
    *lines, last = program.written().splitlines()
    assert sorted(lines) == [
        f"{name} True True"
        for name in ("accepted", "child", "client", "echo", "fetch", "http", "pipe", "tick")
    ]
    assert last == "still to come: [] True"
