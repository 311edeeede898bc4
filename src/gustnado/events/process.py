"""Several processes of one program: forking workers, and telling them apart.

:func:`fork_processes` is called before any event loop exists. It returns in each worker, and in the
parent only by ending it: the parent starts workers anew that die, passes signals that end it on to
them, and exits when all are done.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from gustnado.errors import UsageError
from gustnado.events.loop import IOLoop
from gustnado.log import gen_log

__all__ = ["CalledProcessError", "cpu_count", "fork_processes", "set_task_id", "task_id"]

CalledProcessError = subprocess.CalledProcessError

MAX_RESTARTS = 100
"""Workers started anew before the parent gives up (Tornado: 100)."""

_task_id: int | None = None


def cpu_count() -> int:
    """How many processors this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def task_id() -> int | None:
    """The number of this worker, from 0; ``None`` outside the workers of :func:`fork_processes`.

    Workers of ``gustnado run`` have numbers too, from 1; each new worker there gets a new one.
    """
    return _task_id


def set_task_id(number: int) -> None:
    """Have :func:`task_id` say so: for supervisors other than :func:`fork_processes`, in their workers."""
    global _task_id
    _task_id = number


def fork_processes(num_processes: int | None, max_restarts: int | None = None) -> int:
    """Start workers, and return in each of them with its :func:`task_id`.

    A worker that ends with an error, or by a signal, is started anew with its number. The parent never
    returns: it exits with status 0 when all workers have ended well. Where it is told to end by SIGTERM
    or SIGINT, it passes that on, waits for the workers, and dies of the same signal.

    :param num_processes: how many; ``None`` or less than 1 for :func:`cpu_count`.
    :param max_restarts: how often workers are started anew, in all; by default :data:`MAX_RESTARTS`.
    :raises gustnado.errors.UsageError: where the system cannot fork, an event loop exists already, or
        this is a worker.
    :raises RuntimeError: in the parent, where workers died too often; the others are ended first.
    """
    if not hasattr(os, "fork"):
        raise UsageError(f"fork_processes: {sys.platform} cannot fork")
    if _task_id is not None:
        raise UsageError("fork_processes: this is a worker process already")
    if IOLoop.initialized():
        raise UsageError(
            "fork_processes: an event loop exists already and cannot be shared by processes; "
            "call nothing that makes one before, such as IOLoop.current()"
        )
    if num_processes is None or num_processes < 1:
        num_processes = cpu_count()
    gen_log.info("Starting %d processes", num_processes)
    return _Supervisor(MAX_RESTARTS if max_restarts is None else max_restarts).run(num_processes)


class _Supervisor:
    """The parent's side of :func:`fork_processes`."""

    def __init__(self, max_restarts: int) -> None:
        self._children: dict[int, int] = {}
        self._restarts_left = max_restarts
        self._received: int | None = None
        self._pid = os.getpid()

    def run(self, num_processes: int) -> int:
        if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
            # As inherited from some launchers: the kernel would forget how each child has ended.
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with self._signals_passed_on() as restore:
            for number in range(num_processes):
                if self._received is None and self._start(number):
                    return self._become_worker(number, restore)
            while self._children:
                failed = self._wait_for_failure()
                if failed is not None and self._start(failed):
                    return self._become_worker(failed, restore)
        self._exit()

    def _start(self, number: int) -> bool:
        """Fork; whether this is the child."""
        pid = os.fork()
        if pid:
            self._children[pid] = number
            if self._received is not None:  # while it was started, so that nobody has passed it on
                self._end_children(self._received)
        return pid == 0

    def _become_worker(self, number: int, restore: Callable[[], None]) -> int:
        restore()
        random.seed()  # or all workers would draw the parent's numbers
        set_task_id(number)
        return number

    def _wait_for_failure(self) -> int | None:
        """Wait until a child ends; its number where it is to be started anew."""
        pid, status = os.wait()
        number = self._children.pop(pid, None)
        if number is None:
            return None  # some other child of this program
        code = os.waitstatus_to_exitcode(status)
        if code == 0 or self._received is not None:
            gen_log.info("child %d (pid %d) exited%s", number, pid, " normally" if code == 0 else "")
            return None
        how = f"exited with status {code}" if code > 0 else f"killed by signal {-code}"
        gen_log.warning("child %d (pid %d) %s, restarting", number, pid, how)
        if self._restarts_left <= 0:
            self._end_children(signal.SIGTERM)
            raise RuntimeError("Too many child restarts, giving up")
        self._restarts_left -= 1
        return number

    def _end_children(self, signum: int) -> None:
        for pid in list(self._children):
            try:
                os.kill(pid, signum)
            except ProcessLookupError:
                self._children.pop(pid, None)

    @contextmanager
    def _signals_passed_on(self) -> Iterator[Callable[[], None]]:
        previous: dict[signal.Signals, Any] = {}

        def restore() -> None:
            for signum, handler in previous.items():
                signal.signal(signum, handler)

        for signum in (signal.SIGTERM, signal.SIGINT):
            # Python's own handler of SIGINT raises; what the program has set itself stays as it is.
            if signal.getsignal(signum) in (signal.SIG_DFL, signal.default_int_handler):
                previous[signum] = signal.signal(signum, self._pass_on)
        try:
            yield restore
        finally:
            restore()

    def _pass_on(self, signum: int, frame: FrameType | None) -> None:
        if os.getpid() != self._pid:
            sys.exit(128 + signum)  # a worker, before it has its own handlers back
        self._received = signum
        # Ctrl-C in a terminal reaches the whole group without us; a second one does no harm.
        self._end_children(signum)

    def _exit(self) -> NoReturn:
        if self._received is None:
            sys.exit(0)
        signal.signal(self._received, signal.SIG_DFL)
        os.kill(os.getpid(), self._received)
        sys.exit(128 + self._received)
