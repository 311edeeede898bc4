"""Callbacks here block until the log has found them, so that no time has to be right."""

from __future__ import annotations

import asyncio
import functools
import logging
import threading
import time

import pytest

from gustnado.events import slow_callbacks
from gustnado.events.loop import IOLoop
from gustnado.events.slow_callbacks import SlowCallbackLog

THRESHOLD = 0.05
PATTERN = "slow callback: {} has blocked the event loop for more than 0.05 s"


def running():
    log = IOLoop.current()._slow_callbacks
    assert log is not None
    return log


def wait_until_found(log, count=1):
    while log.count < count:
        time.sleep(0.001)


def slow_function(count=1):
    wait_until_found(running(), count)


async def alive():
    """Wait until the watching thread has seen the loop run."""
    while not running()._thread_id:
        await asyncio.sleep(0.001)


async def watched(count=1):
    IOLoop.current().set_blocking_log_threshold(THRESHOLD)
    await alive()


def end():
    IOLoop.current().set_blocking_log_threshold(None)


def test_a_callback_is_named_and_its_stack_shown(everywhere, expect_log):
    async def main():
        await watched()
        IOLoop.current().asyncio_loop.call_soon(slow_function)
        await asyncio.sleep(0)
        end()

    with expect_log(
        "gustnado.application", PATTERN.format(r"slow_function at .*test_slow_callbacks\.py:\d+")
    ) as seen:
        everywhere(main())
    message = seen.records[0].getMessage()
    assert "in wait_until_found" in message
    assert "run_forever" not in message


def test_an_ioloop_callback_is_named(everywhere, expect_log):
    async def main():
        await watched()
        IOLoop.current().add_callback(functools.partial(slow_function, count=1))
        await asyncio.sleep(0)
        end()

    with expect_log("gustnado.application", PATTERN.format("slow_function at .*")):
        everywhere(main())


def test_a_coroutine_is_named(everywhere, expect_log):
    async def slow_coroutine():
        await asyncio.sleep(0)
        slow_function()

    async def main():
        await watched()
        await asyncio.create_task(slow_coroutine())
        end()

    with expect_log("gustnado.application", PATTERN.format(r"test_a_coroutine.*slow_coroutine at .*")):
        everywhere(main())


def test_what_is_written_in_c_is_named_where_it_can_be(run, expect_log):
    """asyncio's own frame has it; time.sleep has none."""

    async def main():
        await watched()
        loop = asyncio.get_running_loop()
        while not running().count:
            loop.call_soon(time.sleep, 5 * THRESHOLD)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        end()

    with expect_log("gustnado.application", PATTERN.format(".*sleep.*")):
        run(main())


@pytest.mark.parametrize("how", ["add_callback", "call_later"])
def test_what_is_written_in_c_is_named_where_an_ioloop_calls_it(everywhere, expect_log, how):
    """On uvloop, too, which has no frames of its own."""

    async def main():
        await watched()
        io_loop = IOLoop.current()
        with expect_log("gustnado.application", "sleep.* took about", level=logging.INFO) as ended:
            while not running().count:
                if how == "add_callback":
                    io_loop.add_callback(time.sleep, 5 * THRESHOLD)
                else:
                    io_loop.call_later(0, time.sleep, 5 * THRESHOLD)
                await asyncio.sleep(0.001)
            while not any("took about" in record.getMessage() for record in ended.records):
                await asyncio.sleep(0.001)
        end()

    with expect_log("gustnado.application", PATTERN.format(r"functools\.partial\(<built-in function sleep>.*")):
        everywhere(main())


def test_callbacks_run_as_fast_as_ever_when_it_has_ended(everywhere):
    async def main():
        io_loop = IOLoop.current()
        before = io_loop._run
        await watched()
        assert io_loop._run != before
        end()
        assert io_loop._run == before

    everywhere(main())


def test_it_is_logged_once_and_its_end_too(everywhere, expect_log):
    async def main():
        await watched()
        log = running()

        def very_slow():
            wait_until_found(log)
            looks = iter(range(3))
            looking = log._look
            enough = threading.Event()

            def look():
                if next(looks, None) is None:
                    enough.set()
                return looking()

            log._look = look
            enough.wait()

        IOLoop.current().asyncio_loop.call_soon(very_slow)
        with expect_log("gustnado.application", "very_slow at .* took about", level=logging.INFO) as ended:
            await asyncio.sleep(0)
            while not any("took about" in record.getMessage() for record in ended.records):
                await asyncio.sleep(0.001)
        assert log.count == 1
        end()

    with expect_log("gustnado.application", PATTERN.format(".*very_slow.*")):
        everywhere(main())


def test_two_in_one_turn_are_both_found(everywhere, expect_log):
    async def main():
        await watched()
        loop = IOLoop.current().asyncio_loop
        loop.call_soon(slow_function, 1)
        loop.call_soon(functools.partial(slow_function, 2))
        await asyncio.sleep(0)
        assert running().count == 2
        end()

    with expect_log("gustnado.application", PATTERN.format("slow_function.*"), count=2):
        everywhere(main())


def test_many_short_ones_are_none(everywhere):
    """Each ends before it is seen twice."""

    async def main():
        await watched()
        log = running()
        looks, begun = [], []
        looking = log._look

        def look():
            found = looking()
            looks.append(found)
            while len(begun) < min(len(looks) + 1, 5):  # the next look is at another one
                time.sleep(0.001)
            return found

        def short(number):
            begun.append(number)
            while len(looks) < number:
                time.sleep(0.001)

        log._look = look
        for number in range(1, 6):
            asyncio.get_running_loop().call_soon(short, number)
        await asyncio.sleep(0)
        assert log.count == 0
        end()

    everywhere(main())


def test_a_loop_that_waits_is_not_blocked(everywhere):
    async def main():
        await watched()
        log = running()
        looks = []
        looking = log._look
        log._look = lambda: looks.append(looking())
        log._answer = lambda: None  # as if the thread were late
        while len(looks) < 3:
            await asyncio.sleep(0.4)  # longer than all three looks take, and none but they wake the loop
        assert None in looks
        log.stop()

    everywhere(main())


def test_a_loop_that_does_not_run_is_not_blocked():
    loop = IOLoop(make_current=False)
    loop.set_blocking_log_threshold(THRESHOLD)
    log = loop._slow_callbacks
    loop.run_sync(lambda: seen(log))
    looks = []
    looking = log._look
    log._look = lambda: looks.append(looking())
    while len(looks) < 4:
        time.sleep(0.001)
    assert looks[-2:] == [None, None]
    assert log.count == 0
    loop.close()
    log._thread.join(30)
    assert not log._thread.is_alive()


async def seen(log):
    while not log._thread_id:
        await asyncio.sleep(0.001)


def test_it_can_be_ended_and_begun_again(run, expect_log):
    async def main():
        await watched()
        first = running()
        IOLoop.current().set_blocking_log_threshold(2 * THRESHOLD)
        assert running() is not first
        first._thread.join(30)
        assert not first._thread.is_alive()
        await alive()
        slow_function()
        end()
        end()
        assert IOLoop.current()._slow_callbacks is None

    with expect_log("gustnado.application", "main at .* for more than 0.1 s"):
        run(main())


def test_it_ends_with_the_loop():
    loop = asyncio.new_event_loop()
    log = SlowCallbackLog(loop, THRESHOLD)
    log.start()
    log.start()
    loop.close()
    log._thread.join(30)
    assert not log._thread.is_alive()


def test_off_there_is_no_thread(run):
    async def main():
        assert IOLoop.current()._slow_callbacks is None
        assert not [t for t in threading.enumerate() if "slow-callbacks" in t.name and t.is_alive()]

    run(main())


def test_only_the_innermost_part_of_a_deep_stack_is_shown(run, expect_log, monkeypatch):
    def deep(levels):
        return slow_function() if levels == 0 else deep(levels - 1)

    async def main():
        await watched()
        asyncio.get_running_loop().call_soon(deep, 100)
        await asyncio.sleep(0)
        end()

    monkeypatch.setattr(slow_callbacks, "STACK_LINES", 3)
    with expect_log("gustnado.application", PATTERN.format(".*deep at .*")) as log:
        run(main())
    assert log.records[0].getMessage().count("File ") <= 3


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_bad_threshold_is_refused(seconds, run):
    async def main():
        await watched()
        before = running()
        with pytest.raises(ValueError, match="threshold must be positive"):
            IOLoop.current().set_blocking_log_threshold(seconds)
        assert running() is before
        end()

    run(main())
