"""Deadlines of many connections, looked at now and then; on a loop whose clock the test sets."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from gustnado.http.sweeper import Sweeper


class Connection:
    def __init__(self) -> None:
        self.sweeps: list[float] = []

    def sweep(self, now: float) -> None:
        self.sweeps.append(now)

    def flush(self) -> None:
        raise AssertionError("nothing was written")


def test_each_connection_is_looked_at_once_an_interval(loop) -> None:
    sweeper = Sweeper(loop, 0.5)
    connections = [Connection(), Connection()]
    for connection in connections:
        sweeper.add(connection)
    for _ in range(3):
        loop.pass_time(0.5)
    assert [connection.sweeps for connection in connections] == [[1000.5, 1001.0, 1001.5]] * 2


def test_now_is_the_time_of_the_last_sweep(loop) -> None:
    sweeper = Sweeper(loop)
    sweeper.add(Connection())
    assert sweeper.now == 1000.0
    loop.pass_time(0.75)
    assert sweeper.now == 1000.0
    loop.pass_time(0.75)
    assert sweeper.now == 1001.5


def test_now_is_now_for_the_first_connection_after_a_pause(loop) -> None:
    sweeper = Sweeper(loop)
    loop.pass_time(100)
    sweeper.add(Connection())
    assert sweeper.now == 1100.0


def test_it_rests_while_there_are_no_connections(loop) -> None:
    sweeper = Sweeper(loop)
    connection = Connection()
    sweeper.add(connection)
    sweeper.discard(connection)
    loop.pass_time(10)
    assert connection.sweeps == []
    assert sweeper.now == 1000.0
    sweeper.add(connection)
    loop.pass_time(1)
    assert connection.sweeps == [1011.0]


def test_discarding_a_stranger_does_nothing(loop) -> None:
    sweeper = Sweeper(loop)
    connection = Connection()
    sweeper.discard(connection)
    sweeper.add(connection)
    sweeper.discard(Connection())
    loop.pass_time(1)
    assert connection.sweeps == [1001.0]


def test_connections_may_come_and_go_during_a_sweep(loop) -> None:
    sweeper = Sweeper(loop)
    others = [Connection() for _ in range(5)]

    class Leaver(Connection):
        def sweep(self, now: float) -> None:
            super().sweep(now)
            sweeper.discard(self)
            for other in others:
                sweeper.add(other)

    leavers = [Leaver() for _ in range(5)]
    for leaver in leavers:
        sweeper.add(leaver)
    loop.pass_time(1)
    loop.pass_time(1)
    assert [leaver.sweeps for leaver in leavers] == [[1001.0]] * 5
    assert [other.sweeps for other in others] == [[1002.0]] * 5


def test_one_that_fails_does_not_keep_the_others_from_being_looked_at(loop, expect_log) -> None:
    class Broken(Connection):
        def sweep(self, now: float) -> None:
            raise ValueError("oops")

    sweeper = Sweeper(loop)
    others = [Connection() for _ in range(5)]
    for connection in [*others, Broken()]:
        sweeper.add(connection)
    with expect_log("gustnado.application", "Exception in a sweep of .*Broken", count=2):
        loop.pass_time(1)
        loop.pass_time(1)
    assert [other.sweeps for other in others] == [[1001.0, 1002.0]] * 5


def test_a_write_that_need_not_wait_is_done(loop) -> None:
    sweeper = Sweeper(loop)
    assert sweeper.done.result() is None
    assert loop.run_until_complete(asyncio.wait_for(sweeper.done, 1)) is None


def test_the_date_is_one_of_http(loop) -> None:
    sweeper = Sweeper(loop)
    assert re.fullmatch(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", sweeper.date)


def test_a_coroutine_becomes_a_task(loop) -> None:
    async def wind() -> str:
        return "wind"

    sweeper = Sweeper(loop)
    assert loop.run_until_complete(sweeper.start(wind())) == "wind"


def test_a_failed_future_complains_to_nobody(loop) -> None:
    future = Sweeper(loop).failed(OSError("gone"))
    assert isinstance(future.exception(), OSError)


class Stream:
    def __init__(self, aborted: list[Stream]) -> None:
        self._aborted = aborted

    def abort(self) -> None:
        self._aborted.append(self)


def test_streams_are_cut_off_one_in_a_turn_of_the_loop(loop) -> None:
    aborted: list[Stream] = []
    streams: list[Any] = [Stream(aborted) for _ in range(4)]
    sweeper = Sweeper(loop)

    async def cut_off() -> list[int]:
        for stream in streams[:3]:
            sweeper.cut_off(stream)
        seen = []
        for _ in range(4):
            seen.append(len(aborted))
            await asyncio.sleep(0)
        return seen

    assert loop.run_until_complete(cut_off()) == [1, 2, 3, 3]
    sweeper.cut_off(streams[3])
    assert aborted == streams
