"""``tornado.gen``: coroutines written as generators, and what they may yield."""

from __future__ import annotations

from gustnado.events.callback_adapters import Task, engine
from gustnado.events.coroutines import (
    Return,
    Runner,
    WaitIterator,
    coroutine,
    is_coroutine_function,
    sleep,
    with_timeout,
)
from gustnado.events.futures import Future, ReturnValueIgnoredError, is_future
from gustnado.events.yield_points import (
    Arguments,
    Callback,
    KeyReuseError,
    LeakedCallbackError,
    MultiYieldPoint,
    UnknownKeyError,
    Wait,
    WaitAll,
    YieldFuture,
    YieldPoint,
)
from gustnado.events.yieldables import (
    BadYieldError,
    Multi,
    convert_yielded,
    maybe_future,
    moment,
    multi,
    multi_future,
)
from gustnado.util import TimeoutError

__all__ = [
    "Arguments",
    "BadYieldError",
    "Callback",
    "Future",
    "KeyReuseError",
    "LeakedCallbackError",
    "Multi",
    "MultiYieldPoint",
    "Return",
    "ReturnValueIgnoredError",
    "Runner",
    "Task",
    "TimeoutError",
    "UnknownKeyError",
    "Wait",
    "WaitAll",
    "WaitIterator",
    "YieldFuture",
    "YieldPoint",
    "convert_yielded",
    "coroutine",
    "engine",
    "is_coroutine_function",
    "is_future",
    "maybe_future",
    "moment",
    "multi",
    "multi_future",
    "sleep",
    "with_timeout",
]
