"""What runs programs on Tornado and on Gustnado sees what goes wrong."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from compat.errors import CompatError
from compat.program import Program
from compat.programs import PROGRAMS
from compat.report import render
from compat.running import Outcome, compare, run_once
from compat.serving import LEGS, Place, Server
from compat.session import Figure, Session

ROOT = Path(__file__).parents[2]
SERVER = """
import http.server, sys

class Handler(http.server.BaseHTTPRequestHandler):
    server_version = {server!r}

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"hi")

print({says!r}, flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture
def session(tmp_path):
    """A session whose server is this process, so that nothing has to be started."""
    log = tmp_path / "log.txt"
    log.write_text("")
    place = Place("gustnado", Path(sys.executable), 1, tmp_path)
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield Session(Server(place, process, log))
    process.communicate()


def outcome(session, facts, *, status=0, complaints=(), figures=()):
    copy = Session(session.server, dict(facts), list(figures))
    return Outcome(copy, status, complaints)


def program(file="", drive=lambda session: None, **options):
    return Program("sample", (), lambda place: [str(file), str(place.port)], drive, **options)


class TestCompare:
    def test_equal_runs_pass(self, session):
        compare(program(), outcome(session, {"a": 1}), outcome(session, {"a": 1}))

    @pytest.mark.parametrize(
        ("facts", "options", "message"),
        [
            ({"a": 2}, {}, "a: 1 on tornado, 2 on gustnado"),
            ({}, {}, "a: 1 on tornado, None on gustnado"),
            ({"a": 1, "b": 1}, {}, "b: None on tornado"),
            ({"a": 1}, {"status": -11}, "exit status: 0 on tornado, -11 on gustnado"),
            ({"a": 1}, {"complaints": ["Traceback"]}, "only on gustnado: .*Traceback"),
        ],
    )
    def test_others_do_not(self, session, facts, options, message):
        with pytest.raises(CompatError, match=message):
            compare(program(), outcome(session, {"a": 1}), outcome(session, facts, **options))


class TestSession:
    def test_what_is_not_as_expected_is_an_error(self, session):
        session.expect("sum", 2, 2)
        with pytest.raises(CompatError, match="product: 3, not 4"):
            session.expect("product", 3, 4)

    def test_a_fact_has_one_value(self, session):
        session.note("a", 1)
        with pytest.raises(CompatError, match="already"):
            session.note("a", 1)

    def test_measures(self, session):
        calls = []
        session.measure("nothing", 10, lambda: calls.append(1))
        (figure,) = session.figures
        assert (figure.count, len(calls) > 10) == (10, True)
        assert figure.milliseconds >= 0

    def test_the_other_leg_is_noticed(self, session):
        class Handler(http.server.BaseHTTPRequestHandler):
            server_version = "TornadoServer/6"

            def do_GET(self):
                self.send_response(200)
                self.end_headers()

            def log_message(self, format, *args):
                pass

        with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.handle_request)
            thread.start()
            session.http.base_url = f"http://127.0.0.1:{server.server_port}"
            with pytest.raises(CompatError, match="not by gustnado"):
                session.get("/")
            thread.join()


class TestRunOnce:
    @pytest.fixture(autouse=True)
    def build(self, monkeypatch, tmp_path):
        monkeypatch.setattr("compat.running.BUILD", tmp_path)
        monkeypatch.setitem(LEGS, "gustnado", ())

    def run(self, tmp_path, drive, *, server="Gustnado", says="", **options):
        file = tmp_path / "server.py"
        file.write_text(SERVER.format(server=server, says=says))
        return run_once(program(file, drive, **options), "gustnado", Path(sys.executable))

    def test_drives_it_and_ends_it(self, tmp_path):
        done = self.run(tmp_path, lambda session: session.note("text", session.get("/").text))
        assert done.session.facts["text"] == "hi"
        assert done.status == -15
        assert not done.complaints

    def test_what_a_client_raises_is_told_with_the_log(self, tmp_path):
        with pytest.raises(CompatError, match=r"(?s)sample on gustnado: .*ZeroDivisionError.*a line of its log"):
            self.run(tmp_path, lambda session: 1 / 0, says="a line of its log")

    def test_complaints_are_found(self, tmp_path):
        done = self.run(tmp_path, lambda session: None, says="Error in sys.excepthook:\nException ignored in x")
        assert done.complaints == ["Error in sys.excepthook", "Exception ignored"]

    def test_a_program_that_does_not_serve_is_an_error(self, tmp_path):
        file = tmp_path / "server.py"
        file.write_text("raise SystemExit('no')")
        with pytest.raises(CompatError, match=r"(?s)it does not serve.*no"):
            run_once(program(file), "gustnado", Path(sys.executable))


def test_the_table_has_a_row_for_each_figure(session):
    figures = [Figure("GET /", 10, 2.0, 1.0), Figure("POST /", 10, 4.0, 1.0)]
    halves = [Figure("GET /", 10, 1.0, 0.5), Figure("POST /", 10, 1.0, 0.5)]
    both = (outcome(session, {}, figures=figures), outcome(session, {}, figures=halves))
    table = render([(program(), *both, {"sample": "1.0"})])
    assert "| sample 1.0 | GET /, 10 times | 2.00 | 1.00 | 0.50 | 1.00 | 0.50 | 0.50 |" in table
    assert "|  | POST /, 10 times | 4.00 | 1.00 | 0.25 |" in table


def test_every_program_has_pinned_releases_and_is_told_of():
    text = (ROOT / "compat/README.md").read_text(encoding="utf-8")
    for each in PROGRAMS:
        pins = (ROOT / f"compat/requirements/{each.name}.txt").read_text().split()
        assert pins
        assert all("==" in pin for pin in pins)
        assert f"`{each.name}`" in text


def test_an_unknown_program_is_refused():
    done = subprocess.run(
        [sys.executable, "-m", "compat", "nothing"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no such program: nothing" in done.stderr
