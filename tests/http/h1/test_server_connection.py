"""A server's side of a connection: order, bodies, deadlines, trouble; over a stream that is not there."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import weakref

import pytest

from gustnado.errors import HTTPInputError
from gustnado.http.limits import Limits

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


class Slow:
    """A program that answers when it is told to."""

    def __init__(self) -> None:
        self.messages: list = []
        self.answered = 0

    def __call__(self, message) -> None:
        self.messages.append(message)

    def answer(self) -> None:
        message = self.messages[self.answered]
        self.answered += 1
        message.reply(message.path)


class Gate:
    """What a program awaits before it takes more of a body."""

    def __init__(self) -> None:
        self.future: asyncio.Future[None] | None = None

    def __call__(self, message) -> asyncio.Future[None]:
        self.future = asyncio.get_running_loop().create_future()
        return self.future

    def open(self) -> None:
        assert self.future is not None
        self.future.set_result(None)


class TestOneAfterTheOther:
    def test_a_request_gets_its_response(self, connect) -> None:
        peer = connect()
        peer.send(get("/a"))
        assert peer.received() == answer("/a")
        assert peer.log == ["head GET /a", "finish"]
        assert not peer.closed

    def test_the_connection_is_kept(self, connect) -> None:
        peer = connect()
        for path in ("/a", "/b", "/c"):
            peer.send(get(path))
            assert peer.received() == answer(path)

    def test_bytes_may_come_one_by_one(self, connect) -> None:
        peer = connect()
        for byte in get("/a") + post(b"hello") + chunked(b"hel", b"lo") + get("/b"):
            peer.send(bytes([byte]))
        assert peer.received() == answer("/a") + answer("/post") * 2 + answer("/b")

    def test_responses_to_pipelined_requests_leave_in_one_write(self, connect) -> None:
        peer = connect()
        peer.send(get("/a") + get("/b") + get("/c"))
        assert peer.received() == answer("/a") + answer("/b") + answer("/c")
        assert peer.stream.wire.writes == 1

    @pytest.mark.parametrize("count", [16, 17, 1000])
    def test_many_pipelined_requests_are_answered_in_order(self, connect, count: int) -> None:
        peer = connect(limits=Limits(max_requests=10**6))
        peer.send(b"".join([get(f"/{n}") for n in range(count)]))
        for _ in range(count // 16 // 15):  # the event loop turns that many times in one step
            peer.send(b"")
        assert peer.received() == b"".join([answer(f"/{n}") for n in range(count)])
        assert peer.stream.reading

    def test_others_have_their_turn_between_batches_of_pipelined_requests(self, connect) -> None:
        peer = connect(limits=Limits(max_pipelined=4))
        seen: list[int] = []
        peer.loop.call_soon(lambda: seen.append(len(peer.program.log) // 2))

        def send() -> None:
            peer.stream.consumer.data_received(GET * 40)
            peer.loop.call_soon(lambda: seen.append(len(peer.program.log) // 2))

        peer.do(send)
        assert seen[0] == 0
        assert 4 <= seen[1] < 40
        assert len(peer.log) == 80

    def test_the_next_request_waits_for_the_response(self, connect) -> None:
        slow = Slow()
        peer = connect(on_finish=slow)
        peer.send(get("/a") + get("/b"))
        peer.send(get("/c"))
        assert peer.log == ["head GET /a", "finish"]
        peer.do(slow.answer)
        assert peer.log == ["head GET /b", "finish"]
        peer.do(slow.answer)
        peer.do(slow.answer)
        assert peer.received() == answer("/a") + answer("/b") + answer("/c")

    def test_nothing_is_read_while_requests_wait(self, connect) -> None:
        slow = Slow()
        peer = connect(on_finish=slow)
        peer.send(get("/a"))
        peer.send(get("/b"))
        peer.send(GET * 1000)
        assert not peer.stream.reading
        assert len(peer.stream.kernel) == len(GET) * 1000
        peer.do(slow.answer)
        peer.do(slow.answer)
        assert peer.stream.reading
        assert peer.log[-2:] == ["head GET /", "finish"]

    def test_a_response_may_come_in_pieces(self, connect) -> None:
        slow = Slow()
        peer = connect(on_finish=slow)
        peer.send(get("/a"))
        message = slow.messages[0]
        peer.do(message.head)
        peer.do(message.connection.write, b"wind")
        assert peer.received() == b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwind\r\n"
        peer.do(message.connection.finish)
        assert peer.received() == b"0\r\n\r\n"
        peer.send(get("/b"))
        assert len(slow.messages) == 2

    def test_requests_do_not_share_a_context(self, connect) -> None:
        variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="none")
        seen: list[str] = []

        def on_finish(message) -> None:
            seen.append(variable.get())
            variable.set(message.path)
            asyncio.get_running_loop().call_soon(message.reply, message.path)

        peer = connect(on_finish=on_finish)
        peer.send(get("/a") + get("/b"))
        peer.send(get("/c"))
        assert seen == ["none", "none", "none"]

    def test_a_body_is_delivered_in_the_context_of_its_request(self, connect) -> None:
        variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="none")
        seen: list[str] = []

        def look(message) -> None:
            seen.append(variable.get())

        peer = connect(on_head=lambda message: variable.set("mine") and None, on_data=look, on_finish=look)
        peer.send(post(length=4))
        peer.send(b"ab")
        peer.send(b"cd")
        assert seen == ["mine", "mine", "mine"]


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

    def test_http_1_0_gets_no_chunks(self, connect) -> None:
        slow = Slow()
        peer = connect(on_finish=slow)
        peer.send(get("/", "Connection: keep-alive", version="1.0"))
        peer.do(slow.messages[0].head)
        peer.do(slow.messages[0].connection.write, b"wind")
        peer.do(slow.messages[0].connection.finish)
        assert peer.received() == b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nwind"
        assert peer.closed

    def test_the_last_of_max_requests_says_so(self, connect) -> None:
        peer = connect(limits=Limits(max_requests=3))
        peer.send(GET * 5)
        assert peer.received() == answer("/") * 2 + answer("/", "Connection: close")
        assert peer.lingering or peer.closed
        assert peer.log.count("finish") == 3

    def test_an_old_connection_is_closed_after_its_response(self, connect) -> None:
        peer = connect(limits=Limits(max_connection_age=100.0, idle_timeout=0.0, header_timeout=0.0))
        peer.send(GET)
        peer.wait(110)
        assert not peer.closed
        peer.received()
        peer.send(GET)
        assert peer.received() == answer("/", "Connection: close")
        assert peer.closed

    def test_what_comes_after_the_last_request_is_not_read(self, connect) -> None:
        peer = connect()
        peer.send(get("/a", "Connection: close") + get("/b") + b"\x00garbage")
        assert peer.received() == answer("/a", "Connection: close")
        assert peer.log[:2] == ["head GET /a", "finish"]
        assert peer.lingering

    def test_close_waits_for_the_response_on_its_way(self, connect) -> None:
        slow = Slow()
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


class TestBodies:
    @pytest.mark.parametrize(
        "request_",
        [post(b"wind and gust"), chunked(b"wind ", b"and ", b"gust"), chunked(b"w", b"ind and gust")],
    )
    def test_a_body_arrives(self, connect, request_: bytes) -> None:
        peer = connect(on_finish=lambda message: message.reply(message.body))
        peer.send(request_)
        assert peer.received() == answer("wind and gust")

    def test_its_pieces_are_no_longer_than_asked_for(self, connect) -> None:
        peer = connect(chunk_size=4)
        peer.send(post(b"0123456789"))
        assert peer.log == ["head POST /post", "data 4", "data 4", "data 2", "finish"]

    def test_trailers_are_read(self, connect) -> None:
        peer = connect()
        peer.send(chunked(b"wind", end=False) + b"0\r\nX-Sum: 1\r\nContent-Length: 5\r\n\r\n" + get("/next"))
        assert peer.received() == answer("/post") + answer("/next")

    @pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
    def test_row_32_a_body_is_a_body_whatever_the_method(self, connect, method: str) -> None:
        peer = connect(on_finish=lambda message: message.reply(message.body))
        smuggled = get("/smuggled")
        peer.send(post(smuggled).replace(b"POST", method.encode()) + get("/next"))
        assert [line for line in peer.log if line.startswith("head")] == [
            f"head {method} /post",
            "head GET /next",
        ]

    def test_reading_pauses_while_the_program_is_busy(self, connect) -> None:
        gate = Gate()
        peer = connect(on_data=gate)
        peer.send(post(b"0" * 1000, length=1_000_000))
        assert peer.log == ["head POST /post", "data 1000"]
        peer.send(b"1" * 1000)
        peer.send(b"2" * 998_000)
        assert peer.log == []
        assert not peer.stream.reading
        assert len(peer.stream.kernel) == 998_000
        peer.do(gate.open)
        assert peer.log == ["data 1000"]
        peer.do(gate.open)
        assert peer.log == ["data 65536"]
        while not peer.received():
            peer.do(gate.open)
        assert peer.log[-2:] == ["data 14960", "finish"]
        assert peer.stream.reading

    def test_the_body_waits_for_the_head_to_be_dealt_with(self, connect) -> None:
        gate = Gate()
        peer = connect(on_head=gate)
        peer.send(post(b"wind"))
        assert peer.log == ["head POST /post"]
        peer.do(gate.open)
        assert peer.log == ["data 4", "finish"]
        assert peer.received() == answer("/post")

    def test_a_request_without_body_waits_for_its_head_too(self, connect) -> None:
        gate = Gate()
        peer = connect(on_head=gate)
        peer.send(GET + GET)
        assert peer.log == ["head GET /"]
        peer.do(gate.open)
        assert peer.log == ["finish", "head GET /"]

    def test_many_tiny_chunks_do_not_hold_up_the_loop(self, connect) -> None:
        peer = connect()
        turns: list[int] = []

        def count() -> None:
            turns.append(1)
            if not peer.program.log or peer.program.log[-1] != "finish":
                peer.loop.call_soon(count)

        peer.loop.call_soon(count)
        peer.send(chunked(*[b"a"] * 5000))
        assert peer.received() == answer("/post")
        assert 5 < len(turns) < 30

    def test_a_body_over_the_limit_is_refused_before_it_is_read(self, connect, expect_log) -> None:
        peer = connect(limits=Limits(max_body_size=10))
        with expect_log("gustnado.general", "Malformed HTTP message from 192.0.2.7: body of 11", level=20):
            peer.send(post(length=11))
        assert peer.received().startswith(b"HTTP/1.1 413 Content Too Large\r\n")
        assert peer.log == ["head POST /post", "gone"]

    def test_a_program_may_allow_more(self, connect) -> None:
        peer = connect(
            limits=Limits(max_body_size=10), on_head=lambda message: message.connection.set_max_body_size(20)
        )
        peer.send(post(b"0" * 20))
        assert peer.received() == answer("/post")

    def test_a_program_may_allow_less(self, connect, expect_log) -> None:
        peer = connect(on_head=lambda message: message.connection.set_max_body_size(3))
        with expect_log("gustnado.general", "over 3", level=20):
            peer.send(post(b"0" * 4))
        assert peer.received().startswith(b"HTTP/1.1 413 ")

    @pytest.mark.parametrize("status", [400, 413])
    def test_a_program_may_refuse_a_body(self, connect, expect_log, status: int) -> None:
        def refuse(message):
            raise HTTPInputError("not in this house", status=status)

        peer = connect(on_data=refuse)
        with expect_log("gustnado.general", "not in this house", level=20):
            peer.send(post(b"wind"))
        assert peer.received().startswith(b"HTTP/1.1 %d " % status)
        assert peer.lingering

    def test_a_program_may_refuse_a_form(self, connect, expect_log) -> None:
        def refuse(message):
            raise HTTPInputError("no form")

        peer = connect(on_finish=refuse)
        with expect_log("gustnado.general", "no form", level=20):
            peer.send(post(b"wind"))
        assert peer.received().startswith(b"HTTP/1.1 400 ")


class TestExpectContinue:
    EXPECT = "Expect: 100-continue"
    CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

    def test_it_is_sent_when_the_body_is_wanted(self, connect) -> None:
        gate = Gate()
        peer = connect(on_head=gate)
        peer.send(post(b"", self.EXPECT, length=4))
        assert peer.received() == b""
        peer.do(gate.open)
        assert peer.received() == self.CONTINUE
        peer.send(b"wind")
        assert peer.received() == answer("/post")
        assert not peer.closed

    def test_it_is_not_sent_where_the_body_is_there_already(self, connect) -> None:
        peer = connect()
        peer.send(post(b"wind", self.EXPECT))
        assert peer.received() == answer("/post")

    def test_it_is_not_sent_to_http_1_0(self, connect) -> None:
        peer = connect()
        peer.send(post(b"", self.EXPECT, length=4, version="1.0"))
        assert peer.received() == b""
        peer.send(b"wind")
        assert peer.received() == answer("/post", "Connection: close")

    def test_a_final_response_before_it_ends_the_connection(self, connect) -> None:
        peer = connect(on_head=lambda message: message.reply("no", 403))
        peer.send(post(b"", self.EXPECT, length=4))
        response = peer.received()
        assert response.startswith(b"HTTP/1.1 403 Forbidden\r\n")
        assert b"Connection: close\r\n" in response
        peer.send(get("/smuggled"))
        assert peer.log[0] == "head POST /post"
        assert not [line for line in peer.log if "smuggled" in line]

    def test_a_refusal_before_it_ends_the_connection(self, connect, expect_log) -> None:
        peer = connect(limits=Limits(max_body_size=3))
        with expect_log("gustnado.general", "body of 4", level=20):
            peer.send(post(b"", self.EXPECT, length=4))
        assert peer.received().startswith(b"HTTP/1.1 413 ")
        assert peer.lingering

    def test_it_is_not_sent_within_a_response(self, connect) -> None:
        """A program may begin its response before it has read the body."""
        peer = connect(
            on_head=lambda message: message.head() and None, on_finish=lambda m: m.connection.finish()
        )
        peer.send(post(b"", self.EXPECT, length=4))
        assert self.CONTINUE not in peer.received()


class TestUnreadBodies:
    """Row 33: a response that comes before its request has been read."""

    def early(self, message) -> None:
        message.reply("early")

    def test_a_small_rest_is_dropped_and_the_connection_kept(self, connect) -> None:
        peer = connect(on_head=self.early)
        peer.send(post(b"GET /smugg", length=100))
        assert peer.received() == answer("early")
        peer.send(get("/smuggled").ljust(90))
        peer.program.on_head = lambda message: None
        peer.send(get("/next"))
        assert peer.received() == answer("/next")
        assert [line for line in peer.log if line.startswith("head")] == ["head POST /post", "head GET /next"]

    def test_a_large_rest_ends_the_connection(self, connect) -> None:
        peer = connect(on_head=self.early, limits=Limits(max_unread_body=1000))
        peer.send(post(length=1001))
        assert peer.received() == answer("early", "Connection: close")
        assert peer.lingering
        peer.send(b"0" * 1001 + get("/next"))
        assert peer.log == ["head POST /post"]

    def test_a_rest_of_unknown_length_is_dropped_up_to_the_limit(self, connect) -> None:
        peer = connect(on_head=self.early, limits=Limits(max_unread_body=1000))
        peer.send(chunked(b"0" * 900, end=False))
        assert peer.received() == answer("early")
        assert not peer.stream.wire.eof_written
        peer.send(b"ff\r\n" + b"0" * 255 + b"\r\n")
        assert peer.lingering

    def test_it_is_waited_for_no_longer_than_a_moment(self, connect) -> None:
        peer = connect(on_head=self.early)
        peer.send(post(b"0", length=100))
        peer.wait(2)
        peer.send(b"0")
        assert not peer.stream.wire.eof_written
        peer.wait(2)
        assert peer.lingering

    def test_it_gets_no_second_response(self, connect, expect_log) -> None:
        peer = connect(on_head=self.early)
        with expect_log("gustnado.general", "malformed chunk size", level=20):
            peer.send(chunked(b"wind", end=False) + b"no chunk\r\n")
        assert peer.received() == answer("early")
        assert peer.lingering

    def test_its_size_gets_no_second_response(self, connect, expect_log) -> None:
        peer = connect(on_head=self.early, limits=Limits(max_body_size=10))
        with expect_log("gustnado.general", "over 10 bytes", level=20):
            peer.send(chunked(b"0" * 100))
        assert peer.received() == answer("early")

    def test_it_may_come_while_the_program_reads(self, connect) -> None:
        peer = connect(on_data=self.early)
        peer.send(post(b"0" * 10, length=20))
        assert peer.received() == answer("early")
        peer.send(b"1" * 10 + get("/next"))
        assert peer.log == ["head POST /post", "data 10", "head GET /next", "finish"]

    def test_the_program_that_answers_is_not_cancelled(self, connect) -> None:
        done: list[str] = []

        async def deny(message) -> None:
            await asyncio.sleep(0)
            message.reply("early")
            await asyncio.sleep(0)
            done.append("clean-up")

        peer = connect(on_head=deny)
        peer.send(post(b"0" * 10) + get("/next"))
        assert peer.received() == answer("early") * 2
        assert done == ["clean-up", "clean-up"]


class TestRefusal:
    @pytest.mark.parametrize(
        ("bad", "status"),
        [
            (b"nonsense\r\n\r\n", b"400 Bad Request"),
            (b"GET / HTTP/1.1\r\n\r\n", b"400 Bad Request"),
            (b"GET /" + b"a" * 9000, b"414 URI Too Long"),
            (GET[:-2] + b"A: b\r\n" * 101 + b"\r\n", b"431 Request Header Fields Too Large"),
            (post(b"", "Expect: tea", length=1), b"417 Expectation Failed"),
            (post(length=1 << 40), b"413 Content Too Large"),
            (GET[:-2] + b"Transfer-Encoding: gzip\r\n\r\n", b"501 Not Implemented"),
            (b"GET / HTTP/3.0\r\nHost: x\r\n\r\n", b"505 HTTP Version Not Supported"),
        ],
    )
    def test_it_is_one_response_one_line_and_the_end(
        self, connect, expect_log, bad: bytes, status: bytes
    ) -> None:
        peer = connect()
        with expect_log(
            "gustnado.general", r"^Malformed HTTP message from 192\.0\.2\.7: .", level=20
        ) as seen:
            peer.send(get("/good") + bad)
            peer.send(GET)
        assert len(seen.records) == 1
        good, refusal = peer.received().split(b"/good", 1)
        assert good == answer("/good")[:-5]
        head, _, body = refusal.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 " + status + b"\r\n")
        assert b"\r\nConnection: close" in head
        assert f"\r\nContent-Length: {len(body)}\r\n".encode() in head
        assert peer.lingering
        assert peer.log[:2] == ["head GET /good", "finish"]

    def test_a_good_request_is_answered_first_however_long_it_takes(self, connect, expect_log) -> None:
        slow = Slow()
        peer = connect(on_finish=slow)
        peer.send(get("/good") + b"bad\r\n\r\n")
        assert peer.received() == b""
        with expect_log("gustnado.general", "malformed request line", level=20):
            peer.do(slow.answer)
        assert peer.received().startswith(answer("/good") + b"HTTP/1.1 400 ")

    def test_the_client_has_time_to_read_it(self, connect, expect_log) -> None:
        peer = connect()
        with expect_log("gustnado.general", "malformed request line", level=20):
            peer.send(b"bad\r\n\r\n")
        for _ in range(100):
            peer.send(b"0" * 100_000)  # it goes on sending, and is not listened to
        assert peer.lingering
        assert not peer.stream.kernel
        peer.half_close()
        assert peer.closed
        assert not peer.stream.aborted
        assert peer.log == ["closed"]

    def test_but_not_for_ever(self, connect, expect_log) -> None:
        peer = connect()
        with expect_log("gustnado.general", "malformed request line", level=20):
            peer.send(b"bad\r\n\r\n")
        peer.wait(4)
        assert peer.closed

    def test_over_tls_too(self, connect, expect_log) -> None:
        """TLS cannot close one direction; the connection stays for a while all the same."""
        peer = connect(half_close=False)
        with expect_log("gustnado.general", "malformed request line", level=20):
            peer.send(b"bad\r\n\r\n")
        assert not peer.closed
        peer.send(b"0" * 1000)
        assert not peer.closed
        peer.wait(4)
        assert peer.closed

    @pytest.mark.parametrize("size", [b"x", b"5x", b"-1", b"+5", b"0x5", b"5_0", b" 5", b"", b"5;", b'5;a="'])
    def test_a_bad_chunk_after_the_head_has_been_answered_with_nothing(
        self, connect, expect_log, size
    ) -> None:
        peer = connect(on_head=lambda message: message.head() and None)
        peer.send(chunked(b"wind", end=False))
        with expect_log("gustnado.general", "malformed chunk size", level=20):
            peer.send(size + b"\r\n")
        assert peer.received() == b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert peer.lingering
        assert peer.log == ["head POST /post", "data 4", "gone"]

    def test_row_53_nothing_is_read_after_a_bad_chunk(self, connect, expect_log) -> None:
        peer = connect()
        with expect_log("gustnado.general", "longer than its size", level=20):
            peer.send(chunked(b"wind", end=False)[:-2] + b"XX" + GET)
        assert peer.received().count(b"HTTP/1.1") == 1
        assert [line for line in peer.log if line.startswith("head")] == ["head POST /post"]


class TestDeadlines:
    def test_a_silent_connection_is_closed_without_an_answer(self, connect) -> None:
        peer = connect()
        peer.wait(14)
        assert not peer.closed
        peer.wait(3)
        assert peer.closed
        assert peer.received() == b""
        assert peer.log == ["closed"]

    def test_a_head_has_15_seconds_in_all_however_it_drips(self, connect, expect_log) -> None:
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

    def test_an_idle_connection_is_kept_for_a_minute(self, connect) -> None:
        peer = connect()
        peer.send(GET)
        peer.received()
        peer.wait(59)
        assert not peer.closed
        peer.wait(3)
        assert peer.closed
        assert peer.received() == b""

    def test_a_body_may_not_stand_still(self, connect, expect_log) -> None:
        peer = connect()
        peer.send(post(b"0" * 100_000, length=200_000))
        peer.wait(29)
        assert peer.received() == b""
        with expect_log("gustnado.general", "no byte of a body in 30 s", level=20):
            peer.wait(3)
        assert peer.received().startswith(b"HTTP/1.1 408 ")
        assert peer.log[-1] in ("gone", "closed")

    def test_a_program_may_say_how_long(self, connect, expect_log) -> None:
        peer = connect(on_head=lambda message: message.connection.set_body_timeout(5))
        peer.send(post(b"0" * 100_000, length=200_000))
        with expect_log("gustnado.general", "no byte of a body in 5 s", level=20):
            peer.wait(7)

    def test_a_body_may_not_drip(self, connect, expect_log) -> None:
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
    def test_the_time_that_the_program_takes_is_not_the_clients(self, connect, where: str) -> None:
        gate = Gate()
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

    def test_a_response_may_take_as_long_as_it_likes(self, connect) -> None:
        slow = Slow()
        peer = connect(on_finish=slow)
        peer.send(GET)
        peer.wait(10_000)
        peer.do(slow.answer)
        assert peer.received()

    def test_a_client_that_does_not_read_is_cut(self, connect, expect_log) -> None:
        slow = Slow()
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

    def test_a_client_that_reads_slowly_is_not(self, connect) -> None:
        slow = Slow()
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
    def test_neither_is_one_whose_connection_is_to_be_closed(self, connect, request_, half_close) -> None:
        slow = Slow()
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

    def test_writes_wait_for_a_slow_client(self, connect) -> None:
        slow = Slow()
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

    def test_waiting_writes_fail_when_the_client_goes(self, connect) -> None:
        slow = Slow()
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
        none = Limits(header_timeout=0.0, idle_timeout=0.0, body_timeout=0.0, min_body_rate=0)
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

    def test_while_the_program_works(self, connect) -> None:
        slow = Slow()
        peer = connect(on_finish=slow)
        peer.send(GET)
        peer.leave()
        assert sorted(peer.log[2:]) == ["closed", "gone"]
        with pytest.raises(OSError, match="closed"):
            peer.do(lambda: slow.messages[0].head().result())

    def test_while_the_program_waits_for_itself(self, connect) -> None:
        gate = Gate()
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

    def test_a_half_closed_client_gets_its_response(self, connect) -> None:
        slow = Slow()
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

    def test_and_so_do_its_pipelined_requests(self, connect) -> None:
        slow = Slow()
        peer = connect(on_finish=slow)
        peer.send(get("/a") + get("/b") + get("/c"))
        peer.half_close()
        for _ in range(3):
            peer.do(slow.answer)
        assert peer.received() == answer("/a") + answer("/b") + answer("/c", "Connection: close")
        assert peer.closed

    def test_and_its_body_is_read_to_the_end(self, connect) -> None:
        gate = Gate()
        peer = connect(on_data=gate, chunk_size=4)
        peer.send(post(b"wind and gust"))
        peer.half_close()
        for _ in range(4):
            peer.do(gate.open)
        assert peer.log[-1] in ("finish", "closed")
        assert peer.received() == answer("/post", "Connection: close")
        assert peer.closed

    def test_a_half_closed_client_that_has_not_sent_its_body(self, connect, expect_log) -> None:
        gate = Gate()
        peer = connect(on_data=gate)
        peer.send(post(b"0", length=2))
        with expect_log("gustnado.general", "closed the connection within a request", level=10):
            peer.half_close()
            if not peer.closed:
                peer.do(gate.open)
        assert peer.closed
        assert "gone" in peer.log

    def test_one_that_keeps_the_line_open_and_reads_slowly(self, connect) -> None:
        slow = Slow()
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


class TestProgramsThatFail:
    @pytest.mark.parametrize("where", ["on_head", "on_data", "on_finish"])
    @pytest.mark.parametrize("request_", [post(b"wind"), post(b"wind", length=8), chunked(b"wi", b"nd"), GET])
    def test_it_is_logged_and_the_connection_ends(self, connect, expect_log, where, request_) -> None:
        def fail(message):
            raise ValueError("oops")

        reached = {"on_head": True, "on_data": request_ != GET, "on_finish": b"h: 8" not in request_}[where]
        peer = connect(**{where: fail})
        with expect_log("gustnado.application", "Uncaught exception", count=int(reached)):
            peer.send(request_)
        if reached:
            assert peer.closed
            assert peer.received() == b""
            assert sum(line.startswith("data") for line in peer.program.log) <= (where != "on_head")
            assert ("finish" in peer.log) is (where == "on_finish")

    @pytest.mark.parametrize("where", ["on_head", "on_data"])
    def test_so_it_is_where_it_fails_later(self, connect, expect_log, where) -> None:
        async def fail(message) -> None:
            await asyncio.sleep(0)
            raise ValueError("oops")

        peer = connect(**{where: fail})
        with expect_log("gustnado.application", "Uncaught exception"):
            peer.send(post(b"wind" * 3, length=100))
        assert peer.closed

    def test_it_is_no_failure_that_the_client_has_gone(self, connect) -> None:
        async def write(message) -> None:
            await asyncio.sleep(0)
            while True:
                await message.connection.write(b"0" * 10)

        peer = connect(on_head=lambda message: message.head() and None, on_data=write)
        peer.stream.consumer.pause_writing()
        peer.send(post(b"wind", length=10))
        peer.leave()
        assert peer.log[-1] in ("gone", "closed")

    def test_a_program_that_cancels_itself(self, connect) -> None:
        async def cancel(message) -> None:
            raise asyncio.CancelledError

        peer = connect(on_data=cancel)
        peer.send(post(b"wind"))
        assert peer.closed

    def test_a_failure_after_the_response_is_logged(self, connect, expect_log) -> None:
        async def fail(message) -> None:
            message.reply("early")
            await asyncio.sleep(0)
            raise ValueError("oops")

        peer = connect(on_head=fail)
        with expect_log("gustnado.application", "Uncaught exception"):
            peer.send(post(b"wind"))
            gc.collect()
        assert peer.received() == answer("early")

    def test_what_a_close_callback_raises_is_logged(self, connect, expect_log) -> None:
        def fail() -> None:
            raise ValueError("oops")

        slow = Slow()
        peer = connect(on_finish=slow)
        peer.send(GET)
        slow.messages[0].connection.set_close_callback(fail)
        with expect_log("gustnado.application", "Uncaught exception in a close callback"):
            peer.leave()
        assert "closed" in peer.log

    def test_a_response_cut_short_ends_the_connection(self, connect) -> None:
        slow = Slow()
        peer = connect(on_finish=slow)
        peer.send(GET + GET)
        peer.do(slow.messages[0].head)
        peer.do(slow.messages[0].connection.close)
        assert peer.closed
        assert not peer.received().endswith(b"0\r\n\r\n")
        assert len(slow.messages) == 1


class TestDetach:
    UPGRADE = get("/", "Connection: upgrade", "Upgrade: gust")

    def test_unread_bytes_go_with_the_stream(self, connect) -> None:
        slow = Slow()
        peer = connect(on_finish=slow)
        peer.send(self.UPGRADE + b"\x00gust")
        peer.do(slow.messages[0].connection.detach)
        assert peer.stream.unread == b"\x00gust"
        assert not peer.closed
        assert peer.log[-1] == "closed"

    def test_a_stream_that_was_paused_reads_again(self, connect) -> None:
        slow = Slow()
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

    def test_nobody_looks_at_it_any_more(self, connect) -> None:
        slow = Slow()
        peer = connect(on_finish=slow)
        peer.send(self.UPGRADE)
        peer.do(slow.messages[0].connection.detach)
        assert peer.loop.armed() == 0
        peer.wait(1000)
        assert not peer.closed

    def test_the_connection_is_gone_for_the_request(self, connect) -> None:
        slow = Slow()
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

    def test_a_request_is_freed_after_its_response(self, connect) -> None:
        slow = Slow()
        peer = connect(on_finish=slow)
        peer.send(post(b"wind"))
        message = weakref.ref(slow.messages[0])
        peer.do(slow.answer)
        slow.messages.clear()
        assert message() is None

    def test_a_request_is_freed_when_its_client_goes(self, connect) -> None:
        slow = Slow()
        peer = connect(on_finish=slow)
        peer.send(post(b"wind"))
        message = weakref.ref(slow.messages[0])
        peer.leave(ConnectionResetError())
        slow.messages.clear()
        assert message() is None

    @pytest.mark.parametrize(
        "data", [b"", GET[:9], GET, post(b"0", length=9), get("/", "Connection: close") + GET]
    )
    def test_a_connection_is_freed_when_it_ends(self, connect, data) -> None:
        peer = connect()
        peer.send(data)
        peer.leave()
        connection = weakref.ref(peer.connection)
        peer.connection = None
        assert connection() is None

    def test_a_connection_is_freed_when_it_has_refused(self, connect, expect_log) -> None:
        peer = connect()
        with expect_log("gustnado.general", "malformed", level=20):
            peer.send(b"bad\r\n\r\n")
        peer.wait(5)
        connection = weakref.ref(peer.connection)
        peer.connection = None
        assert connection() is None
