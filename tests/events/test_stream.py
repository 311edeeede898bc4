"""Streams over sockets: connecting, TLS, and what the socket can be asked."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import os
import socket
import ssl
import tempfile

import pytest

from gustnado.errors import StreamClosedError, UsageError
from gustnado.events.loop import IOLoop
from gustnado.events.stream import AlreadyWaitingError, IOStream, SSLIOStream, StreamBusyError


async def accept(listener: socket.socket) -> socket.socket:
    listener.setblocking(False)
    return (await asyncio.get_running_loop().sock_accept(listener))[0]


@contextlib.contextmanager
def unix_listener():
    with tempfile.TemporaryDirectory() as folder:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(os.path.join(folder, "s"))
            listener.listen()
            yield listener


@contextlib.contextmanager
def tcp_listener(family=socket.AF_INET):
    address = ("::1", 0) if family == socket.AF_INET6 else ("127.0.0.1", 0)
    with socket.create_server(address, family=family) as listener:
        yield listener


def has_ipv6():
    try:
        with tcp_listener(socket.AF_INET6):
            return True
    except OSError:
        return False


LISTENERS = [
    pytest.param(tcp_listener, id="IPv4"),
    pytest.param(
        lambda: tcp_listener(socket.AF_INET6),
        id="IPv6",
        marks=pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here"),
    ),
    pytest.param(
        unix_listener,
        id="unix",
        marks=pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets here"),
    ),
]


class TestConnecting:
    @pytest.mark.parametrize("listening", LISTENERS)
    def test_gives_the_stream_itself(self, everywhere, listening):
        async def main():
            with listening() as listener:
                client = IOStream(socket.socket(listener.family))
                connecting = client.connect(listener.getsockname())
                server = IOStream(await accept(listener))
                assert await connecting is client
                assert client.get_peername() == listener.getsockname()
                await client.write(b"hello")
                assert await server.read_bytes(5) == b"hello"
                client.close()
                assert await server.read_until_close() == b""
                assert client.get_peername() is None

        everywhere(main())

    def test_reads_and_writes_may_come_before(self, everywhere):
        async def main():
            with tcp_listener() as listener:
                client = IOStream(socket.socket())
                order = []
                client.connect(listener.getsockname(), lambda: order.append("connected"))
                writing = client.write("question", lambda: order.append("written"))
                reading = client.read_bytes(6, lambda data: order.append(data))
                server = IOStream(await accept(listener))
                assert await server.read_bytes(8) == b"question"
                await server.write(b"answer")
                await writing
                await reading
                await asyncio.sleep(0)
                assert order == ["connected", "written", b"answer"]
                client.close()
                server.close()
                await asyncio.sleep(0.01)

        everywhere(main())

    def test_what_its_callback_raises_is_logged_and_closes_the_stream(self, run, expect_log):
        def fail():
            raise ZeroDivisionError

        async def main():
            with tcp_listener() as listener:
                client = IOStream(socket.socket())
                with expect_log("gustnado.application", "Exception in callback"):
                    client.connect(listener.getsockname(), fail)
                    while not client.closed():
                        await asyncio.sleep(0.001)
                assert isinstance(client.error, ZeroDivisionError)
                await asyncio.sleep(0.01)

        run(main())

    def test_a_refusal_is_the_real_error(self, everywhere):
        async def main():
            with tcp_listener() as listener:
                address = listener.getsockname()
            client = IOStream(socket.socket())
            closed = asyncio.Event()
            client.set_close_callback(closed.set)
            writing = client.write(b"x")
            with pytest.raises(StreamClosedError) as failure:
                await client.connect(address)
            assert isinstance(failure.value.real_error, ConnectionRefusedError)
            assert os.strerror(errno.ECONNREFUSED) in str(failure.value.real_error)
            assert client.error is failure.value.real_error
            await closed.wait()
            with pytest.raises(StreamClosedError):
                await writing
            assert client.fileno() == -1

        everywhere(main())

    def test_a_refusal_that_nobody_looks_at_leaves_no_trace(self, run, until):
        async def main():
            with tcp_listener() as listener:
                address = listener.getsockname()
            client = IOStream(socket.socket())
            client.connect(address)
            await until(client.closed)

        run(main())
        gc.collect()

    def test_closing_meanwhile_closes_the_socket(self, everywhere, until):
        async def main():
            with tcp_listener() as listener:
                for turns in range(4):
                    client = IOStream(socket.socket())
                    connecting = client.connect(listener.getsockname())
                    writing = client.write(b"x")
                    for _ in range(turns):
                        await asyncio.sleep(0)
                    done = connecting.done()
                    client.close()
                    if not done:
                        for future in (connecting, writing):
                            with pytest.raises(StreamClosedError):
                                await future
                    await until(lambda client=client: client.fileno() == -1)

        everywhere(main())

    @pytest.mark.parametrize("said", [None, b"", b"x"])
    @pytest.mark.parametrize("turns", range(6))
    def test_closing_meanwhile_leaves_nothing_that_the_loop_watches(self, everywhere, turns, said, until):
        async def main():
            left, right = socket.socketpair()
            with right:
                number = left.fileno()
                stream = IOStream(left)
                if said is not None:
                    stream.write(said)
                for _ in range(turns):
                    await asyncio.sleep(0)
                stream.close()
                right.setblocking(False)
                loop = asyncio.get_running_loop()
                assert await loop.sock_recv(right, 2) == (said or b"")
                await until(lambda: stream.fileno() == -1)
                os.dup2(right.fileno(), number)
                try:
                    writable = asyncio.Event()
                    loop.add_writer(number, writable.set)
                    await writable.wait()
                    loop.remove_writer(number)
                finally:
                    os.close(number)

        everywhere(main())

    def test_once_only(self, run):
        async def main():
            with tcp_listener() as listener:
                client = IOStream(socket.socket())
                connecting = client.connect(listener.getsockname())
                with pytest.raises(StreamBusyError):
                    client.connect(listener.getsockname())
                await connecting
                with pytest.raises(StreamBusyError):
                    client.connect(listener.getsockname())
                client.close()
                with pytest.raises(StreamClosedError):
                    client.connect(listener.getsockname())
                await asyncio.sleep(0.01)

        run(main())

    def test_reading_from_a_socket_that_is_not_connected_fails(self, everywhere, caplog, until):
        async def main():
            stream = IOStream(socket.socket())
            with pytest.raises(StreamClosedError):
                await stream.read_bytes(1)
            await until(lambda: stream.fileno() == -1)

        everywhere(main())

    def test_a_datagram_socket_is_refused(self, run):
        async def main():
            stream = IOStream(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            with pytest.raises(StreamClosedError) as failure:
                await stream.read_bytes(1)
            assert isinstance(failure.value.real_error, UsageError)
            assert stream.fileno() == -1

        run(main())


class TestLoops:
    def test_a_stream_can_be_made_and_used_before_its_loop_runs(self):
        loop = IOLoop(make_current=False)
        ours, theirs = socket.socketpair()
        stream, other = IOStream(ours, io_loop=loop), IOStream(theirs, io_loop=loop)
        assert stream.io_loop is loop
        seen = []

        def on_line(line):
            seen.append(line)
            other.close()

        stream.set_close_callback(loop.stop)
        stream.read_until("\n", on_line)
        other.write("early\n")
        loop.start()
        assert seen == [b"early\n"]
        stream.close()
        loop.close()

    def test_a_stream_whose_loop_never_runs_is_dropped_quietly(self):
        loop = IOLoop(make_current=False)
        ours, theirs = socket.socketpair()
        stream = IOStream(ours, io_loop=loop)
        stream.read_bytes(1)
        ours.close()
        theirs.close()
        loop.close()
        del stream, loop
        gc.collect()


class TestTheSocket:
    def test_can_be_asked_and_set(self, run, pair):
        async def main():
            async with pair() as (ours, theirs):
                await ours.write(b"x")
                ours.set_nodelay(False)
                assert ours.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0
                ours.set_nodelay(True)
                assert ours.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
                assert ours.get_peername() == theirs.socket.getsockname()
                assert ours.fileno() == ours.socket.fileno()
                assert ours.get_fd_error() is None
                ours.close()
                ours.set_nodelay(True)
                assert ours.socket is None

        run(main())

    def test_nodelay_means_nothing_to_unix_sockets(self, run):
        async def main():
            left, right = socket.socketpair()
            with right:
                stream = IOStream(left)
                stream.set_nodelay(True)
                assert stream.get_peername() in ("", None)
                stream.close()

        run(main())

    def test_a_subclass_may_read_and_write_itself(self, everywhere):
        class Counting(IOStream):
            reads = writes = 0

            def read_from_fd(self, buf):
                self.reads += 1
                return super().read_from_fd(buf)

            def write_to_fd(self, data):
                self.writes += 1
                return super().write_to_fd(data)

        async def main():
            left, right = socket.socketpair()
            ours, theirs = Counting(left), IOStream(right)
            await ours.write(b"hello")
            await theirs.write(await theirs.read_bytes(5))
            assert await ours.read_bytes(5) == b"hello"
            assert ours.writes == 1
            assert ours.reads >= 1
            theirs.close()
            await ours.read_until_close()
            await asyncio.sleep(0.01)

        everywhere(main())


class TestTLS:
    def test_a_server_made_from_a_wrapped_socket(self, everywhere, server_context, client_context):
        async def main():
            with tcp_listener() as listener:
                client = SSLIOStream(socket.socket(), ssl_options=client_context)
                connecting = client.connect(listener.getsockname(), server_hostname="foo.example.com")
                wrapped = server_context.wrap_socket(
                    await accept(listener), server_side=True, do_handshake_on_connect=False
                )
                server = SSLIOStream(wrapped)
                assert server.socket.cipher() is None
                assert server.reading() is False
                assert await server.wait_for_handshake() is server
                assert await connecting is client
                assert client.socket.version() == "TLSv1.3"
                assert client.socket.getpeercert()["subject"]
                assert client.socket.getpeercert(binary_form=True).startswith(b"0")
                assert client.socket.server_hostname == "foo.example.com"
                assert client.socket.getpeername() == listener.getsockname()
                await client.write(b"secret")
                assert await server.read_bytes(6) == b"secret"
                assert (await server.wait_for_handshake()) is server
                client.close()
                assert await server.read_until_close() == b""

        everywhere(main())

    def test_reads_and_writes_may_come_before_the_handshake(self, everywhere, tls_pair):
        async def main():
            async with tls_pair() as (client, server):
                reading = server.read_until(b"\n")
                client.write(b"early\n")
                assert server.reading()
                assert await reading == b"early\n"
                assert not server.reading()

        everywhere(main())

    def test_a_wrong_name_is_found_out(self, everywhere, server_context, client_context, caplog, until):
        async def main():
            with tcp_listener() as listener:
                client = SSLIOStream(socket.socket(), ssl_options=client_context)
                connecting = client.connect(listener.getsockname(), server_hostname="bar.example.com")
                server = SSLIOStream(await accept(listener), ssl_options=server_context, server_side=True)
                with pytest.raises(ssl.SSLCertVerificationError):
                    await connecting
                with pytest.raises(OSError):
                    await server.wait_for_handshake()
                assert isinstance(client.error, ssl.SSLCertVerificationError)
                assert client.closed()
                assert server.closed()
                await until(lambda: client.fileno() == server.fileno() == -1)

        everywhere(main())
        assert any("SSL Error on" in record.getMessage() for record in caplog.records)

    def test_a_name_is_needed_where_it_is_checked(self, run, client_context):
        async def main():
            with tcp_listener() as listener:
                client = SSLIOStream(socket.socket(), ssl_options=client_context)
                with pytest.raises(UsageError, match="server_hostname"):
                    await client.connect(listener.getsockname())
                assert client.fileno() == -1

        run(main())

    def test_a_dictionary_of_options(self, run, server_context):
        async def main():
            with tcp_listener() as listener:
                client = SSLIOStream(socket.socket(), ssl_options={"cert_reqs": ssl.CERT_NONE})
                connecting = client.connect(listener.getsockname())
                server = SSLIOStream(await accept(listener), ssl_options=server_context, server_side=True)
                assert await connecting is client
                client.close()
                await server.read_until_close()

        run(main())

    @pytest.mark.parametrize("turns", [0, 1, 2, 5, 50])
    def test_closing_during_the_handshake(self, everywhere, server_context, turns):
        async def main():
            left, right = socket.socketpair()
            with right:
                server = SSLIOStream(left, ssl_options=server_context, server_side=True)
                reading, waiting = server.read_bytes(1), server.wait_for_handshake()
                server.write(b"dropped")
                for _ in range(turns):
                    await asyncio.sleep(0)
                server.close()
                for future in (reading, waiting):
                    with pytest.raises(StreamClosedError):
                        await future
                right.setblocking(False)
                assert await asyncio.get_running_loop().sock_recv(right, 1000) == b""

        everywhere(main())

    def test_a_peer_that_leaves_during_the_handshake(self, everywhere, server_context):
        async def main():
            left, right = socket.socketpair()
            server = SSLIOStream(left, ssl_options=server_context, server_side=True)
            waiting = server.wait_for_handshake()
            await asyncio.sleep(0.01)  # whether it has begun or not
            right.close()
            with pytest.raises(OSError):
                await waiting
            assert server.closed()

        everywhere(main())

    def test_a_peer_that_does_not_speak_tls(self, everywhere, server_context, caplog):
        async def main():
            left, right = socket.socketpair()
            with right:
                right.send(b"GET / HTTP/1.1\r\n\r\n")
                server = SSLIOStream(left, ssl_options=server_context, server_side=True)
                with pytest.raises(ssl.SSLError):
                    await server.wait_for_handshake()
                await asyncio.sleep(0.01)

        everywhere(main())
        warnings = [record.name for record in caplog.records if record.levelname == "WARNING"]
        assert warnings == ["gustnado.general"]

    def test_a_handshake_that_takes_too_long(self, everywhere, server_context):
        async def main():
            left, right = socket.socketpair()
            with right:
                server = SSLIOStream(
                    left, ssl_options=server_context, server_side=True, handshake_timeout=0.01
                )
                with pytest.raises(OSError):
                    await server.wait_for_handshake()
                assert server.closed()
                await asyncio.sleep(0.01)

        everywhere(main())

    def test_only_one_may_wait_for_the_handshake(self, run, server_context):
        async def main():
            left, right = socket.socketpair()
            with right:
                server = SSLIOStream(left, ssl_options=server_context, server_side=True)
                first = server.wait_for_handshake()
                with pytest.raises(AlreadyWaitingError):
                    server.wait_for_handshake()
                server.close()
                with pytest.raises(StreamClosedError):
                    await first
                with pytest.raises(StreamClosedError):
                    await server.wait_for_handshake()
                await asyncio.sleep(0.01)

        run(main())

    def test_the_end_does_not_come_before_the_last_bytes(self, everywhere, tls_pair):
        async def main():
            async with tls_pair() as (client, server):
                await server.wait_for_handshake()
                server.write(b"x" * 1_000_000)
                server.close()
                assert await client.read_bytes(10) == b"x" * 10
                await asyncio.sleep(0.02)
                assert len(await client.read_until_close()) == 999_990

        everywhere(main())


class TestStartTLS:
    def test_both_sides_after_talking_in_clear(self, everywhere, pair, server_context, client_context):
        async def main():
            async with pair() as (client, server):
                await server.write(b"220 ready\r\n")
                assert await client.read_until(b"\r\n") == b"220 ready\r\n"
                await client.write(b"STARTTLS\r\n")
                assert await server.read_until(b"\r\n") == b"STARTTLS\r\n"
                await server.write(b"220 go ahead\r\n")
                assert await client.read_until(b"\r\n") == b"220 go ahead\r\n"
                closed = asyncio.Event()
                client.set_close_callback(closed.set)
                starting = client.start_tls(False, client_context, "foo.example.com")
                serving = server.start_tls(True, server_context)
                secure, secure_server = await starting, await serving
                assert isinstance(secure, SSLIOStream)
                assert secure.socket.version() == "TLSv1.3"
                assert client.closed()
                await secure.write(b"EHLO\r\n")
                assert await secure_server.read_until(b"\r\n") == b"EHLO\r\n"
                secure_server.close()
                assert await secure.read_until_close() == b""
                await closed.wait()

        everywhere(main())

    def test_right_after_connecting_and_accepting(self, everywhere, server_context, client_context):
        async def main():
            with tcp_listener() as listener:
                client = IOStream(socket.socket())
                connecting = client.connect(listener.getsockname())
                server = IOStream(await accept(listener))
                serving = server.start_tls(True, server_context)
                await connecting
                secure = await client.start_tls(False, client_context, "foo.example.com")
                await secure.write(b"x")
                secure_server = await serving
                assert await secure_server.read_bytes(1) == b"x"
                secure.close()
                assert await secure_server.read_until_close() == b""

        everywhere(main())

    @pytest.mark.parametrize("turns", [1, 2, 3])
    def test_while_the_plain_transport_is_being_made(self, everywhere, pair, server_context, turns):
        async def main():
            async with pair() as (client, server):
                server.set_close_callback(lambda: None)  # which opens it
                for _ in range(turns):
                    await asyncio.sleep(0)
                serving = server.start_tls(True, server_context)
                starting = client.start_tls(False, {"cert_reqs": ssl.CERT_NONE})
                secure, secure_server = await starting, await serving
                await secure.write(b"x")
                assert await secure_server.read_bytes(1) == b"x"
                secure.close()
                assert await secure_server.read_until_close() == b""

        everywhere(main())

    def test_needs_an_idle_stream(self, run, pair, server_context):
        async def main():
            async with pair() as (ours, theirs):
                reading = ours.read_bytes(1)
                with pytest.raises(StreamBusyError, match="not idle"):
                    ours.start_tls(True, server_context)
                await theirs.write(b"ab")
                await reading
                with pytest.raises(ValueError, match="not idle"):  # a byte that came in clear
                    ours.start_tls(True, server_context)
                await ours.read_bytes(1)
                writing = ours.write(b"x" * 20_000_000)
                with pytest.raises(StreamBusyError):
                    ours.start_tls(True, server_context)
                ours.close()
                with pytest.raises(StreamClosedError):
                    await writing
                with pytest.raises(StreamBusyError):
                    ours.start_tls(True, server_context)

        run(main())

    def test_a_failed_handshake_is_told_and_closes_the_connection(
        self, everywhere, pair, server_context, caplog, until
    ):
        async def main():
            async with pair() as (client, server):
                await client.write(b"x")
                await server.read_bytes(1)
                serving = server.start_tls(True, server_context)
                starting = client.start_tls(False, server_hostname="foo.example.com")
                with pytest.raises(ssl.SSLCertVerificationError):
                    await starting
                with pytest.raises(OSError):
                    await serving
                await until(lambda: client.fileno() == server.fileno() == -1)

        everywhere(main())
        assert any("SSL Error on" in record.getMessage() for record in caplog.records)

    def test_a_name_is_needed_where_it_is_checked(self, run, pair, client_context):
        async def main():
            async with pair() as (ours, _):
                with pytest.raises(UsageError, match="server_hostname"):
                    ours.start_tls(False, client_context)
                assert not ours.closed()

        run(main())

    @pytest.mark.parametrize("opened", [False, True])
    @pytest.mark.parametrize("turns", [0, 1, 3, 20])
    def test_cancelling_closes_the_connection(self, everywhere, pair, opened, turns, until):
        async def main():
            async with pair() as (ours, theirs):
                if opened:
                    await ours.write(b"")
                starting = ours.start_tls(False, {"cert_reqs": ssl.CERT_NONE})
                for _ in range(turns):
                    await asyncio.sleep(0)
                starting.cancel()
                await theirs.read_until_close()
                await until(lambda: ours.fileno() == -1)

        everywhere(main())

    def test_a_connection_that_is_lost_before_it_begins(self, everywhere, pair, server_context):
        async def main():
            async with pair() as (ours, theirs):
                await ours.write(b"x")
                starting = ours.start_tls(True, server_context)
                theirs.close()
                with pytest.raises(OSError):
                    await starting

        everywhere(main())
