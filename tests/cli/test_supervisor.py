"""The decisions about workers, without a process: a fake does what is decided."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.cli.supervisor import (
    CANNOT_START,
    FIRST_DELAY,
    HEALTHY_AFTER,
    LONGEST_DELAY,
    MOST_FAILURES,
    Exit,
    Kill,
    Notify,
    Say,
    Start,
    Stop,
    Supervisor,
)


class World:
    """Does what a supervisor decides, and remembers it. Nothing happens by itself, time neither."""

    def __init__(self, workers: int, **options: float) -> None:
        self.supervisor = Supervisor(workers, **options)
        self.now = 1000.0
        self.running: dict[int, str] = {}
        self.said: list[str] = []
        self.levels: list[int] = []
        self.told: list[str] = []
        self.exited: int | None = None
        self.do(self.supervisor.begin(self.now))

    def do(self, actions) -> None:
        for action in actions:
            assert self.exited is None
            match action:
                case Start(number):
                    assert number not in self.running
                    self.running[number] = "starting"
                case Stop(number):
                    assert self.running[number] in ("starting", "ready")
                    self.running[number] = "stopping"
                case Kill(number):
                    assert number in self.running
                    self.running[number] = "killed"
                case Say(level, text):
                    self.said.append(text)
                    self.levels.append(level)
                case Notify(state):
                    self.told.append(state)
                case Exit(status):
                    assert not self.running
                    self.exited = status

    def ready(self, *numbers: int) -> None:
        for number in numbers:
            self.running[number] = "ready"
            self.do(self.supervisor.ready(number, self.now))

    def die(self, number: int, status: int = 1) -> None:
        del self.running[number]
        self.do(self.supervisor.died(number, status, self.now))

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.do(self.supervisor.tick(self.now))

    def hang_up(self) -> None:
        self.do(self.supervisor.restart(self.now))

    def resize(self, change: int) -> None:
        self.do(self.supervisor.resize(change, self.now))

    def stop(self) -> None:
        self.do(self.supervisor.stop(self.now))

    def states(self) -> list[str]:
        return sorted(self.running.values())


@pytest.fixture
def two() -> World:
    """Two workers that have been ready for long."""
    world = World(2)
    world.ready(1, 2)
    world.wait(HEALTHY_AFTER)
    return world


class TestStarting:
    def test_as_many_as_wanted_start_when_the_first_is_ready(self) -> None:
        world = World(3)
        assert world.running == {1: "starting"}
        world.ready(1)
        assert world.running == {1: "ready", 2: "starting", 3: "starting"}

    def test_it_is_ready_when_all_are(self) -> None:
        world = World(2)
        world.ready(1)
        assert world.told == []
        world.ready(2)
        assert world.told == ["ready"]
        assert "all 2 workers are ready" in world.said

    def test_being_ready_is_told_once(self, two) -> None:
        two.die(1)
        two.ready(3)
        assert two.told == ["ready"]

    def test_a_program_that_cannot_be_loaded_ends_it_all(self) -> None:
        world = World(3)
        world.die(1, CANNOT_START)
        assert any("given up" in text for text in world.said)
        assert world.exited == CANNOT_START

    def test_workers_that_die_in_a_row_before_any_was_ready_end_it(self) -> None:
        world = World(1)
        for number in range(1, MOST_FAILURES):
            world.die(number, -11)
            world.wait(LONGEST_DELAY)
        assert world.running == {MOST_FAILURES: "starting"}
        world.die(MOST_FAILURES, -11)
        assert world.exited == 1

    def test_one_that_does_not_become_ready_is_killed_and_replaced(self) -> None:
        world = World(1, boot_timeout=5)
        assert world.supervisor.next_time() == world.now + 5
        world.wait(4.9)
        assert world.states() == ["starting"]
        world.wait(0.1)
        assert world.states() == ["killed"]
        assert any("still starting after 5 s" in text for text in world.said)
        world.die(1, -9)
        world.wait(FIRST_DELAY)
        assert world.running == {2: "starting"}


class TestDeaths:
    def test_after_a_long_life_the_next_starts_at_once(self, two) -> None:
        two.die(1, -11)
        assert two.running == {2: "ready", 3: "starting"}
        assert "worker 1 was killed by SIGSEGV while ready" in two.said

    @pytest.mark.parametrize(
        ("status", "how"),
        [(0, "ended"), (1, "ended with status 1"), (-9, "was killed by SIGKILL"), (-99, "was killed by signal 99")],
    )
    def test_how_is_said(self, two, status: int, how: str) -> None:
        two.die(1, status)
        assert f"worker 1 {how} while ready" in two.said
        assert logging.ERROR in two.levels

    def test_delays_double_up_to_a_bound(self) -> None:
        world = World(1)
        world.ready(1)
        delays = []
        for number in range(1, 12):
            world.die(number)
            next_time = world.supervisor.next_time()
            assert next_time is not None
            delays.append(next_time - world.now)
            world.wait(delays[-1] - 0.001)
            assert not world.running
            world.wait(0.002)
            world.ready(number + 1)
        assert delays[:4] == pytest.approx([FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY, 8 * FIRST_DELAY])
        assert delays[-1] == LONGEST_DELAY

    def test_a_long_life_ends_the_back_off(self) -> None:
        world = World(1)
        world.ready(1)
        world.die(1)
        world.wait(FIRST_DELAY)
        world.ready(2)
        world.wait(HEALTHY_AFTER)
        world.die(2)
        assert world.running == {3: "starting"}
        world.die(3)
        assert world.supervisor.next_time() == world.now + FIRST_DELAY

    def test_once_it_has_run_it_is_not_given_up(self, two) -> None:
        for number in range(1, 40):
            two.die(number, CANNOT_START)
            two.wait(LONGEST_DELAY)
            assert two.exited is None
        assert "starting" in two.states()


class TestRollingRestart:
    def test_there_are_never_fewer_ready_ones(self, two) -> None:
        two.hang_up()
        assert two.running == {1: "ready", 2: "ready", 3: "starting"}
        two.ready(3)
        assert two.running == {1: "ready", 2: "stopping", 3: "ready", 4: "starting"}
        two.die(2, 0)
        two.ready(4)
        assert two.running == {1: "stopping", 3: "ready", 4: "ready"}
        two.die(1, 0)
        assert two.running == {3: "ready", 4: "ready"}
        assert two.told == ["ready", "reloading", "ready"]

    def test_a_new_one_that_dies_gives_it_up(self, two) -> None:
        two.hang_up()
        two.die(3, CANNOT_START)
        assert two.running == {1: "ready", 2: "ready"}
        assert any("given up" in text for text in two.said)
        assert two.told[-1] == "ready"  # those of before are
        two.wait(100)
        assert two.running == {1: "ready", 2: "ready"}

    def test_it_can_be_tried_again(self, two) -> None:
        two.hang_up()
        two.die(3, CANNOT_START)
        two.hang_up()
        two.ready(4)
        two.ready(5)
        assert two.running == {1: "stopping", 2: "stopping", 4: "ready", 5: "ready"}

    def test_another_one_meanwhile_replaces_all_again(self, two) -> None:
        two.hang_up()
        two.ready(3)
        two.hang_up()
        for number in range(4, 10):
            if two.running.get(number) == "starting":
                two.ready(number)
        workers = two.supervisor._workers
        ready = [number for number, state in two.running.items() if state == "ready"]
        assert [workers[number].generation for number in ready] == [2, 2]

    def test_two_in_a_row_stop_no_ready_one_before_its_time(self, two) -> None:
        """The worker of the first is not ready when the second comes: it goes, and not one of those that serve."""
        two.hang_up()
        two.hang_up()
        assert two.running == {1: "ready", 2: "ready", 3: "stopping", 4: "starting"}
        two.die(3, 0)
        two.ready(4)
        assert two.running == {1: "ready", 2: "stopping", 4: "ready", 5: "starting"}

    def test_an_old_one_that_dies_meanwhile_is_replaced_by_a_new_one(self, two) -> None:
        two.hang_up()
        two.die(1)
        two.ready(3)
        two.ready(4)
        assert two.running == {2: "stopping", 3: "ready", 4: "ready"}

    def test_it_ends_the_back_off(self) -> None:
        world = World(1)
        world.ready(1)
        for number in range(1, 5):
            world.die(number)
            world.wait(LONGEST_DELAY)
        world.die(5)
        assert not world.running
        world.hang_up()
        assert world.states() == ["starting"]

    def test_one_worker_is_replaced_without_a_gap(self) -> None:
        world = World(1)
        world.ready(1)
        world.hang_up()
        assert world.running == {1: "ready", 2: "starting"}
        world.ready(2)
        assert world.running == {1: "stopping", 2: "ready"}

    def test_one_that_does_not_stop_is_killed(self) -> None:
        world = World(1, grace=10)
        world.ready(1)
        world.hang_up()
        world.ready(2)
        world.wait(14.9)
        assert world.running[1] == "stopping"
        world.wait(0.2)
        assert world.running == {1: "killed", 2: "ready"}


class TestSize:
    def test_one_more(self, two) -> None:
        two.resize(+1)
        assert two.running == {1: "ready", 2: "ready", 3: "starting"}

    def test_one_less_stops_the_newest(self, two) -> None:
        two.resize(-1)
        assert two.running == {1: "ready", 2: "stopping"}
        two.die(2, 0)
        assert two.running == {1: "ready"}

    def test_never_none(self, two) -> None:
        for _ in range(5):
            two.resize(-1)
        assert two.supervisor.wanted == 1
        assert two.states() == ["ready", "stopping"]

    def test_fewer_during_a_restart(self, two) -> None:
        two.hang_up()
        two.resize(-1)
        two.ready(3)
        assert two.running == {1: "stopping", 2: "stopping", 3: "ready"}


class TestEnd:
    def test_all_stop_and_then_it_exits(self, two) -> None:
        two.stop()
        assert two.states() == ["stopping", "stopping"]
        assert two.told[-1] == "stopping"
        two.die(1, 0)
        assert two.exited is None
        two.die(2, 0)
        assert two.exited == 0

    def test_nobody_is_started_any_more(self, two) -> None:
        two.die(1)
        two.stop()
        two.die(3, -15)
        two.hang_up()
        two.resize(+1)
        two.wait(1)
        assert two.states() == ["stopping"]

    def test_a_second_time_kills(self, two) -> None:
        two.stop()
        two.stop()
        assert two.states() == ["killed", "killed"]

    def test_one_that_hangs_is_killed(self) -> None:
        world = World(1, grace=10)
        world.ready(1)
        world.stop()
        assert world.supervisor.next_time() == world.now + 15
        world.wait(15)
        assert world.states() == ["killed"]
        world.die(1, -9)
        assert world.exited == 0

    def test_a_worker_that_was_stopped_before_it_was_ready_stays_so(self) -> None:
        world = World(1)
        world.stop()
        world.do(world.supervisor.ready(1, world.now))
        assert world.running == {1: "stopping"}

    def test_during_a_back_off_it_exits_at_once(self) -> None:
        world = World(1)
        world.ready(1)
        world.die(1)
        world.stop()
        assert world.exited == 0


def go_well(world: World) -> None:
    """Let time pass in which every worker does what it should."""
    for _ in range(4 * world.supervisor.wanted + 8):
        for number, state in list(world.running.items()):
            if state == "starting":
                world.ready(number)
            elif state in ("stopping", "killed"):
                world.die(number, 0)
        world.wait(LONGEST_DELAY)


EVENTS = st.sampled_from(["ready", "die", "die early", "wait", "hang up", "more", "fewer"])


@given(st.integers(1, 4), st.lists(st.tuples(EVENTS, st.integers(0, 10)), max_size=60))
def test_whatever_happens_it_comes_to_rest_and_to_its_end(workers: int, events) -> None:
    world = World(workers)
    world.ready(1)
    for event, choice in events:
        starting = [number for number, state in world.running.items() if state == "starting"]
        running = list(world.running)
        match event:
            case "ready" if starting:
                world.ready(starting[choice % len(starting)])
            case "die" if running:
                world.die(running[choice % len(running)], choice - 5)
            case "wait":
                world.wait(float(choice))
            case "hang up":
                world.hang_up()
            case "more":
                world.resize(+1)
            case "fewer":
                world.resize(-1)
        serving = [state for state in world.running.values() if state in ("starting", "ready")]
        assert len(serving) <= world.supervisor.wanted + 1
    go_well(world)
    assert world.states() == ["ready"] * world.supervisor.wanted
    assert world.told[-1] == "ready"
    before = set(world.running)
    world.hang_up()
    go_well(world)
    assert world.states() == ["ready"] * world.supervisor.wanted
    assert not before & set(world.running)
    assert world.told[-1] == "ready"
    world.stop()
    for number in list(world.running):
        world.die(number, 0)
    assert world.exited == 0
