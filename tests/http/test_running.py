"""Running until a signal: in a process of its own, as only its main thread gets signals."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import textwrap

import pytest

from gustnado.http.running import on_signals

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
DEADLINE = 100.0

PROGRAM = """
    import asyncio, logging, sys
    from gustnado.events import IOLoop, bind_sockets
    from gustnado.http import HTTPServer, run_until_signal
    from gustnado.web import Application, RequestHandler

    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")

    async def background():
        try:
            await asyncio.Event().wait()
        finally:
            print("background ended", flush=True)

    class Slow(RequestHandler):
        async def get(self):
            if self.get_argument("task", ""):
                self.application.task = asyncio.ensure_future(background())
            print("started", flush=True)
            await asyncio.wait([asyncio.ensure_future(self.shutting_down.wait())])
            if self.get_argument("stay", ""):
                print("staying", flush=True)
                await asyncio.Event().wait()
            self.write("done")

    server = HTTPServer(Application([("/", Slow)]))
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    print(sockets[0].getsockname()[1], flush=True)
    run_until_signal(server, grace=3600)
    print("end", IOLoop.current().run_sync(lambda: asyncio.sleep(0, "of the program")))
"""


class Program:
    """The program, and a connection to it."""

    def __init__(self, loop: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(PROGRAM)],
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "GUSTNADO_LOOP": loop, "PYTHONWARNINGS": "error::ResourceWarning"},
        )
        assert self.process.stdout is not None
        self.output = self.process.stdout
        port = self.output.readline()
        assert port, self.process.communicate()
        self.client = socket.create_connection(("127.0.0.1", int(port)))
        self.client.settimeout(DEADLINE)

    def __enter__(self):
        return self

    def __exit__(self, *error) -> None:
        self.client.close()
        self.process.kill()
        self.process.communicate()

    def ask(self, query: str) -> None:
        self.client.sendall(GET.replace(b"/ ", f"/?{query} ".encode()))
        assert self.output.readline() == "started\n"

    def rest(self) -> bytes:
        return b"".join(iter(lambda: self.client.recv(65536), b""))

    def end(self) -> tuple[str, str]:
        output, errors = self.process.communicate(timeout=DEADLINE)
        assert self.process.returncode == 0, errors
        assert "Traceback" not in errors
        return output, errors


@pytest.fixture(params=["asyncio", "uvloop"])
def program(request):
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    with Program(request.param) as started:
        yield started


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_requests_end_and_the_program_go_on_to_its_last_lines(program, number) -> None:
    program.ask("task=1")
    program.process.send_signal(number)
    assert program.rest().endswith(b"\r\n\r\ndone")
    output, errors = program.end()
    assert output == "background ended\nend of the program\n"
    assert "shutting down: 1 connections, 3600 s at most" in errors


def test_a_second_signal_ends_at_once(program) -> None:
    program.ask("stay=1")
    program.process.send_signal(signal.SIGTERM)
    assert program.output.readline() == "staying\n"
    program.process.send_signal(signal.SIGINT)
    assert program.rest() == b""
    output, errors = program.end()
    assert output == "end of the program\n"
    assert "a second signal, so at once" in errors
    assert "1 connections cut off" in errors


def test_handlers_of_signals_are_put_back(run) -> None:
    before = signal.getsignal(signal.SIGTERM)
    called = []

    async def main() -> None:
        event = asyncio.Event()
        with on_signals({signal.SIGTERM: event.set}):
            os.kill(os.getpid(), signal.SIGTERM)
            await event.wait()
            called.append(True)

    run(main())
    assert called
    assert signal.getsignal(signal.SIGTERM) is before
