"""Against a name server that these tests run themselves, on the loopback."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import struct
import sys

import pytest

from gustnado.errors import UsageError
from gustnado.events.cares_resolver import CaresResolver
from gustnado.events.loop import IOLoop
from gustnado.events.resolver import Resolver

pycares = pytest.importorskip("pycares")

A, AAAA = 1, 28
NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME = 0, 2, 3
RECURSION = 0x8180  # an answer, recursion desired and available
TRUNCATED = 0x0200


def question_of(query):
    """Name and type that are asked for, and the bytes of the question."""
    labels, place = [], 12
    while query[place]:
        labels.append(query[place + 1 : place + 1 + query[place]].decode())
        place += query[place] + 1
    (kind,) = struct.unpack_from("!H", query, place + 1)
    return ".".join(labels).lower(), kind, query[12 : place + 5]


def answer_to(query, code, addresses, flags=0):
    """The answer, with the records of the type that was asked for (RFC 1035 section 4.1)."""
    _, kind, question = question_of(query)
    packed = [ipaddress.ip_address(text).packed for text in addresses]
    wanted = [address for address in packed if len(address) == {A: 4, AAAA: 16}.get(kind)]
    head = struct.pack(
        "!HHHHHH", *struct.unpack_from("!H", query), RECURSION | flags | code, 1, len(wanted), 0, 0
    )
    records = [struct.pack("!HHHIH", 0xC00C, kind, 1, 60, len(address)) + address for address in wanted]
    return head + question + b"".join(records)


class NameServer(asyncio.DatagramProtocol):
    """Knows the names of ``zone``: addresses, or one of the words below."""

    def __init__(self, zone):
        self.zone = zone
        self.asked = []
        self.over_tcp = []
        self.silences = 0  # queries that get no answer

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, query, address):
        name, kind, _ = question_of(query)
        self.asked.append((name, kind))
        known = self.zone.get(name)
        if known == "silent":
            return
        if self.silences:
            self.silences -= 1
            return
        self.transport.sendto(self._answer(query, known), address)

    def _answer(self, query, known):
        if known == "broken":
            return answer_to(query, SERVER_FAILURE, [])
        if known == "garbage":
            return query[:2] + b"\xff" * 30
        if isinstance(known, tuple):  # too long for a datagram
            return answer_to(query, NO_ERROR, [], flags=TRUNCATED)
        return answer_to(query, NO_SUCH_NAME if known is None else NO_ERROR, known or [])

    async def serve_tcp(self, reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                (size,) = struct.unpack("!H", await reader.readexactly(2))
                query = await reader.readexactly(size)
                name, _, _ = question_of(query)
                self.over_tcp.append(name)
                answer = answer_to(query, NO_ERROR, self.zone[name])
                writer.write(struct.pack("!H", len(answer)) + answer)
        writer.close()


@contextlib.asynccontextmanager
async def serving(zone):
    """``(server, address)`` of a name server that listens on both UDP and TCP."""
    loop = asyncio.get_running_loop()
    name_server = NameServer(zone)
    tcp = await asyncio.start_server(name_server.serve_tcp, "127.0.0.1", 0)
    port = tcp.sockets[0].getsockname()[1]
    transport, _ = await loop.create_datagram_endpoint(lambda: name_server, local_addr=("127.0.0.1", port))
    try:
        yield name_server, f"127.0.0.1:{port}"
    finally:
        transport.close()
        tcp.close()


@contextlib.asynccontextmanager
async def resolving(zone, **options):
    """``(resolver, server)``."""
    async with serving(zone) as (server, address):
        resolver = CaresResolver(servers=[address], **({"timeout": 5, "tries": 1} | options))
        try:
            yield resolver, server
        finally:
            resolver.close()
            assert resolver.fds == {}


def test_names_become_addresses(everywhere):
    async def main():
        async with resolving({"www.example.test": ["192.0.2.1", "192.0.2.2", "2001:db8::1"]}) as (
            resolver,
            server,
        ):
            found = await resolver.resolve("www.example.test", 80)
            assert sorted(found) == [
                (socket.AF_INET, ("192.0.2.1", 80)),
                (socket.AF_INET, ("192.0.2.2", 80)),
                (socket.AF_INET6, ("2001:db8::1", 80, 0, 0)),
            ]
            assert sorted(server.asked) == [("www.example.test", A), ("www.example.test", AAAA)]

    everywhere(main())


def test_only_one_family(run):
    async def main():
        async with resolving({"a.test": ["192.0.2.1", "2001:db8::1"]}) as (resolver, server):
            assert await resolver.resolve("a.test", 80, socket.AF_INET) == [
                (socket.AF_INET, ("192.0.2.1", 80))
            ]
            (found,) = await resolver.resolve("a.test", 443, socket.AF_INET6)
            assert found == (socket.AF_INET6, ("2001:db8::1", 443, 0, 0))
            assert server.asked == [("a.test", A), ("a.test", AAAA)]

    run(main())


def test_many_at_once(everywhere):
    async def main():
        zone = {f"host{number}.test": [f"192.0.2.{number}"] for number in range(100)}
        async with resolving(zone) as (resolver, _):
            found = await asyncio.gather(*(resolver.resolve(name, 80, socket.AF_INET) for name in zone))
            assert found == [[(socket.AF_INET, (text, 80))] for (text,) in zone.values()]

    everywhere(main())


def test_an_answer_too_long_for_a_datagram_comes_over_tcp(everywhere):
    async def main():
        addresses = tuple(f"192.0.2.{number}" for number in range(1, 200))
        async with resolving({"long.test": addresses}) as (resolver, server):
            found = await resolver.resolve("long.test", 80, socket.AF_INET)
            assert {address for _, (address, _) in found} == set(addresses)
            assert server.over_tcp == ["long.test"]

    everywhere(main())


def test_a_lost_datagram_is_sent_again(run):
    async def main():
        async with resolving({"a.test": ["192.0.2.1"]}, timeout=0.05, tries=3) as (resolver, server):
            server.silences = 1
            assert await resolver.resolve("a.test", 80, socket.AF_INET) == [
                (socket.AF_INET, ("192.0.2.1", 80))
            ]
            assert len(server.asked) == 2

    run(main())


def test_addresses_in_text_ask_nobody(run):
    async def main():
        async with resolving({}) as (resolver, server):
            assert await resolver.resolve("192.0.2.7", 80) == [(socket.AF_INET, ("192.0.2.7", 80))]
            assert await resolver.resolve("::1", 80) == [(socket.AF_INET6, ("::1", 80, 0, 0))]
            assert server.asked == []

    run(main())


@pytest.mark.skipif(sys.platform != "linux", reason="reads /etc/hosts")
def test_names_of_this_machine_ask_nobody(run):
    async def main():
        async with resolving({}) as (resolver, server):
            assert (socket.AF_INET, ("127.0.0.1", 80)) in await resolver.resolve("localhost", 80)
            assert server.asked == []

    run(main())


def test_names_beyond_ascii(run):
    async def main():
        async with resolving({"xn--mnchen-3ya.test": ["192.0.2.1"]}) as (resolver, _):
            assert len(await resolver.resolve("München.test", 80, socket.AF_INET)) == 1

    run(main())


class TestErrors:
    def code_for(self, run, host, zone, **options):
        async def main():
            async with resolving(zone, **options) as (resolver, _):
                with pytest.raises(socket.gaierror) as raised:
                    await resolver.resolve(host, 80, socket.AF_INET)
                assert repr(host) in str(raised.value)
                return raised.value.errno

        return run(main())

    def test_no_such_name(self, run):
        assert self.code_for(run, "unknown.test", {}) == socket.EAI_NONAME

    def test_a_name_without_such_addresses(self, run):
        assert self.code_for(run, "six.test", {"six.test": ["2001:db8::1"]}) == socket.EAI_NONAME

    def test_a_server_that_is_silent(self, run):
        assert self.code_for(run, "a.test", {"a.test": "silent"}, timeout=0.05) == socket.EAI_AGAIN

    def test_a_server_that_is_broken(self, run):
        assert self.code_for(run, "a.test", {"a.test": "broken"}) == socket.EAI_AGAIN

    def test_a_server_that_talks_garbage(self, run):
        code = self.code_for(run, "a.test", {"a.test": "garbage"}, timeout=0.05)
        assert code in (socket.EAI_AGAIN, socket.EAI_FAIL)

    @pytest.mark.parametrize("host", ["", "a" * 64 + ".test", "a..b", "a.test\0.b", "127.0.0.1\0"])
    def test_what_cannot_be_a_name(self, host, run):
        assert self.code_for(run, host, {"a.test": ["192.0.2.1"]}) == socket.EAI_NONAME


def test_who_stops_waiting_does_no_harm(run):
    async def main():
        async with resolving({"a.test": ["192.0.2.1"], "b.test": "silent"}) as (resolver, _):
            first = asyncio.ensure_future(resolver.resolve("b.test", 80))
            await asyncio.sleep(0)
            first.cancel()
            assert len(await resolver.resolve("a.test", 80, socket.AF_INET)) == 1

    run(main())


def test_closing_ends_what_is_under_way(everywhere):
    async def main():
        async with resolving({"a.test": "silent"}) as (resolver, server):
            asking = asyncio.ensure_future(resolver.resolve("a.test", 80))
            while not server.asked:
                await asyncio.sleep(0.001)
            assert resolver.fds
            resolver.close()
            with pytest.raises(socket.gaierror):
                await asking
            assert resolver.io_loop.handlers == {}
            with pytest.raises(UsageError, match="resolver is closed"):
                await resolver.resolve("a.test", 80)

    everywhere(main())


def test_a_loop_can_be_passed_in():
    loop = IOLoop(make_current=False)
    resolver = CaresResolver(io_loop=loop)
    assert resolver.io_loop is loop
    assert loop.run_sync(lambda: resolver.resolve("192.0.2.1", 80)) == [(socket.AF_INET, ("192.0.2.1", 80))]
    resolver.close()
    loop.close()


def test_it_can_be_configured(run):
    async def main():
        saved = Resolver._save_configuration()
        try:
            Resolver.configure("gustnado.tornado.platform.caresresolver.CaresResolver")
            resolver = Resolver()
            assert type(resolver) is CaresResolver
            resolver.close()
        finally:
            Resolver._restore_configuration(saved)

    run(main())


def test_without_pycares_it_says_what_to_install(run, monkeypatch):
    async def main():
        monkeypatch.setitem(sys.modules, "pycares", None)
        with pytest.raises(UsageError, match=r"pip install 'gustnado\[cares\]'"):
            CaresResolver()

    run(main())
