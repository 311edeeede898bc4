"""Twisted in the same program: its reactor on our event loop, and its Deferreds in generator coroutines.

::

    from gustnado.events.twisted_reactor import install

    install()                       # before anything imports twisted.internet.reactor
    from twisted.internet import reactor

Twisted is needed for nothing else here. Where it is installed, importing this module teaches
:func:`~gustnado.events.yieldables.convert_yielded` what a Deferred is, so that generator coroutines may yield
them. In an ``async def``: ``await deferred.asFuture(asyncio.get_running_loop())``.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from gustnado.events.futures import (
    Future,
    future_set_exception_unless_cancelled,
    future_set_result_unless_cancelled,
)
from gustnado.events.loop import IOLoop
from gustnado.events.yieldables import convert_yielded

__all__ = ["deferred_to_future", "install"]


def install() -> None:
    """Make Twisted's reactor run on the event loop of the current :class:`~gustnado.events.loop.IOLoop`.

    It is Twisted's own reactor for asyncio. ``reactor.run()`` runs that loop then, for both. Where the reactor on
    that very loop is installed already, nothing happens.

    :raises ModuleNotFoundError: where Twisted is not installed.
    :raises twisted.internet.error.ReactorAlreadyInstalledError: where another reactor is installed, which
        happens by importing ``twisted.internet.reactor``.
    """
    try:
        asyncioreactor: Any = importlib.import_module("twisted.internet.asyncioreactor")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "twisted":
            raise
        raise ModuleNotFoundError(
            "Twisted is not installed, so that there is no reactor to install: pip install twisted",
            name=error.name,
        ) from error
    asyncio_loop = IOLoop.current().asyncio_loop
    installed = sys.modules.get("twisted.internet.reactor")
    if getattr(installed, "_asyncioEventloop", None) is not asyncio_loop:
        asyncioreactor.install(asyncio_loop)


def deferred_to_future(deferred: Any) -> Future[Any]:
    """A future of what a Deferred fires with. Where the future is cancelled by then, a failure is logged."""
    future: Future[Any] = Future()

    def succeed(result: Any) -> None:
        future_set_result_unless_cancelled(future, result)

    def fail(failure: Any) -> None:
        error = failure.value.with_traceback(failure.getTracebackObject())
        future_set_exception_unless_cancelled(future, error)

    deferred.addCallbacks(succeed, fail)
    return future


def _teach_deferreds() -> None:
    try:
        defer: Any = importlib.import_module("twisted.internet.defer")
    except ModuleNotFoundError:
        return  # then there are no Deferreds either
    convert_yielded.register(defer.Deferred, deferred_to_future)


_teach_deferreds()
