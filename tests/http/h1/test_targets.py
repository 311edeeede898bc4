"""Request targets and hosts (RFC 9112 section 3); whole requests are in test_parser.py."""

from __future__ import annotations

import pytest

from gustnado.errors import HTTPInputError
from gustnado.http.h1.targets import check_host, resolve_target


@pytest.mark.parametrize(
    "host",
    [
        "",
        "a",
        "example.org",
        "example.org:80",
        "127.0.0.1:1",
        "[::1]",
        "[::1]:8888",
        "xn--a-b.example",
        "a_b",
        "%41",
        "a:",
    ],
)
def test_good_hosts(host: str) -> None:
    assert check_host(host) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    "host",
    [
        "a b",
        "a,b",
        "u@a",
        "a/b",
        "a?b",
        "a#b",
        "a\\b",
        "a:b",
        "a:1:2",
        "a:65536",
        "a:999999",
        "[::1",
        "::1",
        "[a",
        "[fe80::1%eth0]",
        "a\x00",
        "\xe4",
        "%4",
        "<a>",
        '"a"',
        "a" * 256,
    ],
)
def test_row_20_bad_hosts(host: str) -> None:
    with pytest.raises(HTTPInputError, match="Host"):
        check_host(host)


@pytest.mark.parametrize(
    ("method", "target", "resolved"),
    [
        ("GET", "/", ("/", None)),
        ("GET", "//a", ("//a", None)),
        ("GET", "/a?b=http://c/", ("/a?b=http://c/", None)),
        ("GET", '/\\|{}^`"<>', ('/\\|{}^`"<>', None)),
        ("OPTIONS", "*", ("*", None)),
        ("GET", "HTTP://a:80/b", ("/b", "a:80")),
        ("GET", "https://a", ("/", "a")),
        ("GET", "http://a?b/c", ("/?b/c", "a")),
        ("OPTIONS", "http://a", ("*", "a")),
        ("CONNECT", "a:443", ("a:443", "a:443")),
        ("CONNECT", "[::1]:443", ("[::1]:443", "[::1]:443")),
    ],
)
def test_four_forms(method: str, target: str, resolved: tuple[str, str | None]) -> None:
    assert resolve_target(method, target) == resolved


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "*"),
        ("GET", "a"),
        ("GET", "a:80"),
        ("GET", "http://"),
        ("GET", "http://:80/"),
        ("GET", "http://u@a/"),
        ("GET", "ftp://a/"),
        ("GET", "http:/a"),
        ("GET", "?a"),
        ("CONNECT", "a"),
        ("CONNECT", "a:"),
        ("CONNECT", ":80"),
        ("CONNECT", "/a"),
        ("CONNECT", "u@a:80"),
        ("OPTIONS", "**"),
    ],
)
def test_rows_15_17_18_19_bad_targets(method: str, target: str) -> None:
    with pytest.raises(HTTPInputError):
        resolve_target(method, target)
