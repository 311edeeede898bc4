"""A connection within one process."""

from __future__ import annotations

import asyncio

import pytest

from gustnado.errors import StreamClosedError, UsageError
from gustnado.http.headers import HTTPHeaders
from gustnado.http.messages import ResponseStartLine
from gustnado.http.server import HTTPServer
from gustnado.testing.memory_transport import MemorySocket, MemoryTransport, memory_streams


class Recorder(asyncio.Protocol):
    """Notes what its transport tells it."""

    def __init__(self, keep_open=False):
        self.events = []
        self.keep_open = keep_open

    def data_received(self, data):
        self.events.append(data)

    def eof_received(self):
        self.events.append("eof")
        return self.keep_open

    def connection_lost(self, exc):
        self.events.append(type(exc) if exc else "lost")

    def pause_writing(self):
        self.events.append("pause")

    def resume_writing(self):
        self.events.append("resume")

    @property
    def received(self):
        return b"".join(event for event in self.events if isinstance(event, bytes))


def pair(keep_open=False):
    """Two transports that read, and their protocols."""
    loop = asyncio.get_running_loop()
    ends = [MemoryTransport(loop, MemorySocket(("a", 1), ("b", 2))) for _ in range(2)]
    ends[0].join(ends[1])
    protocols = [Recorder(keep_open), Recorder(keep_open)]
    for end, protocol in zip(ends, protocols, strict=True):
        end.set_protocol(protocol)
        end.resume_reading()
    return *ends, *protocols


async def settle():
    """Let the loop turn until nothing moves."""
    for _ in range(20):
        await asyncio.sleep(0)


# -- the transport --------------------------------------------------------------------------------


def test_bytes_come_on_a_later_turn(run):
    async def test():
        here, _, _, other = pair()
        here.write(b"one")
        here.write(bytearray(b"two"))
        here.write(memoryview(b""))
        assert other.events == []
        await settle()
        assert other.events == [b"onetwo"]

    run(test())


def test_what_is_written_is_copied(run):
    async def test():
        here, _, _, other = pair()
        data = bytearray(b"one")
        here.write(data)
        data[:] = b"two"
        await settle()
        assert other.received == b"one"

    run(test())


def test_long_writes_come_in_pieces(run):
    async def test():
        here, _, _, other = pair()
        here.write(bytes(range(256)) * 4096)
        await settle()
        assert [len(event) for event in other.events] == [262144] * 4
        assert other.received == bytes(range(256)) * 4096

    run(test())


def test_a_reader_that_pauses_makes_the_writer_wait(run):
    async def test():
        here, there, mine, other = pair()
        there.pause_reading()
        assert not there.is_reading()
        here.set_write_buffer_limits(high=10, low=5)
        assert here.get_write_buffer_limits() == (5, 10)
        here.write(b"x" * 10)
        assert mine.events == []
        here.write(b"x")
        assert mine.events == ["pause"]
        await settle()
        assert (other.events, here.get_write_buffer_size()) == ([], 11)
        there.resume_reading()
        await settle()
        assert (other.received, mine.events) == (b"x" * 11, ["pause", "resume"])

    run(test())


@pytest.mark.parametrize(
    ("arguments", "limits"),
    [({}, (16384, 65536)), ({"low": 10}, (10, 40)), ({"high": 40}, (10, 40))],
)
def test_marks_are_those_of_asyncio(run, arguments, limits):
    async def test():
        here, *_ = pair()
        here.set_write_buffer_limits(**arguments)
        assert here.get_write_buffer_limits() == limits

    run(test())


def test_a_close_sends_what_was_written(run):
    async def test():
        here, there, mine, other = pair()
        here.write(b"last words")
        here.close()
        here.close()
        here.write(b"too late")
        assert here.is_closing()
        await settle()
        assert other.events == [b"last words", "eof", "lost"]
        assert mine.events == ["lost"]
        assert there.is_closing()

    run(test())


def test_a_close_does_not_wait_for_a_reader_that_pauses(run):
    async def test():
        here, there, mine, other = pair()
        there.pause_reading()
        here.close()
        await settle()
        assert (mine.events, other.events) == (["lost"], [])
        there.resume_reading()
        await settle()
        assert other.events == ["eof", "lost"]

    run(test())


def test_bytes_wait_for_a_reader_that_pauses_after_a_close(run):
    async def test():
        here, there, mine, other = pair()
        there.pause_reading()
        here.write(b"last words")
        here.close()
        await settle()
        assert mine.events == []
        there.resume_reading()
        await settle()
        assert other.events == [b"last words", "eof", "lost"]
        assert mine.events == ["lost"]

    run(test())


def test_half_of_a_connection_may_be_closed(run):
    async def test():
        here, there, mine, other = pair(keep_open=True)
        here.write(b"question")
        assert here.can_write_eof()
        here.write_eof()
        with pytest.raises(UsageError, match="after write_eof"):
            here.write(b"more")
        await settle()
        assert other.events == [b"question", "eof"]
        there.write(b"answer")
        there.close()
        await settle()
        assert mine.events == [b"answer", "eof"]
        here.close()
        await settle()
        assert mine.events[-1] == other.events[-1] == "lost"

    run(test())


def test_an_abort_drops_what_was_written_and_resets_the_peer(run):
    async def test():
        here, _, mine, other = pair()
        here.write(b"never read")
        here.abort()
        here.abort()
        await settle()
        assert (mine.events, other.events) == (["lost"], [ConnectionResetError])

    run(test())


def test_writing_to_an_end_that_was_closed_is_a_reset(run):
    async def test():
        here, there, mine, _ = pair(keep_open=True)
        there.close()
        await settle()
        here.write(b"anybody there?")
        await settle()
        assert mine.events == ["eof", ConnectionResetError]

    run(test())


def test_a_writer_that_waits_for_an_end_that_closes_goes_on(run):
    async def test():
        here, there, mine, other = pair(keep_open=True)
        there.pause_reading()
        here.set_write_buffer_limits(high=0)
        here.write(b"unread")
        there.close()
        await settle()
        assert sorted(mine.events) == ["eof", "pause", "resume"]
        assert other.received == b""

    run(test())


def test_a_protocol_that_raises_is_reported_and_loses_its_connection(run):
    async def test():
        here, there, mine, other = pair()
        reported = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))

        def fail(data):
            raise ZeroDivisionError

        other.data_received = fail
        here.write(b"x")
        await settle()
        [context] = reported
        assert isinstance(context["exception"], ZeroDivisionError)
        assert context["transport"] is there
        assert (mine.events, other.events) == ([ConnectionResetError], [ZeroDivisionError])

    run(test())


def test_the_protocol_may_change(run):
    async def test():
        here, there, _, other = pair()
        new = Recorder()
        there.set_protocol(new)
        assert there.get_protocol() is new
        here.write(b"x")
        await settle()
        assert (new.events, other.events) == ([b"x"], [])

    run(test())


def test_addresses(run):
    async def test():
        here, *_ = pair()
        assert (here.get_extra_info("sockname"), here.get_extra_info("peername")) == (("a", 1), ("b", 2))
        assert here.get_extra_info("sslcontext") is None

    run(test())


# -- the streams ----------------------------------------------------------------------------------


def test_streams_read_and_write(run):
    async def test():
        here, there = memory_streams()
        await here.write(b"to be read\nand more")
        assert await there.read_until(b"\n") == b"to be read\n"
        await there.write(b"answer")
        assert await here.read_bytes(6) == b"answer"
        here.close()
        assert await there.read_until_close() == b"and more"

    run(test())


def test_streams_have_addresses_while_they_are_open(run):
    async def test():
        here, there = memory_streams(client=("10.0.0.1", 5), server=("10.0.0.2", 6))
        assert there.get_peername() == there.socket.getpeername() == ("10.0.0.1", 5)
        assert here.socket.getpeername() == there.socket.getsockname() == ("10.0.0.2", 6)
        assert here.fileno() == here.socket.fileno() == -1
        here.close()
        assert here.socket is None
        assert here.get_peername() is None
        await settle()

    run(test())


def test_more_than_the_buffers_hold_goes_through(run):
    async def test():
        here, there = memory_streams(max_buffer_size=300_000)
        data = bytes(range(256)) * 20_000

        async def read():
            chunks = []
            while sum(map(len, chunks)) < len(data):
                chunks.append(await there.read_bytes(200_000, partial=True))
            return b"".join(chunks)

        async with asyncio.TaskGroup() as group:
            reading = group.create_task(read())
            group.create_task(wait_for(here.write(data)))
        assert reading.result() == data

    async def wait_for(future):
        await future

    run(test())


def test_a_stream_that_is_closed_before_the_loop_turns_closes_the_other(run):
    async def test():
        here, there = memory_streams()
        here.close()
        with pytest.raises(StreamClosedError):
            await there.read_bytes(1)

    run(test())


def test_a_close_callback_is_called_when_the_other_end_goes(run):
    async def test():
        here, there = memory_streams()
        closed = asyncio.Event()
        there.set_close_callback(closed.set)
        here.abort()
        await closed.wait()

    run(test())


def test_a_server_speaks_over_it(run):
    async def test():
        def answer(request):
            request.connection.write_headers(
                ResponseStartLine("HTTP/1.1", 200, "OK"), HTTPHeaders({"Content-Length": "8"})
            )
            request.connection.write(request.remote_ip.encode())
            request.connection.finish()

        here, there = memory_streams(client=("10.0.0.1", 5))
        server = HTTPServer(answer)
        server.handle_stream(there, ("10.0.0.1", 5))
        await here.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert (await here.read_until_close()).endswith(b"\r\n\r\n10.0.0.1")
        await server.close_all_connections()

    run(test())
