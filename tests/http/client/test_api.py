"""AsyncHTTPClient: which object one gets, and how its answers reach the program."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from gustnado.events.loop import IOLoop
from gustnado.http.client.api import AsyncHTTPClient, ClientUsageError
from gustnado.http.client.errors import HTTPClientError, HTTPTimeoutError
from gustnado.http.client.request import HTTPRequest, RequestProxy
from gustnado.http.client.response import HTTPResponse
from gustnado.http.client.simple import SimpleAsyncHTTPClient

URL = "http://a.example/"


class Recorder(AsyncHTTPClient):
    """Answers what its attribute says."""

    answer = 200

    def initialize(self, defaults=None, tag=None):
        super().initialize(defaults=defaults)
        self.tag = tag
        self.seen = []

    def fetch_impl(self, request, callback):
        self.seen.append(request)
        if isinstance(self.answer, Exception):
            callback(HTTPResponse(request, 599, error=self.answer))
        else:
            callback(HTTPResponse(request, self.answer))


@pytest.fixture
def recorder(run):
    saved = AsyncHTTPClient._save_configuration()
    AsyncHTTPClient.configure(Recorder, tag="configured")
    yield Recorder
    AsyncHTTPClient._restore_configuration(saved)


def test_one_for_each_loop(run):
    async def main():
        client = AsyncHTTPClient()
        assert type(client) is SimpleAsyncHTTPClient
        assert AsyncHTTPClient() is client
        assert SimpleAsyncHTTPClient() is SimpleAsyncHTTPClient()
        assert AsyncHTTPClient(force_instance=True) is not client
        assert client.io_loop is IOLoop.current()
        return client

    assert run(main()) is not run(main())


def test_one_that_is_closed_is_made_anew(run):
    async def main():
        client = AsyncHTTPClient()
        forced = AsyncHTTPClient(force_instance=True)
        forced.close()
        assert AsyncHTTPClient() is client
        client.close()
        client.close()
        assert AsyncHTTPClient() is not client

    run(main())


def test_those_of_loops_that_are_closed_are_forgotten(run):
    async def main():
        return weakref.ref(AsyncHTTPClient())

    first = run(main())
    run(main())
    gc.collect()
    assert first() is None


def test_configured(run, recorder):
    async def main():
        client = AsyncHTTPClient(force_instance=True)
        assert (type(client), client.tag) == (Recorder, "configured")
        assert AsyncHTTPClient(force_instance=True, tag="own").tag == "own"
        response = await client.fetch(URL, method="POST", body="x", headers={"a": "b"}, connect_timeout=3)
        (request,) = client.seen
        assert isinstance(request, RequestProxy)
        assert (request.method, request.body, request.connect_timeout) == ("POST", b"x", 3)
        assert request.headers["A"] == "b"
        assert request.max_redirects == 10
        assert type(response.request) is HTTPRequest

    run(main())


def test_configured_by_name(run, recorder):
    AsyncHTTPClient.configure("gustnado.http.client.simple.SimpleAsyncHTTPClient", max_clients=3)

    async def main():
        assert AsyncHTTPClient(force_instance=True).max_clients == 3

    run(main())


def test_errors_are_raised(run, recorder, monkeypatch):
    async def main():
        client = AsyncHTTPClient(force_instance=True)
        monkeypatch.setattr(Recorder, "answer", 404)
        with pytest.raises(HTTPClientError, match="404"):
            await client.fetch(URL)
        assert (await client.fetch(URL, raise_error=False)).code == 404
        monkeypatch.setattr(Recorder, "answer", HTTPTimeoutError("late"))
        with pytest.raises(HTTPTimeoutError, match="late"):
            await client.fetch(URL, raise_error=False)

    run(main())


def test_the_base_fetches_nothing(run):
    with pytest.raises(NotImplementedError):
        AsyncHTTPClient.fetch_impl(None, None, None)


@pytest.mark.parametrize("positional", [False, True])
def test_callbacks_get_a_response_in_any_case(run, serve, new_client, answers, positional):
    async def main():
        async with serve(answers.ok(), answers.ok(status=b"404 Gone"), answers.CLOSE) as server:
            async with new_client() as client:
                for code in (200, 404, 599, 599):
                    got = asyncio.get_running_loop().create_future()
                    url = server.url if len(server.requests) < 3 else "wind://"
                    if positional:
                        client.fetch(url, got.set_result)
                    else:
                        client.fetch(url, callback=got.set_result)
                    response = await got
                    assert response.code == code
                    assert (response.error is None) == (code == 200)

    run(main())


def test_what_a_callback_raises_is_logged(run, serve, new_client, answers, expect_log):
    async def main():
        def fail(response):
            called.set()
            raise ZeroDivisionError

        called = asyncio.Event()
        async with serve(answers.ok()) as server, new_client() as client:
            with expect_log("gustnado.application", "Exception in callback"):
                client.fetch(server.url, callback=fail)
                await called.wait()

    run(main())


def test_a_cancelled_fetch_calls_nobody(run, serve, new_client, answers):
    async def main():
        async with serve(answers.ok()) as server, new_client() as client:
            client.fetch(server.url, callback=called.append).cancel()
            await client.fetch(server.url)

    called: list[HTTPResponse] = []
    run(main())
    assert called == []


def test_arguments_that_do_not_go_together(run, new_client):
    async def main():
        async with new_client() as client:
            with pytest.raises(ClientUsageError, match="kwargs can't be used"):
                client.fetch(HTTPRequest(URL), method="POST")
            with pytest.raises(TypeError):
                client.fetch(URL, callback="wind")
            with pytest.raises(TypeError):
                client.fetch(URL, wind=1)

    run(main())
