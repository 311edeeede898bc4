from __future__ import annotations

import dataclasses

import pytest

from gustnado.http.limits import Limits

FIELDS = {field.name: field for field in dataclasses.fields(Limits)}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_request_line", 8 * 1024),
        ("max_header_size", 32 * 1024),
        ("max_header_count", 100),
        ("max_field_size", 16 * 1024),
        ("max_body_size", 10 * 1024 * 1024),
        ("max_chunk_extras", 16 * 1024),
        ("max_query_arguments", 1000),
        ("max_form_fields", 1000),
        ("max_parts", 100),
        ("max_part_header_size", 8 * 1024),
        ("max_cookies", 100),
        ("header_timeout", 15.0),
        ("handshake_timeout", 10.0),
        ("body_timeout", 30.0),
        ("min_body_rate", 240),
        ("idle_timeout", 60.0),
        ("write_timeout", 30.0),
        ("max_requests", 1000),
        ("max_connection_age", 3600.0),
        ("max_pipelined", 16),
        ("max_unread_body", 256 * 1024),
        ("linger_timeout", 2.0),
        ("max_write_buffer", 1024 * 1024),
    ],
)
def test_defaults_are_those_that_are_promised(name, value):
    assert getattr(Limits(), name) == value


def test_each_default_has_the_type_of_its_field():
    limits = Limits()
    for name, field in FIELDS.items():
        value = getattr(limits, name)
        assert type(value).__name__ == field.type
        assert value >= 0


def test_fields_are_keywords():
    assert Limits(max_body_size=1).max_body_size == 1
    with pytest.raises(TypeError):
        Limits(1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Limits(max_bodysize=1)  # type: ignore[call-arg]


def test_cannot_be_changed_after_a_server_took_it():
    limits = Limits()
    with pytest.raises(dataclasses.FrozenInstanceError):
        limits.max_body_size = 1  # type: ignore[misc]
    with pytest.raises((AttributeError, TypeError)):
        limits.max_bodysize = 1  # type: ignore[attr-defined]


def test_replace_changes_one_field():
    limits = dataclasses.replace(Limits(), max_parts=7)
    assert limits.max_parts == 7
    assert limits == Limits(max_parts=7)
    assert limits != Limits()
