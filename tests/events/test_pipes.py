"""Streams over pipes, which the stream reads and writes itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys

import pytest

from gustnado.errors import StreamClosedError
from gustnado.events.pipes import PipeIOStream

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows' event loops do not watch pipes")


@contextlib.asynccontextmanager
async def pipe(**options):
    readable, writable = os.pipe()
    source, sink = PipeIOStream(readable, **options), PipeIOStream(writable, **options)
    try:
        yield source, sink
    finally:
        source.abort()
        sink.abort()
        await asyncio.sleep(0.01)


def test_bytes_go_through(everywhere):
    async def main():
        async with pipe() as (source, sink):
            await sink.write(b"hel")
            await sink.write(b"lo world")
            assert await source.read_until(b" ") == b"hello "
            assert await source.read_bytes(3) == b"wor"
            sink.close()
            assert await source.read_until_close() == b"ld"
            assert source.closed()

    everywhere(main())


def test_more_than_a_pipe_holds(everywhere):
    async def main():
        async with pipe() as (source, sink):
            future = sink.write(b"1" * 1_000_000)
            assert sink.writing()
            assert not future.done()
            assert await source.read_bytes(1_000_000) == b"1" * 1_000_000
            await future
            assert not sink.writing()

    everywhere(main())


def test_closing_sends_what_was_written(everywhere):
    async def main():
        async with pipe() as (source, sink):
            sink.write(b"1" * 300_000)
            sink.close()
            assert len(await source.read_until_close()) == 300_000

    everywhere(main())


def test_what_is_written_before_the_loop_turns_is_sent_although_closed_at_once(everywhere):
    async def main():
        async with pipe() as (source, sink):
            sink.write(b"bye")
            sink.close()
            assert await source.read_until_close() == b"bye"

    everywhere(main())


def test_the_writer_learns_that_the_reader_has_gone(everywhere):
    async def main():
        async with pipe() as (source, sink):
            closed = asyncio.Event()
            sink.set_close_callback(closed.set)
            await sink.write(b"x")
            source.close()
            await closed.wait()
            assert sink.error is None

    everywhere(main())


def test_writing_to_a_pipe_whose_reader_has_gone_fails(everywhere):
    async def main():
        async with pipe() as (source, sink):
            await sink.write(b"x")
            source.close()
            with pytest.raises(StreamClosedError):
                await sink.write(b"1" * 1_000_000)
                await sink.write(b"y")
            assert sink.closed()

    everywhere(main())


def test_reading_pauses_while_nobody_reads(everywhere):
    async def main():
        async with pipe(read_chunk_size=1000) as (source, sink):
            await source.read_bytes(0)
            sink.write(b"1" * 300_000)
            for _ in range(50):
                await asyncio.sleep(0)
            assert sink.writing()
            assert len(await source.read_bytes(300_000)) == 300_000

    everywhere(main())


def test_a_close_callback_set_while_reading_pauses_changes_nothing(everywhere):
    async def main():
        async with pipe(read_chunk_size=10) as (source, sink):
            await sink.write(b"1" * 1000)
            assert await source.read_bytes(1) == b"1"
            while not source._paused:
                await asyncio.sleep(0)
            transport = source.transport
            source.set_close_callback(lambda: None)
            await asyncio.sleep(0)
            assert source.transport is transport
            assert await source.read_bytes(999) == b"1" * 999

    everywhere(main())


def test_the_descriptor_is_closed_once(everywhere):
    async def main():
        async with pipe() as (source, sink):
            fd = source.fileno()
            await sink.write(b"x")
            await source.read_bytes(1)
            source.close()
            source.close()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            with pytest.raises(OSError):
                os.fstat(fd)

    everywhere(main())


def test_closing_before_it_was_used_closes_the_descriptor(run):
    async def main():
        readable, writable = os.pipe()
        os.close(writable)
        stream = PipeIOStream(readable)
        stream.close()
        await asyncio.sleep(0)
        with pytest.raises(OSError):
            os.fstat(readable)

    run(main())
