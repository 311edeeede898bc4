# Methods like those of builtins, which Python calls with less ado; they keep their signatures.
# cython: binding=False, embedsignature=True, embedsignature.format=clinic
"""How the IOLoop gets a function onto its asyncio loop, and runs it there. Compiled, since all programs do it.

It knows nothing of event loops: it calls the two functions of one that it is given, and asks a third which
loop runs in this thread. What a callback returns or raises is the business of whoever derives from it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import asyncio

__all__ = ["CallbackRunner"]

SPARE_CALLS = 0
"""How many :class:`Call` a loop keeps; 0: it makes none. They are worth it in C only, whose number is in the .pxd."""


def run(runner: CallbackRunner, callback: Callable[[], object]) -> None:
    """Call ``callback``. Without arguments: passing them on costs more than binding them where there are any."""
    try:
        result = callback()
        if result is not None:
            runner._follow(callback, result)
    except BaseException as error:
        if not runner._absorb(callback, error):
            raise


class Call:
    """A callback on its way through a loop that is written in C.

    To C an object that is called without arguments costs less than a bound method and a tuple, if it need not be
    made each time.
    """

    __slots__ = ("_callback", "_next", "_runner")

    def __init__(self, runner: CallbackRunner) -> None:
        self._runner = runner
        self._callback: Any = None
        self._next: Call | None = None

    def __call__(self) -> None:
        runner, callback = self._runner, self._callback
        self._callback = None
        # From here on it may be given to the next callback, also while this one still runs.
        if runner._spares < SPARE_CALLS:
            runner._spares += 1
            self._next = runner._spare
            runner._spare = self
        run(runner, callback)


class CallbackRunner:
    """The part of :class:`~gustnado.events.loop_callbacks.LoopCallbacks` that is on every program's way.

    :ivar asyncio_loop: the loop underneath.
    """

    def _bind_runner(
        self,
        asyncio_loop: asyncio.AbstractEventLoop,
        running_loop: Callable[[], asyncio.AbstractEventLoop | None],
        calls_objects: bool = False,
    ) -> None:
        """Called before anything else.

        :param running_loop: says which loop runs in the calling thread.
        :param calls_objects: the loop is written in C, and does best with a :class:`Call`.
        """
        self.asyncio_loop = asyncio_loop
        self._running_loop = running_loop
        self._call_soon: Callable[..., object] = asyncio_loop.call_soon
        self._calls_objects = calls_objects
        self._spare: Call | None = None
        self._spares = 0
        self._run_through(None)

    def _run_through(self, run: Callable[[Callable[[], object]], None] | None) -> None:
        """Have ``run`` call the callbacks that are added from now on; ``None``: in the quickest way."""
        self._run = run or self._run_callback
        self._makes_calls = run is None and self._calls_objects and SPARE_CALLS > 0

    def add_callback(self, callback: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        """Call ``callback(*args, **kwargs)`` on the next turn of the loop, in a copy of this context.

        Safe from any thread. On a closed loop it does nothing. What the callback raises is logged;
        where it returns an awaitable, that is waited for and its exception logged.

        :raises gustnado.events.callbacks.CallbackTypeError: where it cannot be called.
        """
        if not callable(callback):
            self._refuse(callback)
        if args or kwargs:
            callback = functools.partial(callback, *args, **kwargs)
        if self._running_loop() is not self.asyncio_loop:
            self._wake_with(callback)
        elif self._makes_calls:
            call = self._spare
            if call is None:
                call = Call(self)
            else:
                self._spare = call._next
                self._spares -= 1
            call._callback = callback
            self._call_soon(call)
        else:
            self._call_soon(self._run, callback)

    def _run_callback(self, callback: Callable[[], object]) -> None:
        run(self, callback)

    def _refuse(self, callback: object) -> NoReturn:
        """``callback`` cannot be called: raise what says so."""
        raise NotImplementedError

    def _wake_with(self, callback: Callable[[], object]) -> None:
        """Have the loop run ``callback``, from another thread or while it does not run."""
        raise NotImplementedError

    def _follow(self, callback: Callable[[], object], result: object) -> None:
        """``callback`` has returned ``result``, which is not ``None``."""
        raise NotImplementedError

    def _absorb(self, callback: Callable[[], object], error: BaseException) -> bool:
        """``callback`` has raised ``error``: whether that is dealt with. Otherwise it goes up to the loop."""
        raise NotImplementedError
