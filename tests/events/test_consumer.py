"""The seam between a stream and the protocol on it."""

from __future__ import annotations

import asyncio
import socket
import sys

import pytest

from gustnado.events.readers import AlreadyReadingError
from gustnado.events.stream import IOStream


class Consumer:
    def __init__(self, keep_open=None):
        self.events = []
        self.received = b""
        self.keep_open = keep_open
        self.depth = None

    def data_received(self, data):
        self.depth = sys._getframe(1).f_code.co_filename if sys._getframe(1) else None
        self.received += data

    def eof_received(self):
        self.events.append("eof")
        return self.keep_open

    def connection_lost(self, exc):
        self.events.append(("lost", exc))

    def pause_writing(self):
        self.events.append("pause")

    def resume_writing(self):
        self.events.append("resume")


def test_gets_what_arrives_from_the_transport_itself(everywhere, any_pair, until):
    async def main():
        async with any_pair() as (ours, theirs):
            consumer = Consumer()
            ours.attach_consumer(consumer)
            for piece in (b"one", b"two", b"three"):
                await theirs.write(piece)
                await until(lambda piece=piece: consumer.received.endswith(piece))
            assert consumer.received == b"onetwothree"
            assert "gustnado" not in consumer.depth, "a frame of ours between transport and consumer"

    everywhere(main())


def test_gets_what_the_stream_held_before_attaching_returns(everywhere, any_pair, until):
    async def main():
        async with any_pair() as (ours, theirs):
            await theirs.write(b"line\nmore")
            assert await ours.read_until(b"\n") == b"line\n"
            consumer = Consumer()
            ours.attach_consumer(consumer)
            assert consumer.received == b"more"
            await theirs.write(b" to come")
            await until(lambda: consumer.received == b"more to come")

    everywhere(main())


def test_may_be_attached_before_there_is_a_transport(everywhere, any_pair, until):
    async def main():
        async with any_pair() as (ours, theirs):
            consumer = Consumer()
            assert ours.transport is None
            ours.attach_consumer(consumer)
            ours.write(b"written early")
            assert await theirs.read_bytes(13) == b"written early"
            await theirs.write(b"x")
            await until(lambda: consumer.received == b"x")

    everywhere(main())


def test_writes_to_the_transport_and_to_the_stream_keep_their_order(everywhere, any_pair):
    async def main():
        async with any_pair() as (ours, theirs):
            ours.attach_consumer(Consumer())
            await ours.write(b"0")
            for number in range(1, 1000):
                (ours.write if number % 2 else ours.transport.write)(b"%d " % number)
            ours.close()
            data = await theirs.read_until_close()
            assert data == b"0" + b"".join(b"%d " % number for number in range(1, 1000))

    everywhere(main())


def test_detaching_leaves_a_pull_stream_with_the_unread_bytes_first(everywhere, any_pair, until):
    async def main():
        async with any_pair() as (ours, theirs):
            consumer = Consumer()
            ours.attach_consumer(consumer)
            await theirs.write(b"upgrade\nrest ")
            await until(lambda: consumer.received == b"upgrade\nrest ")
            ours.detach_consumer(b"rest ")
            await theirs.write(b"of it")
            assert await ours.read_bytes(10) == b"rest of it"
            second = Consumer()
            ours.attach_consumer(second)
            await theirs.write(b"again")
            await until(lambda: second.received == b"again")
            assert consumer.received == b"upgrade\nrest "
            ours.detach_consumer()
            await ours.write(b"x")
            theirs.close()
            assert await ours.read_until_close() == b""
            assert consumer.events == second.events == []

    everywhere(main())


def test_may_detach_itself_while_it_is_given_data(everywhere, pair, until):
    class OneLine(Consumer):
        def data_received(self, data):
            line, _, rest = data.partition(b"\n")
            self.received += line
            self.stream.detach_consumer(rest)

    async def main():
        async with pair() as (ours, theirs):
            consumer = OneLine()
            consumer.stream = ours
            ours.attach_consumer(consumer)
            await theirs.write(b"line\nrest")
            await until(lambda: consumer.received)
            assert await ours.read_bytes(4) == b"rest"
            await theirs.write(b"x\ny")
            assert await ours.read_bytes(1) == b"x"
            ours.attach_consumer(consumer)
            assert await ours.read_bytes(1) == b"y"

    everywhere(main())


def test_there_is_one_reader_at_a_time(run, pair):
    async def main():
        async with pair() as (ours, theirs):
            future = ours.read_bytes(5)
            with pytest.raises(AlreadyReadingError):
                ours.attach_consumer(Consumer())
            future.cancel()
            ours.attach_consumer(Consumer())
            with pytest.raises(AlreadyReadingError):
                ours.attach_consumer(Consumer())
            for read in (lambda: ours.read_bytes(1), ours.read_until_close, lambda: ours.read_until(b"x")):
                with pytest.raises(AlreadyReadingError):
                    read()
            assert not ours.reading()
            ours.detach_consumer()
            ours.detach_consumer()
            await theirs.write(b"x")
            assert await ours.read_bytes(1) == b"x"

    run(main())


class TestTheEnd:
    def test_connection_lost_comes_once_after_the_peers_end(self, everywhere, any_pair):
        async def main():
            async with any_pair() as (ours, theirs):
                consumer = Consumer()
                ours.attach_consumer(consumer)
                closed = asyncio.Event()
                ours.set_close_callback(closed.set)
                await theirs.write(b"x")
                theirs.close()
                await closed.wait()
                await asyncio.sleep(0.01)
                assert consumer.events == ["eof", ("lost", None)]
                assert consumer.received == b"x"
                assert ours.closed()

        everywhere(main())

    def test_connection_lost_comes_once_after_closing(self, everywhere, any_pair, until):
        async def main():
            async with any_pair() as (ours, theirs):
                consumer = Consumer()
                ours.attach_consumer(consumer)
                await ours.write(b"x")
                ours.close()
                ours.close()
                assert await theirs.read_until_close() == b"x"
                theirs.close()
                await until(lambda: ("lost", None) in consumer.events)
                await asyncio.sleep(0.01)
                assert consumer.events[-1] == ("lost", None)
                assert [event for event in consumer.events if event != "eof"] == [("lost", None)]

        everywhere(main())

    @pytest.mark.parametrize("turns", [0, 1, 2])
    def test_connection_lost_comes_when_closing_before_the_stream_was_open(self, everywhere, any_pair, turns, until):
        async def main():
            async with any_pair() as (ours, _):
                consumer = Consumer()
                ours.attach_consumer(consumer)
                for _ in range(turns):
                    await asyncio.sleep(0)
                ours.abort()
                await until(lambda: consumer.events)
                await asyncio.sleep(0.01)
                assert consumer.events == [("lost", None)]

        everywhere(main())

    def test_a_reset_is_told(self, everywhere, pair, until):
        async def main():
            async with pair() as (ours, theirs):
                consumer = Consumer()
                ours.attach_consumer(consumer)
                await ours.write(b"unread")
                await theirs.write(b"")
                theirs.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                theirs.abort()
                await until(lambda: consumer.events)
                [(name, error)] = consumer.events
                assert name == "lost"
                assert isinstance(error, ConnectionResetError)
                assert ours.error is error

        everywhere(main())

    def test_half_closing_is_possible(self, everywhere, pair, until):
        async def main():
            async with pair() as (ours, theirs):
                consumer = Consumer(keep_open=True)
                ours.attach_consumer(consumer)
                await theirs.write(b"question")
                theirs.write_eof()
                await until(lambda: consumer.events == ["eof"])
                ours.transport.write(b"answer")
                ours.close()
                assert await theirs.read_until_close() == b"answer"
                await until(lambda: len(consumer.events) == 2)
                assert consumer.events == ["eof", ("lost", None)]

        everywhere(main())

    @pytest.mark.parametrize("keep_open", [None, True])
    def test_an_end_that_came_before_the_consumer_is_told(self, everywhere, any_pair, keep_open, until):
        async def main():
            async with any_pair() as (ours, theirs):
                await theirs.write(b"ab")
                theirs.close()
                assert await ours.read_bytes(1) == b"a"
                await asyncio.sleep(0.05)
                consumer = Consumer(keep_open)
                ours.attach_consumer(consumer)
                assert consumer.received == b"b"
                await asyncio.sleep(0.01)
                ours.close()
                await until(lambda: ("lost", None) in consumer.events)

        everywhere(main())

    def test_attached_to_a_closed_stream_it_gets_the_rest_and_the_news(self, run, pair, until):
        async def main():
            async with pair() as (ours, theirs):
                await theirs.write(b"ab")
                await ours.read_bytes(1)
                ours.close()
                consumer = Consumer()
                ours.attach_consumer(consumer)
                assert consumer.received == b"b"
                assert consumer.events == []
                await until(lambda: consumer.events)
                assert consumer.events == [("lost", None)]

        run(main())

    def test_an_exception_in_connection_lost_is_logged(self, run, pair, expect_log, until):
        class Broken(Consumer):
            def connection_lost(self, exc):
                raise ZeroDivisionError

        async def main():
            async with pair() as (ours, _theirs):
                ours.attach_consumer(Broken())
                with expect_log("gustnado.application", "connection_lost"):
                    await ours.write(b"x")
                    ours.close()
                    await until(lambda: ours._consumer is None)

        run(main())


class TestFlowControl:
    def test_pausing_and_resuming_alternate_around_the_water_marks(self, everywhere, any_pair, until):
        async def main():
            async with any_pair() as (ours, theirs):
                consumer = Consumer()
                ours.attach_consumer(consumer)
                await ours.write(b"x")
                sent = 1
                while not consumer.events:
                    ours.transport.write(b"y" * 1_000_000)
                    sent += 1_000_000
                    await asyncio.sleep(0)
                assert consumer.events == ["pause"]
                await theirs.read_bytes(sent)
                await until(lambda: len(consumer.events) == 2)
                assert consumer.events == ["pause", "resume"]

        everywhere(main())

    def test_the_consumer_can_stop_reading(self, everywhere, any_pair, until):
        async def main():
            async with any_pair() as (ours, theirs):
                consumer = Consumer()
                ours.attach_consumer(consumer)
                await theirs.write(b"x")
                await until(lambda: consumer.received == b"x")
                ours.pause_reading()
                await theirs.write(b"y")
                await asyncio.sleep(0.01)
                assert consumer.received == b"x"
                ours.resume_reading()
                await until(lambda: consumer.received == b"xy")

        everywhere(main())

    def test_a_full_stream_goes_on_when_a_consumer_comes(self, everywhere, any_pair, until):
        async def main():
            async with any_pair() as (ours, theirs):
                theirs.write(b"x" * 5_000_000)
                await ours.read_bytes(1)
                await until(lambda: ours._paused)
                consumer = Consumer()
                ours.attach_consumer(consumer)
                await until(lambda: len(consumer.received) == 4_999_999)

        everywhere(main())


def test_on_a_stream_over_a_unix_socket(everywhere, until):
    async def main():
        left, right = socket.socketpair()
        ours, theirs = IOStream(left), IOStream(right)
        consumer = Consumer()
        ours.attach_consumer(consumer)
        await theirs.write(b"x")
        theirs.close()
        await until(lambda: consumer.events == ["eof", ("lost", None)])
        assert consumer.received == b"x"

    everywhere(main())
