"""What docs/migrating.md and docs/websockets.md show works: their programs print what stands below them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGES = [Path(__file__).parents[2] / "docs" / name for name in ("migrating.md", "websockets.md")]
MIGRATING = PAGES[0]
BLOCK = re.compile(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PROGRAM = "import sys, tornado\nprint(tornado.__name__, sys.argv[1:])\n"


def examples(page):
    """Each program of a page, how it is run, and what it is to print; the section in which it stands is its name."""
    text = page.read_text(encoding="utf-8")
    found = list(BLOCK.finditer(text))
    for program, printed in zip(found[::2], found[1::2], strict=True):
        if program[1] == "text" or printed[1] != "text":
            raise ValueError(f"no program and what it prints: {program[0]}")
        section = re.findall(r"^##+ (.+)$", text[: program.start()], re.MULTILINE)[-1]
        yield pytest.param(program[1], program[2], program[3], printed[3], id=section)


@pytest.mark.parametrize(
    ("language", "way", "program", "printed"), [example for page in PAGES for example in examples(page)]
)
def test_a_program_prints_what_stands_below_it(language, way, program, printed, tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "example.py").write_text(program, encoding="utf-8")
    module = ["-m", "gustnado.as_tornado"] if way == "as_tornado" else []
    command = ["sh", "-ec", program] if language == "sh" else [sys.executable, *module, "example.py"]
    # As with `python -m pytest`, which need not be the first on PATH.
    path = f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONIOENCODING": "utf-8"}
    for name in ("GUSTNADO_AS_TORNADO", "PYTHONPATH", "GUSTNADO_LOOP"):
        environment.pop(name, None)
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", check=False, timeout=100
    )
    assert done.stdout == printed, done.stderr
    assert done.returncode == 0


def test_its_links_lead_somewhere():
    text = MIGRATING.read_text(encoding="utf-8")
    headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^##+ (.+)$", text, re.MULTILINE)}
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert links
    for link in links:
        file, _, heading = link.partition("#")
        assert (MIGRATING.parent / file).exists()
        assert not heading or heading in headings


def test_names_that_it_says_are_not_there_are_not():
    """And those in their place are."""
    import gustnado.events
    import gustnado.tornado.auth
    import gustnado.tornado.ioloop
    import gustnado.tornado.netutil

    table = re.findall(
        r"^\| (.+) \| (.+) \|$", MIGRATING.read_text(encoding="utf-8").partition("## Names that")[2], re.MULTILINE
    )
    absent = [name for row, _ in table[2:] for name in re.findall(r"`([\w.]+)`", row)]
    assert len(absent) > 10
    modules = {"ioloop": gustnado.tornado.ioloop, "netutil": gustnado.tornado.netutil, "auth": gustnado.tornado.auth}
    for name in absent:
        owner, _, last = name.rpartition(".")
        holder = gustnado.events.IOLoop if owner == "IOLoop" else modules.get(owner, gustnado.tornado)
        assert not hasattr(holder, last), name
    assert hasattr(gustnado.events.IOLoop, "set_blocking_log_threshold")
