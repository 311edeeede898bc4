"""A descriptor's transport reads and writes through its owner and tells its protocol as asyncio's do."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket

import pytest

from gustnado.events.fd_transport import WRITE_AT_ONCE, FdTransport


class Owner:
    """A socket whose writes take at most ``slice`` bytes."""

    read_chunk_size = 1000

    def __init__(self, sock):
        sock.setblocking(False)
        self.sock = sock
        self.slice = 1 << 30
        self.offered = []
        self.closed = 0
        self.read_error = None

    def fileno(self):
        return self.sock.fileno()

    def close_fd(self):
        self.closed += 1
        self.sock.close()

    def write_to_fd(self, data):
        self.offered.append(len(data))
        return self.sock.send(data[: self.slice]) if self.slice else 0

    def read_from_fd(self, buf):
        if self.read_error is not None:
            raise self.read_error
        try:
            return self.sock.recv_into(buf)
        except BlockingIOError:
            return None


class Recorder(asyncio.Protocol):
    def __init__(self, keep_open=False):
        self.events = []
        self.keep_open = keep_open
        self.lost = asyncio.get_running_loop().create_future()

    def data_received(self, data):
        self.events.append(data)

    def eof_received(self):
        self.events.append("eof")
        return self.keep_open

    def pause_writing(self):
        self.events.append("pause")

    def resume_writing(self):
        self.events.append("resume")

    def connection_lost(self, exc):
        self.lost.set_result(exc)


class Rig:
    def __init__(self, **options):
        ours, self.peer = socket.socketpair()
        self.peer.setblocking(False)
        self.owner = Owner(ours)
        self.protocol = Recorder(**options)
        self.transport = FdTransport(asyncio.get_running_loop(), self.owner, self.protocol)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc_info):
        self.transport.abort()
        await self.protocol.lost
        self.peer.close()

    async def until(self, condition):
        while not condition():
            await asyncio.sleep(0.001)


def test_reads_in_chunks_of_the_owners_size(run):
    async def main():
        async with Rig() as rig:
            rig.peer.send(b"x" * 1500)
            rig.transport.resume_reading()
            await rig.until(lambda: len(rig.protocol.events) == 2)
            assert rig.protocol.events == [b"x" * 1000, b"x" * 500]
            assert rig.transport.is_reading()

    run(main())


def test_nothing_is_read_while_paused(run):
    async def main():
        async with Rig() as rig:
            rig.transport.resume_reading()
            rig.transport.pause_reading()
            rig.peer.send(b"x")
            for _ in range(5):
                await asyncio.sleep(0)
            assert rig.protocol.events == []
            assert not rig.transport.is_reading()

    run(main())


@pytest.mark.parametrize("keep_open", [False, True])
def test_the_end_closes_it_unless_the_protocol_wants_to_go_on(run, keep_open):
    async def main():
        async with Rig(keep_open=keep_open) as rig:
            rig.transport.resume_reading()
            rig.peer.shutdown(socket.SHUT_WR)
            await rig.until(lambda: rig.protocol.events == ["eof"])
            assert rig.transport.is_closing() is not keep_open
            if keep_open:
                rig.transport.write(b"still here")
                assert rig.peer.recv(100) == b"still here"

    run(main())


def test_writes_wait_and_go_on(run):
    async def main():
        async with Rig() as rig:
            rig.owner.slice = 0
            rig.transport.write(b"abc")
            rig.transport.write(b"def")
            assert rig.protocol.events == ["pause"]
            assert rig.transport.get_write_buffer_size() == 6
            rig.owner.slice = 2
            await rig.until(lambda: rig.protocol.events == ["pause", "resume"])
            assert rig.peer.recv(100) == b"abcdef"
            assert rig.transport.get_write_buffer_size() == 0

    run(main())


def test_water_marks(run):
    async def main():
        async with Rig() as rig:
            rig.transport.set_write_buffer_limits(high=5, low=2)
            assert rig.transport.get_write_buffer_limits() == (2, 5)
            rig.owner.slice = 0
            rig.transport.write(b"abcde")
            assert rig.protocol.events == []
            rig.transport.write(b"f")
            assert rig.protocol.events == ["pause"]
            rig.transport.set_write_buffer_limits()
            assert rig.transport.get_write_buffer_limits() == (16384, 65536)

    run(main())


def test_large_writes_are_offered_in_parts(run):
    async def main():
        async with Rig() as rig:
            rig.transport.write(b"x" * (WRITE_AT_ONCE + 1))
            assert rig.owner.offered[0] == WRITE_AT_ONCE

    run(main())


def test_small_writes_that_wait_are_offered_together(run):
    async def main():
        async with Rig() as rig:
            rig.owner.slice = 0
            for number in range(10_000):
                rig.transport.write(b"%09d\n" % number)
            large = b"x" * 100_000
            rig.transport.write(large)
            rig.owner.offered.clear()
            rig.owner.slice = 1 << 30
            received = bytearray()

            def all_is_there():
                with contextlib.suppress(BlockingIOError):
                    received.extend(rig.peer.recv(1 << 20))
                return len(received) == 200_000

            await rig.until(all_is_there)
            assert received == b"".join(b"%09d\n" % number for number in range(10_000)) + large
            assert len(rig.owner.offered) < 30

    run(main())


def test_what_is_left_of_a_joined_piece_is_not_joined_again_and_again(run):
    async def main():
        async with Rig() as rig:
            rig.owner.slice = 0
            for _ in range(4096):
                rig.transport.write(b"x" * 32)
            rig.owner.slice, copied = 1000, 0
            unsent = rig.transport._unsent
            while unsent:
                before = {id(view.obj) for view in unsent}
                rig.transport._write_ready()
                copied += sum(view.nbytes for view in unsent if id(view.obj) not in before)
                with contextlib.suppress(BlockingIOError):
                    rig.peer.recv(1 << 20)
            assert copied < 4 * 4096 * 32

    run(main())


def test_closing_sends_what_waits_then_closes_the_descriptor(run):
    async def main():
        async with Rig() as rig:
            rig.owner.slice = 0
            rig.transport.write(b"abc")
            rig.transport.close()
            rig.transport.write(b"too late")
            await asyncio.sleep(0)
            assert not rig.protocol.lost.done()
            rig.owner.slice = 10
            assert await rig.protocol.lost is None
            assert rig.peer.recv(100) == b"abc"
            assert rig.owner.closed == 1

    run(main())


def test_aborting_drops_what_waits(run):
    async def main():
        async with Rig() as rig:
            rig.owner.slice = 0
            rig.transport.write(b"abc")
            rig.transport.abort()
            assert await rig.protocol.lost is None
            assert rig.peer.recv(100) == b""

    run(main())


def test_a_read_error_closes_it(run):
    async def main():
        async with Rig() as rig:
            rig.owner.read_error = OSError(5, os.strerror(5))
            rig.peer.send(b"x")
            rig.transport.resume_reading()
            assert (await rig.protocol.lost).errno == 5

    run(main())


def test_a_write_error_closes_it(run):
    async def main():
        async with Rig() as rig:
            rig.peer.close()
            rig.transport.write(b"x")
            assert isinstance(await rig.protocol.lost, BrokenPipeError)

    run(main())
