"""``tornado.testing``: test cases, expected log records, ports."""

from __future__ import annotations

from gustnado.testing.case import AsyncTestCase
from gustnado.testing.coroutines import gen_test, get_async_test_timeout
from gustnado.testing.http_case import AsyncHTTPSTestCase, AsyncHTTPTestCase
from gustnado.testing.logs import ExpectLog, LogTrapTestCase
from gustnado.testing.ports import bind_unused_port, get_unused_port
from gustnado.testing.runner import main, setup_with_context_manager

__all__ = [
    "AsyncHTTPSTestCase",
    "AsyncHTTPTestCase",
    "AsyncTestCase",
    "ExpectLog",
    "LogTrapTestCase",
    "bind_unused_port",
    "gen_test",
    "get_async_test_timeout",
    "get_unused_port",
    "main",
    "setup_with_context_manager",
]
