"""One process that serves."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys

import httpx
import pytest

from gustnado.cli.worker import WORKER_VARIABLE
from gustnado.testing.certificate import certificate_files

RUN = ("run", "shop:app", "--port", "0")


def get(port: int, path: str = "/") -> str:
    return httpx.get(f"http://127.0.0.1:{port}{path}").text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_and_ends_in_good_order(command, number) -> None:
    program = command(*RUN)
    assert get(program.port) == f"one {program.process.pid}"
    with socket.create_connection(("127.0.0.1", program.port)) as client:
        client.settimeout(30)
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        while program.said() != "slow began":
            pass
        program.send(number)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.endswith(b"\r\n\r\nslow ended")
    assert b"Connection: close" in answer
    assert program.end(None) == 0


def test_a_second_signal_ends_it_at_once(command) -> None:
    program = command(*RUN)
    with socket.create_connection(("127.0.0.1", program.port)) as client:
        client.settimeout(30)
        client.sendall(b"GET /stubborn HTTP/1.1\r\nHost: x\r\n\r\n")
        while program.said() != "stubborn began":
            pass
        program.send(signal.SIGTERM)
        program.wait_for("shutting down: 1 connections")
        program.send(signal.SIGTERM)
        assert client.recv(1) == b""
    assert program.end(None) == 0


def test_the_grace_is_a_bound(command) -> None:
    program = command(*RUN, "--grace", "0.1")
    with socket.create_connection(("127.0.0.1", program.port)) as client:
        client.settimeout(30)
        client.sendall(b"GET /stubborn HTTP/1.1\r\nHost: x\r\n\r\n")
        while program.said() != "stubborn began":
            pass
        assert program.end() == 0
    assert "1 connections cut off at the deadline" in program.errors


def test_the_access_log_is_standard_output_and_complete(command) -> None:
    program = command(*RUN, "--access-log-format", "{status} {uri}")
    for number in range(3):
        get(program.port, f"/?{number}")
    program.end()
    assert program.output.splitlines() == ["200 /?0", "200 /?1", "200 /?2"]


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGHUP])
def test_log_files_are_opened_anew_on_a_signal(command, folder, number) -> None:
    arguments = ("--access-log", "access.log", "--access-log-format", "{uri}", "--log-file", "shop.log")
    program = command(*RUN, *arguments, "--unix", "web.sock")
    transport = httpx.HTTPTransport(uds=str(folder / "web.sock"))
    with httpx.Client(transport=transport, base_url="http://x") as client:
        while not (folder / "shop.log").exists() or "serving" not in (folder / "shop.log").read_text():
            pass
        client.get("/old")
        for name in ("access.log", "shop.log"):
            (folder / name).rename(folder / f"{name}.1")
        program.send(number)
        while not (folder / "access.log").exists():
            pass
        client.get("/new")
        program.end()
    assert (folder / "access.log.1").read_text() == "/old\n"
    assert (folder / "access.log").read_text() == "/new\n"
    assert "serving" in (folder / "shop.log.1").read_text()
    assert "shutting down: 1 connections" in (folder / "shop.log").read_text()
    assert program.errors == ""


def test_off_is_no_access_log(command) -> None:
    program = command(*RUN, "--access-log", "off")
    get(program.port)
    program.end()
    assert program.output == ""
    assert "gustnado.access" not in program.errors
    assert "200 GET" not in program.errors


def test_a_log_function_of_the_program_stays(command, folder) -> None:
    (folder / "own.py").write_text(
        "from shop import *\n"
        "app.settings['log_function'] = lambda handler: print('own', handler.request.path, flush=True)\n"
    )
    program = command("run", "own:app", "--port", "0")
    get(program.port)
    program.end()
    assert program.output == "own /\n"


def test_tls_and_limits_and_ids(command) -> None:
    certfile, keyfile = certificate_files()
    program = command(
        *RUN, "--cert", certfile, "--key", keyfile, "--limit", "max_request_line=100B",
        "--request-id-header", "X-Id", "--access-log-format", "json:request_id scheme status",
    )  # fmt: skip
    context = ssl.create_default_context(cafile=certfile)
    with httpx.Client(verify=context, base_url=f"https://127.0.0.1:{program.port}") as client:
        assert client.get("/", headers={"X-Id": "mine"}).status_code == 200
        assert client.get("/" + "a" * 100).status_code == 414
    program.end()
    first = program.output.splitlines()[0]
    assert json.loads(first) == {"request_id": "mine", "scheme": "https", "status": 200}


def test_behind_a_proxy_the_client_is_whom_it_tells(command) -> None:
    arguments = ("--proxy-headers", "--trusted-proxy", "127.0.0.1", "--access-log-format", "{remote_ip} {scheme}")
    program = command(*RUN, *arguments)
    told = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}
    assert httpx.get(f"http://127.0.0.1:{program.port}/", headers=told).status_code == 200
    program.end()
    assert program.output == "192.0.2.7 https\n"


def test_an_access_log_that_cannot_be_opened_is_told_in_one_line(command) -> None:
    program = command(*RUN, "--access-log", "no/such/folder.log")
    assert program.end(None) == 1
    assert program.errors.splitlines()[-1] == "Error: --access-log no/such/folder.log: No such file or directory"


def test_a_program_that_fails_shows_its_traceback_and_one_line(command, folder) -> None:
    (folder / "broken.py").write_text("import shop\n1 // 0\n")
    program = command("run", "broken:app", "--port", "0")
    program.process.wait(60)
    _, errors = program.process.communicate()
    assert program.process.returncode == 1
    assert errors.count("Traceback") == 1
    assert errors.splitlines()[-1].startswith("Error: broken cannot be imported: ZeroDivisionError")


def test_it_runs_on_the_loop_that_was_asked_for(command) -> None:
    program = command(*RUN, "--loop", "select")
    program.wait_for(r"event loop: asyncio \(select\)")
    program.wait_for("serving shop:app")
    assert program.end() == 0


def test_a_change_restarts_it_where_it_was_asked_to(command, folder) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = command("run", "shop:app", "--port", str(port), "--reload", GUSTNADO_AUTORELOAD="poll")
    program.wait_for("serving shop:app")
    text = (folder / "shop.py").read_text()
    (folder / "shop.py").write_text("broken = = 1\n")
    program.wait_for("Error: shop cannot be imported: SyntaxError")
    program.wait_for("event loop", count=2)  # it has looked at the files by then
    (folder / "shop.py").write_text(text.replace('"one"', '"two"'))
    program.wait_for("serving shop:app", count=2)
    assert get(port) == f"two {program.process.pid}"
    program.send(signal.SIGTERM)
    program.process.communicate(timeout=60)
    assert program.process.returncode == 0


def test_systemd_is_told_when_it_is_ready_and_when_it_ends(command, tmp_path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.settimeout(60)
        listener.bind(str(tmp_path / "notify"))
        program = command(*RUN, NOTIFY_SOCKET=str(tmp_path / "notify"))
        assert listener.recv(100) == b"READY=1"
        program.end()
        assert listener.recv(100) == b"STOPPING=1"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows passes no descriptors")
def test_a_spawned_worker_ends_with_its_supervisor(folder) -> None:
    """Here the test is the supervisor."""
    ready, told = os.pipe()
    lifeline, life = os.pipe()
    with socket.create_server(("127.0.0.1", 0)) as sock:
        config = json.dumps({"app": "shop:app", "app_dir": str(folder), "access_log": "off", "fd": []})
        work = {"config": config, "sockets": [sock.fileno()], "number": 1, "ready": told, "lifeline": lifeline}
        worker = subprocess.Popen(
            [sys.executable, "-c", "from gustnado.cli.worker import main; main()"],
            env={**os.environ, WORKER_VARIABLE: json.dumps(work)},
            pass_fds=[sock.fileno(), told, lifeline],
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(told)
        os.close(lifeline)
        with worker:
            assert os.read(ready, 1) == b"1"
            assert get(sock.getsockname()[1]) == f"one {worker.pid}"
            os.close(life)
            _, errors = worker.communicate(timeout=60)
    os.close(ready)
    assert worker.returncode == 0
    assert "the supervisor has died, so this worker ends" in errors
