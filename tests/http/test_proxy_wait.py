"""Waiting for a PROXY header on a real socket: what belongs to it is taken, the rest stays."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import pytest

from gustnado.events.loop import IOLoop
from gustnado.http.proxy_wait import ProxyHeaderWait
from gustnado.http.refusals import RefusalLog

HEADER = b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n"


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with contextlib.closing(ours), contextlib.closing(theirs):
        yield ours, theirs


def wait_for(ours: socket.socket, timeout: float = 0) -> tuple[ProxyHeaderWait, asyncio.Event]:
    ended = asyncio.Event()
    loop = IOLoop.current()
    refusals = RefusalLog(loop.asyncio_loop, 0)
    return ProxyHeaderWait(loop, ours, "10.0.0.1", timeout, lambda wait: ended.set(), refusals), ended


def test_what_follows_is_left_on_the_socket(run, pair) -> None:
    ours, theirs = pair

    async def main() -> None:
        wait, ended = wait_for(ours)
        theirs.send(HEADER + b"\x16\x03\x01")
        await ended.wait()
        assert wait.header is not None
        assert wait.header.source == ("192.0.2.7", 4711)
        assert ours.recv(100) == b"\x16\x03\x01"

    run(main())


def test_it_may_come_in_pieces(run, pair) -> None:
    ours, theirs = pair

    async def main() -> None:
        wait, ended = wait_for(ours, timeout=20)
        for byte in HEADER:
            assert not ended.is_set()
            theirs.send(bytes([byte]))
            await asyncio.sleep(0)
        await ended.wait()
        assert wait.header is not None

    run(main())


def test_something_else_closes_the_connection(run, pair, expect_log) -> None:
    ours, theirs = pair

    async def main() -> None:
        with expect_log("gustnado.general", "10.0.0.1: no PROXY header, but b'GET / HTTP", level=20):
            wait, ended = wait_for(ours, timeout=20)
            theirs.send(b"GET / HTTP/1.1\r\n\r\n")
            await ended.wait()
        assert wait.header is None
        assert ours.fileno() == -1

    run(main())


def test_silence_does_too(run, pair, expect_log) -> None:
    async def main() -> None:
        with expect_log("gustnado.general", "10.0.0.1 sent no PROXY header in 0.05 s", level=20):
            wait, ended = wait_for(pair[0], timeout=0.05)
            await ended.wait()
        assert wait.header is None
        assert pair[0].fileno() == -1

    run(main())


def test_and_the_end_of_the_peer(run, pair) -> None:
    async def main() -> None:
        wait, ended = wait_for(pair[0])
        pair[1].send(HEADER[:10])
        pair[1].close()
        await ended.wait()
        assert wait.header is None

    run(main())


def test_it_can_be_given_up(run, pair) -> None:
    async def main() -> None:
        wait, ended = wait_for(pair[0], timeout=20)
        wait.abandon()
        assert ended.is_set()
        assert pair[0].fileno() == -1

    run(main())
