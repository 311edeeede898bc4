"""The states of a connection are told apart."""

from __future__ import annotations

from gustnado.http.h1 import states


def test_each_has_a_number_of_its_own() -> None:
    numbers = [getattr(states, name) for name in states.__all__]
    assert sorted(numbers) == list(range(8))
