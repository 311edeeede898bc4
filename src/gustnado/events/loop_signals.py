"""How signals get through to a loop that runs, whatever it is doing.

Python runs the handlers of a program, set with :func:`signal.signal`, in the main thread, between two of its own
instructions. Three things stand in the way there, and each is mended while :meth:`IOLoop.start` runs:

- A signal that comes just before that thread goes to sleep in the kernel, or that the system gives to another
  thread, is noted but wakes nobody: asyncio's loops would answer it when something else happens, so on a quiet
  server never. uvloop looks to that by itself.
- What a handler raises comes up wherever the program happens to be. uvloop takes it for a failure of the connection
  whose data is just being received, and serves on.
- Ctrl-C raises by default, so it is held until the callback that runs has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gustnado.events.transport import is_uvloop

__all__ = ["forget_wake_up", "signals_get_through"]


@contextmanager
def signals_get_through(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """While ``loop`` runs here, see to its signals."""
    with _woken_by_signals(loop), _ctrl_c_between_callbacks(loop), _exits_end_it(loop):
        yield


def forget_wake_up() -> None:
    """Run in a forked child: signals that it gets are not to wake its parent, but a loop of its own."""
    with contextlib.suppress(ValueError):  # in an interpreter other than the first, which gets none
        signal.set_wakeup_fd(-1)


@contextmanager
def _woken_by_signals(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """While ``loop`` runs here, have each signal wake it. Who has seen to that, as the program or asyncio, goes on."""
    if is_uvloop(loop) or threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.set_wakeup_fd(-1)
    if previous != -1:
        signal.set_wakeup_fd(previous)
        yield
        return
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        loop.add_reader(ours, _drain, ours)
        pid = os.getpid()
        try:
            yield
        finally:
            if os.getpid() == pid:  # a forked child must not touch the parent's epoll set
                loop.remove_reader(ours)
                other = signal.set_wakeup_fd(-1)
                if other != theirs.fileno():  # asyncio's, for handlers that were added meanwhile
                    signal.set_wakeup_fd(other)


def _drain(sock: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        sock.recv(4096)


@contextmanager
def _ctrl_c_between_callbacks(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """While ``loop`` runs here, have Ctrl-C stop it, and raise afterwards.

    Raised wherever the program happens to be it gets lost: uvloop takes it for a failure of the connection
    whose data is just being received, and serves on.
    """
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    pressed = False

    def interrupt(number: int, frame: object) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True
        loop.call_soon_threadsafe(loop.stop)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is interrupt:
            signal.signal(signal.SIGINT, signal.default_int_handler)
    if pressed:
        raise KeyboardInterrupt


@contextmanager
def _exits_end_it(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """While ``loop`` runs here, have it end with what a program's own signal handler raises, such as ``SystemExit``.

    Where that comes while data is being received, uvloop takes it for a failure of the connection, as above.
    """
    if not is_uvloop(loop):
        yield
        return
    before = loop.get_exception_handler()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, (SystemExit, KeyboardInterrupt)):
            loop.call_soon(_raise, error)
        elif before is not None:
            before(loop, context)
        else:
            loop.default_exception_handler(context)

    loop.set_exception_handler(handle)
    try:
        yield
    finally:
        if loop.get_exception_handler() is handle:
            loop.set_exception_handler(before)


def _raise(error: BaseException) -> None:
    raise error
