"""The event loop of a test: whether its callbacks failed, and how it is cleared away."""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Callable

from gustnado.events.loop import IOLoop
from gustnado.log import app_log
from gustnado.testing.coroutines import get_async_test_timeout

__all__ = ["CallbackWatch", "cancel_tasks", "close_loop", "new_loop"]


class CallbackWatch(logging.Handler):
    """Notes what callbacks raise, of the loops of all threads.

    It sees what loops log of it, so an exception is none where a filter (`ExpectLog`) takes the record.

    :param tell: called without arguments when there is a failure; from any thread.
    """

    def __init__(self, tell: Callable[[], object] | None = None) -> None:
        super().__init__(logging.ERROR)
        self._tell = tell
        self.failure: BaseException | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Note the exception of a record, the first one only."""
        error = record.exc_info[1] if record.exc_info else None
        is_first = error is not None and self.failure is None
        if is_first and str(record.msg).startswith("Exception in callback"):
            self.failure = error
            if self._tell is not None:
                self._tell()

    def start(self) -> None:
        """Begin to watch."""
        app_log.addHandler(self)

    def stop(self) -> None:
        """Watch no more."""
        app_log.removeHandler(self)

    def check(self) -> None:
        """Raise what was noted, once.

        :raises BaseException: that.
        """
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure


def new_loop() -> IOLoop:
    """A new loop, made the current one of this thread while none runs."""
    io_loop: IOLoop = IOLoop(make_current=False)
    asyncio.set_event_loop(io_loop.asyncio_loop)
    return io_loop


def close_loop(io_loop: IOLoop) -> None:
    """Cancel what still runs on a loop that stands still, and close it and what is open on it.

    :raises BaseException: what a task raised when it was cancelled.
    """
    asyncio.set_event_loop(None)
    loop = io_loop.asyncio_loop
    if loop.is_closed():
        return
    try:
        cancel_tasks(loop)
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        with warnings.catch_warnings():
            # What is left open is closed here. That is no error, and as one uvloop would wait for it for ever.
            warnings.simplefilter("ignore", ResourceWarning)
            io_loop.close(all_fds=True)


def cancel_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what runs on a loop that stands still, and let it clean up.

    :raises TimeoutError: where it goes on nevertheless.
    :raises BaseException: what one of the tasks raised then.
    """
    tasks = [task for task in asyncio.all_tasks(loop) if not task.done()]
    if not tasks:
        return
    for task in tasks:
        task.cancel()
    seconds = get_async_test_timeout()
    ended, lasting = loop.run_until_complete(asyncio.wait(tasks, timeout=seconds))
    if lasting:
        raise TimeoutError(f"tasks still run {seconds} seconds after they were cancelled: {lasting}")
    failures = [error for task in ended if not task.cancelled() and (error := task.exception()) is not None]
    if failures:
        raise failures[0]
