from __future__ import annotations

import asyncio
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.events.happy_eyeballs import ATTEMPT_DELAY, connect_first, interleave

FOUR, SIX = socket.AF_INET, socket.AF_INET6


class Net:
    """Attempts that end as a test says, and a record of what was opened and not closed."""

    def __init__(self) -> None:
        self.tried: list[str] = []
        self.open: set[str] = set()
        self.outcomes: dict[str, asyncio.Future[None]] = {}

    def outcome(self, address):
        return self.outcomes.setdefault(address, asyncio.get_running_loop().create_future())

    async def attempt(self, family, address):
        self.tried.append(address)
        self.open.add(address)
        try:
            await self.outcome(address)
        except BaseException:
            self.open.discard(address)
            raise
        return address

    def refuse(self, *addresses):
        for address in addresses:
            self.outcome(address).set_exception(ConnectionRefusedError(address))

    def accept(self, *addresses):
        for address in addresses:
            self.outcome(address).set_result(None)


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
        assert await connect_first([(SIX, "a"), (FOUR, "b")], net.attempt) == "a"
        assert net.tried == ["a"]
        assert net.open == {"a"}

    run(main())


def test_a_failure_tries_the_next_at_once(run):
    async def main():
        net = Net()
        net.refuse("a", "b")
        net.accept("c")
        addresses = [(SIX, "a"), (FOUR, "b"), (SIX, "c"), (FOUR, "d")]
        assert await connect_first(addresses, net.attempt, delay=NEVER) == "c"
        assert net.tried == ["a", "b", "c"]

    run(main())


def test_silence_tries_the_next_beside_it(run):
    async def main():
        net = Net()
        net.accept("b")
        assert await connect_first([(SIX, "a"), (FOUR, "b")], net.attempt, delay=0.001) == "b"
        assert net.tried == ["a", "b"]
        assert net.open == {"b"}  # the silent one was cancelled, and closed itself

    run(main())


def test_a_late_answer_of_the_first_still_wins(run):
    async def main():
        net = Net()
        racing = asyncio.ensure_future(
            connect_first([(SIX, "a"), (FOUR, "b"), (SIX, "c")], net.attempt, delay=0)
        )
        while len(net.tried) < 3:
            await asyncio.sleep(0)
        net.refuse("b")
        net.accept("a")
        assert await racing == "a"
        assert net.open == {"a"}

    run(main())


def test_the_last_error_is_raised_where_all_fail(run):
    async def main():
        net = Net()
        net.refuse("a", "b")
        with pytest.raises(ConnectionRefusedError, match="b"):
            await connect_first([(SIX, "a"), (FOUR, "b")], net.attempt, delay=NEVER)
        assert net.open == set()

    run(main())


def test_one_address_needs_no_race(run):
    async def main():
        net = Net()
        net.refuse("a")
        with pytest.raises(ConnectionRefusedError):
            await connect_first([(FOUR, "a"), (FOUR, "a")], net.attempt)
        assert net.tried == ["a"]

    run(main())


def test_no_address_is_an_error(run):
    with pytest.raises(OSError, match="no address"):
        run(connect_first([], Net().attempt))


def test_cancelling_cancels_all_attempts(run):
    async def main():
        net = Net()
        racing = asyncio.ensure_future(connect_first([(SIX, "a"), (FOUR, "b")], net.attempt, delay=0))
        while len(net.tried) < 2:
            await asyncio.sleep(0)
        racing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await racing
        assert net.open == set()

    run(main())


def test_a_second_winner_of_the_same_moment_is_discarded(run):
    async def main():
        net = Net()
        dropped = []
        racing = asyncio.ensure_future(
            connect_first([(SIX, "a"), (FOUR, "b")], net.attempt, delay=0, discard=dropped.append)
        )
        while len(net.tried) < 2:
            await asyncio.sleep(0)
        net.accept("a", "b")
        winner = await racing
        assert dropped == list({"a", "b"} - {winner})

    run(main())


def test_an_attempt_that_will_not_be_cancelled_is_discarded(run):
    async def main():
        dropped = []
        started = asyncio.Event()

        async def attempt(family, address):
            if address == "fast":
                await started.wait()
                return address
            started.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return address

        addresses = [(FOUR, "fast"), (SIX, "stubborn")]
        assert await connect_first(addresses, attempt, delay=0, discard=dropped.append) == "fast"
        assert dropped == ["stubborn"]

    run(main())


def test_a_winner_is_discarded_where_the_race_is_cancelled_meanwhile(run):
    async def main():
        dropped = []
        started = asyncio.Event()

        async def attempt(family, address):
            if address == "fast":
                await started.wait()
                return address
            started.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                racing.cancel()  # while the race waits for this one to end
                await asyncio.sleep(0)
                raise

        addresses = [(FOUR, "fast"), (SIX, "slow")]
        racing = asyncio.ensure_future(connect_first(addresses, attempt, delay=0, discard=dropped.append))
        with pytest.raises(asyncio.CancelledError):
            await racing
        assert dropped == ["fast"]

    run(main())
