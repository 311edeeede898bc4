from __future__ import annotations

from wsgiref import validate
from wsgiref.util import setup_testing_defaults

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.http.headers import HTTPHeaders
from gustnado.http.messages import HTTPServerRequest, RequestStartLine
from gustnado.web.wsgi.environ import (
    from_wsgi_str,
    headers_of_environ,
    host_of,
    make_environ,
    target_of,
    to_wsgi_str,
)


def request(target="/", headers=None, body=b"", method="GET"):
    return HTTPServerRequest(
        start_line=RequestStartLine(method, target, "HTTP/1.1"),
        headers=HTTPHeaders({"Host": "example.org", **(headers or {})}),
        body=body,
    )


@given(st.binary())
def test_bytes_go_through_a_string_of_wsgi(data):
    assert from_wsgi_str(to_wsgi_str(data)) == data


def test_what_is_neither_is_refused():
    with pytest.raises(TypeError, match="bytes"):
        to_wsgi_str("x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="str"):
        from_wsgi_str(b"x")  # type: ignore[arg-type]
    with pytest.raises(UnicodeEncodeError):
        from_wsgi_str("\u20ac")


def test_an_environment_is_what_the_standard_says():
    """``wsgiref.validate`` checks all of PEP 3333's rules."""
    environ = make_environ(request("/a%20b?c=d", {"Content-Type": "text/plain"}, b"body", "POST"), True)
    validate.check_environ(environ)  # type: ignore[attr-defined]
    assert environ["PATH_INFO"] == "/a b"
    assert environ["QUERY_STRING"] == "c=d"
    assert (environ["CONTENT_TYPE"], environ["CONTENT_LENGTH"]) == ("text/plain", "4")
    assert "HTTP_CONTENT_TYPE" not in environ
    assert environ["wsgi.input"].read() == b"body"
    assert environ["wsgi.multithread"] is True


def test_a_path_is_bytes_in_disguise():
    assert make_environ(request("/w%C3%AFnd%ff+"), False)["PATH_INFO"].encode("latin-1") == b"/w\xc3\xafnd\xff+"


@pytest.mark.parametrize(
    ("host", "name", "port"),
    [
        ("example.org", "example.org", "80"),
        ("example.org:8888", "example.org", "8888"),
        ("[::1]:8888", "::1", "8888"),
        ("[::1]", "::1", "80"),
    ],
)
def test_name_and_port(host, name, port):
    environ = make_environ(request(headers={"Host": host}), False)
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"], environ["HTTP_HOST"]) == (name, port, host)


def test_fields_that_come_several_times():
    headers = HTTPHeaders({"Host": "h"})
    for name, value in [("X-A", "1"), ("X-A", "2"), ("Cookie", "a=1"), ("Cookie", "b=2")]:
        headers.add(name, value)
    incoming = request()
    incoming.headers = headers
    environ = make_environ(incoming, False)
    assert (environ["HTTP_X_A"], environ["HTTP_COOKIE"]) == ("1,2", "a=1; b=2")


def test_fields_that_would_pass_for_others_are_left_out():
    environ = make_environ(request(headers={"X_Real-Ip": "6.6.6.6", "Proxy": "http://evil", "X-Real": "1"}), False)
    assert {name for name in environ if name.startswith("HTTP_")} == {"HTTP_HOST", "HTTP_X_REAL"}


def test_headers_come_back():
    environ = {
        "HTTP_X_FORWARDED_FOR": "1.2.3.4",
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "",
        "SERVER_NAME": "example.org",
        "SERVER_PORT": "8080",
        "wsgi.url_scheme": "http",
    }
    assert dict(headers_of_environ(environ).get_all()) == {
        "X-Forwarded-For": "1.2.3.4",
        "Content-Type": "text/plain",
        "Host": "example.org:8080",
    }


@pytest.mark.parametrize(
    ("scheme", "port", "host"),
    [("http", "80", "h"), ("https", "443", "h"), ("http", "443", "h:443"), ("https", "8443", "h:8443")],
)
def test_the_host_without_a_field(scheme, port, host):
    assert host_of({"SERVER_NAME": "h", "SERVER_PORT": port, "wsgi.url_scheme": scheme}) == host


@given(st.binary(max_size=30).filter(lambda data: b"?" not in data))
def test_a_path_goes_through_both_ways(path):
    environ: dict = {}
    setup_testing_defaults(environ)
    environ |= {"SCRIPT_NAME": "", "PATH_INFO": to_wsgi_str(b"/" + path)}
    target = target_of(environ)
    assert target.isascii()
    assert make_environ(request(target), False)["PATH_INFO"] == environ["PATH_INFO"]


def test_targets():
    assert target_of({}) == "/"
    assert target_of({"SCRIPT_NAME": "/app", "PATH_INFO": "", "QUERY_STRING": "a=%20"}) == "/app?a=%20"
