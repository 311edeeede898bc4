"""``tornado.gen``: coroutines written as generators, and what they may yield."""

from __future__ import annotations

from gustnado.events.coroutines import (
    KeyReuseError,
    LeakedCallbackError,
    Return,
    Runner,
    UnknownKeyError,
    WaitIterator,
    coroutine,
    is_coroutine_function,
    sleep,
    with_timeout,
)
from gustnado.events.futures import Future, ReturnValueIgnoredError, is_future
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
    "BadYieldError",
    "Future",
    "KeyReuseError",
    "LeakedCallbackError",
    "Multi",
    "Return",
    "ReturnValueIgnoredError",
    "Runner",
    "TimeoutError",
    "UnknownKeyError",
    "WaitIterator",
    "convert_yielded",
    "coroutine",
    "is_coroutine_function",
    "is_future",
    "maybe_future",
    "moment",
    "multi",
    "multi_future",
    "sleep",
    "with_timeout",
]
