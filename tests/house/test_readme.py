"""What README.md shows works, and the other papers agree with it."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request

import pytest

import gustnado

DEADLINE = 30.0  # seconds; only a program that never serves meets it


@pytest.fixture
def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def fetch(url, program):
    """The body of the answer, as soon as the program accepts connections."""
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=DEADLINE) as response:
                return response.read()
        except urllib.error.URLError:
            if program.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def test_its_program_serves(root, tmp_path, free_port):
    blocks = re.findall(r"```python\n(.*?)```", (root / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    file = tmp_path / "program.py"
    file.write_text(blocks[0].replace("8888", str(free_port)), encoding="utf-8")
    with subprocess.Popen([sys.executable, str(file)]) as program:
        try:
            assert fetch(f"http://127.0.0.1:{free_port}/", program) == b"Hello, world\n"
            assert fetch(f"http://127.0.0.1:{free_port}/moon", program) == b"Hello, moon\n"
        finally:
            program.terminate()


def test_its_links_lead_somewhere(root):
    links = re.findall(r"\]\((?!http)([^)#]+)\)", (root / "README.md").read_text(encoding="utf-8"))
    assert links
    assert not [link for link in links if not (root / link).exists()]


def test_there_is_one_version(root):
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert gustnado.__version__ == project["version"]
    assert f"\n## {project['version']} (" in (root / "CHANGELOG.md").read_text(encoding="utf-8")
