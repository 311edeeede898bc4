from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.cli.quantities import check_limits, parse_quantity, split_limit
from gustnado.errors import UsageError
from gustnado.http.limits import Limits


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("max_body_size", "0", 0),
        ("max_body_size", 17, 17),
        ("max_body_size", "10MiB", 10 * 1024 * 1024),
        ("max_body_size", "10 MB", 10_000_000),
        ("max_body_size", "1.5KiB", 1536),
        ("max_header_count", "100", 100),
        ("idle_timeout", "20", 20.0),
        ("idle_timeout", 0.5, 0.5),
        ("idle_timeout", "250ms", 0.25),
        ("idle_timeout", "2min", 120.0),
        ("idle_timeout", "1h", 3600.0),
    ],
)
def test_a_number_and_its_unit(name: str, text: str, value: float) -> None:
    parsed = parse_quantity(name, text)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("max_body_size", "10s", "max_body_size: '10s' is no number with one of the units B, KB, "),
        ("idle_timeout", "10MiB", "units ms, s, min, h"),
        ("max_body_size", "ten", "'ten' is no number"),
        ("max_body_size", "-1", "'-1' is no number"),
        ("max_body_size", "", "'' is no number"),
        ("max_body_size", True, "True is no number"),
        ("max_body_size", "1.5", "'1.5' is no whole number"),
        ("max_body_size", "9" * 30, "is no number"),
        ("idle_timeout", "nan", "'nan' is no number"),
        ("max_bodysize", "1", r"'max_bodysize' does not exist; did you mean max_body_size\?"),
        ("zzz", "1", "does not exist; known: max_request_line, "),
    ],
)
def test_what_is_none_is_refused_with_a_hint(name: str, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_quantity(name, text)


def test_limits_come_as_name_and_value() -> None:
    assert split_limit("max-body-size=1=2") == ("max_body_size", "1=2")
    with pytest.raises(UsageError, match="'max_body_size': NAME=VALUE is wanted"):
        split_limit("max_body_size")


def test_each_field_of_limits_can_be_set() -> None:
    given: dict[str, Any] = {**check_limits({field.name: "7" for field in dataclasses.fields(Limits)})}
    limits = Limits(**given)
    assert set(dataclasses.astuple(limits)) == {7}


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        assert parse_quantity("max_body_size", text) >= 0
    except UsageError:
        pass
