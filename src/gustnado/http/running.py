"""Running servers until somebody asks for the end: the last line of a program.

::

    server = app.listen(8888)
    run_until_signal(server)

It starts the main event loop; Ctrl-C (SIGINT) and SIGTERM, which process managers send, end the program in good
order, by :meth:`HTTPServer.shutdown <gustnado.http.HTTPServer.shutdown>`. Whoever cannot wait sends a second
one: what is left is cut off then.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from gustnado.events.loop import IOLoop
from gustnado.http.server import HTTPServer
from gustnado.log import app_log, gen_log

__all__ = ["END_SIGNALS", "end_tasks", "on_signals", "run_until_signal", "wait_for_signal"]

END_SIGNALS: tuple[int, ...] = (signal.SIGINT, signal.SIGTERM)
"""What ends a server: Ctrl-C, and what process managers send."""

_AFTERMATH = 5.0  # seconds for tasks that were cancelled


def run_until_signal(
    *servers: HTTPServer, grace: float = 30.0, signals: Iterable[int] = END_SIGNALS
) -> None:
    """Run the current IOLoop until a signal, then shut the servers down. To be called in the main thread.

    When it returns all connections are closed, the tasks that were left have been cancelled, and the loop
    is stopped but open: for what a program has to do last.

    :param grace: seconds that requests in flight have to end.
    :param signals: those that mean the end.
    :raises RuntimeError: where a loop runs in this thread already; use :func:`wait_for_signal` there.
    """

    async def main() -> None:
        await wait_for_signal(*servers, grace=grace, signals=signals)
        await end_tasks()

    IOLoop.current().run_sync(main)


async def wait_for_signal(
    *servers: HTTPServer, grace: float = 30.0, signals: Iterable[int] = END_SIGNALS, hurry: bool = True
) -> None:
    """:func:`run_until_signal` for a coroutine: wait for a signal, then shut the servers down.

    :param hurry: a second signal cuts off what is left; else it means no more than the first.
    """
    ended, hurried = asyncio.Event(), asyncio.Event()

    def received() -> None:
        (hurried if ended.is_set() and hurry else ended).set()

    with on_signals(dict.fromkeys(signals, received)):
        await ended.wait()
        ending = asyncio.gather(*(server.shutdown(grace) for server in servers))
        second = asyncio.ensure_future(hurried.wait())
        waiting: list[asyncio.Future[Any]] = [ending, second]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        second.cancel()
        if not ending.done():
            gen_log.warning("shutting down: a second signal, so at once")
            await asyncio.gather(*(server.shutdown(0) for server in servers))
        await ending


@contextlib.contextmanager
def on_signals(handlers: dict[int, Callable[[], object]]) -> Iterator[None]:
    """Within the block have functions called, in the running loop, when signals arrive.

    They are called between two callbacks of the loop, never within one.
    """
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in handlers}
    for number, handler in handlers.items():
        try:
            loop.add_signal_handler(number, handler)
        except NotImplementedError:  # on Windows
            signal.signal(number, _from_signal(loop, handler))
    try:
        yield
    finally:
        for number, previous in before.items():
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            # None: a handler that was not set from Python, and cannot be set back from there.
            signal.signal(number, signal.SIG_DFL if previous is None else previous)


def _from_signal(
    loop: asyncio.AbstractEventLoop, handler: Callable[[], object]
) -> Callable[[int, object], None]:
    def received(number: int, frame: object) -> None:
        loop.call_soon_threadsafe(handler)

    return received


async def end_tasks() -> None:
    """Cancel all other tasks of the loop, and wait for their end; what they raise is logged."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if tasks:
        done, running = await asyncio.wait(tasks, timeout=_AFTERMATH)
        for task in done:
            if not task.cancelled() and task.exception() is not None:
                app_log.error("Exception in a task at the end", exc_info=task.exception())
        for task in running:
            app_log.error("A task did not end within %g s after it was cancelled: %r", _AFTERMATH, task)
    await asyncio.get_running_loop().shutdown_asyncgens()
