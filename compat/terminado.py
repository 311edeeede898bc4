"""terminado: shells on pseudo-terminals behind WebSockets, one for all clients or one for each."""

from __future__ import annotations

import contextlib
import json
import signal
import time
from collections.abc import Iterator

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from compat.environments import APPS
from compat.errors import CompatError
from compat.program import Program
from compat.session import TIMEOUT, Session

__all__ = ["PROGRAM"]


class Terminal:
    """The client's end of one terminal."""

    def __init__(self, address: str) -> None:
        self._socket = connect(address, open_timeout=TIMEOUT, proxy=None)
        self.setup = json.loads(self._socket.recv(timeout=TIMEOUT))
        self._shown = ""
        self._count = 0

    def run(self, command: str) -> str:
        """Type a command; what it prints, without the marks around it that this adds."""
        self._count += 1
        begin, end = f"<{self._count}:", f":{self._count}>"
        # The marks are put together by the shell, so that the echo of what is typed does not hold them.
        self.type(f"echo '<'{self._count}:\"$({command})\":{self._count}'>'\r")
        shown = self.read_until(end)
        return shown.partition(begin)[2].removesuffix(end)

    def type(self, text: str) -> None:
        """Type it."""
        self._socket.send(json.dumps(["stdin", text]))

    def resize(self, rows: int, columns: int) -> None:
        """Say how large the window is."""
        self._socket.send(json.dumps(["set_size", rows, columns]))

    def read_until(self, mark: str) -> str:
        """What is shown up to ``mark``.

        :raises CompatError: if that does not come.
        """
        deadline = time.monotonic() + TIMEOUT
        while mark not in self._shown:
            if time.monotonic() > deadline:
                raise CompatError(f"no {mark} in {self._shown!r}")
            kind, *rest = json.loads(self._socket.recv(timeout=TIMEOUT))
            self._shown += rest[0] if kind == "stdout" else ""
        shown, _, self._shown = self._shown.partition(mark)
        return shown + mark

    def read_to_the_end(self) -> list[object]:
        """The messages, without what is shown, until the server closes."""
        messages: list[object] = []
        with contextlib.suppress(ConnectionClosed):
            while True:
                message = json.loads(self._socket.recv(timeout=TIMEOUT))
                if message[0] != "stdout":
                    messages.append(message)
        return messages

    def close(self) -> None:
        """Close the WebSocket."""
        self._socket.close()


@contextlib.contextmanager
def terminal(session: Session, path: str) -> Iterator[Terminal]:
    """Connect to one."""
    opened = Terminal(session.ws(path))
    try:
        yield opened
    finally:
        opened.close()


def drive(session: Session) -> None:
    """A terminal of one's own, one that is shared, windows of several sizes, and the end of a shell."""
    session.get("/nothing", 404)
    with terminal(session, "/unique") as own:
        session.expect("setup", own.setup, ["setup", {}])
        session.expect("echo", own.run("echo $((6*7))"), "42")
        session.expect("not ASCII", own.run("printf '\\u20ac'"), "\u20ac")
        own.resize(33, 111)
        session.expect("size", own.run("stty size"), "33 111")
        session.expect("much", len(own.run("head -c 300000 /dev/zero | tr '\\0' x")), 300_000)
        session.measure("a command in a shell", 200, lambda: own.run("true"))
        own.type("exit\r")
        session.expect("end of the shell", own.read_to_the_end(), [["disconnect", 1]])
    shared(session)
    session.server.rest()  # an interrupt in the middle of a callback may end Tornado otherwise
    session.server.process.send_signal(signal.SIGINT)


def shared(session: Session) -> None:
    """Two clients of one shell see the same; a third that comes later sees what was there before."""
    with terminal(session, "/shared/one") as left, terminal(session, "/shared/one") as right:
        left.resize(50, 150)
        right.resize(40, 160)
        session.expect("smallest window", left.run("stty size"), "40 150")
        session.expect("seen by the other", "40 150" in right.read_until(":1>"), True)
        with terminal(session, "/shared/one") as late:
            session.expect("seen later", "40 150" in late.read_until(":1>"), True)
        with terminal(session, "/shared/two") as other:
            session.expect("another shell", left.run("echo $$") == other.run("echo $$"), False)


PROGRAM = Program(
    name="terminado",
    packages=("terminado",),
    arguments=lambda place: [str(APPS / "terminado_app.py"), str(place.port)],
    drive=drive,
    ends_itself=True,
)
