"""The access log of an application that is served."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from gustnado.events.sockets import bind_sockets
from gustnado.http.server import HTTPServer
from gustnado.web import Application, RequestHandler
from gustnado.web.access_format import AccessFormatError
from gustnado.web.access_log import AccessLog


class Pages(RequestHandler):
    async def get(self, what: str) -> None:
        if what == "chunks":
            for _ in range(3):
                self.write("x" * 100)
                await self.flush()
        elif what == "big":
            self.write(b"x" * 200_000)
        else:
            self.write("hello")

    def head(self, what: str) -> None:
        self.write("hello")


async def serve(app: Application, *requests: bytes, **options: Any) -> None:
    server = HTTPServer(app, **options)
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    for request in requests:
        reader, writer = await asyncio.open_connection("127.0.0.1", sockets[0].getsockname()[1])
        writer.write(request)
        writer.write_eof()
        await reader.read()
        writer.close()
    await server.shutdown(5)


def ask(line: str, fields: str = "") -> bytes:
    return f"{line} HTTP/1.1\r\nHost: x\r\n{fields}\r\n".encode("latin-1")


def lines(run, tmp_path, format: str, *requests: bytes, **options: Any) -> list[str]:
    log = AccessLog(tmp_path / "access.log", format)
    run(serve(Application([("/(.*)", Pages)], log_function=log), *requests, **options))
    log.close()
    return (tmp_path / "access.log").read_text().splitlines()


def test_a_line_for_each_request_in_order(run, tmp_path) -> None:
    made = lines(run, tmp_path, "{status} {uri}", ask("GET /a") + ask("GET /b"), ask("POST /c"))
    assert made == ["200 /a", "200 /b", "405 /c"]


def test_bytes_are_those_of_the_body(run, tmp_path) -> None:
    requests = [ask(f"GET /{what}") for what in ("hello", "chunks", "big")] + [ask("HEAD /hello")]
    made = lines(run, tmp_path, "{method} {path} {bytes}", *requests)
    assert made == ["GET /hello 5", "GET /chunks 300", "GET /big 200000", "HEAD /hello 0"]


def test_json_lines(run, tmp_path) -> None:
    (made,) = lines(run, tmp_path, "json:remote_ip status header:X", ask("GET /", 'X: a"b\x9b\r\n'))
    assert json.loads(made) == {"remote_ip": "127.0.0.1", "status": 200, "header:X": 'a"b\x9b'}
    assert made.isprintable()


def test_the_request_id_comes_from_the_trusted_header_only(run, tmp_path) -> None:
    request = ask("GET /", "X-Request-Id: from-proxy\r\n")
    assert lines(run, tmp_path, "{request_id}", request, request_id_header="X-Request-ID") == ["from-proxy"]
    first, second, third = lines(run, tmp_path, "{request_id}", request + request)
    assert first == "from-proxy"
    assert second.rpartition("-")[0] == third.rpartition("-")[0]
    assert second != third


def test_a_line_that_cannot_be_made_costs_itself_only(run, tmp_path, expect_log) -> None:
    log = AccessLog(tmp_path / "access.log")
    with expect_log("gustnado.application", "no line for"):
        log(object())
    log.close()
    assert (tmp_path / "access.log").read_text() == ""


def test_rotation(run, tmp_path) -> None:
    log = AccessLog(tmp_path / "access.log", "{uri}")
    app = Application([("/(.*)", Pages)], log_function=log)
    run(serve(app, ask("GET /old")))
    (tmp_path / "access.log").rename(tmp_path / "access.log.1")
    log.reopen()
    run(serve(app, ask("GET /new")))
    log.close()
    assert (tmp_path / "access.log.1").read_text() == "/old\n"
    assert (tmp_path / "access.log").read_text() == "/new\n"


def test_a_bad_format_is_told_before_anything_is_opened(tmp_path) -> None:
    with pytest.raises(AccessFormatError):
        AccessLog(tmp_path / "access.log", "{nonsense}")
    assert not list(tmp_path.iterdir())


def test_the_settings_of_tornado_keep_their_meaning(run, caplog) -> None:
    seen: list[str] = []
    run(serve(Application([("/(.*)", Pages)], log_function=lambda h: seen.append(h.request.uri)), ask("GET /a")))
    run(serve(Application([("/(.*)", Pages)], log_function=None), ask("GET /b")))
    assert seen == ["/a"]
    assert not [record for record in caplog.records if record.name == "gustnado.access"]
