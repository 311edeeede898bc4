"""Which asyncio event loop the :class:`~gustnado.events.loop.IOLoop` runs on, and what to call it.

The best loop of the platform is taken: uvloop where it is installed (epoll or kqueue, in C), else
asyncio's own (epoll, kqueue, select, or Windows' completion ports). In order, what overrides that:

1. the environment variable :data:`LOOP_VARIABLE`, so that whoever runs a program can change it;
2. ``IOLoop.configure(...)``;
3. an event loop policy that the program has set (before Python 3.14, which ends policies).

Each takes a name of :data:`LOOP_NAMES` or a dotted path to an event loop class or another callable
without arguments that makes one.

>>> loop = loop_factory("select")()
>>> describe(loop)
'asyncio (select)'
>>> loop.close()
"""

from __future__ import annotations

import asyncio
import os
import selectors
import sys
from collections.abc import Callable
from typing import TypeAlias

from gustnado.errors import UsageError
from gustnado.util import import_object

__all__ = ["LOOP_NAMES", "LOOP_VARIABLE", "LoopFactory", "best_factory", "describe", "loop_factory"]

LoopFactory: TypeAlias = Callable[[], asyncio.AbstractEventLoop]

LOOP_VARIABLE = "GUSTNADO_LOOP"
"""Environment variable that overrides every other choice; empty counts as unset."""

LOOP_NAMES = ("asyncio", "uvloop", "selector", "epoll", "kqueue", "poll", "select")
"""Names that :func:`loop_factory` knows: asyncio's default, uvloop, asyncio over the platform's best
selector (this differs from ``asyncio`` on Windows), and asyncio over one particular selector."""

_SELECTORS = {
    "selector": "DefaultSelector",
    "epoll": "EpollSelector",
    "kqueue": "KqueueSelector",
    "poll": "PollSelector",
    "select": "SelectSelector",
}


def best_factory(configured: LoopFactory | None = None) -> LoopFactory:
    """The factory that the environment, ``configured``, the policy or the platform asks for.

    :raises gustnado.errors.UsageError: where the environment variable names what cannot be had.
    """
    wanted = os.environ.get(LOOP_VARIABLE)
    if wanted:
        try:
            return loop_factory(wanted)
        except UsageError as exc:
            raise UsageError(f"environment variable {LOOP_VARIABLE}: {exc}") from exc
    return configured or _policy_factory() or _uvloop_factory() or _asyncio_factory()


def loop_factory(choice: str | LoopFactory) -> LoopFactory:
    """The factory that ``choice`` names: one of :data:`LOOP_NAMES`, a dotted path, or the factory itself.

    :raises gustnado.errors.UsageError: where it is unknown, not installed, or not of this platform.
    """
    if not isinstance(choice, str):
        return choice
    if choice == "asyncio":
        return _asyncio_factory()
    if choice == "uvloop":
        factory = _uvloop_factory()
        if factory is None:
            raise UsageError("event loop 'uvloop' is not installed")
        return factory
    if choice in _SELECTORS:
        return _selector_factory(choice)
    return _imported_factory(choice)


def _imported_factory(path: str) -> LoopFactory:
    if "." not in path:
        names = ", ".join(LOOP_NAMES)
        raise UsageError(f"unknown event loop {path!r}: neither one of {names} nor a dotted path")
    try:
        factory: LoopFactory = import_object(path)
    except ImportError as exc:
        raise UsageError(f"event loop {path!r} cannot be imported: {exc}") from exc
    if not callable(factory):
        raise UsageError(f"event loop {path!r} is not callable")
    return factory


def _asyncio_factory() -> LoopFactory:
    if sys.platform == "win32":
        return asyncio.ProactorEventLoop
    return asyncio.SelectorEventLoop


def _selector_factory(name: str) -> LoopFactory:
    selector: type[selectors.BaseSelector] | None = getattr(selectors, _SELECTORS[name], None)
    if selector is None:
        raise UsageError(f"event loop {name!r} does not exist on {sys.platform}")
    return lambda: asyncio.SelectorEventLoop(selector())


def _uvloop_factory() -> LoopFactory | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _policy_factory() -> LoopFactory | None:
    """The policy's, where a program has set one of its own."""
    if sys.version_info >= (3, 14):
        return None
    policy = asyncio.get_event_loop_policy()
    if type(policy) is asyncio.DefaultEventLoopPolicy:
        return None
    return policy.new_event_loop


def describe(loop: asyncio.AbstractEventLoop) -> str:
    """Name, version if it has one, and how it polls: ``"uvloop 0.23.0 (epoll)"``."""
    module = type(loop).__module__.partition(".")[0]
    version = getattr(sys.modules.get(module), "__version__", "")
    name = f"{module} {version}".strip()
    return f"{name} ({_backend(loop)})"


def _backend(loop: asyncio.AbstractEventLoop) -> str:
    # asyncio has no public name for a loop's selector; without one this says the class instead.
    selector = getattr(loop, "_selector", None)
    if selector is not None:
        return type(selector).__name__.removesuffix("Selector").lower()
    if type(loop).__module__.startswith("uvloop"):
        return "epoll" if sys.platform == "linux" else "kqueue"
    return type(loop).__name__
