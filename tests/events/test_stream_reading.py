"""Pull reads on a stream."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gustnado.errors import StreamBufferFullError, StreamClosedError, UnsatisfiableReadError
from gustnado.events.callbacks import CallbackTypeError
from gustnado.events.readers import AlreadyReadingError, ReadArgumentError


async def settle(condition=None):
    """Let the loop turn until ``condition`` holds."""
    await asyncio.sleep(0)
    while condition is not None and not condition():
        await asyncio.sleep(0.001)


class TestResults:
    def test_reads_of_all_kinds_follow_each_other(self, everywhere, any_pair):
        async def main():
            async with any_pair() as (ours, theirs):
                theirs.write(b"line\r\nBYTES: 5 \n12345abcdefgh" + b"z" * 10)
                assert await ours.read_until(b"\r\n") == b"line\r\n"
                assert await ours.read_until_regex(rb"BYTES: \d+\s+") == b"BYTES: 5 \n"
                assert await ours.read_bytes(5) == b"12345"
                target = bytearray(8)
                assert await ours.read_into(target) == 8
                assert target == b"abcdefgh"
                assert await ours.read_bytes(100, partial=True) == b"z" * 10
                theirs.write(b"the rest")
                theirs.close()
                assert await ours.read_until_close() == b"the rest"

        everywhere(main())

    def test_a_pending_read_is_satisfied_when_enough_has_come(self, run, pair):
        async def main():
            async with pair() as (ours, theirs):
                future = ours.read_bytes(4)
                assert ours.reading()
                await theirs.write(b"ab")
                await asyncio.sleep(0.01)
                assert not future.done()
                await theirs.write(b"cdef")
                assert await future == b"abcd"
                assert not ours.reading()
                buffered = ours.read_bytes(2)
                assert buffered.done()
                assert buffered.result() == b"ef"

        run(main())

    @pytest.mark.parametrize("partial", [False, True])
    def test_reading_nothing_is_done_at_once(self, run, pair, partial):
        async def main():
            async with pair() as (ours, _):
                assert ours.read_bytes(0, partial).result() == b""
                assert ours.read_into(bytearray(), partial).result() == 0
                assert not ours.reading()

        run(main())

    def test_partial_takes_no_more_than_asked(self, run, pair):
        async def main():
            async with pair() as (ours, theirs):
                future = ours.read_bytes(3, partial=True)
                theirs.write(b"world")
                assert await future == b"wor"
                target = bytearray(10)
                assert await ours.read_into(target, partial=True) == 2
                assert target[:2] == b"ld"

        run(main())

    def test_text_stands_for_its_utf8(self, run, pair):
        async def main():
            async with pair() as (ours, theirs):
                theirs.write("gr\u00fc\u00dfe\n\nx")
                assert await ours.read_until("\u00fc") == "gr\u00fc".encode()
                assert await ours.read_until_regex("\n+") == "\u00dfe\n\n".encode()

        run(main())

    @settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.data())
    def test_any_cut_of_the_input_and_any_mix_of_reads_give_the_same_bytes(self, pair, run, data):
        payload = data.draw(st.binary(max_size=300))
        cuts = sorted(data.draw(st.lists(st.integers(0, len(payload)), max_size=6)))
        pieces = [payload[a:b] for a, b in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
        sizes = data.draw(st.lists(st.integers(0, 60), max_size=8))

        async def main():
            async with pair() as (ours, theirs):

                async def send():
                    for piece in pieces:
                        await theirs.write(piece)
                        await asyncio.sleep(0)
                    theirs.close()

                sending = asyncio.ensure_future(send())
                got, left = b"", len(payload)
                for kind, size in enumerate(sizes):
                    size = min(size, left)
                    if kind % 3 == 0:
                        got += await ours.read_bytes(size)
                    elif kind % 3 == 1:
                        target = bytearray(size)
                        await ours.read_into(target)
                        got += target
                    elif size:
                        piece = await ours.read_bytes(size, partial=True)
                        size = len(piece)
                        got += piece
                    left -= size
                assert got + await ours.read_until_close() == payload
                await sending

        run(main())


class TestRefusals:
    def test_two_readers_at_once(self, run, pair):
        async def main():
            async with pair() as (ours, theirs):
                first = ours.read_bytes(1)
                for second in (ours.read_until_close, lambda: ours.read_bytes(1)):
                    with pytest.raises(AlreadyReadingError, match="Already reading"):
                        second()
                await theirs.write(b"x")
                assert await first == b"x"

        run(main())

    def test_arguments_that_make_no_sense(self, run, pair):
        async def main():
            async with pair() as (ours, _):
                for call, error in [
                    (lambda: ours.read_bytes(-1), ReadArgumentError),
                    (lambda: ours.read_bytes("5"), TypeError),
                    (lambda: ours.read_bytes(5, callback=5), CallbackTypeError),
                    (lambda: ours.read_until(b""), ReadArgumentError),
                    (lambda: ours.read_until(b"abc", max_bytes=2), ReadArgumentError),
                    (lambda: ours.read_until(b"abc", None, 5), CallbackTypeError),
                    (lambda: ours.read_until_regex(b"("), __import__("re").error),
                    (lambda: ours.read_into(b"readonly"), ReadArgumentError),
                    (lambda: ours.read_until_close(5), CallbackTypeError),
                    (lambda: ours.read_until_close(streaming_callback=5), CallbackTypeError),
                ]:
                    with pytest.raises(error):
                        call()
                    assert not ours.reading()

        run(main())

    def test_a_closed_stream_gives_what_it_holds_and_no_more(self, run, pair):
        async def main():
            async with pair() as (ours, theirs):
                await theirs.write(b"abcdef")
                assert await ours.read_bytes(1) == b"a"
                ours.close()
                assert await ours.read_bytes(2) == b"bc"
                with pytest.raises(StreamClosedError):
                    ours.read_bytes(4)
                with pytest.raises(StreamClosedError):
                    ours.read_until(b"\n")
                assert await ours.read_until_close() == b"def"
                assert await ours.read_until_close() == b""
                with pytest.raises(StreamClosedError):
                    ours.read_bytes(1, partial=True)

        run(main())


class TestLimits:
    @pytest.mark.parametrize("method", ["read_until", "read_until_regex"])
    def test_max_bytes(self, run, pair, expect_log, method):
        async def main():
            async with pair() as (ours, theirs):
                read = getattr(ours, method)
                theirs.write(b"abcdef")
                assert await read(b"def", max_bytes=6) == b"abcdef"
                with expect_log("gustnado.general", "Unsatisfiable read", level=logging.INFO):
                    theirs.write(b"abcdef")
                    with pytest.raises(StreamClosedError) as failure:
                        await read(b"def", max_bytes=5)
                assert isinstance(failure.value.real_error, UnsatisfiableReadError)
                assert isinstance(ours.error, UnsatisfiableReadError)
                assert ours.closed()

        run(main())

    @pytest.mark.parametrize("read", ["read_until_close", "read_bytes", "read_until"])
    def test_a_read_that_outgrows_the_buffer_closes_the_stream(self, run, pair, expect_log, read):
        arguments = {"read_until_close": (), "read_bytes": (100_000,), "read_until": (b"\n",)}

        async def main():
            async with pair(max_buffer_size=1024) as (ours, theirs):
                future = getattr(ours, read)(*arguments[read])
                with expect_log("gustnado.general", "maximum read buffer size", count=2):
                    theirs.write(b"a" * 4096)
                    with pytest.raises(StreamClosedError) as failure:
                        await future
                assert isinstance(failure.value.real_error, StreamBufferFullError)

        run(main())

    def test_small_reads_from_more_than_the_buffer_holds(self, everywhere, any_pair):
        async def main():
            async with any_pair(max_buffer_size=10 * 1024) as (ours, theirs):
                theirs.write((b"a" * 1023 + b"\n") * 200)
                for _ in range(100):
                    assert await ours.read_bytes(1024) == b"a" * 1023 + b"\n"
                    assert await ours.read_until(b"\n", max_bytes=4096) == b"a" * 1023 + b"\n"

        everywhere(main())

    def test_memory_stays_bounded_while_nobody_reads(self, everywhere, any_pair):
        async def main():
            async with any_pair() as (ours, theirs):
                assert await ours.read_bytes(0) == b""
                theirs.write(b"first" + b"x" * 30_000_000)
                assert await ours.read_bytes(5) == b"first"
                sizes = set()
                for _ in range(50):
                    await asyncio.sleep(0.001)
                    sizes.add(len(ours._read_buffer or b""))
                assert max(sizes) <= ours.read_chunk_size + 256 * 1024
                got = 0
                while got < 30_000_000:
                    got += len(await ours.read_bytes(65536, partial=True))

        everywhere(main())

    def test_64_mebibytes_to_a_slow_reader_with_bounded_memory(self, everywhere, pair):
        total, piece = 64 * 1024 * 1024, 1024 * 1024

        async def main():
            async with pair() as (ours, theirs):
                waiting = set()

                async def send():
                    for _ in range(total // piece):
                        await theirs.write(b"x" * piece)
                        waiting.add(theirs.transport.get_write_buffer_size())

                sending = asyncio.ensure_future(send())
                got, held = 0, 0
                while got < total:
                    got += len(await ours.read_bytes(200_000, partial=True))
                    held = max(held, len(ours._read_buffer or b""))
                    await asyncio.sleep(0)
                await sending
                assert waiting == {0}
                assert held <= ours.read_chunk_size + 256 * 1024

        everywhere(main())

    def test_a_gibibyte_to_a_slow_reader_with_bounded_memory(self, run, any_pair):
        total, piece = 1 << 30, bytes(1 << 20)

        async def main():
            async with any_pair() as (ours, theirs):

                async def send():
                    for _ in range(total // len(piece)):
                        await theirs.write(piece)

                sending = asyncio.ensure_future(send())
                got, before = 0, resident_size()
                while got < total:
                    got += len(await ours.read_bytes(1 << 20, partial=True))
                    await asyncio.sleep(0)
                    if got > total // 8 and before is not None:
                        # Both ends are in this process: a piece or two each, and what the allocator keeps.
                        assert resident_size() - before < 64 * 1024 * 1024
                await sending

        run(main())

    def test_ten_mebibytes_until_a_pattern(self, run, pair):
        async def main():
            async with pair() as (ours, theirs):
                future = ours.read_until_regex(rb"\r?\n\r?\n")
                theirs.write(b"x" * 10_485_760 + b"\r\n\r\nrest")
                assert len(await future) == 10_485_764
                assert await ours.read_bytes(4) == b"rest"

        run(main())


    def test_a_pattern_that_comes_last_and_small_is_found_although_nothing_follows(self, everywhere, pair):
        async def main():
            async with pair() as (ours, theirs):
                future = ours.read_until_regex(rb"END")
                await theirs.write(b"x" * 50_000)
                await settle(lambda: len(ours._read_buffer or b"") == 50_000)
                await theirs.write(b"END")
                assert len(await future) == 50_003
                cancelled = ours.read_until_regex(rb"END")
                await theirs.write(b"x" * 50_000)
                await settle(lambda: len(ours._read_buffer or b"") == 50_000)
                cancelled.cancel()
                assert len(await ours.read_bytes(50_000)) == 50_000

        everywhere(main())


def resident_size():
    """Bytes of memory that this process has now, ``None`` where that cannot be told."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except FileNotFoundError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


class TestCancelling:
    @pytest.mark.parametrize("read", ["read_bytes", "read_until", "read_until_regex", "read_into", "close"])
    def test_a_cancelled_reader_loses_no_byte(self, everywhere, pair, read):
        async def main():
            async with pair() as (ours, theirs):
                reads = {
                    "read_bytes": lambda: ours.read_bytes(10),
                    "read_until": lambda: ours.read_until(b"\n"),
                    "read_until_regex": lambda: ours.read_until_regex(rb"\n"),
                    "read_into": lambda: ours.read_into(bytearray(10)),
                    "close": ours.read_until_close,
                }
                future = reads[read]()
                await theirs.write(b"abc")
                await settle(lambda: ours._read_buffer is not None)
                future.cancel()
                assert not ours.reading()
                await theirs.write(b"def\n1234")
                assert await ours.read_bytes(7) == b"abcdef\n"
                assert await ours.read_bytes(4) == b"1234"

        everywhere(main())

    def test_a_read_cancelled_before_anything_came(self, run, pair):
        async def main():
            async with pair() as (ours, theirs):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(ours.read_bytes(3), 0.01)
                await theirs.write(b"abc")
                assert await ours.read_bytes(3) == b"abc"

        run(main())

    def test_bytes_that_come_while_the_read_is_being_cancelled(self, run, pair):
        async def main():
            async with pair() as (ours, _theirs):
                future = ours.read_bytes(3)
                await settle(lambda: ours.transport is not None)
                future.cancel()
                ours.data_received(b"abc")
                assert await ours.read_bytes(3) == b"abc"

        run(main())


class TestCallbacks:
    def test_in_the_places_of_the_slides(self, run, pair):
        async def main():
            async with pair() as (ours, theirs):
                seen = []
                done = asyncio.Event()

                def on_header(data):
                    seen.append(data)
                    ours.read_until_regex("BYTES: \\d+\\s+", on_pattern)

                def on_pattern(data):
                    seen.append(data)
                    ours.read_bytes(4, on_bytes)

                def on_bytes(data):
                    seen.append(data)
                    ours.read_into(bytearray(2), on_into)

                def on_into(size):
                    seen.append(size)
                    ours.read_until_close(on_close, lambda data: seen.append(data))

                def on_close(data):
                    seen.append(data)
                    done.set()

                ours.read_until("\n\n", on_header)
                theirs.write("header\n\nBYTES: 4 1234ab")
                theirs.write("rest")
                theirs.close()
                await done.wait()
                assert seen == [b"header\n\n", b"BYTES: 4 ", b"1234", 2, b"rest", b""]

        run(main())

    def test_a_limit_may_follow_the_callback(self, run, pair):
        async def main():
            async with pair() as (ours, theirs):
                seen = []
                theirs.write(b"a\nb\nccddee")
                await ours.read_until(b"\n", seen.append, 100)
                await ours.read_until_regex(b"\n", 100, seen.append)
                await ours.read_bytes(2, seen.append)
                await ours.read_bytes(2, False, None, seen.append)
                await ours.read_bytes(100, partial=True, callback=seen.append)
                await asyncio.sleep(0)
                assert seen == [b"a\n", b"b\n", b"cc", b"dd", b"ee"]

        run(main())

    def test_a_streaming_callback_gets_the_pieces(self, run, pair):
        async def main():
            async with pair() as (ours, theirs):
                pieces = []
                future = ours.read_bytes(6, streaming_callback=pieces.append)
                await theirs.write(b"abc")
                await settle(lambda: pieces)
                await theirs.write(b"defgh")
                assert await future == b""
                assert b"".join(pieces) == b"abcdef"
                assert len(pieces) == 2
                assert await ours.read_bytes(2) == b"gh"

        run(main())

    @pytest.mark.parametrize(
        "read",
        [
            lambda stream, callback: stream.read_bytes(1, callback),
            lambda stream, callback: stream.read_bytes(5, callback=callback, partial=True),
            lambda stream, callback: stream.read_bytes(2, streaming_callback=callback),
            lambda stream, callback: stream.read_until("x", callback),
            lambda stream, callback: stream.read_until_regex("x+", callback),
            lambda stream, callback: stream.read_into(bytearray(1), callback=callback),
            lambda stream, callback: stream.read_until_close(print, callback),
        ],
    )
    @pytest.mark.parametrize("is_coroutine", [False, True])
    def test_what_a_callback_raises_is_logged_and_closes_the_stream(
        self, run, pair, expect_log, read, is_coroutine
    ):
        def fail(result):
            raise ZeroDivisionError

        async def fail_later(result):
            fail(result)

        async def main():
            async with pair() as (ours, theirs):
                with expect_log("gustnado.application", "Exception in callback") as log:
                    read(ours, fail_later if is_coroutine else fail)
                    await theirs.write(b"x")
                    await settle(ours.closed)
                assert log.records[0].exc_info[0] is ZeroDivisionError
                assert isinstance(ours.error, ZeroDivisionError)

        run(main())

    def test_a_callback_is_not_called_when_the_stream_closes(self, run, pair):
        async def main():
            async with pair() as (ours, theirs):
                seen = []
                ours.read_bytes(10, seen.append)
                theirs.close()
                await settle(ours.closed)
                await asyncio.sleep(0)
                assert seen == []

        run(main())


class TestHolding:
    def test_the_program_can_stop_reading(self, everywhere, pair):
        async def main():
            async with pair() as (ours, theirs):
                await ours.write(b"opens the stream")
                ours.pause_reading()
                future = ours.read_bytes(1)
                await theirs.write(b"x")
                await asyncio.sleep(0.01)
                assert not future.done()
                ours.resume_reading()
                assert await future == b"x"
                ours.pause_reading()
                await theirs.write(b"y")
                await asyncio.sleep(0.01)
                assert ours._read_buffer is None
                ours.resume_reading()
                assert await ours.read_bytes(1) == b"y"

        everywhere(main())

    def test_before_the_stream_is_open(self, everywhere, pair):
        async def main():
            async with pair() as (ours, theirs):
                ours.pause_reading()
                await ours.write(b"opens the stream")
                await asyncio.sleep(0.01)
                await theirs.write(b"x")
                await asyncio.sleep(0.01)
                assert ours._read_buffer is None
                ours.resume_reading()
                assert await ours.read_bytes(1) == b"x"

        everywhere(main())
