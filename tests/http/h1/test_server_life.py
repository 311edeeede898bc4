"""How a connection ends: clients that go, streams given away, memory; over a stream that is not there."""

from __future__ import annotations

import gc
import weakref

import pytest

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def get(path: str, *fields: str, version: str = "1.1") -> bytes:
    return "\r\n".join([f"GET {path} HTTP/{version}", "Host: x", *fields, "", ""]).encode()


def post(body: bytes = b"", *fields: str, length: int | None = None, version: str = "1.1") -> bytes:
    size = len(body) if length is None else length
    head = "\r\n".join([f"POST /post HTTP/{version}", "Host: x", f"Content-Length: {size}", *fields, "", ""])
    return head.encode() + body


def chunked(*chunks: bytes, end: bool = True) -> bytes:
    head = b"POST /post HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join([b"%x\r\n%b\r\n" % (len(c), c) for c in chunks]) + (b"0\r\n\r\n" if end else b"")


def answer(body: str, *fields: str) -> bytes:
    """What ``message.reply(body)`` puts on the wire."""
    return "\r\n".join(["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *fields, "", body]).encode()


class TestClientsThatGo:
    @pytest.mark.parametrize("error", [None, ConnectionResetError(104, "reset")])
    @pytest.mark.parametrize(
        ("sent", "log"),
        [
            (b"", ["closed"]),
            (GET[:7], ["closed"]),
            (GET, ["head GET /", "finish", "closed"]),
            (post(b"0", length=2), ["head POST /post", "data 1", "closed", "gone"]),
            (chunked(b"0", end=False), ["head POST /post", "data 1", "closed", "gone"]),
        ],
    )
    def test_in_each_phase(self, connect, error, sent, log) -> None:
        peer = connect()
        peer.send(sent)
        peer.leave(error)
        assert sorted(peer.log) == sorted(log)
        peer.wait(200)

    def test_while_the_program_works(self, connect, slow_program) -> None:
        slow = slow_program()
        peer = connect(on_finish=slow)
        peer.send(GET)
        peer.leave()
        assert sorted(peer.log[2:]) == ["closed", "gone"]
        with pytest.raises(OSError, match="closed"):
            peer.do(lambda: slow.messages[0].head().result())

    def test_while_the_program_waits_for_itself(self, connect, gated) -> None:
        gate = gated()
        peer = connect(on_data=gate)
        peer.send(post(b"0" * 10))
        peer.leave()
        peer.do(gate.open)
        assert peer.log[-1] in ("gone", "closed")
        assert "finish" not in peer.log

    @pytest.mark.parametrize("sent", [GET[:7], post(b"0", length=2), chunked(b"0", end=False)])
    def test_within_a_request_is_a_line_in_the_log(self, connect, expect_log, sent) -> None:
        peer = connect()
        peer.send(sent)
        with expect_log("gustnado.general", "192.0.2.7 closed the connection within a request", level=10):
            peer.half_close()
        assert peer.closed
        assert peer.received() == b""
        assert "finish" not in peer.log

    def test_a_half_closed_client_gets_its_response(self, connect, slow_program) -> None:
        slow = slow_program()
        peer = connect(on_finish=slow)
        peer.send(GET)
        peer.half_close()
        assert not peer.closed
        peer.do(slow.answer)
        assert peer.received() == answer("/", "Connection: close")
        assert peer.closed

    def test_and_one_that_ends_in_the_same_turn_of_the_loop_too(self, connect) -> None:
        peer = connect()

        def request_and_end() -> None:
            peer.stream.kernel += GET
            peer.stream.deliver()
            peer.stream.half_close()

        peer.do(request_and_end)
        assert peer.received() == answer("/")
        assert peer.closed

    def test_and_so_do_its_pipelined_requests(self, connect, slow_program) -> None:
        slow = slow_program()
        peer = connect(on_finish=slow)
        peer.send(get("/a") + get("/b") + get("/c"))
        peer.half_close()
        for _ in range(3):
            peer.do(slow.answer)
        assert peer.received() == answer("/a") + answer("/b") + answer("/c", "Connection: close")
        assert peer.closed

    def test_and_its_body_is_read_to_the_end(self, connect, gated) -> None:
        gate = gated()
        peer = connect(on_data=gate, chunk_size=4)
        peer.send(post(b"wind and gust"))
        peer.half_close()
        for _ in range(4):
            peer.do(gate.open)
        assert peer.log[-1] in ("finish", "closed")
        assert peer.received() == answer("/post", "Connection: close")
        assert peer.closed

    def test_a_half_closed_client_that_has_not_sent_its_body(self, connect, expect_log, gated) -> None:
        gate = gated()
        peer = connect(on_data=gate)
        peer.send(post(b"0", length=2))
        with expect_log("gustnado.general", "closed the connection within a request", level=10):
            peer.half_close()
            if not peer.closed:
                peer.do(gate.open)
        assert peer.closed
        assert "gone" in peer.log

    def test_one_that_keeps_the_line_open_and_reads_slowly(self, connect, slow_program) -> None:
        slow = slow_program()
        peer = connect(on_finish=slow)
        peer.send(GET)
        peer.half_close()
        peer.stream.wire.unsent = 1_000_000
        peer.do(peer.connection.pause_writing)
        peer.do(slow.answer)
        for _ in range(5):
            peer.wait(20)
            peer.stream.wire.unsent -= 10
        assert not peer.stream.aborted
        assert not peer.closed


class TestDetach:
    UPGRADE = get("/", "Connection: upgrade", "Upgrade: gust")

    def test_unread_bytes_go_with_the_stream(self, connect, slow_program) -> None:
        slow = slow_program()
        peer = connect(on_finish=slow)
        peer.send(self.UPGRADE + b"\x00gust")
        peer.do(slow.messages[0].connection.detach)
        assert peer.stream.unread == b"\x00gust"
        assert not peer.closed
        assert peer.log[-1] == "closed"

    def test_a_stream_that_was_paused_reads_again(self, connect, slow_program) -> None:
        slow = slow_program()
        peer = connect(on_finish=slow)
        peer.send(self.UPGRADE)
        peer.send(b"\x00gust")
        assert not peer.stream.reading
        peer.do(slow.messages[0].connection.detach)
        assert peer.stream.reading
        assert peer.stream.unread == b"\x00gust"

    def test_what_was_written_goes_first(self, connect) -> None:
        def upgrade(message) -> None:
            if message.path == "/up":
                message.connection.write_informational(103)
                message.connection.detach()
                peer.stream.wire.write(b"gust")
            else:
                message.reply(message.path)

        peer = connect(on_finish=upgrade)
        peer.send(get("/a") + get("/up") + b"rest")
        assert peer.received() == answer("/a") + b"HTTP/1.1 103 Early Hints\r\n\r\ngust"

    def test_nobody_looks_at_it_any_more(self, connect, slow_program) -> None:
        slow = slow_program()
        peer = connect(on_finish=slow)
        peer.send(self.UPGRADE)
        peer.do(slow.messages[0].connection.detach)
        assert peer.loop.armed() == 0
        peer.wait(1000)
        assert not peer.closed

    def test_the_connection_is_gone_for_the_request(self, connect, slow_program) -> None:
        slow = slow_program()
        peer = connect(on_finish=slow)
        peer.send(self.UPGRADE)
        connection = slow.messages[0].connection
        peer.do(connection.detach)
        assert connection.stream is None
        with pytest.raises(OSError, match="closed"):
            connection.detach()


class TestMemory:
    """What is over is freed at once, without the garbage collector."""

    @pytest.fixture(autouse=True)
    def no_collector(self):
        gc.collect()
        gc.disable()
        yield
        gc.enable()

    def test_a_request_is_freed_after_its_response(self, connect, slow_program) -> None:
        slow = slow_program()
        peer = connect(on_finish=slow)
        peer.send(post(b"wind"))
        message = weakref.ref(slow.messages[0])
        peer.do(slow.answer)
        slow.messages.clear()
        assert message() is None

    def test_a_request_is_freed_when_its_client_goes(self, connect, slow_program) -> None:
        slow = slow_program()
        peer = connect(on_finish=slow)
        peer.send(post(b"wind"))
        message = weakref.ref(slow.messages[0])
        peer.leave(ConnectionResetError())
        slow.messages.clear()
        assert message() is None

    @pytest.mark.parametrize("data", [b"", GET[:9], GET, post(b"0", length=9), get("/", "Connection: close") + GET])
    def test_a_connection_is_freed_when_it_ends(self, connect, data) -> None:
        peer = connect()
        peer.send(data)
        peer.leave()
        connection = weakref.ref(peer.connection)
        peer.connection = None
        assert connection() is None

    def test_a_connection_is_freed_when_it_has_refused(self, connect, expect_log) -> None:
        peer = connect()
        with expect_log("gustnado.general", "Malformed", level=20):
            peer.send(b"bad\r\n\r\n")
        peer.wait(5)
        connection = weakref.ref(peer.connection)
        peer.connection = None
        assert connection() is None
