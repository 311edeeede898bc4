"""Small judgements that all rooms of a stream share."""

from __future__ import annotations

import asyncio
import errno
import gc
import ssl

import pytest

from gustnado.events.stream_state import error_of, fail_quietly, is_connection_reset


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectionResetError(), True),
        (BrokenPipeError(errno.EPIPE, "gone"), True),
        (OSError(errno.ETIMEDOUT, "slow"), True),
        (OSError(errno.EBADF, "bug"), False),
        (ssl.SSLError(1, "alert"), False),
        (ValueError(), False),
        (None, False),
    ],
)
def test_a_reset_is_told_from_an_error(error, expected):
    assert is_connection_reset(error) is expected


def test_the_ways_to_name_an_error():
    error = ZeroDivisionError()
    assert error_of(error) is error
    assert error_of((ZeroDivisionError, error, None)) is error
    assert error_of(False) is error_of(None) is error_of(True) is None
    try:
        raise error
    except ZeroDivisionError:
        assert error_of(True) is error
        assert error_of(False) is None


def test_a_quiet_failure_is_not_logged_and_a_done_future_stays(run):
    async def main():
        loop = asyncio.get_running_loop()
        failed, done, cancelled = loop.create_future(), loop.create_future(), loop.create_future()
        done.set_result(1)
        cancelled.cancel()
        for future in (failed, done, cancelled):
            fail_quietly(future, KeyError("x"))
        assert isinstance(failed.exception(), KeyError)
        assert done.result() == 1
        assert cancelled.cancelled()
        quiet = loop.create_future()
        fail_quietly(quiet, KeyError("never looked at"))

    run(main())
    gc.collect()
