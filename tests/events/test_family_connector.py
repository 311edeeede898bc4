from __future__ import annotations

import datetime
import socket

import pytest

from gustnado.events.family_connector import FamilyConnector
from gustnado.events.loop import IOLoop

FOUR, SIX = socket.AF_INET, socket.AF_INET6


class Stream:
    closed = False

    def close(self):
        self.closed = True


class Net:
    """What was begun, and how a test ends it."""

    def __init__(self, *refused_at_once):
        self.refused_at_once = refused_at_once
        self.attempts = {}

    def connect(self, family, address):
        if address in self.refused_at_once:
            raise OSError(f"no route to {address}")
        self.attempts[address] = Stream(), IOLoop.current().asyncio_loop.create_future()
        return self.attempts[address]

    def connector(self, *addresses):
        return FamilyConnector(addresses, self.connect)

    async def refuse(self, address):
        self.attempts[address][1].set_exception(ConnectionRefusedError(address))
        await turns()

    async def accept(self, address):
        self.attempts[address][1].set_result(None)
        await turns()

    def open(self):
        return "".join(address for address, (stream, _) in self.attempts.items() if not stream.closed)


async def turns():
    loop = IOLoop.current().asyncio_loop
    for _ in range(3):
        turn = loop.create_future()
        loop.call_soon(turn.set_result, None)
        await turn


NEVER = 3600.0
ADDRESSES = [(SIX, "a"), (SIX, "b"), (FOUR, "c"), (FOUR, "d")]


def test_addresses_are_parted_by_the_family_of_the_first():
    assert FamilyConnector.split([(FOUR, "a"), (SIX, "b"), (FOUR, "c")]) == (
        [(FOUR, "a"), (FOUR, "c")],
        [(SIX, "b")],
    )
    assert FamilyConnector.split([]) == ([], [])


def test_a_family_has_one_attempt_at_a_time(run):
    async def main():
        net = Net()
        connector = net.connector(*ADDRESSES)
        future = connector.start(NEVER)
        assert net.open() == "a"
        connector.on_timeout()
        assert net.open() == "ac"
        await net.refuse("c")
        assert net.open() == "ad"
        await net.refuse("d")
        assert net.open() == "a"
        await net.refuse("a")
        await net.accept("b")
        assert future.result()[:2] == (SIX, "b")
        assert net.open() == "b"

    run(main())


def test_silence_begins_the_second_family_once(run):
    async def main():
        net = Net()
        future = net.connector(*ADDRESSES).start(0.001)
        while "c" not in net.attempts:
            await turns()
        await net.accept("c")
        assert (await future)[:2] == (FOUR, "c")
        assert list(net.attempts) == ["a", "c"]

    run(main())


def test_the_first_failure_begins_the_second_family(run):
    async def main():
        net = Net("a")
        future = net.connector(*ADDRESSES).start(NEVER)
        assert net.open() == "cb"
        await net.accept("c")
        assert (await future)[:2] == (FOUR, "c")

    run(main())


@pytest.mark.parametrize("refused", ["abcd", "bcd"])
def test_the_last_error_is_raised_where_all_fail(run, refused):
    async def main():
        net = Net(*refused)
        future = net.connector(*ADDRESSES).start(NEVER)
        for address in list(net.attempts):
            await net.refuse(address)
        with pytest.raises(OSError, match="no route to"):
            await future
        assert net.open() == ""

    run(main())


@pytest.mark.parametrize("given", ["absolute", "relative"])
def test_a_deadline_ends_all(run, given):
    async def main():
        net = Net()
        connector = net.connector(*ADDRESSES)
        seconds = 0.001
        absolute = connector.io_loop.time() + seconds
        deadline = absolute if given == "absolute" else datetime.timedelta(seconds=seconds)
        with pytest.raises(TimeoutError, match=r"^Timeout while connecting to a$"):
            await connector.start(NEVER, deadline)
        assert net.open() == ""
        connector.on_timeout()
        assert list(net.attempts) == ["a"]

    run(main())


def test_a_deadline_after_the_end_changes_nothing(run):
    async def main():
        net = Net()
        connector = net.connector(*ADDRESSES)
        future = connector.start(NEVER, connector.io_loop.time() + NEVER)
        await net.accept("a")
        connector.on_connect_timeout()
        assert (await future)[2] is net.attempts["a"][0]
        assert net.open() == "a"

    run(main())
