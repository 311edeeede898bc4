"""Start lines, and the request as a program sees it."""

from __future__ import annotations

import inspect
import types
from typing import Any

import pytest

from gustnado.errors import HTTPInputError
from gustnado.http import messages
from gustnado.http.headers import HTTPHeaders
from gustnado.http.messages import (
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
    has_body,
    parse_request_start_line,
    parse_response_start_line,
    request_of,
)


def request(uri: str = "/", method: str = "GET", *, body: bytes = b"", **fields: str) -> HTTPServerRequest:
    headers = HTTPHeaders({name.replace("_", "-"): value for name, value in fields.items()})
    made = HTTPServerRequest(start_line=RequestStartLine(method, uri, "HTTP/1.1"), headers=headers)
    made.body = body
    return made


class TestStartLines:
    @pytest.mark.parametrize(
        ("line", "parsed"),
        [
            ("GET / HTTP/1.1", ("GET", "/", "HTTP/1.1")),
            ("brew /a?b=c%20d HTTP/1.0", ("brew", "/a?b=c%20d", "HTTP/1.0")),
            ("OPTIONS * HTTP/1.1", ("OPTIONS", "*", "HTTP/1.1")),
            ("CONNECT x:80 HTTP/1.1", ("CONNECT", "x:80", "HTTP/1.1")),
            ("GET http://x/ HTTP/1.2", ("GET", "http://x/", "HTTP/1.2")),
        ],
    )
    def test_a_request_line(self, line: str, parsed: tuple[str, str, str]) -> None:
        assert parse_request_start_line(line) == parsed

    @pytest.mark.parametrize(
        "line",
        [
            "",
            "GET",
            "GET /",
            "GET  / HTTP/1.1",
            " GET / HTTP/1.1",
            "GET / HTTP/1.1 ",
            "GET\t/ HTTP/1.1",
            "GET / http/1.1",
            "G(T / HTTP/1.1",
            "GET /\x00 HTTP/1.1",
            "GET /ä HTTP/1.1",
            "GET /a#b HTTP/1.1",
            "GET / HTTP/1.1\r",
            "GET / HTTP/11.1",
            "GET / HTTP/1.1\n",
            "GET / HTTP/0.9",
            "GET / HTTP/\u0661.1",
            "GET / a HTTP/1.1",
        ],
    )
    def test_what_is_no_request_line(self, line: str) -> None:
        with pytest.raises(HTTPInputError) as raised:
            parse_request_start_line(line)
        assert raised.value.status == 400

    def test_a_later_version(self) -> None:
        with pytest.raises(HTTPInputError, match="not spoken here") as raised:
            parse_request_start_line("PRI * HTTP/2.0")
        assert raised.value.status == 505

    @pytest.mark.parametrize(
        ("line", "parsed"),
        [
            ("HTTP/1.1 200 OK", ("HTTP/1.1", 200, "OK")),
            ("HTTP/1.0 404 Not Found", ("HTTP/1.0", 404, "Not Found")),
            ("HTTP/1.1 200 ", ("HTTP/1.1", 200, "")),
            ("HTTP/1.1 200", ("HTTP/1.1", 200, "")),
            ("HTTP/1.1 299 gr\xf6\xdfer", ("HTTP/1.1", 299, "gr\xf6\xdfer")),
        ],
    )
    def test_a_status_line(self, line: str, parsed: tuple[str, int, str]) -> None:
        assert parse_response_start_line(line) == ResponseStartLine(*parsed)

    @pytest.mark.parametrize(
        "line",
        [
            "",
            "HTTP/1.1",
            "HTTP/1.1 20 OK",
            "HTTP/1.1 2000 OK",
            "HTTP/1.1 099 x",
            "HTTP/2 200 OK",
            "http/1.1 200 OK",
            "HTTP/1.1 +20 OK",
            "HTTP/1.1  200 OK",
            "HTTP/1.1 200\tOK",
            "HTTP/1.1 200 O\x00K",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 \u0662\u0660\u0660 OK",
            " HTTP/1.1 200 OK",
            "HTTP/1.1 200OK",
        ],
    )
    def test_what_is_no_status_line(self, line: str) -> None:
        with pytest.raises(HTTPInputError, match="malformed status line"):
            parse_response_start_line(line)

    def test_an_error_shows_no_more_than_the_beginning(self) -> None:
        with pytest.raises(HTTPInputError) as raised:
            parse_request_start_line("a" * 100_000)
        assert len(str(raised.value)) < 200


class TestTarget:
    @pytest.mark.parametrize(
        ("uri", "path", "query"),
        [
            ("/a", "/a", ""),
            ("/a?b=c", "/a", "b=c"),
            ("/a?", "/a", ""),
            ("/a?b?c", "/a", "b?c"),
            ("*", "*", ""),
            ("/%61%2f", "/%61%2f", ""),
            ("//a/b", "//a/b", ""),
        ],
    )
    def test_it_is_split_and_not_decoded(self, uri: str, path: str, query: str) -> None:
        made = request(uri)
        assert (made.uri, made.path, made.query) == (uri, path, query)

    def test_full_url(self) -> None:
        assert request("/a?b", Host="example.org:8888").full_url() == "http://example.org:8888/a?b"

    def test_a_request_needs_a_method(self) -> None:
        with pytest.raises(ValueError, match="needs a method"):
            HTTPServerRequest(uri="/")


class TestHost:
    @pytest.mark.parametrize(
        ("fields", "host", "name"),
        [
            ({"Host": "Example.org"}, "Example.org", "example.org"),
            ({"Host": "example.org:8888"}, "example.org:8888", "example.org"),
            ({"Host": "[::1]:80"}, "[::1]:80", "[::1]"),
            ({"Host": ""}, "127.0.0.1", "127.0.0.1"),
            ({}, "127.0.0.1", "127.0.0.1"),
        ],
    )
    def test_it_is_that_of_the_field(self, fields: dict[str, Any], host: str, name: str) -> None:
        made = request(**fields)
        assert (made.host, made.host_name) == (host, name)

    def test_it_may_be_set(self) -> None:
        made = request(Host="a")
        made.host, made.host_name = "B:1", "c"
        assert (made.host, made.host_name) == ("B:1", "c")
        assert HTTPServerRequest("GET", "/", host="d:2").host_name == "d"


class TestPeer:
    def test_it_is_what_the_connection_knows(self) -> None:
        connection = types.SimpleNamespace(
            context=types.SimpleNamespace(remote_ip="192.0.2.7", protocol="https")
        )
        made = HTTPServerRequest("GET", "/", connection=connection)
        assert (made.remote_ip, made.protocol, made.scheme) == ("192.0.2.7", "https", "https")

    def test_without_connection_it_is_unknown(self) -> None:
        assert (request().remote_ip, request().protocol) == (None, "http")
        assert request().get_ssl_certificate() is None

    def test_it_may_be_set(self) -> None:
        made = request()
        made.remote_ip, made.scheme = "192.0.2.8", "https"
        assert (made.remote_ip, made.protocol) == ("192.0.2.8", "https")

    def test_a_clients_certificate(self) -> None:
        socket = types.SimpleNamespace(
            getpeercert=lambda binary_form: b"der" if binary_form else {"subject": ()}
        )
        connection = types.SimpleNamespace(stream=types.SimpleNamespace(socket=socket))
        made = HTTPServerRequest("GET", "/", connection=connection)
        assert made.get_ssl_certificate(binary_form=True) == b"der"
        assert made.get_ssl_certificate() == {"subject": ()}


class TestArguments:
    def test_those_of_query_and_body_together(self) -> None:
        made = request(
            "/?a=1&b=2&a=3", "POST", Content_Type="application/x-www-form-urlencoded", body=b"a=4&c=%C3%A4"
        )
        made._parse_body()
        assert made.query_arguments == {"a": [b"1", b"3"], "b": [b"2"]}
        assert made.body_arguments == {"a": [b"4"], "c": ["ä".encode()]}
        assert made.arguments == {"a": [b"1", b"3", b"4"], "b": [b"2"], "c": ["ä".encode()]}
        assert made.query_arguments["a"] == [b"1", b"3"]

    def test_blank_values_are_kept(self) -> None:
        assert request("/?a=&b").query_arguments == {"a": [b""], "b": [b""]}

    def test_t10_a_semicolon_separates_nothing(self) -> None:
        assert request("/?a=1;b=2").query_arguments == {"a": [b"1;b=2"]}

    def test_t40_there_are_not_too_many(self) -> None:
        assert len(request("/?" + "&".join([f"a{n}" for n in range(1000)])).query_arguments) == 1000
        with pytest.raises(HTTPInputError, match="Max number of fields exceeded: 1000 arguments"):
            request("/?" + "&" * 1000)

    def test_t40_they_are_not_looked_at_unless_asked_for(self) -> None:
        made = request_of("GET", "/?" + "&" * 1000, "HTTP/1.1", HTTPHeaders(), None, None)
        assert made.path == "/"
        made._parse_body()
        with pytest.raises(HTTPInputError, match="Max number of fields exceeded: 1000 arguments"):
            _ = made.query_arguments

    def test_files(self) -> None:
        body = (
            b'--gust\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n'
            b"Content-Type: text/plain\r\n\r\nwind\r\n--gust--\r\n"
        )
        made = request("/", "POST", Content_Type="multipart/form-data; boundary=gust", body=body)
        made._parse_body()
        (file,) = made.files["f"]
        assert (file.filename, file.body, file.content_type) == ("a.txt", b"wind", "text/plain")

    def test_a_form_that_cannot_be_read(self) -> None:
        made = request("/", "POST", Content_Type="multipart/form-data", body=b"wind")
        with pytest.raises(HTTPInputError):
            made._parse_body()

    def test_they_may_be_set(self) -> None:
        made = request("/?a=1")
        made.arguments, made.query_arguments, made.body_arguments, made.files = (
            {"b": [b"2"]},
            {},
            {"c": [b"3"]},
            {},
        )
        assert (made.arguments, made.query_arguments, made.body_arguments, made.files) == (
            {"b": [b"2"]},
            {},
            {"c": [b"3"]},
            {},
        )


class TestCookies:
    def test_they_are_morsels(self) -> None:
        cookies = request(Cookie='a=1; b="two words"; c=').cookies
        assert {name: morsel.value for name, morsel in cookies.items()} == {
            "a": "1",
            "b": "two words",
            "c": "",
        }

    @pytest.mark.parametrize("field", ["a=1; =x; b=2", "a=1; b@d(=3; b=2", "a=1; \xe4=4; b=2", "a=1;; ;b=2"])
    def test_t9_a_bad_one_is_left_out(self, field: str) -> None:
        cookies = request(Cookie=field).cookies
        assert {name: morsel.value for name, morsel in cookies.items() if name in "ab"} == {
            "a": "1",
            "b": "2",
        }

    def test_none(self) -> None:
        assert not request().cookies

    def test_there_are_not_too_many(self) -> None:
        assert len(request(Cookie="; ".join([f"a{n}=1" for n in range(5000)])).cookies) == 100


class TestTime:
    def test_it_runs_until_the_end_of_the_response(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = iter([10.0, 12.5, 13.0])
        monkeypatch.setattr(messages, "perf_counter", lambda: next(clock))
        made = request()
        assert made.request_time() == 2.5
        assert made.request_time() == 3.0
        made._finish_time = 11.0
        assert made.request_time() == 1.0


def test_it_can_be_shown() -> None:
    shown = repr(request("/a", Host="x"))
    assert shown == (
        "HTTPServerRequest(protocol='http', host='x', method='GET', uri='/a', version='HTTP/1.1', "
        "remote_ip=None)"
    )


def test_it_takes_what_that_of_tornado_takes() -> None:
    theirs = pytest.importorskip("tornado.httputil").HTTPServerRequest
    values: dict[str, Any] = {
        "method": "GET",
        "uri": "/a",
        "version": "HTTP/1.1",
        "headers": HTTPHeaders(),
        "body": b"wind",
        "host": "x",
        "files": {},
        "connection": None,
        "start_line": None,
        "server_connection": None,
    }
    assert list(inspect.signature(theirs).parameters) == list(values)
    by_name, by_position = HTTPServerRequest(**values), HTTPServerRequest(*values.values())
    assert repr(by_name) == repr(by_position)
    assert by_name.body == by_position.body == b"wind"


def test_attributes_are_those_of_tornado() -> None:
    httputil = pytest.importorskip("tornado.httputil")
    theirs = httputil.HTTPServerRequest(
        start_line=httputil.RequestStartLine("GET", "/", "HTTP/1.1"),
        headers=httputil.HTTPHeaders({"Host": "x"}),
    )
    names = {name for name in dir(theirs) if not name.startswith("_")}
    assert names - set(dir(HTTPServerRequest("GET", "/"))) == set()


@pytest.mark.parametrize(
    ("fields", "has"),
    [
        ({}, False),
        ({"Content-Length": "0"}, False),
        ({"Content-Length": "00"}, False),
        ({"Content-Length": "10"}, True),
        ({"Transfer-Encoding": "chunked"}, True),
        ({"X-Consumed-Content-Encoding": "gzip"}, True),
    ],
)
def test_a_head_tells_whether_there_is_a_body(fields: dict[str, str], has: bool) -> None:
    assert has_body(HTTPHeaders(fields)) is has
