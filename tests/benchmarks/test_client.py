from __future__ import annotations

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from benchmarks import client
from benchmarks.environment import HERE
from benchmarks.errors import HarnessError
from benchmarks.figures import Figure, Round


def figure(name, *microseconds):
    return Figure("client_get", name, tuple(Round(cpu, 1, 1.0, 1.0, 1.0) for cpu in microseconds))


def serve(body):
    """A server in a thread that answers all requests with ``body``."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


def fetch(body, manner):
    server = serve(body)
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        command = [sys.executable, str(HERE / "programs/client_get.py"), manner, url, "0.2"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("manner", ["gustnado", "aiohttp", "httpx"])
def test_clients_print_what_they_did(manner):
    pytest.importorskip("uvloop")
    found = fetch(b"Hello, world!", manner)
    assert client.parse_output(found.stdout, 1).cpu > 0, found.stderr


def test_a_wrong_answer_ends_the_program():
    pytest.importorskip("uvloop")
    found = fetch(b"Hello, wind!", "gustnado")
    assert found.returncode != 0
    assert "another body" in found.stderr


@pytest.mark.parametrize("output", ["", "0 5\n", "x y\n", "1 2 3\n"])
def test_output_of_something_else(output):
    with pytest.raises(HarnessError, match="printed"):
        client.parse_output(output, 1)


def test_the_table_says_whether_the_goal_was_met():
    text = client.render([figure("gustnado", 20.0, 10.0, 30.0), figure("aiohttp", 50.0)])
    assert "| Gustnado | 20.0 | 10.0 - 30.0 | 0.40 |" in text
    assert "0.40: met." in text
    assert "0.50: missed." in client.render([figure("gustnado", 25.0), figure("aiohttp", 50.0)])
    assert "Goal" not in client.render([figure("gustnado", 25.0)])


def test_lengths_that_are_none(capsys):
    with pytest.raises(SystemExit):
        client.main(["--rounds", "0"])
    assert "--rounds must be at least 1" in capsys.readouterr().err
