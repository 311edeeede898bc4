"""Test methods that are coroutines, with a deadline."""

from __future__ import annotations

import asyncio
import traceback
import unittest

import pytest

from gustnado.errors import UsageError
from gustnado.events.coroutines import sleep
from gustnado.testing import AsyncTestCase, gen_test, get_async_test_timeout


@pytest.fixture
def case():
    """A test case that has been set up."""

    class Case(AsyncTestCase):
        def runTest(self):
            raise NotImplementedError

    case = Case()
    case._setupAsyncioRunner()
    case.setUp()
    yield case
    case.tearDown()
    case.doCleanups()
    case._tearDownAsyncioRunner()


def test_the_time_is_five_seconds(monkeypatch):
    monkeypatch.delenv("ASYNC_TEST_TIMEOUT", raising=False)
    assert get_async_test_timeout() == 5


def test_the_environment_says_the_time(monkeypatch):
    monkeypatch.setenv("ASYNC_TEST_TIMEOUT", "0.25")
    assert get_async_test_timeout() == 0.25


def test_a_time_that_is_no_number_is_an_error(monkeypatch):
    monkeypatch.setenv("ASYNC_TEST_TIMEOUT", "soon")
    with pytest.raises(UsageError, match="'soon'"):
        get_async_test_timeout()


def test_a_generator_is_run(case):
    @gen_test
    def test(self):
        yield sleep(0)
        yield asyncio.sleep(0)
        return "done"

    assert test(case) == "done"


def test_a_coroutine_is_run_on_the_loop_of_the_case(case):
    @gen_test
    async def test(self):
        await asyncio.sleep(0)
        return asyncio.get_running_loop()

    assert test(case) is case.io_loop.asyncio_loop


def test_a_plain_method_may_return_something_to_wait_for(case):
    @gen_test
    def test(self):
        return sleep(0)

    assert test(case) is None


def test_arguments_go_through(case):
    @gen_test(timeout=10)
    def test(self, *args, **kwargs):
        yield sleep(0)
        return self, args, kwargs

    assert test(case, 1, two=2) == (case, (1,), {"two": 2})


def test_the_method_keeps_its_name():
    @gen_test
    def test_something(self):
        """What it tests."""
        yield

    assert (test_something.__name__, test_something.__doc__) == ("test_something", "What it tests.")


def test_an_exception_is_the_tests(case):
    @gen_test
    def test(self):
        yield sleep(0)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        test(case)


def test_a_late_generator_is_blamed_where_it_stands(case):
    @gen_test(timeout=0.01)
    def test(self):
        yield sleep(1000)

    with pytest.raises(TimeoutError, match=r"0\.01 seconds") as caught:
        test(case)
    assert "yield sleep(1000)" in "".join(traceback.format_exception(caught.value))


def test_a_late_coroutine_is_cancelled_and_blamed_where_it_stood(case):
    ended = []

    @gen_test(timeout=0.01)
    async def test(self):
        try:
            await sleep(1000)
        finally:
            ended.append(True)

    with pytest.raises(TimeoutError, match=r"0\.01 seconds") as caught:
        test(case)
    assert "await sleep(1000)" in "".join(traceback.format_exception(caught.value))
    assert ended == [True]


def test_a_generator_cannot_hide_that_it_is_late(case):
    @gen_test(timeout=0.01)
    def test(self):
        while True:
            try:
                yield sleep(1000)
            except TimeoutError:
                pass

    with pytest.raises(TimeoutError):
        test(case)


def test_the_argument_is_stronger_than_the_environment(case, monkeypatch):
    monkeypatch.setenv("ASYNC_TEST_TIMEOUT", "0.001")

    @gen_test(timeout=60)
    def test(self):
        yield sleep(0.02)

    test(case)


def test_the_environment_counts_where_there_is_no_argument(case, monkeypatch):
    monkeypatch.setenv("ASYNC_TEST_TIMEOUT", "0.01")

    @gen_test
    def test(self):
        yield sleep(1000)

    with pytest.raises(TimeoutError):
        test(case)


def test_a_test_that_returns_something_fails():
    class Case(AsyncTestCase):
        @gen_test
        async def test(self):
            return 42

    result = unittest.TestResult()
    Case("test").run(result)
    [(_, text)] = result.errors
    assert "returned 42" in text


def test_the_decorator_is_no_test():
    assert gen_test.__test__ is False
