"""Clients that others wrote: what each of them can do, it can do with our server."""

from __future__ import annotations

import asyncio
import io
import shutil
import warnings

import pytest

from gustnado.web import RequestHandler, stream_request_body

CURL = shutil.which("curl")


class Echo(RequestHandler):
    def get(self) -> None:
        self.write(
            {"path": self.request.path, "arguments": self.get_arguments("a"), "version": self.request.version}
        )

    def post(self) -> None:
        self.write(self.request.body)

    put = post


class Form(RequestHandler):
    def post(self) -> None:
        (file,) = self.request.files["f"]
        self.write(f"{self.get_argument('a')} {file.filename} {len(file.body)}")


class Pieces(RequestHandler):
    async def get(self) -> None:
        for n in range(3):
            self.write(f"{n},")
            await self.flush()


@stream_request_body
class Count(RequestHandler):
    size = 0

    async def data_received(self, chunk: bytes) -> None:
        await asyncio.sleep(0)
        self.size += len(chunk)

    def put(self) -> None:
        self.write(str(self.size))


ROUTES = [("/form", Form), ("/pieces", Pieces), ("/count", Count), ("/.*", Echo)]
LARGE = b"0123456789" * 200_000


async def pieces():
    for n in range(0, len(LARGE), 100_000):
        yield LARGE[n : n + 100_000]


@pytest.fixture
def large(tmp_path):
    path = tmp_path / "large"
    path.write_bytes(LARGE)
    return path


@pytest.mark.skipif(CURL is None, reason="curl is not installed")
class TestCurl:
    async def curl(self, *arguments: object) -> bytes:
        process = await asyncio.create_subprocess_exec(
            str(CURL), "--silent", "--show-error", "--max-time", "20", *map(str, arguments),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        assert process.returncode == 0, err
        return out

    def test_one_connection_for_several_urls(self, run, serve) -> None:
        async def main() -> None:
            async with serve(ROUTES) as server:
                out = await self.curl(
                    "--write-out", "%{num_connects};", f"{server.url}/a", f"{server.url}/pieces"
                )
            assert out == b'{"path":"/a","arguments":[],"version":"HTTP/1.1"}1;0,1,2,0;'

        run(main())

    def test_http_1_0(self, run, serve) -> None:
        async def main() -> None:
            async with serve(ROUTES) as server:
                assert await self.curl("--http1.0", f"{server.url}/pieces") == b"0,1,2,"

        run(main())

    def test_head(self, run, serve) -> None:
        async def main() -> None:
            async with serve(ROUTES) as server:
                assert (await self.curl("--head", f"{server.url}/x")).startswith(
                    b"HTTP/1.1 405 Method Not Allowed\r\n"
                )

        run(main())

    def test_an_upload_that_waits_to_be_asked_for(self, run, serve, large) -> None:
        async def main() -> None:
            async with serve(ROUTES) as server:
                wait = ("--header", "Expect: 100-continue", "--expect100-timeout", "20")
                out = await self.curl(*wait, "--data-binary", f"@{large}", f"{server.url}/echo")
                assert out == LARGE
                chunked = ("--header", "Transfer-Encoding: chunked")
                assert (
                    await self.curl(*wait, *chunked, "--upload-file", large, f"{server.url}/count")
                    == b"2000000"
                )

        run(main())

    def test_a_form_with_a_file(self, run, serve, large) -> None:
        async def main() -> None:
            async with serve(ROUTES) as server:
                out = await self.curl("--form", "a=wind", "--form", f"f=@{large}", f"{server.url}/form")
            assert out == b"wind large 2000000"

        run(main())

    def test_tls(self, run, serve, server_tls) -> None:
        async def main() -> None:
            async with serve(ROUTES, ssl_options=server_tls) as server:
                out = await self.curl("--insecure", f"https://127.0.0.1:{server.port}/a")
            assert out.startswith(b'{"path":"/a"')

        run(main())

    def test_a_refused_upload(self, run, serve, expect_log, large) -> None:
        async def main() -> None:
            async with serve(ROUTES, max_body_size=1000) as server:
                with expect_log("gustnado.general", "body of 2000000 bytes", level=20):
                    out = await self.curl(
                        "--header",
                        "Expect:",
                        "--write-out",
                        "%{http_code}",
                        "--data-binary",
                        f"@{large}",
                        server.url,
                    )
            assert b"413: Content Too Large" in out
            assert out.endswith(b"413")

        with expect_log("gustnado.access", "413 POST /"):
            run(main())


def test_httpx(run, serve) -> None:
    httpx = pytest.importorskip("httpx")

    async def main() -> None:
        async with serve(ROUTES) as server:
            async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
                response = await client.get("/a", params={"a": ["1", "ä"]})
                assert response.json() == {"path": "/a", "arguments": ["1", "ä"], "version": "HTTP/1.1"}
                assert (await client.post("/echo", content=LARGE)).content == LARGE
                assert (await client.put("/count", content=pieces())).text == "2000000"
                assert (
                    await client.post("/form", data={"a": "wind"}, files={"f": b"gust"})
                ).text == "wind upload 4"
                async with client.stream("GET", "/pieces") as streamed:
                    assert "".join([part async for part in streamed.aiter_text()]) == "0,1,2,"
                responses = await asyncio.gather(*[client.get(f"/{n}") for n in range(50)])
                assert [r.json()["path"] for r in responses] == [f"/{n}" for n in range(50)]

    run(main())


def test_aiohttp(run, serve) -> None:
    aiohttp = pytest.importorskip("aiohttp")

    async def main() -> None:
        async with serve(ROUTES) as server:
            async with aiohttp.ClientSession(server.url) as session:
                async with session.get("/a", params={"a": "1"}) as response:
                    assert (await response.json())["arguments"] == ["1"]
                async with session.post("/echo", data=io.BytesIO(LARGE), expect100=True) as response:
                    assert await response.read() == LARGE
                async with session.put("/count", data=pieces()) as response:
                    assert await response.text() == "2000000"
                form = aiohttp.FormData({"a": "wind"})
                form.add_field("f", b"gust", filename="g.txt")
                async with session.post("/form", data=form) as response:
                    assert await response.text() == "wind g.txt 4"
                async with session.get("/pieces") as response:
                    assert await response.text() == "0,1,2,"

    run(main())


def test_tornado(run, serve) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        httpclient = pytest.importorskip("tornado.httpclient")

    async def main() -> None:
        async with serve(ROUTES) as server:
            client = httpclient.AsyncHTTPClient(force_instance=True)
            try:
                assert (await client.fetch(f"{server.url}/a?a=1")).body.startswith(
                    b'{"path":"/a","arguments":["1"]'
                )
                assert (await client.fetch(f"{server.url}/pieces")).body == b"0,1,2,"
                put = await client.fetch(
                    f"{server.url}/count", method="PUT", body=LARGE, expect_100_continue=True
                )
                assert put.body == b"2000000"

                async def produce(write) -> None:
                    async for piece in pieces():
                        await write(piece)

                put = await client.fetch(f"{server.url}/count", method="PUT", body_producer=produce)
                assert put.body == b"2000000"
                with pytest.raises(httpclient.HTTPClientError, match="405"):
                    await client.fetch(server.url, method="DELETE")
            finally:
                client.close()

    run(main())


def test_h11(run, serve) -> None:
    h11 = pytest.importorskip("h11")

    async def main() -> None:
        async with serve(ROUTES) as server:
            client = await server.connect()
            peer = h11.Connection(h11.CLIENT)

            async def ask(
                method: str, target: str, body: bytes, *fields: tuple[str, str]
            ) -> tuple[int, bytes]:
                for event in (
                    h11.Request(method=method, target=target, headers=[("Host", "x"), *fields]),
                    *([h11.Data(body)] if body else []),
                    h11.EndOfMessage(),
                ):
                    client.send(peer.send(event))
                status, received = 0, b""
                while not isinstance(event := peer.next_event(), h11.EndOfMessage):
                    if event is h11.NEED_DATA:
                        peer.receive_data(await client.reader.read(65536))
                    elif isinstance(event, h11.Response):
                        status = event.status_code
                    elif isinstance(event, h11.Data):
                        received += event.data
                peer.start_next_cycle()
                return status, received

            assert await ask("GET", "/pieces", b"") == (200, b"0,1,2,")
            assert await ask("POST", "/echo", b"wind", ("Content-Length", "4")) == (200, b"wind")
            assert await ask("PUT", "/count", LARGE, ("Transfer-Encoding", "chunked")) == (200, b"2000000")
            assert (await ask("HEAD", "/", b""))[0] == 405
            assert (await ask("DELETE", "/", b""))[0] == 405
            assert peer.their_state is h11.IDLE

    run(main())
