"""Tornado's advisories that concern an HTTP/1 server (``T4`` ...), and what a server sends, over real sockets."""

from __future__ import annotations

import pytest

from gustnado.errors import HTTPOutputError
from gustnado.http.limits import Limits
from gustnado.web import RequestHandler

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
SECOND = b"GET /second HTTP/1.1\r\nHost: x\r\n\r\n"


class Echo(RequestHandler):
    def get(self) -> None:
        self.write(self.request.path)

    def post(self) -> None:
        self.write(self.request.body)


ROUTES = [("/.*", Echo)]


def post(*fields: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([b"POST / HTTP/1.1", b"Host: x", *fields, b"", b""]) + body


class TestOutput:
    @pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b=c", "a\nb", "a\rb", "a\x00", "a\x7f"])
    @pytest.mark.parametrize("how", ["set_header", "add_header", "add_trailer"])
    def test_T4_a_value_cannot_begin_a_line(self, run, serve, value: str, how: str) -> None:
        class Sets(RequestHandler):
            async def get(self) -> None:
                if how == "add_trailer":
                    await self.flush()
                with pytest.raises((ValueError, HTTPOutputError)):
                    getattr(self, how)("X-Name", value)
                self.write("ok")

        async def main() -> None:
            async with serve([("/", Sets)]) as server:
                response = await server.ask(GET)  # of which a trailer would be no part that can be read
                assert response.body == b"ok"
                assert "X-Name" not in response.headers
                assert "Set-Cookie" not in response.headers

        run(main())

    def test_row_77_a_date_and_no_version(self, run, serve) -> None:
        class Bare(RequestHandler):
            def set_default_headers(self) -> None:
                self.clear_header("Server")

            def get(self) -> None:
                self.write("bare")

        async def main() -> None:
            async with serve([("/bare", Bare), *ROUTES]) as server:
                response = await server.ask(GET)
                assert response.headers["Server"] == "Gustnado"
                assert response.headers["Date"].endswith(" GMT")
                bare = await server.ask(GET.replace(b"/ ", b"/bare "))
                assert "Server" not in bare.headers
                assert bare.headers["Date"].endswith(" GMT")

        run(main())

    def test_row_78_an_error_page_shows_nothing_of_the_request_nor_of_the_program(self, run, serve, expect_log) -> None:
        class Fails(RequestHandler):
            def get(self) -> None:
                raise RuntimeError("<b>the password is swordfish</b>")

        async def main() -> None:
            async with serve([("/fails/.*", Fails)]) as server:
                for path, status in ((b"/fails/<script>alert(1)</script>", 500), (b"/<script>alert(1)</script>", 404)):
                    data = GET.replace(b"/ ", path + b" ", 1).replace(b"\r\n\r\n", b"\r\nAccept: text/html\r\n\r\n")
                    response = await server.ask(data)
                    assert response.code == status
                    assert b"script" not in response.body
                    assert b"swordfish" not in response.body

        with (
            expect_log("gustnado.application", "Uncaught exception"),
            expect_log("gustnado.access", "^(404|500) GET", count=2),
        ):
            run(main())

    def test_row_79_compression_is_asked_for_and_never_twice(self, run, serve) -> None:
        class Encoded(RequestHandler):
            def get(self) -> None:
                self.set_header("Content-Encoding", "x-own")
                self.write("0" * 5000)

        class Text(RequestHandler):
            def get(self) -> None:
                self.write("0" * 5000)

        routes = [("/encoded", Encoded), ("/.*", Text)]
        data = GET.replace(b"\r\n\r\n", b"\r\nAccept-Encoding: gzip\r\n\r\n")

        async def main() -> None:
            async with serve(routes) as server:
                assert "Content-Encoding" not in (await server.ask(data)).headers
            async with serve(routes, {"compress_response": True}) as server:
                text = await server.ask(data)
                assert (text.headers["Content-Encoding"], text.headers["Vary"]) == ("gzip", "Accept-Encoding")
                encoded = await server.ask(data.replace(b"/ ", b"/encoded ", 1))
                assert encoded.headers["Content-Encoding"] == "x-own"
                assert encoded.body == b"0" * 5000

        run(main())


class TestInput:
    @pytest.mark.parametrize("length", [b"+5", b"-0", b"1_0", b"0x5", b" 5 5", b"5;", b"\xb2"])
    def test_T12_a_length_is_digits(self, run, serve, expect_log, length: bytes) -> None:
        self.refused(run, serve, expect_log, post(b"Content-Length: " + length, body=b"0" * 10))

    @pytest.mark.parametrize("size", [b"+5", b"-5", b"0x5", b"1_0", b" 5", b"5 5", b"\xb2"])
    def test_T12_so_is_the_size_of_a_chunk(self, run, serve, expect_log, size: bytes) -> None:
        data = post(b"Transfer-Encoding: chunked", body=size + b"\r\nhello\r\n0\r\n\r\n")
        with expect_log("gustnado.access", "^400 POST /"):
            self.refused(run, serve, expect_log, data)

    @pytest.mark.parametrize(
        ("fields", "status"),
        [
            ((b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), 400),
            ((b"Transfer-Encoding: gzip, chunked",), 501),
            ((b"Transfer-Encoding: unknown",), 501),
            ((b"Transfer-Encoding: chunked, chunked",), 400),
            ((b"Transfer-Encoding:",), 400),
        ],
    )
    def test_T13_another_coding_is_not_no_body(self, run, serve, expect_log, fields, status: int) -> None:
        self.refused(run, serve, expect_log, post(*fields, body=SECOND), status)

    @pytest.mark.parametrize("space", [b"\xa0", b"\x85", b"\x1f", b"\x0b", b"\x0c", b"\xe2\x80\x83"])
    @pytest.mark.parametrize("around", [b"%bchunked", b"chunked%b"])
    def test_T14_only_space_and_tab_are_space(self, run, serve, expect_log, space: bytes, around: bytes) -> None:
        self.refused(run, serve, expect_log, post(b"Transfer-Encoding: " + around % space, body=SECOND))

    @pytest.mark.parametrize(
        "head",
        [
            b"GET /\x00 HTTP/1.1\r\nHost: x",
            b"G\x0bET / HTTP/1.1\r\nHost: x",
            b"G{T / HTTP/1.1\r\nHost: x",
            b"GET / HTTP/1.1\r\nHost: x\r\nA B: c",
            b"GET / HTTP/1.1\r\nA: b",
            b"GET / HTTP/1.1\r\nHost: x\r\nHost: x",
            b"GET / HTTP/1.1\r\nHost: a b",
        ],
    )
    def test_T18_T20_what_is_no_head_is_a_400_and_no_exception(self, run, serve, expect_log, head: bytes) -> None:
        self.refused(run, serve, expect_log, head + b"\r\n\r\n")

    @pytest.mark.parametrize("fold", [b"A: b\r\n c", b"A: b" + b"\r\n c" * 5000, b"\tA: b"])
    def test_T42_a_folded_line_is_refused(self, run, serve, expect_log, fold: bytes) -> None:
        data = b"GET / HTTP/1.1\r\nHost: x\r\n" + fold + b"\r\n\r\n"
        self.refused(run, serve, expect_log, data, status=(400, 431))

    def test_T50_a_chunk_ends_with_crlf(self, run, serve, expect_log) -> None:
        """A raise and no ``assert``: this suite also runs without asserts in the package."""
        data = post(b"Transfer-Encoding: chunked", body=b"5\r\nhelloXX0\r\n\r\n")
        with expect_log("gustnado.access", "^400 POST /"):
            self.refused(run, serve, expect_log, data)

    def refused(self, run, serve, expect_log, data: bytes, status: int | tuple[int, ...] = 400) -> None:
        async def main() -> int:
            async with serve(ROUTES) as server:
                client = await server.connect()
                with expect_log("gustnado.general", "^Malformed HTTP message", level=20):
                    response = await client.ask(data)
                    assert b"second" not in await client.rest()
                return response.code

        assert run(main()) in (status if isinstance(status, tuple) else (status,))

    def test_T41_others_have_their_turn_while_tiny_chunks_arrive(self, run, serve) -> None:
        """What a megabyte of one-byte chunks takes is divided into turns, between which others are answered."""
        body = b"1\r\na\r\n" * 400_000 + b"0\r\n\r\n"

        async def main() -> None:
            async with serve(ROUTES, limits=Limits(max_body_size=1 << 20)) as server:
                flood, other = await server.connect(), await server.connect()
                flood.send(post(b"Transfer-Encoding: chunked", body=body))
                answered = 0
                while not flood.reader.at_eof() and not flood.reader._buffer:  # type: ignore[attr-defined]
                    assert (await other.ask(GET)).code == 200
                    answered += 1
                response = await flood.response()
                assert (response.code, response.body) == (200, b"a" * 400_000)
                assert answered > 10

        run(main())
