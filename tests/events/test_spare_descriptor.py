from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import textwrap

import pytest

from gustnado.events import spare_descriptor
from gustnado.events.spare_descriptor import SpareDescriptor

HEAD = """
import contextlib, os, resource, socket
from gustnado.events.spare_descriptor import SpareDescriptor

def take_all():
    taken = []
    with contextlib.suppress(OSError):
        while True:
            taken.append(os.open(os.devnull, os.O_RDONLY))
    return taken

def clients(count):
    found = []
    for _ in range(count):
        found.append(socket.create_connection(listener.getsockname()))
        found[-1].settimeout(60)
    return found

listener = socket.create_server(("127.0.0.1", 0))
listener.setblocking(False)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
"""


def in_a_process_of_64_files(program: str) -> str:
    pytest.importorskip("resource")
    command = [sys.executable, "-c", HEAD + textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_row_61_who_waits_is_told_at_once_that_there_is_no_room():
    program = """
        spare = SpareDescriptor()
        waiting = clients(5)
        take_all()
        try:
            listener.accept()
        except OSError as error:
            print(error.strerror)
        print(spare.turn_away(listener, 3), [client.recv(1) for client in waiting[:3]])
        print(spare.turn_away(listener, 3), [client.recv(1) for client in waiting[3:]])
        print(spare.turn_away(listener, 3))
        try:
            os.open(os.devnull, os.O_RDONLY)
        except OSError as error:
            print(error.strerror)
    """
    assert in_a_process_of_64_files(program).splitlines() == [
        os.strerror(errno.EMFILE),
        "3 [b'', b'', b'']",
        "2 [b'', b'']",
        "0",
        os.strerror(errno.EMFILE),  # it has been taken back
    ]


def test_one_that_could_not_be_had_is_had_later():
    program = """
        waiting = clients(2)
        taken = take_all()
        spare = SpareDescriptor()
        print(spare.turn_away(listener, 9))
        os.close(taken.pop())
        print(spare.turn_away(listener, 9), [client.recv(1) for client in waiting])
    """
    assert in_a_process_of_64_files(program).splitlines() == ["0", "2 [b'', b'']"]


def test_another_who_takes_it_meanwhile_does_no_harm(monkeypatch):
    class Taken:
        def accept(self):
            raise OSError(errno.EMFILE, "none left")

    class Waiting:
        left = 2

        def accept(self):
            if not self.left:
                raise BlockingIOError
            self.left -= 1
            return socket.socket(), None

    spare = SpareDescriptor()
    with monkeypatch.context() as patch:
        patch.setattr(spare_descriptor, "_null_device", lambda: None)
        assert spare.turn_away(Taken(), 9) == 0
        assert spare.turn_away(Waiting(), 9) == 0  # as there is nothing to do it with
    waiting = Waiting()
    assert spare.turn_away(waiting, 1) == 1
    assert spare.turn_away(waiting, 9) == 1


def test_it_is_closed_with_its_owner_and_once(monkeypatch):
    opened = []

    def null_device():
        opened.append(os.open(os.devnull, os.O_RDONLY))
        return opened[-1]

    monkeypatch.setattr(spare_descriptor, "_null_device", null_device)
    SpareDescriptor()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened[-1])
    spare = SpareDescriptor()
    os.fstat(opened[-1])
    spare.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened[-1])
    spare.close()
