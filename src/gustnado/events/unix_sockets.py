"""Listening sockets with a name in the file system: made with their rights, and never over a live one.

>>> import os, tempfile
>>> with tempfile.TemporaryDirectory() as directory:
...     path = os.path.join(directory, "web.sock")
...     sock = bind_unix_socket(path, mode=0o660)
...     print(oct(os.stat(path).st_mode & 0o777))
...     try:
...         bind_unix_socket(path)
...     except BindError as error:
...         print(str(error).replace(path, "web.sock"))
...     sock.close()
0o660
[Errno ...] cannot listen on web.sock: a server is listening there

Rules:

- A file that a server listens on is left alone; whether one does is found out by connecting to it. The file of
  a server that is gone is removed. Anything else than a socket is left alone.
- The file has its mode, owner and group before anybody can connect.
- Two programs that start at the same time do not take each other's file for a stale one: looking, removing
  and binding happen under a lock of the directory (which leaves no file behind).
- The file stays when the socket is closed, as with all servers: the next one may listen there already.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import socket
import stat
import time
from collections.abc import Iterator
from types import ModuleType

from gustnado.errors import UsageError
from gustnado.events.sockets import DEFAULT_BACKLOG, BindError, bind_error

__all__ = ["LOCK_TIMEOUT", "bind_unix_socket"]

LOCK_TIMEOUT = 10.0
"""Seconds that :func:`bind_unix_socket` waits for another program that binds in the same directory."""


def bind_unix_socket(
    file: str,
    mode: int = 0o600,
    backlog: int = DEFAULT_BACKLOG,
    *,
    owner: str | int | None = None,
    group: str | int | None = None,
) -> socket.socket:
    """Make a socket that listens on a path of the file system.

    :param file: the path; a leading NUL means Linux' abstract namespace, where there are no files, and so
        no modes and owners either.
    :param mode: permissions of the file; who may write to it may connect.
    :param backlog: as of :meth:`socket.socket.listen`.
    :param owner: the name or number of the user that owns the file; by default the one that this runs as.
    :param group: of the file, likewise.
    :raises BindError: where a server listens there, or the directory is not there.
    :raises PermissionError: where this process may not write there, or not give files away.
    :raises ValueError: where the path is something else than a socket.
    :raises LookupError: where there is no such user or group.
    :raises gustnado.errors.UsageError: where the system has no such sockets.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise UsageError("bind_unix_socket: this system's Python has no unix sockets")
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if file.startswith("\0"):
            sock.bind(file)
            sock.listen(backlog)
        else:
            with _locked(os.path.dirname(file) or os.curdir, file):
                _remove_stale_socket(file)
                _listen(sock, file, mode, backlog, owner, group)
    except OSError as exc:
        sock.close()
        if isinstance(exc, BindError):
            raise
        raise bind_error(exc, file.replace("\0", "@", 1)) from exc
    except BaseException:
        sock.close()
        raise
    return sock


@contextlib.contextmanager
def _locked(directory: str, file: str) -> Iterator[None]:
    """Hold the lock of a directory, where that is possible."""
    import fcntl  # not on Windows, which does not get here

    try:
        lock = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # missing, as binding will tell; or not for this process to read
        yield
        return
    try:
        deadline = time.monotonic() + LOCK_TIMEOUT
        while not _try_lock(fcntl, lock):
            if time.monotonic() > deadline:
                message = f"cannot listen on {file}: another program holds a lock of {directory}"
                raise BindError(errno.EAGAIN, message)
            time.sleep(0.01)
        yield
    finally:
        os.close(lock)


def _try_lock(fcntl: ModuleType, lock: int) -> bool:
    """Whether the lock is held now, or is of no use: on some network file systems."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _remove_stale_socket(file: str) -> None:
    try:
        if not stat.S_ISSOCK(os.stat(file).st_mode):
            raise ValueError(f"File {file} exists and is not a socket")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(file)
        except ConnectionRefusedError:
            os.remove(file)
            return
        except FileNotFoundError:
            return
        except BlockingIOError:
            pass  # alive, with a full backlog
    raise BindError(errno.EADDRINUSE, f"cannot listen on {file}: a server is listening there")


def _listen(
    sock: socket.socket, file: str, mode: int, backlog: int, owner: str | int | None, group: str | int | None
) -> None:
    user, members = _number("pwd", "getpwnam", owner), _number("grp", "getgrnam", group)
    sock.bind(file)
    try:
        # Nobody can connect before it listens, so that there is no moment with other rights.
        if (user, members) != (-1, -1):
            os.chown(file, user, members)
        os.chmod(file, mode)
        sock.listen(backlog)
    except BaseException:
        os.remove(file)
        raise


def _number(database: str, function: str, name: str | int | None) -> int:
    """The number of a user or a group; -1 leaves it as it is."""
    if name is None or isinstance(name, int):
        return -1 if name is None else name
    look_up = getattr(importlib.import_module(database), function)  # neither is on Windows
    try:
        return int(look_up(name)[2])
    except KeyError:
        kind = "user" if database == "pwd" else "group"
        raise LookupError(f"bind_unix_socket: no such {kind}: {name!r}") from None
