"""The supervisor of worker processes: does what :class:`~gustnado.cli.supervisor.Supervisor` decides.

It has no event loop and no threads, so that it can fork at any time, and it never loads the application: each
worker does, so that a rolling restart brings in a new version of it.

=================  ===========================================================================
SIGTERM, SIGINT    end all workers in good order; the second time at once
SIGQUIT            end all workers at once
SIGHUP             rolling restart
SIGTTIN, SIGTTOU   one worker more, one less
SIGUSR1            all open their log files anew
=================  ===========================================================================

Signals arrive as bytes in a pipe, beside the pipe of each worker on which it says that it is ready. The workers
inherit the listening sockets, which stay open here: what waits in the kernel while workers change is
accepted by the others. They also inherit the reading end of a pipe that nobody writes to: it ends with this process.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, Protocol

from gustnado.cli.config import RunConfig
from gustnado.cli.notify import notify
from gustnado.cli.supervisor import Action, Exit, Kill, Notify, Say, Start, Stop, Supervisor
from gustnado.cli.worker import WORKER_VARIABLE, Supervised
from gustnado.log import gen_log

__all__ = ["Processes"]

_SIGNALS = [
    signal.SIGTERM,
    signal.SIGINT,
    *[
        getattr(signal, name)
        for name in ("SIGQUIT", "SIGHUP", "SIGTTIN", "SIGTTOU", "SIGUSR1", "SIGCHLD")
        if hasattr(signal, name)
    ],
]


class _Process(Protocol):
    pid: int

    def poll(self) -> int | None:
        """The exit status, or the negative number of a signal; ``None`` while it runs."""


class _Forked:
    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._status: int | None = None

    def poll(self) -> int | None:
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
        return self._status


class Processes:
    """Workers of a configuration, over sockets that listen already.

    :param supervisor: who decides.
    """

    def __init__(self, config: RunConfig, sockets: list[socket.socket], supervisor: Supervisor) -> None:
        self._config = config
        self._sockets = sockets
        self._supervisor = supervisor
        self._processes: dict[int, _Process] = {}
        self._ready: dict[int, int] = {}  # number of a worker -> the pipe from it
        self._not_started: list[int] = []  # workers for which the system had no process
        self._selector = selectors.DefaultSelector()
        self._lifeline, self._life = os.pipe()
        self._wake, self._waker = os.pipe()
        for fd in (self._wake, self._waker):
            os.set_blocking(fd, False)
        self._selector.register(self._wake, selectors.EVENT_READ, None)

    def run(self) -> int | Supervised:
        """Supervise until all has ended: the exit status. In a worker that was forked, at once: what it needs."""
        with self._signals():
            actions = self._supervisor.begin(time.monotonic())
            while True:
                for action in actions:
                    outcome = self._do(action)
                    if outcome is not None:
                        return outcome
                actions = self._wait()

    # What is decided

    def _do(self, action: Action) -> int | Supervised | None:
        match action:
            case Start(number):
                return self._start(number)
            case Stop(number):
                self._send(number, signal.SIGTERM)
            case Kill(number):
                self._send(number, signal.SIGKILL)
            case Say(level, text):
                gen_log.log(level, "%s", text)
            case Notify(state):
                notify(state)
                if state == "stopping":
                    for sock in self._sockets:  # or the kernel would go on taking connections
                        sock.close()
            case Exit(status):
                self._close()
                return status
        return None

    def _start(self, number: int) -> Supervised | None:
        ready, told = os.pipe()
        os.set_blocking(ready, False)  # a child of a worker that has died may hold the other end
        try:
            if self._config.worker_method == "fork":
                supervised = self._fork(number, Supervised(number, told, self._lifeline), ready)
                if supervised is not None:
                    return supervised
            else:
                self._processes[number] = self._spawn(number, told)
        except OSError as error:
            gen_log.error("no process for worker %d: %s", number, error)
            self._not_started.append(number)
            os.close(ready)
            os.close(told)
            return None
        os.close(told)
        self._ready[number] = ready
        self._selector.register(ready, selectors.EVENT_READ, number)
        return None

    def _fork(self, number: int, supervised: Supervised, ready: int) -> Supervised | None:
        # A signal between the fork and the worker's own handlers must not count as one of the supervisor.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            pid = os.fork()
            if pid == 0:
                os.close(ready)
                self._become_worker()
                return supervised
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        self._processes[number] = _Forked(pid)
        return None

    def _become_worker(self) -> None:
        """Leave what is the supervisor's."""
        signal.set_wakeup_fd(-1)
        for number in _SIGNALS:
            # Ctrl-C in a terminal reaches this process, too, and is the supervisor's to answer.
            signal.signal(number, signal.SIG_IGN if number == signal.SIGINT else signal.SIG_DFL)
        self._processes.clear()
        self._close(lifeline=False)
        random.seed()  # or all workers would draw the same numbers

    def _spawn(self, number: int, told: int) -> _Process:
        fds = [sock.fileno() for sock in self._sockets]
        work = {
            "config": self._config.to_json(),
            "sockets": fds,
            "number": number,
            "ready": told,
            "lifeline": self._lifeline,
        }
        return subprocess.Popen(
            [sys.executable, "-c", "from gustnado.cli.worker import main; main()"],
            env={**os.environ, WORKER_VARIABLE: json.dumps(work)},
            pass_fds=[*fds, told, self._lifeline],
        )

    def _send(self, number: int, signum: int) -> None:
        process = self._processes.get(number)
        if process is not None and process.poll() is None:
            os.kill(process.pid, signum)

    # What happens

    def _wait(self) -> list[Action]:
        next_time = self._supervisor.next_time()
        timeout = None if next_time is None else max(0.0, next_time - time.monotonic())
        if self._not_started:
            timeout = 0.0
        events = self._selector.select(timeout)
        now = time.monotonic()
        actions: list[Action] = []
        for key, _ in events:
            if key.data is None:
                actions += self._take_signals(now)
            else:
                actions += self._take_ready(key.data, now)
        for number, process in list(self._processes.items()):
            status = process.poll()
            if status is not None:
                actions += self._take_end(number, status, now)
        not_started, self._not_started = self._not_started, []
        for number in not_started:
            actions += self._supervisor.died(number, 1, now)
        return [*actions, *self._supervisor.tick(now)]

    def _take_signals(self, now: float) -> list[Action]:
        actions: list[Action] = []
        for number in os.read(self._wake, 4096):
            name = signal.Signals(number).name
            if name in ("SIGTERM", "SIGINT"):
                actions += self._supervisor.stop(now)
            elif name == "SIGQUIT":
                actions += [*self._supervisor.stop(now), *self._supervisor.stop(now)]
            elif name == "SIGHUP":
                actions += self._supervisor.restart(now)
            elif name in ("SIGTTIN", "SIGTTOU"):
                actions += self._supervisor.resize(+1 if name == "SIGTTIN" else -1, now)
            elif name == "SIGUSR1":
                for worker in self._processes.keys() - self._ready.keys():  # the others open them later anyway
                    self._send(worker, number)
        return actions

    def _take_ready(self, number: int, now: float) -> list[Action]:
        try:
            said = os.read(self._ready[number], 1)
        except BlockingIOError:
            said = b""
        self._forget_pipe(number)
        return self._supervisor.ready(number, now) if said else []

    def _take_end(self, number: int, status: int, now: float) -> list[Action]:
        del self._processes[number]
        actions: list[Action] = []
        if number in self._ready:  # it may have been ready in between
            actions += self._take_ready(number, now)
        return [*actions, *self._supervisor.died(number, status, now)]

    def _forget_pipe(self, number: int) -> None:
        pipe = self._ready.pop(number)
        self._selector.unregister(pipe)
        os.close(pipe)

    # Signals and descriptors

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        # The pipe first, or a signal in between would be lost. A full pipe wakes the supervisor anyway.
        previous = signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        before: dict[int, Any] = {number: signal.signal(number, _ignore) for number in _SIGNALS}
        pid = os.getpid()
        try:
            yield
        finally:
            if os.getpid() == pid:
                signal.set_wakeup_fd(previous)
                for number, handler in before.items():
                    signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _close(self, lifeline: bool = True) -> None:
        self._selector.close()
        for fd in [*self._ready.values(), self._life, self._wake, self._waker]:
            os.close(fd)
        self._ready.clear()
        if lifeline:
            os.close(self._lifeline)


def _ignore(number: int, frame: object) -> None:
    """The signal's number is in the pipe."""
