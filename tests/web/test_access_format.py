from __future__ import annotations

import json
import re
import time
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.http.headers import HTTPHeaders
from gustnado.web.access_format import FORMATS, AccessFormatError, compile_format

ATOMS = (
    "remote_ip method uri path query version host scheme status bytes ms us seconds time clf_time request_id"
    " handler pid header:User-Agent response:Content-Type"
).split()


class Shop:
    def __init__(self, **request: Any) -> None:
        told: dict[str, Any] = {
            "remote_ip": "192.0.2.7",
            "method": "GET",
            "uri": "/a?b=c",
            "path": "/a",
            "query": "b=c",
            "version": "HTTP/1.1",
            "host": "example.org",
            "protocol": "https",
            "headers": HTTPHeaders({"User-Agent": "curl/8"}),
            "connection": SimpleNamespace(body_sent=17),
            "request_time": lambda: 0.0015204,
            "request_id": "id-1",
        }
        self.request = SimpleNamespace(**{**told, **request})
        self._headers = HTTPHeaders({"Content-Type": "text/html"})

    def get_status(self) -> int:
        return 200


class Headers(dict):
    """Header fields that hold what no parser lets through."""


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1795806851.1239)


def line(format: str, **request: Any) -> str:
    return compile_format(format)(Shop(**request))


@pytest.mark.parametrize(
    ("format", "expected"),
    [
        ("", ""),
        ("text", "text"),
        ("{{{status}}}", "{200}"),
        ("{method}{uri}", "GET/a?b=c"),
        ("{path} {query} {version} {host} {scheme}", "/a b=c HTTP/1.1 example.org https"),
        ("{bytes} {ms} {us} {seconds}", "17 1.52 1520 0.001520"),
        ("{time} [{clf_time}]", "2026-11-27T19:14:11.123Z [27/Nov/2026:19:14:11 +0000]"),
        ("{request_id} {handler}", "id-1 Shop"),
        ("{header:user-agent} {response:Content-Type} {header:Referer}", "curl/8 text/html -"),
        ("größe {status} \\ \n'%s", "größe 200 \\ \n'%s"),
        ("common", '192.0.2.7 - - [27/Nov/2026:19:14:11 +0000] "GET /a?b=c HTTP/1.1" 200 17'),
        ("combined", '192.0.2.7 - - [27/Nov/2026:19:14:11 +0000] "GET /a?b=c HTTP/1.1" 200 17 "-" "curl/8"'),
        ("default", '2026-11-27T19:14:11.123Z 192.0.2.7 "GET /a?b=c HTTP/1.1" 200 17 1.52ms id-1'),
    ],
)
def test_a_format_is_text_with_atoms(format: str, expected: str) -> None:
    assert line(format) == expected


def test_the_process_is_told() -> None:
    assert line("{pid}").isdigit()


def test_each_atom_works_in_text_and_in_json() -> None:
    for atom in ATOMS:
        assert line(f"{{{atom}}}")
        assert list(json.loads(line(f"json:{atom}"))) == [atom]


def test_json_has_numbers_and_null() -> None:
    assert json.loads(line("json", remote_ip=None)) == {
        "time": "2026-11-27T19:14:11.123Z",
        "remote_ip": None,
        "method": "GET",
        "uri": "/a?b=c",
        "version": "HTTP/1.1",
        "status": 200,
        "bytes": 17,
        "ms": 1.52,
        "request_id": "id-1",
    }
    assert json.loads(line("json:header:X header:User-Agent us")) == {
        "header:X": None,
        "header:User-Agent": "curl/8",
        "us": 1520,
    }


@pytest.mark.parametrize(
    ("format", "message"),
    [
        ("{stauts}", r"unknown atom \{stauts\}; did you mean \{status\}\?"),
        ("{zzz}", r"unknown atom \{zzz\}; known: remote_ip, "),
        ("{}", "unknown atom"),
        ("{header:}", "unknown atom"),
        ("{header:a b}", "unknown atom"),
        ("{header:x'+exit()+'}", "unknown atom"),
        ("{status!r}", "unknown atom"),
        ("a { b", r"single '\{' at character 2"),
        ("a } b", r"single '\}' at character 2"),
        ("{a{b}}", r"single '\{' at character 0"),
        ("json:", "wants atoms"),
        ("json:status foo", r"unknown atom \{foo\}"),
    ],
)
def test_what_is_no_format_is_refused_with_its_place(format: str, message: str) -> None:
    with pytest.raises(AccessFormatError, match=message):
        compile_format(format)


@pytest.mark.parametrize(
    ("uri", "quoted", "bare"),
    [
        ("/a\r\nGET", r"/a\x0d\x0aGET", r"/a\x0d\x0aGET"),
        ("/\x1b[2J\x9b", r"/\x1b[2J\x9b", r"/\x1b[2J\x9b"),
        ("/\u202egnp\U000e0001", r"/\u202egnp\U000e0001", r"/\u202egnp\U000e0001"),
        ('/" 200 0', r"/\" 200 0", r"/\"\x20200\x200"),
        ("/\\", r"/\\", r"/\\"),
        ("/\udc80", r"/\udc80", r"/\udc80"),
        ("", "", "-"),
        (None, "-", "-"),
        ("/größe", "/größe", "/größe"),
    ],
)
def test_row_66_nobody_forges_a_line_or_a_field(uri: str | None, quoted: str, bare: str) -> None:
    assert line('"{uri}"', uri=uri) == f'"{quoted}"'
    assert line("{uri}", uri=uri) == bare


def test_a_value_is_cut() -> None:
    assert line("{uri}", uri="a" * 100_000) == "a" * 2048 + "..."
    assert len(line("{uri}", uri="\n" * 100_000)) < 2048 * 4 + 4
    assert json.loads(line("json:uri", uri="a" * 100_000))["uri"] == "a" * 2048 + "..."


def test_one_value_that_needs_escapes_does_not_change_the_others() -> None:
    headers = HTTPHeaders({"User-Agent": 'a"b'})
    assert line('"{header:User-Agent}" "{uri}"', headers=headers) == '"a\\"b" "/a?b=c"'


@given(st.text(), st.text(), st.text())
def test_a_line_can_be_taken_apart_again(method: str, uri: str, agent: str) -> None:
    headers = Headers({"User-Agent": agent})
    for format in ("combined", "{method} {uri} {header:User-Agent}"):
        made = line(format, method=method, uri=uri, headers=headers)
        assert made.isprintable()
    assert len(made.split(" ")) == 3
    quoted = line('"{method}" "{uri}" "{header:User-Agent}"', method=method, uri=uri, headers=headers)
    assert re.fullmatch(r'"(?:[^"\\]|\\.)*" "(?:[^"\\]|\\.)*" "(?:[^"\\]|\\.)*"', quoted)


@given(st.text(max_size=2048), st.one_of(st.none(), st.text(max_size=100)))
def test_json_gives_back_what_went_in(uri: str, agent: str | None) -> None:
    headers = Headers({} if agent is None else {"User-Agent": agent})
    made = line("json:uri header:User-Agent status", uri=uri, headers=headers)
    assert made.isprintable()
    assert json.loads(made) == {"uri": uri, "header:User-Agent": agent, "status": 200}


def test_names_of_formats_are_formats() -> None:
    for name in FORMATS:
        assert line(name)


def test_the_second_turns(monkeypatch) -> None:
    made = compile_format("{time} {clf_time}")
    times = [1795806851.9999, 1795806852.0]
    monkeypatch.setattr(time, "time", lambda: times[0])
    first = made(Shop())
    times.pop(0)
    assert first == "2026-11-27T19:14:11.999Z 27/Nov/2026:19:14:11 +0000"
    assert made(Shop()) == "2026-11-27T19:14:12.000Z 27/Nov/2026:19:14:12 +0000"
