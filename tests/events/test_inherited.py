from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from gustnado.errors import UsageError
from gustnado.events import inherited
from gustnado.events.inherited import inherited_socket, systemd_sockets
from gustnado.events.sockets import bind_sockets

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="descriptors are no sockets there")


@pytest.fixture
def offer(monkeypatch):
    """``offer(descriptors, names=None, pid=None)`` sets the environment as systemd does.

    The descriptors must follow each other, as theirs do; where they begin is changed.
    """

    def offer(descriptors, names=None, pid=None):
        assert list(descriptors) == list(range(descriptors[0], descriptors[0] + len(descriptors)))
        monkeypatch.setattr(inherited, "FIRST_FD", descriptors[0])
        monkeypatch.setenv("LISTEN_FDS", str(len(descriptors)))
        monkeypatch.setenv("LISTEN_PID", str(os.getpid() if pid is None else pid))
        if names is not None:
            monkeypatch.setenv("LISTEN_FDNAMES", names)

    return offer


@pytest.fixture
def listening():
    """Descriptors of two listening sockets, one after the other, and their ports."""
    sockets = [bind_sockets(0, "127.0.0.1")[0] for _ in range(2)]
    ports = [sock.getsockname()[1] for sock in sockets]
    first = 200
    for place, sock in enumerate(sockets):
        os.dup2(sock.fileno(), first + place)
        sock.close()
    yield [first, first + 1], ports
    for fd in (first, first + 1):
        try:
            os.close(fd)
        except OSError:
            pass  # the test has taken it over, and closed it


def close(sockets):
    for sock in sockets:
        sock.close()


class TestSystemd:
    def test_its_sockets_in_their_order(self, offer, listening):
        fds, ports = listening
        offer(fds)
        sockets = systemd_sockets()
        assert [sock.getsockname()[1] for sock in sockets] == ports
        assert [sock.fileno() for sock in sockets] == fds
        assert not any(sock.getblocking() for sock in sockets)
        assert all(sock.get_inheritable() for sock in sockets)
        close(sockets)

    def test_by_name(self, offer, listening):
        fds, ports = listening
        offer(fds, "web:admin")
        (admin,) = systemd_sockets("admin")
        assert admin.getsockname()[1] == ports[1]
        assert systemd_sockets("other") == []
        (web,) = systemd_sockets("web")
        assert web.getsockname()[1] == ports[0]
        close([admin, web])

    def test_nothing_is_offered(self, monkeypatch):
        for name in ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"):
            monkeypatch.delenv(name, raising=False)
        assert systemd_sockets() == []

    def test_what_is_offered_to_another_process(self, offer, listening):
        fds, _ = listening
        offer(fds, pid=os.getppid())
        assert systemd_sockets() == []
        os.fstat(fds[0])

    def test_none(self, offer, listening, monkeypatch):
        offer(listening[0])
        monkeypatch.setenv("LISTEN_FDS", "0")
        assert systemd_sockets() == []

    @pytest.mark.parametrize("variable", ["LISTEN_FDS", "LISTEN_PID"])
    @pytest.mark.parametrize("text", ["one", "-1", "1e3", "٣", "12345678"])
    def test_what_is_no_number(self, variable, text, offer, listening, monkeypatch):
        offer(listening[0])
        monkeypatch.setenv(variable, text)
        with pytest.raises(
            UsageError, match=f"environment variable {variable}: '{text}' is not a possible number"
        ):
            systemd_sockets()

    def test_names_of_another_number(self, offer, listening):
        offer(listening[0], "web")
        with pytest.raises(UsageError, match="1 names in LISTEN_FDNAMES, but LISTEN_FDS=2"):
            systemd_sockets()

    def test_what_is_promised_is_not_there(self, offer, listening, monkeypatch):
        fds, _ = listening
        offer(fds, "web:admin")
        os.close(fds[1])
        with pytest.raises(UsageError, match=r"file descriptor 201 \(admin\) of LISTEN_FDS=2 is no socket"):
            systemd_sockets()
        os.fstat(fds[0])  # is left open for another try

    def test_a_program_that_systemd_starts(self, listening):
        """The protocol itself: descriptors from 3 on, the number of the process, and an exec."""
        fds, ports = listening
        program = (
            "from gustnado.events import systemd_sockets\n"
            "print([(s.fileno(), s.getsockname()[1]) for s in systemd_sockets()])"
        )
        launcher = (
            "import os, sys\n"
            f"os.dup2({fds[0]}, 3); os.dup2({fds[1]}, 4)\n"
            "os.environ.update(LISTEN_FDS='2', LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES='a:b')\n"
            f"os.execv(sys.executable, [sys.executable, '-c', {program!r}])"
        )
        done = subprocess.run(
            [sys.executable, "-c", launcher], pass_fds=fds, capture_output=True, text=True, timeout=60
        )
        assert (done.stdout, done.stderr) == (f"{[(3, ports[0]), (4, ports[1])]}\n", "")


class TestOne:
    def test_it_serves(self, listening):
        fds, ports = listening
        sock = inherited_socket(fds[0])
        with socket.create_connection(("127.0.0.1", ports[0])) as client:
            connection, address = sock.accept()
            assert address == client.getsockname()
            connection.close()
        close([sock])

    @pytest.mark.parametrize("fd", [-1, 199, 1 << 40])
    def test_what_is_not_open(self, fd):
        with pytest.raises(UsageError, match=f"file descriptor {fd} is no socket"):
            inherited_socket(fd)

    def test_a_file(self, tmp_path):
        with open(tmp_path / "file", "w") as file:
            with pytest.raises(UsageError, match="is no socket"):
                inherited_socket(file.fileno())
            file.write("still open")

    def test_a_connection_and_datagrams(self):
        left, right = socket.socketpair()
        with left, right, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            for sock in (left, datagrams):
                with pytest.raises(UsageError, match="is not a listening stream socket"):
                    inherited_socket(sock.fileno())
                os.fstat(sock.fileno())
