from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading

import pytest
from benchmarks import broadcast
from benchmarks.check import wait_until_served
from benchmarks.environment import HERE, Environment
from benchmarks.errors import HarnessError
from benchmarks.figures import Figure, Round
from benchmarks.interpreters import Python
from benchmarks.measure import free_port
from benchmarks.workloads import Role

pytest.importorskip("uvloop")
pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
# Those that are in the environment of the tests as well.
INSTALLED = ["limit", "protocol", "gustnado", "aiohttp", "websockets"]
ANSWER = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    return Environment(Python(sys.executable, "cpython", "3.13.1"), cache, print)


@pytest.fixture(scope="module")
def program(environment):
    return environment.compile(HERE / "programs" / "broadcast_load.c")


def serving(environment, kind, port):
    command = [sys.executable, str(HERE / "servers" / "broadcast_server.py"), str(port), kind]
    if kind == "limit":
        command = [str(environment.compile(HERE / "servers" / "broadcast_limit.c")), str(port)]
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    return subprocess.Popen(command, env=variables, stderr=subprocess.DEVNULL)


def sending(*pieces):
    """A server for one connection, in a thread: after each thing that it hears it sends a piece, at last it closes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listener:
            connection, _ = listener.accept()
        with connection:
            for piece in pieces:
                connection.recv(1 << 16)
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionError):  # who is told something wrong leaves without listening on
                connection.recv(1 << 16)

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def payload(number, size=200):
    return bytes((number + i * 7 + i // 251) % 256 for i in range(size))


def frame(number):
    return b"\x82\x7e\x00\xc8" + payload(number)


@pytest.mark.parametrize("kind", INSTALLED)
def test_each_server_sends_to_all(environment, program, kind):
    port = free_port()
    server = serving(environment, kind, port)
    try:
        assert wait_until_served(port, seconds=20)
        with broadcast.Crowd(program, port, 20) as crowd:
            for _ in range(2):
                load = crowd.run(0.1)
                assert load.requests > 0
                assert load.requests % 20 == 0
    finally:
        server.kill()
        server.wait()


def test_pings_are_answered_and_do_not_count(program):
    heard = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listener:
            connection, _ = listener.accept()
        with connection:
            connection.recv(1 << 16)
            connection.sendall(ANSWER)
            connection.recv(1 << 16)
            connection.sendall(b"\x89\x00\x89\x00" + frame(0) + b"\x89\x00")
            while data := connection.recv(1 << 16):
                heard.append(data)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with broadcast.Crowd(program, listener.getsockname()[1], 1, 200) as crowd:
        assert crowd.run(1e-9).requests == 1
    thread.join(10)
    assert b"".join(heard).endswith(b"\x8a\x80\0\0\0\0" * 3)


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ([ANSWER, frame(1)], "what came is not what was sent"),
        ([ANSWER, b"\x82\x7e\x00\xc7" + payload(0)], "what came is not what was sent"),
        ([ANSWER, frame(0) + b"\x82\x00"], "more came than was sent"),
        ([ANSWER, frame(0)[:50]], "the server has closed a connection"),
    ],
)
def test_something_else_comes(program, pieces, words):
    with (
        broadcast.Crowd(program, sending(*pieces), 1, 200) as crowd,
        pytest.raises(HarnessError, match=words),
    ):
        for _ in range(2):
            crowd.run(0.05)


@pytest.mark.parametrize(
    ("answer", "words"),
    [(b"HTTP/1.1 404 Not Found\r\n\r\n", "not a WebSocket"), (b"HTTP/1.1 101 X\r\n", "no answer")],
)
def test_what_answers_is_no_websocket(program, answer, words):
    crowd = broadcast.Crowd(program, sending(answer), 1, 200)
    with pytest.raises(HarnessError, match=words), crowd:
        pass


def findings(name, *microseconds, idle=5.0):
    (contender,) = [one for one in broadcast.CONTENDERS if one.name == name]
    rounds = tuple(Round(cpu, 1, 1.0, 1.0, 1.0) for cpu in microseconds)
    return broadcast.Findings(contender, Figure("broadcast", name, rounds), (idle,) * len(rounds))


def test_the_table_compares_with_the_limit():
    table = broadcast.render([findings("limit", 4.0), findings("gustnado", 6.0, 5.0, 7.0), findings("tornado", 20.0)])
    cells = "| Gustnado, Room.broadcast() | 6.00 | 5.00 - 7.00 | 1.50 | +2.00 | 5.00 |"
    assert cells + " 2.0 us: missed; 6.0 KiB: met; 1.1 x limit: missed |" in table
    assert "| Tornado, write_message() in a loop | 20.00 | 20.00 - 20.00 | 5.00 | +16.00 | 5.00 |  |" in table
    assert "2.0 us: met; 6.0 KiB: missed |" in broadcast.render([findings("gustnado", 1.0, idle=6.5)])
    assert "1.1 x limit: met |" in broadcast.render([findings("limit", 4.0), findings("gustnado", 4.4)])


def test_every_peer_has_its_pin():
    pins = (HERE / "requirements.txt").read_text()
    assert all(f"\n{one.name}==" in pins for one in broadcast.CONTENDERS if one.role is Role.PEER)


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--only", "nothing"], ["--seconds", "0"]])
def test_arguments_that_make_no_sense(arguments):
    with pytest.raises(SystemExit) as caught:
        broadcast.main(arguments)
    assert caught.value.code == 2
