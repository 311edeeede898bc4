"""The IOLoop's descriptors: handlers that run when a socket or another descriptor is ready.

Reading and writing are watched apart, by the asyncio loop's ``add_reader`` and ``add_writer``; a set of
each says what is watched now. An error or a hang-up of a descriptor fires whatever is watched.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Protocol, TypeVar, overload
from weakref import WeakSet

from gustnado.events.loop_callbacks import LoopCallbacks
from gustnado.log import gen_log

__all__ = ["LoopDescriptors", "Selectable"]


class Selectable(Protocol):
    """What :meth:`LoopDescriptors.add_handler` takes beside a plain descriptor."""

    def fileno(self) -> int:
        """The descriptor."""
        ...

    def close(self) -> object:
        """Close it."""
        ...


class LoopStream(Protocol):
    """What a loop knows of a stream that lives on it."""

    def forsake(self) -> None:
        """Close the descriptor at once: the loop is closed, and nobody can be told."""
        ...


S = TypeVar("S", bound=Selectable)


class LoopDescriptors(LoopCallbacks):
    """The part of :class:`~gustnado.events.loop.IOLoop` that watches descriptors.

    :ivar selector_loop: the loop that watches; another than ``asyncio_loop`` only where that cannot.
    :ivar handlers: descriptor -> (object as given to :meth:`add_handler`, handler).
    :ivar streams: those that live on this loop. They have no handlers, but transports.
    """

    NONE = 0
    READ = 0x001
    WRITE = 0x004
    ERROR = 0x018

    selector_loop: asyncio.AbstractEventLoop
    handlers: dict[int, tuple[int | Selectable, Callable[..., object]]]
    readers: set[int]
    writers: set[int]
    streams: WeakSet[LoopStream]

    @overload
    def add_handler(self, fd: int, handler: Callable[[int, int], object], events: int) -> None: ...
    @overload
    def add_handler(self, fd: S, handler: Callable[[S, int], object], events: int) -> None: ...
    def add_handler(self, fd: int | Selectable, handler: Callable[..., object], events: int) -> None:
        """Call ``handler(fd, events)`` whenever ``fd`` is ready.

        :param fd: a descriptor, or an object with ``fileno()`` and ``close()``; the handler gets
            what was given here.
        :param events: :attr:`READ`, :attr:`WRITE` or both. An error makes either of them fire.
        :raises ValueError: where ``fd`` has a handler already.
        :raises gustnado.events.callbacks.CallbackTypeError: where ``handler`` cannot be called.
        :raises OSError: where it cannot be watched, as an ordinary file cannot.
        """
        if not callable(handler):
            self._refuse(handler)
        number, fileobj = self.split_fd(fd)
        if number in self.handlers:
            raise ValueError(f"fd {number} added twice")
        self.handlers[number] = (fileobj, handler)
        try:
            self._watch(number, events)
        except BaseException:
            self.remove_handler(number)
            raise

    def update_handler(self, fd: int | Selectable, events: int) -> None:
        """Change the events that ``fd`` is watched for; :attr:`NONE` keeps the handler, unused.

        :raises ValueError: where ``fd`` has no handler.
        """
        number, _ = self.split_fd(fd)
        if number not in self.handlers:
            raise ValueError(f"fd {number} has no handler")
        self._watch(number, events)

    def remove_handler(self, fd: int | Selectable) -> None:
        """Stop watching ``fd``; nothing happens where it is not watched.

        An object that has been closed meanwhile is found by itself.
        """
        number, fileobj = self.split_fd(fd)
        if number < 0:
            number = next((n for n, (known, _) in self.handlers.items() if known is fileobj), number)
        if number in self.handlers:
            try:
                self._watch(number, self.NONE)
            finally:
                del self.handlers[number]

    def _watch(self, fd: int, events: int) -> None:
        fileobj, handler = self.handlers[fd]
        loop = self.selector_loop
        if events & self.READ:
            if fd not in self.readers:
                loop.add_reader(fd, self._run_with, handler, fileobj, self.READ)
                self.readers.add(fd)
        elif fd in self.readers:
            self.readers.discard(fd)
            loop.remove_reader(fd)
        if events & self.WRITE:
            if fd not in self.writers:
                loop.add_writer(fd, self._run_with, handler, fileobj, self.WRITE)
                self.writers.add(fd)
        elif fd in self.writers:
            self.writers.discard(fd)
            loop.remove_writer(fd)

    def split_fd(self, fd: int | Selectable) -> tuple[int, int | Selectable]:
        """``(descriptor, fd as given)``."""
        return (fd, fd) if isinstance(fd, int) else (fd.fileno(), fd)

    def close_fd(self, fd: int | Selectable) -> None:
        """Close a descriptor or an object; what is closed already is left alone."""
        try:
            if isinstance(fd, int):
                os.close(fd)
            else:
                fd.close()
        except OSError as exc:
            gen_log.debug("closing %r: %s", fd, exc)
