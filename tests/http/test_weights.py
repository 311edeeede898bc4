"""Lists with weights."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.http.weights import MAX_WEIGHTED_LIST, parse_weights


@pytest.mark.parametrize(
    ("value", "weights"),
    [
        ("", {}),
        ("gzip", {"gzip": 1.0}),
        ("GZip ; Q=0.5,\tbr", {"gzip": 0.5, "br": 1.0}),
        ("text/html;level=1;q=0.3", {"text/html": 0.3}),
        ("a;q=1.000, b;q=0., c;q=0", {"a": 1.0, "b": 0.0, "c": 0.0}),
        ("a;q=0.1, a;q=0.7, a;q=0.2", {"a": 0.7}),
        ("a;q=2, b;q=-1, c;q=x, d;q=, e;q=1.5, f;q=0.1234, g;q=nan, h;q=1e0", {}),
        (",, ,;q=1,=;q=1,a b", {}),
        ("é, \x00", {}),
    ],
)
def test_weights(value, weights):
    assert parse_weights(value) == weights


def test_157_a_long_one_is_cut_between_items():
    value = ",".join(f"item{number};q=0.5" for number in range(10_000))
    weights = parse_weights(value)
    assert 10 < len(weights) < MAX_WEIGHTED_LIST
    assert set(weights.values()) == {0.5}
    assert parse_weights("a" * 100_000) == {}


@given(st.text(max_size=60) | st.text(alphabet="ab/*;=q,.01 \t", max_size=60))
def test_weights_are_between_0_and_1(value):
    for item, weight in parse_weights(value).items():
        assert item
        assert item == item.lower()
        assert 0 <= weight <= 1
