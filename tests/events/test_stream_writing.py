"""Writes on a stream."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gustnado.errors import StreamBufferFullError, StreamClosedError
from gustnado.events.callbacks import CallbackTypeError
from gustnado.events.coroutines import coroutine
from gustnado.events.stream_writing import GATHER_LIMIT, SMALL_WRITE, as_bytes


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


def test_many_small_writes_arrive_whole(everywhere, any_pair, spied):
    async def main():
        asyncio.get_running_loop().set_debug(False)  # in which each future looks at the stack
        async with any_pair() as (ours, theirs):
            reading = theirs.read_bytes(100_000)
            for number in range(10_000):
                ours.write(b"%09d\n" % number)
            data = await reading
            assert data.split() == [b"%09d" % number for number in range(10_000)]

    everywhere(main())


class Deaf:
    """A consumer that is interested in nothing."""

    def data_received(self, data):
        pass

    def eof_received(self):
        pass

    def connection_lost(self, error):
        pass

    def pause_writing(self):
        pass

    def resume_writing(self):
        pass


@pytest.fixture
def spied(spy):
    """``async with spied(pair) as (ours, theirs, written)``: open streams, and what reaches the transport of ours."""

    @contextlib.asynccontextmanager
    async def make(pair, **options):
        async with pair(**options) as (ours, theirs):
            await ours.write(b"x")
            await theirs.write(b"x")
            assert await ours.read_bytes(1) == await theirs.read_bytes(1) == b"x"
            ours.transport = spy(ours.transport)
            yield ours, theirs, ours.transport.written

    return make


class TestGathering:
    def test_many_small_writes_cost_few_of_the_transport(self, everywhere, any_pair, spied):
        async def main():
            asyncio.get_running_loop().set_debug(False)  # as above
            async with spied(any_pair) as (ours, theirs, written):
                reading = theirs.read_bytes(100_000)
                writes = [ours.write(b"%09d\n" % number) for number in range(10_000)]
                assert (await reading).split() == [b"%09d" % number for number in range(10_000)]
                await asyncio.gather(*writes)
                assert len(written) <= 2 + 100_000 // GATHER_LIMIT

        everywhere(main())

    def test_an_answer_leaves_at_once_and_what_follows_it_at_the_end_of_the_turn(self, run, pair, spied):
        async def main():
            async with spied(pair) as (ours, theirs, written):
                for _ in range(2):
                    del written[:]
                    futures = [ours.write(b"a"), ours.write("b"), ours.write(bytearray(b"c"))]
                    assert written == [b"a"]
                    assert [future.done() for future in futures] == [True, False, False]
                    assert ours.writing()
                    await asyncio.sleep(0)
                    assert written == [b"a", b"bc"]
                    assert all(future.done() for future in futures)
                    assert not ours.writing()
                    await theirs.write(b"x")
                    assert await ours.read_bytes(1) == b"x"
                assert await theirs.read_bytes(6) == b"abcabc"

        run(main())

    def test_awaiting_one_sends_all_of_them_without_a_turn(self, run, pair, spied):
        async def main():
            async with spied(pair) as (ours, _, written):
                turns = []
                asyncio.get_running_loop().call_soon(turns.append, 1)
                for number in range(1000):
                    ours.write(b"a")
                    await ours.write(b"b")
                    assert len(b"".join(written)) == 2 * (number + 1)
                assert turns == []

        run(main())

    def test_a_generator_that_yields_one_goes_on(self, run, pair, spied):
        async def main():
            async with spied(pair) as (ours, theirs, _):

                @coroutine
                def write():
                    for _ in range(3):
                        yield ours.write(b"ab")

                await write()
                assert await theirs.read_bytes(6) == b"ababab"

        run(main())

    def test_enough_or_a_large_one_leaves_before_the_end_of_the_turn(self, run, pair, spied):
        async def main():
            async with spied(pair) as (ours, _, written):
                ours.write(b"a")
                for _ in range(5):
                    future = ours.write(b"x" * SMALL_WRITE)
                assert [len(data) for data in written] == [1, GATHER_LIMIT]
                assert not future.done()
                ours.write(b"x" * (SMALL_WRITE + 1))
                assert [len(data) for data in written] == [1, GATHER_LIMIT, SMALL_WRITE, SMALL_WRITE + 1]
                assert future.done()

        run(main())

    def test_order_is_kept_whatever_waits(self, everywhere, any_pair, spied):
        async def main():
            async with spied(any_pair) as (ours, theirs, _):
                pieces = [b"%07d" % number * (20_000 if number % 5 == 4 else 1) for number in range(100)]
                futures = [ours.write(piece) for piece in pieces]
                assert await theirs.read_bytes(sum(map(len, pieces))) == b"".join(pieces)
                await asyncio.gather(*futures)

        everywhere(main())

    def test_closing_sends_what_was_gathered(self, everywhere, any_pair, spied):
        async def main():
            async with spied(any_pair) as (ours, theirs, _):
                ours.write(b"a")
                future = ours.write(b"b")
                ours.close()
                assert future.done()
                assert future.exception() is None
                assert await theirs.read_until_close() == b"ab"

        everywhere(main())

    def test_aborting_drops_it(self, run, pair, spied):
        async def main():
            async with spied(pair) as (ours, theirs, written):
                ours.write(b"a")
                future = ours.write(b"b")
                ours.abort()
                with pytest.raises(StreamClosedError):
                    await future
                await asyncio.sleep(0)
                assert written == [b"a"]
                assert await theirs.read_until_close() in (b"", b"a")

        run(main())

    def test_a_connection_that_is_lost_meanwhile_fails_it(self, run, pair, spied):
        async def main():
            async with spied(pair) as (ours, _, _):
                ours.write(b"a")
                future = ours.write(b"b")
                ours.transport.abort()
                with pytest.raises(StreamClosedError):
                    await future

        run(main())

    def test_the_end_of_writing_comes_after_it(self, everywhere, pair, spied):
        async def main():
            async with spied(pair) as (ours, theirs, _):
                ours.write(b"a")
                ours.write(b"b")
                ours.write_eof()
                assert await theirs.read_until_close() == b"ab"

        everywhere(main())

    def test_a_consumer_comes_after_it_and_ends_it(self, run, pair, spied):
        async def main():
            async with spied(pair) as (ours, _, written):
                ours.write(b"a")
                ours.write(b"b")
                ours.attach_consumer(Deaf())
                assert written == [b"a", b"b"]
                for data in (b"c", b"d"):
                    assert ours.write(data).done()
                ours.transport.write(b"e")
                assert written == [b"a", b"b", b"c", b"d", b"e"]
                ours.detach_consumer()

        run(main())

    def test_a_callback_is_called(self, run, pair, spied):
        async def main():
            async with spied(pair) as (ours, _, _):
                called = []
                ours.write(b"a", lambda: called.append("a"))
                ours.write(b"b", lambda: called.append("b"))
                assert called == []
                while called != ["a", "b"]:
                    await asyncio.sleep(0)

        run(main())

    def test_a_cancelled_one_takes_nothing_back(self, run, pair, spied):
        async def main():
            async with spied(pair) as (ours, theirs, _):
                ours.write(b"a")
                future, other = ours.write(b"b"), ours.write(b"c")
                future.cancel()
                await other
                assert await theirs.read_bytes(3) == b"abc"

        run(main())

    def test_what_the_kernel_takes_does_not_count_as_waiting(self, run, pair, spied):
        async def main():
            async with spied(pair, max_write_buffer_size=10) as (ours, theirs, _):
                for _ in range(10):
                    ours.write(b"12345678")
                assert await theirs.read_bytes(80) == b"12345678" * 10

        run(main())


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


STEPS = st.one_of(
    st.tuples(st.sampled_from(["write", "await"]), st.binary(max_size=200)),
    st.tuples(st.just("await"), st.integers(1, 3).map(lambda times: b"x" * (times * SMALL_WRITE))),
    st.tuples(st.sampled_from(["turn", "arrive", "cancel"]), st.just(b"")),
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=30), ending=st.sampled_from(["close", "eof"]))
def test_any_mix_of_writes_waits_and_turns_sends_the_same_bytes(run, pair, steps, ending):
    async def main():
        async with pair() as (ours, theirs):
            await ours.write(b"")
            reading = theirs.read_until_close()
            expected = b""
            for action, data in steps:
                if action == "arrive":
                    await theirs.write(b"x")
                    await ours.read_bytes(1)
                elif action == "turn":
                    await asyncio.sleep(0)
                else:
                    future = ours.write(data or b"?")
                    expected += data or b"?"
                    if action == "await":
                        await future
                    elif action == "cancel" and not future.done():
                        future.cancel()
            if ending == "eof":
                ours.write_eof()
            else:
                ours.close()
            assert await reading == expected

    run(main())
