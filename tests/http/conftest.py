"""What the tests of this ring share."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator

import pytest


def calls_made(function: Callable[[], object]) -> int:
    """How many functions, in Python and in C, are called while ``function`` runs."""
    count = 0

    def profile(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count


@pytest.fixture
def assert_linear() -> Callable[..., None]:
    """``assert_linear(make, n)``: ``make(4 * n)()`` makes fewer than 5 times the calls of ``make(n)()``.

    ``make(size)`` builds the input and returns the function to be measured. Counting instead of timing
    makes the result the same on every machine.
    """

    def check(make: Callable[[int], Callable[[], object]], size: int) -> None:
        small, large = calls_made(make(size)), calls_made(make(4 * size))
        assert large < 5 * small, f"{small} calls for {size}, {large} for {4 * size}"

    return check


class ClockLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still until a test says how much time passes."""

    now = 1000.0

    def time(self) -> float:
        return self.now

    def pass_time(self, seconds: float) -> None:
        """Let it pass, and what is due run."""
        self.now += seconds
        self.run_until_complete(turns())


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def loop() -> Iterator[ClockLoop]:
    """A :class:`ClockLoop`."""
    loop = ClockLoop()
    yield loop
    loop.close()
