"""Support for tests: test cases that own an event loop, a client without sockets, expected log records, unused ports.

>>> import unittest
>>> from gustnado.testing import AsyncTestCase, bind_unused_port
>>> class PortTest(AsyncTestCase):
...     async def test_a_port_is_bound(self):
...         sock, port = bind_unused_port()
...         self.addCleanup(sock.close)
...         self.assertEqual(sock.getsockname(), ("127.0.0.1", port))
>>> PortTest("test_a_port_is_bound").run(unittest.TestResult()).wasSuccessful()
True

For pytest there are fixtures: :mod:`gustnado.testing.plugin`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gustnado.testing.case import AsyncTestCase as AsyncTestCase
    from gustnado.testing.coroutines import gen_test as gen_test
    from gustnado.testing.coroutines import get_async_test_timeout as get_async_test_timeout
    from gustnado.testing.http_case import AsyncHTTPSTestCase as AsyncHTTPSTestCase
    from gustnado.testing.http_case import AsyncHTTPTestCase as AsyncHTTPTestCase
    from gustnado.testing.logs import ExpectLog as ExpectLog
    from gustnado.testing.logs import LogTrapTestCase as LogTrapTestCase
    from gustnado.testing.memory_client import InMemoryClient as InMemoryClient
    from gustnado.testing.ports import bind_unused_port as bind_unused_port
    from gustnado.testing.ports import get_unused_port as get_unused_port
    from gustnado.testing.runner import main as main
    from gustnado.testing.runner import setup_with_context_manager as setup_with_context_manager

# Each is imported when it is asked for, so that pytest, which loads the plugin wherever Gustnado is installed, does
# not load HTTP with it.
_HOMES = {
    # test cases
    "AsyncHTTPSTestCase": "http_case",
    "AsyncHTTPTestCase": "http_case",
    "AsyncTestCase": "case",
    "LogTrapTestCase": "logs",
    "gen_test": "coroutines",
    "get_async_test_timeout": "coroutines",
    # helpers
    "ExpectLog": "logs",
    "InMemoryClient": "memory_client",
    "bind_unused_port": "ports",
    "get_unused_port": "ports",
    "setup_with_context_manager": "runner",
    # running them
    "main": "runner",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
