"""What blocks the event loop: a log of slow callbacks that names them, while they run.

It works on every loop. (asyncio's debug mode, which has such a log, slows all down, tells only of callbacks
that have ended, and not at all in uvloop.) A thread asks the loop for a sign of life, again and again. Where none
comes it looks what the loop's thread is doing; what it sees twice, ``threshold`` apart, is logged once, with
its stack::

    slow callback: render at /srv/app/report.py:41 has blocked the event loop for more than 0.1 s; it is at
      File "/srv/app/report.py", line 57, in table
        rows = connection.execute(query)

and again, without, when it has ended. A callback that takes longer than twice the threshold is always found, one
that takes less than it never. Many short ones in a row are not logged; what they cost together is told by
:class:`~gustnado.events.lag_probe.LagProbe`. A function written in C is found, too, where an
:class:`~gustnado.events.loop.IOLoop` was asked to call it; where uvloop itself was, it looks like waiting.

Off, it costs nothing. On, it costs a thread, and two wake-ups of the loop in each ``threshold``.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from itertools import dropwhile
from types import FrameType
from typing import Any

from gustnado.log import app_log

__all__ = ["STACK_LINES", "SlowCallbackLog"]

STACK_LINES = 25
"""Frames of the stack that are logged: the innermost ones."""

# Modules whose frames lead from the loop to a callback, and are not meant by one.
_MACHINERY = tuple(
    f"{module}."
    for module in (
        "asyncio",
        "gustnado.events.acceptor",
        "gustnado.events.callback_runner",
        "gustnado.events.loop_callbacks",
    )
)


@dataclass(frozen=True, slots=True)
class _Look:
    """What the loop's thread does at a moment.

    :ivar stack: the frames above the loop, the outermost first; none where the callback is written in C.
    :ivar handle: the frame of asyncio's that called it, if any.
    """

    when: float
    stack: list[FrameType]
    handle: FrameType | None

    def is_same_callback(self, other: _Look) -> bool:
        first, second = (look.stack[0] if look.stack else look.handle for look in (self, other))
        return first is second

    def name(self) -> str:
        """The callback, for people."""
        for frame in self.meant():
            code = frame.f_code
            return f"{code.co_qualname} at {code.co_filename}:{code.co_firstlineno}"
        # Written in C; whoever called it has it in a variable.
        for frame in reversed([self.handle, *self.stack] if self.handle else self.stack):
            called = frame.f_locals.get("callback") or frame.f_locals.get("self")
            if called is not None:
                return repr(called)
        return "a function without Python code"

    def meant(self) -> list[FrameType]:
        """The stack from the callback on; empty where that is written in C."""
        return list(dropwhile(_is_machinery, self.stack))

    def text(self) -> str:
        """The same for people, without a line feed at its end."""
        frames = ((frame, frame.f_lineno) for frame in self.meant())
        return "".join(traceback.StackSummary.extract(frames, limit=-STACK_LINES).format()).rstrip("\n")


class SlowCallbackLog:
    """Logs what blocks an asyncio loop for longer than ``threshold``, on ``gustnado.application``.

    :param loop: the loop; it may be started later.
    :param threshold: seconds.
    :raises ValueError: where it is not positive.

    :ivar count: how many slow callbacks were found.

    :meth:`gustnado.events.IOLoop.set_blocking_log_threshold` makes, starts and stops one.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, threshold: float = 0.1) -> None:
        if not threshold > 0:
            raise ValueError(f"SlowCallbackLog: threshold must be positive, not {threshold}")
        self.threshold = threshold
        self.count = 0
        self._loop = loop
        self._stopped = threading.Event()
        self._answered = threading.Event()
        self._thread: threading.Thread | None = None
        # Of the loop's last sign of life: its thread, and how many frames were below the callback.
        self._thread_id = 0
        self._depth = 0

    def start(self) -> None:
        """Begin to watch, from the loop's next turn on. Starting again, also after the end, does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="gustnado-slow-callbacks", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop watching, for good. Stopping again does nothing."""
        self._stopped.set()
        self._answered.set()

    def _run(self) -> None:
        while not self._stopped.wait(self.threshold / 2):
            self._answered.clear()
            try:
                self._loop.call_soon_threadsafe(self._answer)
            except RuntimeError:  # it is closed
                return
            if not self._answered.wait(self.threshold / 4):
                self._watch()

    def _answer(self) -> None:
        self._thread_id = threading.get_ident()
        self._depth = len(_stack(sys._getframe(1)))
        self._answered.set()

    def _watch(self) -> None:
        """Look at the loop's thread until it gives a sign of life."""
        before = self._look()
        slow: _Look | None = None
        name = ""
        while not self._answered.wait(self.threshold):
            now = self._look()
            if before and now and now.is_same_callback(before) and not (slow and slow.is_same_callback(now)):
                self._ended(slow, name, before.when)
                slow, name = before, now.name()
                self._report(now, name)
            before = now
        self._ended(slow, name, time.monotonic())

    def _look(self) -> _Look | None:
        """``None`` where the loop waits, does not run, or was not seen running yet."""
        frame = sys._current_frames().get(self._thread_id)
        if frame is None or not self._loop.is_running():
            return None
        stack = _stack(frame)
        handle = stack[self._depth - 1] if len(stack) >= self._depth else None
        if handle is not None and handle.f_globals.get("__name__") != "asyncio.events":
            handle = None
        above = stack[self._depth :]
        return _Look(time.monotonic(), above, handle) if above or handle else None

    def _report(self, look: _Look, name: str) -> None:
        text = look.text()
        app_log.warning(
            "slow callback: %s has blocked the event loop for more than %g s%s",
            name,
            self.threshold,
            f"; it is at\n{text}" if text else "",
        )
        self.count += 1

    def _ended(self, slow: _Look | None, name: str, when: float) -> None:
        if slow is not None and not self._stopped.is_set():
            app_log.info("slow callback: %s took about %.3g s", name, when - slow.when)


def _is_machinery(frame: FrameType) -> bool:
    return f"{frame.f_globals.get('__name__')}.".startswith(_MACHINERY)


def _stack(frame: FrameType | None) -> list[FrameType]:
    """A frame and those that called it, the outermost first."""
    frames: list[Any] = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    return frames[::-1]
