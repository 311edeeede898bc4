"""From bytes to delegates: order, bodies, refusals, failures; over a stream that is not there."""

from __future__ import annotations

import asyncio
import contextvars
import gc
from typing import Any

import pytest

from gustnado.errors import HTTPInputError, HTTPOutputError
from gustnado.http.headers import HTTPHeaders
from gustnado.http.limits import Limits
from gustnado.http.messages import ResponseStartLine

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

    def test_the_next_request_waits_for_the_response(self, connect, slow_program) -> None:
        slow = slow_program()
        peer = connect(on_finish=slow)
        peer.send(get("/a") + get("/b"))
        peer.send(get("/c"))
        assert peer.log == ["head GET /a", "finish"]
        peer.do(slow.answer)
        assert peer.log == ["head GET /b", "finish"]
        peer.do(slow.answer)
        peer.do(slow.answer)
        assert peer.received() == answer("/a") + answer("/b") + answer("/c")

    def test_nothing_is_read_while_requests_wait(self, connect, slow_program) -> None:
        slow = slow_program()
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

    def test_a_response_may_come_in_pieces(self, connect, slow_program) -> None:
        slow = slow_program()
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

    def test_reading_pauses_while_the_program_is_busy(self, connect, gated) -> None:
        gate = gated()
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

    def test_the_body_waits_for_the_head_to_be_dealt_with(self, connect, gated) -> None:
        gate = gated()
        peer = connect(on_head=gate)
        peer.send(post(b"wind"))
        assert peer.log == ["head POST /post"]
        peer.do(gate.open)
        assert peer.log == ["data 4", "finish"]
        assert peer.received() == answer("/post")

    def test_a_request_without_body_waits_for_its_head_too(self, connect, gated) -> None:
        gate = gated()
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
        with expect_log("gustnado.general", "from 192.0.2.7: Content-Length too long: body of 11", level=20):
            peer.send(post(length=11))
        assert peer.received().startswith(b"HTTP/1.1 413 Content Too Large\r\n")
        assert peer.log == ["head POST /post", "refused 413", "gone"]

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

    def test_it_is_sent_when_the_body_is_wanted(self, connect, gated) -> None:
        gate = gated()
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
        peer = connect(on_head=lambda message: message.head() and None, on_finish=lambda m: m.connection.finish())
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

    def test_row_33_a_large_rest_ends_the_connection(self, connect) -> None:
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
        with expect_log("gustnado.general", "invalid chunk size", level=20):
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
    def test_it_is_one_response_one_line_and_the_end(self, connect, expect_log, bad: bytes, status: bytes) -> None:
        peer = connect()
        with expect_log("gustnado.general", r"^Malformed HTTP message from 192\.0\.2\.7: .", level=20) as seen:
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

    def test_a_good_request_is_answered_first_however_long_it_takes(self, connect, expect_log, slow_program) -> None:
        slow = slow_program()
        peer = connect(on_finish=slow)
        peer.send(get("/good") + b"bad\r\n\r\n")
        assert peer.received() == b""
        with expect_log("gustnado.general", "Malformed HTTP request line", level=20):
            peer.do(slow.answer)
        assert peer.received().startswith(answer("/good") + b"HTTP/1.1 400 ")

    def test_the_client_has_time_to_read_it(self, connect, expect_log) -> None:
        peer = connect()
        with expect_log("gustnado.general", "Malformed HTTP request line", level=20):
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
        with expect_log("gustnado.general", "Malformed HTTP request line", level=20):
            peer.send(b"bad\r\n\r\n")
        peer.wait(4)
        assert peer.closed

    def test_over_tls_too(self, connect, expect_log) -> None:
        """TLS cannot close one direction; the connection stays for a while all the same."""
        peer = connect(half_close=False)
        with expect_log("gustnado.general", "Malformed HTTP request line", level=20):
            peer.send(b"bad\r\n\r\n")
        assert not peer.closed
        peer.send(b"0" * 1000)
        assert not peer.closed
        peer.wait(4)
        assert peer.closed

    @pytest.mark.parametrize("size", [b"x", b"5x", b"-1", b"+5", b"0x5", b"5_0", b" 5", b"", b"5;", b'5;a="'])
    def test_a_bad_chunk_after_the_head_has_been_answered_with_nothing(self, connect, expect_log, size) -> None:
        peer = connect(on_head=lambda message: message.head() and None)
        peer.send(chunked(b"wind", end=False))
        with expect_log("gustnado.general", "invalid chunk size", level=20):
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

    def test_what_a_close_callback_raises_is_logged(self, connect, expect_log, slow_program) -> None:
        def fail() -> None:
            raise ValueError("oops")

        slow = slow_program()
        peer = connect(on_finish=slow)
        peer.send(GET)
        slow.messages[0].connection.set_close_callback(fail)
        with expect_log("gustnado.application", "Uncaught exception in a close callback"):
            peer.leave()
        assert "closed" in peer.log

    def test_a_response_cut_short_ends_the_connection(self, connect, slow_program) -> None:
        slow = slow_program()
        peer = connect(on_finish=slow)
        peer.send(GET + GET)
        peer.do(slow.messages[0].head)
        peer.do(slow.messages[0].connection.close)
        assert peer.closed
        assert not peer.received().endswith(b"0\r\n\r\n")
        assert len(slow.messages) == 1


class TestAnswersToWhatIsRefused:
    """A program may answer itself where it has seen the head."""

    @staticmethod
    def page(message, error) -> bool:
        message.reply(f"sorry, {error.status}", code=error.status)
        return True

    @pytest.mark.parametrize(
        ("data", "status"),
        [(post(length=11), 413), (chunked(b"0" * 11), 413), (chunked(b"a", end=False) + b"oops\r\n", 400)],
        ids=["length", "chunks", "malformed"],
    )
    def test_by_its_own_page(self, connect, expect_log, data: bytes, status: int) -> None:
        peer = connect(limits=Limits(max_body_size=10), on_refused=self.page)
        with expect_log("gustnado.general", "Malformed HTTP message", level=20):
            peer.send(data)
        received = peer.received()
        assert received.startswith(b"HTTP/1.1 %d " % status)
        assert received.endswith(b"\r\nConnection: close\r\n\r\nsorry, %d" % status)
        assert peer.lingering
        peer.send(GET * 3)
        assert peer.log[-1] == f"refused {status}"
        assert peer.received() == b""
        peer.wait(5)
        assert peer.closed

    def test_later(self, connect, expect_log) -> None:
        messages: list = []

        def take(message, error) -> bool:
            messages.append(message)
            return True

        peer = connect(limits=Limits(max_body_size=10), on_refused=take)
        with expect_log("gustnado.general", "Malformed HTTP message", level=20):
            peer.send(post(length=11))
        peer.send(b"0" * 11 + GET)
        peer.half_close()
        assert peer.received() == b""
        peer.do(lambda: messages[0].reply("late", code=413))
        assert peer.received().endswith(b"Connection: close\r\n\r\nlate")
        assert peer.closed

    def test_if_it_fails_the_connection_closes(self, connect, expect_log) -> None:
        def fail(message, error) -> bool:
            raise ValueError("oops")

        peer = connect(limits=Limits(max_body_size=10), on_refused=fail)
        with (
            expect_log("gustnado.general", "Malformed HTTP message", level=20),
            expect_log("gustnado.application", "Uncaught exception while delivering a refusal"),
        ):
            peer.send(post(length=11))
        assert peer.closed
        assert peer.received() == b""

    def test_not_after_it_has_begun_to_answer(self, connect, expect_log) -> None:
        peer = connect(on_head=lambda message: message.head(), on_refused=self.page)
        with expect_log("gustnado.general", "Malformed HTTP message", level=20):
            peer.send(chunked(b"a", end=False) + b"oops\r\n")
        assert "refused 400" not in peer.log
        assert peer.received().count(b"HTTP/1.1") == 1


class TestTrailers:
    def test_they_come_before_the_end(self, connect) -> None:
        peer = connect()
        peer.send(chunked(b"ab", end=False) + b"0\r\nDigest: x\r\nContent-Length: 9\r\n\r\n" + get("/b"))
        assert peer.log == [
            "head POST /post", "data 2", "trailers {'Digest': 'x'}", "finish", "head GET /b", "finish",
        ]  # fmt: skip

    def test_no_trailers_are_not_told(self, connect) -> None:
        peer = connect()
        peer.send(chunked(b"ab"))
        assert peer.log == ["head POST /post", "data 2", "finish"]


class TestClientsThatDoNotRead:
    def test_get_no_further_responses(self, connect) -> None:
        """Otherwise each pipelined request would add its response to those that wait."""
        peer = connect()
        peer.send(get("/a"))
        peer.do(peer.connection.pause_writing)
        peer.send(get("/b") + get("/c"))
        assert peer.log == ["head GET /a", "finish"]
        assert not peer.stream.reading
        peer.do(peer.connection.resume_writing)
        assert peer.log == ["head GET /b", "finish", "head GET /c", "finish"]
        assert peer.stream.reading

    def test_are_cut_at_the_deadline(self, connect, expect_log) -> None:
        peer = connect(limits=Limits(write_timeout=30.0))
        peer.do(peer.connection.pause_writing)
        peer.stream.wire.unsent = 100
        peer.send(get("/b"))
        with expect_log("gustnado.general", "does not read its response", level=20):
            peer.wait(40)
        assert peer.stream.aborted


class TestLikeTornado:
    """What is refused is refused as Tornado does it."""

    @pytest.mark.parametrize(
        ("data", "received"),
        [
            (b"bad\r\n\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            (post(length=11), b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            (b"GET /" + b"a" * 9000, b""),
            (get("/", *["A: b"] * 101), b""),
        ],
    )
    def test_by_a_bare_400_or_not_at_all(self, connect, expect_log, data: bytes, received: bytes) -> None:
        peer = connect(limits=Limits(max_body_size=10), like_tornado=True, on_refused=lambda message, error: 1 / 0)
        with expect_log("gustnado.general", "Malformed HTTP message|^Unsatisfiable read", level=20):
            peer.send(data)
        assert peer.received() == received
        peer.wait(5)
        assert peer.closed

    def test_a_slow_body_is_cut(self, connect, expect_log) -> None:
        peer = connect(limits=Limits(body_timeout=5.0), like_tornado=True)
        peer.send(post(length=11))
        with expect_log("gustnado.general", "^Timeout reading body: no byte in 5 s, from 192.0.2.7", level=20):
            peer.wait(10)
        assert peer.received() == b""
        assert peer.closed

    def test_a_head_may_end_its_lines_with_lf(self, connect) -> None:
        peer = connect(like_tornado=True)
        for byte in get("/a").replace(b"\r", b"") + get("/b") + get("/c").replace(b"\r", b""):
            peer.send(bytes([byte]))
        assert peer.received() == answer("/a") + answer("/b") + answer("/c")

    def test_a_body_in_http_1_0_may_be_chunked_and_then_the_connection_closes(self, connect) -> None:
        peer = connect(like_tornado=True)
        head = b"POST /a HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
        peer.send(head + b"4\r\nwind\r\n0\r\n\r\n" + get("/smuggled"))
        assert peer.program.log == ["head POST /a", "data 4", "finish"]
        peer.wait(5)
        assert peer.closed

    @pytest.mark.parametrize("fields", [b"Content-Length: 4\r\n", b"Transfer-Encoding: gzip\r\n"])
    def test_in_one_way_only(self, connect, expect_log, fields: bytes) -> None:
        peer = connect(like_tornado=True)
        with expect_log("gustnado.general", "Malformed HTTP message", level=20):
            peer.send(b"POST / HTTP/1.0\r\n" + fields + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        assert peer.program.log == []

    def test_http_1_0_is_not_told_that_the_connection_closes(self, connect) -> None:
        peer = connect(like_tornado=True)
        peer.send(b"GET /a HTTP/1.0\r\n\r\n")
        assert b"Connection" not in peer.received()
        peer.wait(5)
        assert peer.closed
        peer = connect()
        peer.send(b"GET /a HTTP/1.0\r\n\r\n")
        assert b"\r\nConnection: close\r\n" in peer.received()

    def test_a_client_that_half_closes_is_gone(self, connect) -> None:
        kept: list[Any] = []
        peer = connect(like_tornado=True, on_finish=kept.append)
        peer.send(get("/a") + get("/b"))
        peer.half_close()
        assert not peer.closed
        peer.do(kept[0].reply)
        assert peer.received().startswith(b"HTTP/1.1 200 ")
        peer = connect(like_tornado=True, on_finish=kept.append)
        peer.send(get("/c"))
        peer.half_close()
        assert peer.closed
        assert peer.program.log[-2:] == ["closed", "gone"]
        assert kept[-1].connection.stream.closed()

    def test_but_not_some_of_them(self, connect, expect_log) -> None:
        peer = connect(like_tornado=True)
        with expect_log("gustnado.general", "Malformed HTTP message", level=20):
            peer.send(b"GET / HTTP/1.1\r\nHost: x\nA: b\n\n")
        assert peer.received().startswith(b"HTTP/1.1 400 ")

    @pytest.mark.parametrize("body", [b"more than 5", b"less"])
    @pytest.mark.parametrize("like_tornado", [True, False])
    def test_a_wrong_length_closes_the_connection(self, connect, body: bytes, like_tornado: bool) -> None:
        said: list[str] = []

        def answer_wrongly(message: Any) -> None:
            connection = message.connection
            with pytest.raises(HTTPOutputError) as caught:
                connection.write_response(200, "OK", HTTPHeaders({"Content-Length": "5"}), body)
            said.append(str(caught.value))
            if not like_tornado:
                assert not connection.head_written
                connection.write_response(500, "", HTTPHeaders(), b"oh")

        peer = connect(like_tornado=like_tornado, on_finish=answer_wrongly)
        peer.send(get("/"))
        assert "than Content-Length" in said[0]
        assert peer.closed is like_tornado
        assert peer.received().startswith(b"" if like_tornado else b"HTTP/1.1 500 ")

    def test_a_program_may_frame_the_body_itself(self, connect) -> None:
        def answer_in_a_chunk(message: Any) -> None:
            headers = HTTPHeaders({"Transfer-Encoding": "chunked"})
            message.connection.write_headers(ResponseStartLine("", 200, "OK"), headers, b"1\r\na\r\n")
            message.connection.write(b"0\r\n\r\n")
            message.connection.finish()

        peer = connect(like_tornado=True, on_finish=answer_in_a_chunk)
        peer.send(get("/"))
        assert peer.received() == b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
        assert not peer.closed

    def test_nor_without_end(self, connect, expect_log) -> None:
        peer = connect(like_tornado=True)
        with expect_log("gustnado.general", "Unsatisfiable read|Malformed HTTP message", level=20):
            peer.send(b"GET / HTTP/1.1\n" + b"A: b\n" * 10_000)
        assert peer.closed


class TestRawResponses:
    def test_a_program_may_write_its_response_as_it_goes_over_the_wire(self, connect) -> None:
        def write(message) -> None:
            message.connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHe")
            message.connection.write(b"llo")
            message.connection.finish()

        peer = connect(on_finish=write)
        peer.send(get("/a") + get("/b"))
        assert peer.received() == answer("Hello") * 2
