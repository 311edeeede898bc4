"""A test case with an event loop of its own.

:class:`AsyncTestCase` is `unittest.IsolatedAsyncioTestCase` with Tornado's ways added. In rules:

- There is one loop for a test: that of :meth:`AsyncTestCase.get_new_ioloop`, made in ``setUp``, and closed
  after the last cleanup if it was made there. ``asyncSetUp``, coroutine tests, ``asyncTearDown`` and asynchronous
  cleanups run on it, and in between a plain test method may run it by :meth:`AsyncTestCase.wait` or
  ``self.io_loop.run_sync``.
- ``asyncSetUp`` and ``asyncTearDown`` may also be plain methods, or yield, or return something to await. One that
  is decorated with ``gen_test`` is the test case's own to call, as in Tornado, which knows no methods of these names.
- No test hangs: whatever waits, does so for as long as `get_async_test_timeout` says.
- No test succeeds by accident. Failing: a test that returns something, one that yields without
  :func:`~gustnado.testing.coroutines.gen_test`, and one during which a callback of a loop raised an exception.
  A test that expects that says so, by `ExpectLog`.
- Tasks that are left when the test is over are cancelled, and fail it if they raise something.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import unittest
from collections.abc import Callable, Generator
from typing import Any

from gustnado.errors import UsageError
from gustnado.events.coroutines import coroutine
from gustnado.events.loop import AsyncIOMainLoop, IOLoop
from gustnado.events.yieldables import convert_yielded
from gustnado.testing.coroutines import get_async_test_timeout
from gustnado.testing.loops import CallbackWatch, cancel_tasks, close_loop

__all__ = ["AsyncTestCase"]


class AsyncTestCase(unittest.IsolatedAsyncioTestCase):
    """A test case whose tests run on an event loop of their own.

    ::

        class MyTest(AsyncTestCase):
            async def test_a_coroutine(self):
                await sleep(0.01)

            def test_callbacks(self):
                self.io_loop.add_callback(self.stop, 42)
                self.assertEqual(self.wait(), 42)

    :ivar io_loop: the test's :class:`~gustnado.events.IOLoop`.
    """

    runs_coroutines: bool = True
    """Whether an ``async def`` test is run that is not decorated with
    :func:`~gustnado.testing.coroutines.gen_test`. Otherwise it fails."""

    io_loop: IOLoop

    # Of IsolatedAsyncioTestCase, whose methods that have leading underscores are the same since Python 3.11.
    _asyncioRunner: asyncio.Runner | None
    _asyncioTestContext: contextvars.Context

    def __init__(self, methodName: str = "runTest") -> None:
        super().__init__(methodName)
        self.__stopped = False
        self.__running = False
        self.__stop_args: Any = None
        self.__watch = CallbackWatch(self.__stop_soon)

    def setUp(self) -> None:
        """Make the loop, and make it the current one. Subclasses call this first."""
        super().setUp()
        self.io_loop = self.get_new_ioloop()
        asyncio.set_event_loop(self.io_loop.asyncio_loop)
        self.__watch.start()
        self.addCleanup(self.__watch.check)
        self.addCleanup(self.__watch.stop)

    def tearDown(self) -> None:
        """Cancel the tasks that are left. Subclasses call this last.

        :raises BaseException: what the first of them raised that did not just end.
        """
        loop = self.io_loop.asyncio_loop
        if not loop.is_closed():
            cancel_tasks(loop)
        super().tearDown()

    def get_new_ioloop(self) -> IOLoop:
        """The loop of a test, a new one; subclasses may return another.

        One that wraps a loop of somebody else's, as ``IOLoop.current()`` does, is left open.
        """
        factory = getattr(self, "loop_factory", None)  # an attribute of subclasses, since Python 3.13
        io_loop: IOLoop = IOLoop(make_current=False, **({} if factory is None else {"loop_factory": factory}))
        return io_loop

    def stop(self, _arg: Any = None, **kwargs: Any) -> None:
        """Make one :meth:`wait`, which waits now or comes next, return what is given here.

        From another thread: ``self.io_loop.add_callback(self.stop)``.

        :param _arg: the result of ``wait``; or give that arguments by name, for a dict of them.
        :raises gustnado.errors.UsageError: where there are both.
        """
        if _arg is not None and kwargs:
            raise UsageError("stop() takes one argument, or arguments by name, not both")
        self.__stop_args = kwargs or _arg
        if self.__running:
            self.io_loop.stop()
            self.__running = False
        self.__stopped = True

    def wait(self, condition: Callable[..., bool] | None = None, timeout: float | None = None) -> Any:
        """Run the loop until :meth:`stop` is called, and return what it was called with.

        :param condition: called after each ``stop``; while it returns false, the loop goes on.
        :param timeout: seconds; by default as of :func:`~gustnado.testing.get_async_test_timeout`; 0 is for ever.
        :raises AssertionError: where the time is over.
        :raises BaseException: what a callback raised meanwhile.
        """
        if timeout is None:
            timeout = get_async_test_timeout()
        late = False

        def expire() -> None:
            nonlocal late
            late = True
            self.stop()

        if not self.__stopped and self.__watch.failure is None:
            timer = self.io_loop.call_later(timeout, expire) if timeout else None
            try:
                self.__run_until(lambda: late or condition is None or condition())
            finally:
                self.__running = False
                if timer is not None:
                    self.io_loop.remove_timeout(timer)
        was_stopped, self.__stopped = self.__stopped, False
        result, self.__stop_args = self.__stop_args, None
        self.__watch.check()
        if late:
            raise self.failureException(f"Async operation timed out after {timeout} seconds")
        if not was_stopped:
            raise self.failureException("the loop was stopped, but not by self.stop()")
        return result

    def __run_until(self, condition: Callable[[], bool]) -> None:
        while True:
            self.__running = True
            self.io_loop.start()
            if not self.__stopped or self.__watch.failure is not None or condition():
                return

    def __stop_soon(self) -> None:
        """A callback has failed, in any thread: nobody needs to wait any more."""
        self.io_loop.add_callback(self.__stop_failed)

    def __stop_failed(self) -> None:
        if self.__running and self.__watch.failure is not None:
            self.stop()

    # -- what unittest calls ------------------------------------------------------------------

    def _setupAsyncioRunner(self) -> None:
        self._asyncioRunner = asyncio.Runner(loop_factory=lambda: self.io_loop.asyncio_loop)

    def _callSetUp(self) -> None:
        # The loop is made in setUp, so the runner, which starts with it, comes second.
        self._asyncioTestContext.run(self.setUp)
        self.__call_if_there_is_one("asyncSetUp")

    def _callTearDown(self) -> None:
        self.__call_if_there_is_one("asyncTearDown")
        self._asyncioTestContext.run(self.tearDown)

    def __call_if_there_is_one(self, name: str) -> None:
        # Only then: the loop may be closed, or about to be given back.
        if getattr(type(self), name) is getattr(unittest.IsolatedAsyncioTestCase, name):
            return
        method = getattr(self, name)
        if inspect.iscoroutinefunction(method):
            self._callAsync(method)  # type: ignore[attr-defined]
        elif not hasattr(method, "runs_the_loop"):
            self.__await_what_is_left(self._asyncioTestContext.run(method))

    def __await_what_is_left(self, result: Any) -> None:
        if result is None:
            return

        async def wait() -> None:
            await (coroutine(lambda: result)() if isinstance(result, Generator) else convert_yielded(result))

        self._callAsync(wait)  # type: ignore[attr-defined]

    def _callTestMethod(self, method: Callable[[], Any]) -> None:
        if self.runs_coroutines and inspect.iscoroutinefunction(method):
            seconds = get_async_test_timeout()

            async def limited() -> Any:
                async with asyncio.timeout(seconds):
                    return await method()

            result = self._callAsync(limited)  # type: ignore[attr-defined]
        else:
            result = self._asyncioTestContext.run(method)
        if isinstance(result, Generator) or inspect.iscoroutine(result):
            result.close()
            raise TypeError(f"{self.id()} returned {result!r}: such tests should be decorated with @gen_test")
        if result is not None:
            raise ValueError(f"Return value from test method ignored: {self.id()} returned {result!r}")

    def _tearDownAsyncioRunner(self) -> None:
        # Not by the runner, which would close loops that are somebody else's and know nothing of descriptors.
        self._asyncioRunner = None
        io_loop: IOLoop | None = getattr(self, "io_loop", None)
        if io_loop is not None and not isinstance(io_loop, AsyncIOMainLoop):
            close_loop(io_loop)
