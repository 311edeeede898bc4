"""CPU time of a process and all its descendants, in nanoseconds, user and kernel time together.

The kernel keeps, for every thread, the exact time that it ran: the first number of
``/proc/<pid>/task/<tid>/schedstat``. A kernel built without it leaves ``stat``, in clock ticks (usually
10 ms), which is good enough for a measurement of seconds.

Work that the kernel does for a loopback connection happens on the side that sends, within its system call,
and so is charged to the process that caused it.

>>> import os, time
>>> before = read_tree(os.getpid())
>>> while time.process_time_ns() % 50_000_000 < 1_000_000: pass
>>> sum(range(1_000_000)) > 0
True
>>> spent_between(before, read_tree(os.getpid())) > 0
True
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

__all__ = ["TreeTimes", "descendants", "lost_between", "read_tree", "spent_between"]

PROC = Path("/proc")
NANOSECONDS_PER_TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")

TreeTimes = Mapping[tuple[int, int], int]
"""Nanoseconds run so far, by (process id, thread id)."""


def _stat_fields(stat: str) -> list[str]:
    """The fields of ``/proc/<pid>/stat`` after the command, whose name may hold blanks and parentheses."""
    return stat.rpartition(")")[2].split()


def parent_of(stat: str) -> int:
    """The parent's process id, from the text of a ``stat`` file (proc(5), field 4)."""
    return int(_stat_fields(stat)[1])


def ticks_of(stat: str) -> int:
    """User and kernel time in clock ticks, from the text of a ``stat`` file (proc(5), fields 14 and 15)."""
    fields = _stat_fields(stat)
    return int(fields[11]) + int(fields[12])


def _parents(proc: Path) -> dict[int, int]:
    """Process id -> parent's process id, of all processes that can be read now."""
    parents = {}
    for entry in proc.iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = parent_of((entry / "stat").read_text())
            except OSError:  # it ended between the listing and the reading
                continue
    return parents


def descendants(pid: int, *, proc: Path = PROC) -> list[int]:
    """``pid`` and the process ids of all its living descendants, parents before children."""
    parents = _parents(proc)
    tree = [pid]
    for member in tree:
        tree.extend(child for child, parent in parents.items() if parent == member)
    return tree


def _read_thread(thread: Path) -> int:
    """Nanoseconds that one thread has run, from its folder below ``/proc``."""
    try:
        return int((thread / "schedstat").read_text().split()[0])
    except FileNotFoundError:
        return ticks_of((thread / "stat").read_text()) * NANOSECONDS_PER_TICK


def read_tree(pid: int, *, proc: Path = PROC) -> dict[tuple[int, int], int]:
    """Nanoseconds run so far by each thread of ``pid`` and of its descendants.

    :raises ProcessLookupError: if ``pid`` itself is gone.
    """
    times = {}
    for member in descendants(pid, proc=proc):
        try:
            for thread in (proc / str(member) / "task").iterdir():
                times[member, int(thread.name)] = _read_thread(thread)
        except OSError as error:
            if member == pid:
                raise ProcessLookupError(f"process {pid} is gone") from error
    return times


def spent_between(before: TreeTimes, after: TreeTimes) -> int:
    """Nanoseconds spent between two readings; threads born in between count in full."""
    return sum(ran - before.get(thread, 0) for thread, ran in after.items())


def lost_between(before: TreeTimes, after: TreeTimes) -> int:
    """How many threads ended between two readings: what they ran after the first one is not known."""
    return len(before.keys() - after.keys())
