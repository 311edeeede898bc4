"""Jupyter Server: a kernel is started over REST, and runs code that comes in over the kernel's WebSocket."""

from __future__ import annotations

import contextlib
import itertools
import json
import struct
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from websockets.sync.client import ClientConnection, connect

from compat.errors import CompatError
from compat.program import Program
from compat.serving import Place
from compat.session import TIMEOUT, Session

__all__ = ["PROGRAM"]

TOKEN = "0123456789abcdef"
HEADERS = {"Authorization": f"token {TOKEN}"}
FACES = {"tornado": "'tornado'", "gustnado": "'gustnado.tornado'"}
"""What ``tornado.__name__`` is in a kernel: it is a child process of the server, and uses Tornado, too."""
BINARY = "v1.kernel.websocket.jupyter.org"
"""The subprotocol of JupyterLab: a message is a table of offsets and the parts at them."""


class Kernel:
    """The WebSocket of a kernel; in JSON, or in the binary form of newer clients."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._session = uuid.uuid4().hex

    def execute(self, code: str, on_stream: Callable[[], None] | None = None) -> list[tuple[str, object]]:
        """Run code until the kernel has answered and is idle; what it showed, in order.

        ``on_stream`` is called whenever the code has printed something.

        :raises TimeoutError: if the kernel does not say that it is done.
        """
        request = uuid.uuid4().hex
        self.send(request, code)
        shown: list[tuple[str, object]] = []
        replied = idle = False
        while not (replied and idle):
            kind, parent, content = self.receive()
            if parent != request:
                continue
            replied |= kind == "execute_reply"
            idle |= kind == "status" and content["execution_state"] == "idle"
            if kind == "stream":
                shown.append((content["name"], content["text"]))
                if on_stream is not None:
                    on_stream()
            elif kind == "execute_result":
                shown.append((kind, content["data"]["text/plain"]))
            elif kind == "error":
                shown.append((kind, content["ename"]))
        return shown

    def send(self, request: str, code: str) -> None:
        """Ask for code to be run."""
        header = {
            "msg_id": request,
            "msg_type": "execute_request",
            "session": self._session,
            "username": "compat",
            "version": "5.4",
            "date": "",
        }
        content = {"code": code, "silent": False, "allow_stdin": False, "user_expressions": {}}
        if self._socket.subprotocol != BINARY:
            message = {"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": content}
            self._socket.send(json.dumps(message))
            return
        parts = [b"shell", *(json.dumps(part).encode() for part in (header, {}, {}, content))]
        offsets = [8 * (len(parts) + 2)]
        for part in parts:
            offsets.append(offsets[-1] + len(part))
        self._socket.send(struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets) + b"".join(parts))

    def receive(self) -> tuple[str, str | None, dict[str, Any]]:
        """The type of the next message, the request that it belongs to, and its content."""
        data = self._socket.recv(timeout=TIMEOUT)
        if isinstance(data, str):
            message = json.loads(data)
            return message["msg_type"], message["parent_header"].get("msg_id"), message["content"]
        (count,) = struct.unpack_from("<Q", data)
        offsets = struct.unpack_from(f"<{count}Q", data, 8)
        parts = [data[begin:end] for begin, end in itertools.pairwise(offsets)]
        header, parent, _, content = (json.loads(part) for part in parts[1:5])
        return header["msg_type"], parent.get("msg_id"), content


@contextlib.contextmanager
def kernel_socket(session: Session, kernel: str, *, binary: bool = False) -> Iterator[Kernel]:
    """Connect to a kernel."""
    with connect(
        session.ws(f"/api/kernels/{kernel}/channels?session_id={uuid.uuid4().hex}"),
        additional_headers=HEADERS,
        subprotocols=[BINARY] if binary else None,  # type: ignore[list-item]  # a NewType of str
        open_timeout=TIMEOUT,
        proxy=None,
    ) as socket:
        if binary and socket.subprotocol != BINARY:
            raise CompatError(f"the subprotocol is {socket.subprotocol}")
        yield Kernel(socket)


def drive(session: Session) -> None:
    """REST, a kernel and its WebSocket, files, a terminal, and the end."""
    session.http.headers.update(HEADERS)
    session.note("version", session.get("/api").json()["version"])
    session.note("without a token", session.http.get("/api/status", headers={"Authorization": ""}).status_code)
    session.get("/api/status")
    session.expect("kernelspec", session.get("/api/kernelspecs").json()["default"], "python3")
    files(session)
    kernels(session)
    terminal(session)
    session.measure("GET /api", 300, lambda: session.http.get("/api").raise_for_status())
    session.expect("shutdown", session.http.post("/api/shutdown").status_code, 200)


def files(session: Session) -> None:
    """Write a file and read it back, as contents and as a file that is sent."""
    text = "hello\n" * 50_000
    body = {"type": "file", "format": "text", "content": text}
    session.expect("PUT", session.http.put("/api/contents/hello.txt", json=body).status_code, 201)
    session.expect("contents", session.get("/api/contents/hello.txt").json()["content"], text)
    session.expect("file", session.get("/files/hello.txt").text, text)
    part = session.http.get("/files/hello.txt", headers={"Range": "bytes=6-10"})
    session.expect("range", (part.status_code, part.text), (206, "hello"))
    session.expect("missing", session.http.get("/api/contents/none.txt").status_code, 404)


def kernels(session: Session) -> None:
    """Start a kernel, run code over its WebSocket, interrupt it, restart it, and end it."""
    started = session.http.post("/api/kernels", json={"name": "python3"})
    session.expect("POST /api/kernels", started.status_code, 201)
    kernel = started.json()["id"]
    with kernel_socket(session, kernel) as channel:
        session.expect("1+1", channel.execute("1+1"), [("execute_result", "2")])
        face = channel.execute("import tornado; tornado.__name__")
        if face != [("execute_result", FACES[session.place.leg])]:
            raise CompatError(f"the kernel, too, should run on {session.place.leg}; its tornado is {face}")
        session.expect("print", channel.execute("print('h\\xe9')"), [("stdout", "h\xe9\n")])
        session.expect("1/0", channel.execute("1/0"), [("error", "ZeroDivisionError")])
        big = channel.execute("'x' * 1_000_000")
        session.expect("a megabyte", len(str(big[0][1])), 1_000_002)
        session.measure("1+1 in a kernel", 100, lambda: channel.execute("1+1"))
    with kernel_socket(session, kernel, binary=True) as channel:
        session.expect("1+1, binary", channel.execute("1+1"), [("execute_result", "2")])
        interrupt(session, kernel, channel)
    session.expect("restart", session.http.post(f"/api/kernels/{kernel}/restart").status_code, 200)
    with kernel_socket(session, kernel) as channel:
        session.expect("after the restart", channel.execute("6*7"), [("execute_result", "42")])
    session.expect("DELETE", session.http.delete(f"/api/kernels/{kernel}").status_code, 204)
    session.expect("kernels", session.http.get("/api/kernels").json(), [])


def interrupt(session: Session, kernel: str, channel: Kernel) -> None:
    """Interrupt a loop that would run for ever, and wait until the kernel has said that it is done with it.

    A kernel that is restarted before then may complain in its log that it cannot answer, on Tornado, too.
    """
    statuses: list[int] = []

    def press_stop() -> None:
        if not statuses:
            statuses.append(session.http.post(f"/api/kernels/{kernel}/interrupt").status_code)

    shown = channel.execute("print('ready', flush=True)\nwhile True: pass", press_stop)
    session.expect("interrupt", statuses, [204])
    session.expect("what interrupted code raises", shown[-1], ("error", "KeyboardInterrupt"))


def terminal(session: Session) -> None:
    """A shell over a WebSocket, served by terminado inside Jupyter Server."""
    name = session.http.post("/api/terminals").json()["name"]
    with connect(
        session.ws(f"/terminals/websocket/{name}"), additional_headers=HEADERS, open_timeout=TIMEOUT, proxy=None
    ) as socket:
        socket.send(json.dumps(["stdin", "echo $((6*7))-done\r"]))
        shown, deadline = "", time.monotonic() + TIMEOUT
        while "42-done" not in shown and time.monotonic() < deadline:
            kind, *rest = json.loads(socket.recv(timeout=TIMEOUT))
            shown += rest[0] if kind == "stdout" else ""
        session.expect("terminal", "42-done" in shown, True)
    session.expect("end of the terminal", session.http.delete(f"/api/terminals/{name}").status_code, 204)


@contextlib.contextmanager
def surroundings(place: Place) -> Iterator[Mapping[str, str]]:
    """Nothing of the user's own Jupyter."""
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    yield {name: str(place.folder / name.lower()) for name in names}


def arguments(place: Place) -> list[str]:
    """The command that users type, and where."""
    return [
        *("-m", "jupyter_server", "--allow-root", "--no-browser", f"--port={place.port}", "--port-retries=0"),
        *(f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={place.folder}"),
    ]


PROGRAM = Program(
    name="jupyter_server",
    packages=("jupyter_server", "ipykernel", "terminado"),
    arguments=arguments,
    drive=drive,
    ends_itself=True,
    surroundings=surroundings,
)
