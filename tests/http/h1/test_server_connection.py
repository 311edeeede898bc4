"""A connection from its beginning: kept or not, and its deadlines; over a stream that is not there."""

from __future__ import annotations

import pytest

from gustnado.http.limits import Limits

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def get(path: str, *fields: str, version: str = "1.1") -> bytes:
    return "\r\n".join([f"GET {path} HTTP/{version}", "Host: x", *fields, "", ""]).encode()


def post(body: bytes = b"", *fields: str, length: int | None = None, version: str = "1.1") -> bytes:
    size = len(body) if length is None else length
    head = "\r\n".join([f"POST /post HTTP/{version}", "Host: x", f"Content-Length: {size}", *fields, "", ""])
    return head.encode() + body


def answer(body: str, *fields: str) -> bytes:
    """What ``message.reply(body)`` puts on the wire."""
    return "\r\n".join(["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *fields, "", body]).encode()


class TestKeepAlive:
    @pytest.mark.parametrize(
        ("request_", "kept"),
        [
            (get("/"), True),
            (get("/", "Connection: close"), False),
            (get("/", "Connection: keep-alive, Close"), False),
            (get("/", version="1.0"), False),
            (get("/", "Connection: keep-alive", version="1.0"), True),
            (b"CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n", False),
        ],
    )
    def test_the_client_decides(self, connect, request_: bytes, kept: bool) -> None:
        peer = connect()
        peer.send(request_)
        response = peer.received()
        assert (b"Connection: close\r\n" not in response) is kept
        assert peer.closed is not kept

    def test_the_server_may_not_want_it(self, connect) -> None:
        peer = connect(no_keep_alive=True)
        peer.send(GET)
        assert peer.received() == answer("/", "Connection: close")
        assert peer.closed

    def test_http_1_0_gets_no_chunks(self, connect, slow_program) -> None:
        slow = slow_program()
        peer = connect(on_finish=slow)
        peer.send(get("/", "Connection: keep-alive", version="1.0"))
        peer.do(slow.messages[0].head)
        peer.do(slow.messages[0].connection.write, b"wind")
        peer.do(slow.messages[0].connection.finish)
        assert peer.received() == b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nwind"
        assert peer.closed

    def test_row_60_the_last_of_max_requests_says_so(self, connect) -> None:
        peer = connect(limits=Limits(max_requests=3))
        peer.send(GET * 5)
        assert peer.received() == answer("/") * 2 + answer("/", "Connection: close")
        assert peer.lingering or peer.closed
        assert peer.log.count("finish") == 3

    def test_row_60_an_old_connection_is_closed_after_its_response(self, connect) -> None:
        peer = connect(limits=Limits(max_connection_age=100.0, idle_timeout=0.0, header_timeout=0.0))
        peer.send(GET)
        peer.wait(110)
        assert not peer.closed
        peer.received()
        peer.send(GET)
        assert peer.received() == answer("/", "Connection: close")
        assert peer.closed

    def test_row_37_what_comes_after_the_last_request_is_not_read(self, connect) -> None:
        peer = connect()
        peer.send(get("/a", "Connection: close") + get("/b") + b"\x00garbage")
        assert peer.received() == answer("/a", "Connection: close")
        assert peer.log[:2] == ["head GET /a", "finish"]
        assert peer.lingering

    def test_close_waits_for_the_response_on_its_way(self, connect, slow_program) -> None:
        slow = slow_program()
        peer = connect(on_finish=slow)
        peer.send(GET)
        peer.do(peer.connection.close)
        assert not peer.closed
        peer.do(slow.answer)
        assert peer.received() == answer("/", "Connection: close")
        assert peer.closed

    def test_close_of_an_idle_connection_is_at_once(self, connect) -> None:
        peer = connect()
        peer.send(GET)
        peer.do(peer.connection.close)
        assert peer.closed
        assert peer.log[-1] == "closed"


class TestDeadlines:
    def test_row_54_a_silent_connection_is_closed_without_an_answer(self, connect) -> None:
        peer = connect()
        peer.wait(14)
        assert not peer.closed
        peer.wait(3)
        assert peer.closed
        assert peer.received() == b""
        assert peer.log == ["closed"]

    def test_row_56_a_head_has_15_seconds_in_all_however_it_drips(self, connect, expect_log) -> None:
        peer = connect()
        with expect_log("gustnado.general", "no complete head in 15 s", level=20):
            for byte in GET[:20]:
                peer.send(bytes([byte]))
                peer.wait(1)
        assert peer.received().startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert peer.log == (["closed"] if peer.closed else [])

    def test_so_has_each_further_head(self, connect, expect_log) -> None:
        peer = connect()
        peer.send(GET)
        peer.received()
        peer.wait(40)
        peer.send(GET[:10])
        peer.wait(14)
        assert not peer.closed
        with expect_log("gustnado.general", "no complete head", level=20):
            peer.wait(3)
        assert peer.received().startswith(b"HTTP/1.1 408 ")

    def test_row_60_an_idle_connection_is_kept_for_a_minute(self, connect) -> None:
        peer = connect()
        peer.send(GET)
        peer.received()
        peer.wait(59)
        assert not peer.closed
        peer.wait(3)
        assert peer.closed
        assert peer.received() == b""

    def test_row_57_a_body_may_not_stand_still(self, connect, expect_log) -> None:
        peer = connect()
        peer.send(post(b"0" * 100_000, length=200_000))
        peer.wait(29)
        assert peer.received() == b""
        with expect_log("gustnado.general", "no byte in 30 s", level=20):
            peer.wait(3)
        assert peer.received().startswith(b"HTTP/1.1 408 ")
        assert peer.log[-1] in ("gone", "closed")

    def test_a_program_may_say_how_long(self, connect, expect_log) -> None:
        peer = connect(on_head=lambda message: message.connection.set_body_timeout(5))
        peer.send(post(b"0" * 100_000, length=200_000))
        with expect_log("gustnado.general", "no byte in 5 s", level=20):
            peer.wait(7)

    def test_row_57_a_body_may_not_drip(self, connect, expect_log) -> None:
        peer = connect()
        peer.send(post(length=10_000))
        with expect_log("gustnado.general", "bytes of a body in .* too slow", level=20):
            for _ in range(13):
                peer.send(b"0" * 100)
                peer.wait(1)
        assert peer.received().startswith(b"HTTP/1.1 408 ")

    def test_a_body_at_the_lowest_rate_is_read(self, connect) -> None:
        peer = connect()
        peer.send(post(length=250 * 60))
        for _ in range(60):
            peer.send(b"0" * 250)
            peer.wait(1)
        assert peer.received() == answer("/post")

    @pytest.mark.parametrize("where", ["on_head", "on_data"])
    def test_the_time_that_the_program_takes_is_not_the_clients(self, connect, where: str, gated) -> None:
        gate = gated()
        peer = connect(**{where: gate})
        peer.send(post(b"0", length=2000))
        peer.wait(300)
        peer.do(gate.open)
        peer.wait(5)
        assert not peer.received()
        peer.send(b"0" * 1999)
        if where == "on_data":
            peer.do(gate.open)
        assert peer.received() == answer("/post")

    def test_a_response_may_take_as_long_as_it_likes(self, connect, slow_program) -> None:
        slow = slow_program()
        peer = connect(on_finish=slow)
        peer.send(GET)
        peer.wait(10_000)
        peer.do(slow.answer)
        assert peer.received()

    def test_row_59_a_client_that_does_not_read_is_cut(self, connect, expect_log, slow_program) -> None:
        slow = slow_program()
        peer = connect(on_finish=slow)
        peer.send(GET)
        peer.do(slow.messages[0].head)
        peer.stream.wire.unsent = 1_000_000
        peer.do(peer.connection.pause_writing)
        peer.wait(29)
        assert not peer.closed
        with expect_log("gustnado.general", "does not read its response", level=20):
            peer.wait(4)
        assert peer.stream.aborted
        assert sorted(peer.log) == ["closed", "finish", "gone", "head GET /"]

    def test_a_client_that_reads_slowly_is_not(self, connect, slow_program) -> None:
        slow = slow_program()
        peer = connect(on_finish=slow)
        peer.send(GET)
        peer.do(slow.messages[0].head)
        peer.stream.wire.unsent = 1_000_000
        peer.do(peer.connection.pause_writing)
        for _ in range(20):
            peer.wait(20)
            peer.stream.wire.unsent -= 1
        assert not peer.closed

    @pytest.mark.parametrize("half_close", [True, False])
    @pytest.mark.parametrize("request_", [get("/", "Connection: close"), get("/", version="1.0")])
    def test_neither_is_one_whose_connection_is_to_be_closed(self, connect, request_, half_close, slow_program) -> None:
        slow = slow_program()
        peer = connect(on_finish=slow, half_close=half_close)
        peer.send(request_)
        peer.stream.wire.unsent = 1_000_000
        peer.do(peer.connection.pause_writing)
        peer.do(slow.answer)
        for _ in range(20):
            peer.wait(20)
            peer.stream.wire.unsent -= 10
        assert not peer.stream.aborted
        assert not peer.closed
        peer.stream.wire.unsent = 0
        peer.do(peer.connection.resume_writing)
        peer.wait(5)
        assert peer.closed

    def test_writes_wait_for_a_slow_client(self, connect, slow_program) -> None:
        slow = slow_program()
        peer = connect(on_finish=slow)
        peer.send(GET)
        message = slow.messages[0]
        futures: list = []
        peer.do(lambda: futures.append(message.head()))
        peer.do(peer.connection.pause_writing)
        peer.do(lambda: futures.append(message.connection.write(b"wind")))
        assert [future.done() for future in futures] == [True, False]
        peer.do(peer.connection.resume_writing)
        assert futures[1].result() is None

    def test_waiting_writes_fail_when_the_client_goes(self, connect, slow_program) -> None:
        slow = slow_program()
        peer = connect(on_finish=slow)
        peer.send(GET)
        message = slow.messages[0]
        peer.do(message.head)
        peer.do(peer.connection.pause_writing)
        futures: list = []
        peer.do(lambda: futures.append(message.connection.write(b"wind")))
        peer.leave(ConnectionResetError())
        assert isinstance(futures[0].exception(), OSError)

    def test_no_deadline_where_the_limit_is_none(self, connect) -> None:
        none = Limits(header_timeout=0.0, idle_timeout=0.0, body_timeout=0.0, min_body_rate=0, max_body_time=0.0)
        for data in (b"", GET[:5], GET, post(b"0", length=2)):
            peer = connect(limits=none)
            peer.send(data)
            peer.received()
            peer.wait(100_000)
            assert not peer.closed
            assert not peer.received()

    def test_nobody_sweeps_for_no_connection(self, connect) -> None:
        peer = connect()
        assert peer.loop.armed() == 1
        peer.leave()
        assert peer.loop.armed() == 0


class TestBodiesInAll:
    SLOW = Limits(max_body_time=100.0, body_timeout=0.0, min_body_rate=0)

    def drip(self, peer, seconds: int) -> None:
        for _ in range(seconds // 10):
            peer.wait(10)
            peer.send(b"0")

    def test_one_that_takes_too_long_is_refused_although_it_moves(self, connect, expect_log) -> None:
        peer = connect(limits=self.SLOW)
        peer.send(post(b"", length=1000))
        self.drip(peer, 90)
        assert peer.received() == b""
        with expect_log("gustnado.general", "not whole in 100 s", level=20):
            self.drip(peer, 20)
        assert peer.received().startswith(b"HTTP/1.1 408 ")

    def test_one_that_is_streamed_may_take_its_time(self, connect) -> None:
        peer = connect(limits=self.SLOW, on_head=lambda message: message.connection.set_max_body_size(None))
        peer.send(post(b"", length=100))
        self.drip(peer, 1000)
        assert peer.received() == answer("/post")

    def test_the_least_rate_can_be_set_for_one_request(self, connect, expect_log) -> None:
        peer = connect(on_head=lambda message: message.connection.set_min_body_rate(0))
        peer.send(post(b"", length=30))
        self.drip(peer, 300)
        assert peer.received() == answer("/post")
        peer.program.on_head = lambda message: None
        peer.send(post(b"", length=30))
        with expect_log("gustnado.general", "too slow", level=20):
            self.drip(peer, 20)

    def test_what_the_bound_is_can_be_asked(self, connect) -> None:
        seen: list[int] = []
        peer = connect(limits=Limits(max_body_size=7), on_head=lambda m: seen.append(m.connection.max_body_size))
        peer.send(post(b"a"))
        assert seen == [7]


class TestTurnedAway:
    @pytest.fixture
    def away(self, connect):
        peer = connect()
        peer.do(peer.stream.consumer.turn_away, peer.program)
        return peer

    def test_row_63_whatever_arrives_is_answered_with_503(self, away, expect_log) -> None:
        with expect_log("gustnado.general", "more connections than one address may have", level=20):
            away.send(GET)
        assert away.received().startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert away.lingering
        assert away.log == []

    def test_silence_is_not_waited_for(self, away) -> None:
        away.wait(5)
        assert away.closed
        assert away.received() == b""
        assert away.log == ["closed"]

    def test_it_can_be_closed(self, away) -> None:
        away.do(away.connection.close)
        assert away.closed


class TestWriteBuffer:
    def test_the_stream_is_told_how_much_may_wait(self, connect) -> None:
        peer = connect(limits=Limits(max_write_buffer=12345))
        assert peer.stream.consumer_high_water == 12345
