from __future__ import annotations

import asyncio
import concurrent.futures

import pytest

from gustnado.events.futures import Future
from gustnado.events.yieldables import (
    BadYieldError,
    Multi,
    convert_yielded,
    maybe_future,
    moment,
    multi,
    multi_future,
    null_future,
)


class Boom(Exception):
    pass


async def value(x):
    await asyncio.sleep(0)
    return x


async def fail(error):
    raise error


def test_what_stands_for_nothing_is_the_moment():
    assert convert_yielded(None) is moment
    assert convert_yielded(moment) is moment
    assert convert_yielded(null_future) is null_future
    assert null_future.done()
    assert null_future.result() is None


def test_futures_pass_through(run):
    async def main():
        future: Future[int] = Future()
        assert convert_yielded(future) is future
        threaded: concurrent.futures.Future[int] = concurrent.futures.Future()
        assert convert_yielded(threaded) is threaded

    run(main())


def test_coroutines_are_started(run):
    async def main():
        assert await convert_yielded(value(3)) == 3

    run(main())


@pytest.mark.parametrize("thing", [42, "text", (1, 2), object()])
def test_other_things_are_bad_yields(thing):
    with pytest.raises(BadYieldError, match="yielded unknown object"):
        convert_yielded(thing)


def test_further_types_can_be_registered(run):
    class Ticket:
        pass

    @convert_yielded.register(Ticket)
    def _(ticket):
        future: Future[str] = Future()
        future.set_result("redeemed")
        return future

    async def main():
        assert await convert_yielded(Ticket()) == "redeemed"

    run(main())


def test_multi_keeps_order_and_keys(run):
    async def main():
        assert await multi([value(1), value(2), None]) == [1, 2, None]
        assert await multi({"a": value(1), "b": value(2)}) == {"a": 1, "b": 2}
        assert await multi([]) == []
        assert await multi({}) == {}
        assert await convert_yielded([value(1)]) == [1]

    run(main())


def test_multi_takes_one_future_twice(run):
    async def main():
        future = asyncio.ensure_future(value(1))
        assert await multi([future, future]) == [1, 1]

    run(main())


def test_multi_raises_the_first_and_logs_the_others(run, expect_log):
    async def main():
        with expect_log("gustnado.application", "Multiple exceptions"):
            with pytest.raises(KeyError):
                await multi([fail(KeyError()), value(1), fail(Boom())])

    run(main())


def test_multi_keeps_quiet_about_what_it_is_told(run):
    async def main():
        with pytest.raises(KeyError):
            await multi(
                [fail(KeyError()), fail(Boom()), fail(asyncio.CancelledError())], quiet_exceptions=Boom
            )

    run(main())


def test_a_cancelled_child_is_an_error_of_multi(run):
    async def main():
        future: Future[None] = Future()
        future.cancel()
        with pytest.raises(asyncio.CancelledError):
            await multi([future, value(1)])

    run(main())


def test_cancelling_multi_leaves_the_children(run):
    async def main():
        child: Future[int] = Future()
        together = multi([child])
        together.cancel()
        await asyncio.sleep(0)
        assert not child.cancelled()
        child.set_result(1)
        await asyncio.sleep(0)

    run(main())


def test_maybe_future_wraps_what_is_none(run):
    async def main():
        future: Future[int] = Future()
        assert maybe_future(future) is future
        assert await maybe_future(5) == 5

    run(main())


def test_names_of_multi():
    assert Multi is multi is multi_future
