"""Writes on a stream."""

from __future__ import annotations

import asyncio

import pytest

from gustnado.errors import StreamBufferFullError, StreamClosedError
from gustnado.events.callbacks import CallbackTypeError
from gustnado.events.stream_writing import as_bytes


def test_writes_keep_their_order_and_their_bytes(everywhere, any_pair):
    async def main():
        async with any_pair() as (ours, theirs):
            ours.write(b"bytes ")
            ours.write(bytearray(b"bytearray "))
            ours.write(memoryview(b"view "))
            ours.write("t\u00e9xt ")
            ours.write(b"")
            await ours.write(memoryview(bytes(8)).cast("L"))
            ours.close()
            assert await theirs.read_until_close() == "bytes bytearray view t\u00e9xt ".encode() + bytes(8)

    everywhere(main())


def test_a_write_that_the_kernel_takes_is_done_at_once(everywhere, pair):
    async def main():
        async with pair() as (ours, _):
            await ours.write(b"opens the stream")
            future = ours.write(b"x")
            assert future.done()
            assert future.result() is None
            assert not ours.writing()

    everywhere(main())


def test_a_write_that_must_wait_is_done_when_all_is_sent(everywhere, pair):
    async def main():
        async with pair() as (ours, theirs):
            await ours.write(b"x")
            future = ours.write(b"y" * 20_000_000)
            assert not future.done()
            assert ours.writing()
            assert len(await theirs.read_bytes(20_000_001)) == 20_000_001
            await future
            assert ours.transport.get_write_buffer_size() == 0

    everywhere(main())


def test_a_write_over_tls_that_must_wait_is_done_when_all_is_sent(run, tls_pair):
    pytest.importorskip("aiofastnet")  # the loops' own TLS counts otherwise

    async def main():
        async with tls_pair() as (ours, theirs):
            await ours.write(b"x")
            future = ours.write(b"y" * 20_000_000)
            assert not future.done()
            assert len(await theirs.read_bytes(20_000_001)) == 20_000_001
            await future

    run(main())


def test_many_small_writes_arrive_whole(everywhere, any_pair):
    async def main():
        async with any_pair() as (ours, theirs):
            reading = theirs.read_bytes(100_000)
            for number in range(10_000):
                ours.write(b"%09d\n" % number)
            data = await reading
            assert data.split() == [b"%09d" % number for number in range(10_000)]

    everywhere(main())


def test_concurrent_writers_all_finish(everywhere, pair):
    async def main():
        async with pair() as (ours, theirs):

            async def produce():
                for _ in range(200):
                    await ours.write(b"x" * 5000)

            async def consume():
                left = 10 * 200 * 5000
                while left:
                    left -= len(await theirs.read_bytes(5000))

            await asyncio.gather(consume(), *(produce() for _ in range(10)))

    everywhere(main())


def test_a_cancelled_writer_takes_nothing_back(run, pair):
    async def main():
        async with pair() as (ours, theirs):
            await ours.write(b"x")
            future = ours.write(b"y" * 20_000_000)
            other = ours.write(b"z")
            future.cancel()
            assert len(await theirs.read_bytes(20_000_002)) == 20_000_002
            await other

    run(main())


def test_what_is_written_before_the_stream_is_open_waits(run, pair):
    async def main():
        async with pair() as (ours, theirs):
            future = ours.write(b"early ")
            assert ours.transport is None
            assert ours.writing()
            assert not future.done()
            ours.write(b"bird")
            await future
            assert not ours.writing()
            assert await theirs.read_bytes(10) == b"early bird"

    run(main())


def test_a_mutable_object_may_be_changed_at_once(everywhere, pair):
    async def main():
        async with pair() as (ours, theirs):
            await ours.write(b"x")
            data = bytearray(b"y" * 5_000_000)
            ours.write(data)
            del data[:]
            view = memoryview(bytearray(b"z" * 5_000_000))
            ours.write(view)
            view[:] = bytes(5_000_000)
            await theirs.read_bytes(1)
            assert await theirs.read_bytes(5_000_000) == b"y" * 5_000_000
            assert await theirs.read_bytes(5_000_000) == b"z" * 5_000_000

    everywhere(main())


@pytest.mark.parametrize("opened", [False, True])
def test_max_write_buffer_size(run, pair, opened):
    async def main():
        async with pair(max_write_buffer_size=1_000_000) as (ours, _theirs):
            if opened:
                await ours.write(b"")
                ours.transport.pause_reading()
                while not ours.writing():
                    ours.write(b"x" * 900_000)
            else:
                ours.write(b"x" * 900_000)
            with pytest.raises(StreamBufferFullError):
                ours.write(b"y" * 1_000_000)
            assert not ours.closed()

    run(main())


def test_writing_to_a_closed_stream_fails(run, pair):
    async def main():
        async with pair() as (ours, _):
            ours.close(exc_info=ZeroDivisionError("why"))
            with pytest.raises(StreamClosedError) as failure:
                ours.write(b"x")
            assert isinstance(failure.value.real_error, ZeroDivisionError)

    run(main())


def test_a_write_whose_peer_has_gone_fails_and_closes_the_stream(everywhere, any_pair):
    async def main():
        async with any_pair() as (ours, theirs):
            await ours.write(b"x")
            await theirs.read_bytes(1)
            theirs.abort()
            with pytest.raises(StreamClosedError):
                for _ in range(1000):
                    await ours.write(b"y" * 1_000_000)
            assert ours.closed()

    everywhere(main())


def test_a_callback_is_called_without_arguments(run, pair):
    async def main():
        async with pair() as (ours, _):
            done = asyncio.Event()
            ours.write("Foobar!", done.set)
            assert not done.is_set()
            await done.wait()
            with pytest.raises(CallbackTypeError):
                ours.write(b"x", 5)

    run(main())


def test_what_a_callback_raises_is_logged_and_closes_the_stream(run, pair, expect_log):
    async def main():
        async with pair() as (ours, _):
            with expect_log("gustnado.application", "Exception in callback"):
                await ours.write(b"x", lambda: 1 / 0)
                await asyncio.sleep(0)
            assert isinstance(ours.error, ZeroDivisionError)

    run(main())


def test_what_is_not_made_of_bytes_is_refused(run, pair):
    async def main():
        async with pair() as (ours, _):
            for data in (None, 5, ["x"], {"a": 1}):
                with pytest.raises(TypeError, match="cannot write"):
                    ours.write(data)

    run(main())


def test_views_of_immutable_bytes_are_not_copied():
    data = b"x" * 100
    view = as_bytes(memoryview(data)[10:])
    assert view.obj is data
    assert as_bytes(memoryview(bytearray(b"abc"))) == b"abc"
    assert as_bytes(memoryview(b"abcdef")[::2]) == b"ace"
    assert as_bytes(memoryview(b"")) == b""
    assert len(as_bytes(memoryview(bytes(16)).cast("L"))) == 16
