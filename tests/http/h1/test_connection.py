"""HTTP/1 on a stream that one has, from both sides."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gustnado.errors import HTTPOutputError, UsageError
from gustnado.events.stream import IOStream
from gustnado.http.delegates import HTTPMessageDelegate
from gustnado.http.h1.connection import HTTP1Connection
from gustnado.http.h1.parameters import HTTP1ConnectionParameters
from gustnado.http.headers import HTTPHeaders
from gustnado.http.messages import RequestStartLine, ResponseStartLine


class Collect(HTTPMessageDelegate):
    def __init__(self, connection: HTTP1Connection | None = None) -> None:
        self.connection = connection
        self.start_line: Any = None
        self.body = b""
        self.closed = False

    def headers_received(self, start_line, headers):
        self.start_line = start_line

    def data_received(self, chunk):
        self.body += chunk

    def finish(self):
        if self.connection is not None:  # a server: sends back what it got
            headers = HTTPHeaders({"Content-Length": str(len(self.body))})
            self.connection.write_headers(ResponseStartLine("", 200, "OK"), headers)
            self.connection.write(self.body)
            self.connection.finish()

    def on_connection_close(self):
        self.closed = True


@contextlib.asynccontextmanager
async def pair(**params: Any) -> AsyncIterator[tuple[HTTP1Connection, HTTP1Connection]]:
    """A client's connection, and the server's."""
    ours, theirs = socket.socketpair()
    client = HTTP1Connection(IOStream(ours), True, HTTP1ConnectionParameters(**params), "server")
    server = HTTP1Connection(IOStream(theirs), False, HTTP1ConnectionParameters(**params), "client")
    yield client, server
    client.close()
    server.close()


def request(connection: HTTP1Connection, method: str = "GET", chunk: bytes | None = None, **fields: str) -> Any:
    headers = HTTPHeaders({"Host": "x", **{name.replace("_", "-"): value for name, value in fields.items()}})
    return connection.write_headers(RequestStartLine(method, "/a", "HTTP/1.1"), headers, chunk)


class TestBothSides:
    @pytest.mark.parametrize("fields", [{"Content_Length": "8"}, {}], ids=["length", "chunks"])
    def test_a_body_goes_there_and_back_again_and_again(self, run, fields: dict) -> None:
        async def main() -> None:
            async with pair() as (client, server):
                for _ in range(3):
                    request(client, "POST", b"wi", **fields)
                    client.write(b"nd")
                    await client.write(b"gust")
                    client.finish()
                    echo, response = Collect(server), Collect()
                    serving = server.read_response(echo)
                    assert await client.read_response(response)
                    assert await serving
                    assert (echo.start_line.method, echo.start_line.path) == ("POST", "/a")
                    assert response.body == b"windgust"

        run(main())

    def test_what_each_is(self, run) -> None:
        async def main() -> None:
            async with pair(no_keep_alive=True) as (client, server):
                assert (client.is_client, server.is_client) == (True, False)
                assert client.no_keep_alive
                assert (client.context, server.context) == ("server", "client")
                assert client.stream is not None
                request(client)
                client.finish()
                echo, response = Collect(server), Collect()
                serving = server.read_response(echo)
                assert not await client.read_response(response)
                assert not await serving

        run(main())

    def test_a_server_may_bound_a_body(self, run, expect_log) -> None:
        async def main() -> None:
            async with pair() as (client, server):

                class Bounded(Collect):
                    def headers_received(self, start_line, headers):
                        server.set_max_body_size(3)
                        server.set_body_timeout(10)

                request(client, "POST", b"wind", Content_Length="4")
                client.finish()
                with expect_log("gustnado.general", "Content-Length too long", level=20):
                    serving = server.read_response(Bounded())
                    response = Collect()
                    await client.read_response(response)
                assert response.start_line.code == 413
                client.close()
                assert not await serving

        run(main())

    def test_so_may_a_client(self, run, expect_log) -> None:
        async def main() -> None:
            async with pair() as (client, server):
                client.set_max_body_size(3)
                client.set_body_timeout(10)
                closed: list[int] = []
                client.set_close_callback(lambda: closed.append(1))
                request(client, "POST", b"wind", Content_Length="4")
                client.finish()
                serving = server.read_response(Collect(server))
                response = Collect()
                with expect_log("gustnado.general", "Content-Length too long", level=20):
                    assert not await client.read_response(response)
                assert response.closed
                assert closed == [1]
                await serving

        run(main())

    def test_bounds_can_be_changed_between_messages(self, run) -> None:
        async def main() -> None:
            async with pair(max_body_size=3) as (client, server):
                for _ in range(2):
                    request(client, "POST", b"abc", Content_Length="3")
                    client.finish()
                    serving = server.read_response(Collect(server))
                    response = Collect()
                    assert await client.read_response(response)
                    assert await serving
                    client.set_max_body_size(4)
                    client.set_body_timeout(20)

        run(main())


class TestFiles:
    def test_a_server_sends_one_and_a_client_reads_and_writes(self, run, tmp_path) -> None:
        (tmp_path / "wind").write_bytes(b"a strong wind")

        class Send(Collect):
            def finish(self):
                headers = HTTPHeaders({"Content-Length": "6"})
                self.connection.write_headers(ResponseStartLine("", 200, "OK"), headers)
                with open(tmp_path / "wind", "rb") as file:
                    sent = self.connection.write_file(file.fileno(), 2, 6)
                    if sent is None:  # not on Linux
                        self.connection.write(file.read()[2:8])
                self.connection.finish()

        async def main() -> None:
            async with pair() as (client, server):
                request(client)
                assert client.write_file(0, 0, 1) is None
                client.finish()
                reading = server.read_response(Send(server))
                answer = Collect()
                assert await client.read_response(answer)
                assert answer.body == b"strong"
                assert await reading

        run(main())


class TestDetaching:
    def test_both_sides_of_an_upgrade(self, run) -> None:
        async def main() -> None:
            async with pair() as (client, server):
                streams: list[IOStream] = []

                class Upgrade(Collect):
                    def finish(self):
                        server.write_headers(ResponseStartLine("", 200, "Fine"), HTTPHeaders({"Content-Length": "0"}))
                        streams.append(server.detach())

                class Detach(Collect):
                    def headers_received(self, start_line, headers):
                        streams.append(client.detach())

                request(client)
                client.finish()
                serving = server.read_response(Upgrade())
                assert not await client.read_response(Detach())
                assert not await serving
                assert client.stream is server.stream is None
                await streams[0].write(b"gust")
                assert await streams[1].read_bytes(4) == b"gust"
                for stream in streams:
                    stream.close()
                for use in (client.detach, client.finish, lambda: client.read_response(Collect())):
                    with pytest.raises(UsageError):
                        use()
                client.close()  # does nothing any more

        run(main())

    def test_before_anything_was_read(self, run) -> None:
        async def main() -> None:
            async with pair() as (client, server):
                ours, theirs = client.detach(), server.detach()
                await ours.write(b"gust")
                assert await theirs.read_bytes(4) == b"gust"
                ours.close()
                theirs.close()

        run(main())


class TestMisuse:
    def test_a_server_cannot_answer_before_it_is_asked(self, run) -> None:
        async def main() -> None:
            async with pair() as (_, server):
                with pytest.raises(UsageError, match="reads a request before"):
                    server.write_headers(ResponseStartLine("", 200, "OK"), HTTPHeaders())
                with pytest.raises(UsageError, match="in this order"):
                    server.write(b"a")

        run(main())

    def test_a_client_writes_no_responses(self, run) -> None:
        async def main() -> None:
            async with pair() as (client, _):
                with pytest.raises(UsageError, match="a client writes requests"):
                    client.write_headers(ResponseStartLine("", 200, "OK"), HTTPHeaders())
                with pytest.raises(UsageError, match="in this order"):
                    client.finish()

        run(main())

    def test_a_body_that_is_not_as_long_as_it_says(self, run) -> None:
        async def main() -> None:
            async with pair() as (client, _):
                request(client, "POST", Content_Length="4")
                with pytest.raises(HTTPOutputError, match="more data than Content-Length"):
                    client.write(b"windy")
                with pytest.raises(HTTPOutputError, match="less than Content-Length"):
                    client.finish()
                assert client.stream is not None
                assert client.stream.closed()

        run(main())

    @pytest.mark.parametrize("line", [("G T", "/", ""), ("GET", "/a b", ""), ("GET", "", "")])
    def test_a_malformed_request(self, run, line: tuple) -> None:
        async def main() -> None:
            async with pair() as (client, _):
                with pytest.raises(HTTPOutputError):
                    client.write_headers(RequestStartLine(*line), HTTPHeaders({"Host": "x"}))

        run(main())

    def test_other_attributes_are_not_there(self, run) -> None:
        async def main() -> None:
            async with pair() as (client, server):
                assert not hasattr(client, "set_min_body_rate")
                assert not hasattr(server, "set_min_body_rate")
                delegate = Collect(server)
                serving = server.read_response(delegate)
                request(client)
                client.finish()
                await client.read_response(Collect())
                await serving
                assert hasattr(server, "set_min_body_rate")

        run(main())
