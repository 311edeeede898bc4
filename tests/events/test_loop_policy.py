"""The policy makes event loops in any thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
import warnings

import pytest

from gustnado.events.loop_policy import AnyThreadEventLoopPolicy


@pytest.fixture
def policy():
    """It is installed for the time of the test."""
    with pytest.warns(
        DeprecationWarning, match=r"AnyThreadEventLoopPolicy is deprecated: use asyncio.run\(\)"
    ):
        policy = AnyThreadEventLoopPolicy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        before = asyncio.get_event_loop_policy()
        asyncio.set_event_loop_policy(policy)
        yield policy
        asyncio.set_event_loop_policy(before)


def test_a_thread_gets_a_loop_and_the_same_one_again(policy):
    def ask():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            loop = asyncio.get_event_loop()
            assert asyncio.get_event_loop() is loop
            assert loop.run_until_complete(asyncio.sleep(0, 42)) == 42
            loop.close()
            return loop

    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        assert isinstance(executor.submit(ask).result(), asyncio.AbstractEventLoop)


def test_without_it_a_thread_gets_none():
    with (
        concurrent.futures.ThreadPoolExecutor(1) as executor,
        pytest.raises(RuntimeError, match="no current event loop"),
    ):
        executor.submit(asyncio.get_event_loop).result()
