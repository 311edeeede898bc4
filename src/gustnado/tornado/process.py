"""``tornado.process``: several processes."""

from __future__ import annotations

from gustnado.events.child import Subprocess
from gustnado.events.process import CalledProcessError, cpu_count, fork_processes, task_id

__all__ = [
    "CalledProcessError",
    "Subprocess",
    "cpu_count",
    "fork_processes",
    "task_id",
]
