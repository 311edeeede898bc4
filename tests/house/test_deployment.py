"""What docs/deployment.rst shows works: its blocks are run as they stand there, but for places and ports."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from gustnado.cli.run import run

DEADLINE = 60.0  # seconds; only what hangs meets it
SHOP = """
    from gustnado.web import Application, RequestHandler

    class Hello(RequestHandler):
        def get(self):
            self.write(f"{self.request.remote_ip} {self.request.protocol} {self.request.host}")

    def make_app():
        return Application([("/", Hello)])

    app = make_app()
"""


@pytest.fixture(scope="module")
def page():
    """The text of the page."""
    with open(os.path.join(os.path.dirname(__file__), "../../docs/deployment.rst"), encoding="utf-8") as file:
        return file.read()


def blocks(page, kind):
    """The blocks of a language, without their indentation."""
    found = re.findall(rf"^\.\. code-block:: {kind}\n\n((?:    .*\n|\n)+)", page, re.MULTILINE)
    return [textwrap.dedent(block) for block in found]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shop.py").write_text(textwrap.dedent(SHOP))
    return tmp_path


@pytest.fixture
def start(folder):
    """``start(*command)`` runs a program in the folder, and ends it after the test."""
    programs = []

    def begin(*command, **options):
        program = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, **options)
        programs.append(program)
        return program

    yield begin
    for program in reversed(programs):
        program.send_signal(signal.SIGTERM)
        _, errors = program.communicate(timeout=DEADLINE)
        assert "Traceback" not in errors


def examples(text):
    """Arguments of each ``gustnado run`` in a text."""
    lines = re.findall(r"^ +gustnado run (.*)$", text, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


def test_each_example_of_the_command_is_understood(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gustnado.toml").write_text(blocks(page, "toml")[0])
    found = [*examples(page), json.loads(re.search(r"^    CMD (\[.*\])$", page, re.MULTILINE)[1])[2:]]
    assert len(found) >= 8
    for words in found:
        with run.make_context("run", words) as context:
            assert str(context.params["app"]).startswith("shop:")


def test_each_example_of_the_help_is_understood(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = [words for words in examples(run.epilog or "") if "--config" not in words]
    assert len(found) >= 4
    for words in found:
        run.make_context("run", words)


def test_nginx_in_front_of_the_configuration_file(page, folder, start, free_port, fetch):
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed")
    (folder / "gustnado.toml").write_text(blocks(page, "toml")[0])
    site = blocks(page, "nginx")[0].replace("/srv/shop", str(folder)).replace("8080", f"127.0.0.1:{free_port}")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    http = f"access_log off;\n{temporary}{site}"
    user = "user root;\n" if os.geteuid() == 0 else ""  # as the folder of a test is its user's only
    (folder / "nginx.conf").write_text(
        f"{user}daemon off;\npid {folder}/nginx.pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n{http}}}\n"
    )
    program = start(sys.executable, "-m", "gustnado", "run", "--config", "gustnado.toml")
    while not (folder / "web.sock").exists():
        assert program.poll() is None, program.communicate()
        time.sleep(0.02)
    nginx = start("nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr")
    assert fetch(f"http://127.0.0.1:{free_port}/", nginx) == f"127.0.0.1 http 127.0.0.1:{free_port}".encode()
    program.send_signal(signal.SIGTERM)
    program.wait(DEADLINE)
    (line,) = [json.loads(line) for line in (folder / "access.log").read_text().splitlines()]
    assert (line["remote_ip"], line["uri"], line["status"]) == ("127.0.0.1", "/", 200)


@pytest.fixture
def units(page):
    """The sections of the two units of systemd."""
    parsed = []
    for block in blocks(page, "ini"):
        unit = configparser.ConfigParser(interpolation=None)
        unit.optionxform = str  # type: ignore[assignment]
        unit.read_string(block)
        parsed.append(unit)
    return parsed


def test_the_service_is_started_by_systemd_s_socket(units, start, free_port, fetch):
    if shutil.which("systemd-socket-activate") is None:
        pytest.skip("systemd-socket-activate is not installed")
    words = shlex.split(units[1]["Service"]["ExecStart"])
    assert words[0].endswith("/gustnado")
    program = start(
        "systemd-socket-activate", "-l", f"127.0.0.1:{free_port}", "-E", "PATH",
        sys.executable, "-m", "gustnado", *words[1:],
    )  # fmt: skip
    assert fetch(f"http://127.0.0.1:{free_port}/", program) == f"127.0.0.1 http 127.0.0.1:{free_port}".encode()


def test_systemd_understands_the_units(page, tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    socket_unit, service = blocks(page, "ini")
    (tmp_path / "shop.socket").write_text(socket_unit)
    service = service.replace("/srv/shop/.venv/bin/gustnado", sys.executable).replace("User=shop\n", "")
    (tmp_path / "shop.service").write_text(service.replace("/srv/shop", "/tmp"))
    options = ["--man=no", "--recursive-errors=no"]
    command = ["systemd-analyze", "verify", *options, tmp_path / "shop.socket", tmp_path / "shop.service"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not [line for line in done.stderr.splitlines() if "shop." in line], done.stderr


def test_the_command_of_the_container(page, folder, start, free_port, fetch):
    """What an image runs, with its environment, but on an address of this machine's own."""
    image = blocks(page, "docker")[0]
    settings = re.findall(r"^ENV (.*)$", image, re.MULTILINE)
    variables = dict(pair.split("=", 1) for line in settings for pair in line.split())
    assert variables.pop("GUSTNADO_HOST") == "0.0.0.0"
    assert re.search(r"^EXPOSE 8000$", image, re.MULTILINE)  # the default of --port
    name, *words = json.loads(re.search(r"^CMD (.*)$", image, re.MULTILINE)[1])
    assert name == "gustnado"
    environment = {**os.environ, **variables, "GUSTNADO_PORT": str(free_port)}
    program = start(sys.executable, "-m", "gustnado", *words, env=environment, stdout=subprocess.PIPE)
    assert fetch(f"http://127.0.0.1:{free_port}/", program) == f"127.0.0.1 http 127.0.0.1:{free_port}".encode()
    program.send_signal(signal.SIGTERM)
    assert program.wait(DEADLINE) == 0
    (line,) = map(json.loads, program.stdout.read().splitlines())
    assert (line["uri"], line["status"]) == ("/", 200)


def test_the_statuses_and_times_of_the_service_fit(units):
    from gustnado.cli.config import RunConfig
    from gustnado.cli.supervisor import CANNOT_START

    service = units[1]["Service"]
    assert int(service["RestartPreventExitStatus"]) == CANNOT_START
    assert float(service["TimeoutStopSec"]) > RunConfig(app="").grace + 5  # after which the supervisor kills
