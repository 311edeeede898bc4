from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import sys

import pytest

from gustnado.errors import UsageError
from gustnado.events import unix_sockets
from gustnado.events.sockets import BindError
from gustnado.events.unix_sockets import bind_unix_socket

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs unix sockets")
is_root = hasattr(os, "geteuid") and os.geteuid() == 0


def close(*lists):
    for sock in (sock for one in lists for sock in one):
        sock.close()


def test_the_file_has_its_mode(tmp_path):
    path = str(tmp_path / "socket")
    for mode in (0o600, 0o666, 0o660):
        bind_unix_socket(path, mode).close()  # and a stale one is replaced
        assert stat.S_IMODE(os.stat(path).st_mode) == mode


def test_one_that_answers_is_left_alone(tmp_path):
    path = str(tmp_path / "socket")
    alive = bind_unix_socket(path)
    for _ in range(2):
        with pytest.raises(BindError, match="a server is listening there") as raised:
            bind_unix_socket(path)
        assert raised.value.errno == errno.EADDRINUSE
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
    alive.close()


def test_one_with_a_full_backlog_is_left_alone(tmp_path):
    path = str(tmp_path / "socket")
    alive = bind_unix_socket(path, backlog=0)
    clients = []
    try:
        while True:
            client = socket.socket(socket.AF_UNIX)
            clients.append(client)
            client.setblocking(False)
            client.connect(path)
    except BlockingIOError:
        with pytest.raises(BindError, match="a server is listening there"):
            bind_unix_socket(path)
    close(clients, [alive])


def test_what_is_no_socket_is_left_alone(tmp_path):
    path = tmp_path / "file"
    path.write_text("precious")
    with pytest.raises(ValueError, match="exists and is not a socket"):
        bind_unix_socket(str(path))
    assert path.read_text() == "precious"


def test_a_folder_that_is_missing(tmp_path):
    with pytest.raises(BindError, match="no such file"):
        bind_unix_socket(str(tmp_path / "no" / "socket"))


@pytest.mark.skipif(not os.path.exists("/proc/net/unix"), reason="needs Linux")
def test_the_abstract_namespace():
    name = f"\0gustnado-test-{os.getpid()}"
    sock = bind_unix_socket(name)
    assert sock.getsockname() == name.encode()
    with pytest.raises(BindError, match="cannot listen on @gustnado"):
        bind_unix_socket(name)
    sock.close()


def test_the_file_stays_when_the_socket_is_closed(tmp_path):
    path = str(tmp_path / "socket")
    bind_unix_socket(path).close()
    assert stat.S_ISSOCK(os.stat(path).st_mode)


class TestOwner:
    def test_numbers_of_this_process(self, tmp_path):
        path = str(tmp_path / "socket")
        bind_unix_socket(path, owner=os.geteuid(), group=os.getegid()).close()
        assert (os.stat(path).st_uid, os.stat(path).st_gid) == (os.geteuid(), os.getegid())

    def test_names(self, tmp_path):
        grp, pwd = pytest.importorskip("grp"), pytest.importorskip("pwd")
        path = str(tmp_path / "socket")
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(os.getegid())
        bind_unix_socket(path, 0o660, owner=user.pw_name, group=group.gr_name).close()
        status = os.stat(path)
        assert (status.st_uid, status.st_gid) == (user.pw_uid, group.gr_gid)
        assert stat.S_IMODE(status.st_mode) == 0o660

    @pytest.mark.skipif(not is_root, reason="only root gives files away")
    def test_others(self, tmp_path):
        path = str(tmp_path / "socket")
        bind_unix_socket(path, owner=12345).close()
        assert (os.stat(path).st_uid, os.stat(path).st_gid) == (12345, os.getegid())
        bind_unix_socket(path, group=23456).close()
        assert (os.stat(path).st_uid, os.stat(path).st_gid) == (os.geteuid(), 23456)

    @pytest.mark.parametrize("option", ["owner", "group"])
    def test_an_unknown_one_leaves_no_file(self, option, tmp_path):
        path = str(tmp_path / "socket")
        kind = {"owner": "user", "group": "group"}[option]
        with pytest.raises(LookupError, match=f"no such {kind}: 'nobody-of-that-name'"):
            bind_unix_socket(path, **{option: "nobody-of-that-name"})
        assert not os.path.exists(path)

    def test_what_may_not_be_given_away_leaves_no_file(self, tmp_path, monkeypatch):
        def refuse(*args):
            raise PermissionError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(unix_sockets.os, "chown", refuse)
        path = str(tmp_path / "socket")
        with pytest.raises(PermissionError, match=f"cannot listen on {path}: operation not permitted"):
            bind_unix_socket(path, owner=0)
        assert not os.path.exists(path)


class TestLock:
    def test_programs_that_start_at_once_do_not_take_each_others_file(self, tmp_path):
        """All find a stale file; one gets it, and the others see that it is alive."""
        path = str(tmp_path / "socket")
        bind_unix_socket(path).close()
        program = (
            "import sys; from gustnado.events.unix_sockets import bind_unix_socket, BindError\n"
            "print('ready', flush=True); input()\n"
            "try: sock = bind_unix_socket(sys.argv[1])\n"
            "except BindError as error: print('listening there' in str(error), flush=True)\n"
            "else: print('mine', flush=True)\n"
            "input()\n"
        )
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        programs = [subprocess.Popen([sys.executable, "-c", program, path], **pipes) for _ in range(4)]
        for one in programs:
            assert one.stdout.readline() == "ready\n"
        for one in programs:
            one.stdin.write("\n")
            one.stdin.flush()
        said = sorted(one.stdout.readline() for one in programs)
        for one in programs:
            one.communicate("\n", timeout=60)
        assert said == ["True\n"] * 3 + ["mine\n"]

    def test_a_lock_that_is_not_let_go_is_an_error(self, tmp_path, monkeypatch):
        fcntl = pytest.importorskip("fcntl")
        lock = os.open(tmp_path, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        monkeypatch.setattr(unix_sockets, "LOCK_TIMEOUT", 0.02)
        path = str(tmp_path / "socket")
        with pytest.raises(BindError, match=f"another program holds a lock of {tmp_path}"):
            bind_unix_socket(path)
        os.close(lock)
        bind_unix_socket(path).close()

    def test_where_nothing_can_be_locked_it_goes_without(self, tmp_path, monkeypatch):
        fcntl = pytest.importorskip("fcntl")

        def refuse(*args):
            raise OSError(errno.ENOTSUP, "Operation not supported")

        monkeypatch.setattr(fcntl, "flock", refuse)
        bind_unix_socket(str(tmp_path / "socket")).close()

    def test_where_the_directory_cannot_be_read_it_goes_without(self, tmp_path, monkeypatch):
        def refuse(*args):
            raise PermissionError(errno.EACCES, "Permission denied")

        with monkeypatch.context() as patched:
            patched.setattr(unix_sockets.os, "open", refuse)
            bind_unix_socket(str(tmp_path / "socket")).close()

    def test_a_name_without_a_directory(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        bind_unix_socket("socket").close()
        assert (tmp_path / "socket").exists()


def test_a_path_that_is_too_long(tmp_path):
    with pytest.raises(BindError, match=r"cannot listen on .*: AF_UNIX path too long"):
        bind_unix_socket(str(tmp_path / ("x" * 200)))


def test_a_socket_of_another_kind_is_left_alone(tmp_path):
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(path)
        with pytest.raises(BindError, match="wrong type"):
            bind_unix_socket(path)
        assert os.path.exists(path)


def test_a_system_without_unix_sockets(monkeypatch):
    monkeypatch.delattr(socket, "AF_UNIX")
    with pytest.raises(UsageError, match="no unix sockets"):
        bind_unix_socket("socket")
