"""LoopShared: what the connections of one loop have in common."""

from __future__ import annotations

import asyncio

from gustnado.errors import StreamClosedError
from gustnado.http.refusals import RefusalLog
from gustnado.http.shared import LoopShared, release


class Connection:
    """Notes when it is flushed."""

    def __init__(self, log: list[str], name: str, shared: LoopShared | None = None) -> None:
        self.log = log
        self.name = name
        self.shared = shared

    def flush(self) -> None:
        self.log.append(self.name)
        if self.shared is not None:
            self.shared.flush_soon(Connection(self.log, self.name + " again"))

    def sweep(self, now: float) -> None:
        raise AssertionError("nobody sweeps here")


def test_a_write_that_need_not_be_waited_for_is_done(run) -> None:
    async def main() -> None:
        shared = LoopShared(loop := asyncio.get_running_loop(), RefusalLog(loop, 0))
        assert shared.done.done()
        assert await shared.done is None  # type: ignore[func-returns-value]

    run(main())


def test_all_are_flushed_in_one_turn_in_order(run) -> None:
    async def main() -> None:
        log: list[str] = []
        shared = LoopShared(loop := asyncio.get_running_loop(), RefusalLog(loop, 0))
        for name in "abc":
            shared.flush_soon(Connection(log, name))
        assert log == []
        await asyncio.sleep(0)
        assert log == ["a", "b", "c"]
        await asyncio.sleep(0)
        assert log == ["a", "b", "c"]

    run(main())


def test_what_is_written_meanwhile_leaves_in_the_next_turn(run) -> None:
    async def main() -> None:
        log: list[str] = []
        shared = LoopShared(loop := asyncio.get_running_loop(), RefusalLog(loop, 0))
        shared.flush_soon(Connection(log, "a", shared))
        await asyncio.sleep(0)
        assert log == ["a"]
        await asyncio.sleep(0)
        assert log == ["a", "a again"]

    run(main())


def test_those_who_wait_to_write_are_told(run) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        for error in (None, StreamClosedError()):
            waiting, cancelled = loop.create_future(), loop.create_future()
            cancelled.cancel()
            release([cancelled, waiting], error)
            assert cancelled.cancelled()
            assert waiting.exception() is error

    run(main())
