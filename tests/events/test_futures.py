from __future__ import annotations

import asyncio
import concurrent.futures
import threading

import pytest

from gustnado.events.callbacks import CallbackTypeError
from gustnado.events.futures import (
    DummyExecutor,
    Future,
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


class Boom(Exception):
    pass


def boom() -> None:
    raise Boom


def test_both_kinds_of_future_are_futures(run):
    async def main():
        assert is_future(Future())

    run(main())
    assert is_future(concurrent.futures.Future())
    assert not is_future(None)
    assert not is_future(object)


def test_dummy_executor_runs_in_the_calling_thread():
    assert dummy_executor.submit(threading.get_ident).result() == threading.get_ident()
    assert isinstance(dummy_executor.submit(boom).exception(), Boom)
    dummy_executor.shutdown()
    assert dummy_executor.submit(int, "7").result() == 7


class Worker:
    def __init__(self) -> None:
        self.executor = self.other = concurrent.futures.ThreadPoolExecutor(1)

    @run_on_executor
    def where(self, offset, *, scale=1):
        return threading.get_ident(), offset * scale

    @run_on_executor(executor="other")
    def fail(self):
        raise Boom

    @run_on_executor()
    def plain(self):
        return "plain"

    @run_on_executor
    def with_callback(self, callback=None):
        return callback


def test_run_on_executor_runs_methods_in_its_thread(run):
    worker = Worker()

    async def main():
        thread, value = await worker.where(3, scale=2)
        assert thread != threading.get_ident()
        assert value == 6
        assert await worker.plain() == "plain"
        with pytest.raises(Boom):
            await worker.fail()

    run(main())
    worker.executor.shutdown()


def test_run_on_executor_calls_a_callback(run):
    worker = Worker()

    async def main():
        seen = []
        assert await worker.plain(callback=seen.append) == "plain"
        await asyncio.sleep(0)
        assert seen == ["plain"]
        assert await worker.with_callback(callback=42) == 42  # it has one of its own
        with pytest.raises(CallbackTypeError, match="not 42"):
            worker.plain(callback=42)

    run(main())
    worker.executor.shutdown()


def test_the_old_name_of_futures():
    assert TracebackFuture is Future


def test_run_on_executor_refuses_mixed_arguments():
    with pytest.raises(ValueError, match="cannot combine"):
        run_on_executor(boom, executor="x")
    with pytest.raises(ValueError, match="got 2"):
        run_on_executor(boom, boom)


@pytest.mark.parametrize("source_kind", [Future, concurrent.futures.Future])
@pytest.mark.parametrize("target_kind", [Future, concurrent.futures.Future])
def test_chain_future_copies_every_outcome(run, source_kind, target_kind):
    async def main():
        for outcome in ("result", "exception", "cancelled"):
            source, target = source_kind(), target_kind()
            chain_future(source, target)
            if outcome == "result":
                source.set_result(1)
            elif outcome == "exception":
                source.set_exception(Boom())
            else:
                source.cancel()
            for _ in range(3):
                await asyncio.sleep(0)
            assert target.done()
            assert target.cancelled() == (outcome == "cancelled")
            if outcome == "result":
                assert target.result() == 1
            elif outcome == "exception":
                assert isinstance(target.exception(), Boom)
                assert isinstance(source.exception(), Boom)

    run(main())


def test_chain_future_leaves_a_done_target_alone(run):
    async def main():
        source, target = Future(), Future()
        chain_future(source, target)
        target.set_result("mine")
        source.set_result("yours")
        await asyncio.sleep(0)
        assert target.result() == "mine"

    run(main())


def test_a_thread_completes_an_asyncio_future_on_its_loop(run):
    async def main():
        source: concurrent.futures.Future[int] = concurrent.futures.Future()
        target: Future[int] = Future()
        chain_future(source, target)
        thread = threading.Thread(target=source.set_result, args=(5,))
        thread.start()
        assert await target == 5
        thread.join()

    run(main())


def test_a_result_for_a_closed_loop_is_dropped():
    source: concurrent.futures.Future[int] = concurrent.futures.Future()
    loop = asyncio.new_event_loop()
    target = loop.create_future()
    chain_future(source, target)
    loop.close()
    source.set_result(1)
    assert not target.done()


def test_setting_a_cancelled_future_is_harmless(run, expect_log):
    async def main():
        future: Future[int] = Future()
        future.cancel()
        future_set_result_unless_cancelled(future, 1)
        with expect_log("gustnado.application", "after Future was cancelled"):
            future_set_exception_unless_cancelled(future, Boom())
        assert future.cancelled()

    run(main())


def test_exc_info_becomes_the_exception():
    future: concurrent.futures.Future[None] = concurrent.futures.Future()
    error = Boom()
    future_set_exc_info(future, (Boom, error, None))
    assert future.exception() is error
    with pytest.raises(ValueError, match="no exception"):
        future_set_exc_info(future, (None, None, None))


def test_done_callback_runs_at_once_on_a_done_future():
    future: concurrent.futures.Future[int] = concurrent.futures.Future()
    seen: list[object] = []
    future_add_done_callback(future, seen.append)
    assert seen == []
    future.set_result(1)
    future_add_done_callback(future, seen.append)
    assert seen == [future, future]


def test_dummy_executor_is_an_executor():
    assert isinstance(DummyExecutor(), concurrent.futures.Executor)
