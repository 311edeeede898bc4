"""Twisted in the same program. What installs a reactor, or must not find one, runs in a process of its own."""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys

import pytest

from gustnado.events.coroutines import coroutine
from gustnado.events.loop import IOLoop
from gustnado.events.twisted_reactor import deferred_to_future

HAS_TWISTED = importlib.util.find_spec("twisted") is not None
needs_twisted = pytest.mark.skipif(not HAS_TWISTED, reason="Twisted is not installed")


class Boom(Exception):
    pass


def python(program):
    """Run a program, and give what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


HIDE_TWISTED = """
import sys
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "twisted":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hide())
"""

INSTALL = """
from gustnado.events.loop import IOLoop
from gustnado.events.twisted_reactor import install
install()
install()  # nothing happens
"""


def test_without_twisted_it_says_what_to_do():
    program = f"""{HIDE_TWISTED}
from gustnado.events.twisted_reactor import install
try:
    install()
except ModuleNotFoundError as error:
    print(error.name, "pip install twisted" in str(error))
"""
    assert python(program) == ["twisted", "True"]


@needs_twisted
def test_the_reactor_and_the_loop_are_one():
    program = f"""{INSTALL}
from twisted.internet import reactor
loop = IOLoop.current()
reactor.callWhenRunning(loop.add_callback, print, "callback")
reactor.callLater(0, loop.add_callback, reactor.callLater, 0, reactor.stop)
reactor.run()
print(reactor._asyncioEventloop is loop.asyncio_loop)
"""
    assert python(program) == ["callback", "True"]


@needs_twisted
def test_another_reactor_is_there_already():
    program = """
from twisted.internet import reactor
from twisted.internet.error import ReactorAlreadyInstalledError
from gustnado.events.twisted_reactor import install
try:
    install()
except ReactorAlreadyInstalledError:
    print("refused")
"""
    assert python(program) == ["refused"]


@needs_twisted
class TestDeferreds:
    def test_a_coroutine_may_yield_them(self, run):
        from twisted.internet.defer import Deferred, fail, succeed

        @coroutine
        def work():
            assert (yield succeed(42)) == 42
            with pytest.raises(Boom, match="later"):
                yield fail(Boom("later"))
            deferred = Deferred()
            IOLoop.current().add_callback(deferred.callback, 43)
            return (yield [deferred, succeed(44)])

        async def main():
            assert await work() == [43, 44]

        run(main())

    def test_one_that_fires_when_nobody_waits_any_more(self, run, expect_log):
        from twisted.internet.defer import Deferred

        async def main():
            deferred, failing = Deferred(), Deferred()
            for future in (deferred_to_future(deferred), deferred_to_future(failing)):
                future.cancel()
            await asyncio.sleep(0)
            deferred.callback(42)
            with expect_log("gustnado.application", "Exception after Future was cancelled"):
                failing.errback(Boom())

        run(main())
