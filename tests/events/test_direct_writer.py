"""Writing past a transport: what does not fit, what goes wrong, and who is told."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from typing import Any
from unittest import mock

import pytest

from gustnado.events.direct_writer import DirectWriter
from gustnado.events.stream import IOStream

MANY = b"m" * 20_000_000  # more than the socket buffers hold

direct = pytest.mark.skipif(os.name != "posix", reason="everything goes to the transport")


class Writer(DirectWriter):
    """A consumer that writes."""

    def __init__(self):
        DirectWriter.__init__(self)
        self.events = []

    def write(self, data):
        self.write_past(data, asyncio._get_running_loop())

    def data_received(self, data):
        raise AssertionError(data)

    def eof_received(self):
        return None

    def connection_lost(self, exc):
        self.events.append("lost")

    def pause_writing(self):
        self.events.append("pause")

    def resume_writing(self):
        self.events.append("resume")


@pytest.fixture
def writing(spy):
    """``async with writing(ours) as writer``: a writer on ``ours``, whose transport notes what is written to it."""

    @contextlib.asynccontextmanager
    async def make(ours: Any):
        if ours.transport is None:
            await ours.write(b"")
        transport = ours.transport
        assert transport is not None
        writer = Writer()
        writer.stream = ours
        ours.attach_consumer(writer)
        writer.pass_by(transport, asyncio.get_running_loop())
        ours.transport = spy(transport)
        try:
            yield writer
        finally:
            ours.abort()

    return make


def test_what_is_written_arrives(everywhere, any_pair, writing):
    async def main():
        async with any_pair() as (ours, theirs), writing(ours) as writer:
            for piece in (b"one", b"two", b"", b"three"):
                writer.write(piece)
            assert await theirs.read_bytes(11) == b"onetwothree"

    everywhere(main())


@direct
def test_a_plain_transport_is_not_asked(everywhere, pair, writing):
    async def main():
        async with pair() as (ours, theirs), writing(ours) as writer:
            writer.write(b"hello")
            assert await theirs.read_bytes(5) == b"hello"
            assert not ours.transport.written

    everywhere(main())


def test_one_that_encrypts_is_not_passed_by(everywhere, tls_pair, writing):
    async def main():
        async with tls_pair() as (ours, theirs), writing(ours) as writer:
            writer.write(b"hello")
            assert await theirs.read_bytes(5) == b"hello"
            assert ours.transport.written == [b"hello"]

    everywhere(main())


@direct
def test_what_the_socket_does_not_take_keeps_its_place(everywhere, pair, writing, until):
    """And when that is sent, the transport is passed by again."""

    async def main():
        async with pair() as (ours, theirs), writing(ours) as writer:
            writer.write(MANY)
            assert writer.events == ["pause"]
            writer.write(b"behind")
            assert ours.transport.written[-1] == b"behind"
            assert await theirs.read_bytes(len(MANY) + 6) == MANY + b"behind"
            await until(lambda: not ours.transport.get_write_buffer_size())
            assert writer.events == ["pause", "resume"]
            before = len(ours.transport.written)
            writer.write(b"last")
            assert await theirs.read_bytes(4) == b"last"
            assert len(ours.transport.written) == before

    everywhere(main())


def test_what_waits_in_the_transport_from_before_comes_first(everywhere, pair, writing):
    async def main():
        async with pair() as (ours, theirs):
            await ours.write(b"")
            ours.write(MANY)
            async with writing(ours) as writer:
                writer.write(b"behind")
                assert await theirs.read_bytes(len(MANY) + 6) == MANY + b"behind"

    everywhere(main())


def test_a_peer_that_is_gone_is_for_the_transport_to_find(everywhere, writing, until):
    async def main():
        left, right = socket.socketpair()
        stream = IOStream(left)
        async with writing(stream) as writer:
            stream.pause_reading()
            right.close()
            writer.write(b"nobody hears")
            await until(lambda: writer.events == ["lost"])
            writer.write(b"nobody hears")

    everywhere(main())


@pytest.mark.parametrize("end", ["close", "abort", "detach_consumer"])
def test_a_stream_that_ends_is_not_written_past(everywhere, pair, end, writing):
    async def main():
        async with pair() as (ours, theirs), writing(ours) as writer:
            transport = ours.transport
            writer.write(b"before")
            getattr(ours, end)()
            writer.write(b" behind")
            gone = end != "detach_consumer"
            assert transport.written == ([] if gone else [b" behind"])
            if not gone:
                ours.close()
            assert await theirs.read_until_close() == (b"before" if gone else b"before behind")

    everywhere(main())


@direct
def test_a_loop_that_is_closed_leaves_its_descriptors_to_others(run, writing, spy):
    """So nothing is sent on them where another one runs, or none."""
    left, right = socket.socketpair()
    with asyncio.Runner() as runner, right:

        async def begin():
            context = contextlib.AsyncExitStack()
            stream: Any = IOStream(left)
            return context, stream, await context.enter_async_context(writing(stream))

        context, stream, writer = runner.run(begin())
        transport, stream.transport = stream.transport, spy(mock.Mock())
        nobody: Any = stream.transport
        nobody.transport.get_write_buffer_size.return_value = 0

        async def write(data):
            writer.write(data)

        runner.run(write(b"here"))
        run(write(b"on another loop"))
        writer.write(b"outside")
        assert nobody.written == [b"on another loop", b"outside"]
        assert right.recv(100) == b"here"
        stream.transport = transport
        runner.run(context.aclose())
