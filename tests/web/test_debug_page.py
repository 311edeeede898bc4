"""The page of debug mode."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from gustnado.http.headers import HTTPHeaders
from gustnado.http.messages import HTTPServerRequest, RequestStartLine, request_of
from gustnado.web.debug_page import MASK, debug_page, is_local_request, is_secret_name
from gustnado.web.error_pages import ErrorReport


def broken(*args):
    raise ZeroDivisionError


Hostile = type("Hostile", (), {"__repr__": broken})
NoList = type("list", (), {"__module__": "builtins", "__len__": broken})


def page(function, settings=None, request=None):
    try:
        function()
    except Exception as error:
        return debug_page(ErrorReport(500, "Oops", error=error, settings=settings or {}, request=request))
    raise AssertionError("it should fail")


def request(target="/wind?q=1&password=hunter2", **headers):
    return HTTPServerRequest(
        start_line=RequestStartLine("GET", target, "HTTP/1.1"), headers=HTTPHeaders({"Host": "localhost", **headers})
    )


def fail(message="<no>"):
    gust = "<wind>"
    password = "hunter2"
    nested = {"api_key": "hunter3", "plain": {"session": "hunter4", 1: gust}}
    hostile, endless = (Hostile(), NoList()), []
    endless.append(endless)
    long = "x" * 100_000
    raise ValueError(message, len((password, nested, hostile, long)))


def test_source_and_locals_are_shown_and_escaped():
    text = page(fail)
    assert "ValueError: (&#x27;&lt;no&gt;&#x27;, 4)" in text or "ValueError: (&#39;&lt;no&gt;&#39;, 4)" in text
    assert "<mark>" in text
    assert "hostile, endless = (Hostile(), NoList()), []" in text
    assert "&lt;wind&gt;" in text
    assert "<wind>" not in text
    assert "&lt;Hostile instance at" in text
    assert "&lt;list whose repr() raises ZeroDivisionError&gt;" in text
    assert len(text) < 60_000


def test_secrets_are_masked_by_name():
    text = page(fail)
    assert "<td>password</td><td>" + MASK in text
    # The source lines show themselves what they say; the values in the table of locals do not.
    table = text.rpartition("<summary>")[2]
    assert "hunter" not in table


def test_secrets_of_the_settings_are_masked_wherever_they_are():
    secrets = {"cookie_secret": {1: "s3cr3t-one", 2: b"s3cr3t-two"}, "google_oauth": {"key": "<s3cr3t-3>"}}
    text = page(lambda: fail("s3cr3t-one s3cr3t-two <s3cr3t-3>"), {**secrets, "port": 8888})
    assert not {"s3cr3t-one", "s3cr3t-two", "&lt;s3cr3t-3&gt;"} & set(re.findall(r"(?:&lt;)?s3cr3t-\w+(?:&gt;)?", text))
    assert f"ValueError: (&#x27;{MASK} {MASK} {MASK}&#x27;, 4)" in text or f"ValueError: (&#39;{MASK} {MASK}" in text
    assert "8888" in text
    assert f"<td>cookie_secret</td><td>{MASK}</td>" in text


def test_a_short_secret_does_not_mask_the_page():
    assert "ValueError" in page(fail, {"secret": "e", "token": ""})


def test_the_request_is_shown_without_its_secrets():
    shown = page(fail, request=request(Cookie="id=hunter5", Authorization="Basic hunter6", Accept="text/html"))
    request_part = shown.partition("<h2>Request</h2>")[2]
    assert "text/html" in request_part
    assert "b&#x27;1&#x27;" in request_part or "b&#39;1&#39;" in request_part
    assert "hunter" not in request_part


def test_a_query_that_cannot_be_read_is_left_out():
    headers = HTTPHeaders({"Host": "localhost"})
    crowded = request_of("GET", "/?" + "&" * 2000, "HTTP/1.1", headers, None, None)
    assert "Header fields" in page(fail, request=crowded)


def test_what_led_to_it_is_shown_first():
    def chained():
        try:
            raise KeyError("first")
        except KeyError as error:
            raise OSError("second") from error

    def handled():
        try:
            raise KeyError("first")
        except KeyError:
            raise OSError("second")  # noqa: B904

    text = page(chained)
    assert text.index("KeyError") < text.index("This was raised from") < text.index("OSError: second")
    assert "While that was handled" in page(handled)


def test_a_circle_of_causes_ends():
    def circle():
        one, other = KeyError("one"), OSError("other")
        one.__cause__, other.__cause__ = other, one
        raise one

    assert "OSError: other" in page(circle)


def test_a_deep_recursion_is_cut():
    def recurse():
        recurse()

    assert page(recurse).count("<details>") == 50


def test_without_source_there_are_locals():
    code = compile("x = 7\nraise KeyError(x)", "<made up>", "exec")
    text = page(lambda: exec(code, {}))
    assert "&lt;made up&gt;, line 2" in text


def test_without_an_exception_there_is_no_page():
    with pytest.raises(ValueError, match="needs the exception"):
        debug_page(ErrorReport(500, "Oops"))


@pytest.mark.parametrize(
    ("host", "ip", "local"),
    [
        ("localhost", "127.0.0.1", True),
        ("app.localhost", "::1", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("localhost", "192.0.2.1", False),
        ("evil.example", "127.0.0.1", False),
        ("localhost.evil.example", "127.0.0.1", False),
        ("localhost", None, False),
        ("dev.example", "192.0.2.1", True),
    ],
)
def test_159_this_machine_by_its_own_name(host, ip, local):
    asked = SimpleNamespace(host_name=host, remote_ip=ip)
    assert is_local_request(asked, ("dev.example",)) is local


@pytest.mark.parametrize(
    "name", ["password", "passwd", "DB_PASSWORD", "cookie_secret", "X-Csrftoken", "api-key", "Set-Cookie", "pass"]
)
def test_names_of_secrets(name):
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["path", "host", "compass", 7, None, "wind"])
def test_names_of_others(name):
    assert not is_secret_name(name)
