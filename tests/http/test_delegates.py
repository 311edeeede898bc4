from __future__ import annotations

import inspect

import pytest

from gustnado.http.delegates import HTTPConnection, HTTPMessageDelegate, HTTPServerConnectionDelegate

# Start lines and headers pass through the contracts unseen, so anything stands for them here.
START_LINE: object = ("GET", "/", "HTTP/1.1")
HEADERS: object = {}


def test_a_server_delegate_must_say_who_gets_a_request():
    with pytest.raises(NotImplementedError):
        HTTPServerConnectionDelegate().start_request(object(), HTTPConnection())


def test_a_server_delegate_may_ignore_the_end_of_a_connection():
    assert HTTPServerConnectionDelegate().on_close(object()) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("headers_received", (START_LINE, HEADERS)),
        ("data_received", (b"chunk",)),
        ("finish", ()),
        ("on_connection_close", ()),
    ],
)
def test_a_message_delegate_may_ignore_what_it_likes(method, arguments):
    assert getattr(HTTPMessageDelegate(), method)(*arguments) is None


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("write_headers", (START_LINE, HEADERS)),
        ("write_headers", (START_LINE, HEADERS, b"chunk")),
        ("write", (b"chunk",)),
        ("finish", ()),
    ],
)
def test_a_connection_must_implement_its_contract(method, arguments):
    with pytest.raises(NotImplementedError):
        getattr(HTTPConnection(), method)(*arguments)


@pytest.mark.parametrize("name", ["HTTPServerConnectionDelegate", "HTTPMessageDelegate", "HTTPConnection"])
def test_contracts_take_what_those_of_tornado_take(name):
    httputil = pytest.importorskip("tornado.httputil")
    ours, theirs = globals()[name], getattr(httputil, name)
    for method, function in inspect.getmembers(theirs, inspect.isfunction):
        expected = list(inspect.signature(function).parameters)
        assert list(inspect.signature(getattr(ours, method)).parameters) == expected, method


def test_a_connection_need_not_send_files_by_itself():
    assert HTTPConnection().write_file(0, 0, 1) is None
    assert HTTPConnection.may_block is False


def test_a_program_overrides_only_what_it_needs():
    class Echo(HTTPServerConnectionDelegate):
        def start_request(self, server_conn, request_conn):
            return Recorder()

    class Recorder(HTTPMessageDelegate):
        chunks: tuple[bytes, ...] = ()

        def data_received(self, chunk):
            self.chunks += (chunk,)

    delegate = Echo().start_request(object(), HTTPConnection())
    delegate.headers_received(START_LINE, HEADERS)
    delegate.data_received(b"wind")
    delegate.finish()
    assert delegate.chunks == (b"wind",)
