from __future__ import annotations

import asyncio
import concurrent.futures
import socket
import threading

import pytest

from gustnado.events import resolver as resolver_module
from gustnado.events.resolver import (
    BlockingResolver,
    DefaultExecutorResolver,
    DefaultLoopResolver,
    ExecutorResolver,
    OverrideResolver,
    Resolver,
    ThreadedResolver,
)

KINDS = [DefaultLoopResolver, DefaultExecutorResolver, BlockingResolver, ThreadedResolver, ExecutorResolver]


@pytest.fixture(autouse=True)
def no_shared_pool(monkeypatch):
    monkeypatch.setattr(ThreadedResolver, "_threadpool", None)
    yield
    if ThreadedResolver._threadpool is not None:
        ThreadedResolver._threadpool.shutdown()


@pytest.fixture
def lookups(monkeypatch):
    """Names asked for, with the thread that asked; the resolver knows one name."""
    asked = []
    real = socket.getaddrinfo

    def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
        if flags & socket.AI_NUMERICHOST:
            return real(host, port, family, type, proto, flags)
        asked.append((host, threading.get_ident()))
        if host != "example.test":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            (socket.AF_INET6, type, 6, "", ("2001:db8::1", port, 0, 0)),
            (socket.AF_INET, type, 6, "", ("192.0.2.1", port)),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize("kind", KINDS)
def test_names_become_addresses(kind, lookups, run):
    async def main():
        resolver = kind()
        assert await resolver.resolve("example.test", 80) == [
            (socket.AF_INET6, ("2001:db8::1", 80, 0, 0)),
            (socket.AF_INET, ("192.0.2.1", 80)),
        ]
        resolver.close()

    run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_name_is_an_os_error(kind, lookups, run):
    async def main():
        with pytest.raises(OSError):
            await kind().resolve("unknown.test", 80)

    run(main())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("host", ["a" * 64 + ".test", "a..b", "127.0.0.1\0.example.com", "localhost\0"])
def test_a_malformed_name_is_an_os_error(kind, host, run):
    async def main():
        with pytest.raises(OSError):
            await kind().resolve(host, 80)

    run(main())


@pytest.mark.parametrize("kind", [DefaultLoopResolver, DefaultExecutorResolver])
def test_addresses_in_text_ask_nobody(kind, lookups, run):
    async def main():
        assert await kind().resolve("127.0.0.1", 80) == [(socket.AF_INET, ("127.0.0.1", 80))]
        assert await kind().resolve("::1", 80, socket.AF_INET6) == [(socket.AF_INET6, ("::1", 80, 0, 0))]
        assert lookups == []
        with pytest.raises(OSError):
            await kind().resolve("127.0.0.1", 80, socket.AF_INET6)

    run(main())


@pytest.mark.parametrize("kind", [DefaultLoopResolver, DefaultExecutorResolver, ThreadedResolver])
def test_the_loop_is_not_blocked(kind, lookups, run):
    async def main():
        await kind().resolve("example.test", 80)
        assert lookups[0][1] != threading.get_ident()

    run(main())


def test_the_blocking_one_blocks(lookups, run):
    async def main():
        await BlockingResolver().resolve("example.test", 80)
        assert lookups == [("example.test", threading.get_ident())]

    run(main())


def test_an_executor_is_closed_unless_told_otherwise():
    for close in (True, False):
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            ExecutorResolver(executor=pool, close_executor=close).close()
            if close:
                with pytest.raises(RuntimeError):
                    pool.submit(int)
            else:
                assert pool.submit(int).result() == 0


def test_threaded_resolvers_share_one_pool(monkeypatch):
    first, second = ThreadedResolver(num_threads=2), ThreadedResolver()
    assert first.executor is second.executor
    monkeypatch.setattr(resolver_module.os, "getpid", lambda: -1)  # as after a fork
    third = ThreadedResolver()
    assert third.executor is not first.executor
    first.executor.shutdown()
    third.executor.shutdown()


def test_overrides_the_most_particular_first(run):
    class Echo(Resolver):
        def resolve(self, host, port, family=socket.AF_UNSPEC):
            future = asyncio.get_running_loop().create_future()
            future.set_result((host, port, family))
            return future

        closed = False

        def close(self):
            self.closed = True

    mapping = {
        "a": "b",
        ("a", 443): ("c", 1443),
        ("a", 443, socket.AF_INET6): ("::1", 2443),
    }

    async def main():
        inner = Echo()
        resolver = OverrideResolver(inner, mapping)
        assert await resolver.resolve("a", 80) == ("b", 80, socket.AF_UNSPEC)
        assert await resolver.resolve("a", 443) == ("c", 1443, socket.AF_UNSPEC)
        assert await resolver.resolve("a", 443, socket.AF_INET6) == ("::1", 2443, socket.AF_INET6)
        assert await resolver.resolve("z", 1) == ("z", 1, socket.AF_UNSPEC)
        resolver.close()
        assert inner.closed

    run(main())


def test_the_default_can_be_configured():
    saved = Resolver._save_configuration()
    try:
        assert type(Resolver()) is DefaultLoopResolver
        Resolver.configure("gustnado.events.resolver.ThreadedResolver", num_threads=1)
        assert type(Resolver()) is ThreadedResolver
    finally:
        Resolver._restore_configuration(saved)


def test_the_contract_must_be_implemented():
    with pytest.raises(NotImplementedError):
        Resolver.resolve(DefaultLoopResolver(), "host", 80)
