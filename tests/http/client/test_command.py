"""``python -m gustnado.http.client``."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from gustnado.http.client.command import main
from gustnado.options import Error


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        status = {"/missing": 404, "/moved": 302}.get(self.path, 200)
        body = f"this is {self.path}".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Location", "/there")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_bodies_are_printed(url, capsys):
    main(["program", f"{url}/a", f"{url}/moved", f"{url}/missing"])
    assert capsys.readouterr().out == "this is /a\nthis is /there\nthis is /missing\n"


def test_options(url, capsys):
    main(["program", "--print_headers", "--print_body=false", "--follow_redirects=false", f"{url}/moved"])
    out = capsys.readouterr().out
    assert "Location: /there\n" in out
    assert "this is" not in out


def test_options_that_are_none(url):
    with pytest.raises(Error):
        main(["program", "--wind=1"])


def test_as_a_program(url):
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-m", "gustnado.http.client", f"{url}/a"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.stdout, ran.stderr, ran.returncode) == ("this is /a\n", "", 0)
