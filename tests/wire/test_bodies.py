"""Bodies over real sockets, both ways: framed as asked for, at the pace of the slower side."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import pytest

from gustnado.errors import UsageError
from gustnado.http.body_limits import BodyLimits
from gustnado.http.limits import Limits
from gustnado.web import HTTPError, RequestHandler, pull_request_body, stream_request_body

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def post(
    body: bytes = b"", *fields: str, length: int | None = None, path: str = "/", version: str = "1.1"
) -> bytes:
    size = len(body) if length is None else length
    return (
        "\r\n".join(
            [f"POST {path} HTTP/{version}", "Host: x", f"Content-Length: {size}", *fields, "", ""]
        ).encode()
        + body
    )


def chunked(*chunks: bytes, path: str = "/") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    return head + b"".join([b"%x\r\n%b\r\n" % (len(c), c) for c in chunks]) + b"0\r\n\r\n"


class Echo(RequestHandler):
    def post(self) -> None:
        self.write(self.request.body)

    def get(self) -> None:
        self.write("got")


class Pieces(RequestHandler):
    async def get(self) -> None:
        for n in range(5):
            self.write(f"{n},")
            await self.flush()

    head = get


@stream_request_body
class Count(RequestHandler):
    """Says how much of the body came in how many pieces."""

    size = pieces = 0

    def data_received(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self.pieces += 1

    def post(self) -> None:
        self.write({"size": self.size, "several": self.pieces > 1, "body": len(self.request.body)})


class TestResponses:
    def test_one_of_unknown_length_comes_in_chunks(self, run, serve) -> None:
        async def main() -> None:
            async with serve([("/", Pieces)]) as server:
                client = await server.connect()
                for _ in range(2):
                    response = await client.ask(GET)
                    assert response.headers["Transfer-Encoding"] == "chunked"
                    assert response.body == b"0,1,2,3,4,"

        run(main())

    def test_or_ends_with_the_connection_in_http_1_0(self, run, serve) -> None:
        async def main() -> None:
            async with serve([("/", Pieces)]) as server:
                client = await server.connect()
                response = await client.ask(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                assert "Transfer-Encoding" not in response.headers
                assert response.closes
                assert response.body == b"0,1,2,3,4,"

        run(main())

    def test_http_1_0_is_kept_alive_where_it_asks_for_it(self, run, serve) -> None:
        async def main() -> None:
            async with serve([("/", Echo)]) as server:
                client = await server.connect()
                for _ in range(3):
                    response = await client.ask(b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
                    assert (response.body, response.headers["Connection"].lower()) == (b"got", "keep-alive")
                last = await client.ask(b"GET / HTTP/1.0\r\n\r\n")
                assert last.closes
                assert await client.rest() == b""

        run(main())

    @pytest.mark.parametrize("path", ["/pieces", "/whole"])
    def test_head_gets_what_get_would_without_the_body(self, run, serve, path: str) -> None:
        class Whole(RequestHandler):
            def get(self) -> None:
                self.write("wind")

            head = get

        async def main() -> None:
            async with serve([("/pieces", Pieces), ("/whole", Whole)]) as server:
                client = await server.connect()
                request = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
                full = await client.ask(request)
                head = await client.ask(request.replace(b"GET", b"HEAD"), "HEAD")
                after = await client.ask(request)
                assert head.code == full.code == after.code == 200
                assert head.headers.get("Content-Length") == full.headers.get("Content-Length")
                assert after.body == full.body

        run(main())

    @pytest.mark.parametrize("code", [204, 304])
    def test_some_have_no_body(self, run, serve, code: int) -> None:
        class Nothing(RequestHandler):
            def get(self) -> None:
                self.set_status(code)

        async def main() -> None:
            async with serve([("/", Nothing)]) as server:
                client = await server.connect()
                client.send(GET + GET)
                for _ in range(2):
                    response = await client.response()
                    assert response.code == code
                    assert "Content-Length" not in response.headers
                    assert "Transfer-Encoding" not in response.headers
                client.half_close()
                assert await client.rest() == b""

        run(main())

    def test_a_large_one_waits_for_its_reader(self, run, serve) -> None:
        """Row 59: what is not read waits in the handler and not in memory."""
        written: list[int] = []

        class Large(RequestHandler):
            async def get(self) -> None:
                while True:
                    self.write(b"0" * 100_000)
                    written.append(100_000)
                    await self.flush()

        async def main() -> None:
            async with serve([("/", Large)]) as server:
                client = await server.connect(receive_buffer=16384)
                client.send(GET)
                await client.reader.readuntil(b"\r\n\r\n")
                count = -1
                while count != len(written):  # until the handler stands still
                    count = len(written)
                    await asyncio.sleep(0.05)
                assert count < 200
                while count == len(written):  # and goes on when it is read
                    await client.reader.read(65536)
                client.vanish()

        run(main())

    def test_a_last_one_is_read_to_its_end_however_slowly(self, run, serve) -> None:
        class Large(RequestHandler):
            def get(self) -> None:
                self.write(b"0" * 8_000_000)

        async def main() -> None:
            async with serve([("/", Large)], limits=Limits(linger_timeout=0.1)) as server:
                client = await server.connect(receive_buffer=16384)
                client.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
                await client.reader.readuntil(b"\r\n\r\n")
                size = 0
                for _ in range(10):
                    size += len(await client.reader.read(10_000))
                    await asyncio.sleep(0.1)
                size += len(await client.rest())
                assert size == 8_000_000

        run(main())


class TestRequests:
    @pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 3_000_000])
    def test_a_body_of_any_size_arrives(self, run, serve, size: int) -> None:
        body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        third = size // 3 + 1
        chunks = [body[n : n + third] for n in range(0, size, third)]

        async def main() -> None:
            async with serve([("/", Echo)]) as server:
                client = await server.connect()
                client.writer.transport.set_write_buffer_limits(1 << 30)
                client.send(post(body) + chunked(*chunks) + GET)
                assert (await client.response()).body == body
                assert (await client.response()).body == body
                assert (await client.response()).body == b"got"

        run(main())

    def test_a_streamed_body_is_not_bounded(self, run, serve) -> None:
        async def main() -> None:
            async with serve([("/", Count)], limits=Limits(max_body_size=1000)) as server:
                client = await server.connect()
                assert (
                    await client.ask(post(b"0" * 300_000))
                ).body == b'{"size":300000,"several":true,"body":0}'
                response = await client.ask(chunked(*[b"0" * 1000] * 300))
                assert response.body == b'{"size":300000,"several":true,"body":0}'

        run(main())

    def test_unless_the_server_was_told_a_bound(self, run, serve, expect_log) -> None:
        async def main() -> None:
            async with serve([("/", Count)], max_body_size=1000) as server:
                with expect_log("gustnado.general", "Malformed HTTP message .*over 1000", level=20, count=2):
                    assert (await server.ask(post(b"0" * 1001))).code == 413
                    assert (await server.ask(chunked(b"0" * 600, b"0" * 600))).code == 413

        run(main())

    def test_the_client_sends_no_faster_than_the_handler_takes(self, run, serve) -> None:
        opened = asyncio.Event()
        taken: list[int] = []

        @stream_request_body
        class Slow(RequestHandler):
            async def data_received(self, chunk: bytes) -> None:
                taken.append(len(chunk))
                await opened.wait()

            def post(self) -> None:
                self.write(str(sum(taken)))

        async def main() -> None:
            size = 60_000_000
            async with serve([("/", Slow)]) as server:
                client = await server.connect()
                client.send(post(length=size))
                sent = 0
                while client.writer.transport.get_write_buffer_size() == 0:
                    client.send(b"0" * 100_000)
                    sent += 100_000
                    await asyncio.sleep(0.001)
                    assert sent < size / 2
                assert len(taken) <= 1
                opened.set()
                while sent < size:
                    client.send(b"0" * 100_000)
                    sent += 100_000
                    await client.writer.drain()
                assert (await client.response()).body == str(size).encode()
                assert max(taken) <= 65536

        run(main())

    def test_an_upload_may_be_refused_before_it_is_read(self, run, serve, expect_log) -> None:
        @stream_request_body
        class Denied(RequestHandler):
            def prepare(self) -> None:
                raise HTTPError(403)

            def data_received(self, chunk: bytes) -> None:
                raise AssertionError("nobody wants it")

        async def main() -> None:
            async with serve([("/", Denied), ("/echo", Echo)]) as server:
                small = await server.connect()
                small.send(post(b"0" * 1000) + post(b"wind", path="/echo"))
                assert (await small.response()).code == 403
                assert (await small.response()).body == b"wind"
                large = await server.connect()
                large.send(post(length=1_000_000))
                response = await large.response()
                assert (response.code, response.closes) == (403, True)
                large.send(b"0" * 1_000_000)
                assert await large.is_cut()

        run(main())

    def test_a_handler_may_answer_within_a_body(self, run, serve) -> None:
        @stream_request_body
        class Enough(RequestHandler):
            async def data_received(self, chunk: bytes) -> None:
                await asyncio.sleep(0)
                if not self._finished:
                    self.finish("enough")

            def post(self) -> None:
                raise AssertionError("it has been answered")

        async def main() -> None:
            async with serve([("/", Enough), ("/echo", Echo)]) as server:
                client = await server.connect()
                client.send(post(b"0" * 1000, length=3000))
                assert (await client.response()).body == b"enough"
                client.send(b"0" * 2000 + post(b"wind", path="/echo"))
                assert (await client.response()).body == b"wind"

        run(main())

    @pytest.mark.parametrize("where", ["prepare", "data_received", "post"])
    def test_a_streaming_handler_that_fails_is_a_500(self, run, serve, expect_log, where: str) -> None:
        async def fail(self, *args) -> None:
            await asyncio.sleep(0)
            raise ValueError("oops")

        Fails = stream_request_body(type("Fails", (Count,), {where: fail}))

        async def main() -> None:
            async with serve([("/", Fails), ("/echo", Echo)]) as server:
                client = await server.connect()
                with expect_log("gustnado.application", "Uncaught exception POST /"):
                    client.send(post(b"0" * 100_000) + post(b"wind", path="/echo"))
                    assert (await client.response()).code == 500
                    assert (await client.response()).body == b"wind"

        run(main())


class TestContinue:
    EXPECT = "Expect: 100-continue"

    def test_it_is_sent_when_the_body_is_wanted(self, run, serve) -> None:
        async def main() -> None:
            async with serve([("/", Echo)]) as server:
                client = await server.connect()
                for _ in range(2):
                    interim = await client.ask(post(b"", self.EXPECT, length=4))
                    assert (interim.code, interim.reason) == (100, "Continue")
                    assert (await client.ask(b"wind")).body == b"wind"

        run(main())

    def test_not_before_an_upload_is_refused(self, run, serve, expect_log) -> None:
        @stream_request_body
        class Denied(RequestHandler):
            async def prepare(self) -> None:
                await asyncio.sleep(0)
                raise HTTPError(403)

        async def main() -> None:
            async with serve([("/", Denied), ("/echo", Echo)], max_body_size=1000) as server:
                client = await server.connect()
                response = await client.ask(post(b"", self.EXPECT, length=4))
                assert (response.code, response.closes) == (403, True)
                assert await client.rest() == b""
                with expect_log("gustnado.general", "body of 1001 bytes", level=20):
                    response = await server.ask(post(b"", self.EXPECT, length=1001, path="/echo"))
                assert response.code == 413

        run(main())

    def test_not_to_http_1_0(self, run, serve) -> None:
        async def main() -> None:
            async with serve([("/", Echo)]) as server:
                client = await server.connect()
                client.send(post(b"", self.EXPECT, length=4, version="1.0"))
                client.send(b"wind")
                response = await client.response()
                assert (response.code, response.body) == (200, b"wind")

        run(main())


class TestRefusedBodies:
    """What is over a limit is answered by the handler's own page, which the client can read."""

    class Page(RequestHandler):
        def write_error(self, status_code: int, **kwargs) -> None:
            self.finish({"status": status_code, "why": type(kwargs["exc_info"][1]).__name__})

        def post(self) -> None:
            self.write("never")

    @stream_request_body
    class Streaming(Page):
        def prepare(self) -> None:
            self.request.connection.set_max_body_size(1000)

        def data_received(self, chunk: bytes) -> None:
            pass

    @pytest.mark.parametrize("handler", [Page, Streaming])
    @pytest.mark.parametrize("data", [post(length=1001), chunked(b"0" * 999, b"00")], ids=["length", "chunks"])
    def test_413(self, run, serve, expect_log, handler, data: bytes) -> None:
        async def main() -> None:
            async with serve([("/", handler)], limits=Limits(max_body_size=1000)) as server:
                client = await server.connect()
                with expect_log("gustnado.general", "body", level=20):
                    response = await client.ask(data)
                assert (response.code, response.closes) == (413, True)
                assert response.body == b'{"status":413,"why":"HTTPInputError"}'
                assert await client.rest() == b""

        with expect_log("gustnado.access", "413 POST /"):
            run(main())

    def test_408(self, run, serve, expect_log) -> None:
        async def main() -> None:
            async with serve([("/", self.Page)], limits=Limits(body_timeout=0.1)) as server:
                client = await server.connect()
                with expect_log("gustnado.general", "no byte in", level=20):
                    response = await client.ask(post(b"0", length=9))
                assert (response.code, response.closes) == (408, True)
                assert b"HTTPInputError" in response.body

        with expect_log("gustnado.access", "408 POST /"):
            run(main())


class TestTrailers:
    def test_a_handler_sees_those_of_its_request(self, run, serve) -> None:
        class Trailers(RequestHandler):
            def post(self) -> None:
                self.write(dict(self.request.trailers or {}))

        async def main() -> None:
            async with serve([("/", Trailers)]) as server:
                client = await server.connect()
                with_trailers = chunked(b"ab")[:-2] + b"Digest: x\r\nHost: evil\r\n\r\n"
                assert (await client.ask(with_trailers)).body == b'{"Digest":"x"}'
                assert (await client.ask(chunked(b"ab"))).body == b"{}"

        run(main())


@pull_request_body
class Pull(RequestHandler):
    """Reads its body itself."""

    async def post(self) -> None:
        if self.get_argument("refuse", ""):
            raise HTTPError(403)
        assert self.request.body_stream is not None
        sizes = [len(chunk) async for chunk in self.request.body_stream]
        self.write({"size": sum(sizes), "several": len(sizes) > 1})


@pull_request_body
class Parts(RequestHandler):
    async def post(self) -> None:
        found = {}
        async for part in self.request.parts():
            found[part.name] = sum([len(chunk) async for chunk in part])
        self.write(found)


@pull_request_body
class Spooling(RequestHandler):
    async def post(self) -> None:
        with await self.request.form(spool_size=1000) as form:
            self.write({name: files[0].size for name, files in form.files.items()})


MULTIPART = (
    b'--xYz\r\nContent-Disposition: form-data; name="a"\r\n\r\nwind\r\n'
    b'--xYz\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n' + b"0" * 500_000 + b"\r\n--xYz--\r\n"
)
MULTIPART_TYPE = "Content-Type: multipart/form-data; boundary=xYz"


class TestPulledBodies:
    ROUTES: ClassVar[list] = [("/", Pull), ("/parts", Parts), ("/form", Spooling)]

    def test_in_pieces(self, run, serve) -> None:
        async def main() -> None:
            async with serve(self.ROUTES) as server:
                client = await server.connect()
                for request in (post(b"0" * 1_000_000), chunked(b"0" * 500_000, b"0" * 500_000), post(b"")):
                    response = await client.ask(request)
                    assert response.body in (b'{"size":1000000,"several":true}', b'{"size":0,"several":false}')
                    assert not response.closes

        run(main())

    def test_part_by_part_and_to_disk(self, run, serve) -> None:
        async def main() -> None:
            async with serve(self.ROUTES) as server:
                client = await server.connect()
                response = await client.ask(post(MULTIPART, MULTIPART_TYPE, path="/parts"))
                assert response.body == b'{"a":4,"f":500000}'
                response = await client.ask(post(MULTIPART, MULTIPART_TYPE, path="/form"))
                assert response.body == b'{"f":500000}'

        run(main())

    def test_row_34_continue_is_said_when_the_body_is_wanted(self, run, serve, expect_log) -> None:
        async def main() -> None:
            async with serve(self.ROUTES) as server:
                client = await server.connect()
                client.send(post(length=4, path="/")[:-2] + b"Expect: 100-continue\r\n\r\n")
                assert (await client.response()).code == 100
                assert (await client.ask(b"wind")).body == b'{"size":4,"several":false}'
                client.send(post(length=4, path="/?refuse=1")[:-2] + b"Expect: 100-continue\r\n\r\n")
                refusal = await client.response()
                assert (refusal.code, refusal.closes) == (403, True)

        with expect_log("gustnado.access", "403 POST"):
            run(main())

    def test_one_that_breaks_off_is_an_error_of_the_reader(self, run, serve, expect_log) -> None:
        async def main() -> None:
            async with serve(self.ROUTES) as server:
                client = await server.connect()
                with expect_log("gustnado.general", "invalid chunk size", level=20, count=2):
                    response = await client.ask(chunked(b"wind")[:-5] + b"oops\r\n")
                assert (response.code, response.closes) == (400, True)

        with expect_log("gustnado.access", "400 POST"):
            run(main())

    def test_a_buffered_handler_has_no_stream(self, run, serve, expect_log) -> None:
        class Buffered(RequestHandler):
            async def post(self) -> None:
                with pytest.raises(UsageError, match="@pull_request_body"):
                    self.request.parts()
                self.write("told")

        async def main() -> None:
            async with serve([("/", Buffered)]) as server:
                assert (await server.ask(post(b"a"))).body == b"told"

        run(main())


class TestBodyLimits:
    """Of a handler, known before its body is read."""

    class Small(Echo):
        body_limits = BodyLimits(max_body_size=3)

    class Large(Echo):
        body_limits = BodyLimits(max_body_size=30)

    @pull_request_body
    class SmallPull(Pull):
        body_limits = BodyLimits(max_body_size=3)

    def test_they_win_over_those_of_the_server(self, run, serve, expect_log) -> None:
        async def main() -> None:
            routes = [("/small", self.Small), ("/large", self.Large), ("/pull", self.SmallPull), ("/", Echo)]
            async with serve(routes, limits=Limits(max_body_size=10)) as server:
                for path, size in (("/small", 3), ("/large", 30), ("/pull", 3), ("/", 10)):
                    assert (await server.ask(post(b"0" * size, path=path))).code == 200
                    count = 1 + (path == "/pull")  # who reads a body itself hears of it, too
                    with expect_log("gustnado.general", "Content-Length too long", level=20, count=count):
                        assert (await server.ask(post(b"0" * (size + 1), path=path))).code == 413

        with expect_log("gustnado.access", "413 POST", count=4):
            run(main())


def test_a_form_that_cannot_be_read_is_a_400_like_tornado(run, serve, expect_log) -> None:
    async def main() -> None:
        for options, status in (({}, 415), ({"like_tornado": True}, 400)):
            async with serve([("/", Echo)], **options) as server:
                form = post(b"x", "Content-Type: application/x-www-form-urlencoded", "Content-Encoding: gzip")
                with expect_log("gustnado.general", f"^{status} POST / .*Unsupported Content-Encoding"):
                    assert (await server.ask(form)).code == status

    with expect_log("gustnado.access", "POST /", count=2):
        run(main())
