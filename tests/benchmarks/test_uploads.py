from __future__ import annotations

import os
import socket
import threading

import pytest
from benchmarks import uploads
from benchmarks.errors import HarnessError


@pytest.mark.parametrize("manner", list(uploads.MANNERS))
def test_every_manner_takes_what_is_uploaded(installed, manner, capsys):
    pytest.importorskip("uvloop")
    found = uploads.measure(installed, manner, uploads=uploads.AT_ONCE, size=1 << 18)
    assert 5 < found.value < uploads.PEAK
    assert found.met


def test_a_wrong_answer_is_told():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n1 2")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(HarnessError, match="1 2"):
            uploads.upload(listener.getsockname()[1], [b"POST"], b"1 3")
        thread.join()


def test_the_peak_of_this_process():
    peak = uploads.read_peak(os.getpid())
    held = b"0" * (32 << 20)
    assert uploads.read_peak(os.getpid()) > peak or len(held) < peak * (1 << 20)


def test_files_are_not_all_the_same_byte():
    assert len(set(uploads.make_file(1024))) == 256
    assert len(uploads.make_file(uploads.SIZE)) == uploads.SIZE
