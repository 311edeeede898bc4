from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
from benchmarks.check import Expectation, check_response, judge, wait_until_served

HELLO = Expectation(b"Hello, world!", headers=("Server",))
GOOD = [("Content-Type", "text/plain"), ("Content-Length", "13"), ("Server", "x")]
ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, world!"
)


@contextlib.contextmanager
def answering(*answers: bytes) -> Iterator[int]:
    """A server of one connection, which gets these answers and then its end."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            for answer in answers:
                connection.recv(65536)
                connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        thread.join()
        listener.close()


def test_a_correct_response_has_no_problems():
    assert judge(200, GOOD, b"Hello, world!", HELLO) == []


def test_one_in_chunks_has_no_length():
    chunked = Expectation(b"Hello, world!", chunked=True)
    assert judge(200, [field for field in GOOD if field[0] != "Content-Length"], b"Hello, world!", chunked) == []
    assert judge(200, GOOD, b"Hello, world!", chunked) == ["Content-Length '13' for 13 bytes"]


@pytest.mark.parametrize(
    ("status", "headers", "body", "problem"),
    [
        (500, GOOD, b"Hello, world!", "status 500 instead of 200"),
        (200, GOOD, b"Hello, wOrld!", "body b'Hello, wOrld!' instead of b'Hello, world!'"),
        (
            200,
            [*GOOD, ("Content-Type", "image/png")],
            b"Hello, world!",
            "Content-Type 'image/png' instead of 'text/'",
        ),
        (200, [*GOOD, ("Content-Length", "12")], b"Hello, world!", "Content-Length '12' for 13 bytes"),
        (200, GOOD[:2], b"Hello, world!", "no Server header"),
    ],
)
def test_each_defect_is_named(status, headers, body, problem):
    assert judge(status, headers, body, HELLO) == [problem]


def test_json_is_compared_by_value():
    expected = Expectation(b'{"a": 1}', content_type="application/json")
    headers = [("Content-Type", "application/json"), ("Content-Length", "7")]
    assert judge(200, headers, b'{"a":1}', expected) == []
    assert judge(200, headers, b'{"a":2}', expected) == ["body b'{\"a\":2}' instead of b'{\"a\": 1}'"]
    assert judge(200, headers, b'{"a":1]', expected) == ["body b'{\"a\":1]' instead of b'{\"a\": 1}'"]


def test_two_correct_answers_on_one_connection_pass():
    with answering(ANSWER, ANSWER) as port:
        assert check_response(port, "/", HELLO) == []


def test_a_wrong_second_answer_is_found():
    with answering(ANSWER, ANSWER.replace(b"Hello", b"Jello")) as port:
        assert check_response(port, "/", HELLO) == ["body b'Jello, world!' instead of b'Hello, world!'"]


def test_a_server_that_hangs_up_is_found():
    with answering(ANSWER) as port:
        (problem,) = check_response(port, "/", HELLO)
    assert problem.startswith("no response: ")


def test_a_response_that_announces_the_end_is_not_keep_alive():
    closing = ANSWER.replace(b"Server: x", b"Server: x\r\nConnection: close")
    with answering(closing) as port:
        assert check_response(port, "/", HELLO) == ["the connection was not kept alive"]


def test_a_listening_port_is_served_at_once():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert wait_until_served(listener.getsockname()[1], seconds=5)


def test_a_port_that_nobody_listens_on_is_given_up():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert not wait_until_served(closed.getsockname()[1], seconds=0.05)
