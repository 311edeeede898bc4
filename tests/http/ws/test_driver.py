"""Tests for gustnado.http.ws.driver: a program at one end, bytes at the other."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import logging
import socket

import pytest

from gustnado.events.stream import IOStream
from gustnado.http.ws.connection import WebSocketProtocol13
from gustnado.http.ws.params import WebSocketParams

KEY = b"\x01\x82\xf3\x04"


class TestMessages:
    def test_each_is_told_as_it_comes(self, run, linked, until):
        async def main():
            async with linked() as link:
                link.peer.say("a", "b")
                link.peer.send(link.peer.codec.message(b"\xff", True))
                await until(lambda: len(link.program.told) == 3)
                assert link.program.told == ["a", "b", b"\xff"]

        run(main())

    def test_none_before_the_program_is_ready(self, run, linked, until):
        async def main():
            async with linked(released=False) as link:
                link.peer.say("a", "b")
                link.peer.ping(b"x")
                assert await link.peer.hear() == (10, b"x")
                assert link.program.told == [("ping", b"x")]
                link.protocol.release()
                await until(lambda: len(link.program.told) == 3)
                assert link.program.told[1:] == ["a", "b"]

        run(main())

    def test_one_at_a_time_while_pings_are_answered(self, run, linked, until):
        """And none is lost, or comes before its turn."""

        async def main():
            async with linked() as link:
                doors = [asyncio.Event() for _ in range(3)]
                begun, done = [], []

                async def on_message(message):
                    begun.append(message)
                    await doors[int(message)].wait()
                    done.append(message)

                link.program.on_message = on_message
                link.peer.say("0", "1", "2")
                link.peer.ping(b"still there?")
                assert await link.peer.hear() == (10, b"still there?")
                for number, door in enumerate(doors):
                    await until(lambda n=number: len(begun) == n + 1)
                    assert (begun, done) == (["0", "1", "2"][: number + 1], ["0", "1", "2"][:number])
                    door.set()
                await until(lambda: len(done) == 3)

        run(main())

    def test_a_coroutine_that_does_not_wait_costs_no_turn(self, run, linked, until, eager):
        async def main():
            async with linked() as link:

                async def on_message(message):
                    link.program.told.append(asyncio.current_task())
                    await link.protocol.write_message(message)

                link.program.on_message = on_message
                link.peer.say("a", "b", "c")
                assert [await link.peer.hear() for _ in range(3)] == [(1, "a"), (1, "b"), (1, "c")]
                assert len({id(task) for task in link.program.told}) == 3
                assert None not in link.program.told

        run(main())

    def test_the_program_runs_in_a_context_of_the_connection(self, run, linked, until):
        name = contextvars.ContextVar("name", default="none")

        async def main():
            name.set("opened here")
            async with linked() as link:
                name.set("changed since")
                link.program.on_message = lambda message: link.program.told.append(name.get())
                link.peer.say("a")
                await until(lambda: link.program.told)
                assert link.program.told == ["opened here"]

        run(main())

    def test_many_small_ones_leave_the_loop_its_turn(self, run, linked, until):
        """T49."""

        async def main():
            async with linked() as link:
                turns = []

                def tick():
                    if len(link.program.told) < 5000:
                        turns.append(len(link.program.told))
                        asyncio.get_running_loop().call_soon(tick)

                tick()
                link.peer.send(b"".join(link.peer.codec.message(b"x", False) for _ in range(5000)))
                await until(lambda: len(link.program.told) == 5000)
                assert max(b - a for a, b in itertools.pairwise(turns)) <= 256

        run(main())

    def test_reading_pauses_while_too_many_wait(self, run, linked, until):
        """And goes on when they do not."""

        async def main():
            async with linked(max_queue=4) as link:
                door = asyncio.Event()
                done = []

                async def on_message(message):
                    await door.wait()
                    done.append(message)

                link.program.on_message = on_message
                sent = [str(number) + "x" * 1000 for number in range(500)]
                link.peer.say(*sent)
                await until(lambda: not link.protocol.stream.transport.is_reading())
                unread = link.protocol.codec.bytes_in
                await asyncio.sleep(0.01)
                assert link.protocol.codec.bytes_in == unread
                assert unread < 50_000
                door.set()
                await until(lambda: len(done) == 500)
                assert done == sent

        run(main())


    def test_what_was_read_before_comes_first(self, run, recording, until):
        """As a client does it: some of what follows the handshake has been read with it, the rest is in the stream."""

        async def main():
            ours, theirs = socket.socketpair()
            stream, peer = IOStream(ours), IOStream(theirs)
            program = recording()
            protocol = WebSocketProtocol13(program, True, WebSocketParams())
            await peer.write(b"read already" + b"\x81\x03one" + b"\x81\x03tw")
            assert await stream.read_bytes(12) == b"read already"
            unread = await stream.read_bytes(6)
            await until(lambda: not stream.reading() and stream._read_buffer is not None)
            await peer.write(b"o")
            protocol.begin(stream, unread)
            protocol.release()
            await until(lambda: len(program.told) == 2)
            assert program.told == ["one", "two"]
            protocol.abort()
            peer.close()
            await program.over.wait()

        run(main())

    def test_all_of_it_was_read_before(self, run, recording):
        async def main():
            ours, theirs = socket.socketpair()
            stream, peer = IOStream(ours), IOStream(theirs)
            program = recording()
            protocol = WebSocketProtocol13(program, True, WebSocketParams())
            protocol.begin(stream, b"\x81\x03one\x89\x00")
            protocol.release()
            assert program.told == [("ping", b""), "one"]
            protocol.abort()
            peer.close()
            await program.over.wait()

        run(main())


class TestClosing:
    def test_the_peer_closes(self, run, linked):
        async def main():
            async with linked() as link:
                link.peer.say("last")
                link.peer.close(4000, "bye")
                assert await link.peer.hear() == (8, 4000, None)
                assert await link.peer.is_at_end()
                await link.program.over.wait()
                assert link.program.told == ["last", ("over", 4000, "bye")]

        run(main())

    def test_the_program_knows_of_it_before_anything_else_happens(self, run, linked):
        async def main():
            async with linked() as link:
                link.protocol.data_received(link.peer.codec.message(b"last", False) + link.peer.codec.close(1000))
                assert link.program.told == ["last", ("over", 1000, None)]
                assert await link.peer.hear() == (8, 1000, None)
                assert await link.peer.is_at_end()
                assert link.program.told == ["last", ("over", 1000, None)]

        run(main())

    def test_what_is_on_its_way_to_a_slow_peer_that_closes_still_gets_there(self, run, linked):
        async def main():
            async with linked() as link:
                link.protocol.write_message(b"x" * 300_000, binary=True)
                told = link.program.on_ws_connection_close

                def tell(code, reason):
                    told(code, reason)
                    link.protocol.on_connection_close()  # as handlers do

                link.program.on_ws_connection_close = tell
                link.peer.close(1000)
                await link.program.over.wait()
                assert await link.peer.hear() == (2, b"x" * 300_000)
                assert await link.peer.hear() == (8, 1000, None)
                assert await link.peer.is_at_end()

        run(main())

    def test_the_peer_closes_without_a_code(self, run, linked):
        async def main():
            async with linked() as link:
                link.peer.close()
                assert await link.peer.hear() == (8, None, None)
                await link.program.over.wait()
                assert link.program.told == [("over", None, None)]

        run(main())

    def test_it_is_answered_while_the_program_is_busy_and_what_came_before_is_still_told(self, run, linked, until):
        async def main():
            async with linked() as link:
                door = asyncio.Event()

                async def on_message(message):
                    await door.wait()
                    link.program.told.append(message)

                link.program.on_message = on_message
                link.peer.say("a", "b")
                link.peer.close(1000)
                assert await link.peer.hear() == (8, 1000, None)
                assert await link.peer.is_at_end()
                assert link.program.told == []
                door.set()
                await link.program.over.wait()
                assert link.program.told == ["a", "b", ("over", 1000, None)]

        run(main())

    def test_we_close(self, run, linked):
        async def main():
            async with linked() as link:
                link.protocol.close(1001, "going")
                link.protocol.close(1001, "again")
                assert link.protocol.is_closing()
                assert await link.peer.hear() == (8, 1001, "going")
                link.peer.say("was on its way")
                link.peer.close(1001)
                assert await link.peer.is_at_end()
                await link.program.over.wait()
                assert link.program.told == ["was on its way", ("over", 1001, None)]

        run(main())

    def test_we_close_and_the_peer_does_not_answer(self, run, linked):
        """126."""

        async def main():
            async with linked(close_timeout=0.05) as link:
                link.protocol.close()
                assert await link.peer.hear() == (8, None, None)
                assert await link.peer.is_at_end()
                await link.program.over.wait()

        run(main())

    def test_a_client_waits_for_the_server_to_close(self, run, linked):
        async def main():
            async with linked(is_client=True) as link:
                link.protocol.close(1000)
                assert await link.peer.hear() == (8, 1000, None)
                link.peer.close(1000)
                await link.program.over.wait()
                assert link.program.told == [("over", 1000, None)]
                gone = asyncio.ensure_future(link.protocol.wait_closed())
                await asyncio.sleep(0.01)
                assert not gone.done()
                assert not link.protocol.stream.closed()
                link.peer.writer.close()
                await gone
                assert link.protocol.stream.closed()

        run(main())

    def test_a_client_does_not_wait_for_ever(self, run, linked):
        async def main():
            async with linked(is_client=True, close_timeout=0.05) as link:
                link.peer.close(1000)
                assert await link.peer.hear() == (8, 1000, None)
                await link.protocol.wait_closed()

        run(main())

    @pytest.mark.parametrize("abrupt", [True, False])
    def test_the_peer_goes_without_a_word(self, run, linked, abrupt):
        async def main():
            async with linked() as link:
                link.peer.say("a")
                await link.peer.writer.drain()
                if abrupt:
                    await asyncio.sleep(0.01)
                    link.peer.writer.transport.abort()
                else:
                    link.peer.writer.close()
                await link.program.over.wait()
                assert link.program.told == ["a", ("over", None, None)]
                assert link.protocol.is_closing()

        run(main())

    def test_what_was_written_before_there_was_a_stream_is_sent(self, run, linked):
        def before(protocol):
            protocol.write_message("early")
            protocol.close(1001)

        async def main():
            async with linked(before=before, close_timeout=0.05) as link:
                assert await link.peer.hear() == (1, "early")
                assert await link.peer.hear() == (8, 1001, None)
                assert await link.peer.is_at_end()

        run(main())


BROKEN = [
    (b"\x81\x01x", 1002),  # 114: unmasked
    (b"\xb1\x80" + KEY, 1002),  # 116: reserved bits
    (b"\x83\x80" + KEY, 1002),  # 117: reserved opcode
    (b"\x82\xff" + b"\x3f" + b"\xff" * 7, 1009),  # 118: 2^62 - 1 bytes
    (b"\x89\xfe\x00\x7e" + KEY, 1002),  # 119: a ping of 126 bytes
    (b"\x80\x80" + KEY, 1002),  # 120: continues nothing
    (b"\x82\xfe\x04\x01" + KEY, 1009),  # 121: 1,025 bytes
    (b"\x81\x81\x00\x00\x00\x00\xff", 1007),  # 125: not UTF-8
    (b"\x88\x82\x00\x00\x00\x00\x03\xec", 1002),  # 126: close code 1004
]


class TestBrokenProtocol:
    @pytest.mark.parametrize(("wrong", "code"), BROKEN)
    def test_the_peer_is_told_and_the_rest_is_dropped(self, run, linked, expect_log, wrong, code):
        """131, and one line in the log."""

        async def main():
            async with linked(max_message_size=1024) as link:
                link.peer.say("good")
                with expect_log("gustnado.general", f"WebSocket of .* closed with {code}: ", level=logging.DEBUG):
                    link.peer.send(wrong)
                    kind, heard, reason = await link.peer.hear()
                    assert (kind, heard) == (8, code)
                    assert reason
                    assert await link.peer.is_at_end()
                    link.peer.send(link.peer.codec.message(b"more", False) * 10)
                    link.peer.writer.close()
                    await link.program.over.wait()
                assert link.program.told == ["good", ("over", None, None)]
                assert link.protocol.codec.pending() == 0

        run(main())

    def test_a_peer_that_goes_on_and_does_not_close_is_cut(self, run, linked, expect_log):
        async def main():
            async with linked(linger_timeout=0.05) as link:
                with expect_log("gustnado.general", "reserved opcode", level=logging.DEBUG):
                    link.peer.send(b"\x83\x80" + KEY)
                    assert (await link.peer.hear())[1] == 1002
                    await link.program.over.wait()

        run(main())

    def test_messages_from_before_are_dealt_with_first(self, run, linked, expect_log):
        """Whether the program is called or asks; the cases 3.2 to 5.15 of the Autobahn suite, strictly."""

        async def main():
            for asks in (True, False):
                async with linked(released=False) as link:
                    doors = [asyncio.Event() for _ in range(2)]

                    async def on_message(message, link=link, doors=doors):
                        await doors[int(message)].wait()
                        await link.protocol.write_message(message)

                    async def ask(link=link, on_message=on_message):
                        while (message := await link.protocol.receive()) is not None:
                            await on_message(message)

                    link.program.on_message = on_message
                    if asks:
                        asking = asyncio.ensure_future(ask())
                        await asyncio.sleep(0)
                    else:
                        link.protocol.release()
                    with expect_log("gustnado.general", "reserved opcode", level=logging.DEBUG):
                        link.peer.say("0", "1")
                        link.peer.send(b"\x83\x80" + KEY + link.peer.codec.message(b"not this", False))
                        for door in doors:
                            await asyncio.sleep(0.01)
                            door.set()
                        assert [await link.peer.hear() for _ in range(2)] == [(1, "0"), (1, "1")]
                        assert (await link.peer.hear())[1] == 1002
                    link.peer.writer.close()
                    await link.program.over.wait()
                    if asks:
                        await asking

        run(main())

    def test_a_program_that_does_not_get_ready_does_not_hold_it_up_for_ever(self, run, linked, expect_log):
        async def main():
            async with linked(close_timeout=0.05) as link:
                door = asyncio.Event()

                async def on_message(message):
                    await door.wait()

                link.program.on_message = on_message
                with expect_log("gustnado.general", "reserved opcode", level=logging.DEBUG):
                    link.peer.say("a")
                    link.peer.send(b"\x83\x80" + KEY)
                    assert (await link.peer.hear())[1] == 1002
                door.set()

        run(main())

    def test_a_peer_that_goes_meanwhile_is_told_nothing(self, run, linked, expect_log, until):
        async def main():
            async with linked() as link:
                door = asyncio.Event()

                async def on_message(message):
                    await door.wait()
                    link.program.told.append(message)

                link.program.on_message = on_message
                with expect_log("gustnado.general", "reserved opcode", level=logging.DEBUG):
                    link.peer.say("a", "b")
                    link.peer.send(b"\x83\x80" + KEY)
                    link.peer.writer.close()
                    await until(lambda: link.protocol.stream.closed())
                door.set()
                await link.program.over.wait()
                assert link.program.told == ["a", "b", ("over", None, None)]

        run(main())

    def test_nothing_is_sent_after_it(self, run, linked, expect_log, until):
        async def main():
            async with linked(linger_timeout=0.05) as link:
                with expect_log("gustnado.general", "reserved opcode", level=logging.DEBUG):
                    link.peer.send(b"\x83\x80" + KEY + link.peer.codec.ping(b"?"))
                    assert (await link.peer.hear())[1] == 1002
                    assert link.protocol.is_closing()
                    assert await link.peer.is_at_end()

        run(main())


class TestFailures:
    def test_the_program_raises(self, run, linked):
        async def main():
            async with linked() as link:
                link.program.on_message = lambda message: 1 / 0
                link.peer.say("a", "b")
                assert await link.peer.hear() == (8, 1011, "internal error")
                assert await link.peer.is_at_end()
                link.peer.writer.close()
                await link.program.over.wait()
                assert [type(error) for error in link.program.logged] == [ZeroDivisionError]

        run(main())

    def test_a_coroutine_raises_later(self, run, linked):
        async def main():
            async with linked() as link:

                async def on_message(message):
                    await asyncio.sleep(0)
                    raise KeyError(message)

                link.program.on_message = on_message
                link.peer.say("a", "b")
                assert await link.peer.hear() == (8, 1011, "internal error")
                link.peer.writer.close()
                await link.program.over.wait()
                assert [str(error) for error in link.program.logged] == ["'a'"]

        run(main())

    def test_a_coroutine_is_cancelled(self, run, linked):
        async def main():
            async with linked() as link:

                async def on_message(message):
                    future = asyncio.get_running_loop().create_future()
                    future.cancel()
                    await future

                link.program.on_message = on_message
                link.peer.say("a")
                assert await link.peer.hear() == (8, 1011, "internal error")
                assert [type(error) for error in link.program.logged] == [asyncio.CancelledError]

        run(main())

    def test_what_cannot_be_awaited_is_returned(self, run, linked):
        async def main():
            async with linked() as link:
                link.program.on_message = lambda message: 3
                link.peer.say("a")
                assert await link.peer.hear() == (8, 1011, "internal error")
                assert "3" in str(link.program.logged[0])

        run(main())

    @pytest.mark.parametrize("name", ["on_ping", "on_pong"])
    def test_at_a_ping_or_a_pong(self, run, linked, name):
        async def main():
            async with linked() as link:

                async def fail(data):
                    await asyncio.sleep(0)
                    raise KeyError(data)

                setattr(link.program, name, fail)
                codec = link.peer.codec
                link.peer.send(codec.ping(b"x") if name == "on_ping" else codec.pong(b"x"))
                heard = [await link.peer.hear() for _ in range(2 if name == "on_ping" else 1)]
                assert heard[-1] == (8, 1011, "internal error")

        run(main())

    def test_a_write_that_fails_since_the_peer_has_closed_is_none(self, run, linked):
        async def main():
            async with linked() as link:
                door = asyncio.Event()

                async def on_message(message):
                    await door.wait()
                    await link.protocol.write_message(message)

                link.program.on_message = on_message
                link.peer.say("a", "b")
                link.peer.close(1000)
                assert await link.peer.hear() == (8, 1000, None)
                door.set()
                await link.program.over.wait()
                assert link.program.logged == []
                assert link.program.told == [("over", 1000, None)]

        run(main())

    def test_the_log_fails_as_well(self, run, linked, expect_log):
        async def main():
            async with linked() as link:
                link.program.on_message = lambda message: 1 / 0
                link.program.log_exception = lambda *exc_info: 1 / 0
                with expect_log("gustnado.general", "Error in exception logger"):
                    link.peer.say("a")
                    assert await link.peer.hear() == (8, 1011, "internal error")

        run(main())

    def test_the_program_fails_at_the_end(self, run, linked):
        async def main():
            async with linked() as link:
                told = link.program.on_ws_connection_close

                def fail(code, reason):
                    told(code, reason)
                    raise KeyError("end")

                link.program.on_ws_connection_close = fail
                link.peer.writer.close()
                await link.program.over.wait()
                assert [str(error) for error in link.program.logged] == ["'end'"]

        run(main())

    def test_the_program_cannot_get_ready(self, run, linked):
        async def main():
            async with linked(released=False) as link:
                link.peer.say("a")
                link.protocol.fail(KeyError("open"))
                assert await link.peer.hear() == (8, 1011, "internal error")
                link.peer.writer.close()
                await link.program.over.wait()
                assert link.program.told == [("over", None, None)]
                assert [str(error) for error in link.program.logged] == ["'open'"]

        run(main())


class TestAskingForMessages:
    def test_each_is_given_once_and_none_at_the_end(self, run, linked):
        async def main():
            async with linked(released=False) as link:
                first = link.protocol.receive()
                link.peer.say("a", "b", "c")
                link.peer.close(1000)
                assert [await first, await link.protocol.receive(), await link.protocol.receive()] == ["a", "b", "c"]
                assert [await link.protocol.receive() for _ in range(3)] == [None] * 3
                assert link.program.told == [("over", 1000, None)]
                assert link.protocol.is_pulling()

        run(main())

    def test_several_ask_at_once_and_one_gives_up(self, run, linked):
        async def main():
            async with linked(released=False) as link:
                readers = [link.protocol.receive() for _ in range(4)]
                readers[1].cancel()
                link.peer.say("a", "b")
                assert [await readers[0], await readers[2]] == ["a", "b"]
                link.peer.writer.close()
                assert await readers[3] is None

        run(main())

    def test_reading_pauses_while_nobody_asks(self, run, linked, until):
        async def main():
            async with linked(released=False, max_queue=4) as link:
                sent = [str(number) + "x" * 500 for number in range(500)]
                link.peer.say(*sent)
                await until(lambda: not link.protocol.stream.transport.is_reading())
                assert link.protocol.codec.message_bytes_in < 50_000
                assert [await link.protocol.receive() for _ in sent] == sent
                link.peer.close(1000)
                assert await link.protocol.receive() is None

        run(main())

    def test_what_has_arrived_before_the_end_can_still_be_asked_for(self, run, linked, until):
        async def main():
            async with linked(released=False, max_queue=2) as link:
                first = link.protocol.receive()
                link.peer.say(*map(str, range(200)))
                link.peer.close(4001)
                await link.peer.writer.drain()
                link.peer.writer.close()
                received = [await first]
                while (message := await link.protocol.receive()) is not None:
                    received.append(message)
                assert received == list(map(str, range(200)))
                await link.program.over.wait()
                assert link.program.told == [("over", 4001, None)]

        run(main())

    def test_who_asks_no_more_does_not_keep_the_end_from_coming(self, run, linked, until):
        async def main():
            async with linked(released=False, max_queue=2, close_timeout=3600.0) as link:
                reader = link.protocol.receive()
                link.peer.say(*map(str, range(100)))
                link.peer.close(3000, "bye")
                assert await reader == "0"
                await until(lambda: not link.protocol.stream.transport.is_reading())
                link.protocol.close(1000)
                link.protocol.drop_messages()
                assert await link.peer.hear() == (8, 1000, None)
                await link.program.over.wait()
                assert link.program.told == [("over", 3000, "bye")]
                assert await link.protocol.receive() is None

        run(main())

    def test_a_peer_that_breaks_the_protocol_ends_it(self, run, linked, expect_log):
        async def main():
            async with linked(released=False, linger_timeout=0.05) as link:
                reader = link.protocol.receive()
                with expect_log("gustnado.general", "reserved opcode", level=logging.DEBUG):
                    link.peer.send(b"\x83\x80" + KEY)
                    assert await reader is None
                    assert await link.protocol.receive() is None

        run(main())
