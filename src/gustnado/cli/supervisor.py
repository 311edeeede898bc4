"""What a supervisor of workers decides; :mod:`gustnado.cli.processes` does it. No I/O, no clock, no process here.

Each method tells what has happened, with the time (in seconds, of any monotonic clock), and returns the *actions*
that follow, in order. Workers are known by numbers, which are never used twice.

A worker is in one of three states::

    STARTING --ready()--> READY
        |                   |   (decided: Stop)
        '---------.---------'
                  v
              STOPPING --died()--> forgotten

What holds:

- As many workers as wanted are STARTING or READY, unless starting has to wait: the very first one is waited for, so
  that a program which cannot start says so once. A death that nobody asked for is made
  good: at once where the worker had been ready for :data:`HEALTHY_AFTER` seconds, else after a back-off, which
  doubles from :data:`FIRST_DELAY` to :data:`LONGEST_DELAY` seconds with each such death in a row.
- A worker that says it cannot be started (:data:`CANNOT_START`), or :data:`MOST_FAILURES` that die in a row, end
  all of it, if no worker has ever been ready. Once the program has run it is not given up.
- A rolling restart starts one worker more, waits until it is ready, stops an old one, and so on: at each moment there
  are as many ready workers as before. If a new one dies before it is ready the restart is given up, and those
  of before go on.
- Who is told to stop and does not, or does not become ready in time, is killed.
"""

from __future__ import annotations

import enum
import logging
import signal
from dataclasses import dataclass
from typing import Final, TypeAlias

__all__ = [
    "CANNOT_START",
    "FIRST_DELAY",
    "HEALTHY_AFTER",
    "LONGEST_DELAY",
    "MOST_FAILURES",
    "Action",
    "Exit",
    "Kill",
    "Notify",
    "Say",
    "Start",
    "State",
    "Stop",
    "Supervisor",
]

CANNOT_START: Final = 3
"""Exit status of a worker whose program cannot be loaded: another attempt would end in the same way."""

HEALTHY_AFTER: Final = 10.0
"""Seconds of being ready after which a death is an accident, and no sign that the next one will die, too."""

FIRST_DELAY: Final = 0.5
"""Seconds before the first worker after a death that came early."""

LONGEST_DELAY: Final = 30.0
"""Seconds of back-off at most."""

MOST_FAILURES: Final = 5
"""Deaths in a row, while no worker has ever been ready, after which it is given up."""

_KILL_AFTER = 5.0  # seconds beyond the grace that a worker has itself


class State(enum.Enum):
    """Of a worker."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"


@dataclass(frozen=True)
class Start:
    """Start a worker, and call it by this number."""

    worker: int


@dataclass(frozen=True)
class Stop:
    """Ask a worker to end in good order."""

    worker: int


@dataclass(frozen=True)
class Kill:
    """End a worker that does not end."""

    worker: int


@dataclass(frozen=True)
class Say:
    """Log something.

    :ivar level: of :mod:`logging`.
    """

    level: int
    text: str


@dataclass(frozen=True)
class Notify:
    """Tell whoever has started the supervisor: ``"ready"``, ``"reloading"`` or ``"stopping"``."""

    state: str


@dataclass(frozen=True)
class Exit:
    """All workers are gone: end with this status."""

    status: int


Action: TypeAlias = Start | Stop | Kill | Say | Notify | Exit
"""What is to be done."""


@dataclass
class _Worker:
    number: int
    generation: int
    state: State
    since: float  # when it came into its state
    deadline: float | None  # when it is killed


class Supervisor:
    """Decides about workers.

    :param workers: how many are wanted, 1 or more.
    :param grace: seconds that a worker takes to end at most, by itself.
    :param boot_timeout: seconds for a worker to become ready.
    """

    def __init__(self, workers: int, *, grace: float = 30.0, boot_timeout: float = 60.0) -> None:
        self.wanted = workers
        self._grace = grace
        self._boot_timeout = boot_timeout
        self._workers: dict[int, _Worker] = {}
        self._last_number = 0
        self._generation = 0
        self._rolling = False
        self._failures = 0
        self._not_before = 0.0
        self._ever_ready = False
        self._announced = False  # that it is ready, since it was last told otherwise
        self._exit_status: int | None = None  # set: all have to end

    # What happens

    def begin(self, now: float) -> list[Action]:
        """Start the first worker."""
        return self._reconcile(now)

    def ready(self, number: int, now: float) -> list[Action]:
        """A worker accepts connections."""
        worker = self._workers.get(number)
        if worker is None or worker.state is not State.STARTING:
            return []
        worker.state, worker.since, worker.deadline = State.READY, now, None
        self._ever_ready = True
        return [Say(logging.INFO, f"worker {number} is ready"), *self._reconcile(now)]

    def died(self, number: int, status: int, now: float) -> list[Action]:
        """A worker has ended.

        :param status: its exit status, or the negative number of the signal that killed it.
        """
        worker = self._workers.pop(number)
        how = _how(status)
        if worker.state is State.STOPPING:
            level = logging.INFO if status == 0 else logging.WARNING
            return [Say(level, f"worker {number} {how}"), *self._reconcile(now)]
        actions: list[Action] = [Say(logging.ERROR, f"worker {number} {how} while {worker.state.value}")]
        if self._rolling and worker.state is State.STARTING and worker.generation == self._generation:
            self._rolling = False
            actions.append(Say(logging.ERROR, "restart given up; the workers of before go on"))
        else:
            actions += self._count_failure(worker, status, now)
        return [*actions, *self._reconcile(now)]

    def restart(self, now: float) -> list[Action]:
        """Replace all workers by new ones, which load the program anew, without a gap."""
        if self._exit_status is not None:
            return []
        self._generation += 1
        self._rolling = True
        self._announced = False
        self._failures, self._not_before = 0, now  # whoever asks may have mended what failed
        text = f"restart: replacing {len(self._active())} workers one by one"
        return [Say(logging.INFO, text), Notify("reloading"), *self._reconcile(now)]

    def resize(self, change: int, now: float) -> list[Action]:
        """Want more or fewer workers from now on, but 1 at least."""
        if self._exit_status is not None:
            return []
        self.wanted = max(1, self.wanted + change)
        return [Say(logging.INFO, f"{self.wanted} workers are wanted from now on"), *self._reconcile(now)]

    def stop(self, now: float) -> list[Action]:
        """End all workers in good order; the second time at once."""
        if self._exit_status is None:
            text = f"ending: {len(self._workers)} workers, {self._grace:g} s at most"
            return [Say(logging.INFO, text), *self._end_all(0, now), *self._reconcile(now)]
        actions: list[Action] = [Say(logging.WARNING, "ending at once")]
        for worker in self._workers.values():
            worker.deadline = None
            actions.append(Kill(worker.number))
        return actions

    def tick(self, now: float) -> list[Action]:
        """Time has passed; see :meth:`next_time`."""
        actions: list[Action] = []
        for worker in self._workers.values():
            if worker.deadline is not None and worker.deadline <= now:
                waited = now - worker.since
                text = f"worker {worker.number} is still {worker.state.value} after {waited:.0f} s: killed"
                worker.deadline = None
                actions += [Say(logging.ERROR, text), Kill(worker.number)]
        return [*actions, *self._reconcile(now)]

    def next_time(self) -> float | None:
        """When :meth:`tick` has something to do next, if nothing else happens."""
        times = [worker.deadline for worker in self._workers.values() if worker.deadline is not None]
        if self._exit_status is None and len(self._active()) < self._target():
            times.append(self._not_before)
        return min(times, default=None)

    # What follows

    def _active(self) -> list[_Worker]:
        return [worker for worker in self._workers.values() if worker.state is not State.STOPPING]

    def _target(self) -> int:
        return self.wanted if self._ever_ready else 1

    def _count_failure(self, worker: _Worker, status: int, now: float) -> list[Action]:
        if self._exit_status is not None:
            return []
        if worker.state is State.READY and now - worker.since >= HEALTHY_AFTER:
            self._failures, self._not_before = 0, now
            return []
        self._failures += 1
        if not self._ever_ready and (status == CANNOT_START or self._failures >= MOST_FAILURES):
            return [Say(logging.ERROR, "no worker could be started: given up"), *self._end_all(status or 1, now)]
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(self._failures - 1, 16))
        self._not_before = now + delay
        return [Say(logging.WARNING, f"the next worker is started in {delay:g} s")]

    def _end_all(self, status: int, now: float) -> list[Action]:
        self._exit_status = 1 if status < 0 else status
        return [Notify("stopping"), *[self._stop(worker, now) for worker in self._active()]]

    def _stop(self, worker: _Worker, now: float) -> Stop:
        worker.state, worker.since = State.STOPPING, now
        worker.deadline = now + self._grace + _KILL_AFTER
        return Stop(worker.number)

    def _start(self, now: float) -> Start:
        self._last_number += 1
        number = self._last_number
        self._workers[number] = _Worker(
            number, self._generation, State.STARTING, now, now + self._boot_timeout
        )
        return Start(number)

    def _reconcile(self, now: float) -> list[Action]:
        """What is between the workers that there are and those that there should be."""
        if self._exit_status is not None:
            return [] if self._workers else [Exit(self._exit_status)]
        actions: list[Action] = []
        spare = self._roll(now, actions)
        while len(self._active()) < self._target() and now >= self._not_before:
            actions.append(self._start(now))
        while len(self._active()) > self.wanted + spare:
            victim = min(self._active(), key=self._worth)
            actions.append(self._stop(victim, now))
            spare = self._roll(now, actions)
        self._announce(actions)
        return actions

    def _worth(self, worker: _Worker) -> tuple[bool, bool, int, int]:
        """Who is stopped first: the old ones, those before the others that serve nobody yet, else the newest.

        The newest has the fewest connections. One of an earlier restart that is not ready must not cost one that is.
        """
        is_ready = worker.state is State.READY
        return worker.generation == self._generation, is_ready, worker.generation, -worker.number

    def _roll(self, now: float, actions: list[Action]) -> int:
        """Go on with a rolling restart; how many workers there may be for it beyond those that are wanted."""
        if not self._rolling:
            return 0
        active = self._active()
        if all(worker.generation == self._generation for worker in active):
            self._rolling = False
            return 0
        coming = [
            worker
            for worker in active
            if worker.state is State.STARTING and worker.generation == self._generation
        ]
        if not coming and len(active) <= self.wanted and now >= self._not_before:
            actions.append(self._start(now))
            return 1
        return len(coming[:1])

    def _announce(self, actions: list[Action]) -> None:
        """Say so when all that are wanted are ready."""
        active = self._active()
        all_ready = all(worker.state is State.READY for worker in active) and len(active) >= self.wanted
        if all_ready and not self._rolling and not self._announced:
            self._announced = True
            actions += [Say(logging.INFO, f"all {len(active)} workers are ready"), Notify("ready")]


def _how(status: int) -> str:
    if status == 0:
        return "ended"
    if status > 0:
        return f"ended with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"
