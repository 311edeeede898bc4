"""What is not HTTP, over real sockets: one answer, one line in the log, and the end of the connection."""

from __future__ import annotations

import asyncio
import socket

import h11
import pytest

from gustnado.http.limits import Limits
from gustnado.web import RequestHandler

GOOD = b"GET /good HTTP/1.1\r\nHost: x\r\n\r\n"


class Echo(RequestHandler):
    def get(self) -> None:
        self.write(self.request.path)

    def post(self) -> None:
        self.write(self.request.body)


ROUTES = [(r"/.*", Echo)]


def head(line: bytes = b"GET / HTTP/1.1", *fields: bytes, host: bool = True) -> bytes:
    return b"\r\n".join([line, *([b"Host: x"] if host else []), *fields, b"", b""])


def post(*fields: bytes, body: bytes = b"") -> bytes:
    return head(b"POST / HTTP/1.1", *fields) + body


CHUNKED = post(b"Transfer-Encoding: chunked")

# (row of the catalogue of bad input, what is sent, the status that answers it)
BAD: list[tuple[str, bytes, int]] = [
    ("1 garbage", b"\x00\xff\x01\r\n\r\n", 400),
    ("1 a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500, 400),
    ("1 empty lines", b"\r\n\r\n\r\n\r\n", 400),
    ("2 the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("3 bare LF", b"GET / HTTP/1.1\nHost: x\n\n", 400),
    ("4 bare CR", head(b"GET / HTTP/1.1", b"A: b\rC: d"), 400),
    ("5 NUL in a value", head(b"GET / HTTP/1.1", b"A: b\x00c"), 400),
    ("6 a folded line", head(b"GET / HTTP/1.1", b"A: b", b" c"), 400),
    ("7 space before the colon", head(b"GET / HTTP/1.1", b"Content-Length : 5"), 400),
    ("7 no colon", head(b"GET / HTTP/1.1", b"A"), 400),
    ("8 a name that is no token", head(b"GET / HTTP/1.1", b"A\xe4: b"), 400),
    ("12 a method that is no token", head(b"G@T / HTTP/1.1"), 400),
    ("13 two spaces", head(b"GET  / HTTP/1.1"), 400),
    ("13 HTTP/9.9", head(b"GET / HTTP/9.9"), 505),
    ("14 HTTP/0.9", b"GET /\r\n\r\n", 400),
    ("15 raw UTF-8 in the target", head("GET /\u00e4 HTTP/1.1".encode()), 400),
    ("15 a fragment", head(b"GET /a#b HTTP/1.1"), 400),
    ("17 userinfo", head(b"GET http://a:b@x/ HTTP/1.1"), 400),
    ("18 an authority", head(b"GET x:80 HTTP/1.1"), 400),
    ("18 an asterisk", head(b"GET * HTTP/1.1"), 400),
    ("20 no host", head(host=False), 400),
    ("20 two hosts", head(b"GET / HTTP/1.1", b"Host: x"), 400),
    ("20 a list of hosts", head(b"GET / HTTP/1.1", b"Host: a, b", host=False), 400),
    ("20 a path for a host", head(b"GET / HTTP/1.1", b"Host: a/b", host=False), 400),
    ("23 a long line", head(b"GET /" + b"a" * 8192 + b" HTTP/1.1"), 414),
    ("23 an endless line", b"GET /" + b"a" * 100_000, 414),
    ("23 a long field", head(b"GET / HTTP/1.1", b"A: " + b"b" * 17_000), 431),
    ("23 many fields", head(b"GET / HTTP/1.1", *[b"A: b"] * 101), 431),
    ("23 an endless head", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000, 431),
    (
        "28 length and coding",
        post(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        400,
    ),
    ("29 two lengths", post(b"Content-Length: 1", b"Content-Length: 1", body=b"a"), 400),
    ("29 a list of lengths", post(b"Content-Length: 1, 1", body=b"a"), 400),
    ("30 a signed length", post(b"Content-Length: +1", body=b"a"), 400),
    ("30 a length of 5,000 digits", post(b"Content-Length: " + b"9" * 5000), 400),
    ("31 an unknown coding", post(b"Transfer-Encoding: gzip, chunked"), 501),
    ("31 chunked twice", post(b"Transfer-Encoding: chunked, chunked"), 400),
    ("31 chunked in HTTP/1.0", head(b"POST / HTTP/1.0", b"Transfer-Encoding: chunked") + b"0\r\n\r\n", 400),
    ("34 another expectation", post(b"Content-Length: 1", b"Expect: tea"), 417),
    ("45 a chunk size with a sign", CHUNKED + b"+5\r\nhello\r\n0\r\n\r\n", 400),
    ("45 a chunk size of 17 digits", CHUNKED + b"0" * 16 + b"5\r\nhello\r\n0\r\n\r\n", 400),
    ("45 no chunk size", CHUNKED + b"\r\nhello\r\n0\r\n\r\n", 400),
    ("47 a bare semicolon", CHUNKED + b"5;\r\nhello\r\n0\r\n\r\n", 400),
    ("47 LF in an extension", CHUNKED + b"5;a\nb\r\nhello\r\n0\r\n\r\n", 400),
    ("48 a long extension", CHUNKED + b"5;" + b"a" * 70_000 + b"\r\nhello\r\n0\r\n\r\n", 400),
    ("49 a chunk longer than it says", CHUNKED + b"4\r\nhello\r\n0\r\n\r\n", 400),
    ("51 endless trailers", CHUNKED + b"0\r\n" + b"A: b\r\n" * 20_000, 400),
    ("64 a length over the limit", post(b"Content-Length: 10485761"), 413),
    ("64 chunks over the limit", CHUNKED + b"a00001\r\n" + b"0" * 0xA00001 + b"\r\n0\r\n\r\n", 413),
]
IDS = [case[0] for case in BAD]


def is_good_head(data: bytes) -> bool:
    """Only the body is bad, so that a handler has been found, and answers by its own page."""
    return data.startswith(CHUNKED) or b"10485761" in data


@pytest.mark.parametrize(("data", "status"), [case[1:] for case in BAD], ids=IDS)
def test_it_is_answered_logged_and_ended(run, serve, expect_log, data: bytes, status: int) -> None:
    async def main() -> None:
        async with serve(ROUTES) as server:
            client = await server.connect()
            with expect_log(
                "gustnado.general", r"^Malformed HTTP message from 127\.0\.0\.1: \S", level=20
            ) as seen:
                response = await client.ask(data)
                assert await client.rest() == b""
            assert len(seen.records) == 1
            assert "\n" not in seen.records[0].getMessage()
            assert len(seen.records[0].getMessage()) < 300
        assert response.code == status
        assert response.closes
        assert response.version == "HTTP/1.1"
        assert response.headers["Content-Type"].startswith("text/plain")
        assert response.headers["Date"].endswith(" GMT")

    with expect_log("gustnado.access", f"^{status} POST /", count=is_good_head(data)):
        run(main())


@pytest.mark.parametrize(("data", "status"), [case[1:] for case in BAD], ids=IDS)
def test_row_36_what_came_before_it_is_answered_first(
    run, serve, expect_log, data: bytes, status: int
) -> None:
    async def main() -> None:
        async with serve(ROUTES) as server:
            client = await server.connect()
            with expect_log("gustnado.general", "^Malformed HTTP message", level=20):
                client.send(GOOD * 3 + data + GOOD)
                good = [await client.response() for _ in range(3)]
                refusal = await client.response()
                assert await client.rest() == b""
        assert [response.body for response in good] == [b"/good"] * 3
        assert refusal.code == status

    with expect_log("gustnado.access", f"^{status} POST /", count=is_good_head(data)):
        run(main())


@pytest.mark.parametrize(
    ("data", "status"),
    [case[1:] for case in BAD if len(case[1]) < 100],
    ids=[i for i, d, _ in BAD if len(d) < 100],
)
def test_row_24_pieces_make_no_difference(run, serve, expect_log, data: bytes, status: int) -> None:
    async def main() -> None:
        async with serve(ROUTES) as server:
            client = await server.connect()
            sock = client.writer.get_extra_info("socket")
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with expect_log("gustnado.general", "^Malformed HTTP message", level=20):
                for n in range(len(data)):
                    client.send(data[n : n + 1])
                    await asyncio.sleep(0)
                assert (await client.response()).code == status
                assert await client.rest() == b""

    run(main())


def test_a_client_reads_its_answer_although_it_goes_on_sending(run, serve, expect_log) -> None:
    """One that sends all it has before it reads: a reset would lose it the answer."""

    def talk(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
            sock.sendall(post(b"Content-Length: 20000000"))
            for _ in range(200):
                sock.sendall(b"0" * 100_000)
            answer = b""
            while data := sock.recv(65536):
                answer += data
            return answer

    async def main() -> bytes:
        async with serve(ROUTES) as server:
            with expect_log("gustnado.general", "body of 20000000 bytes", level=20):
                return await asyncio.get_running_loop().run_in_executor(None, talk, server.port)

    assert run(main()).startswith(b"HTTP/1.1 413 Content Too Large\r\n")


def test_over_tls_too(run, serve, expect_log, server_tls, client_tls) -> None:
    async def main() -> None:
        async with serve(
            ROUTES, ssl_options=server_tls, max_body_size=1000, limits=Limits(linger_timeout=0.2)
        ) as server:
            client = await server.connect(ssl=client_tls)
            with expect_log("gustnado.general", "body of 3000000 bytes", level=20):
                client.send(GOOD + post(b"Content-Length: 3000000"))
                client.send(b"0" * 1_000_000)
                assert (await client.response()).body == b"/good"
                assert (await client.response()).code == 413
                assert await client.is_cut()

    run(main())


def test_another_peer_can_read_every_refusal(run, serve, expect_log) -> None:
    async def main() -> None:
        async with serve(ROUTES) as server:
            for _, data, status in BAD:
                client = await server.connect()
                with expect_log("gustnado.general", "^Malformed HTTP message", level=20):
                    client.send(data)
                    answer = await client.rest()
                client.leave()
                peer = h11.Connection(h11.CLIENT)
                peer.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
                peer.send(h11.EndOfMessage())
                peer.receive_data(answer)
                peer.receive_data(b"")
                response = peer.next_event()
                assert isinstance(response, h11.Response)
                assert response.status_code == status
                body = peer.next_event()
                assert isinstance(body, h11.Data)
                assert str(status).encode() in body.data
                assert isinstance(peer.next_event(), h11.EndOfMessage)
                assert isinstance(peer.next_event(), h11.ConnectionClosed)

    with expect_log("gustnado.access", "POST /", count=sum(is_good_head(data) for _, data, _ in BAD)):
        run(main())


@pytest.mark.parametrize(
    "target",
    [
        b"/%00",
        b"/%0d%0aSet-Cookie:a=b",
        b"/%2e%2e%2fetc",
        b"/%ff",
        b"/%zz",
        b"/\\..\\",
        b"/a?b=%",
        b"//x",
        b"/!",
    ],
)
def test_row_16_a_strange_target_is_one_all_the_same(run, serve, target: bytes) -> None:
    async def main() -> None:
        async with serve(ROUTES) as server:
            response = await server.ask(head(b"GET " + target + b" HTTP/1.1"))
        assert response.code == 200
        assert response.body == target.partition(b"?")[0]

    run(main())


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\r\n" + GOOD, 200),
        (head(b"OPTIONS * HTTP/1.1"), 404),
        (head(b"BREW / HTTP/1.1"), 405),
        (b"CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n", 405),
        (head(b"GET http://x/abs HTTP/1.1"), 200),
        (head(b"GET / HTTP/1.1", b"Host:", host=False), 200),
        (
            head(
                b"GET / HTTP/1.1",
                b"Upgrade: h2c",
                b"HTTP2-Settings: AAMAAABkAAQAAP__",
                b"Connection: upgrade",
            ),
            200,
        ),
    ],
)
def test_what_is_strange_but_good_gets_no_refusal(run, serve, data: bytes, code: int) -> None:
    async def main() -> None:
        async with serve([(r"/.*", Echo)]) as server:
            response = await server.ask(data)
        assert response.code == code

    run(main())


def test_the_query_is_counted_before_it_is_split(run, serve, expect_log) -> None:
    class Query(RequestHandler):
        def get(self) -> None:
            self.write(str(len(self.get_arguments("a"))))

    async def main() -> None:
        async with serve([("/", Query)]) as server:
            client = await server.connect()
            with expect_log("gustnado.general", "^400 GET .*exceeded: 1000 arguments in a query"):
                assert (await client.ask(head(b"GET /?" + b"&" * 2000 + b" HTTP/1.1"))).code == 400
            assert (await client.ask(head(b"GET /?a=1&a=2 HTTP/1.1"))).body == b"2"

    run(main())


def test_t33_a_form_of_millions_of_ampersands(run, serve, expect_log) -> None:
    async def main() -> None:
        async with serve(ROUTES) as server:
            form = b"Content-Type: application/x-www-form-urlencoded"
            body = b"&" * 5_000_000
            with expect_log("gustnado.general", "^413 POST / .*Max number of fields exceeded"):
                response = await server.ask(post(form, b"Content-Length: 5000000", body=body))
        assert response.code == 413

    with expect_log("gustnado.access", "^413 POST /"):
        run(main())
