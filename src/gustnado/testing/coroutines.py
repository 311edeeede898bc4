"""Test methods that are coroutines, with a deadline.

How long a test may take is said by the argument ``timeout``, else by the environment variable
``ASYNC_TEST_TIMEOUT``, else it is 5 seconds.
"""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, overload

from gustnado.errors import UsageError
from gustnado.events.coroutines import coroutine

if TYPE_CHECKING:
    from gustnado.events.loop import IOLoop
    from gustnado.testing.case import AsyncTestCase

__all__ = ["gen_test", "get_async_test_timeout", "run_with_deadline"]

DEFAULT_TIMEOUT = 5.0  # seconds (Tornado: 5)

TestMethod = Callable[..., Any]


def get_async_test_timeout() -> float:
    """Seconds that an asynchronous test may take: the environment's ``ASYNC_TEST_TIMEOUT``, else 5.

    :raises gustnado.errors.UsageError: where that variable is not a number.
    """
    text = os.environ.get("ASYNC_TEST_TIMEOUT")
    if text is None:
        return DEFAULT_TIMEOUT
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"ASYNC_TEST_TIMEOUT must be a number of seconds, not {text!r}") from None


@overload
def gen_test(func: TestMethod) -> Callable[..., Any]: ...
@overload
def gen_test(func: None = None, timeout: float | None = None) -> Callable[[TestMethod], Callable[..., Any]]: ...
def gen_test(
    func: TestMethod | None = None, timeout: float | None = None
) -> Callable[..., Any] | Callable[[TestMethod], Callable[..., Any]]:
    """Decorate a method of an `AsyncTestCase` that yields or awaits; used with or without arguments.

    ::

        class MyTest(AsyncTestCase):
            @gen_test
            def test_a_generator(self):
                yield sleep(0.01)

            @gen_test(timeout=10)
            async def test_a_coroutine(self):
                await sleep(0.01)

    The method is run on ``self.io_loop``, which must not be running: it can call neither
    :meth:`AsyncTestCase.wait` nor :meth:`AsyncHTTPTestCase.fetch`. It may take arguments and return a result,
    so that tests can call each other.

    :param timeout: seconds; by default as of :func:`get_async_test_timeout` when the class is made.
    :raises TimeoutError: from the test, where it was not done in time; its traceback shows what a generator,
        and its cause what a coroutine was waiting for.
    """
    seconds = get_async_test_timeout() if timeout is None else timeout

    def decorate(method: TestMethod) -> Callable[..., Any]:
        @functools.wraps(method)
        def test(self: AsyncTestCase, *args: Any, **kwargs: Any) -> Any:
            return run_with_deadline(self.io_loop, functools.partial(method, self, *args, **kwargs), seconds)

        test.runs_the_loop = True  # type: ignore[attr-defined]
        return test

    return decorate if func is None else decorate(func)


gen_test.__test__ = False  # type: ignore[attr-defined]  # runners would take it for a test, by its name


def run_with_deadline(io_loop: IOLoop, function: Callable[[], Any], seconds: float) -> Any:
    """Run a loop until what ``function`` returns, a generator or something to await, is done.

    :returns: its result.
    :raises TimeoutError: after ``seconds``; see :func:`gen_test`.
    """
    body: Any = None
    cancelled: BaseException | None = None

    async def follow(awaitable: Awaitable[Any]) -> Any:
        nonlocal cancelled
        try:
            return await awaitable
        except asyncio.CancelledError as error:
            cancelled = error
            raise

    def start() -> Any:
        nonlocal body
        body = function()
        if isinstance(body, Generator):
            return coroutine(lambda: body)()
        return follow(body) if asyncio.iscoroutine(body) else body

    try:
        return io_loop.run_sync(start, timeout=seconds)
    except TimeoutError as error:
        if cancelled is not None:
            raise error from cancelled
        if isinstance(body, Generator):
            body.throw(error)  # so that the traceback shows where it stands
        raise
    finally:
        del body
