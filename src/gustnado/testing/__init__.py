"""Support for tests: test cases that own an event loop, expected log records, unused ports.

>>> import unittest
>>> class PortTest(AsyncTestCase):
...     async def test_a_port_is_bound(self):
...         sock, port = bind_unused_port()
...         self.addCleanup(sock.close)
...         self.assertEqual(sock.getsockname(), ("127.0.0.1", port))
>>> PortTest("test_a_port_is_bound").run(unittest.TestResult()).wasSuccessful()
True
"""

from __future__ import annotations

from gustnado.testing.case import AsyncTestCase
from gustnado.testing.coroutines import gen_test, get_async_test_timeout
from gustnado.testing.http_case import AsyncHTTPSTestCase, AsyncHTTPTestCase
from gustnado.testing.logs import ExpectLog, LogTrapTestCase
from gustnado.testing.ports import bind_unused_port, get_unused_port
from gustnado.testing.runner import main, setup_with_context_manager

__all__ = [
    # test cases
    "AsyncHTTPSTestCase",
    "AsyncHTTPTestCase",
    "AsyncTestCase",
    "LogTrapTestCase",
    "gen_test",
    "get_async_test_timeout",
    # helpers
    "ExpectLog",
    "bind_unused_port",
    "get_unused_port",
    "setup_with_context_manager",
    # running them
    "main",
]
