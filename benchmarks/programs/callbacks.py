"""Has functions called on the next turn of the loop, a hundred a turn, and prints what one costs.

Usage: ``callbacks.py call_soon|add_callback uvloop|asyncio SECONDS``. Prints the number of calls and the CPU time
of all of them in nanoseconds.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Any

EACH_TURN = 100
WARM_UP = 0.2
"""Seconds."""


def nothing() -> None:
    """What is called."""


async def call_for(seconds: float, add: Callable[[Callable[[], Any]], object]) -> tuple[int, int]:
    """Adds callbacks by ``add`` for that long: how many, and their CPU time in nanoseconds."""
    end = time.monotonic() + seconds
    ended = asyncio.get_running_loop().create_future()
    turns = 0

    def turn() -> None:
        nonlocal turns
        turns += 1
        for _ in range(EACH_TURN - 1):
            add(nothing)
        if time.monotonic() < end:
            add(turn)
        else:
            ended.set_result(None)

    before = time.process_time_ns()
    turn()
    await ended
    return turns * EACH_TURN, time.process_time_ns() - before


async def main(what: str, seconds: float) -> None:
    """Warms up, measures, prints."""
    if what == "add_callback":
        from gustnado.events import IOLoop

        add: Callable[..., object] = IOLoop.current().add_callback
    else:
        add = asyncio.get_running_loop().call_soon
    await call_for(WARM_UP, add)
    print(*await call_for(seconds, add))


if __name__ == "__main__":
    if sys.argv[2] == "uvloop":
        import uvloop

        uvloop.run(main(sys.argv[1], float(sys.argv[3])))
    else:
        asyncio.run(main(sys.argv[1], float(sys.argv[3])))
