"""One request's side of a connection: what a program may write to it, and what it is told."""

from __future__ import annotations

import asyncio

import pytest

from gustnado.errors import HTTPOutputError, StreamClosedError
from gustnado.http.headers import HTTPHeaders
from gustnado.http.messages import ResponseStartLine

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"


@pytest.fixture
def ask(connect):
    """``ask(data=GET)``: the client, and the message that waits to be answered."""

    def begin(data: bytes = GET, **options):
        messages: list = []
        peer = connect(on_finish=messages.append, **options)
        peer.send(data)
        return peer, messages[0]

    return begin


class TestWriting:
    def test_a_head_and_the_first_piece_leave_in_one_write(self, ask) -> None:
        peer, message = ask()
        headers = HTTPHeaders({"Content-Length": "4"})
        peer.do(message.connection.write_headers, ResponseStartLine("", 200, "Fine"), headers, b"wind")
        assert peer.received() == b"HTTP/1.1 200 Fine\r\nContent-Length: 4\r\n\r\nwind"
        assert peer.stream.wire.writes == 1

    @pytest.mark.parametrize("size", [1, 65536, 65537, 1_000_000])
    def test_a_piece_of_any_size_arrives(self, ask, size: int) -> None:
        peer, message = ask()
        body = b"0123456789" * (size // 10 + 1)
        headers = HTTPHeaders({"Content-Length": str(2 * len(body))})
        peer.do(message.connection.write_headers, ResponseStartLine("", 200, ""), headers, body)
        peer.do(message.connection.write, body)
        peer.do(message.connection.finish)
        assert peer.received().partition(b"\r\n\r\n")[2] == body + body
        assert not peer.closed

    def test_every_response_has_a_date(self, ask) -> None:
        peer, message = ask()
        peer.do(message.reply)
        assert peer.stream.wire.sent.count(b"\r\nDate: ") == 1

    def test_more_than_its_length_is_refused(self, ask) -> None:
        peer, message = ask()
        peer.do(lambda: message.head(Content_Length="3"))
        with pytest.raises(HTTPOutputError, match="more data than Content-Length"):
            message.connection.write(b"wind")
        peer.do(message.connection.write, b"win")
        peer.do(message.connection.finish)
        assert peer.received().endswith(b"\r\n\r\nwin")
        assert not peer.closed

    def test_less_than_its_length_closes_the_connection(self, ask) -> None:
        peer, message = ask(GET + GET)
        peer.do(lambda: message.head(Content_Length="5"))
        peer.do(message.connection.write, b"wind")
        with pytest.raises(HTTPOutputError, match="1 bytes less"):
            peer.do(message.connection.finish)
        peer.do(lambda: None)
        assert peer.closed
        assert peer.received().endswith(b"\r\n\r\nwind")
        assert peer.log.count("finish") == 1

    def test_a_body_comes_after_a_head(self, ask) -> None:
        peer, message = ask()
        with pytest.raises(HTTPOutputError):
            message.connection.write(b"wind")
        assert peer.received() == b""

    def test_a_response_without_head_cannot_end(self, ask) -> None:
        peer, message = ask()
        with pytest.raises(HTTPOutputError):
            peer.do(message.connection.finish)
        peer.do(lambda: None)
        assert peer.closed

    @pytest.mark.parametrize("code", [204, 304])
    def test_some_have_no_body(self, ask, code: int) -> None:
        peer, message = ask()
        peer.do(message.head, code)
        with pytest.raises(HTTPOutputError, match="no body"):
            message.connection.write(b"wind")
        peer.do(message.connection.finish)
        assert peer.received().endswith(b"\r\n\r\n")
        assert not peer.closed

    def test_head_gets_the_head_only(self, ask) -> None:
        peer, message = ask(GET.replace(b"GET", b"HEAD"))
        peer.do(message.reply, "wind")
        assert peer.received() == b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
        assert not peer.closed

    @pytest.mark.parametrize("name", ["write", "finish", "write_headers"])
    def test_a_response_that_has_ended_stays_as_it_is(self, ask, name: str) -> None:
        peer, message = ask()
        peer.do(message.reply)
        peer.received()
        connection = message.connection
        arguments = {
            "write": (b"wind",),
            "finish": (),
            "write_headers": (ResponseStartLine("", 200, ""), HTTPHeaders()),
        }
        if name == "finish":
            connection.finish()
        else:
            with pytest.raises(HTTPOutputError, match="answered already"):
                getattr(connection, name)(*arguments[name])
        assert peer.received() == b""

    def test_to_write_nothing_after_its_end_does_nothing(self, ask) -> None:
        peer, message = ask()
        peer.do(message.reply)
        peer.received()
        assert message.connection.write(b"").done()
        assert peer.received() == b""

    def test_one_that_is_held_too_long_cannot_write_to_another(self, ask) -> None:
        peer, message = ask(GET + GET)
        peer.do(message.reply, "first")
        with pytest.raises(HTTPOutputError):
            message.connection.write(b"stray")
        message.connection.close()
        assert not peer.closed
        assert peer.log.count("finish") == 2


class TestInformational:
    def test_it_comes_before_the_response(self, ask) -> None:
        peer, message = ask()
        peer.do(message.connection.write_informational, 103, HTTPHeaders({"Link": "</style.css>; rel=preload"}))
        peer.do(message.reply)
        assert peer.received().startswith(
            b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\n"
        )

    def test_it_is_not_for_http_1_0(self, ask) -> None:
        peer, message = ask(GET.replace(b"1.1", b"1.0"))
        peer.do(message.connection.write_informational, 103)
        assert peer.received() == b""

    def test_it_does_not_come_after_the_head(self, ask) -> None:
        peer, message = ask()
        peer.do(message.head)
        with pytest.raises(HTTPOutputError, match="before the final one"):
            message.connection.write_informational(103)

    def test_it_goes_nowhere_when_the_client_has_gone(self, ask) -> None:
        peer, message = ask()
        peer.leave()
        message.connection.write_informational(103)
        assert peer.received() == b""


class TestTheEnd:
    def test_a_callback_is_told_once(self, ask) -> None:
        peer, message = ask()
        told: list[str] = []
        message.connection.set_close_callback(lambda: told.append("closed"))
        peer.leave()
        assert told == ["closed"]
        assert peer.log.count("gone") == 1

    def test_it_is_not_told_after_the_response(self, ask) -> None:
        peer, message = ask()
        told: list[str] = []
        message.connection.set_close_callback(lambda: told.append("closed"))
        peer.do(message.reply)
        peer.leave()
        assert told == []
        assert "gone" not in peer.log

    def test_it_may_be_taken_back(self, ask) -> None:
        peer, message = ask()
        told: list[str] = []
        message.connection.set_close_callback(lambda: told.append("closed"))
        message.connection.set_close_callback(None)
        peer.leave()
        assert told == []

    def test_a_client_that_half_closes_and_then_goes_is_one_that_goes(self, ask) -> None:
        peer, _ = ask()
        peer.half_close()
        peer.leave(ConnectionResetError())
        assert peer.log.count("gone") == 1

    def test_writes_after_it_fail_without_noise(self, ask) -> None:
        peer, message = ask()
        connection = message.connection
        peer.leave()
        futures: list[asyncio.Future[None]] = []
        peer.do(lambda: futures.append(connection.write(b"wind")))
        peer.do(lambda: futures.append(connection.write_headers(ResponseStartLine("", 200, ""), HTTPHeaders())))
        assert [type(future.exception()) for future in futures] == [StreamClosedError, StreamClosedError]
        connection.finish()
        connection.close()
        assert connection.stream.closed(), "it can be asked, as in Tornado"

    def test_close_cuts_the_response(self, ask) -> None:
        peer, message = ask()
        peer.do(message.head)
        peer.do(message.connection.write, b"wind")
        peer.do(message.connection.close)
        assert peer.closed
        assert peer.received().endswith(b"4\r\nwind\r\n")

    def test_settings_of_one_that_is_over_change_nothing(self, ask) -> None:
        peer, message = ask(POST + b"0123456789" + GET)
        connection = message.connection
        peer.do(message.reply)
        connection.set_max_body_size(1)
        connection.set_body_timeout(1)
        assert connection.has_explicit_max_body_size() is False
        assert peer.log.count("finish") == 2

    def test_the_context_outlives_the_connection(self, ask) -> None:
        peer, message = ask()
        peer.leave()
        assert message.connection.context == "192.0.2.7"


class TestWholeResponses:
    @pytest.mark.parametrize("size", [0, 4, 65536, 65537, 1_000_000])
    @pytest.mark.parametrize("method", [b"GET", b"HEAD"])
    def test_their_length_is_told(self, ask, size: int, method: bytes) -> None:
        peer, message = ask(GET.replace(b"GET", method))
        peer.do(message.connection.write_response, 200, "", HTTPHeaders(), b"0" * size)
        body = b"0" * size if method == b"GET" else b""
        assert peer.received() == b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (size, body)
        assert not peer.closed

    @pytest.mark.parametrize("code", [204, 304])
    def test_unless_they_have_no_body(self, ask, code: int) -> None:
        peer, message = ask()
        peer.do(message.connection.write_response, code, "", HTTPHeaders(), b"")
        assert b"Content-Length" not in peer.received()

    @pytest.mark.parametrize("length", ["3", "5", "x", "-4"])
    def test_nothing_is_sent_of_one_that_cannot_be(self, ask, length: str) -> None:
        peer, message = ask(GET + GET)
        headers = HTTPHeaders({"Content-Length": length})
        with pytest.raises(HTTPOutputError):
            message.connection.write_response(200, "", headers, b"wind")
        assert peer.received() == b""
        peer.do(message.connection.write_response, 500, "", HTTPHeaders(), b"sorry")
        assert peer.received() == b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\n\r\nsorry"
        assert peer.log.count("finish") == 2

    def test_they_are_lost_on_a_client_that_has_gone(self, ask) -> None:
        peer, message = ask()
        connection = message.connection
        peer.leave()
        futures: list[asyncio.Future[None]] = []
        peer.do(lambda: futures.append(connection.write_response(200, "", HTTPHeaders(), b"wind")))
        assert isinstance(futures[0].exception(), StreamClosedError)


class TestBounds:
    @pytest.mark.parametrize(("given", "explicit"), [({}, False), ({"max_body_size": 5}, True)])
    def test_whether_bodies_are_bounded_is_known_to_the_request(self, ask, given, explicit) -> None:
        _, message = ask(**given)
        assert message.connection.has_explicit_max_body_size() is explicit
