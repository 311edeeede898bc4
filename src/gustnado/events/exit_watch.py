"""Waiting for the end of a child process without blocking the loop, and without SIGCHLD.

There is one handler of SIGCHLD in a process, it belongs to the main thread, and uvloop does not let go of
it. So each child is watched for itself: by a descriptor of the process (Linux 5.3 and newer), else by a
thread that waits. Either may be used from a loop of any thread, beside asyncio's own children. A child is
reaped as soon as it has ended, whether or not anybody asked.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Callable
from typing import Any

from gustnado.events.loop import IOLoop

__all__ = ["ProcessFd", "watch_exit"]


class ProcessFd:
    """A descriptor that is readable when a process has ended (``pidfd_open(2)``).

    :param pid: of a child that has not been reaped.
    :raises OSError: where the kernel does not have this, or no descriptor is left.
    """

    def __init__(self, pid: int) -> None:
        self._fd = -1
        self._fd = os.pidfd_open(pid)

    def fileno(self) -> int:
        """The descriptor; -1 when it is closed."""
        return self._fd

    def close(self) -> None:
        """Close it. Again does nothing."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:  # the loop was closed before the process ended
        self.close()


def watch_exit(process: subprocess.Popen[Any], io_loop: IOLoop, on_exit: Callable[[int], object]) -> None:
    """Call ``on_exit(returncode)`` on ``io_loop``, once, when ``process`` has ended and been reaped.

    It is called from the loop, never from within this; not at all where the loop is closed before.

    :param process: may be waited for, polled and signalled by others, from any thread.
    """
    if process.poll() is not None:
        io_loop.add_callback(on_exit, process.returncode)
        return
    fd = _process_fd(process.pid)
    if fd is None:
        _wait_in_thread(process, io_loop, on_exit)
    else:
        _wait_for_event(fd, process, io_loop, on_exit)


def _process_fd(pid: int) -> ProcessFd | None:
    """``None`` where the system does not have it: another one, an older kernel, a sandbox."""
    if hasattr(os, "pidfd_open"):
        with contextlib.suppress(OSError):
            return ProcessFd(pid)
    return None


def _wait_for_event(
    fd: ProcessFd, process: subprocess.Popen[Any], io_loop: IOLoop, on_exit: Callable[[int], object]
) -> None:
    def ended(fd: ProcessFd, events: int) -> None:
        returncode = process.poll()
        if returncode is None:
            return  # another thread is just reaping it; the descriptor stays readable
        io_loop.remove_handler(fd)
        fd.close()
        on_exit(returncode)

    io_loop.add_handler(fd, ended, IOLoop.READ)


def _wait_in_thread(
    process: subprocess.Popen[Any], io_loop: IOLoop, on_exit: Callable[[int], object]
) -> None:
    def wait() -> None:
        io_loop.add_callback(on_exit, process.wait())

    threading.Thread(target=wait, name=f"gustnado-wait-{process.pid}", daemon=True).start()
