"""S18: custom TCP services: servers and clients, TLS, unix sockets, several processes."""

from __future__ import annotations

import importlib.util
import os
import socket
import ssl
from pathlib import Path

import pytest

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot fork here")
needs_unix = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="there are no unix sockets here")

# A service for numbers: one a line, the sum after each.
SERVICE = """
    import os
    from tornado.ioloop import IOLoop
    from tornado.iostream import StreamClosedError
    from tornado.netutil import bind_unix_socket
    from tornado.tcpserver import TCPServer

    class Sums(TCPServer):
        async def handle_stream(self, stream, address):
            total = 0
            try:
                while True:
                    total += int(await stream.read_until("\\n"))
                    await stream.write(f"{{total}} {{os.getpid()}}\\n")
            except StreamClosedError:
                pass
            except ValueError:
                stream.write("numbers only\\n", stream.close)

    server = Sums({options})
    {start}
    IOLoop.instance().start()
"""

CALLBACKS = """
    from tornado.ioloop import IOLoop
    from tornado.tcpserver import TCPServer

    class Shout(object):
        def __init__(self, stream):
            self.stream = stream
            self.wait()

        def wait(self):
            self.stream.read_until("\\n", self.on_line)

        def on_line(self, line):
            self.stream.write(line.upper(), self.wait)

    class ShoutServer(TCPServer):
        def handle_stream(self, stream, address):
            Shout(stream)

    ShoutServer().listen(8080)
    IOLoop.instance().start()
"""

CLIENT = """
    import ssl
    from tornado.ioloop import IOLoop
    from tornado.tcpclient import TCPClient

    async def main():
        stream = await TCPClient().connect("localhost", 8080{options})
        for number in (1, 2, 3):
            await stream.write(f"{{number}}\\n")
            print((await stream.read_until("\\n")).split()[0])
        stream.close()

    IOLoop.instance().run_sync(main)
"""


def certificate(name: str) -> str:
    """The path of a file of Tornado's own tests."""
    found = importlib.util.find_spec("tornado")
    if found is None or found.origin is None:
        pytest.skip("tornado, whose certificate is used, is not installed")
    return str(Path(found.origin).parent / "test" / name)


def service(*start: str, options: str = "") -> str:
    return SERVICE.format(start="\n    ".join(start), options=options)


class Caller:
    """A client of the service, over a connected socket."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(30)
        self.file = sock.makefile("rwb")
        sock.close()  # the file keeps it open

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.file.close()

    def ask(self, line: str) -> str:
        self.file.write(f"{line}\n".encode())
        self.file.flush()
        answer: bytes = self.file.readline()
        return answer.decode().rstrip("\n")


def call(port: int) -> Caller:
    return Caller(socket.create_connection(("127.0.0.1", port)))


@pytest.mark.parametrize("style", ["as_tornado", "own", "face"])
def test_a_server_of_coroutines(serve):
    program = serve(service("server.listen(8080)"))
    with call(program.port) as one, call(program.port) as other:
        assert [one.ask(number).split()[0] for number in ("1", "20", "-3")] == ["1", "21", "18"]
        assert other.ask("5").split()[0] == "5"
        assert [other.ask("five"), other.file.read()] == ["numbers only", b""]
        assert one.ask("0").split()[0] == "18"


def test_a_server_of_callbacks(serve):
    program = serve(CALLBACKS)
    with call(program.port) as caller:
        assert [caller.ask(word) for word in ("breeze", "gale")] == ["BREEZE", "GALE"]


def test_a_client(serve, launch):
    program = serve(service("server.listen(8080)"))
    client = launch(CLIENT.format(options="").replace("8080", str(program.port)))
    assert client.wait() == 0, client.written()
    assert client.written().splitlines() == ["b'1'", "b'3'", "b'6'"]


@pytest.mark.parametrize(
    "checking",
    ['{"cert_reqs": ssl.CERT_NONE}', "ssl._create_unverified_context()"],
    ids=["dictionary", "context"],
)
def test_tls(serve, launch, checking):
    files = f'"certfile": {certificate("test.crt")!r}, "keyfile": {certificate("test.key")!r}'
    program = serve(service("server.listen(8080)", options=f"ssl_options={{{files}}}"))
    options = f", ssl_options={checking}"
    client = launch(CLIENT.format(options=options).replace("8080", str(program.port)))
    assert client.wait() == 0, client.written()
    assert client.written().splitlines() == ["b'1'", "b'3'", "b'6'"]
    context = ssl.create_default_context(cafile=certificate("test.crt"))
    with (
        socket.create_connection(("127.0.0.1", program.port)) as plain,
        context.wrap_socket(plain, server_hostname="foo.example.com") as encrypted,
        Caller(encrypted) as caller,
    ):
        assert caller.ask("7").split()[0] == "7"


@needs_unix
def test_a_unix_socket(launch):
    program = launch(service('server.add_socket(bind_unix_socket("sums.sock", mode=0o600))'))
    path = program.directory / "sums.sock"
    program.until(path.exists)
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(path))
    with Caller(sock) as caller:
        assert caller.ask("4").split()[0] == "4"
    assert path.stat().st_mode & 0o777 == 0o600


@needs_fork
@pytest.mark.parametrize("processes", [1, 2])
def test_several_processes(serve, processes):
    program = serve(service("server.bind(8080)", f"server.start({processes})"))
    with call(program.port) as one, call(program.port) as other:
        workers = {int(caller.ask("1").split()[1]) for caller in (one, other)}
    assert (program.process.pid in workers) is (processes == 1)
    assert len(workers) <= processes
