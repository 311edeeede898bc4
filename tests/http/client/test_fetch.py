"""One fetch: what the program gets, in whatever way it ends, and that nothing is left over."""

from __future__ import annotations

import asyncio
import gc
import gzip
import logging
import socket
import sys

import pytest

from gustnado.http.client import errors
from gustnado.http.client.errors import HTTPClientError, TooManyRedirectsError
from gustnado.http.client.request import HTTPRequest
from gustnado.http.client.simple import SimpleAsyncHTTPClient

CHALLENGE = b'WWW-Authenticate: Digest realm="r", nonce="n1", qop="auth"'


def test_a_response(run, serve, new_client, answers):
    async def main():
        async with serve(answers.ok(b"wind", b"X-A: 1", b"X-A: 2")) as server, new_client() as client:
            response = await client.fetch(server.url)
            assert (response.code, response.reason, response.body) == (200, "OK", b"wind")
            assert response.headers.get_list("X-A") == ["1", "2"]
            assert response.effective_url == response.request.url == server.url
            assert 0 <= response.request_time < 30
            assert list(response.time_info) == ["queue", "connect", "pretransfer", "starttransfer", "total"]
            assert list(response.time_info.values()) == sorted(response.time_info.values())
            assert server.requests == [
                f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUser-Agent: gustnado\r\n"
                "Accept-Encoding: gzip, deflate, br, zstd\r\n\r\n".encode()
            ]

    run(main())


def test_other_statuses_are_raised_or_not(run, serve, new_client, answers):
    async def main():
        async with serve(answers.ok(b"gone", status=b"404 Gone Fishing")) as server, new_client() as client:
            with pytest.raises(HTTPClientError, match="HTTP 404: Gone Fishing") as caught:
                await client.fetch(server.url)
            assert caught.value.response.body == b"gone"
            response = await client.fetch(server.url, raise_error=False)
            assert (response.code, response.body) == (404, b"gone")
            assert server.connections == 1

    run(main())


def test_plain_requests_are_prepared_once_and_others_are_not_mixed_up(run, serve, new_client, answers):
    async def main():
        async with serve(answers.ok(b"")) as server, new_client() as client:
            await client.fetch(server.url)
            await client.fetch(server.url, headers={"X-Mine": "1"})
            await client.fetch(server.url, method="HEAD", decompress_response=False)
            await client.fetch(HTTPRequest(server.url))
            await client.fetch(server.url.replace("//", "//u:p@"))
            await client.fetch(server.url)
            assert server.header(1, "X-Mine") == "1"
            assert server.heads() == ["GET / HTTP/1.1"] * 2 + ["HEAD / HTTP/1.1"] + ["GET / HTTP/1.1"] * 3
            assert [server.header(index, "Authorization") for index in range(6)] == [None] * 4 + ["Basic dTpw", None]
            assert len({server.requests[index] for index in (0, 3, 5)}) == 1

    run(main())


def test_only_so_many_plain_requests_are_remembered(run, serve, new_client, answers):
    async def main():
        async with serve(answers.ok()) as server, new_client() as client:
            for number in range(260):
                await client.fetch(f"{server.url}{number}")
            assert len(client.plain_heads) == 4

    run(main())


@pytest.mark.parametrize("url", ["ftp://a/", "http://a b/", ""])
def test_a_url_that_is_none(run, new_client, url):
    async def main():
        async with new_client() as client:
            future = client.fetch(url)  # raises nothing itself
            with pytest.raises(ValueError):
                await future

    run(main())


def test_a_head_has_no_body(run, serve, new_client):
    async def main():
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
        async with serve(answer) as server, new_client() as client:
            for _ in range(2):
                response = await client.fetch(server.url, method="HEAD")
                assert (response.body, response.headers["Content-Length"]) == (b"", "5")
            assert server.connections == 1

    run(main())


def test_a_body_until_close(run, serve, new_client, answers):
    async def main():
        answer = [b"HTTP/1.1 200 OK\r\n\r\nsome", 0, b"thing", answers.CLOSE]
        async with serve(answer) as server, new_client() as client:
            assert (await client.fetch(server.url)).body == b"something"
            assert (await client.fetch(server.url)).body == b"something"
            assert server.connections == 2

    run(main())


def test_a_body_is_decoded(run, serve, new_client, answers):
    async def main():
        answer = answers.ok(gzip.compress(b"wind" * 1000), b"Content-Encoding: gzip")
        async with serve(answer) as server, new_client() as client:
            response = await client.fetch(server.url)
            assert response.body == b"wind" * 1000
            assert "Content-Encoding" not in response.headers
            assert response.headers["X-Consumed-Content-Encoding"] == "gzip"
            response = await client.fetch(server.url, decompress_response=False)
            assert gzip.decompress(response.body) == b"wind" * 1000
            assert response.headers["Content-Encoding"] == "gzip"
            assert server.header(1, "Accept-Encoding") is None

    run(main())


def test_callbacks(run, serve, new_client, answers):
    async def main():
        lines, chunks = [], []
        async with serve(answers.ok(b"wind", b"X-A: 1")) as server, new_client() as client:
            response = await client.fetch(server.url, header_callback=lines.append, streaming_callback=chunks.append)
            assert lines == ["HTTP/1.1 200 OK\r\n", "Content-Length: 4\r\n", "X-A: 1\r\n", "\r\n"]
            assert chunks == [b"wind"]
            assert (response.body, response.buffer) == (b"", None)

    run(main())


@pytest.mark.parametrize("name", ["header_callback", "streaming_callback"])
def test_what_a_callback_raises_ends_the_fetch(run, serve, new_client, answers, expect_log, name):
    async def main():
        def fail(argument):
            raise ZeroDivisionError("no wind")

        async with serve(answers.ok()) as server, new_client() as client:
            with expect_log("gustnado.application", "Uncaught exception"):
                with pytest.raises(errors.CallbackFailedError, match="no wind") as caught:
                    await client.fetch(server.url, **{name: fail})
            assert isinstance(caught.value.__cause__, ZeroDivisionError)
            await client.fetch(server.url)
            assert server.connections == 2

    run(main())


def test_a_callback_that_is_a_coroutine_holds_up_the_body(run, serve, new_client, answers):
    async def main():
        chunks, together = [], 0

        async def take(chunk):
            nonlocal together
            together += 1
            assert together == 1
            await asyncio.sleep(0)
            chunks.append(chunk)
            together -= 1

        body = bytes(range(256)) * 4000
        async with serve(answers.ok(body)) as server, new_client() as client:
            await client.fetch(server.url, streaming_callback=take)
            assert b"".join(chunks) == body
            assert len(chunks) > 10
            await client.fetch(server.url, streaming_callback=take)
            assert server.connections == 1

    run(main())


def test_redirects(run, serve, new_client, answers):
    async def main():
        moved = answers.ok(b"there", b"Location: /b?c", status=b"302 Found")
        async with serve(moved, answers.ok()) as server, new_client() as client:
            response = await client.fetch(server.url, header_callback=lambda line: lines.append(line))
            assert (response.body, response.effective_url) == (b"hello", f"{server.url}b?c")
            assert response.request.url == server.url
            assert server.heads() == ["GET / HTTP/1.1", "GET /b?c HTTP/1.1"]
            assert server.connections == 1
            assert [line for line in lines if line.startswith("HTTP")] == ["HTTP/1.1 200 OK\r\n"]

    lines: list[str] = []
    run(main())


def test_redirects_that_are_not_followed(run, serve, new_client, answers):
    async def main():
        moved = answers.ok(b"there", b"Location: /b", status=b"302 Found")
        async with serve(moved, answers.ok(status=b"301 Moved")) as server, new_client() as client:
            response = await client.fetch(server.url, follow_redirects=False, raise_error=False)
            assert (response.code, response.body) == (302, b"there")
            assert type(response.error) is HTTPClientError
            response = await client.fetch(server.url, raise_error=False)  # without a Location
            assert response.code == 301

    run(main())


def test_a_redirect_loop(run, serve, new_client, answers):
    async def main():
        moved = answers.ok(b"", b"Location: /", status=b"302 Found")
        async with serve(moved) as server, new_client() as client:
            with pytest.raises(TooManyRedirectsError, match="HTTP 302: Found: more than 10 redirects") as caught:
                await client.fetch(server.url)
            assert caught.value.response.headers["Location"] == "/"
            assert len(server.requests) == 11
            response = await client.fetch(server.url, raise_error=False, max_redirects=2)
            assert isinstance(response.error, TooManyRedirectsError)
            assert len(server.requests) == 14
            assert server.connections == 1

    run(main())


def test_bodies_along_redirects(run, serve, new_client, answers):
    async def main():
        def produce(write):
            write(b"produced")

        for status, kept in ((b"303 Other", False), (b"302 Found", False), (b"307 Same", True), (b"308 Same", True)):
            moved = answers.ok(b"", b"Location: /b", status=status)
            for body in ({"body": b"given"}, {"body_producer": produce}):
                async with serve(moved, answers.ok()) as server, new_client() as client:
                    await client.fetch(server.url, method="POST", **body)
                    last = server.requests[-1]
                    assert last.startswith(b"POST /b" if kept else b"GET /b")
                    assert (b"given" in last or b"produced" in last) == kept
                    assert (b"Content-Type" in last) == kept

    run(main())


def test_credentials_stay_with_their_origin(run, serve, new_client, answers):
    """Whoever gives them, in the URL, in options or as headers; they do not come back either."""

    async def main():
        given = [
            {"headers": {"Authorization": "s", "Cookie": "s"}},
            {"auth_username": "u", "auth_password": "p"},
            {"auth_token": "t"},
            {"userinfo": "u:p@"},
        ]
        for options in given:
            async with serve() as home, serve() as away, new_client() as client:
                away.answers = [answers.ok(b"", f"Location: {home.url}back".encode(), status=b"302 Found")]
                home.answers = [
                    answers.ok(b"", b"Location: /same", status=b"302 Found"),
                    answers.ok(b"", f"Location: {away.url}".encode(), status=b"302 Found"),
                    answers.ok(),
                ]
                url = home.url.replace("//", "//" + options.pop("userinfo", ""))
                await client.fetch(url, **options)
                assert [head.split()[1] for head in home.heads()] == ["/", "/same", "/back"]
                assert [home.header(index, "Authorization") is not None for index in range(3)] == [True, True, False]
                assert away.header(0, "Authorization") is None
                assert away.header(0, "Cookie") is None
                assert home.header(2, "Cookie") is None

    run(main())


def test_the_body_of_a_redirect_is_dropped(run, serve, new_client, answers):
    """If it is short, to keep the connection; else the connection goes. It is never decoded."""

    async def main():
        bomb = gzip.compress(bytes(10_000_000))
        chunked = b"HTTP/1.1 302 Found\r\nLocation: /b\r\nTransfer-Encoding: chunked\r\n\r\n"
        endless = b"HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n" + b"x" * 1000
        long = answers.ok(b"x" * 300_000, b"Location: /b", status=b"302 Found")
        for answer, connections in (
            (answers.ok(bomb, b"Location: /b", b"Content-Encoding: gzip", status=b"302 Found"), 1),
            (chunked + b"5\r\nhello\r\n0\r\n\r\n", 1),
            (chunked + b"927c0\r\n" + b"x" * 600_000 + b"\r\n0\r\n\r\n", 2),
            (endless, 2),
            (long, 2),
        ):
            async with serve(answer, answers.ok()) as server, new_client(max_body_size=1000) as client:
                assert (await client.fetch(server.url)).body == b"hello"
                assert server.connections == connections

    run(main())


def test_digest(run, serve, new_client, answers):
    async def main():
        refusal = answers.ok(b"who?", CHALLENGE, status=b"401 Unauthorized")
        async with serve(refusal, answers.ok()) as server, new_client() as client:
            options = {"auth_username": "u", "auth_password": "p", "auth_mode": "digest"}
            assert (await client.fetch(server.url, **options)).body == b"hello"
            assert server.header(0, "Authorization") is None
            assert 'nonce="n1"' in server.header(1, "Authorization")
            assert server.connections == 1

    run(main())


def test_digest_gives_up(run, serve, new_client, answers):
    """After one wrong answer; after two where the nonce was only too old."""

    async def main():
        options = {"auth_username": "u", "auth_password": "p", "auth_mode": "digest", "raise_error": False}
        for challenge, requests in ((CHALLENGE, 2), (CHALLENGE + b", stale=true", 3)):
            async with serve(answers.ok(b"", challenge, status=b"401 Unauthorized")) as server, new_client() as client:
                assert (await client.fetch(server.url, **options)).code == 401
                assert len(server.requests) == requests

    run(main())


def test_a_challenge_of_another_origin_is_not_answered(run, serve, new_client, answers):
    async def main():
        async with serve(answers.ok(b"", CHALLENGE, status=b"401 Unauthorized")) as away, new_client() as client:
            moved = answers.ok(b"", f"Location: {away.url}".encode(), status=b"302 Found")
            async with serve(moved) as home:
                options = {"auth_username": "u", "auth_password": "p", "auth_mode": "digest", "raise_error": False}
                assert (await client.fetch(home.url, **options)).code == 401
                assert len(away.requests) == 1

    run(main())


@pytest.mark.parametrize(
    ("options", "answer", "error"),
    [
        ({"request_timeout": 0.05}, [30], errors.RequestTimeoutError),
        ({"first_byte_timeout": 0.05}, [30], errors.FirstByteTimeoutError),
        ({"read_timeout": 0.05}, [30], errors.FirstByteTimeoutError),
        ({"read_timeout": 0.05}, [b"HTTP/1.1 200", 30], errors.ReadTimeoutError),
        ({"read_timeout": 0.05}, [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", 30], errors.ReadTimeoutError),
        ({"read_timeout": 0.05, "first_byte_timeout": 30}, [b"HTTP/1.1 200 OK\r\n", 30], errors.ReadTimeoutError),
        ({"request_timeout": 0.2}, [b"HTTP/1.1 200 OK\r\n\r\n", *[0.02, b"x"] * 500], errors.RequestTimeoutError),
    ],
)
def test_timeouts(run, serve, new_client, options, answer, error):
    async def main():
        async def hang(server, reader, writer):
            await reader.read()  # until the client has closed

        steps = [hang if step == 30 else step for step in answer]
        async with serve(steps) as server, new_client() as client:
            with pytest.raises(error) as caught:
                await client.fetch(server.url, **options)
            assert (type(caught.value), caught.value.code) == (error, 599)
            await server.until(lambda: not server.open)
            assert client.pool.active == 0
            assert client.pool.idle() == []

    run(main())


def test_a_slow_program_is_no_slow_server(run, serve, new_client, answers):
    async def main():
        async def take(chunk):
            await asyncio.sleep(0.2)

        async with serve(answers.ok(b"x" * 100_000)) as server, new_client() as client:
            await client.fetch(server.url, streaming_callback=take, read_timeout=0.1)

    run(main())


def test_a_cancelled_fetch_closes_its_connection(run, serve, new_client, answers):
    async def main():
        async def hang(server, reader, writer):
            await reader.read()

        for answer in ([hang], [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", hang]):
            async with serve(answer, answers.ok()) as server, new_client(max_clients=1) as client:
                task = asyncio.ensure_future(asyncio.wait_for(client.fetch(server.url), 30))
                waiting = client.fetch(server.url)
                await server.until(lambda: len(server.requests) == 1)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert (await waiting).body == b"hello"
                assert server.connections == 2
                assert client.pool.active == 0

    run(main())


def test_a_cancelled_fetch_leaves_the_line(run, serve, new_client, answers):
    async def main():
        async with serve([0.05, answers.ok()]) as server, new_client(max_clients=1) as client:
            first, second, third = (client.fetch(f"{server.url}{name}") for name in "abc")
            assert second.cancel()
            assert [request.url[-1] for request in client.queue] == ["c"]
            await asyncio.gather(first, third)
            assert [head.split()[1] for head in server.heads()] == ["/a", "/c"]

    run(main())


def test_a_cancelled_fetch_stops_connecting(run, new_client):
    async def main():
        async with new_client() as client:
            future = client.fetch("http://127.0.0.1:9/")
            assert client.pool.active == 1
            assert future.cancel()
            assert client.pool.active == 0
            await asyncio.sleep(0)
            assert future.cancelled()

    run(main())


class Quitter:
    """A server without a loop: it answers one request on a connection, and closes when it is told to."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/"
        self.connection = None

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc):
        self.listener.close()
        if self.connection is not None:
            self.connection.close()

    async def answer(self, data):
        """Accept a connection, and answer its request; gives the request."""
        loop = asyncio.get_running_loop()
        self.connection, _ = await loop.sock_accept(self.listener)
        request = await loop.sock_recv(self.connection, 65536)
        await loop.sock_sendall(self.connection, data)
        return request

    async def use(self, client, data):
        """Have a connection that is kept."""
        answering = asyncio.ensure_future(self.answer(data))
        await client.fetch(self.url)
        await answering


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_an_idempotent_request_is_repeated_on_a_stale_connection(run, new_client, answers, method):
    """It crosses with the end of the connection."""

    async def main():
        body = {"body": b"data"} if method == "PUT" else {}
        async with Quitter() as server, new_client() as client:
            await server.use(client, answers.ok())
            server.connection.close()
            fetching = client.fetch(server.url, method=method, **body)  # the loop has not seen the end yet
            request = await server.answer(answers.ok(b""))
            assert (await fetching).code == 200
            assert request.startswith(method.encode())

    run(main())


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_an_idempotent_request_is_repeated_after_a_reset(run, serve, new_client, answers, method):
    async def main():
        body = {"body": b"data"} if method == "PUT" else {}
        fine = answers.ok(b"", b"X: y")
        async with serve(fine, answers.RESET, fine) as server, new_client() as client:
            await client.fetch(server.url)
            response = await client.fetch(server.url, method=method, **body)
            assert response.code == 200
            assert (server.connections, len(server.requests)) == (2, 3)
            assert server.requests[1] == server.requests[2]

    run(main())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what the peer has received")
def test_a_request_that_was_taken_is_not_repeated(run, serve, new_client, answers):
    """It may be what ended the server."""

    async def main():
        async with serve(answers.ok(), answers.CLOSE) as server, new_client() as client:
            await client.fetch(server.url)
            with pytest.raises(errors.EmptyResponseError, match="closed before the response"):
                await client.fetch(server.url)
            assert len(server.requests) == 2

    run(main())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what the peer has received")
def test_nor_is_one_over_a_unix_socket(run, serve, new_client, answers, tmp_path):
    async def main():
        path = str(tmp_path / "server")
        async with serve(answers.ok(), answers.CLOSE, path=path) as server, new_client() as client:
            await client.fetch("http://localhost/", unix_socket=path)
            with pytest.raises(errors.EmptyResponseError):
                await client.fetch("http://localhost/", unix_socket=path)
            assert len(server.requests) == 2

    run(main())


def test_one_that_was_not_read_is_repeated(run, new_client, answers):
    """The server ends with the request in its hands: that is a reset."""

    async def main():
        async with Quitter() as server, new_client() as client:
            await server.use(client, answers.ok())
            fetching = client.fetch(server.url)
            server.connection.close()
            await server.answer(answers.ok())
            assert (await fetching).code == 200

    run(main())


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_others_do_not_use_a_connection_that_has_ended(run, new_client, answers, method):
    """Even where the loop has not seen that yet. They could not be repeated."""

    async def main():
        async with Quitter() as server, new_client() as client:
            await server.use(client, answers.ok())
            server.connection.close()
            fetching = client.fetch(server.url, method=method, body=b"data")
            assert (await server.answer(answers.ok())).endswith(b"data")
            assert (await fetching).code == 200

    run(main())


def test_nor_one_on_which_the_server_has_spoken_unasked(run, new_client, answers):
    async def main():
        async with Quitter() as server, new_client() as client:
            await server.use(client, answers.ok())
            server.connection.sendall(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
            fetching = client.fetch(server.url, method="POST", body=b"data")
            server.connection.close()
            await server.answer(answers.ok())
            assert (await fetching).code == 200

    run(main())


def test_a_connection_that_was_idle_for_long_is_looked_at(run, new_client, answers, monkeypatch):
    async def main():
        async with Quitter() as server, new_client() as client:
            await server.use(client, answers.ok())
            server.connection.close()
            (connection,) = client.pool.idle()
            connection.idle_since -= 2.0
            sent = []
            monkeypatch.setattr(type(connection), "send", lambda self, fetch: sent.append(self))
            fetching = client.fetch(server.url)
            while not sent:
                await asyncio.sleep(0.001)
            assert sent != [connection]
            fetching.cancel()

    run(main())


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_other_requests_are_not_repeated(run, serve, new_client, answers, method):
    async def main():
        for end in (answers.CLOSE, answers.RESET):
            async with serve(answers.ok(), end) as server, new_client() as client:
                await client.fetch(server.url)
                with pytest.raises(errors.EmptyResponseError, match="before the response"):
                    await client.fetch(server.url, method=method, body=b"data")
                assert len(server.requests) == 2

    run(main())


def test_nor_is_one_on_a_new_connection(run, serve, new_client, answers):
    async def main():
        async with serve(answers.CLOSE) as server, new_client() as client:
            with pytest.raises(errors.EmptyResponseError):
                await client.fetch(server.url)
            assert len(server.requests) == 1

    run(main())


def test_nor_is_one_twice(run, serve, new_client, answers):
    async def main():
        async with serve(answers.ok(), answers.RESET) as server, new_client() as client:
            await client.fetch(server.url)
            with pytest.raises(errors.EmptyResponseError):
                await client.fetch(server.url)
            assert len(server.requests) == 3

    run(main())


def test_nor_is_one_whose_response_has_begun(run, serve, new_client, answers):
    async def main():
        async with serve(answers.ok(), [b"HTTP/1.1 2", answers.CLOSE]) as server, new_client() as client:
            await client.fetch(server.url)
            with pytest.raises(errors.IncompleteResponseError):
                await client.fetch(server.url)
            assert len(server.requests) == 2

    run(main())


def test_cookies(run, serve, new_client, answers):
    from gustnado.http.client.cookies import CookieJar

    async def main():
        first = answers.ok(b"", b"Set-Cookie: a=1; Path=/", b"Set-Cookie: b=2", b"Location: /x", status=b"302 Found")
        jar = CookieJar()
        async with serve(first, answers.ok()) as server, new_client(cookie_jar=jar) as client:
            await client.fetch(server.url)
            await client.fetch(server.url, headers={"Cookie": "mine=3"})
            assert [server.header(index, "Cookie") for index in range(3)] == [None, "a=1; b=2", "mine=3; a=1; b=2"]
            assert len(jar) == 2

    run(main())


def test_what_a_program_breaks_in_a_fetch_does_not_hang_it(run, serve, new_client, answers):
    """A jar of somebody's own that raises, for instance."""

    class BadJar:
        def header_for(self, url, now):
            return None

        def store(self, url, values, now):
            raise ZeroDivisionError

    async def main():
        async with serve(answers.ok()) as server, new_client(cookie_jar=BadJar()) as client:
            with pytest.raises(ZeroDivisionError):
                await client.fetch(server.url)
            assert client.pool.active == 0

    run(main())


def test_nothing_is_left_over(run, serve, new_client, answers):
    async def main():
        from gustnado.http.client.fetch import Fetch

        async with serve(answers.ok()) as server, new_client() as client:
            for _ in range(10):
                await client.fetch(server.url)
            await asyncio.sleep(0)  # the call that woke us holds the last one
            gc.collect()
            assert not [found for found in gc.get_objects() if isinstance(found, Fetch)]
            assert client.active == {}

    run(main())


def test_userinfo_is_not_logged(run, serve, new_client, answers, caplog):
    async def main():
        caplog.set_level(logging.DEBUG)

        def fail(chunk):
            raise ZeroDivisionError

        async with serve(answers.ok(), b"garbage\r\n\r\n") as server, new_client() as client:
            url = server.url.replace("//", "//me:secret@")
            for options in ({"streaming_callback": fail}, {}):
                with pytest.raises(errors.HTTPStreamClosedError) as caught:
                    await client.fetch(url, **options)
                assert "secret" not in str(caught.value)

    run(main())
    assert caplog.records
    assert "secret" not in caplog.text


@pytest.mark.parametrize("code", [200, 404])
def test_a_cancelled_fetch_may_go_on(run, serve, new_client, answers, expect_log, monkeypatch, code):
    """As in Tornado, where its error is logged."""
    monkeypatch.setattr(SimpleAsyncHTTPClient, "cancels_requests", False)

    async def main():
        answer = b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % code
        async with serve(answer, answers.ok()) as server, new_client(max_clients=1) as client:
            future = client.fetch(f"{server.url}a")
            assert future.cancel()
            assert client.pool.active == 1
            await client.fetch(f"{server.url}b")
            assert future.cancelled()
            assert [head.split()[1] for head in server.heads()] == ["/a", "/b"]
            assert server.connections == 1

    if code == 200:
        run(main())
        return
    with expect_log("gustnado.application", "Exception after Future was cancelled"):
        run(main())
