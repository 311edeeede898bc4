"""One try to send on a socket."""

from __future__ import annotations

import socket

import pytest

from gustnado.events.socket_send import send_now


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        yield ours, theirs


def test_what_there_is_room_for_is_sent(pair):
    ours, theirs = pair
    assert send_now(ours.fileno(), b"hello") == 5
    assert theirs.recv(10) == b"hello"


def test_none_is_taken_where_there_is_no_room(pair):
    ours, _ = pair
    data = b"x" * 1_000_000
    taken = send_now(ours.fileno(), data)
    assert 0 < taken < len(data)
    while send_now(ours.fileno(), data):
        pass
    assert send_now(ours.fileno(), b"x") == 0


def test_none_is_taken_where_something_is_wrong(pair):
    ours, theirs = pair
    theirs.close()
    assert send_now(ours.fileno(), b"hello") == 0
