"""Tests for gustnado.http.ws.sending: what is written, and peers that are slow to read."""

from __future__ import annotations

import asyncio
import logging
import os

import pytest

from gustnado.http.ws.errors import WebSocketClosedError
from gustnado.http.ws.prepared import PreparedMessage
from gustnado.http.ws.sending import offer_to

BIG = "x" * 100_000  # more than the socket buffers hold


class RecordingTransport:
    """Notes what is written to the transport behind it."""

    def __init__(self, transport):
        self.transport = transport
        self.writes = []

    def __getattr__(self, name):
        return getattr(self.transport, name)

    def write(self, data):
        self.writes.append([data])
        self.transport.write(data)

    def writelines(self, parts):
        self.writes.append(list(parts))
        self.transport.writelines(parts)


class TestMessages:
    @pytest.mark.parametrize(
        ("message", "binary", "heard"),
        [
            ("text \xe9", False, (1, "text \xe9")),
            (b"utf-8 \xc3\xa9", False, (1, "utf-8 \xe9")),
            (b"\xff", True, (2, b"\xff")),
            ("as bytes", True, (2, b"as bytes")),
            (bytearray(b"a"), True, (2, b"a")),
            (memoryview(b"bc"), True, (2, b"bc")),
            (type("Text", (str,), {})("s"), False, (1, "s")),
            ({"a": 1}, False, (1, '{"a":1}')),
            ("", False, (1, "")),
        ],
    )
    def test_each_kind(self, run, linked, message, binary, heard):
        async def main():
            async with linked() as link:
                await link.protocol.write_message(message, binary)
                assert await link.peer.hear() == heard

        run(main())

    @pytest.mark.parametrize("message", [None, 3, ["a"], object()])
    def test_what_is_no_message(self, run, linked, message):
        async def main():
            async with linked() as link:
                with pytest.raises(TypeError, match="a message is str, bytes or dict, not"):
                    link.protocol.write_message(message)

        run(main())

    @pytest.mark.parametrize("is_client", [True, False])
    def test_messages_that_have_been_prepared(self, run, linked, is_client):
        async def main():
            async with linked(is_client=is_client) as link:
                message = PreparedMessage("once")
                await link.protocol.write_message(message)
                assert link.protocol.offer(message)
                assert [await link.peer.hear() for _ in range(2)] == [(1, "once")] * 2
                assert link.protocol.codec.bytes_out == 2 * (10 if is_client else 6)
                link.protocol.close()
                assert not link.protocol.offer(message)
                with pytest.raises(WebSocketClosedError):
                    link.protocol.write_message(message)

        run(main())

    def test_one_is_offered_to_many(self, run, linked):
        async def main():
            async with linked() as one, linked() as closed, linked() as two, linked() as other:
                closed.protocol.close()
                receivers = [one.protocol, closed.protocol, two.protocol, other.protocol]
                assert offer_to(PreparedMessage("m"), receivers, 0, 3) == [1]
                assert offer_to(PreparedMessage("n"), receivers, 2, 4) == []
                assert offer_to(PreparedMessage("o"), receivers, 4, 4) == []
                assert await one.peer.hear() == (1, "m")
                assert [await two.peer.hear() for _ in range(2)] == [(1, "m"), (1, "n")]
                assert await other.peer.hear() == (1, "n")
                assert await closed.peer.hear() == (8, None, None)

        run(main())

    def test_what_is_offered_is_not_sent_to_a_slow_peer(self, run, linked):
        async def main():
            async with linked(write_buffer=50_000) as link:
                pending = link.protocol.write_message(BIG)
                assert not link.protocol.offer(PreparedMessage("x"))
                assert await link.peer.hear() == (1, BIG)
                await pending
                assert link.protocol.offer(PreparedMessage("y"))
                assert await link.peer.hear() == (1, "y")

        run(main())

    def test_pings(self, run, linked, until):
        async def main():
            async with linked() as link:
                link.protocol.write_ping(b"x" * 125)
                assert await link.peer.hear() == (9, b"x" * 125)
                link.peer.send(link.peer.codec.pong(b"x"))
                await until(lambda: link.protocol.pong_received)
                assert link.program.told == [("pong", b"x")]
                with pytest.raises(ValueError, match="125 bytes"):
                    link.protocol.write_ping(bytes(126))

        run(main())

    def test_nothing_after_the_end(self, run, linked):
        async def main():
            async with linked() as link:
                link.peer.writer.close()
                await link.program.over.wait()
                for send in (link.protocol.write_message, link.protocol.write_ping):
                    with pytest.raises(WebSocketClosedError):
                        send(b"x")
                link.protocol.pong(b"x")
                link.protocol.close(1000)

        run(main())

    def test_answers_to_many_messages_leave_together(self, run, linked, monkeypatch):
        async def main():
            async with linked(released=False) as link:
                stream = link.protocol.stream
                stream.transport = transport = RecordingTransport(stream.transport)
                link.program.on_message = link.protocol.write_message
                link.protocol.release()
                link.peer.send(b"".join(link.peer.codec.message(b"x", False) for _ in range(20)))
                assert [await link.peer.hear() for _ in range(20)] == [(1, "x")] * 20
                assert len(transport.writes) < 5
                stream.transport = transport.transport

        run(main())


@pytest.mark.skipif(os.name != "posix", reason="everything goes to the transport")
def test_what_is_offered_to_many_leaves_past_the_transports_and_keeps_its_place(run, linked):
    async def main():
        loop = asyncio.get_running_loop()
        async with linked() as link:
            stream = link.protocol.stream
            stream.transport = transport = RecordingTransport(stream.transport)
            assert offer_to(PreparedMessage("first"), [link.protocol], 0, 1, loop) == []
            assert transport.writes == []
            link.protocol.write_message("second")
            assert len(transport.writes) == 1
            assert offer_to(PreparedMessage("third"), [link.protocol], 0, 1, loop) == []
            assert len(transport.writes) == 1
            heard = [await link.peer.hear() for _ in range(3)]
            assert heard == [(1, "first"), (1, "second"), (1, "third")]
            stream.transport = transport.transport

    run(main())


class TestLongMessages:
    LONG = bytes(range(256)) * 256

    @pytest.mark.parametrize("is_client", [True, False])
    def test_the_payload_is_not_copied_behind_its_head(self, run, linked, is_client):
        async def main():
            async with linked(is_client=is_client) as link:
                stream = link.protocol.stream
                stream.transport = transport = RecordingTransport(stream.transport)
                link.protocol.write_message(self.LONG, True)
                assert await link.peer.hear() == (2, self.LONG)
                [[head, payload]] = transport.writes
                assert (len(head), len(payload)) == (14 if is_client else 10, len(self.LONG))
                assert (payload is self.LONG) is not is_client
                stream.transport = transport.transport

        run(main())

    def test_they_keep_their_place_among_short_ones(self, run, linked):
        async def main():
            async with linked(released=False) as link:
                stream = link.protocol.stream
                stream.transport = transport = RecordingTransport(stream.transport)

                def on_message(message):
                    link.protocol.write_message(b"before", True)
                    link.protocol.write_message(self.LONG, True)
                    link.protocol.pong(b"behind")
                    link.protocol.write_message(b"last", True)

                link.program.on_message = on_message
                link.protocol.release()
                link.peer.say("go")
                heard = [await link.peer.hear() for _ in range(4)]
                assert heard == [(2, b"before"), (2, self.LONG), (10, b"behind"), (2, b"last")]
                assert [len(one) for one in transport.writes] == [1, 2, 1]
                stream.transport = transport.transport

        run(main())

    def test_they_wait_for_the_stream_as_others_do(self, run, linked):
        async def main():
            def before(protocol):
                for message in (b"first", self.LONG, b"last"):
                    protocol.write_message(message, True)

            async with linked(before=before) as link:
                heard = [await link.peer.hear() for _ in range(3)]
                assert heard == [(2, b"first"), (2, self.LONG), (2, b"last")]

        run(main())

    def test_nothing_is_sent_where_the_stream_is_gone(self, run, linked):
        async def main():
            async with linked() as link:

                def on_message(message):
                    link.protocol.abort()
                    with pytest.raises(WebSocketClosedError):
                        link.protocol.write_message(self.LONG, True)
                    link.program.told.append(message)

                link.program.on_message = on_message
                link.peer.say("go")
                assert await link.peer.is_at_end()
                assert link.program.told[0] == "go"

        run(main())


class TestSlowPeers:
    """128."""

    def test_writes_are_pending_until_it_has_read(self, run, linked):
        async def main():
            async with linked(write_buffer=50_000) as link:
                assert link.protocol.write_message("first").done()
                pending = [link.protocol.write_message(BIG) for _ in range(3)]
                assert not any(future.done() for future in pending)
                pending[1].cancel()
                assert [await link.peer.hear() for _ in range(4)] == [(1, "first")] + [(1, BIG)] * 3
                await pending[0]
                await pending[2]
                assert link.protocol.write_message("last").done()

        run(main())

    def test_writes_fail_where_it_goes_instead(self, run, linked):
        async def main():
            async with linked(write_buffer=50_000) as link:
                pending = [link.protocol.write_message(BIG) for _ in range(3)]
                link.peer.writer.transport.abort()
                for future in pending:
                    with pytest.raises(WebSocketClosedError):
                        await future

        run(main())

    @pytest.mark.parametrize("policy", ["drop", "close"])
    def test_who_awaits_each_write_does_not_wait_where_the_policy_is_another(self, run, linked, policy):
        async def main():
            async with linked(write_buffer=50_000, slow_reader=policy) as link:
                await link.protocol.write_message(BIG)
                assert link.protocol.stream.transport.get_write_buffer_size() > 50_000
                assert not link.protocol.is_closing()

        run(main())

    def test_messages_are_dropped_where_that_is_the_policy(self, run, linked, until):
        async def main():
            async with linked(write_buffer=50_000, slow_reader="drop") as link:
                for number in range(100):
                    link.protocol.write_message(f"{number} {BIG}")
                assert link.protocol.dropped > 90
                assert (await link.peer.hear())[1].startswith("0 ")
                while link.protocol.stream.transport.get_write_buffer_size():
                    await link.peer.hear()
                await until(lambda: link.protocol.write_message("?").done())
                link.protocol.write_message("end")
                while (await link.peer.hear()) != (1, "end"):
                    pass

        run(main())

    def test_the_connection_closes_where_that_is_the_policy(self, run, linked, expect_log):
        async def main():
            async with linked(write_buffer=50_000, slow_reader="close") as link:
                with expect_log("gustnado.general", "closed with 1013: it does not read", level=logging.INFO):
                    with pytest.raises(WebSocketClosedError, match="too slow"):
                        for _ in range(100):
                            link.protocol.write_message(BIG)
                while (heard := await link.peer.hear())[0] == 1:
                    pass
                assert heard == (8, 1013, "too slow to read")

        run(main())

    def test_a_program_that_does_not_await_fills_no_memory(self, run, linked, expect_log):
        async def main():
            async with linked(write_buffer=50_000, max_write_buffer=1_000_000) as link:
                with expect_log("gustnado.general", "closed with 1013", level=logging.INFO):
                    with pytest.raises(WebSocketClosedError):
                        for _ in range(100):
                            link.protocol.write_message(BIG)
                assert link.protocol.stream.transport.get_write_buffer_size() < 1_300_000

        run(main())

    def test_one_that_reads_nothing_is_cut(self, run, linked, expect_log):
        async def main():
            async with linked(write_buffer=50_000, write_timeout=0.05) as link:
                with expect_log("gustnado.general", "cut: it has read nothing in 0.05 s", level=logging.INFO):
                    pending = [link.protocol.write_message(BIG) for _ in range(3)]
                    with pytest.raises(WebSocketClosedError):
                        await pending[2]
                    await link.program.over.wait()

        run(main())

    def test_one_that_reads_a_little_is_not(self, run, linked):
        """Progress counts, although the buffer never gets empty."""

        async def main():
            async with linked(write_buffer=50_000, write_timeout=0.2) as link:
                pending = [link.protocol.write_message(BIG) for _ in range(10)]
                for _ in range(20):
                    await asyncio.sleep(0.03)
                    await link.peer.reader.read(40_000)
                assert not link.protocol.is_closing()
                link.peer.writer.transport.abort()
                with pytest.raises(WebSocketClosedError):
                    await pending[9]

        run(main())

    def test_only_the_last_ping_is_answered(self, run, linked, until):
        """127, T48."""

        async def main():
            async with linked(write_buffer=50_000) as link:
                pending = [link.protocol.write_message(BIG) for _ in range(3)]
                for number in range(1000):
                    link.peer.ping(b"%d" % number)
                await until(lambda: len(link.program.told) == 1000)
                assert link.protocol.stream.transport.get_write_buffer_size() < 301_000
                assert [await link.peer.hear() for _ in range(3)] == [(1, BIG)] * 3
                assert await link.peer.hear() == (10, b"999")
                await pending[2]
                link.peer.ping(b"1000")
                assert await link.peer.hear() == (10, b"1000")

        run(main())

    def test_a_ping_flood_without_reading_fills_no_memory(self, run, linked, until):
        """127."""

        async def main():
            async with linked(write_buffer=50_000) as link:
                flood = b"".join(link.peer.codec.ping(bytes(125)) for _ in range(10_000))
                link.peer.send(flood)
                await until(lambda: len(link.program.told) == 10_000)
                assert link.protocol.stream.transport.get_write_buffer_size() < 120_000

        run(main())
