"""Finds Pythons, makes virtual environments, and says whether C extensions can be compiled.

It needs no root and nothing but a Python 3.7 or newer of any kind to start it::

    python3 .ci/environment.py list               each usable interpreter, a line each, the oldest first
    python3 .ci/environment.py create DIR [PYTHON]  a virtual environment, of the best of them or of PYTHON
    DIR/bin/python .ci/environment.py extensions  prints 1 if it can compile extensions, else 0 and why not

The best interpreter is the newest release that has its C headers, or else the newest release.
A Debian whose Python lacks ``ensurepip`` (package python3-venv) is served too: by virtualenv or uv where
they are installed, else with pip's own wheel from the package index.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import urllib.request
from pathlib import Path

FLOOR = (3, 11)
PROBE = """
import importlib.util, json, os, sys, sysconfig
print(json.dumps({
    "path": os.path.realpath(getattr(sys, "_base_executable", "") or sys.executable),
    "version": list(sys.version_info[:3]),
    "usable": sys.version_info[3] == "final" and not sysconfig.get_config_var("Py_GIL_DISABLED"),
    "headers": os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")),
    "pip": importlib.util.find_spec("pip") is not None,
}))
"""
NO_PYTHON = """\
Gustnado needs Python {floor} or newer and found none on PATH or under ~/.pyenv/versions.
On Debian or Ubuntu:  apt install python3 python3-venv python3-dev
Or name one:          make setup PYTHON=/path/to/python3"""
NO_ENVIRONMENT = """\
{python} could not create a virtual environment in {directory}:
{why}
On Debian or Ubuntu:  apt install python3-venv
Elsewhere:            install virtualenv or uv, or name another Python: make setup PYTHON=/path/to/python3"""
NO_COMPILER = """\
*** No C extensions: a test program did not compile. Gustnado runs interpreted.
*** On Debian or Ubuntu:  apt install gcc python3-dev
"""


def probe(command: str) -> dict | None:
    """What an interpreter says of itself; ``None`` if it does not run (a shim of pyenv, say)."""
    try:
        answer = subprocess.run([command, "-c", PROBE], capture_output=True, text=True, check=True)
        return json.loads(answer.stdout)
    except (OSError, subprocess.CalledProcessError, ValueError):
        return None


def candidates() -> list[str]:
    """Every ``python3`` and ``python3.N`` on PATH, then those of pyenv."""
    name = re.compile(r"python3(\.\d+)?$")
    folders = [Path(folder) for folder in os.get_exec_path() if os.path.isdir(folder)]
    found = [str(file) for folder in folders for file in sorted(folder.iterdir()) if name.match(file.name)]
    return found + [str(file) for file in Path.home().glob(".pyenv/versions/3.*/bin/python")]


def interpreters() -> list[dict]:
    """The interpreters that will do, each once, the oldest first."""
    seen = {}
    for command in candidates():
        facts = probe(command)
        if facts and facts["usable"] and tuple(facts["version"]) >= FLOOR:
            seen.setdefault(facts["path"], facts)
    return sorted(seen.values(), key=lambda facts: facts["version"])


def choose(wanted: str) -> str:
    """The path of the interpreter to use: the one that is wanted, or the best."""
    if wanted:
        facts = probe(shutil.which(wanted) or wanted)
        if not facts:
            sys.exit(f"PYTHON={wanted} does not run")
        if tuple(facts["version"]) < FLOOR:
            sys.exit(
                f"PYTHON={wanted} is Python {'.'.join(map(str, facts['version']))}, but 3.11 is the oldest"
            )
        return facts["path"]
    found = interpreters()
    if not found:
        sys.exit(NO_PYTHON.format(floor=".".join(map(str, FLOOR))))
    return max(found, key=lambda facts: (facts["headers"], facts["version"]))["path"]


def install_pip(directory: str) -> None:
    """Give an environment its pip from the package index, as ``ensurepip`` would from its bundle."""
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/")
    request = urllib.request.Request(
        f"{index}/pip/", headers={"Accept": "application/vnd.pypi.simple.v1+json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        files = json.load(answer)["files"]
    wheels = [file for file in files if re.fullmatch(r"pip-[\d.]+-py3-none-any\.whl", file["filename"])]
    newest = max(wheels, key=lambda file: [int(n) for n in re.findall(r"\d+", file["filename"])[:-1]])
    with urllib.request.urlopen(newest["url"], timeout=60) as answer:
        content = answer.read()
    if hashlib.sha256(content).hexdigest() != newest["hashes"]["sha256"]:
        raise OSError("pip's wheel does not have the checksum that the index tells")
    with tempfile.TemporaryDirectory() as folder:
        wheel = Path(folder, newest["filename"])
        wheel.write_bytes(content)
        python = str(Path(directory, "bin", "python"))
        subprocess.run([python, f"{wheel}/pip", "install", "-q", str(wheel)], check=True)


def create(directory: str, wanted: str) -> None:
    """Make a virtual environment by the first way that works; a sound one of the wanted Python is kept."""
    existing = probe(str(Path(directory, "bin", "python")))
    sound = existing is not None and existing["pip"]
    if sound and not wanted:
        return
    python = choose(wanted)
    if sound and existing["path"] == python:
        return
    why = []
    ways = [[python, "-m", "venv", "--clear", directory]]
    if shutil.which("virtualenv"):
        ways.append(["virtualenv", "-q", "--clear", "-p", python, directory])
    if shutil.which("uv"):
        ways.append(["uv", "venv", "-q", "--clear", "--seed", "-p", python, directory])
    for way in ways:
        done = subprocess.run(way, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        why.append(f"  {' '.join(way)}: {(done.stdout + done.stderr).strip()}")
    try:
        subprocess.run([python, "-m", "venv", "--clear", "--without-pip", directory], check=True)
        install_pip(directory)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        shutil.rmtree(directory, ignore_errors=True)
        why.append(f"  pip from the package index: {error}")
        sys.exit(NO_ENVIRONMENT.format(python=python, directory=directory, why="\n".join(why)))


def extensions() -> None:
    """Print ``1`` if this interpreter's compiler makes an extension module, else ``0``."""
    compiler = (sysconfig.get_config_var("CC") or "cc").split()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "probe.c")
        source.write_text("#include <Python.h>\nPyObject *PyInit_probe(void) { return NULL; }\n")
        include = sysconfig.get_paths()["include"]
        command = [
            *compiler,
            "-fPIC",
            "-shared",
            f"-I{include}",
            str(source),
            "-o",
            str(Path(folder, "probe.so")),
        ]
        try:
            subprocess.run(command, capture_output=True, text=True, check=True)
        except OSError as error:
            sys.stderr.write(f"{NO_COMPILER}*** {error}\n")
        except subprocess.CalledProcessError as error:
            sys.stderr.write(f"{NO_COMPILER}*** {error.stderr.strip()}\n")
        else:
            print(1)
            return
    print(0)


def main(verb: str, *arguments: str) -> None:
    if verb == "list":
        for facts in interpreters():
            print(".".join(map(str, facts["version"])), facts["path"])
    elif verb == "create":
        create(arguments[0], arguments[1] if len(arguments) > 1 else "")
    elif verb == "extensions":
        extensions()
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["help"]))
