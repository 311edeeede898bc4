"""The event loop of a test. What test cases make of it is tested with them."""

from __future__ import annotations

import asyncio
import logging
import socket

import pytest

from gustnado.events.loop import IOLoop
from gustnado.events.stream import IOStream
from gustnado.log import app_log
from gustnado.testing.logs import ExpectLog
from gustnado.testing.loops import CallbackWatch, cancel_tasks, close_loop, new_loop
from gustnado.testing.ports import bind_unused_port


@pytest.fixture
def loop():
    made = new_loop()
    yield made
    close_loop(made)


@pytest.fixture
def watch():
    made = CallbackWatch()
    made.start()
    yield made
    made.stop()


async def turn():
    await asyncio.sleep(0)


def fail():
    raise ZeroDivisionError


def test_a_new_loop_is_the_current_one(loop):
    assert IOLoop.current() is loop


def test_a_loop_that_is_closed_is_not_the_current_one():
    loop = new_loop()
    close_loop(loop)
    close_loop(loop)
    assert loop.asyncio_loop.is_closed()
    assert IOLoop.current(instance=False) is None


def test_the_failure_of_a_callback_is_raised_once(loop, watch, expect_log):
    with expect_log("gustnado.application", "Exception in callback"):
        loop.add_callback(fail)
        loop.run_sync(turn)
    with pytest.raises(ZeroDivisionError):
        watch.check()
    watch.check()


def test_the_failure_of_a_coroutine_that_is_a_callback_counts_too(loop, watch, expect_log):
    async def callback():
        await turn()
        fail()

    with expect_log("gustnado.application", "Exception in callback"):
        loop.add_callback(callback)
        loop.run_sync(lambda: asyncio.sleep(0.01))
    assert isinstance(watch.failure, ZeroDivisionError)


def test_the_watch_tells_of_the_first_failure(expect_log):
    told = []
    watch = CallbackWatch(lambda: told.append(True))
    watch.start()
    try:
        with expect_log("gustnado.application", "Exception in callback", count=2):
            for error in (ZeroDivisionError(), KeyError()):
                app_log.error("Exception in callback %r", fail, exc_info=error)
    finally:
        watch.stop()
    assert told == [True]
    assert isinstance(watch.failure, ZeroDivisionError)


def test_what_is_expected_is_no_failure(watch):
    with ExpectLog(app_log, "Exception in callback"):
        app_log.error("Exception in callback %r", fail, exc_info=ZeroDivisionError())
    watch.check()


@pytest.mark.parametrize(
    ("level", "message", "error"),
    [
        (logging.ERROR, "Uncaught exception GET /", ZeroDivisionError()),
        (logging.ERROR, "Exception in callback, they say", None),
        (logging.WARNING, "Exception in callback", ZeroDivisionError()),
    ],
)
def test_other_records_are_no_failures(watch, expect_log, level, message, error):
    with expect_log("gustnado.application", ".*"):
        app_log.log(level, message, exc_info=error)
    watch.check()


def test_after_its_end_the_watch_sees_nothing(expect_log):
    watch = CallbackWatch()
    watch.start()
    watch.stop()
    with expect_log("gustnado.application", "Exception"):
        app_log.error("Exception in callback %r", fail, exc_info=ZeroDivisionError())
    watch.check()


def test_cancelled_tasks_may_clean_up(loop):
    ended = []

    async def forever():
        try:
            await asyncio.Event().wait()
        finally:
            await turn()
            ended.append(True)

    task = loop.asyncio_loop.create_task(forever())
    loop.run_sync(turn)
    cancel_tasks(loop.asyncio_loop)
    assert task.cancelled()
    assert ended == [True]


def test_a_loop_is_closed_although_a_task_raises():
    async def forever():
        try:
            await asyncio.Event().wait()
        finally:
            fail()

    loop = new_loop()
    task = loop.asyncio_loop.create_task(forever())
    loop.run_sync(turn)
    with pytest.raises(ZeroDivisionError):
        close_loop(loop)
    assert task.done()
    assert loop.asyncio_loop.is_closed()


def test_a_connection_that_is_left_open_is_closed_with_the_loop():
    async def leave_open():
        sock, port = bind_unused_port()
        stream = IOStream(socket.socket())
        await stream.connect(("127.0.0.1", port))
        sock.setblocking(True)
        connection, _ = sock.accept()
        sock.close()
        return stream, connection

    loop = new_loop()
    stream, connection = loop.run_sync(leave_open)
    close_loop(loop)
    connection.settimeout(10)
    assert connection.recv(1) == b""
    connection.close()
    stream.close()
