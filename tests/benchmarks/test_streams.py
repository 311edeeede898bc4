from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import threading

import pytest
from benchmarks import streams
from benchmarks.check import wait_until_served
from benchmarks.environment import HERE, Environment
from benchmarks.errors import HarnessError
from benchmarks.figures import Figure, Round
from benchmarks.interpreters import Python
from benchmarks.measure import free_port
from benchmarks.workloads import Role

MANNERS = [contender.name for contender in streams.CONTENDERS["echo_32"]]
needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")


def figure(workload, contender, *microseconds):
    return Figure(workload, contender, tuple(Round(cpu, 1, 1.0, 1.0, 1.0) for cpu in microseconds))


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    return Environment(Python(sys.executable, "cpython", "3.13.1"), cache, print)


def echo_with(change):
    """An echo server for one connection, in a thread; ``change`` makes what it answers from what it got."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listener:
            connection, _ = listener.accept()
        # Who is told something wrong leaves without listening to the end.
        with connection, contextlib.suppress(ConnectionError):
            while data := connection.recv(1 << 16):
                connection.sendall(change(data))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return listener.getsockname()[1]


def load(environment, port, size):
    program = environment.compile(HERE / "programs" / "echo_load.c")
    return subprocess.run(
        [str(program), str(port), "1", str(size), "0.1"], capture_output=True, text=True, timeout=30
    )


@needs_gcc
@pytest.mark.parametrize("size", [1, 32, 300_000])
def test_the_load_counts_what_comes_back(environment, size):
    done = load(environment, echo_with(lambda data: data), size)
    assert done.returncode == 0, done.stderr
    found = streams.parse_load(done.stdout)
    assert found.requests > 0
    assert found.seconds >= 0.1
    assert found.p50 <= found.p99


@needs_gcc
@pytest.mark.parametrize(
    ("change", "complaint"),
    [(lambda data: data[:-1] + b"?", "not what was sent"), (lambda data: b"", "nothing came back")],
)
def test_a_wrong_answer_ends_the_load(environment, change, complaint):
    done = load(environment, echo_with(change), 32)
    assert done.returncode == 1
    assert complaint in done.stderr


@pytest.mark.parametrize("output", ["", "12 messages", "x messages in 1 s, p50 1 us, p99 1 us"])
def test_a_text_that_is_not_the_loads_is_an_error(output):
    with pytest.raises(HarnessError, match="echo_load printed"):
        streams.parse_load(output)


@pytest.mark.parametrize("manner", MANNERS)
def test_every_server_echoes(manner):
    if manner == "tornado":
        pytest.importorskip("tornado")
    pytest.importorskip("uvloop")
    port, message = free_port(), bytes(range(256)) * 16
    command = [sys.executable, str(HERE / "servers" / "echo_server.py"), str(port), manner, str(len(message))]
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        assert wait_until_served(port, seconds=20)
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client, client.makefile("rb") as file:
            for _ in range(2):
                client.sendall(message)
                assert file.read(len(message)) == message
    finally:
        server.kill()
        _, complaints = server.communicate()
    assert complaints == b""


@pytest.mark.parametrize("what", ["call_soon", "add_callback"])
def test_callbacks_are_counted(what):
    command = [sys.executable, str(HERE / "programs" / "callbacks.py"), what, "asyncio", "0.05"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    calls, nanoseconds = map(int, done.stdout.split())
    assert calls % 100 == 0
    assert nanoseconds > calls


def test_the_table_tells_whether_goals_are_met():
    text = streams.render(
        [
            figure("echo_32", "protocol", 4.0, 4.0, 9.0),
            figure("echo_32", "consumer", 5.0),
            figure("echo_32", "gustnado", 6.0),
            figure("echo_32", "asyncio", 8.0),
        ]
    )
    assert "## echo of 32 bytes" in text
    assert "| asyncio.Protocol | 4.000 | 4.000 - 9.000 | 1.00 |  |" in text
    assert "1.25 x protocol, at most 1.15: missed |" in text
    assert "0.75 x asyncio, at most 1.00: met |" in text
    assert "callback" not in text


def test_goals_are_of_ours_and_name_who_takes_part():
    for goal in streams.GOALS:
        for contenders in streams.CONTENDERS.values():
            roles = {contender.name: contender.role for contender in contenders}
            if goal.ours in roles:
                assert roles[goal.ours] is Role.OURS
                assert goal.other in roles


def test_rounds_are_interleaved(environment, monkeypatch):
    order = []

    def fake(workload, contender, environment, seconds):
        order.append(contender.name)
        return Round(float(len(order)), 1, 1.0, 1.0, 1.0)

    monkeypatch.setattr(streams, "measure_callbacks", fake)
    first, second = streams.measure_all("callbacks_uvloop", environment, rounds=2, seconds=1, echo=order.append)
    assert [name for name in order if "/" not in name] == ["call_soon", "add_callback"] * 2
    assert [one.cpu for one in first.rounds] == [1.0, 5.0]
    assert second.contender == "add_callback"


@pytest.mark.parametrize("argument", ["--rounds=0", "--seconds=0", "--only=nothing"])
def test_bad_arguments_are_refused(argument, capsys):
    with pytest.raises(SystemExit) as stopped:
        streams.main([argument])
    assert stopped.value.code == 2
    assert argument.partition("=")[0] in capsys.readouterr().err
