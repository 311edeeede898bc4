"""S3: the IOLoop watches descriptors, and calls back on its next turn, or at a time."""

from __future__ import annotations

import socket

import pytest

SERVER = """
    import socket
    from tornado.ioloop import IOLoop

    ioloop = IOLoop.instance()
    connections = {}
    questions = {}

    def on_connection(fd, events):
        connection, address = sock.accept()
        connection.setblocking(False)
        connections[connection.fileno()] = connection
        # add a callback for a file descriptor on certain events
        ioloop.add_handler(connection.fileno(), on_event, ioloop.READ)

    def on_event(fd, events):
        connection = connections[fd]
        if events & ioloop.READ:
            questions[fd] = connection.recv(1000)
            # update for new events
            ioloop.update_handler(connection.fileno(), ioloop.WRITE)
        elif events & ioloop.WRITE:
            connection.sendall(b"you said " + questions.pop(fd))
            # remove file descriptors when finished
            ioloop.remove_handler(connection.fileno())
            connections.pop(fd).close()

    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 8080))
    sock.setblocking(False)
    sock.listen()

    # watch for events on a socket / file descriptor
    ioloop.add_handler(sock.fileno(), on_connection, ioloop.READ)
    ioloop.start()
"""

CALLBACKS = """
    import datetime
    import time
    from tornado.ioloop import IOLoop

    ioloop = IOLoop.instance()

    def callback(what="next cycle", *, to="nobody"):
        print(what, "for", to)

    def never():
        raise RuntimeError("this was an hour away, or removed")

    # add a callback to run on the next "cycle"
    ioloop.add_callback(callback)
    ioloop.add_callback(callback, "with arguments", to="you")
    # add a callback to run at (or after) a specific time
    ioloop.add_timeout(time.time() + 60, never)
    ioloop.add_timeout(time.time() + 0.05, callback, "absolute")
    ioloop.add_timeout(datetime.timedelta(milliseconds=200), callback, "timedelta", to="us")
    ioloop.call_later(0.4, callback, "later")
    ioloop.call_at(ioloop.time() + 0.6, ioloop.stop)
    timeout = ioloop.add_timeout(time.time() + 0.01, never)
    ioloop.remove_timeout(timeout)
    ioloop.start()
    print("stopped")
"""

PIPE = """
    import os
    from tornado.ioloop import IOLoop

    ioloop = IOLoop.instance()
    readable, writable = os.pipe()

    def on_readable(fd, events):
        print(fd == readable, events == IOLoop.READ, os.read(fd, 100))
        ioloop.remove_handler(fd)
        ioloop.add_handler(writable, on_writable, IOLoop.WRITE)
        os.close(readable)

    def on_writable(fd, events):
        # Nobody reads any more: an error fires whatever is watched.
        print(fd == writable, bool(events & (IOLoop.WRITE | IOLoop.ERROR)))
        ioloop.remove_handler(fd)
        try:
            ioloop.add_handler(fd, on_writable, ioloop.READ)
            ioloop.add_handler(fd, on_writable, ioloop.READ)
        except ValueError as error:
            print(type(error).__name__, str(error).replace(str(fd), "N"))
        ioloop.remove_handler(fd)
        ioloop.stop()

    ioloop.add_handler(readable, on_readable, IOLoop.READ)
    os.write(writable, b"breeze")
    ioloop.start()
"""


def ask(port: int, question: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(question)
        answer = b""
        while piece := client.recv(1000):
            answer += piece
        return answer


@pytest.mark.parametrize("style", ["as_tornado", "own", "face"])
def test_descriptors_are_watched_updated_and_removed(launch):
    program = launch(SERVER)
    # Not by a connection that says nothing: this program answers questions only.
    program.until(lambda: answered(program.port))
    assert [ask(program.port, word) for word in (b"gust", b"squall")] == [b"you said gust", b"you said squall"]


def answered(port: int) -> bool:
    try:
        return ask(port, b"hello") == b"you said hello"
    except OSError:
        return False


def test_callbacks_run_on_the_next_turn_and_at_their_time(launch):
    program = launch(CALLBACKS)
    assert program.wait() == 0, program.written()
    assert program.written().splitlines() == [
        "next cycle for nobody",
        "with arguments for you",
        "absolute for nobody",
        "timedelta for us",
        "later for nobody",
        "stopped",
    ]


def test_a_descriptor_that_is_no_socket(launch):
    program = launch(PIPE)
    assert program.wait() == 0, program.written()
    assert program.written().splitlines() == [
        "True True b'breeze'",
        "True True",
        "ValueError fd N added twice",
    ]
