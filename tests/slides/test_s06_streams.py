"""S6: an IOStream wraps a socket and provides plenty of helpers, with callbacks and with text."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

# The slide's calls in the slide's order, each as soon as the one before it has called back.
CALLBACKS = r"""
    import socket
    from tornado.ioloop import IOLoop
    from tornado.iostream import IOStream

    def connect_callback():
        print("connected", stream.closed())

    def read_callback(data):
        print("bytes", data)
        # read until exact string match
        stream.read_until("\n\n", header_callback)

    def header_callback(data):
        print("header", data)
        # read until a regular expression is matched
        stream.read_until_regex(r"BYTES: \d+\s+", bytes_callback)

    def bytes_callback(data):
        print("matched", data)
        # write out to the socket
        stream.write("Foobar!", write_callback)

    def write_callback():
        print("written", stream.writing())
        # read until the socket closes -- optional streaming
        stream.read_until_close(finish_callback, streaming_callback)

    def streaming_callback(data):
        streamed.append(data)

    def finish_callback(data):
        print("finished", data, b"".join(streamed))

    def on_close():
        print("closed", stream.closed() or stream.reading() or stream.writing())
        ioloop.stop()

    streamed = []
    ioloop = IOLoop.instance()
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    stream = IOStream(sock, io_loop=ioloop)
    # if a socket is closed, call a callback
    stream.set_close_callback(on_close)
    stream.connect(("localhost", 8080), connect_callback)
    stream.read_bytes(8, read_callback)
    print("reading", stream.reading())
    ioloop.start()
"""

AWAITED = r"""
    import socket
    from tornado.ioloop import IOLoop
    from tornado.iostream import IOStream, StreamClosedError

    async def main():
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        stream = IOStream(sock, io_loop=ioloop)
        connected = stream.connect(("localhost", 8080))
        greeting = stream.read_bytes(8)
        print("reading", stream.reading())
        await connected
        print("connected", stream.closed())
        print("bytes", await greeting)
        print("header", await stream.read_until("\n\n"))
        print("matched", await stream.read_until_regex(r"BYTES: \d+\s+"))
        await stream.write("Foobar!")
        print("written", stream.writing())
        print("finished", b"", await stream.read_until_close())
        print("closed", stream.closed() or stream.reading() or stream.writing())
        try:
            await stream.read_bytes(1)
        except StreamClosedError as error:
            print(isinstance(error, IOError), error.real_error)

    ioloop = IOLoop.instance()
    ioloop.run_sync(main)
"""

REFUSED = """
    import socket
    from tornado.ioloop import IOLoop
    from tornado.iostream import IOStream

    def never(*args):
        raise RuntimeError("there was nobody to connect to")

    def on_close():
        print("closed", type(stream.error).__name__)
        ioloop.stop()

    ioloop = IOLoop.instance()
    stream = IOStream(socket.socket(socket.AF_INET, socket.SOCK_STREAM), io_loop=ioloop)
    stream.set_close_callback(on_close)
    stream.connect(("localhost", 8080), never)
    stream.read_until("\\n\\n", never)
    stream.write("Foobar!", never)
    ioloop.start()
"""

TOLD = [
    "reading True",
    "connected False",
    "bytes b'greeting'",
    "header b'Wind: north\\nRain: none\\n\\n'",
    "matched b'more BYTES: 12 \\n'",
    "written False",
    "finished b'' b'the rest, to the end'",
    "closed True",
]


def tell(listener: socket.socket, heard: list[bytes]) -> None:
    """The server of the slide's client, in pieces that do not end where the client's reads do."""
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(30)
        for piece in (b"gree", b"tingWind: north\nRain: none\n", b"\nmore BYTES: 12 \n"):
            connection.sendall(piece)
        question = b""
        while len(question) < len(b"Foobar!"):
            question += connection.recv(100)
        heard.append(question)
        connection.sendall(b"the rest, ")
        connection.sendall(b"to the end")


@contextlib.contextmanager
def teller() -> Iterator[tuple[int, list[bytes]]]:
    """The port of a server for one client, and what that client says."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        thread = threading.Thread(target=tell, args=(listener, heard))
        thread.start()
        yield listener.getsockname()[1], heard
        thread.join()


@pytest.mark.parametrize("style", ["as_tornado", "own", "face"])
@pytest.mark.parametrize(("text", "more"), [(CALLBACKS, []), (AWAITED, ["True None"])])
def test_every_helper(launch, text, more):
    with teller() as (port, heard):
        program = launch(text.replace("8080", str(port)))
        assert program.wait() == 0, program.written()
    assert program.written().splitlines() == [*TOLD, *more]
    assert heard == [b"Foobar!"]


def test_nobody_there_calls_the_close_callback_only(launch):
    program = launch(REFUSED)
    assert program.wait() == 0, program.written()
    assert program.written().splitlines() == ["closed ConnectionRefusedError"]
