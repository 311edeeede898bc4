"""A client that runs an application without a socket."""

from __future__ import annotations

import asyncio
import socket

import pytest

from gustnado.errors import UsageError
from gustnado.http.client.errors import HTTPClientError, HTTPTimeoutError
from gustnado.http.headers import HTTPHeaders
from gustnado.http.messages import ResponseStartLine
from gustnado.testing import InMemoryClient
from gustnado.web import Application, RequestHandler
from gustnado.web.dispatch import stream_request_body


class Echo(RequestHandler):
    def any(self):
        self.set_header("Seen-Method", self.request.method)
        self.set_header("Seen-Host", self.request.host)
        self.set_header("Seen-Url", self.request.full_url())
        self.set_header("Seen-From", self.request.remote_ip)
        self.set_header("Seen-Field", self.request.headers.get("Field", ""))
        if self.request.method != "HEAD":
            self.write(self.request.body)

    get = head = options = delete = post = put = patch = any


class Login(RequestHandler):
    def get(self):
        self.set_cookie("name", self.get_argument("name"))
        self.redirect("/whoami")


class WhoAmI(RequestHandler):
    def get(self):
        self.write(self.get_cookie("name", "nobody"))


class Broken(RequestHandler):
    def get(self):
        raise ZeroDivisionError


class Pieces(RequestHandler):
    async def get(self):
        for _ in range(20):
            self.write(b"x" * 100_000)
            await self.flush()


class Forever(RequestHandler):
    async def get(self):
        await asyncio.Event().wait()


@stream_request_body
class Count(RequestHandler):
    def prepare(self):
        self.sizes = []

    def data_received(self, chunk):
        self.sizes.append(len(chunk))

    def put(self):
        self.write(f"{sum(self.sizes)} {len(self.sizes) > 1}")


def app():
    return Application(
        [
            ("/echo", Echo),
            ("/login", Login),
            ("/whoami", WhoAmI),
            ("/broken", Broken),
            ("/pieces", Pieces),
            ("/forever", Forever),
            ("/count", Count),
        ]
    )


def test_no_socket_is_opened(run, monkeypatch):
    async def test():
        async with InMemoryClient(app()) as client:
            monkeypatch.setattr(socket, "socket", None)
            response = await client.get("/echo")
            assert (response.code, response.headers["Seen-Method"]) == (200, "GET")

    run(test())


@pytest.mark.parametrize("method", ["get", "head", "options", "delete", "post", "put", "patch"])
def test_each_method(run, method):
    async def test():
        async with InMemoryClient(app()) as client:
            response = await getattr(client, method)("/echo?a=b", headers={"Field": "value"})
            assert response.code == 200
            assert response.headers["Seen-Method"] == method.upper()
            assert response.headers["Seen-Url"] == "http://localhost/echo?a=b"
            assert response.headers["Seen-Field"] == "value"
            assert response.body == b""

    run(test())


@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_bodies(run, method):
    async def test():
        async with InMemoryClient(app()) as client:
            response = await getattr(client, method)("/echo", body="wind")
            assert response.body == b"wind"

    run(test())


def test_what_the_application_sees_of_the_client(run):
    async def test():
        client = InMemoryClient(app(), base_url="https://example.org:8443", remote_ip="192.0.2.7")
        async with client:
            response = await client.get("/echo")
        assert response.headers["Seen-Url"] == "https://example.org:8443/echo"
        assert response.headers["Seen-Host"] == "example.org:8443"
        assert response.headers["Seen-From"] == "192.0.2.7"

    run(test())


def test_a_whole_url_of_any_host_may_be_fetched(run):
    async def test():
        async with InMemoryClient(app()) as client:
            response = await client.fetch("HTTP://other.example/echo", method="GET")
            assert response.headers["Seen-Host"] == "other.example"

    run(test())


def test_a_status_is_a_response_or_raised(run):
    async def test():
        async with InMemoryClient(app()) as client:
            assert (await client.get("/nothing")).code == 404
            with pytest.raises(HTTPClientError, match="404"):
                await client.get("/nothing", raise_error=True)

    run(test())


def test_an_exception_of_a_handler_is_a_500_and_is_logged(run, expect_log):
    async def test():
        async with InMemoryClient(app()) as client:
            assert (await client.get("/broken")).code == 500

    with expect_log("gustnado.application", "Uncaught exception GET /broken"):
        run(test())


def test_cookies_are_not_kept(run):
    async def test():
        async with InMemoryClient(app()) as client:
            assert (await client.get("/login?name=ann")).body == b"nobody"
            assert client.cookies is None

    run(test())


def test_cookies_are_kept_where_that_is_asked_for(run):
    async def test():
        async with InMemoryClient(app(), cookies=True) as client:
            assert (await client.get("/login?name=ann")).body == b"ann"
            assert (await client.get("/whoami")).body == b"ann"
            assert [cookie.value for cookie in client.cookies.cookies()] == ["ann"]
            client.cookies.clear()
            assert (await client.get("/whoami")).body == b"nobody"

    run(test())


def test_redirects_need_not_be_followed(run):
    async def test():
        async with InMemoryClient(app()) as client:
            response = await client.get("/login?name=ann", follow_redirects=False)
            assert (response.code, response.headers["Location"]) == (302, "/whoami")

    run(test())


def test_responses_are_streamed(run):
    async def test():
        chunks = []
        async with InMemoryClient(app()) as client:
            response = await client.get("/pieces", streaming_callback=chunks.append)
        assert response.headers["Transfer-Encoding"] == "chunked"
        assert len(chunks) > 1
        assert sum(map(len, chunks)) == 2_000_000

    run(test())


def test_requests_are_streamed(run):
    async def test():
        async def produce(write):
            for _ in range(10):
                await write(b"x" * 100_000)

        async with InMemoryClient(app()) as client:
            response = await client.put("/count", body=None, body_producer=produce)
        assert response.body == b"1000000 True"

    run(test())


def test_requests_run_side_by_side(run):
    async def test():
        async with InMemoryClient(app()) as client:
            responses = await asyncio.gather(*[client.post("/echo", body=str(n)) for n in range(30)])
        assert [response.body for response in responses] == [str(n).encode() for n in range(30)]

    run(test())


def test_limits_of_the_server_hold(run, caplog):
    async def test():
        async with InMemoryClient(app(), server_options={"max_body_size": 10}) as client:
            assert (await client.post("/echo", body=b"x" * 10)).code == 200
            assert (await client.post("/echo", body=b"x" * 11)).code == 413

    run(test())


def test_options_of_the_client_hold(run):
    async def test():
        options = {"defaults": {"user_agent": "a test"}}
        agents = []

        def answer(request):
            agents.append(request.headers["User-Agent"])
            request.connection.write_headers(
                ResponseStartLine("HTTP/1.1", 204, "No Content"), HTTPHeaders()
            )
            request.connection.finish()

        async with InMemoryClient(answer, client_options=options) as client:
            assert (await client.get("/")).code == 204
        assert agents == ["a test"]

    run(test())


def test_a_request_has_its_timeouts(run):
    async def test():
        async with InMemoryClient(app()) as client:
            with pytest.raises(HTTPTimeoutError):
                await client.get("/forever", request_timeout=0.05)

    run(test())


def test_a_block_ends_while_a_request_is_under_way(run):
    async def test():
        async with InMemoryClient(app()) as client:
            request = asyncio.create_task(client.get("/forever"))
            await asyncio.sleep(0.01)
        with pytest.raises(HTTPClientError):
            await request

    run(test())


@pytest.mark.parametrize("path", ["", "echo", "ftp://localhost/"])
def test_a_path_that_is_none_is_an_error(run, path):
    async def test():
        async with InMemoryClient(app()) as client:
            with pytest.raises(UsageError, match="begins with a slash"):
                await client.get(path)

    run(test())


@pytest.mark.parametrize("url", ["localhost", "ftp://localhost", "http://", "http://localhost/", "http://a?b"])
def test_a_base_url_that_is_none_is_an_error(url):
    with pytest.raises(UsageError, match="base_url must be like"):
        InMemoryClient(app(), base_url=url)


def test_it_works_only_within_its_block(run):
    async def test():
        client = InMemoryClient(app())
        with pytest.raises(UsageError, match="async with"):
            await client.get("/echo")
        async with client:
            assert (await client.get("/echo")).code == 200
        with pytest.raises(UsageError, match="async with"):
            await client.get("/echo")
        async with client:
            assert (await client.get("/echo")).code == 200

    run(test())
