"""Rows of the catalogue of bad inputs that speak of what connections and requests use up, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import os
import socket
import ssl
import zlib

import pytest

from gustnado.http import refusals
from gustnado.http.limits import Limits
from gustnado.web import RequestHandler, pull_request_body, stream_request_body

resource = pytest.importorskip("resource")

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Echo(RequestHandler):
    def get(self) -> None:
        self.write(self.request.path)

    def post(self) -> None:
        self.write(self.request.body)


@stream_request_body
class Streams(RequestHandler):
    size = 0

    def data_received(self, chunk: bytes) -> None:
        self.size += len(chunk)

    def post(self) -> None:
        self.write(str(self.size))


ROUTES = [("/stream", Streams), ("/.*", Echo)]


def post(*fields: bytes, body: bytes = b"", path: bytes = b"/") -> bytes:
    return b"\r\n".join([b"POST " + path + b" HTTP/1.1", b"Host: x", *fields, b"", b""]) + body


async def none_left(server) -> None:
    """Returns when the server has no connection any more."""
    while server.http_server._served:
        await asyncio.sleep(0.01)


class TestTimes:
    def test_row_54_many_that_say_nothing(self, run, serve) -> None:
        async def main() -> None:
            async with serve(ROUTES, limits=Limits(header_timeout=0.2)) as server:
                clients = [await server.connect() for _ in range(300)]
                assert [await client.rest() for client in clients] == [b""] * 300
                await none_left(server)

        run(main())

    @pytest.mark.parametrize("sent", [0, 1, 5, 100])
    def test_row_55_a_tls_handshake_that_stops(self, run, serve, server_tls, sent: int) -> None:
        async def main() -> None:
            limits = Limits(handshake_timeout=0.2)
            async with serve(ROUTES, ssl_options=server_tls, limits=limits) as server:
                client = await server.connect()
                client.send(hello()[:sent])
                assert await client.is_cut()
                await none_left(server)

        run(main())

    def test_row_55_silence_behind_a_handshake(self, run, serve, server_tls, client_tls) -> None:
        async def main() -> None:
            limits = Limits(header_timeout=0.2)
            async with serve(ROUTES, ssl_options=server_tls, limits=limits) as server:
                client = await server.connect(ssl=client_tls)
                assert await client.is_cut()
                await none_left(server)

        run(main())

    def test_row_55_a_hello_in_pieces_is_one(self, run, serve, server_tls, client_tls) -> None:
        async def main() -> bytes:
            async with serve(ROUTES, ssl_options=server_tls) as server:
                client = await server.connect()
                incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
                tls = client_tls.wrap_bio(incoming, outgoing, server_hostname="foo.example.com")
                while True:
                    try:
                        tls.do_handshake()
                        break
                    except ssl.SSLWantReadError:
                        for byte in outgoing.read():
                            client.send(bytes([byte]))
                            await asyncio.sleep(0)
                        incoming.write(await client.reader.read(65536))
                tls.write(GET)
                client.send(outgoing.read())
                answer = b""
                while not answer.endswith(b"\r\n\r\n/"):
                    incoming.write(await client.reader.read(65536))
                    with contextlib.suppress(ssl.SSLWantReadError):
                        answer += tls.read(65536)
                return answer

        assert run(main()).startswith(b"HTTP/1.1 200 OK\r\n")

    def test_row_57_a_body_that_stops_in_a_streaming_handler(self, run, serve, expect_log) -> None:
        async def main() -> None:
            async with serve(ROUTES, limits=Limits(body_timeout=0.2)) as server:
                client = await server.connect()
                with (
                    expect_log("gustnado.general", "no byte in 0.2 s", level=20),
                    expect_log("gustnado.access", "^408 POST /stream"),
                ):
                    response = await client.ask(post(b"Content-Length: 100", path=b"/stream", body=b"0" * 99))
                    assert (response.code, response.closes) == (408, True)
                    assert await client.rest() == b""

        run(main())

    @pytest.mark.parametrize("sent", [b"", b"PROXY TCP4 192.0.2.7"])
    def test_row_58_a_deadline_holds_before_there_is_a_protocol(self, run, serve, expect_log, sent: bytes) -> None:
        """There is no HTTP/2 to look for; what comes before a head is the header of the PROXY protocol."""

        async def main() -> None:
            async with serve(ROUTES, proxy_protocol=True, limits=Limits(handshake_timeout=0.2)) as server:
                client = await server.connect()
                client.send(sent)
                with expect_log("gustnado.general", "sent no PROXY header in 0.2 s", level=20):
                    assert await client.rest() == b""

        run(main())

    def test_row_60_a_connection_has_so_many_requests(self, run, serve) -> None:
        async def main() -> None:
            async with serve(ROUTES, limits=Limits(max_requests=5)) as server:
                client = await server.connect()
                closes = [(await client.ask(GET)).closes for _ in range(5)]
                assert closes == [False] * 4 + [True]
                assert await client.rest() == b""

        run(main())

    def test_row_60_and_an_age(self, run, serve) -> None:
        async def main() -> None:
            async with serve(ROUTES, limits=Limits(max_connection_age=0.1)) as server:
                client = await server.connect()
                while not (await client.ask(GET)).closes:
                    await asyncio.sleep(0.02)
                assert await client.rest() == b""

        run(main())


def hello() -> bytes:
    """The beginning of a TLS handshake."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="foo.example.com")
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


@contextlib.contextmanager
def no_more_files(but: int):
    """Lets this process open as many files more as are said, and no other; the block gets what ends that."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []

    def give_back() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        while taken:
            os.close(taken.pop())

    highest = max(int(name) for name in os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1 + but, hard))
    try:
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        for _ in range(but):
            os.close(taken.pop())
        yield give_back
    finally:
        give_back()


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="descriptors are counted through /proc")
def test_row_61_without_descriptors_it_turns_away_and_goes_on(run, serve, expect_log) -> None:
    async def main() -> None:
        async with serve(ROUTES) as server:
            socks = []
            for _ in range(8):  # into the backlog, as the loop does not run meanwhile
                socks.append(socket.create_connection(("127.0.0.1", server.port)))
                socks[-1].sendall(GET)
                socks[-1].setblocking(False)
            loop = asyncio.get_running_loop()
            with no_more_files(but=3) as give_back:
                with expect_log("gustnado.general", "cannot accept connections", level=40):
                    answers = [await loop.sock_recv(sock, 65536) for sock in socks[:3]]
                    assert all(answer.startswith(b"HTTP/1.1 200 OK\r\n") for answer in answers)
                    for sock in socks[3:]:
                        with contextlib.suppress(ConnectionResetError):  # as its request was not read
                            assert await loop.sock_recv(sock, 65536) == b""
                assert len(server.http_server._served) == 3
                give_back()
            assert (await server.ask(GET)).body == b"/"
            for sock in socks:
                sock.close()

    run(main())


class TestBodies:
    @pytest.mark.parametrize("path", [b"/", b"/stream"])
    @pytest.mark.parametrize("chunked", [False, True])
    def test_row_64_a_body_over_the_limit(self, run, serve, expect_log, path: bytes, chunked: bool) -> None:
        field = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 2001"
        body = b"7d1\r\n" + b"0" * 2001 + b"\r\n0\r\n\r\n" if chunked else b""

        async def main() -> None:
            async with serve(ROUTES, max_body_size=2000) as server:
                client = await server.connect()
                with (
                    expect_log("gustnado.general", "over 2000", level=20),
                    expect_log("gustnado.access", "^413 POST /"),
                ):
                    response = await client.ask(post(field, path=path, body=body))
                    assert (response.code, response.closes) == (413, True)
                    assert await client.rest() == b""

        run(main())

    def test_row_64_what_is_only_dropped_is_bounded_too(self, run, serve) -> None:
        @stream_request_body
        class Early(RequestHandler):
            def prepare(self) -> None:
                self.finish("early")

        async def main() -> None:
            limits = Limits(max_unread_body=1000, linger_timeout=0.2)
            async with serve([("/", Early), ("/.*", Echo)], limits=limits) as server:
                client = await server.connect()
                client.send(post(b"Transfer-Encoding: chunked"))
                response = await client.response()
                assert (response.body, response.closes) == (b"early", False)
                client.send((b"3e8\r\n" + b"0" * 1000 + b"\r\n") * 3)
                assert await client.is_cut()

        run(main())

    @pytest.mark.parametrize("field", [b"gzip", b"deflate", b"gzip, gzip", b"br", b"identity, gzip"])
    def test_row_65_codings_are_not_decoded_unasked(self, run, serve, field: bytes) -> None:
        data = gzip.compress(b"0" * 1_000_000)

        async def main() -> bytes:
            async with serve(ROUTES) as server:
                length = b"Content-Length: %d" % len(data)
                return (await server.ask(post(b"Content-Encoding: " + field, length, body=data))).body

        assert run(main()) == data

    BOMBS = (
        ("gzip", gzip.compress(b"0" * 3_000_000), 413),
        ("deflate", zlib.compress(b"0" * 3_000_000), 413),
        ("gzip", gzip.compress(b"") * 1000, 400),
        (", ".join(["gzip"] * 10), gzip.compress(b"a"), 415),
        ("T51 gzip", gzip.compress(b"a" * 1000)[:-4], 400),
        ("T51 gzip", gzip.compress(b"a") + b"garbage", 400),
    )

    @pytest.mark.parametrize(("coding", "data", "status"), BOMBS)
    def test_row_65_T51_nor_without_bounds(self, run, serve, expect_log, coding: str, data: bytes, status: int) -> None:
        async def main() -> int:
            async with serve(ROUTES, decompress_request=True, max_body_size=1_000_000) as server:
                client = await server.connect()
                field = f"Content-Encoding: {coding.removeprefix('T51 ')}".encode()
                fields = (field, b"Content-Length: %d" % len(data))
                with (
                    expect_log("gustnado.general", "", level=20),
                    expect_log("gustnado.access", f"^{status} POST /", count=status != 415),  # no handler, no line
                ):
                    return (await client.ask(post(*fields, body=data))).code

        assert run(main()) == status

    def test_row_67_files_are_few_and_gone_in_the_end(self, run, serve, expect_log) -> None:
        """Those beyond the memory are on disk without a name; of 1,000 parts none gets there."""
        held: list = []

        @pull_request_body
        class Form(RequestHandler):
            async def post(self) -> None:
                with await self.request.form(spool_size=10) as form:
                    held[:] = [file for files in form.files.values() for file in files]
                    assert all(file.file._rolled for file in held)
                    assert all(not isinstance(file.file.name, str) for file in held)
                    self.write(str(len(held)))

        def form(parts: int) -> bytes:
            disposition = b'Content-Disposition: form-data; name="f"; filename="../../x"\r\n\r\n'
            body = (b"--b\r\n" + disposition + b"0" * 100 + b"\r\n") * parts + b"--b--\r\n"
            kind = b"Content-Type: multipart/form-data; boundary=b"
            return post(kind, b"Content-Length: %d" % len(body), body=body)

        async def main() -> None:
            async with serve([("/", Form)]) as server:
                assert (await server.ask(form(100))).body == b"100"
                assert all(file.file.closed for file in held)
                with (
                    expect_log("gustnado.general", "^413 POST / "),
                    expect_log("gustnado.access", "^413 POST /"),
                ):
                    assert (await server.ask(form(1000))).code == 413

        run(main())


def test_row_63_an_address_has_a_share(run, serve, expect_log) -> None:
    async def main() -> None:
        limits = Limits(max_connections_per_address=20)
        async with serve(ROUTES, limits=limits) as server:
            clients = [await server.connect() for _ in range(20)]
            for client in clients:
                assert (await client.ask(GET)).body == b"/"
            with expect_log("gustnado.general", "more connections than one address may have", level=20, count=30):
                assert [(await server.ask(GET)).code for _ in range(30)] == [503] * 30
            assert (await clients[0].ask(GET)).code == 200

    run(main())


@pytest.fixture
def endless_window(monkeypatch) -> None:
    """Refusals are counted until the server shuts down, however long a test takes."""
    monkeypatch.setattr(refusals, "WINDOW", 3600.0)


def test_row_66_a_flood_of_bad_requests_is_a_few_lines(run, serve, expect_log, endless_window) -> None:
    async def main() -> None:
        async with serve(ROUTES, limits=Limits(max_refusals_logged=10)) as server:
            with (
                expect_log("gustnado.general", "^Malformed HTTP message", level=20, count=10),
                expect_log("gustnado.general", "^190 more refusals within 3600 s", level=20),
            ):
                for _ in range(200):
                    assert (await server.ask(b"\x1b[2J\r\n\r\n")).code == 400
                assert (await server.ask(GET)).code == 200
                server.http_server.shutting_down.set()
                assert await server.http_server.shutdown(grace=5) == 0

    run(main())


@pytest.mark.parametrize("garbage", [GET, bytes(100)])
def test_row_66_so_is_one_of_bad_handshakes(run, serve, expect_log, endless_window, server_tls, garbage) -> None:
    async def main() -> None:
        async with serve(ROUTES, ssl_options=server_tls, limits=Limits(max_refusals_logged=10)) as server:
            with (
                expect_log("gustnado.general", "^SSL Error on ", level=20, count=10),
                expect_log("gustnado.general", "^30 more refusals within 3600 s", level=30),
            ):
                for _ in range(40):
                    client = await server.connect()
                    client.send(garbage)
                    await client.is_cut()  # with or without an alert
                await server.http_server.shutdown(grace=5)

    run(main())


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_row_68_no_name_is_looked_up_for_a_request(run, serve, monkeypatch, version: bytes) -> None:
    async def main() -> None:
        async with serve(ROUTES) as server:
            client = await server.connect()

            def looked_up(*arguments: object) -> None:
                raise AssertionError(f"looked up: {arguments}")

            for name in ("getfqdn", "gethostbyname", "gethostbyaddr", "getaddrinfo", "getnameinfo", "gethostname"):
                monkeypatch.setattr(socket, name, looked_up)
            data = GET.replace(b"1.1", version)
            if version == b"1.0":
                data = data.replace(b"Host: x\r\n", b"")
            assert (await client.ask(data)).code == 200
            monkeypatch.undo()

    run(main())
