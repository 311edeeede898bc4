"""What README.md shows works, and the other papers agree with it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import gustnado


def test_its_program_serves(root, tmp_path, free_port, fetch):
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
