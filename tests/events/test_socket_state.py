from __future__ import annotations

import socket
import struct
import sys

import pytest

from gustnado.events.socket_state import closed_after_all, has_news

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")


@pytest.fixture(params=["tcp", "unix"])
def pair(request):
    """Two ends of a connection; ours does not block."""
    if request.param == "unix":
        ours, theirs = socket.socketpair()
    else:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            ours = socket.create_connection(listener.getsockname())
            theirs, _ = listener.accept()
    ours.setblocking(False)
    theirs.settimeout(10)
    with ours, theirs:
        yield ours, theirs


def test_there_is_news_when_there_is_something_to_read(pair):
    ours, theirs = pair
    assert not has_news(ours)
    theirs.sendall(b"x")
    assert has_news(ours)
    assert has_news(ours)  # it has not been read
    assert not has_news(ours, only_end=True)


def test_the_end_is_news(pair):
    ours, theirs = pair
    theirs.close()
    assert has_news(ours)
    assert has_news(ours, only_end=True)


def test_a_reset_is_news(pair):
    ours, theirs = pair
    ours.sendall(b"x")
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()
    assert has_news(ours, only_end=True)


def test_a_closed_socket_is_news(pair):
    ours, _ = pair
    ours.close()
    assert has_news(ours, only_end=True)


@on_linux
def test_who_closes_after_reading_has_all(pair):
    ours, theirs = pair
    ours.sendall(b"request")
    assert theirs.recv(100) == b"request"
    theirs.close()
    assert ours.recv(1) == b""
    assert closed_after_all(ours)


def test_who_closes_before_has_not(pair):
    ours, theirs = pair
    theirs.close()
    try:
        ours.sendall(b"request")
    except BrokenPipeError:
        return  # a unix socket says so at once
    assert ours.recv(1) == b""
    assert not closed_after_all(ours)


@pytest.mark.parametrize("pair", ["tcp"], indirect=True)  # a unix socket says that with its reset only
def test_nor_has_who_does_not_read(pair):
    ours, theirs = pair
    ours.sendall(b"request")
    theirs.close()
    with pytest.raises(ConnectionResetError):
        ours.recv(1)
    assert not closed_after_all(ours)


def test_while_it_is_open_nobody_has_closed(pair):
    ours, theirs = pair
    ours.sendall(b"request")
    if ours.family in (socket.AF_INET, socket.AF_INET6):
        theirs.recv(100)
    assert not closed_after_all(ours)


def test_nothing_is_known_of_a_closed_socket(pair):
    ours, _ = pair
    ours.close()
    assert not closed_after_all(ours)


def test_nothing_is_known_elsewhere(pair, monkeypatch):
    ours, theirs = pair
    theirs.close()
    ours.recv(1)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not closed_after_all(ours)
