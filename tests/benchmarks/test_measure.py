from __future__ import annotations

import socket
from pathlib import Path

import pytest
from benchmarks import measure
from benchmarks.environment import HERE, Environment
from benchmarks.errors import HarnessError
from benchmarks.figures import Round
from benchmarks.interpreters import Python
from benchmarks.workloads import CONTENDERS, WORKLOADS

HELLO, JSON = (next(one for one in WORKLOADS if one.name == name) for name in ("hello", "json"))


@pytest.fixture
def environment(tmp_path):
    return Environment(Python("/usr/bin/python", "cpython", "3.13.1"), tmp_path, print)


def test_a_server_is_pinned_and_gets_its_port_and_log(environment):
    command = measure.server_command(CONTENDERS["gustnado_log"], environment, 81, Path("/x/log"))
    interpreter, file = str(environment.interpreter), str(HERE / "servers" / "gustnado_server.py")
    assert command == ["taskset", "-c", "0", interpreter, file, "81", "--access-log", "/x/log"]


def test_the_limit_runs_without_python(environment):
    command = measure.server_command(CONTENDERS["limit"], environment, 81, Path("/x/log"))
    assert command[3:] == [str(environment.limit), "81"]


def test_nginx_gets_a_configuration_of_its_own(environment, tmp_path):
    command = measure.server_command(CONTENDERS["nginx"], environment, 81, tmp_path / "log")
    assert command[3:] == ["nginx", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    text = (tmp_path / "nginx.conf").read_text()
    assert "listen 127.0.0.1:81;" in text
    assert f"alias {environment.files}/;" in text


def test_a_server_of_files_gets_their_folder(environment):
    command = measure.server_command(CONTENDERS["aiohttp_static"], environment, 81, Path("/x/log"))
    assert command[5:] == ["81", "aiohttp", str(environment.files)]


def test_a_server_of_ours_sees_its_own_build_and_no_other(environment, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    ours = measure.server_environment(CONTENDERS["gustnado_interpreted"], environment)
    assert ours["PYTHONPATH"] == str(environment.build("interpreted"))
    assert "PYTHONPATH" not in measure.server_environment(CONTENDERS["tornado"], environment)


def test_a_fixed_answer_is_expected_to_be_hello_whatever_is_asked():
    assert measure.expectation(JSON, CONTENDERS["limit"]).body == b"Hello, world!"
    assert measure.expectation(JSON, CONTENDERS["tornado"]).content_type == "application/json"


def test_our_own_answers_must_have_the_default_headers():
    assert "Etag" in measure.expectation(HELLO, CONTENDERS["gustnado"]).headers


def test_a_free_port_can_be_bound():
    with socket.create_server(("127.0.0.1", measure.free_port())) as server:
        assert server.getsockname()[1] > 0


def test_rounds_are_interleaved(environment, monkeypatch):
    order = []

    def fake(workload, contender, environment, seconds):
        order.append(contender.name)
        return Round(float(len(order)), 1, 1.0, 1.0, 1.0)

    monkeypatch.setattr(measure, "measure_once", fake)
    lines = []
    first, second = measure.measure_all(
        HELLO, ["limit", "tornado"], environment, rounds=2, seconds=1, echo=lines.append
    )
    assert order == ["limit", "tornado", "limit", "tornado"]
    assert [one.cpu for one in first.rounds] == [1.0, 3.0]
    assert (second.contender, second.median) == ("tornado", 3.0)
    assert len(lines) == 4


def test_a_server_that_cannot_run_spoils_its_own_figure_only(environment, monkeypatch):
    def fake(workload, contender, environment, seconds):
        if contender.name == "tornado":
            raise HarnessError("Tornado does not serve")
        return Round(1.0, 1, 1.0, 1.0, 1.0)

    monkeypatch.setattr(measure, "measure_once", fake)
    lines = []
    first, second = measure.measure_all(
        HELLO, ["limit", "tornado"], environment, rounds=1, seconds=1, echo=lines.append
    )
    assert first.counts
    assert second.problems == ("Tornado does not serve",)
    assert "does not count: Tornado does not serve" in lines[1]
