"""``tornado.concurrent``: futures, and functions that run in executors."""

from __future__ import annotations

from gustnado.events.callback_adapters import return_future
from gustnado.events.futures import (
    FUTURES,
    DummyExecutor,
    Future,
    ReturnValueIgnoredError,
    TracebackFuture,
    chain_future,
    dummy_executor,
    future_add_done_callback,
    future_set_exc_info,
    future_set_exception_unless_cancelled,
    future_set_result_unless_cancelled,
    is_future,
    run_on_executor,
)

__all__ = [
    "DummyExecutor",
    "FUTURES",
    "Future",
    "ReturnValueIgnoredError",
    "TracebackFuture",
    "chain_future",
    "dummy_executor",
    "future_add_done_callback",
    "future_set_exc_info",
    "future_set_exception_unless_cancelled",
    "future_set_result_unless_cancelled",
    "is_future",
    "return_future",
    "run_on_executor",
]
