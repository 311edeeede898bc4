from __future__ import annotations

import asyncio
import gc
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.events import caching_resolver
from gustnado.events.caching_resolver import CachingResolver
from gustnado.events.resolver import DefaultLoopResolver, OverrideResolver, Resolver
from gustnado.events.tcp_client import TCPClient


class Clock:
    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(caching_resolver, "time", clock)
    return clock


class Recorder(Resolver):
    """Answers when it is let; ``error`` is what it raises instead."""

    def initialize(self):
        self.asked = []
        self.error = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.closed = False

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        self.asked.append((host, port, family))
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return [(socket.AF_INET, (f"192.0.2.{len(self.asked)}", port))]

    def close(self):
        self.closed = True


def test_addresses_are_kept_for_their_time(clock, run):
    async def main():
        inner = Recorder()
        resolver = CachingResolver(inner, ttl=10)
        first = await resolver.resolve("a.test", 80)
        clock.now += 9.9
        assert await resolver.resolve("a.test", 80) == first == [(socket.AF_INET, ("192.0.2.1", 80))]
        clock.now += 0.1
        assert await resolver.resolve("a.test", 80) == [(socket.AF_INET, ("192.0.2.2", 80))]
        assert len(inner.asked) == 2

    run(main())


def test_use_does_not_prolong_the_time(clock, run):
    async def main():
        inner = Recorder()
        resolver = CachingResolver(inner, ttl=10)
        for _ in range(4):
            await resolver.resolve("a.test", 80)
            clock.now += 5
        assert len(inner.asked) == 2

    run(main())


def test_names_are_kept_apart_by_port_and_family_but_not_by_case(clock, run):
    async def main():
        inner = Recorder()
        resolver = CachingResolver(inner)
        for name in ("a.test", "A.TEST"):
            await resolver.resolve(name, 80)
            await resolver.resolve(name, 443)
            await resolver.resolve(name, 80, socket.AF_INET6)
        assert inner.asked == [
            ("a.test", 80, socket.AF_UNSPEC),
            ("a.test", 443, socket.AF_UNSPEC),
            ("a.test", 80, socket.AF_INET6),
        ]

    run(main())


def test_what_one_caller_does_to_the_list_is_its_own(clock, run):
    async def main():
        resolver = CachingResolver(Recorder())
        (await resolver.resolve("a.test", 80)).clear()
        (await resolver.resolve("a.test", 80)).clear()
        assert len(await resolver.resolve("a.test", 80)) == 1

    run(main())


def test_those_who_ask_at_the_same_time_ask_once(run):
    async def main():
        inner = Recorder()
        inner.gate.clear()
        resolver = CachingResolver(inner, ttl=0)
        asking = [asyncio.ensure_future(resolver.resolve("a.test", 80)) for _ in range(50)]
        await asyncio.sleep(0)
        inner.gate.set()
        results = await asyncio.gather(*asking)
        assert len(inner.asked) == 1
        assert results == 50 * [[(socket.AF_INET, ("192.0.2.1", 80))]]
        await resolver.resolve("a.test", 80)  # nothing is kept
        assert len(inner.asked) == 2
        assert resolver._asking == {}

    run(main())


def test_who_stops_waiting_stops_for_itself_only(clock, run):
    async def main():
        inner = Recorder()
        inner.gate.clear()
        resolver = CachingResolver(inner)
        first, second = (asyncio.ensure_future(resolver.resolve("a.test", 80)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        inner.gate.set()
        assert len(await second) == 1
        assert len(inner.asked) == 1

    run(main())


def test_an_error_that_nobody_waits_for_any_more_is_no_surprise(run):
    """asyncio would log one that is never looked at."""

    async def main():
        inner = Recorder()
        inner.gate.clear()
        inner.error = socket.gaierror(socket.EAI_NONAME, "unknown")
        resolver = CachingResolver(inner)
        asking = asyncio.ensure_future(resolver.resolve("a.test", 80))
        await asyncio.sleep(0)
        asking.cancel()
        inner.gate.set()
        (task,) = resolver._asking.values()
        await asyncio.wait([task])
        await asyncio.sleep(0)
        assert resolver._asking == {}
        del task
        gc.collect()

    run(main())


def test_that_there_is_no_such_name_is_kept_briefly(clock, run):
    async def main():
        inner = Recorder()
        inner.error = socket.gaierror(socket.EAI_NONAME, "unknown")
        resolver = CachingResolver(inner, ttl=60, negative_ttl=2)
        errors = []
        for _ in range(2):
            with pytest.raises(socket.gaierror, match="unknown") as raised:
                await resolver.resolve("a.test", 80)
            errors.append(raised.value)
        assert errors[0] is not errors[1]
        assert errors[1].errno == socket.EAI_NONAME
        assert len(inner.asked) == 1
        clock.now += 2
        inner.error = None
        assert len(await resolver.resolve("a.test", 80)) == 1

    run(main())


@pytest.mark.parametrize(
    "error", [socket.gaierror(socket.EAI_AGAIN, "later"), OSError("broken"), RuntimeError("broken")]
)
def test_other_errors_are_not_kept(error, clock, run):
    async def main():
        inner = Recorder()
        inner.error = error
        resolver = CachingResolver(inner)
        for _ in range(2):
            with pytest.raises(type(error)):
                await resolver.resolve("a.test", 80)
        assert len(inner.asked) == 2

    run(main())


def test_addresses_in_text_are_not_kept(clock, run):
    async def main():
        inner = Recorder()
        resolver = CachingResolver(inner)
        for host in ("127.0.0.1", "127.0.0.1", "::1", "::1"):
            await resolver.resolve(host, 80)
        assert len(inner.asked) == 4
        assert resolver._entries == {}

    run(main())


def test_the_one_that_was_used_last_is_dropped_last(clock, run):
    async def main():
        inner = Recorder()
        resolver = CachingResolver(inner, max_names=2)
        for name in ("a", "b", "a", "c", "a", "b"):
            await resolver.resolve(f"{name}.test", 80)
        assert [host[0] for host, _, _ in inner.asked] == ["a", "b", "c", "b"]

    run(main())


@given(names=st.lists(st.sampled_from("abcdefgh"), max_size=60), most=st.integers(1, 5))
def test_it_never_keeps_more_than_it_may_and_tells_no_lies(names, most):
    class Echo(Resolver):
        async def resolve(self, host, port, family=socket.AF_UNSPEC):
            return [(socket.AF_INET, (host, port))]

    async def main():
        resolver = CachingResolver(Echo(), max_names=most)
        for name in names:
            assert await resolver.resolve(name, 80) == [(socket.AF_INET, (name, 80))]
            assert len(resolver._entries) <= most

    asyncio.run(main())


def test_two_loops_do_not_share_what_is_under_way():
    class Own(Resolver):
        async def resolve(self, host, port, family=socket.AF_UNSPEC):
            await asyncio.sleep(0)
            return [(socket.AF_INET, ("192.0.2.1", port))]

    resolver = CachingResolver(Own())
    loops = [asyncio.new_event_loop() for _ in range(2)]
    abandoned = loops[0].create_task(resolver.resolve("a.test", 80))
    loops[0].call_soon(loops[0].stop)
    loops[0].run_forever()
    assert len(resolver._asking) == 1
    assert loops[1].run_until_complete(resolver.resolve("a.test", 80)) == [(2, ("192.0.2.1", 80))]
    loops[0].run_until_complete(abandoned)
    for loop in loops:
        loop.close()


def test_clearing_forgets_and_closing_closes_the_other(clock, run):
    async def main():
        inner = Recorder()
        resolver = CachingResolver(inner)
        await resolver.resolve("a.test", 80)
        resolver.clear()
        await resolver.resolve("a.test", 80)
        assert len(inner.asked) == 2
        resolver.close()
        assert inner.closed
        assert resolver._entries == {}

    run(main())


def test_it_can_be_what_every_program_part_gets():
    saved = Resolver._save_configuration()
    try:
        Resolver.configure("gustnado.events.CachingResolver", ttl=5)
        resolver = Resolver()
        assert type(resolver) is CachingResolver
        assert (resolver.ttl, type(resolver.resolver)) == (5, DefaultLoopResolver)
        assert type(TCPClient().resolver) is CachingResolver
    finally:
        Resolver._restore_configuration(saved)


def test_it_goes_around_others(clock, run):
    async def main():
        inner = Recorder()
        resolver = CachingResolver(OverrideResolver(inner, {"a.test": "b.test"}))
        await resolver.resolve("a.test", 80)
        await resolver.resolve("a.test", 80)
        assert [host for host, _, _ in inner.asked] == ["b.test"]

    run(main())


@pytest.mark.parametrize(
    "options", [{"ttl": -1}, {"negative_ttl": -0.1}, {"ttl": float("nan")}, {"max_names": 0}]
)
def test_bad_limits_are_refused(options):
    with pytest.raises(ValueError, match="CachingResolver: "):
        CachingResolver(DefaultLoopResolver(), **options)
