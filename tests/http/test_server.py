"""HTTPServer: what it serves, and on what; over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import importlib.util
import inspect
import os
import socket
import ssl
import types
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gustnado.events.sockets import bind_sockets
from gustnado.events.unix_sockets import bind_unix_socket
from gustnado.http.context import ConnectionContext
from gustnado.http.delegates import HTTPMessageDelegate, HTTPServerConnectionDelegate
from gustnado.http.headers import HTTPHeaders
from gustnado.http.limits import Limits
from gustnado.http.messages import ResponseStartLine
from gustnado.http.server import HTTPServer
from gustnado.web import Application, RequestHandler

GET = b"GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n"
FORM_TYPE = b"Content-Type: application/x-www-form-urlencoded\r\n"
FORM = b"POST / HTTP/1.1\r\nHost: x\r\n" + FORM_TYPE + b"Content-Length: 7\r\n\r\na=1&b=2"


@contextlib.asynccontextmanager
async def listening(server: HTTPServer) -> AsyncIterator[int]:
    """``server`` listens on the port that this gives; it has no connections left afterwards."""
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    try:
        yield sockets[0].getsockname()[1]
    finally:
        server.stop()
        await asyncio.wait_for(server.close_all_connections(), 60)


async def talk(port: int | str, data: bytes, **options: Any) -> bytes:
    """Send ``data``, then read until the server closes."""
    if isinstance(port, str):
        reader, writer = await asyncio.open_unix_connection(port)
    else:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, **options)
    try:
        writer.write(data)
        if not options:
            writer.write_eof()
            return await reader.read()
        return await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.close()


def body(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def reply(connection: Any, data: bytes) -> None:
    connection.write_headers(
        ResponseStartLine("", 200, "OK"), HTTPHeaders({"Content-Length": str(len(data))}), data
    )
    connection.finish()


class TestCallables:
    def test_a_function_gets_each_request_whole(self, run) -> None:
        def echo(request) -> None:
            arguments = sorted(request.arguments.items())
            reply(request.connection, repr((request.method, request.path, request.body, arguments)).encode())

        async def main() -> bytes:
            async with listening(HTTPServer(echo)) as port:
                return await talk(port, GET + FORM)

        answer = run(main())
        assert b"('GET', '/a', b'', [('b', [b''])])" in answer
        assert b"('POST', '/', b'a=1&b=2', [('a', [b'1']), ('b', [b'2'])])" in answer

    def test_it_is_told_who_asks(self, run) -> None:
        def who(request) -> None:
            reply(request.connection, f"{request.remote_ip} {request.protocol} {request.full_url()}".encode())

        async def main() -> bytes:
            async with listening(HTTPServer(who, protocol="https")) as port:
                return await talk(port, GET)

        assert body(run(main())) == b"127.0.0.1 https https://x/a?b"

    def test_an_exception_is_logged_and_closes_the_connection(self, run, expect_log) -> None:
        def fail(request) -> None:
            raise ValueError("oops")

        async def main() -> bytes:
            async with listening(HTTPServer(fail)) as port:
                with expect_log("gustnado.application", "Uncaught exception"):
                    return await talk(port, GET)

        assert run(main()) == b""

    def test_a_form_that_cannot_be_read_is_a_400(self, run, expect_log) -> None:
        async def main() -> bytes:
            async with listening(HTTPServer(lambda request: None)) as port:
                with expect_log("gustnado.general", "Malformed HTTP message", level=20):
                    return await talk(
                        port, FORM.replace(b"application/x-www-form-urlencoded", b"multipart/form-data")
                    )

        assert run(main()).startswith(b"HTTP/1.1 400 ")

    def test_a_client_that_goes_is_no_request(self, run, expect_log) -> None:
        async def main() -> bytes:
            async with listening(HTTPServer(lambda request: None)) as port:
                with expect_log("gustnado.general", "closed the connection within a request", level=10):
                    return await talk(port, FORM[:-1])

        assert run(main()) == b""

    def test_an_application_can_be_called_for_each_request(self, run) -> None:
        class Path(RequestHandler):
            def get(self) -> None:
                self.write(self.request.path)

        app = Application([("/.*", Path)])

        async def main() -> bytes:
            async with listening(HTTPServer(lambda request: app(request))) as port:
                return await talk(port, GET)

        assert body(run(main())) == b"/a"


class Recorder(HTTPServerConnectionDelegate):
    """Answers with what it has been called with."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.connections: list[object] = []

    def start_request(self, server_conn, request_conn):
        self.connections.append(server_conn)
        return Message(self, request_conn)

    def on_close(self, server_conn):
        self.log.append("close")
        assert server_conn is self.connections[-1]


class Message(HTTPMessageDelegate):
    def __init__(self, recorder: Recorder, connection: Any) -> None:
        self.log = recorder.log
        self.connection = connection

    def headers_received(self, start_line, headers):
        self.log.append(f"{start_line.method} {start_line.path} {headers['Host']}")

    def data_received(self, chunk):
        self.log.append(chunk.decode())

    def finish(self):
        self.log.append("finish")
        reply(self.connection, ", ".join(self.log).encode())

    def on_connection_close(self):
        self.log.append("gone")


class TestDelegates:
    def test_a_server_of_ones_own(self, run) -> None:
        recorder = Recorder()

        async def main() -> bytes:
            async with listening(HTTPServer(recorder)) as port:
                return await talk(port, FORM)

        assert body(run(main())) == b"POST / x, a=1&b=2, finish"
        assert recorder.log[3:] == ["close"]

    def test_the_connection_is_the_same_for_all_its_requests(self, run) -> None:
        recorder = Recorder()

        async def main() -> None:
            async with listening(HTTPServer(recorder)) as port:
                await talk(port, GET * 3)
                await talk(port, GET)

        run(main())
        assert len(recorder.connections) == 4
        assert len(set(map(id, recorder.connections))) == 2
        assert recorder.log.count("close") == 2

    def test_a_subclass_may_start_requests_itself(self, run) -> None:
        recorder = Recorder()

        class Mine(HTTPServer):
            def start_request(self, server_conn, request_conn):
                recorder.log.append("mine")
                return recorder.start_request(server_conn, request_conn)

        async def main() -> bytes:
            async with listening(Mine(Application([]))) as port:
                return await talk(port, GET)

        assert body(run(main())) == b"mine, GET /a?b x, finish"


class TestTransports:
    @pytest.fixture
    def certificate(self) -> dict[str, str]:
        tornado = importlib.util.find_spec("tornado")
        if tornado is None or tornado.origin is None:
            pytest.skip("tornado, whose certificate is used, is not installed")
        folder = os.path.join(os.path.dirname(tornado.origin), "test")
        return {"certfile": os.path.join(folder, "test.crt"), "keyfile": os.path.join(folder, "test.key")}

    @pytest.mark.parametrize("as_context", [False, True])
    def test_tls(self, run, certificate, as_context) -> None:
        def who(request) -> None:
            assert request.connection.stream.socket.version() in ("TLSv1.2", "TLSv1.3")
            request.connection.write_headers(
                ResponseStartLine("", 204, request.protocol), HTTPHeaders({"X-Ip": request.remote_ip})
            )
            request.connection.finish()

        options: Any = certificate
        if as_context:
            options = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            options.load_cert_chain(**certificate)
        client = ssl.create_default_context(cafile=certificate["certfile"])

        async def main() -> bytes:
            async with listening(HTTPServer(who, ssl_options=options)) as port:
                return await talk(port, GET, ssl=client, server_hostname="foo.example.com")

        answer = run(main())
        assert answer.startswith(b"HTTP/1.1 204 https\r\n")
        assert b"\r\nX-Ip: 127.0.0.1\r\n" in answer

    def test_http_on_a_tls_port(self, run, certificate, expect_log) -> None:
        async def main() -> bytes:
            async with listening(HTTPServer(Application([]), ssl_options=certificate)) as port:
                with expect_log("gustnado.general", "SSL Error"):
                    try:
                        return await talk(port, GET)
                    except ConnectionError:
                        return b""

        assert b"HTTP/1.1" not in run(main())

    def test_a_unix_socket(self, run, tmp_path) -> None:
        path = str(tmp_path / "socket")

        def who(request) -> None:
            reply(request.connection, request.remote_ip.encode())

        async def main() -> bytes:
            server = HTTPServer(who)
            server.add_socket(bind_unix_socket(path))
            try:
                return await talk(path, GET)
            finally:
                server.stop()
                await server.close_all_connections()

        assert body(run(main())) == b"0.0.0.0"

    @pytest.mark.parametrize(
        ("family", "address", "remote_ip"),
        [
            (socket.AF_INET, ("192.0.2.7", 1), "192.0.2.7"),
            (socket.AF_INET6, ("::1", 1, 0, 0), "::1"),
            (socket.AF_UNIX, "", "0.0.0.0"),
            (socket.AF_INET, None, "0.0.0.0"),
        ],
    )
    def test_what_is_known_of_a_peer(self, family: int, address: Any, remote_ip: str) -> None:
        stream: Any = types.SimpleNamespace(socket=types.SimpleNamespace(family=family))
        context = ConnectionContext(stream, address, None)
        assert (context.remote_ip, context.protocol, str(context)) == (remote_ip, "http", remote_ip)
        assert context.address == address

    def test_row_54_no_more_connections_than_the_limit(self, run) -> None:
        held: list = []

        async def main() -> None:
            async with listening(HTTPServer(held.append, limits=Limits(max_connections=2))) as port:
                asking = [asyncio.ensure_future(talk(port, GET)) for _ in range(3)]
                while len(held) < 2:
                    await asyncio.sleep(0)
                await asyncio.sleep(0.05)  # the third could have come by now
                assert len(held) == 2
                for request in held[:2]:
                    reply(request.connection, b"done")
                while len(held) < 3:
                    await asyncio.sleep(0.001)
                reply(held[2].connection, b"done")
                assert [body(answer) for answer in await asyncio.gather(*asking)] == [b"done"] * 3

        run(main())


class TestOptions:
    def test_limits_by_tornados_names(self) -> None:
        server = HTTPServer(
            Application([]),
            max_header_size=1,
            idle_connection_timeout=2,
            body_timeout=3,
            max_body_size=4,
            chunk_size=5,
        )
        limits = server.conn_params.limits
        assert (limits.max_header_size, limits.body_timeout, limits.max_body_size) == (1, 3, 4)
        assert (limits.header_timeout, limits.idle_timeout, server.conn_params.chunk_size) == (2, 2, 5)

    def test_no_keep_alive(self, run) -> None:
        async def main() -> bytes:
            async with listening(HTTPServer(lambda r: reply(r.connection, b"x"), no_keep_alive=True)) as port:
                return await talk(port, GET * 2)

        answer = run(main())
        assert answer.count(b"HTTP/1.1 200") == 1
        assert b"\r\nConnection: close\r\n" in answer

    def test_a_bad_certificate_is_an_error_at_once(self) -> None:
        with pytest.raises(ValueError, match="does not exist"):
            HTTPServer(Application([]), ssl_options={"certfile": "/no/such/file"})

    def test_it_can_be_configured(self) -> None:
        class Mine(HTTPServer):
            pass

        HTTPServer.configure(Mine)
        try:
            assert type(HTTPServer(Application([]))) is Mine
        finally:
            HTTPServer.configure(None)
        assert type(HTTPServer(Application([]))) is HTTPServer

    def test_it_takes_what_that_of_tornado_takes(self) -> None:
        theirs = pytest.importorskip("tornado.httpserver").HTTPServer
        expected = set(inspect.signature(theirs.initialize).parameters)
        assert expected <= set(inspect.signature(HTTPServer.initialize).parameters)


def who(request) -> None:
    told = (request.remote_ip, request.protocol, request.host)
    reply(request.connection, " ".join(told).encode())


def get_with(*fields: str) -> bytes:
    return "\r\n".join(["GET / HTTP/1.1", "Host: x", *fields, "", ""]).encode()


class TestProxies:
    def ask(self, run, data: bytes, **options: Any) -> bytes:
        async def main() -> bytes:
            async with listening(HTTPServer(who, **options)) as port:
                return await talk(port, data)

        return body(run(main()))

    TOLD = ("X-Forwarded-For: 4.4.4.4", "X-Forwarded-Proto: https")

    def test_they_are_not_believed_unless_asked_for(self, run) -> None:
        assert self.ask(run, get_with(*self.TOLD, "Forwarded: for=4.4.4.4")) == b"127.0.0.1 http x"

    def test_xheaders(self, run) -> None:
        assert self.ask(run, get_with(*self.TOLD), xheaders=True) == b"4.4.4.4 https x"

    def test_what_one_request_says_is_not_said_of_the_next(self, run) -> None:
        async def main() -> bytes:
            async with listening(HTTPServer(who, xheaders=True)) as port:
                return await talk(port, get_with(*self.TOLD) + get_with())

        answer = run(main())
        assert answer.index(b"4.4.4.4 https") < answer.index(b"127.0.0.1 http")

    @pytest.mark.parametrize(
        ("proxies", "answer"),
        [(["127.0.0.0/8"], b"4.4.4.4 https x"), (["10.0.0.0/8"], b"127.0.0.1 http x"), (1, b"4.4.4.4 https x")],
    )
    def test_trusted_proxies(self, run, proxies, answer: bytes) -> None:
        options: dict[str, Any] = {"xheaders": True, "trusted_proxies": proxies}
        assert self.ask(run, get_with(*self.TOLD), **options) == answer

    def test_forwarded(self, run) -> None:
        told = "Forwarded: for=4.4.4.4;proto=https;host=example.org"
        assert self.ask(run, get_with(told), forwarded=True) == b"4.4.4.4 https example.org"

    def test_a_malformed_one_is_a_400(self, run, expect_log) -> None:
        async def main() -> bytes:
            async with listening(HTTPServer(who, forwarded=True)) as port:
                with expect_log("gustnado.general", "malformed Forwarded field", level=20):
                    return await talk(port, get_with('Forwarded: for="'))

        assert run(main()).startswith(b"HTTP/1.1 400 ")

    def test_one_kind_at_a_time(self) -> None:
        with pytest.raises(ValueError, match="xheaders and forwarded"):
            HTTPServer(who, xheaders=True, forwarded=True)

    def test_an_application_sees_them(self, run) -> None:
        class Who(RequestHandler):
            def post(self) -> None:
                self.write(f"{self.request.remote_ip} {self.request.body!r}")

        async def main() -> bytes:
            async with listening(HTTPServer(Application([("/", Who)]), xheaders=True)) as port:
                return await talk(port, FORM.replace(b"Host: x", b"Host: x\r\nX-Real-Ip: 4.4.4.4"))

        assert body(run(main())) == b"4.4.4.4 b'a=1&b=2'"


PROXY = b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n"


class TestProxyProtocol:
    def test_the_client_is_who_the_header_says(self, run) -> None:
        async def main() -> bytes:
            async with listening(HTTPServer(who, proxy_protocol=True)) as port:
                return await talk(port, PROXY + GET + GET)

        assert run(main()).count(b"192.0.2.7 http x") == 2

    def test_it_is_no_proxy_of_ours_whose_fields_are_believed(self, run) -> None:
        """The load balancer is trusted, and says that its client is somebody who is not."""

        async def main() -> bytes:
            server = HTTPServer(who, proxy_protocol=True, xheaders=True, trusted_proxies=["127.0.0.1"])
            async with listening(server) as port:
                return await talk(port, PROXY + get_with("X-Real-Ip: 4.4.4.4"))

        assert body(run(main())) == b"192.0.2.7 http x"

    def test_without_one_the_connection_is_closed(self, run, expect_log) -> None:
        async def main() -> bytes:
            async with listening(HTTPServer(who, proxy_protocol=True)) as port:
                with expect_log("gustnado.general", "127.0.0.1: no PROXY header", level=20):
                    try:
                        return await talk(port, GET)
                    except ConnectionError:
                        return b""

        assert run(main()) == b""

    def test_of_an_untrusted_peer_it_is_a_malformed_request(self, run, expect_log) -> None:
        async def main() -> bytes:
            server = HTTPServer(who, proxy_protocol=True, trusted_proxies=["10.0.0.0/8"])
            async with listening(server) as port:
                assert body(await talk(port, GET)) == b"127.0.0.1 http x"
                with expect_log("gustnado.general", "Malformed HTTP request line", level=20):
                    return await talk(port, PROXY + GET)

        assert run(main()).startswith(b"HTTP/1.1 400 ")

    def test_row_58_connections_that_have_not_said_it_yet_count_and_are_closed_in_the_end(self, run) -> None:
        async def main() -> None:
            server = HTTPServer(who, proxy_protocol=True, limits=Limits(max_connections=1))
            async with listening(server) as port:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(PROXY[:10])
                waiting = asyncio.ensure_future(talk(port, PROXY + GET))
                while not server._awaited:
                    await asyncio.sleep(0)
                assert len(server._awaited) == 1
                writer.write(PROXY[10:] + GET)
                assert b"192.0.2.7" in await reader.readuntil(b" x")
                writer.close()
                assert b"192.0.2.7" in await waiting
                late, writer = await asyncio.open_connection("127.0.0.1", port)
                while not server._awaited:
                    await asyncio.sleep(0)
                server.stop()
                await server.close_all_connections()
                assert await late.read() == b""
                writer.close()

        run(main())


class TestConnectionsOfOneAddress:
    LIMITS = Limits(max_connections_per_address=1, linger_timeout=0.2)

    def test_row_63_one_too_many_is_told_so(self, run, expect_log) -> None:
        async def main() -> None:
            async with listening(HTTPServer(who, limits=self.LIMITS)) as port:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(GET)
                await reader.readuntil(b" x")
                with expect_log("gustnado.general", "more connections than one address may have", level=20):
                    answer = await talk(port, GET)
                assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
                assert b"\r\nConnection: close\r\n" in answer
                silent, silent_writer = await asyncio.open_connection("127.0.0.1", port)
                assert await silent.read() == b""
                silent_writer.close()
                writer.close()

        run(main())

    def test_it_may_come_again_when_the_first_has_gone(self, run) -> None:
        async def main() -> None:
            async with listening(HTTPServer(who, limits=self.LIMITS)) as port:
                for _ in range(3):
                    assert body(await talk(port, GET)) == b"127.0.0.1 http x"

        run(main())


class TestCodings:
    def test_request_bodies_are_decoded_where_that_is_asked_for(self, run) -> None:
        data = gzip.compress(b"a=1&b=2")
        fields = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(data)
        request = FORM.partition(b"Content-Length")[0] + fields

        def echo(request) -> None:
            reply(request.connection, repr(sorted(request.arguments.items())).encode())

        async def main(**options: Any) -> bytes:
            async with listening(HTTPServer(echo, **options)) as port:
                return await talk(port, request + data)

        assert body(run(main(decompress_request=True))) == b"[('a', [b'1']), ('b', [b'2'])]"

    def test_row_65_a_bomb_is_a_413(self, run, expect_log) -> None:
        data = gzip.compress(bytes(20_000_000))
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(data)

        async def main() -> bytes:
            async with listening(HTTPServer(who, decompress_request=True)) as port:
                with expect_log("gustnado.general", "decompressed body too large", level=20):
                    return await talk(port, head + data)

        assert run(main()).startswith(b"HTTP/1.1 413 ")
