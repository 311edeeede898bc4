from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks import websockets
from benchmarks.check import wait_until_served
from benchmarks.environment import HERE
from benchmarks.figures import Figure, Round
from benchmarks.measure import free_port
from benchmarks.streams import parse_load
from benchmarks.workloads import Role

pytest.importorskip("uvloop")
# Those that are in the environment of the tests as well.
INSTALLED = ["gustnado", "gustnado_async", "gustnado_pull", "aiohttp", "websockets"]


def figure(workload, contender, *microseconds):
    return Figure(workload, contender, tuple(Round(cpu, 1, 1.0, 1.0, 1.0) for cpu in microseconds))


def load(port, size):
    program = str(HERE / "programs" / "websocket_load.py")
    command = [sys.executable, program, str(port), "2", str(size), "0.2"]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def serving(*command):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    return subprocess.Popen([sys.executable, *command], env=environment, stderr=subprocess.DEVNULL)


@pytest.mark.parametrize("kind", INSTALLED)
def test_each_server_echoes(kind):
    port = free_port()
    server = serving(str(HERE / "servers" / "websocket_server.py"), str(port), kind)
    try:
        assert wait_until_served(port, seconds=20)
        for size in (32, 65536):
            assert parse_load(load(port, size).stdout).requests > 0
    finally:
        server.kill()
        server.wait()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "not a WebSocket"),
        (b"HTTP/1.1 101 X\r\n\r\n\x82\x20" + bytes(33), "another message came back than was sent: from byte"),
        (b"HTTP/1.1 101 X\r\n\r\n\x88\x10\x03\xe8ping timed out", "the server closed: 1000 ping timed out"),
        (b"", "the server closed"),
    ],
)
def test_the_load_fails_where_something_else_comes_back(answer, words, tmp_path):
    port = free_port()
    program = tmp_path / "server.py"
    program.write_text(
        "import socket, sys\n"
        f"listener = socket.create_server(('127.0.0.1', {port}))\n"
        "while True:\n"
        "    connection, _ = listener.accept()\n"
        "    try:\n"
        "        connection.recv(1 << 16)\n"
        f"        connection.sendall({answer!r})\n"
        "        connection.shutdown(socket.SHUT_WR)\n"
        "    except OSError:\n"
        "        connection.close()\n"
    )
    server = serving(str(program))
    try:
        assert wait_until_served(port, seconds=20)
        done = load(port, 32)
        assert (done.returncode, done.stdout) == (1, "")
        assert words in done.stderr
    finally:
        server.kill()
        server.wait()


class Transport:
    """Keeps what the load writes."""

    def __init__(self):
        self.written = bytearray()

    def write(self, data):
        self.written += data

    def take(self):
        data = bytes(self.written)
        self.written.clear()
        return data


@pytest.mark.parametrize("size", [32, 65536])
@pytest.mark.parametrize("step", [1, 2, 7, 1 << 20])
def test_pings_between_messages_are_answered_and_are_no_message(size, step):
    """In whatever pieces they come; a server under load has time to send some."""
    program = runpy.run_path(str(HERE / "programs" / "websocket_load.py"))
    delays, transport = [], Transport()
    message = program["Message"](size)
    client = program["Client"](message, delays, None)
    client.connection_made(transport)
    assert transport.take() == program["HANDSHAKE"]
    ping, pong = b"\x89\x03abc", b"\x8a\x83\0\0\0\0abc"
    wire = b"HTTP/1.1 101 X\r\n\r\n" + ping + ping + message.expected + b"\x8a\x00" + ping + message.expected + ping
    for place in range(0, len(wire), step):
        client.data_received(wire[place : place + step])
    assert len(delays) == 2
    assert transport.take() == message.sent + pong * 2 + message.sent + pong + message.sent + pong


def test_the_table_compares_with_the_best_peer():
    figures = [figure("websocket_32", "gustnado", 6.0, 5.0, 7.0), figure("websocket_32", "picows", 5.0)]
    table = websockets.render([*figures, figure("websocket_32", "tornado", 50.0)])
    assert "| Gustnado, def on_message | 6.00 | 5.00 - 7.00 | 1.20 |" in table
    assert "## echo of 32 bytes" in table
    assert "65536" not in table
    assert websockets.render([figure("websocket_32", "gustnado", 6.0)]) == ""


def test_every_contender_has_its_server():
    source = (HERE / "servers" / "websocket_server.py").read_text()
    names = set(re.findall(r'^    "(\w+)": \w+,$', source, re.MULTILINE))
    assert names <= {one.name for one in websockets.CONTENDERS if one.role is Role.PEER}
    pins = Path(HERE / "requirements.txt").read_text()
    assert all(f"\n{one.name}==" in pins for one in websockets.CONTENDERS if one.role is Role.PEER)


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--only", "nothing"], ["--seconds", "0"]])
def test_arguments_that_make_no_sense(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        websockets.main(arguments)
    assert caught.value.code == 2
