"""Test cases that serve an application, and fetch from it."""

from __future__ import annotations

import asyncio
import socket
import unittest

import pytest

from gustnado.http.client.errors import HTTPClientError
from gustnado.testing import AsyncHTTPSTestCase, AsyncHTTPTestCase
from gustnado.web import Application, RequestHandler


class Hello(RequestHandler):
    def get(self):
        self.write(f"{self.request.protocol} {self.request.path}")


class Forever(RequestHandler):
    async def get(self):
        await asyncio.Event().wait()


def get_app(case):
    return Application([("/forever", Forever), ("/hello", Hello)])


class Case(AsyncHTTPTestCase):
    """What the tests here run a method of; a runner finds none in it."""

    get_app = get_app

    def method(self):
        raise NotImplementedError


class SecureCase(AsyncHTTPSTestCase):
    """The same over TLS."""

    get_app = get_app

    def method(self):
        raise NotImplementedError


def run_test(method, base=Case, **members):
    """The case that was run, and the texts of what went wrong."""
    case = type("It", (base,), {"method": method, **members})("method")
    result = unittest.TestResult()
    case.run(result)
    assert result.testsRun == 1
    return case, [text for _, text in [*result.errors, *result.failures]]


def succeed(method, base=Case, **members):
    case, failures = run_test(method, base, **members)
    assert not failures
    return case


def test_the_application_is_served():
    def method(self):
        response = self.fetch("/hello")
        assert (response.code, response.body) == (200, b"http /hello")

    succeed(method)


def test_a_coroutine_fetches_with_the_client():
    async def method(self):
        response = await self.http_client.fetch(self.get_url("/hello"))
        assert response.body == b"http /hello"

    succeed(method)


def test_whole_urls_are_fetched_as_they_are():
    def method(self):
        url = f"HTTP://localhost:{self.get_http_port()}/hello"
        response = self.fetch(url, method="HEAD", headers={"Accept": "text/html"})
        assert (response.request.url, response.code) == (url, 405)

    succeed(method)


def test_an_error_status_is_a_response_or_raised():
    def method(self):
        assert self.fetch("/nothing").code == 404
        with pytest.raises(HTTPClientError, match="404"):
            self.fetch("/nothing", raise_error=True)

    succeed(method)


def test_a_fetch_has_a_deadline(monkeypatch):
    monkeypatch.setenv("ASYNC_TEST_TIMEOUT", "0.05")

    def method(self):
        with pytest.raises(TimeoutError):
            self.fetch("/forever")

    succeed(method)


def test_the_application_may_ask_for_the_port_and_the_client():
    seen = []

    def ask(self):
        seen.append((self.get_http_port(), self.http_client))
        return get_app(self)

    def method(self):
        assert seen == [(self.get_http_port(), self.http_client)]

    succeed(method, get_app=ask)


def test_a_case_without_an_application_says_what_is_missing():
    class It(AsyncHTTPTestCase):
        def method(self):
            raise NotImplementedError

    result = unittest.TestResult()
    It("method").run(result)
    [(_, text)] = result.errors
    assert "It.get_app() must return an application" in text


def test_the_server_gets_its_options():
    def method(self):
        assert self.fetch("/hello").body == b"gopher /hello"

    succeed(method, get_httpserver_options=lambda self: {"protocol": "gopher"})


def test_afterwards_server_and_client_are_closed():
    seen = []

    def method(self):
        self.fetch("/hello")
        seen.append(self.get_http_port())

    case = succeed(method)
    with pytest.raises(RuntimeError, match="closed"):
        case.http_client.fetch("http://localhost/")
    assert not hasattr(case, "_app")
    assert not hasattr(case, "http_server")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", seen[0]), timeout=10)


def test_tls():
    def method(self):
        assert self.get_url("/hello") == f"https://127.0.0.1:{self.get_http_port()}/hello"
        assert self.fetch("/hello").body == b"https /hello"

    succeed(method, SecureCase)


def test_tls_options_may_be_others():
    def method(self):
        raise NotImplementedError

    _, [text] = run_test(method, SecureCase, get_ssl_options=lambda self: {"certfile": "/nowhere.crt"})
    assert "/nowhere.crt" in text


def test_a_request_that_never_ends_is_cut_off(monkeypatch):
    monkeypatch.setenv("ASYNC_TEST_TIMEOUT", "30")
    clients = []

    def method(self):
        clients.append(socket.create_connection(("127.0.0.1", self.get_http_port()), timeout=10))
        clients[0].sendall(b"GET /forever HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.fetch("/hello")

    case = succeed(method)
    assert clients[0].recv(1) == b""
    clients[0].close()
    assert case.io_loop.asyncio_loop.is_closed()
