"""The client over libcurl. Tornado's own tests of it run too (tests/compat); here is what they do not look at."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys

import pytest

from gustnado.errors import UsageError
from gustnado.http.client import curl as curl_module
from gustnado.http.client import errors
from gustnado.http.client.curl import CurlAsyncHTTPClient, CurlError, CurlTimeoutError

pytest.importorskip("pycurl")


@contextlib.asynccontextmanager
async def curl_client(**arguments):
    client = CurlAsyncHTTPClient(force_instance=True, **arguments)
    try:
        yield client
    finally:
        client.close()


def test_a_response(run, serve, answers):
    async def main():
        async with serve(answers.ok(b"wind", b"X-A: 1", status=b"200 Fine")) as server, curl_client() as client:
            for _ in range(2):
                response = await client.fetch(server.url)
                assert (response.code, response.reason, response.body) == (200, "Fine", b"wind")
                assert response.headers["X-A"] == "1"
                assert {"queue", "connect", "total"} <= set(response.time_info)
            assert server.connections == 1
            assert server.header(0, "Expect") is None

    run(main())


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("POST", b"data"), ("PUT", b"data"), ("PATCH", b"data"), ("PUT", b""), ("POST", b""), ("DELETE", None),
        ("OPTIONS", None),
    ],
)  # fmt: skip
def test_methods_and_bodies(run, serve, answers, method, body):
    async def main():
        async with serve(answers.ok()) as server, curl_client() as client:
            await client.fetch(server.url, method=method, body=body)
            assert server.heads() == [f"{method} / HTTP/1.1"]
            assert server.requests[0].partition(b"\r\n\r\n")[2] == (body or b"")

    run(main())


def test_many_at_once(run, serve, answers):
    async def main():
        async with serve(answers.ok()) as server, curl_client(max_clients=3) as client:
            responses = await asyncio.gather(*[client.fetch(server.url) for _ in range(30)])
            assert {response.body for response in responses} == {b"hello"}
            assert server.connections <= 3

    run(main())


def test_errors(run, serve, answers):
    async def main():
        async with serve(answers.CLOSE, b"garbage\r\n\r\n") as server, curl_client() as client:
            for _ in range(2):
                with pytest.raises(CurlError) as caught:
                    await client.fetch(server.url)
                assert caught.value.code == 599
                assert caught.value.errno > 0
            with pytest.raises(CurlError):
                await client.fetch("http://127.0.0.1:1/")

    run(main())


def test_timeouts(run, serve):
    async def main():
        async def hang(server, reader, writer):
            await reader.read()

        async with serve(hang) as server, curl_client() as client:
            with pytest.raises(CurlTimeoutError) as caught:
                await client.fetch(server.url, request_timeout=0.1)
            assert isinstance(caught.value, errors.HTTPTimeoutError)

    run(main())


@pytest.mark.parametrize(
    "options",
    [
        {"body_producer": print, "method": "POST"}, {"ssl_options": {}}, {"auth_username": "u", "auth_mode": "wind"},
        {"proxy_host": "h", "proxy_port": 1, "proxy_auth_mode": "wind"}, {"method": "WIND"}, {"body": b"x"},
        {"method": "POST"}, {"headers": {"a": "b\r\nc: d"}}, {"auth_token": "a b"},
    ],
)  # fmt: skip
def test_what_cannot_be_sent(run, options):
    async def main():
        async with curl_client() as client:
            with pytest.raises(ValueError):
                await client.fetch("http://127.0.0.1:1/", **options)

    run(main())


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://a b/", "ftp://a/", "http://a\r\nb/"])
def test_urls_that_are_none(run, url):
    async def main():
        async with curl_client() as client:
            with pytest.raises(errors.InvalidURLError):
                await client.fetch(url)

    run(main())


def test_no_step_down_from_tls(run, serve, answers):
    async def main():
        async with serve(answers.ok()) as plain, curl_client() as client:
            moved = answers.ok(b"", f"Location: {plain.url}".encode(), status=b"302 Found")
            async with serve(moved, tls=True) as server:
                with pytest.raises(CurlError):
                    await client.fetch(server.url, validate_cert=False)
                assert plain.requests == []
                response = await client.fetch(server.url, validate_cert=False, allow_downgrade=True)
                assert response.body == b"hello"

    run(main())


def test_the_environment_names_no_proxy(run, serve, answers, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)

    async def main():
        async with serve(answers.ok()) as server, curl_client() as client:
            assert (await client.fetch(server.url)).body == b"hello"

    run(main())


def test_nothing_of_a_request_is_left_for_the_next(run, serve, answers):
    async def main():
        async with serve(answers.ok()) as server, curl_client(max_clients=1) as client:
            options = {"headers": {"X-A": "1"}, "user_agent": "mine"}
            await client.fetch(server.url, auth_username="u", auth_password="p", **options)
            await client.fetch(server.url, auth_token="t0k")
            await client.fetch(server.url)
            assert [server.header(index, "Authorization") for index in range(3)] == ["Basic dTpw", "Bearer t0k", None]
            assert server.header(2, "X-A") is None
            assert server.header(2, "User-Agent") != "mine"

    run(main())


def test_closing_fails_what_is_in_flight(run, serve):
    async def main():
        async def hang(server, reader, writer):
            await reader.read()

        async with serve(hang) as server:
            client = CurlAsyncHTTPClient(force_instance=True, max_clients=1)
            futures = [client.fetch(server.url) for _ in range(2)]
            await server.until(lambda: len(server.requests) == 1)
            client.close()
            client.close()
            for future in futures:
                with pytest.raises(errors.ClientClosedError):
                    await future

    run(main())


def test_a_curl_handle_may_be_prepared(run, serve, answers):
    async def main():
        async with serve(answers.ok()) as server, curl_client() as client:
            handles = []
            await client.fetch(server.url, prepare_curl_callback=handles.append)
            assert [type(handle).__name__ for handle in handles] == ["Curl"]

    run(main())


def test_the_log_has_no_credentials(run, serve, answers, caplog):
    caplog.set_level(logging.DEBUG, "gustnado.curl_httpclient")

    async def main():
        async with serve(answers.ok(b"", b"Set-Cookie: secret=1")) as server, curl_client() as client:
            await client.fetch(server.url, auth_username="me", auth_password="secret", headers={"Cookie": "secret=2"})

    run(main())
    assert "> GET / HTTP/1.1" in caplog.text
    assert "secret" not in caplog.text
    assert "bWU6c2VjcmV0" not in caplog.text


def test_without_pycurl(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "pycurl", None)

    async def main():
        with pytest.raises(UsageError, match="needs pycurl"):
            CurlAsyncHTTPClient(force_instance=True)

    run(main())
    assert curl_module.CR_OR_LF_RE.search(b"a\nb")
