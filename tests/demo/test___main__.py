from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from demo.__main__ import main

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(database: Path, port: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-u", "-m", "demo", "--address", "127.0.0.1", "--port", str(port)]
    return subprocess.Popen(
        [*command, "--database", str(database)],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONWARNINGS": "error::ResourceWarning"},
    )


def test_the_help_teaches():
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert all(word in result.output for word in ("--port", "8888", "--database", "Examples:"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_tells_its_address_serves_and_ends_cleanly_on_a_signal(tmp_path, number):
    port = free_port()
    process = start(tmp_path / "new" / "demo.sqlite3", port)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert re.match(rf"Serving on http://127\.0\.0\.1:{port} ", line), process.communicate()
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        assert client.get("/").status_code == 200
        process.send_signal(number)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (0, "")
    assert "Traceback" not in errors
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"demo.sqlite3", "cookie_secret"}


def test_a_port_in_use_is_told_in_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start(tmp_path / "demo.sqlite3", taken.getsockname()[1])
        output, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert output == ""
    assert re.fullmatch(r"Error: cannot listen on 127\.0\.0\.1 port \d+: address already in use\n", errors)


def test_a_database_that_is_none_is_told_in_one_line(tmp_path):
    (tmp_path / "demo.sqlite3").write_text("no database" * 500)
    result = CliRunner().invoke(main, ["--database", str(tmp_path / "demo.sqlite3")])
    assert result.exit_code == 1
    assert re.fullmatch(r"Error: cannot use the database .*: file is not a database\n", result.output)


def test_a_folder_that_cannot_be_made_is_told_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(main, ["--database", str(tmp_path / "file" / "demo.sqlite3")])
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
