"""Uploads to handlers that take their bodies whole: refused from the head alone, and collected on disk."""

from __future__ import annotations

import asyncio
import gzip
import json
import tempfile

import pytest

from gustnado.errors import StreamClosedError
from gustnado.http.body_limits import BodyLimits
from gustnado.http.limits import Limits
from gustnado.web import HTTPError, RequestHandler, pull_request_body, stream_request_body

KILO = bytes(range(256)) * 4
EXPECT = "Expect: 100-continue"


def post(body: bytes, *fields: str, length: int | None = None, path: str = "/", version: str = "1.1") -> bytes:
    size = len(body) if length is None else length
    head = [f"POST {path} HTTP/{version}", "Host: x", f"Content-Length: {size}", *fields, "", ""]
    return "\r\n".join(head).encode() + body


def form(content: bytes, *fields: str) -> bytes:
    part = b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n%b\r\n--b--\r\n'
    return post(part % content, "Content-Type: multipart/form-data; boundary=b", *fields)


class Upload(RequestHandler):
    def post(self) -> None:
        [file] = self.request.files["f"]
        kind = type(file).__name__
        self.write({"kind": kind, "right": file.body == KILO * (file.size // 1024), "body": len(self.request.body)})

    def write_error(self, status_code: int, **kwargs: object) -> None:
        self.finish(f"mine: {status_code}")


class TestForms:
    @pytest.mark.parametrize(
        ("kilobytes", "options", "kind"),
        [
            (1000, {}, "HTTPFile"),
            (1030, {}, "SpooledHTTPFile"),
            (5000, {}, "SpooledHTTPFile"),
            (5000, {"like_tornado": True}, "HTTPFile"),
            (5000, {"limits": Limits(spool_size=0)}, "HTTPFile"),
            (300, {"limits": Limits(spool_size=100_000)}, "SpooledHTTPFile"),
        ],
    )
    def test_a_large_one_is_collected_on_disk(self, run, serve, kilobytes: int, options: dict, kind: str) -> None:
        async def main() -> None:
            async with serve([("/", Upload)], **options) as server:
                client = await server.connect()
                for _ in range(2):
                    request = form(KILO * kilobytes)
                    found = json.loads((await client.ask(request)).body)
                    assert found == {"kind": kind, "right": True, "body": len(request.partition(b"\r\n\r\n")[2])}

        run(main())

    def test_a_handler_may_say_what_is_large(self, run, serve) -> None:
        class Small(Upload):
            body_limits = BodyLimits(spool_size=100_000)

        async def main() -> None:
            async with serve([("/", Small)]) as server:
                assert b'"SpooledHTTPFile"' in (await server.ask(form(KILO * 300))).body

        run(main())

    def test_it_may_come_in_chunks(self, run, serve) -> None:
        async def main() -> None:
            async with serve([("/", Upload)]) as server:
                body = form(KILO * 2000).partition(b"\r\n\r\n")[2]
                head = (
                    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                    b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
                )
                pieces = [body[start : start + 9999] for start in range(0, len(body), 9999)]
                chunks = b"".join([b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces])
                response = await server.ask(head + chunks + b"0\r\n\r\n")
                assert json.loads(response.body) == {"kind": "SpooledHTTPFile", "right": True, "body": len(body)}

        run(main())

    def test_one_that_is_malformed_is_refused_where_it_is(self, run, serve, expect_log) -> None:
        async def main() -> None:
            async with serve([("/", Upload)], max_body_size=1 << 30) as server:
                client = await server.connect()
                request = form(KILO * 2000 + b"\r\n--b!").replace(b"Content-Length: ", b"Content-Length: 10")
                with expect_log("gustnado.general", "boundary is followed by", level=20):
                    response = await client.ask(request)
                assert (response.code, response.body, response.closes) == (400, b"mine: 400", True)

        run(main())

    def test_or_at_its_end_where_it_has_none(self, run, serve, expect_log) -> None:
        async def main() -> None:
            async with serve([("/", Upload)]) as server:
                client = await server.connect()
                body = form(KILO * 2000).partition(b"\r\n\r\n")[2][:-8]
                request = post(body, "Content-Type: multipart/form-data; boundary=b")
                with expect_log("gustnado.general", "400 POST / .*final boundary"):
                    response = await client.ask(request)
                assert (response.code, response.body, response.closes) == (400, b"mine: 400", False)
                assert (await client.ask(form(KILO))).code == 200

        run(main())

    def test_a_disk_that_is_full_is_a_500(self, run, serve, expect_log, monkeypatch) -> None:
        def fail(*args: object, **kwargs: object) -> None:
            raise OSError(28, "No space left on device")

        async def main() -> None:
            async with serve([("/", Upload)]) as server:
                monkeypatch.setattr(tempfile, "TemporaryFile", fail)
                with expect_log("gustnado.application", "Uncaught exception POST /"):
                    response = await server.ask(form(KILO * 2000))
                assert (response.code, response.body) == (500, b"mine: 500")

        run(main())

    def test_so_is_one_that_fills_up(self, run, serve, expect_log, monkeypatch) -> None:
        class Full:
            def seek(self, position: int) -> None:
                pass

            def write(self, data: bytes) -> int:
                raise OSError(28, "No space left on device")

            def close(self) -> None:
                pass

        async def main() -> None:
            async with serve([("/", Upload)]) as server:
                monkeypatch.setattr(tempfile, "TemporaryFile", lambda **kwargs: Full())
                with expect_log("gustnado.application", "Uncaught exception POST /"):
                    response = await server.ask(form(KILO * 2000))
                assert (response.code, response.body) == (500, b"mine: 500")

        run(main())

    def test_a_client_that_goes_half_way_leaves_nothing(self, run, serve) -> None:
        async def main() -> None:
            async with serve([("/", Upload)]) as server:
                client = await server.connect()
                client.send(form(KILO * 3000)[:2_000_000])
                await client.writer.drain()
                client.vanish()

        run(main())


class Checked(RequestHandler):
    """Refuses as the request asks for, and says what it has done."""

    def before_body(self):
        self.seen = ["before"]
        assert self.request.body == b""
        match self.request.headers.get("X-Do"):
            case "raise":
                raise HTTPError(401)
            case "finish":
                self.set_status(409)
                self.finish("no")
            case "417":
                raise HTTPError(417)
            case "wait":
                return self.wait(None)
            case "wait and raise":
                return self.wait(HTTPError(403))
        return None

    async def wait(self, error: Exception | None) -> None:
        await asyncio.sleep(0.01)
        if error is not None:
            raise error
        self.seen.append("waited")

    def prepare(self) -> None:
        self.seen = [*getattr(self, "seen", []), "prepared"]

    def post(self) -> None:
        self.write(" ".join([*self.seen, self.request.body.decode()]))

    get = post


@stream_request_body
class Streamed(Checked):
    data = b""

    def data_received(self, chunk: bytes) -> None:
        self.data += chunk

    def post(self) -> None:
        self.write(" ".join([*self.seen, self.data.decode()]))


@pull_request_body
class Pulled(Checked):
    async def post(self) -> None:  # type: ignore[override]
        assert self.request.body_stream is not None
        data = await self.request.body_stream.read_all(100)
        self.write(" ".join([*self.seen, data.decode()]))


KINDS = pytest.mark.parametrize("handler", [Checked, Streamed, Pulled])


class TestBeforeBody:
    @KINDS
    @pytest.mark.parametrize(("do", "seen"), [("nothing", b""), ("wait", b"waited ")])
    def test_it_comes_first(self, run, serve, handler, do: str, seen: bytes) -> None:
        async def main() -> None:
            async with serve([("/", handler)]) as server:
                client = await server.connect()
                for _ in range(2):
                    response = await client.ask(post(b"wind", f"X-Do: {do}"))
                    assert response.body == b"before " + seen + b"prepared wind"

        run(main())

    @KINDS
    @pytest.mark.parametrize(
        ("do", "code"), [("raise", 401), ("finish", 409), ("417", 417), ("wait and raise", 403)]
    )
    def test_it_may_refuse_before_anything_is_sent(self, run, serve, expect_log, handler, do: str, code: int) -> None:
        async def main() -> None:
            async with serve([("/", handler)]) as server:
                client = await server.connect()
                response = await client.ask(post(b"", EXPECT, f"X-Do: {do}", length=1 << 30))
                assert (response.code, response.closes) == (code, True)
                assert await client.rest() == b""

        run(main())

    @KINDS
    def test_what_a_client_sends_all_the_same_is_no_request(self, run, serve, handler) -> None:
        smuggled = post(b"", path="/smuggled")

        async def main() -> None:
            async with serve([("/", handler)]) as server:
                client = await server.connect()
                response = await client.ask(post(smuggled, EXPECT, "X-Do: raise"))
                assert (response.code, response.closes) == (401, True)
                assert await client.rest() == b""
                client = await server.connect()
                response = await client.ask(post(smuggled, "X-Do: wait and raise"))
                assert (response.code, response.closes) == (403, False)  # a short rest is read, and dropped
                assert (await client.ask(post(b"wind"))).body.endswith(b" wind")

        run(main())

    @KINDS
    @pytest.mark.parametrize("do", ["nothing", "wait"])
    def test_row_34_only_then_the_client_is_told_to_go_on(self, run, serve, handler, do: str) -> None:
        async def main() -> None:
            async with serve([("/", handler)]) as server:
                client = await server.connect()
                assert (await client.ask(post(b"", EXPECT, f"X-Do: {do}", length=4))).code == 100
                assert (await client.ask(b"wind")).body.endswith(b" wind")
                client.send(post(b"", EXPECT, f"X-Do: {do}", length=4, version="1.0"))
                assert (await client.ask(b"wind")).body.endswith(b" wind")

        run(main())

    def test_it_is_not_called_without_a_body(self, run, serve) -> None:
        async def main() -> None:
            async with serve([("/", Checked)]) as server:
                client = await server.connect()
                assert (await client.ask(post(b"", "X-Do: raise"))).body == b"prepared "
                assert (await client.ask(b"GET / HTTP/1.1\r\nHost: x\r\nX-Do: raise\r\n\r\n")).body == b"prepared "

        run(main())

    def test_it_is_called_for_a_body_that_is_decoded(self, run, serve) -> None:
        async def main() -> None:
            async with serve([("/", Checked)], decompress_request=True) as server:
                request = post(gzip.compress(b"wind"), "Content-Encoding: gzip")
                assert (await server.ask(request)).body == b"before prepared wind"

        run(main())

    def test_it_may_allow_more(self, run, serve, expect_log) -> None:
        class Allowing(Upload):
            def before_body(self) -> None:
                if "X-Key" in self.request.headers:
                    self.request.connection.set_max_body_size(1 << 30)

        async def main() -> None:
            async with serve([("/", Allowing)], max_body_size=2_000_000) as server:
                assert (await server.ask(form(KILO * 3000, "X-Key: 1"))).code == 200
                with expect_log("gustnado.general", "Content-Length too long", level=20):
                    assert (await server.ask(form(KILO * 3000))).body == b"mine: 413"

        run(main())

    def test_what_it_raises_else_is_a_500(self, run, serve, expect_log) -> None:
        class Broken(RequestHandler):
            def before_body(self) -> None:
                raise ValueError("oops")

        async def main() -> None:
            async with serve([("/", Broken)]) as server:
                with expect_log("gustnado.application", "Uncaught exception POST /"):
                    assert (await server.ask(post(b"wind"))).code == 500

        run(main())

    def test_a_client_may_go_meanwhile(self, run, serve) -> None:
        gone = asyncio.Event()

        class Waiting(RequestHandler):
            async def before_body(self) -> None:
                await gone.wait()
                await asyncio.sleep(0)

            def on_connection_close(self) -> None:
                gone.set()

            def post(self) -> None:
                raise StreamClosedError

        async def main() -> None:
            async with serve([("/", Waiting)]) as server:
                client = await server.connect()
                client.send(post(b"", EXPECT, length=4))
                await client.writer.drain()
                client.vanish()
                await gone.wait()

        run(main())
