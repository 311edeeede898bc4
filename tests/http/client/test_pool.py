"""The pool: a connection is used again when it may be, and not when it may not."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.http.client.pool import OPEN, WAIT, ConnectionPool


def admit_all(pool):
    admitted = []
    while (found := pool.admit()) is not None:
        admitted.append(found)
    return admitted


def test_a_connection_is_opened_where_there_is_none():
    pool = ConnectionPool(2)
    assert pool.acquire("a", 1) is OPEN
    assert pool.active == 1


def test_a_connection_is_used_again():
    pool = ConnectionPool(2)
    pool.acquire("a", 1)
    assert pool.keep("a", "conn", 10.0) is None
    pool.release("a")
    assert pool.acquire("a", 2) == "conn"
    assert pool.idle() == []


def test_not_for_another_key():
    pool = ConnectionPool(2)
    pool.keep("a", "conn", 10.0)
    assert pool.acquire("b", 1) is OPEN
    assert pool.idle() == ["conn"]


def test_not_after_it_was_lost():
    pool = ConnectionPool(2)
    pool.keep("a", "conn", 10.0)
    assert pool.forget("a", "conn")
    assert not pool.forget("a", "conn")
    assert not pool.forget("b", "conn")
    assert pool.acquire("a", 1) is OPEN


def test_not_after_its_deadline():
    pool = ConnectionPool(4)
    pool.keep("a", "early", 10.0)
    pool.keep("a", "late", 20.0)
    pool.keep("b", "other", 15.0)
    assert pool.next_deadline() == 10.0
    assert pool.expire(9.9) == []
    assert sorted(pool.expire(15.0)) == ["early", "other"]
    assert pool.acquire("a", 1) == "late"
    assert pool.next_deadline() is None


def test_the_one_used_last_is_used_first():
    pool = ConnectionPool(4)
    for name in ("first", "second"):
        pool.keep("a", name, 10.0)
    assert pool.acquire("a", 1) == "second"
    assert pool.acquire("a", 2) == "first"


def test_the_one_idle_longest_goes_first():
    pool = ConnectionPool(4, max_idle=2)
    pool.keep("a", "old", 10.0)
    pool.keep("b", "new", 11.0)
    assert pool.keep("c", "newest", 12.0) == ["old"]
    assert sorted(pool.idle()) == ["new", "newest"]


def test_none_is_kept_where_none_may_be():
    pool = ConnectionPool(4, max_idle=0)
    assert pool.keep("a", "conn", 10.0) == ["conn"]
    assert pool.idle() == []


def test_who_finds_no_slot_waits_in_line():
    pool = ConnectionPool(1)
    assert pool.acquire("a", 1) is OPEN
    assert [pool.acquire("a", 2), pool.acquire("b", 3)] == [WAIT, WAIT]
    assert pool.waiting() == [2, 3]
    assert pool.admit() is None
    pool.release("a")
    assert admit_all(pool) == [(2, "a", OPEN)]
    pool.release("a")
    assert admit_all(pool) == [(3, "b", OPEN)]


def test_nobody_jumps_the_line():
    pool = ConnectionPool(1)
    pool.acquire("a", 1)
    pool.acquire("a", 2)
    pool.release("a")
    assert pool.acquire("b", 3) is WAIT
    assert admit_all(pool) == [(2, "a", OPEN)]


def test_a_busy_host_holds_up_nobody_else():
    pool = ConnectionPool(3, max_clients_per_host=1)
    assert pool.acquire("a", 1) is OPEN
    assert pool.acquire("a", 2) is WAIT
    assert pool.acquire("b", 3) is OPEN
    assert admit_all(pool) == []
    pool.release("b")
    assert admit_all(pool) == []
    pool.release("a")
    assert admit_all(pool) == [(2, "a", OPEN)]


def test_a_busy_host_in_line_holds_up_nobody_else():
    pool = ConnectionPool(2, max_clients_per_host=1)
    pool.acquire("a", 1)
    pool.acquire("b", 2)
    assert [pool.acquire("a", 3), pool.acquire("c", 4)] == [WAIT, WAIT]
    pool.release("b")
    assert admit_all(pool) == [(4, "c", OPEN)]
    pool.release("a")
    assert admit_all(pool) == [(3, "a", OPEN)]


def test_who_waits_gets_the_connection_that_comes_free():
    pool = ConnectionPool(1)
    pool.acquire("a", 1)
    pool.acquire("a", 2)
    pool.keep("a", "conn", 10.0)
    pool.release("a")
    assert admit_all(pool) == [(2, "a", "conn")]


def test_who_leaves_the_line_is_forgotten():
    pool = ConnectionPool(1, max_clients_per_host=1)
    pool.acquire("a", 1)
    pool.acquire("a", 2)
    pool.acquire("b", 3)
    assert pool.withdraw(2)
    assert not pool.withdraw(2)
    assert not pool.withdraw(1)
    pool.release("a")
    assert admit_all(pool) == [(3, "b", OPEN)]


@pytest.mark.parametrize("arguments", [(0,), (1, 0), (-1,), (1, -1), (1, None, -1)])
def test_bounds_that_are_none(arguments):
    with pytest.raises(ValueError, match="must"):
        ConnectionPool(*arguments)


ACTIONS = st.sampled_from(["acquire", "finish", "break", "withdraw", "expire"])
STEPS = st.lists(st.tuples(ACTIONS, st.integers(0, 9)), max_size=60)


@given(STEPS, st.integers(1, 4), st.integers(1, 3), st.integers(0, 4))
@settings(max_examples=300, deadline=None)
def test_it_keeps_its_promises(steps, most, per_host, idle):
    """Against a model: bounds are kept, nobody is let in twice, none is left out while there is room for it."""
    pool = ConnectionPool(most, per_host, idle)
    running, waiting, ticket, connection = {}, {}, 0, 0
    for action, number in steps:
        if action == "acquire":
            ticket += 1
            key = "abc"[number % 3]
            verdict = pool.acquire(key, ticket)
            if verdict is WAIT:
                waiting[ticket] = key
            else:
                running[ticket] = key
        elif action in ("finish", "break") and running:
            done = sorted(running)[number % len(running)]
            key = running.pop(done)
            if action == "finish":
                connection += 1
                pool.keep(key, f"{key}{connection}", float(number))
            pool.release(key)
            for admitted, its_key, verdict in admit_all(pool):
                assert waiting.pop(admitted) == its_key
                assert verdict is OPEN or verdict.startswith(its_key)
                running[admitted] = its_key
        elif action == "withdraw" and waiting:
            gone = sorted(waiting)[number % len(waiting)]
            assert pool.withdraw(gone)
            del waiting[gone]
        elif action == "expire":
            pool.expire(float(number))
            assert all(deadline > number for deadline in [pool.next_deadline()] if deadline is not None)
        assert pool.active == len(running) <= most
        assert all(list(running.values()).count(key) <= per_host for key in "abc")
        assert set(pool.waiting()) == set(waiting)
        assert len(pool.idle()) <= idle
        assert len(running) == most or all(list(running.values()).count(key) == per_host for key in waiting.values())


def test_it_is_linear(assert_linear):
    """With thousands in line for one host, and one that leaves in between."""

    def make(size):
        def run():
            pool = ConnectionPool(2, max_clients_per_host=1)
            order = random.Random(size)
            for ticket in range(size):
                pool.acquire("a" if order.random() < 0.9 else "b", ticket)
            for ticket in range(0, size, 3):
                pool.withdraw(ticket)
            done = 0
            while pool.active:
                for key in ("a", "b"):
                    try:
                        pool.release(key)
                    except KeyError:
                        continue
                    done += len(admit_all(pool))

        return run

    assert_linear(make, 200)
