"""The IOLoop: Tornado's name and methods over an asyncio event loop.

An :class:`IOLoop` holds no queue, no timers and no poller of its own. Everything goes to
:attr:`IOLoop.asyncio_loop`, so coroutines of either style, asyncio libraries and old callback
programs share one loop.

Which one is meant, in rules:

- There is one IOLoop for an asyncio loop; asking again gives the same object.
- Inside a running loop :meth:`IOLoop.current` is that loop's, whoever started it (``asyncio.run``
  or :meth:`IOLoop.start`).
- Outside one it is the one made current in this thread, by :meth:`IOLoop.make_current` or
  :func:`asyncio.set_event_loop`; where there is none, one is made, of the platform's best loop
  (:mod:`gustnado.events.loop_choice`), and made current.
- :meth:`IOLoop.instance` is the main thread's, from any thread: the one object through which threads
  may talk to the program, by :meth:`IOLoop.add_callback`.
- A forked child knows nothing of its parent's loops; it makes its own when it first asks.

Every callback runs through one method that logs what it raises, with the callback's name, and that
waits for what it returns where that can be waited for. Nothing a callback does ends the loop, but
:exc:`KeyboardInterrupt` and :exc:`SystemExit`: these leave :meth:`IOLoop.start`, and the loop can
be started again or closed.

>>> loop = IOLoop(make_current=False)
>>> loop.add_callback(print, "hello")
>>> loop.add_callback(loop.stop)
>>> loop.start()
hello
>>> loop.close()
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from asyncio import _get_running_loop as running_loop
from collections.abc import Callable
from typing import Any, ClassVar, cast, overload
from weakref import WeakSet

from gustnado.events.futures import Future, is_future
from gustnado.events.loop_choice import LoopFactory, best_factory, describe, loop_factory
from gustnado.events.loop_descriptors import LoopDescriptors
from gustnado.events.loop_signals import forget_wake_up, signals_get_through
from gustnado.events.selector_thread import with_selector
from gustnado.events.slow_callbacks import SlowCallbackLog
from gustnado.events.transport import is_uvloop
from gustnado.events.yieldables import convert_yielded
from gustnado.log import gen_log
from gustnado.util import Configurable, import_object

__all__ = ["AsyncIOLoop", "AsyncIOMainLoop", "BaseAsyncIOLoop", "IOLoop"]


class IOLoop(Configurable, LoopDescriptors):
    """An event loop: callbacks, timers, descriptors and coroutines of one thread.

    ``IOLoop()`` makes a new one and makes it current in this thread; ``IOLoop(make_current=False)``
    is what a loop for another thread starts as. Only :meth:`add_callback` (and its twin
    :meth:`spawn_callback`) may be called from other threads.

    Callbacks, timers and futures are in :mod:`gustnado.events.loop_callbacks`, descriptors in
    :mod:`gustnado.events.loop_descriptors`.
    """

    # One IOLoop for each asyncio loop. Strong on both sides, since each keeps the other anyway; closed ones
    # are swept out when another is made.
    _ioloop_for_asyncio: ClassVar[dict[asyncio.AbstractEventLoop, IOLoop]] = {}
    _main: ClassVar[IOLoop | None] = None
    _registry_lock: ClassVar[threading.Lock] = threading.Lock()
    # Loops of the parent process, held in a forked child for ever: see _forget_parent.
    _inherited: ClassVar[list[IOLoop]] = []

    is_current: bool
    _previous: asyncio.AbstractEventLoop | None

    # -- which loop ---------------------------------------------------------------------------

    @classmethod
    def configure(cls, impl: str | type[Configurable] | LoopFactory | None, **kwargs: Any) -> None:
        """Choose the event loop that later IOLoops run on.

        :param impl: a name of :data:`~gustnado.events.loop_choice.LOOP_NAMES` (``"uvloop"``,
            ``"asyncio"``, ``"selector"``, ...); a class of asyncio loops or another callable that
            makes one; a subclass of :class:`IOLoop`; a dotted path to either; ``None`` for the best.
        :raises gustnado.errors.UsageError: where it is unknown or not installed.
        """
        if isinstance(impl, str) and "." in impl:
            impl = cast("type[Configurable] | LoopFactory", import_object(impl))
        if impl is None or (isinstance(impl, type) and issubclass(impl, IOLoop)):
            super().configure(impl, **kwargs)
        else:
            super().configure(None, loop_factory=loop_factory(cast("str | LoopFactory", impl)), **kwargs)

    @classmethod
    def configurable_base(cls) -> type[Configurable]:
        return IOLoop

    @classmethod
    def configurable_default(cls) -> type[Configurable]:
        return AsyncIOLoop

    @staticmethod
    def instance() -> IOLoop:
        """The process's main IOLoop: that of the main thread, from whichever thread it is asked for.

        It is made where there is none yet, before any coroutine runs.
        """
        if threading.current_thread() is threading.main_thread():
            return IOLoop.current()
        with IOLoop._registry_lock:
            main = IOLoop._main
            if main is None or main.asyncio_loop.is_closed():
                main = IOLoop._main = AsyncIOMainLoop(_new_asyncio_loop())
            return main

    @staticmethod
    def initialized() -> bool:
        """Whether this process has an IOLoop that is not closed."""
        return any(not loop.is_closed() for loop in list(IOLoop._ioloop_for_asyncio))

    def install(self) -> None:
        """Make this the current IOLoop and the process's :meth:`instance`."""
        self._make_current()
        IOLoop._main = self

    @staticmethod
    def clear_instance() -> None:
        """Forget the process's main IOLoop, and this thread's current one."""
        IOLoop._main = None
        IOLoop._clear_current()

    @overload
    @staticmethod
    def current() -> IOLoop: ...
    @overload
    @staticmethod
    def current(instance: bool = True) -> IOLoop | None: ...
    @staticmethod
    def current(instance: bool = True) -> IOLoop | None:
        """This thread's IOLoop: the running one, else the one made current.

        :param instance: whether to make one where there is none, rather than return ``None``.
        """
        asyncio_loop = running_loop() or _current_asyncio_loop()
        if asyncio_loop is None:
            return IOLoop._make_for_thread() if instance else None
        try:
            return IOLoop._ioloop_for_asyncio[asyncio_loop]
        except KeyError:
            return AsyncIOMainLoop(asyncio_loop) if instance else None

    @staticmethod
    def _make_for_thread() -> IOLoop:
        in_main = threading.current_thread() is threading.main_thread()
        main = IOLoop._main
        if in_main and main is not None and not main.asyncio_loop.is_closed():
            io_loop = main
        else:
            io_loop = AsyncIOMainLoop(_new_asyncio_loop())
        io_loop._make_current()
        return io_loop

    def make_current(self) -> None:
        """Make this the IOLoop of this thread while no loop runs in it."""
        self._make_current()

    def _make_current(self) -> None:
        if not self.is_current:
            self._previous = _current_asyncio_loop()
            self.is_current = True
        asyncio.set_event_loop(self.asyncio_loop)
        self._note_main()

    def _note_main(self) -> None:
        if threading.current_thread() is threading.main_thread():
            IOLoop._main = self

    @staticmethod
    def clear_current() -> None:
        """Leave this thread without a current IOLoop, or with the one that was current before."""
        IOLoop._clear_current()

    @staticmethod
    def _clear_current() -> None:
        old = IOLoop.current(instance=False)
        if old is not None:
            old._clear_current_hook()

    def _clear_current_hook(self) -> None:
        previous = self._previous
        if previous is not None and previous.is_closed():
            previous = None
        self._previous = None
        self.is_current = False
        if IOLoop._main is self:
            IOLoop._main = None
        asyncio.set_event_loop(previous)

    @staticmethod
    def _forget_parent() -> None:
        """Run in a forked child: the parent's loops are not ours to run, close, or even to drop.

        Collecting one would close it, and so take descriptors out of the epoll set that the child
        shares with its parent.
        """
        IOLoop._inherited.extend(IOLoop._ioloop_for_asyncio.values())
        IOLoop._ioloop_for_asyncio.clear()
        IOLoop._main = None
        IOLoop._registry_lock = threading.Lock()
        forget_wake_up()
        if _current_asyncio_loop() is not None:
            asyncio.set_event_loop(None)

    # -- life ---------------------------------------------------------------------------------

    def initialize(self, asyncio_loop: asyncio.AbstractEventLoop, make_current: bool = False) -> None:
        """Wrap ``asyncio_loop``.

        :raises RuntimeError: where it has an IOLoop already.
        """
        self._bind(asyncio_loop)
        self.selector_loop = with_selector(asyncio_loop)
        self.handlers = {}
        self.readers = set()
        self.writers = set()
        self.streams = WeakSet()
        self.is_current = False
        self._previous = None
        self._announced = False
        self._last_turn: asyncio.Handle | None = None
        self._slow_callbacks: SlowCallbackLog | None = None
        self._register()
        if asyncio_loop.is_running():
            self._announce()
            self._note_main()
        elif make_current:
            self._make_current()

    def _register(self) -> None:
        loops = IOLoop._ioloop_for_asyncio
        for loop in [loop for loop in list(loops) if loop.is_closed()]:
            loops.pop(loop, None)
        existing = loops.setdefault(self.asyncio_loop, self)
        if existing is not self:
            raise RuntimeError(f"{existing} belongs to asyncio loop {self.asyncio_loop} already")

    def _announce(self) -> None:
        """Say once what runs; only whoever debugs wants to know it of loops that are made on the side."""
        if not self._announced:
            self._announced = True
            level = logging.INFO if self.is_current else logging.DEBUG
            gen_log.log(level, "event loop: %s", describe(self.asyncio_loop))

    def start(self) -> None:
        """Run until :meth:`stop`.

        :raises RuntimeError: where this loop, or another in this thread, runs already.
        :raises KeyboardInterrupt: on Ctrl-C, when the callback that runs has ended, or at once on a second
            one; the loop is left as after :meth:`stop`. A program's own handler of SIGINT stays as it is.
        """
        # Some versions of asyncio notice this too late, and stop the loop that runs.
        if self.asyncio_loop.is_running() or running_loop() is not None:
            raise RuntimeError("an event loop is running already in this thread, or this one in another")
        self._announce()
        self._note_main()
        try:
            with signals_get_through(self.asyncio_loop):
                self.asyncio_loop.run_forever()
        finally:
            if self._last_turn is not None:
                self._last_turn.cancel()
                self._last_turn = None

    def stop(self) -> None:
        """Make :meth:`start` return after one more turn of the loop; before it, make it return at once.

        In that turn leaves what was written in this one. From another thread: ``add_callback(loop.stop)``.
        """
        if is_uvloop(self.asyncio_loop) or not self.asyncio_loop.is_running():
            self.asyncio_loop.stop()  # uvloop's takes that turn by itself
        elif self._last_turn is None:
            self._last_turn = self.asyncio_loop.call_soon(self._stop_now)

    def _stop_now(self) -> None:
        self._last_turn = None
        self.asyncio_loop.stop()

    def running(self) -> bool:
        """Whether the loop runs now, in whichever thread."""
        return self.asyncio_loop.is_running()

    def run_sync(self, func: Callable[[], Any], timeout: float | None = None) -> Any:
        """Start the loop, call ``func``, stop when what it returned is done, and return its result.

        :param func: returns an awaitable, another yieldable, or ``None``.
        :param timeout: seconds, after which it is cancelled.
        :raises TimeoutError: where it was not done in time.
        :raises RuntimeError: where the loop stopped for another reason before it was done.
        """
        outcome: Future[Any] | None = None
        timed_out = False

        def run() -> None:
            nonlocal outcome
            outcome = self._call_for_future(func)
            self.add_future(outcome, lambda _: self.stop())

        def expire() -> None:
            nonlocal timed_out
            timed_out = True
            if outcome is None or not outcome.cancel():
                self.stop()

        self.add_callback(run)
        timer = None if timeout is None else self.call_later(timeout, expire)
        try:
            self.start()
        finally:
            if timer is not None:
                self.remove_timeout(timer)
        if outcome is None or outcome.cancelled() or not outcome.done():
            if timed_out:
                raise TimeoutError(f"Operation timed out after {timeout} seconds")
            raise RuntimeError("Event loop stopped before Future completed.")
        return outcome.result()

    def _call_for_future(self, func: Callable[[], Any]) -> Future[Any]:
        """What ``func`` returns or raises, as an asyncio future of this loop."""
        future: Future[Any] = self.asyncio_loop.create_future()
        try:
            result = func()
            converted = None if result is None else convert_yielded(result)
        except Exception as exc:
            future.set_exception(exc)
            return future
        if is_future(converted):
            return cast("Future[Any]", converted)
        future.set_result(None)
        return future

    def set_blocking_log_threshold(self, seconds: float | None) -> None:
        """Log each callback that blocks the loop for longer, with its name and its stack, while it does.

        May be called from any thread, before and while the loop runs. See
        :mod:`gustnado.events.slow_callbacks`.

        :param seconds: ``None`` ends it.
        :raises ValueError: where it is not positive.
        """
        log = None if seconds is None else SlowCallbackLog(self.asyncio_loop, seconds)
        if self._slow_callbacks is not None:
            self._slow_callbacks.stop()
        self._slow_callbacks = log
        self.show_callbacks(log is not None)
        if log is not None:
            log.start()

    def close(self, all_fds: bool = False) -> None:
        """Free what the loop holds. It must be stopped; closing it again does nothing.

        :param all_fds: also close the descriptors and objects that have handlers, and the streams. No callback
            learns of it.
        :raises RuntimeError: where it still runs.
        """
        if self.asyncio_loop.is_running():
            raise RuntimeError("cannot close a running event loop: stop it first")
        self.closing = True
        self.set_blocking_log_threshold(None)
        for fd, (fileobj, _) in list(self.handlers.items()):
            self.remove_handler(fd)
            if all_fds:
                self.close_fd(fileobj)
        if self.is_current and _current_asyncio_loop() is self.asyncio_loop:
            self._clear_current_hook()
        IOLoop._ioloop_for_asyncio.pop(self.asyncio_loop, None)
        if IOLoop._main is self:
            IOLoop._main = None
        if self.selector_loop is not self.asyncio_loop:
            self.selector_loop.close()
        self.asyncio_loop.close()
        if all_fds:
            for stream in list(self.streams):
                stream.forsake()


class BaseAsyncIOLoop(IOLoop):
    """Another name for what every :class:`IOLoop` is: the wrapper of a given asyncio loop."""


class AsyncIOMainLoop(BaseAsyncIOLoop):
    """The IOLoop of a loop that exists already: ``asyncio_loop``, else this thread's current one."""

    def initialize(
        self, asyncio_loop: asyncio.AbstractEventLoop | None = None, make_current: bool = False
    ) -> None:
        if asyncio_loop is None:
            asyncio_loop = running_loop() or _current_asyncio_loop()
        if asyncio_loop is None:
            asyncio_loop, make_current = _new_asyncio_loop(), True
        super().initialize(asyncio_loop, make_current)


class AsyncIOLoop(BaseAsyncIOLoop):
    """An IOLoop with an asyncio loop of its own: what ``IOLoop()`` makes."""

    def initialize(
        self,
        asyncio_loop: asyncio.AbstractEventLoop | None = None,
        make_current: bool = True,
        loop_factory: LoopFactory | None = None,
    ) -> None:
        new_loop = best_factory(loop_factory)() if asyncio_loop is None else None
        try:
            super().initialize(asyncio_loop or cast(asyncio.AbstractEventLoop, new_loop), make_current)
        except BaseException:
            if new_loop is not None:
                new_loop.close()
            raise


def _new_asyncio_loop() -> asyncio.AbstractEventLoop:
    _, configured = IOLoop._save_configuration()
    return best_factory((configured or {}).get("loop_factory"))()


def _current_asyncio_loop() -> asyncio.AbstractEventLoop | None:
    """The open loop that :func:`asyncio.set_event_loop` set in this thread, if any; never makes one."""
    loop: asyncio.AbstractEventLoop | None
    if sys.version_info >= (3, 14):
        try:
            loop = asyncio.get_event_loop()
        except RuntimeError:
            loop = None
    else:
        # Asking the policy itself would make a loop of its own kind, or warn that it will not for long.
        local = getattr(asyncio.get_event_loop_policy(), "_local", None)
        loop = getattr(local, "_loop", None)
    return None if loop is None or loop.is_closed() else loop


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=IOLoop._forget_parent)
