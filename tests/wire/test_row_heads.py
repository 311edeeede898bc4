"""Rows of the catalogue of bad inputs that speak of heads and framing, over real sockets. See also test_bad_requests.py."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from gustnado.http.limits import Limits
from gustnado.web import RequestHandler, WebSocketHandler

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
SECOND = b"GET /second HTTP/1.1\r\nHost: x\r\n\r\n"


class Tells(RequestHandler):
    """Answers with what it was asked, as JSON."""

    def get(self) -> None:
        request = self.request
        assert request.body is not None
        self.write(
            {
                "path": request.path,
                "host": request.host,
                "ip": request.remote_ip,
                "fields": list(request.headers.get_all()),
                "body": request.body.decode("latin-1"),
                "arguments": {name: self.get_arguments(name) for name in request.arguments},
            }
        )

    post = put = delete = options = get


ROUTES = [("/.*", Tells)]


def ask(*lines: bytes, body: bytes = b"", host: bytes = b"Host: x") -> bytes:
    return b"\r\n".join([lines[0], host, *lines[1:], b"", b""]) + body


def told(response) -> dict:
    assert response.code == 200, response
    answer: dict = json.loads(response.body)
    return answer


class TestFields:
    def test_row_9_bytes_beyond_ascii_stay_as_they_are(self, run, serve) -> None:
        value = bytes(range(0x80, 0x100))

        async def main() -> dict:
            async with serve(ROUTES) as server:
                return told(await server.ask(ask(b"GET / HTTP/1.1", b"X-Obs:  " + value + b" ")))

        assert ["X-Obs", value.decode("latin-1")] in run(main())["fields"]

    @pytest.mark.parametrize("value", [b"v\x00", b"v\x00w", b"\x00"])
    def test_row_10_a_nul_ends_nothing(self, run, serve, expect_log, value: bytes) -> None:
        async def main() -> int:
            async with serve(ROUTES) as server:
                with expect_log("gustnado.general", "^Malformed HTTP message", level=20):
                    return (await server.ask(ask(b"GET / HTTP/1.1", b"Name: " + value))).code

        assert run(main()) == 400

    def test_row_11_an_underscore_is_no_hyphen(self, run, serve) -> None:
        fields = (b"Content_Length: 5", b"Transfer_Encoding: chunked", b"X_Forwarded_For: 192.0.2.9", b"X_Real_Ip: 192.0.2.9")

        async def main() -> list[dict]:
            async with serve(ROUTES, xheaders=True) as server:
                client = await server.connect()
                client.send(ask(b"POST / HTTP/1.1", *fields) + SECOND)
                return [told(await client.response()) for _ in range(2)]

        first, second = run(main())
        assert (first["body"], first["ip"]) == ("", "127.0.0.1")
        assert ["content_length", "5"] in [[name.lower(), value] for name, value in first["fields"]]
        assert second["path"] == "/second"

    def test_row_21_the_path_is_that_of_the_target_whatever_the_host_says(self, run, serve, expect_log) -> None:
        async def main() -> None:
            async with serve(ROUTES) as server:
                assert told(await server.ask(ask(b"GET /a HTTP/1.1", host=b"Host: other:81")))["path"] == "/a"
                for host in (b"x/admin?", b"x/admin#", b"a@x/admin", b"x?/a"):
                    with expect_log("gustnado.general", "^Malformed HTTP message", level=20):
                        assert (await server.ask(ask(b"GET /a HTTP/1.1", host=b"Host: " + host))).code == 400

        run(main())

    @pytest.mark.parametrize("name", [b"Host", b"Content-Length", b"Content-Type", b"Transfer-Encoding"])
    def test_row_22_what_there_may_be_one_of_is_not_there_twice(self, run, serve, expect_log, name: bytes) -> None:
        values = {b"Content-Length": b"1", b"Transfer-Encoding": b"chunked"}
        field = name + b": " + values.get(name, b"a/b")
        fields = [field, field]
        if name == b"Content-Type":
            fields.append(b"Content-Length: 1")

        async def main() -> int:
            async with serve(ROUTES) as server:
                with expect_log("gustnado.general", "^Malformed HTTP message", level=20):
                    return (await server.ask(ask(b"POST / HTTP/1.1", *fields, body=b"a"))).code

        assert run(main()) == 400

    def test_row_26_what_may_collide_is_counted(self, run, serve, expect_log) -> None:
        """The tables are Python's own, whose hashes nobody knows in advance; these names collide in simpler ones."""
        pairs = [bytes(("Ez", "FY")[number >> bit & 1], "ascii") for number in range(128) for bit in range(7)]
        names = [b"".join(pairs[at : at + 7]) for at in range(0, len(pairs), 7)]
        assert len({name.lower() for name in names}) == 128

        async def main() -> None:
            async with serve(ROUTES) as server:
                fields = [name + b": 1" for name in names]
                assert len(told(await server.ask(ask(b"GET / HTTP/1.1", *fields[:99])))["fields"]) == 100
                with expect_log("gustnado.general", "^Malformed HTTP message.*129 header fields", level=20):
                    assert (await server.ask(ask(b"GET / HTTP/1.1", *fields))).code == 431
                form = b"&".join(name + b"%d=1" % number for name in names for number in range(10))
                kind = b"Content-Type: application/x-www-form-urlencoded"
                length = b"Content-Length: %d" % len(form)
                with expect_log("gustnado.general", "^413 POST /"), expect_log("gustnado.access", "^413 POST /"):
                    assert (await server.ask(ask(b"POST / HTTP/1.1", kind, length, body=form))).code == 413

        run(main())

    def test_row_27_a_name_is_a_name_and_no_attribute(self, run, serve) -> None:
        names = ["__class__", "__proto__", "__init__", "get", "request", "self", "constructor"]
        form = "&".join(f"{name}=1" for name in names).encode()
        fields = [f"{name}: 2".encode() for name in names]
        kind = b"Content-Type: application/x-www-form-urlencoded"

        async def main() -> dict:
            async with serve(ROUTES) as server:
                data = ask(b"POST /?__dict__=3 HTTP/1.1", kind, b"Content-Length: %d" % len(form), *fields, body=form)
                return told(await server.ask(data))

        answer = run(main())
        assert answer["arguments"] == {"__dict__": ["3"], **{name: ["1"] for name in names}}
        assert [value for _, value in answer["fields"]].count("2") == len(names)


HOSTILE = """
import sys
from gustnado.errors import HTTPInputError
from gustnado.http.h1.parser import RequestParser
from gustnado.http.limits import Limits

huge = 1 << 40
n = 1_000_000
limits = Limits(max_request_line=huge, max_header_size=huge, max_field_size=huge, max_header_count=n)
for line in (
    b"Host: " + b"[" * n, b"Host: " + b"a." * n, b"Host: " + b"1" * n + b":", b"Host: x\\r\\nConnection: " + b", " * n,
    b"Host: x\\r\\nTransfer-Encoding: " + b"a, " * n, b"Host: x\\r\\nTransfer-Encoding: a" + b" " * n + b"b",
    b"Host: x\\r\\nContent-Length: " + b"9" * n, b"Host: x\\r\\nExpect: " + b" \\t" * n + b"a",
    b"Host: x\\r\\nA: " + b" \\t" * n + b"a" + b" \\t" * n, b"Host: x\\r\\n" + b"a" * n, b"Host: x\\r\\n" + b"a-" * n + b" : b",
):
    for target in (b"/", b"/" + b"%" * n, b"http://" + b"a@" * n + b"/", b"http://[" + b":" * n + b"/"):
        parser = RequestParser(limits)
        parser.feed(b"GET " + target + b" HTTP/1.1\\r\\n" + line + b"\\r\\n\\r\\n")
        try:
            parser.parse_head()
        except HTTPInputError:
            pass
print("done")
"""


def test_row_25_nothing_backtracks() -> None:
    """A million times what makes a careless expression try all ways to read it: the end comes, or the deadline does."""
    done = subprocess.run([sys.executable, "-c", HOSTILE], capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.stderr) == ("done\n", "")


class TestFraming:
    def test_row_37_nothing_is_read_behind_a_last_request(self, run, serve) -> None:
        async def main() -> None:
            async with serve(ROUTES) as server:
                client = await server.connect()
                client.send(ask(b"GET /first HTTP/1.1", b"Connection: close") + SECOND * 3)
                response = await client.response()
                assert told(response)["path"] == "/first"
                assert response.closes
                assert await client.rest() == b""

        run(main())

    def test_row_37_nor_behind_a_refusal(self, run, serve, expect_log) -> None:
        async def main() -> None:
            async with serve(ROUTES) as server:
                client = await server.connect()
                with expect_log("gustnado.general", "^Malformed HTTP message", level=20):
                    client.send(b"GET /a b HTTP/1.1\r\n\r\n" + SECOND * 1000)
                    assert (await client.response()).code == 400
                    client.send(SECOND)
                    assert await client.rest() == b""

        run(main())

    def test_row_39_an_upgrade_to_h2c_is_no_upgrade(self, run, serve) -> None:
        settings = (b"HTTP2-Settings: AAMAAABkAAQAAP__", b"HTTP2-Settings: ???")
        fields = (b"Upgrade: h2c", b"Connection: Upgrade, HTTP2-Settings", *settings)

        async def main() -> list[dict]:
            async with serve(ROUTES) as server:
                client = await server.connect()
                client.send(ask(b"GET /first HTTP/1.1", *fields) + SECOND)
                return [told(await client.response()) for _ in range(2)]

        assert [answer["path"] for answer in run(main())] == ["/first", "/second"]

    def test_row_40_there_is_no_other_version_to_translate(self, run, serve, expect_log) -> None:
        """No server of HTTP/2 yet: its preface is a 505, and the frames behind it are not read."""
        preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"

        async def main() -> int:
            async with serve(ROUTES) as server:
                client = await server.connect()
                with expect_log("gustnado.general", "HTTP/2.0 is not spoken here", level=20):
                    response = await client.ask(preface)
                    assert await client.rest() == b""
                return response.code

        assert run(main()) == 505

    def test_row_42_http_1_0(self, run, serve, expect_log) -> None:
        async def main() -> None:
            async with serve(ROUTES) as server:
                kept = await server.connect()
                kept.send(ask(b"GET /a HTTP/1.0", b"Connection: keep-alive"))
                assert (await kept.response()).headers["Connection"].lower() == "keep-alive"
                kept.send(ask(b"POST /b HTTP/1.0", body=SECOND))  # a body that only the end of the connection ends
                assert told(await kept.response())["body"] == ""
                assert await kept.rest() == b""
                with expect_log("gustnado.general", "Transfer-Encoding in an HTTP/1.0 request", level=20):
                    data = ask(b"POST / HTTP/1.0", b"Connection: keep-alive", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n")
                    assert (await server.ask(data)).code == 400

        run(main())

    @pytest.mark.parametrize("name", [b"Content-Length", b"Transfer-Encoding", b"Host", b"close-not"])
    def test_row_43_connection_takes_nothing_away(self, run, serve, name: bytes) -> None:
        framed = ask(b"POST / HTTP/1.1", b"Connection: " + name, b"Content-Length: 5", body=b"hello")
        chunked = ask(b"POST / HTTP/1.1", b"Connection: " + name, b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n")

        async def main() -> list[dict]:
            async with serve(ROUTES) as server:
                client = await server.connect()
                client.send(framed + chunked + SECOND)
                return [told(await client.response()) for _ in range(3)]

        first, second, third = run(main())
        assert (first["body"], second["body"], third["path"]) == ("hello", "hello", "/second")

    def test_row_43_close_wins(self, run, serve) -> None:
        async def main() -> None:
            async with serve(ROUTES) as server:
                client = await server.connect()
                client.send(ask(b"GET / HTTP/1.1", b"Connection: keep-alive, close") + SECOND)
                assert (await client.response()).closes
                assert await client.rest() == b""

        run(main())


class TestUpgrades:
    """Row 38: no other protocol before a 101, and a body is a body until then."""

    KEY = (b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"Sec-WebSocket-Version: 13")

    class Socket(WebSocketHandler):
        pass

    @pytest.mark.parametrize("upgrade", [b"websocketx", b"notwebsocket", b"web socket", b"websocket/13"])
    def test_row_38_a_token_is_compared_whole(self, run, serve, upgrade: bytes) -> None:
        async def main() -> int:
            async with serve([("/", self.Socket)]) as server:
                data = ask(b"GET / HTTP/1.1", b"Upgrade: " + upgrade, b"Connection: upgrade", *self.KEY)
                return (await server.ask(data)).code

        assert run(main()) in (400, 426)

    @pytest.mark.parametrize("body", [b"hello", SECOND.replace(b"second", b"smuggled")])
    def test_row_38_a_refused_upgrade_has_a_body_like_any_request(self, run, serve, body: bytes) -> None:
        fields = (b"Upgrade: websocket", b"Connection: upgrade", b"Content-Length: %d" % len(body), *self.KEY)

        async def main() -> None:
            async with serve([("/ws", self.Socket), ("/.*", Tells)]) as server:
                client = await server.connect()
                client.send(ask(b"POST /a HTTP/1.1", *fields, body=body) + SECOND)
                assert told(await client.response())["body"] == body.decode()
                assert told(await client.response())["path"] == "/second"
                client.send(ask(b"POST /ws HTTP/1.1", *fields, body=body) + SECOND)
                assert (await client.response()).code == 405
                assert told(await client.response())["path"] == "/second"

        run(main())

    def test_row_38_what_comes_with_the_handshake_is_no_request(self, run, serve) -> None:
        fields = (b"Upgrade: websocket", b"Connection: upgrade", *self.KEY)

        async def main() -> bytes:
            async with serve([("/ws", self.Socket), ("/.*", Tells)], limits=Limits(linger_timeout=0.2)) as server:
                client = await server.connect()
                client.send(ask(b"GET /ws HTTP/1.1", *fields) + SECOND)
                assert (await client.response()).code == 101
                return await client.rest()

        frame = run(main())
        assert frame[:1] == b"\x88"  # a Close frame: 1002, as "GE" is no frame of a client
        assert b"HTTP" not in frame
