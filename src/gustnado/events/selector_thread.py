"""``add_reader`` and ``add_writer`` for asyncio loops that lack them, by a thread that selects.

Windows' proactor loop completes operations rather than watch descriptors. :class:`SelectorThread` gives
it the missing methods: a daemon thread waits in :func:`select.select` and hands what is ready to the
loop, where the callbacks run.

Rules of the hand-over, so that no callback runs twice for one event: the thread waits for the loop
between two rounds, and the loop starts a round only after it has run the callbacks of the last one. A
change of what is watched wakes the thread by a socket pair. The thread starts with the first descriptor,
and ends with :meth:`SelectorThread.close`, which the loop's ``shutdown_asyncgens`` calls as well (this is
the one hook that ``asyncio.run`` offers), and at the interpreter's exit.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import select
import socket
import threading
import weakref
from collections.abc import AsyncGenerator, Callable, Collection
from typing import Any, ClassVar, Protocol, TypeAlias, TypeVarTuple, Unpack

__all__ = ["AddThreadSelectorEventLoop", "SelectorThread", "with_selector"]


Ts = TypeVarTuple("Ts")


class HasFileno(Protocol):
    def fileno(self) -> int: ...


FileDescriptorLike: TypeAlias = int | HasFileno
Watched: TypeAlias = dict[FileDescriptorLike, Callable[[], object]]

_open_threads: weakref.WeakSet[SelectorThread] = weakref.WeakSet()


class SelectorThread:
    """Watches descriptors for ``real_loop`` in a thread; its methods are called on that loop only."""

    def __init__(self, real_loop: asyncio.AbstractEventLoop) -> None:
        self._loop = real_loop
        self._readers: Watched = {}
        self._writers: Watched = {}
        self._turn = threading.Semaphore(0)
        self._closed = False
        self._thread: threading.Thread | None = None
        self._guard_task: asyncio.Task[None] | None = None
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._wake_receiver.setblocking(False)
        self._wake_sender.setblocking(False)
        _open_threads.add(self)

    def add_reader(self, fd: FileDescriptorLike, callback: Callable[..., object], *args: Any) -> None:
        """Call ``callback(*args)`` whenever ``fd`` can be read."""
        self._readers[fd] = functools.partial(callback, *args)
        self._changed()

    def add_writer(self, fd: FileDescriptorLike, callback: Callable[..., object], *args: Any) -> None:
        """Call ``callback(*args)`` whenever ``fd`` can be written."""
        self._writers[fd] = functools.partial(callback, *args)
        self._changed()

    def remove_reader(self, fd: FileDescriptorLike) -> bool:
        """Stop watching ``fd`` for reading; whether it was."""
        return self._remove(self._readers, fd)

    def remove_writer(self, fd: FileDescriptorLike) -> bool:
        """Stop watching ``fd`` for writing; whether it was."""
        return self._remove(self._writers, fd)

    def close(self) -> None:
        """End the thread and free its sockets; closing again does nothing."""
        if self._closed:
            return
        self._closed = True
        _open_threads.discard(self)
        self._turn.release()
        self._wake()
        if self._thread is not None:
            self._thread.join()
        self._readers.clear()
        self._writers.clear()
        self._wake_receiver.close()
        self._wake_sender.close()

    def _remove(self, watched: Watched, fd: FileDescriptorLike) -> bool:
        found = watched.pop(fd, None) is not None
        if found:
            self._wake()
        return found

    def _changed(self) -> None:
        if self._closed:
            raise RuntimeError("the selector thread is closed")
        if self._thread is None:
            self._thread = threading.Thread(target=self._select_forever, name="selector", daemon=True)
            self._guard_task = self._loop.create_task(self._guard().__anext__())
            self._start_round()
            self._thread.start()
        else:
            self._wake()

    async def _guard(self) -> AsyncGenerator[None]:
        """Left unfinished on purpose: ``shutdown_asyncgens`` closes it, and so us."""
        try:
            yield
        finally:
            self.close()

    def _wake(self) -> None:
        try:
            self._wake_sender.send(b"\0")
        except BlockingIOError:
            return  # full of wake-ups already

    def _start_round(self) -> None:
        self._round = (list(self._readers), list(self._writers))
        self._turn.release()

    def _select_forever(self) -> None:
        while True:
            self._turn.acquire()
            if self._closed:
                return
            ready = self._select(*self._round)
            try:
                self._loop.call_soon_threadsafe(self._run_ready, *ready)
            except RuntimeError:
                return  # the loop is closed, and nobody is left to tell

    def _select(
        self, readers: list[FileDescriptorLike], writers: list[FileDescriptorLike]
    ) -> tuple[list[FileDescriptorLike], list[FileDescriptorLike]]:
        try:
            # A connection that failed is exceptional on Windows, writable elsewhere.
            readable, writable, failed = select.select([self._wake_receiver, *readers], writers, writers)
        except (OSError, ValueError):
            # Something was closed while we waited for it. Its removal is under way, so only look again.
            return [], []
        return readable, [*writable, *(fd for fd in failed if fd not in writable)]

    def _run_ready(self, readable: list[FileDescriptorLike], writable: list[FileDescriptorLike]) -> None:
        if self._closed:
            return
        if self._wake_receiver in readable:
            self._drain()
        for watched, ready in ((self._readers, readable), (self._writers, writable)):
            for fd in ready:
                callback = watched.get(fd)
                if callback is not None:
                    callback()
        if not self._closed:
            self._start_round()

    def _drain(self) -> None:
        try:
            while self._wake_receiver.recv(4096):
                pass
        except BlockingIOError:
            return


class AddThreadSelectorEventLoop(asyncio.AbstractEventLoop):
    """``real_loop`` with the ``add_reader`` family of a :class:`SelectorThread`; all else is its own."""

    MY_ATTRIBUTES: ClassVar[Collection[str]] = frozenset(
        ("_real_loop", "_selector", "add_reader", "add_writer", "close", "remove_reader", "remove_writer")
    )
    """What is not taken from ``real_loop``."""

    def __init__(self, real_loop: asyncio.AbstractEventLoop) -> None:
        self._real_loop = real_loop
        self._selector = SelectorThread(real_loop)

    def __getattribute__(self, name: str) -> Any:
        # Being an event loop, for those who ask, it inherits a method for each of the real one's.
        if name in AddThreadSelectorEventLoop.MY_ATTRIBUTES:
            return super().__getattribute__(name)
        return getattr(self._real_loop, name)

    def add_reader(
        self, fd: FileDescriptorLike, callback: Callable[[Unpack[Ts]], object], *args: *Ts
    ) -> None:
        """Call ``callback(*args)`` whenever ``fd`` can be read."""
        self._selector.add_reader(fd, callback, *args)

    def add_writer(
        self, fd: FileDescriptorLike, callback: Callable[[Unpack[Ts]], object], *args: *Ts
    ) -> None:
        """Call ``callback(*args)`` whenever ``fd`` can be written."""
        self._selector.add_writer(fd, callback, *args)

    def remove_reader(self, fd: FileDescriptorLike) -> bool:
        """Stop watching ``fd`` for reading; whether it was."""
        return self._selector.remove_reader(fd)

    def remove_writer(self, fd: FileDescriptorLike) -> bool:
        """Stop watching ``fd`` for writing; whether it was."""
        return self._selector.remove_writer(fd)

    def close(self) -> None:
        """Close the thread, then the loop."""
        self._selector.close()
        self._real_loop.close()


def with_selector(loop: asyncio.AbstractEventLoop) -> asyncio.AbstractEventLoop:
    """``loop``, or where it is Windows' proactor, ``loop`` with the methods that it lacks."""
    proactor: type[asyncio.AbstractEventLoop] | None = getattr(asyncio, "ProactorEventLoop", None)
    if proactor is None or not isinstance(loop, proactor):
        return loop
    return AddThreadSelectorEventLoop(loop)  # type: ignore[abstract]  # __getattribute__ has the rest


@atexit.register
def _close_all() -> None:
    # A daemon thread in select() while the interpreter dies may hang its exit.
    for selector in list(_open_threads):
        selector.close()
