from __future__ import annotations

import asyncio
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.events.happy_eyeballs import ATTEMPT_DELAY, Connector, interleave

FOUR, SIX = socket.AF_INET, socket.AF_INET6


class Stream:
    """Stands for a stream; says when it is closed."""

    def __init__(self, net, address):
        self.net = net
        self.address = address
        net.open.append(address)

    def close(self):
        if self.address in self.net.open:
            self.net.open.remove(self.address)


class Net:
    """Attempts that end as a test says, and a record of what was opened and not closed."""

    def __init__(self, *refused_at_once) -> None:
        self.tried: list[str] = []
        self.open: list[str] = []
        self.refused_at_once = refused_at_once
        self.outcomes: dict[str, asyncio.Future[None]] = {}

    def outcome(self, address):
        return self.outcomes.setdefault(address, asyncio.get_running_loop().create_future())

    def connect(self, family, address):
        self.tried.append(address)
        if address in self.refused_at_once:
            raise OSError(f"no route to {address}")
        return Stream(self, address), self.outcome(address)

    def refuse(self, *addresses):
        for address in addresses:
            self.outcome(address).set_exception(ConnectionRefusedError(address))

    def accept(self, *addresses):
        for address in addresses:
            self.outcome(address).set_result(None)

    async def race(self, *addresses, delay=None):
        """The address of the winner."""
        future = Connector(addresses, self.connect).start(NEVER if delay is None else delay)
        return (await future)[1]


async def turns(number=3):
    for _ in range(number):
        await asyncio.sleep(0)


NEVER = 3600.0


def test_families_take_turns_and_begin_with_the_first():
    addresses = [(SIX, "a"), (SIX, "b"), (SIX, "c"), (FOUR, "d"), (FOUR, "e")]
    assert [address for _, address in interleave(addresses)] == ["a", "d", "b", "e", "c"]


@given(st.lists(st.tuples(st.sampled_from([FOUR, SIX]), st.integers(0, 9))))
def test_interleaving_keeps_each_address_once_and_each_familys_order(addresses):
    result = interleave(addresses)
    assert sorted(result) == sorted(set(addresses))
    for family in (FOUR, SIX):
        wanted = [a for a in dict.fromkeys(addresses) if a[0] == family]
        assert [a for a in result if a[0] == family] == wanted


def test_the_delay_is_that_of_the_rfc():
    assert ATTEMPT_DELAY == 0.25


def test_the_first_address_that_answers_is_the_only_one_tried(run):
    async def main():
        net = Net()
        net.accept("a")
        assert await net.race((SIX, "a"), (FOUR, "b")) == "a"
        assert net.tried == ["a"]
        assert net.open == ["a"]

    run(main())


def test_the_winner_is_given_with_its_family_and_its_stream(run):
    async def main():
        net = Net()
        net.accept("a")
        family, address, stream = await Connector([(SIX, "a"), (FOUR, "b")], net.connect).start()
        assert (family, address, stream.address) == (SIX, "a", "a")

    run(main())


def test_a_failure_tries_the_next_at_once(run):
    async def main():
        net = Net()
        net.refuse("a", "b")
        net.accept("c")
        assert await net.race((SIX, "a"), (FOUR, "b"), (SIX, "c"), (FOUR, "d")) == "c"
        assert net.tried == ["a", "b", "c"]
        assert net.open == ["c"]

    run(main())


def test_an_attempt_that_cannot_begin_is_a_failure(run):
    async def main():
        net = Net("a", "b")
        net.accept("c")
        assert await net.race((SIX, "a"), (FOUR, "b"), (SIX, "c"), (FOUR, "d")) == "c"
        assert net.tried == ["a", "b", "c"]

    run(main())


def test_many_attempts_that_cannot_begin_are_no_recursion(run):
    async def main():
        addresses = [str(number) for number in range(5000)]
        net = Net(*addresses)
        with pytest.raises(OSError, match="no route to 4999"):
            await net.race(*((SIX, address) for address in addresses))

    run(main())


def test_silence_tries_the_next_beside_it(run):
    async def main():
        net = Net()
        net.accept("b")
        assert await net.race((SIX, "a"), (FOUR, "b"), delay=0.001) == "b"
        assert net.tried == ["a", "b"]
        assert net.open == ["b"]

    run(main())


def test_silence_is_no_reason_to_wait_for_another_family(run):
    async def main():
        net = Net()
        net.accept("c")
        assert await net.race((SIX, "a"), (SIX, "b"), (SIX, "c"), delay=0.001) == "c"
        assert net.tried == ["a", "b", "c"]
        assert net.open == ["c"]

    run(main())


def test_the_wait_begins_anew_with_each_attempt(run, monkeypatch):
    async def main():
        net = Net()
        delays = []
        loop = asyncio.get_running_loop()
        call_later = loop.call_later
        monkeypatch.setattr(
            loop, "call_later", lambda delay, *rest: delays.append(delay) or call_later(delay, *rest)
        )
        future = Connector([(SIX, "a"), (FOUR, "b"), (SIX, "c")], net.connect).start()
        assert delays == [ATTEMPT_DELAY]
        net.refuse("a")
        await turns()
        assert delays == [ATTEMPT_DELAY] * 2
        net.accept("b")
        await future
        assert net.tried == ["a", "b"]

    run(main())


def test_a_late_answer_of_the_first_still_wins(run):
    async def main():
        net = Net()
        racing = asyncio.ensure_future(net.race((SIX, "a"), (FOUR, "b"), (SIX, "c"), delay=0))
        while len(net.tried) < 3:
            await asyncio.sleep(0)
        net.refuse("b")
        net.accept("a")
        assert await racing == "a"
        assert net.open == ["a"]

    run(main())


def test_the_last_error_is_raised_where_all_fail(run):
    async def main():
        net = Net()
        net.refuse("a", "b")
        with pytest.raises(ConnectionRefusedError, match="b"):
            await net.race((SIX, "a"), (FOUR, "b"))
        assert net.open == []

    run(main())


def test_an_attempt_that_somebody_cancels_has_failed_without_a_reason(run):
    async def main():
        net = Net()
        racing = asyncio.ensure_future(net.race((SIX, "a"), (FOUR, "b")))
        for address in "ab":
            await turns()
            net.outcome(address).cancel()
        with pytest.raises(OSError, match=r"^connection failed$"):
            await racing
        assert net.open == []

    run(main())


def test_an_address_is_tried_once(run):
    async def main():
        net = Net()
        net.refuse("a")
        with pytest.raises(ConnectionRefusedError):
            await net.race((FOUR, "a"), (FOUR, "a"))
        assert net.tried == ["a"]

    run(main())


def test_no_address_is_an_error(run):
    async def main():
        with pytest.raises(OSError, match="no address"):
            await Connector([], Net().connect).connect()

    run(main())


def test_a_second_winner_of_the_same_moment_is_closed(run):
    async def main():
        net = Net()
        racing = asyncio.ensure_future(net.race((SIX, "a"), (FOUR, "b"), delay=0))
        while len(net.tried) < 2:
            await asyncio.sleep(0)
        net.accept("a", "b")
        assert await racing == "a"
        await turns()
        assert net.open == ["a"]

    run(main())


def test_what_becomes_of_the_losers_does_not_matter(run):
    async def main():
        net = Net()
        racing = asyncio.ensure_future(net.race((SIX, "a"), (FOUR, "b"), (SIX, "c"), delay=0))
        while len(net.tried) < 3:
            await asyncio.sleep(0)
        net.accept("a")
        await racing
        net.refuse("b")
        net.outcome("c").cancel()
        await turns()
        assert net.open == ["a"]
        assert net.tried == ["a", "b", "c"]

    run(main())


def test_connect_gives_the_stream(run):
    async def main():
        net = Net()
        net.accept("a")
        stream = await Connector([(SIX, "a")], net.connect).connect()
        assert stream.address == "a"
        assert net.open == ["a"]

    run(main())


def test_what_is_awaited_is_told(run):
    async def main():
        net = Net()
        connector = Connector([(SIX, ("::1", 80)), (FOUR, ("127.0.0.1", 80))], net.connect)
        assert connector.describe() == "while connecting"
        future = connector.start(0)
        while len(net.tried) < 2:
            await asyncio.sleep(0)
        assert connector.describe() == "while connecting to 127.0.0.1:80, [::1]:80"
        net.refuse(("::1", 80))
        await turns()
        assert connector.describe() == "while connecting to 127.0.0.1:80"
        future.cancel()

    run(main())


def test_cancelling_the_future_ends_all_attempts(run):
    async def main():
        net = Net()
        future = Connector([(SIX, "a"), (FOUR, "b"), (SIX, "c")], net.connect).start(0)
        while len(net.tried) < 2:
            await asyncio.sleep(0)
        future.cancel()
        await turns(10)
        assert net.open == []
        assert net.tried == ["a", "b"]

    run(main())


def test_cancelling_who_waits_ends_all_attempts(run):
    async def main():
        net = Net()
        racing = asyncio.ensure_future(Connector([(SIX, "a"), (FOUR, "b")], net.connect).connect())
        await turns()
        assert net.open == ["a"]
        racing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await racing
        assert net.open == []

    run(main())


@pytest.mark.parametrize("outcome", ["accept", "refuse"])
def test_cancelling_in_the_moment_of_the_outcome_leaves_nothing(run, outcome):
    async def main():
        net = Net()
        connector = Connector([(SIX, "a")], net.connect)
        racing = asyncio.ensure_future(connector.connect())
        await turns()
        getattr(net, outcome)("a")
        while not connector.future.done():
            await asyncio.sleep(0)
        racing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await racing
        assert net.open == []

    run(main())
