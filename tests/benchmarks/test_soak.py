from __future__ import annotations

import os
import socket
import threading

import pytest
from benchmarks import soak
from benchmarks.errors import HarnessError

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello, world!"


def serve(listener: socket.socket, *answers: bytes) -> threading.Thread:
    """Gives each answer to a request on a connection of its own, in a thread."""

    def run() -> None:
        for answer in answers:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_growth_is_counted_from_the_end_of_the_first_tenth():
    assert soak.growth([0, *[100] * 9, 150, *[160] * 89, 155]) == 10
    assert soak.growth([100, 200, 210, 205]) == 10
    assert soak.growth([100, 200, 150]) == 0


def test_memory_of_this_process_is_read():
    assert 1_000 < soak.read_rss(os.getpid()) < 10_000_000


def test_a_server_passes_if_both_phases_stay_within_the_tolerance():
    flat, leak = (10, 20, 20), (10, 20, 21 + soak.TOLERANCE)
    assert soak.Soak("gustnado", 1, 2, flat, flat).passed
    assert not soak.Soak("gustnado", 1, 2, leak, flat).passed
    assert not soak.Soak("gustnado", 1, 2, flat, leak).passed


def test_the_summary_tells_the_price_of_an_idle_connection():
    text = soak.render(soak.Soak("gustnado", 1_000, 21_000, (10, 20, 20), (10, 20, 20)))
    assert "passed" in text
    assert "4.0 KiB each" in text


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 500 No\r\n\r\nHello, world!"])
def test_a_wrong_answer_ends_the_soak(answer):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = serve(listener, answer)
        client = soak.Client(listener.getsockname()[1])
        client.send()
        with pytest.raises(HarnessError):
            client.receive()
        client.close()
        thread.join()


def test_a_connection_whose_end_is_announced_is_opened_again():
    closing = ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = serve(listener, closing, ANSWER)
        client = soak.Client(listener.getsockname()[1])
        for _ in range(2):
            client.send()
            client.receive()
        client.close()
        thread.join()
        assert not thread.is_alive()


def test_too_few_open_files_are_told(monkeypatch):
    monkeypatch.setattr("resource.getrlimit", lambda kind: (100, 100))
    with pytest.raises(HarnessError, match="ulimit"):
        soak.raise_file_limit(100)
