"""A part of a file goes over a socket, at the peer's pace, and never waits for the disk on the loop's thread."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import threading

import pytest

from gustnado.errors import StreamClosedError
from gustnado.events import file_sender
from gustnado.events.file_sender import LOOK_AHEAD, PIECE, FileSender, FileShrunkError, can_send_files

pytestmark = pytest.mark.skipif(not hasattr(os, "sendfile"), reason="sendfile is POSIX's")

CONTENT = bytes(range(251)) * 20_000  # 5 MB, more than a pair of sockets holds
SIZE = len(CONTENT)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "content"
    path.write_bytes(CONTENT)
    with open(path, "rb+") as opened:
        yield opened


@pytest.fixture
def sockets():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    with ours, theirs:
        yield ours, theirs


class Sending:
    """A sender and what becomes of it; ``ours`` is closed where it ends, as a transport would."""

    def __init__(self, ours, file, offset=0, count=SIZE, prefix=b""):
        self.done = asyncio.get_running_loop().create_future()
        self.ours = ours
        self.sender = FileSender(ours, file.fileno(), offset, count, prefix, self.end)
        self.sender.start()

    def end(self, error):
        assert not self.done.done(), "done twice"
        self.done.set_result(error)
        self.ours.close()


async def read_all(sock):
    """Until its end, which comes when the last descriptor of the other end has been closed."""
    received = bytearray()
    while data := await asyncio.get_running_loop().sock_recv(sock, 1 << 16):
        received += data
    return bytes(received)


@pytest.fixture(params=["held", "not held"])
def cache(request, monkeypatch):
    """Whether the page cache is said to hold the file."""
    if request.param == "not held":
        monkeypatch.setattr(file_sender, "_NOWAIT", 0)
    return request.param


@pytest.fixture
def sendfile_threads(monkeypatch):
    """The threads that called ``os.sendfile``."""
    threads = []
    real = os.sendfile

    def sendfile(*args):
        threads.append(threading.current_thread())
        return real(*args)

    monkeypatch.setattr(os, "sendfile", sendfile)
    return threads


class TestSending:
    @pytest.mark.parametrize(("offset", "count"), [(0, len(CONTENT)), (12345, 1), (1, PIECE), (7, 3 * PIECE + 5)])
    def test_a_part_arrives_behind_its_prefix(self, everywhere, sockets, file, cache, offset, count):
        async def main():
            ours, theirs = sockets
            sending = Sending(ours, file, offset, count, b"prefix")
            assert await read_all(theirs) == b"prefix" + CONTENT[offset : offset + count]
            assert await sending.done is None
            assert sending.sender.sent == count

        everywhere(main())

    def test_a_prefix_larger_than_the_socket_holds(self, everywhere, sockets, file):
        async def main():
            ours, theirs = sockets
            Sending(ours, file, 0, 10, b"x" * 3_000_000)
            assert await read_all(theirs) == b"x" * 3_000_000 + CONTENT[:10]

        everywhere(main())

    def test_what_fits_is_sent_at_once(self, run, sockets, file):
        async def main():
            sending = Sending(sockets[0], file, 0, 1000)
            assert sending.done.done()

        run(main())

    def test_a_slow_peer_stops_it(self, everywhere, sockets, file, cache):
        async def main():
            ours, theirs = sockets
            sending = Sending(ours, file)
            before = -1
            while before != sending.sender.sent or sending.sender._working:
                before = sending.sender.sent
                for _ in range(20):
                    await asyncio.sleep(0)
            assert before < len(CONTENT)
            assert await read_all(theirs) == CONTENT

        everywhere(main())

    def test_other_callbacks_have_their_turns(self, run, sockets, file):
        async def main():
            ours, theirs = sockets
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
            sending = Sending(ours, file)
            turns = 0
            received = 0
            while not sending.done.done():
                turns += 1
                try:
                    received += len(theirs.recv(1 << 20))
                except BlockingIOError:
                    pass
                await asyncio.sleep(0)
            assert turns >= len(CONTENT) // PIECE

        run(main())


class TestThePageCache:
    def test_what_it_holds_is_sent_by_the_loops_thread(self, run, sockets, file, sendfile_threads):
        async def main():
            Sending(sockets[0], file)
            await read_all(sockets[1])

        run(main())
        if file_sender._NOWAIT:
            assert set(sendfile_threads) == {threading.current_thread()}

    def test_what_it_does_not_hold_by_another(self, run, sockets, file, sendfile_threads, monkeypatch):
        """As of the third stretch."""
        monkeypatch.setattr(file_sender, "_NOWAIT", 1)

        def preadv(descriptor, buffers, at, flags):
            if at >= 2 * LOOK_AHEAD:
                raise BlockingIOError
            return 1

        monkeypatch.setattr(os, "preadv", preadv)

        async def main():
            sending = Sending(sockets[0], file, 0, 3 * LOOK_AHEAD)
            assert await read_all(sockets[1]) == CONTENT[: 3 * LOOK_AHEAD]
            assert await sending.done is None

        run(main())
        assert sendfile_threads[0] is threading.current_thread()
        assert sendfile_threads[-1] is not threading.current_thread()


class TestTheEnd:
    def test_a_file_that_shrinks_is_an_error(self, everywhere, sockets, file, cache):
        async def main():
            ours, theirs = sockets
            sending = Sending(ours, file)
            file.truncate(4_000_000)
            received = await read_all(theirs)
            assert isinstance(await sending.done, FileShrunkError)
            assert CONTENT.startswith(received)
            assert len(received) <= 4_000_000

        everywhere(main())

    def test_a_peer_that_goes_is_an_error(self, everywhere, sockets, file, cache):
        async def main():
            sending = Sending(sockets[0], file)
            sockets[1].close()
            error = await sending.done
            assert isinstance(error, StreamClosedError)
            assert error.real_error.errno in (errno.EPIPE, errno.ECONNRESET)

        everywhere(main())

    def test_stopping_closes_our_descriptors(self, everywhere, sockets, file, cache):
        async def main():
            ours, theirs = sockets
            sending = Sending(ours, file)
            sending.sender.stop()
            sending.sender.stop()
            ours.close()
            received = await read_all(theirs)  # which ends
            assert CONTENT.startswith(received)
            assert len(received) < len(CONTENT)
            assert not sending.done.done()

        descriptors = len(os.listdir("/proc/self/fd"))
        everywhere(main())
        assert len(os.listdir("/proc/self/fd")) <= descriptors

    def test_stopping_while_a_thread_is_at_work(self, run, sockets, file, monkeypatch):
        """Its descriptors are kept until it is done, since their numbers could be another's."""
        monkeypatch.setattr(file_sender, "_NOWAIT", 0)
        begun, go_on = threading.Event(), threading.Event()
        real = file_sender.send_piece

        def send_piece(*args):
            begun.set()
            assert go_on.wait(30)
            return real(*args)

        monkeypatch.setattr(file_sender, "send_piece", send_piece)

        async def main():
            ours, theirs = sockets
            sending = Sending(ours, file, 0, 1000)
            await asyncio.get_running_loop().run_in_executor(None, begun.wait, 30)
            descriptors = len(os.listdir("/proc/self/fd"))
            sending.sender.stop()
            assert len(os.listdir("/proc/self/fd")) == descriptors
            go_on.set()
            ours.close()
            assert await read_all(theirs) == CONTENT[:1000]
            assert not sending.done.done()

        run(main())


class TestFilesOfOtherKinds:
    def test_what_sendfile_refuses_is_read(self, everywhere, sockets, file, monkeypatch):
        def sendfile(*args):
            raise OSError(errno.EINVAL, "not of this file system")

        monkeypatch.setattr(os, "sendfile", sendfile)

        async def main():
            sending = Sending(sockets[0], file)
            assert await read_all(sockets[1]) == CONTENT
            assert await sending.done is None

        everywhere(main())

    def test_and_what_cannot_be_read_is_an_error(self, run, sockets, file, monkeypatch):
        def fail(*args):
            raise OSError(errno.EINVAL, "cannot be read")

        monkeypatch.setattr(os, "sendfile", fail)
        monkeypatch.setattr(os, "pread", fail)

        async def main():
            error = await Sending(sockets[0], file).done
            assert error.errno == errno.EINVAL

        run(main())

    def test_a_bad_disk_is_an_error(self, run, sockets, file, monkeypatch):
        def fail(*args):
            raise OSError(errno.EIO, "cannot be read")

        monkeypatch.setattr(os, "sendfile", fail)

        async def main():
            assert (await Sending(sockets[0], file).done).errno == errno.EIO

        run(main())


class TestWhereItWorks:
    @pytest.mark.skipif("sys.platform != 'linux'")
    def test_on_plain_sockets_only(self, pair, tls_pair, everywhere):
        async def main():
            assert not can_send_files(None, None)
            async with pair() as (stream, _):
                await stream.write(b"x")
                assert can_send_files(stream.transport, stream.socket)
            async with tls_pair() as (client, server):
                await asyncio.gather(client.write(b"x"), server.write(b"x"))
                assert not can_send_files(server.transport, server.socket)

        everywhere(main())
