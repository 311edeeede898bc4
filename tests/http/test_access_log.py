"""The access log: levels, and lines that nobody can forge."""

from __future__ import annotations

import logging

import pytest

from gustnado.http.access_log import log_access, summarize


@pytest.mark.parametrize(
    ("status", "level"),
    [
        (101, "INFO"),
        (200, "INFO"),
        (304, "INFO"),
        (399, "INFO"),
        (400, "WARNING"),
        (499, "WARNING"),
        (500, "ERROR"),
    ],
)
def test_the_level_follows_the_status(caplog, status: int, level: str) -> None:
    with caplog.at_level(logging.INFO, "gustnado.access"):
        log_access(status, "GET", "/", "192.0.2.7", 0.0015)
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("gustnado.access", level)
    assert record.getMessage() == f"{status} GET / (192.0.2.7) 1.50ms"


def test_nothing_is_made_for_a_log_that_is_off(caplog) -> None:
    with caplog.at_level(logging.WARNING, "gustnado.access"):
        log_access(200, "GET", "/", "192.0.2.7", 0.001)
    assert not caplog.records


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("/a?b=c", "/a?b=c"),
        ("/%0d%0aGET", "/%0d%0aGET"),
        ("/a\r\nGET /admin", r"/a\r\nGET /admin"),
        ("/\x1b[2J", r"/\x1b[2J"),
        ("/\u202egnp", r"/\u202egnp"),
        ("/\x00", r"/\x00"),
        ("/\udc80", r"/\udc80"),
        (None, "None"),
    ],
)
def test_row_66_what_could_forge_or_hide_a_line_is_escaped(uri: str | None, shown: str) -> None:
    line = summarize("GET", uri, "192.0.2.7")
    assert line == f"GET {shown} (192.0.2.7)"
    assert line.isprintable()


def test_letters_of_the_world_are_shown_as_they_are() -> None:
    assert summarize("GET", "/größe", "::1") == "GET /größe (::1)"


def test_a_line_is_not_endless() -> None:
    line = summarize("GET", "/" + "a" * 100_000, "192.0.2.7")
    assert len(line) < 2100
    assert line.endswith("...")
    assert len(summarize("GET", "/" + "\n" * 100_000, "192.0.2.7")) < 2100
