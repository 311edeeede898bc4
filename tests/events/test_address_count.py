"""Connections are counted by address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.events.address_count import AddressCount, counted_as


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:0:ffff::", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("no:address", "no:address"),
    ],
)
def test_what_counts_as_one(address: str, key: str) -> None:
    assert counted_as(address) == key


def test_a_network_of_ipv6_counts_as_one_client() -> None:
    count = AddressCount(1)
    assert count.enter("2001:db8::1")
    assert not count.enter("2001:db8::2")
    assert count.enter("2001:db8:0:1::2")


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "2001:db8::1"]), st.booleans())), st.integers(1, 3))
def test_never_more_than_the_limit_and_nothing_is_left(steps: list, limit: int) -> None:
    count = AddressCount(limit)
    held: list[str] = []
    for address, enters in steps:
        if enters:
            expected = held.count(address) < limit
            assert count.enter(address) is expected
            held += [address] * expected
        elif address in held:
            count.leave(address)
            held.remove(address)
    assert len(count) == len(set(held))
    for address in held:
        count.leave(address)
    assert len(count) == 0
