"""The functions of :mod:`gustnado.autoreload`. They are those of the process, and so is what they share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from gustnado.autoreload.reloader import Reloader
from gustnado.events.loop import IOLoop
from gustnado.events.process import task_id

__all__ = ["add_reload_hook", "reloader", "start", "wait", "wait_saying", "watch"]

reloader = Reloader()
"""The watcher of this process."""


def start(check_time: float = 500, *, io_loop: IOLoop | None = None) -> None:
    """Begin to watch, and restart the program when a file changes. In a worker process it does nothing.

    The loop need not run yet. Another call only says on which loop the restart will happen.

    :param check_time: milliseconds from one look at the files to the next, where they are polled; and
        until newly imported ones are noticed, otherwise.
    :param io_loop: where the restart happens; by default the current one.
    :raises ValueError: where ``check_time`` is not positive.
    :raises gustnado.errors.UsageError: where the environment asks for what there is not.
    """
    if not check_time > 0:
        raise ValueError("check_time must be positive")
    if task_id() is None:
        reloader.start(check_time / 1000, io_loop or IOLoop.current())


def wait() -> None:
    """Wait for a change, then restart the program: for the end of scripts, such as those that run tests.

    :raises KeyboardInterrupt: on Ctrl-C.
    """
    wait_saying("")


def watch(filename: str | os.PathLike[str]) -> None:
    """Watch one more file, or all files below a directory but hidden ones.

    A file may be missing; that it appears is a change. One that appears in a directory is none.
    """
    reloader.files.add(filename)


def add_reload_hook(fn: Callable[[], object]) -> None:
    """Have ``fn`` called before each restart, after those added earlier. What it raises is logged.

    Files and sockets need none, unless they were made inheritable: they are closed anyway.
    """
    reloader.hooks.append(fn)


def wait_saying(said: str) -> None:
    """Wait, and say something as soon as no change will be missed."""
    io_loop = IOLoop()
    try:
        start(io_loop=io_loop)
        sys.stderr.write(said)
        io_loop.start()
    finally:
        io_loop.close()


def _reload() -> None:
    reloader.reload()
