"""Workers as processes, below a supervisor that is one."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading

import httpx
import pytest

from gustnado.cli import supervisor
from gustnado.cli.config import RunConfig
from gustnado.cli.processes import Processes
from gustnado.cli.supervisor import Supervisor

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows passes no sockets on")

RUN = ("run", "shop:app", "--port", "0", "--access-log", "off", "--workers", "2")
ALL_READY = "all 2 workers are ready"


@pytest.fixture(params=["fork", "spawn"])
def start(command, request):
    return lambda *more, **environment: command(*RUN, "--worker-method", request.param, *more, **environment)


@pytest.fixture
def program(start):
    started = start()
    started.wait_for(ALL_READY)
    return started


def ask(port: int) -> tuple[str, int]:
    """Version and process of whoever answers on a connection of its own."""
    version, pid = httpx.get(f"http://127.0.0.1:{port}/").text.split()
    return version, int(pid)


def children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_workers_serve_and_all_end(program) -> None:
    _, pid = ask(program.port)
    assert pid != program.process.pid
    assert program.end() == 0
    assert not is_running(pid)
    assert len(re.findall(r"worker \d+ ended", program.errors)) == 2


def test_ctrl_c_reaches_all_and_still_ends_them_in_good_order(program) -> None:
    """A terminal sends SIGINT to the workers, too."""
    _, pid = ask(program.port)
    os.kill(pid, signal.SIGINT)
    assert ask(program.port)
    assert program.end(signal.SIGINT) == 0


def test_one_that_dies_is_replaced(program) -> None:
    _, pid = ask(program.port)
    os.kill(pid, signal.SIGKILL)
    program.wait_for(r"worker \d+ was killed by SIGKILL while ready")
    program.wait_for(r"worker 3 is ready")
    assert ask(program.port)[1] != pid
    assert program.end() == 0


def test_a_new_version_comes_in_by_a_rolling_restart(program, folder) -> None:
    text = (folder / "shop.py").read_text()
    (folder / "shop.py").write_text(text.replace('"one"', '"another"'))
    program.send(signal.SIGHUP)
    program.wait_for(ALL_READY, count=2)
    program.wait_for(r"worker \d ended", count=2)
    assert {ask(program.port)[0] for _ in range(10)} == {"another"}
    assert program.end() == 0


def test_a_version_that_cannot_be_loaded_is_not_brought_in(program, folder) -> None:
    (folder / "shop.py").write_text("a syntax error")
    program.send(signal.SIGHUP)
    program.wait_for("restart given up; the workers of before go on")
    assert "Error: shop cannot be imported: SyntaxError" in program.errors
    assert {ask(program.port)[0] for _ in range(10)} == {"one"}
    program.send(signal.SIGTERM)
    program.process.communicate(timeout=60)
    assert program.process.returncode == 0


def test_one_more_and_one_less(program) -> None:
    program.send(signal.SIGTTIN)
    program.wait_for("worker 3 is ready")
    program.send(signal.SIGTTOU)
    program.wait_for("worker 3 ended")
    assert program.end() == 0


def test_sigquit_ends_all_at_once(program) -> None:
    with socket.create_connection(("127.0.0.1", program.port)) as client:
        client.settimeout(60)
        client.sendall(b"GET /stubborn HTTP/1.1\r\nHost: x\r\n\r\n")
        while program.said() != "stubborn began":
            pass
        assert program.end(signal.SIGQUIT) == 0
        assert client.recv(1) == b""


def test_a_worker_that_does_not_end_is_killed(command, folder) -> None:
    (folder / "deaf.py").write_text(
        "import time\n"
        "from shop import Application, RequestHandler\n"
        "class Block(RequestHandler):\n"
        "    def get(self):\n"
        "        print('blocked', flush=True)\n"
        "        time.sleep(3600)\n"
        "app = Application([('/', Block)])\n"
    )
    program = command("run", "deaf:app", *RUN[2:], "--grace", "0")
    with socket.create_connection(("127.0.0.1", program.port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        while program.said() != "blocked":
            pass
        assert program.end() == 0
    assert "is still stopping after 5 s: killed" in program.errors


def test_workers_know_their_numbers(start, folder) -> None:
    """So that they do not watch files, which only one process may do; with ``debug`` each would."""
    text = (folder / "shop.py").read_text()
    (folder / "shop.py").write_text(text.replace('("/number", Number)]', '("/number", Number)], debug=True'))
    program = start(GUSTNADO_AUTORELOAD="poll")
    program.wait_for(ALL_READY)
    assert {httpx.get(f"http://127.0.0.1:{program.port}/number").text for _ in range(20)} <= {"1", "2"}
    assert program.end() == 0


def test_a_child_of_a_worker_that_died_early_does_not_block(command, folder) -> None:
    """It has inherited the worker's end of the pipe."""
    (folder / "forks.py").write_text(
        "import os, time\n"
        "if not os.path.exists('seen'):\n"
        "    open('seen', 'w').close()\n"
        "    if os.fork() == 0:\n"
        "        while not os.path.exists('over'):\n"
        "            time.sleep(0.01)\n"
        "        os._exit(0)\n"
        "    os._exit(1)\n"
        "from shop import app\n"
    )
    program = command("run", "forks:app", *RUN[2:6], "--supervise", "--worker-method", "fork")
    program.wait_for("worker 1 ended with status 1 while starting")
    program.wait_for("all 1 workers are ready")
    (folder / "over").touch()
    assert program.end() == 0


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_where_the_system_has_no_process_it_is_tried_again_and_given_up(method, monkeypatch, expect_log) -> None:
    def exhausted(*arguments, **options):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", exhausted)
    monkeypatch.setattr(subprocess, "Popen", exhausted)
    monkeypatch.setattr(supervisor, "FIRST_DELAY", 0.0)
    config = RunConfig(app="shop:app", worker_method=method)
    with expect_log("gustnado.general", "no process for worker .*unavailable", count=5):
        with expect_log("gustnado.general", "while starting|next worker|given up", count=10):
            assert Processes(config, [], Supervisor(2)).run() == 1


def test_requests_in_flight_are_answered_when_it_ends(program) -> None:
    with socket.create_connection(("127.0.0.1", program.port)) as client:
        client.settimeout(60)
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        while program.said() != "slow began":
            pass
        program.send(signal.SIGTERM)
        assert b"".join(iter(lambda: client.recv(65536), b"")).endswith(b"slow ended")
    assert program.end(None) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="children are looked up in /proc")
def test_a_worker_that_is_told_twice_still_ends_in_good_order(program, folder) -> None:
    """systemd sends SIGTERM to all processes of a service, unless it is told otherwise."""
    with socket.create_connection(("127.0.0.1", program.port)) as client:
        client.settimeout(60)
        client.sendall(b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n")
        while program.said() != "held began":
            pass
        program.send(signal.SIGTERM)
        program.wait_for("shutting down: 1 connections")
        for pid in children(program.process.pid):
            os.kill(pid, signal.SIGTERM)
        (folder / "release").touch()
        assert b"".join(iter(lambda: client.recv(65536), b"")).endswith(b"released")
    assert program.end(None) == 0


def test_workers_end_when_the_supervisor_is_killed(program) -> None:
    program.process.kill()
    _, errors = program.process.communicate(timeout=60)  # until all that have standard error have ended
    assert (program.errors + errors).count("the supervisor has died, so this worker ends") == 2


def test_a_program_that_cannot_be_loaded_is_told_once(command) -> None:
    program = command("run", "missing:app", "--port", "0", "--workers", "4")
    assert program.end(None) == 3
    assert program.errors.count("Error: there is no module 'missing'") == 1
    assert "no worker could be started: given up" in program.errors


def test_one_worker_has_a_supervisor_where_it_is_asked_for(command) -> None:
    program = command("run", "shop:app", "--port", "0", "--access-log", "off", "--supervise")
    program.wait_for("all 1 workers are ready")
    assert ask(program.port)[1] != program.process.pid
    assert program.end() == 0


def test_systemd_is_told_what_happens(start, tmp_path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.settimeout(60)
        listener.bind(str(tmp_path / "notify"))
        program = start(NOTIFY_SOCKET=str(tmp_path / "notify"))
        assert listener.recv(100) == b"READY=1"
        program.send(signal.SIGHUP)
        assert listener.recv(100).startswith(b"RELOADING=1\n")
        assert listener.recv(100) == b"READY=1"
        program.end()
        assert listener.recv(100) == b"STOPPING=1"


ACTIVATE = """
import os, socket, sys
sock = socket.create_server(("127.0.0.1", 0))
os.dup2(sock.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES="web")
os.execv(sys.executable, [sys.executable, "-m", "gustnado", *sys.argv[1:]])
"""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sockets_of_systemd_are_served_in_place_of_the_default_port(command, workers: str) -> None:
    program = command("-c", ACTIVATE, "run", "shop:app", "--workers", workers, "--access-log", "off")
    port = program.port
    assert port != 8000
    assert ask(port)[0] == "one"
    assert program.end() == 0


def test_all_open_their_logs_anew(command, folder) -> None:
    program = command(*RUN[:4], "--workers", "2", "--access-log", "a.log", "--access-log-format", "{uri}")
    program.wait_for(ALL_READY)
    (folder / "a.log").rename(folder / "a.log.1")
    program.send(signal.SIGUSR1)
    while not (folder / "a.log").exists():
        pass
    assert program.end() == 0


class Load:
    """Clients that ask without a pause, each on a connection that it keeps as long as the server does."""

    def __init__(self, port: int, clients: int) -> None:
        self.port = port
        self.answers = 0
        self.failures: list[str] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        while not self._over.is_set():
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=30) as client:
                    self._converse(client)
            except OSError as error:
                self.failures.append(repr(error))

    def _converse(self, client: socket.socket) -> None:
        while not self._over.is_set():
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while not re.search(rb"\r\n\r\none \d+$", answer):
                piece = client.recv(65536)
                if not piece:
                    self.failures.append(f"closed after {answer!r}")
                    return
                answer += piece
            self.answers += 1
            if b"Connection: close" in answer:
                return


def test_no_request_is_lost_while_workers_are_replaced(program) -> None:
    restarts = int(os.environ.get("GUSTNADO_TEST_RESTARTS", "3"))
    with Load(program.port, 4) as load:
        for number in range(restarts):
            before = load.answers
            program.send(signal.SIGHUP)
            program.wait_for(ALL_READY, count=2 + number)
            program.wait_for(r"worker \d+ ended", count=2 * (number + 1))
            assert load.answers > before
    assert load.failures == []
    assert program.end() == 0
